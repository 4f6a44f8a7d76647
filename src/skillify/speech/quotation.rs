//! What people said in a session that states a rule, in their words.

use std::collections::BTreeMap;

use super::super::session::endings::Endings;
use super::super::session::segment::{self};
use super::{CLEAR, Spoken, Want, spoken, states};
use crate::event::Timestamp;
use crate::table::Session;

/// A sentence of a person that states a rule: for who may read the session, and for nobody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quotation {
    /// When it was said.
    pub at: Timestamp,
    /// The shortest sentence of the prompt, or of the refusal, that says it.
    pub sentence: String,
}

/// What people said in a session that states a rule, in their words: what they want, the act, and the name that it is
/// about, `""` for none.
pub(in crate::skillify) fn quotations(
    session: &Session,
    want: Want,
    act: &str,
    name: &str,
) -> Vec<Quotation> {
    let mut endings = Endings::default();
    let segments = segment::segments(session, &mut endings);
    let mut by_event: BTreeMap<String, Vec<Spoken>> = BTreeMap::new();
    for one in spoken(&segments).into_iter().flatten() {
        if states(&one.statement, want, act, name) && !one.sentence.is_empty() {
            by_event.entry(one.statement.event.clone()).or_default().push(one);
        }
    }
    let mut found: Vec<Quotation> = Vec::new();
    for said in by_event.into_values() {
        let best = said.into_iter().max_by_key(|one| clearness(one, act));
        let shown = |one: Spoken| Quotation {
            at: one.at,
            sentence: one.sentence.replace(super::own_words::QUOTE, "“…”"),
        };
        let quotation = best.map(shown);
        found.extend(quotation.filter(|new| !found.iter().any(|known| known.sentence == new.sentence)));
    }
    found.sort_by_key(|quotation| quotation.at);
    found
}

/// Of the sentences of one prompt the fullest is shown that can be read at one look, rather than a short one.
pub(super) fn clearness(one: &Spoken, act: &str) -> (bool, bool, usize) {
    let words = usize::from(one.statement.words);
    let is_short = words <= CLEAR;
    (one.statement.act == act, is_short, if is_short { words } else { usize::MAX - words })
}
