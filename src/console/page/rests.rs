//! The lines of a SKILL.md, and the sessions that each of them rests on.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::who::People;
use super::{counted, link, patience};
use crate::console::App;
use crate::console::access::Reader;
use crate::console::find::Known;
use crate::event::visible;
use crate::library::{SaidClaim, SaidLine};
use crate::views::feedback::LONGEST_FEEDBACK;

/// So many characters of a first prompt name a session.
const LONGEST_TITLE: usize = 90;

/// A line of a SKILL.md, and what it rests on.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    pub(super) text: String,
    pub(super) claims: Vec<Rests>,
}

/// A claim of a line.
#[derive(Debug, Serialize)]
pub(super) struct Rests {
    /// The claim's number in the skill.
    pub(super) number: usize,
    pub(super) claim: String,
    pub(super) counted: Option<String>,
    /// The sessions behind it, each once.
    pub(super) sessions: Vec<Cited>,
}

/// A session behind a claim.
#[derive(Debug, Serialize)]
pub(super) struct Cited {
    pub(super) date: String,
    pub(super) hash: String,
    pub(super) assistant: String,
    /// Feedback on the session by people or their tools; `""` if there is none or it is not known.
    pub(super) feedback: String,
    /// Where it is shown; `""` if it is not known, or not yet.
    pub(super) link: String,
    /// How its first prompt begins; `""` as above.
    pub(super) title: String,
    pub(super) person: String,
}

impl Rests {
    pub(super) fn behind(&self) -> String {
        counted(self.sessions.len() as u64, "session")
    }
}

/// The text line by line, each with what it rests on.
pub(super) async fn rest(
    app: &App,
    (reader, people): (&Reader, &People),
    text: &str,
    said: Vec<SaidLine>,
) -> Vec<Line> {
    let cited = said.iter().flat_map(|line| &line.claims).flat_map(|claim| &claim.sessions);
    let cited = cited.map(|(date, hash, ..)| (date.as_str(), hash.as_str()));
    let known = app.by_hash(reader, cited, patience()).await;
    let mut number = 0;
    let mut of_line: Vec<(String, Vec<Rests>)> = Vec::new();
    for line in said {
        let claims = line.claims.iter().map(|claim| {
            number += 1;
            rests(number, claim, &known, people)
        });
        let claims = claims.collect();
        of_line.push((line.text, claims));
    }
    let lines = text.lines().map(|text| {
        let bare = text.trim_start_matches(|char: char| char.is_ascii_digit() || "-. ".contains(char));
        let at = of_line.iter().position(|(said, _)| visible(said).trim() == bare.trim() && !bare.is_empty());
        let claims = at.map(|at| of_line.remove(at).1).unwrap_or_default();
        Line { text: text.to_owned(), claims }
    });
    lines.collect()
}

pub(super) fn rests(
    number: usize,
    claim: &SaidClaim,
    known: &BTreeMap<String, Known>,
    people: &People,
) -> Rests {
    let mut named = BTreeSet::new();
    // A session that tells twice is one session.
    let once = claim.sessions.iter().filter(|(_, hash, ..)| named.insert(hash.clone()));
    let cited = once.map(|(date, hash, assistant, _)| {
        let known = known.get(hash);
        Cited {
            date: date.clone(),
            hash: hash.clone(),
            assistant: assistant.clone(),
            feedback: known.map(|known| people.line(&known.feedback, LONGEST_FEEDBACK)).unwrap_or_default(),
            link: known.map(|known| link::session(&known.tenant, &known.id)).unwrap_or_default(),
            title: known.map(|known| people.title(&known.title, LONGEST_TITLE)).unwrap_or_default(),
            person: known.map(|known| people.name(&known.tenant, &known.user)).unwrap_or_default(),
        }
    });
    Rests { number, claim: claim.claim.told(), counted: claim.counted.clone(), sessions: cited.collect() }
}
