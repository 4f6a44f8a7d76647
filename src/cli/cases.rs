//! The cases of published lines, so that a person can judge each line in a minute.
//!
//! For each line how many sessions did what it says and how many did not, in the words of its kind, and of each up to three
//! sessions with what happened there: the commands, their statuses, and the first and last line of what they
//! printed. This is for those who may read the sessions: nothing of it is published.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;

use super::columns::counted;
use crate::event::{SessionEvent, visible_line};
use crate::skillify::{Candidate, Evidence, Mined, Outcome, SupportedClaim};
use crate::table::Session;
use crate::views::cases::{Call, calls_of, spread};

/// So many characters of a line are shown.
const LONGEST: usize = 160;

/// The events of the sessions, by id.
pub(super) struct Events<'s> {
    by_id: BTreeMap<&'s str, &'s SessionEvent>,
}

impl<'s> Events<'s> {
    pub(super) fn of(sessions: impl IntoIterator<Item = &'s Session>) -> Self {
        let facts = sessions.into_iter().flat_map(|session| &session.facts);
        let ids = facts.flat_map(|fact| fact.event_ids.iter().map(move |id| (id.as_str(), &fact.event)));
        Self { by_id: ids.collect() }
    }

    /// The cases of every published line.
    pub(super) fn of_lines(&self, mined: &Mined) -> String {
        let mut text = String::new();
        for candidate in mined.candidates.iter().filter(|candidate| candidate.is_published()) {
            let _ = writeln!(
                text,
                "\n# {}: {}",
                escaped(&candidate.workspace),
                escaped(&candidate.wording.title)
            );
            let _ = writeln!(text, "{}", escaped(&candidate.wording.description));
            self.of_candidate(candidate, &mut text);
        }
        text
    }

    fn of_candidate(&self, candidate: &Candidate, text: &mut String) {
        let wording = &candidate.wording;
        let sections = [&wording.lessons, &wording.steps, &wording.if_it_fails, &wording.avoid];
        for line in sections.into_iter().flatten() {
            let _ = writeln!(text, "\n## {}", escaped(&line.text));
            for claim in line.claims.iter().filter_map(|at| candidate.claims.get(*at)) {
                self.of_claim(claim, text);
            }
        }
    }

    fn of_claim(&self, claim: &SupportedClaim, text: &mut String) {
        let is_computed = claim.p_value > 0.0;
        let p_value = if is_computed { format!(" (chance {:.1e})", claim.p_value) } else { String::new() };
        let _ = writeln!(text, "{}{p_value}", escaped(&claim.claim.to_string()));
        let (with, without): (Vec<&Evidence>, Vec<&Evidence>) =
            claim.untreated.iter().partition(|evidence| evidence.outcome != Outcome::Rejected);
        let cases: [Vec<&Evidence>; 4] =
            [claim.support.iter().collect(), claim.against.iter().collect(), with, without];
        for ((name, count), cases) in claim.claim.counted(&claim.counts).into_iter().zip(cases) {
            if name.is_empty() {
                continue;
            }
            let _ = writeln!(text, "  {name}: {}", counted(count, "session"));
            for case in spread(&cases) {
                self.of_case(case, text);
            }
        }
    }

    fn of_case(&self, case: &Evidence, text: &mut String) {
        let _ = writeln!(
            text,
            "    {} {} {}",
            case.started_at.date(),
            escaped(&case.session),
            escaped(if case.person.is_empty() { "unknown" } else { &case.person })
        );
        let events = case.events.iter().filter_map(|id| self.by_id.get(id.as_str()).copied());
        for events in calls_of(events) {
            let _ = writeln!(text, "      {}", call(&events));
        }
    }
}

/// One call: its command, its status, and the first and last line of its output.
fn call(events: &[&SessionEvent]) -> String {
    let Call { done, status, output } = Call::of(events);
    let shown = match output {
        (None, _) => String::new(),
        (Some(only), None) => format!(" → {}", clipped(only)),
        (Some(first), Some(last)) => format!(" → {} … {}", clipped(first), clipped(last)),
    };
    format!("{} [reported {}]{shown}", clipped(&done), status.as_str())
}

fn clipped(text: &str) -> String {
    let line = escaped(text.trim());
    let mut shown: String = line.chars().take(LONGEST).collect();
    if shown.len() < line.len() {
        shown.push('…');
    }
    shown
}

/// A text of a session on one line, hidden characters shown.
fn escaped(text: &str) -> Cow<'_, str> {
    visible_line(text)
}
