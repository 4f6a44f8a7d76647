//! What a run of mining found: what it says, and what the library made of it.

use std::collections::BTreeSet;

use serde::Serialize;

use super::skills::{seen, told};
use super::who::People;
use super::{counted, link};
use crate::console::access::Reader;
use crate::console::escape::with_code;
use crate::console::shelf::Shelved;
use crate::library::{Library, Listed};
use crate::service::record::{Kept, KeptCandidate};
use crate::skillify::{Claim, Shortfall, UNFIT};

/// Why what lacks nothing but that waits for nobody where one person said it.
pub(super) const OF_ONE: &str = "one person alone wants it: it waits at a target of that person's own, if there is one, and not \
                      where everybody's skills are";
/// Why something that lacks nothing but that waits for nobody.
pub(super) const SETTLED: &str =
    "it would take a person's word, and a person has said no to it, or a skill says it already";
/// The same where the list is full.
pub(super) const OTHERS_WAIT: &str = "it would take a person's word, and twenty others wait already";
/// So many proposals wait at once.
pub(super) const MOST_WAITING: usize = 20;

/// A claim about some sessions.
#[derive(Debug, Serialize)]
pub(super) struct Candidate {
    pub(super) name: String,
    pub(super) title: String,
    /// Its lines as a skill would say them.
    pub(super) lines: Vec<String>,
    /// Whether mining would publish it.
    pub(super) published: bool,
    /// Its state in the library: that of its skill, `held back` if no skill has it though mining would publish it, or
    /// `nothing`.
    pub(super) became: &'static str,
    /// The skill of the library that says it; `""` if there is none.
    pub(super) skill: String,
    /// Why it is no skill.
    pub(super) because: Vec<String>,
    /// Whether it lacks nothing but that a person agrees.
    #[serde(skip)]
    pub(super) lacks_a_word: bool,
    pub(super) sessions: usize,
    pub(super) people: usize,
    /// The page of its skill, or of the proposal that waits; `""` if there is neither.
    pub(super) link: String,
}

/// The candidates of a record, in its order.
pub(super) fn candidates(
    kept: &Kept,
    shelved: &[Shelved],
    reader: &Reader,
    people: &People,
) -> Vec<Candidate> {
    let libraries = shelved.iter().filter_map(|one| one.library.as_ref().ok());
    let own: Vec<(&Library, Vec<Listed>)> = libraries
        .filter(|library| library.is_of(&kept.tenant))
        .map(|library| (library, seen(library, reader)))
        .collect();
    kept.candidates.iter().map(|one| Candidate::of(kept, one, &own, people)).collect()
}

impl Candidate {
    /// The library's truth, not the record's: it names skills, holds some back, and people decide about others.
    fn of(kept: &Kept, one: &KeptCandidate, libraries: &[(&Library, Vec<Listed>)], people: &People) -> Self {
        let sessions: BTreeSet<&String> = one.claims.iter().flat_map(|claim| &claim.sessions).collect();
        let claims: BTreeSet<&Claim> = one.claims.iter().map(|kept| &kept.claim).collect();
        let skill = libraries.iter().find_map(|(library, seen)| {
            let name = library.saying(&kept.workspace, one.project.as_deref(), &claims)?;
            seen.iter().find(|skill| skill.name == name)
        });
        // That a person has to agree is the last thing that it lacks, not why nobody is asked.
        let (asks, lacks): (Vec<&Shortfall>, Vec<&Shortfall>) =
            one.lacks.iter().partition(|lack| lack.asks_a_person());
        let lacks_a_word = lacks.is_empty() && !asks.is_empty();
        let reasons = lacks.into_iter().chain(asks).map(in_words);
        // An older version wrote nothing but the words.
        let words = one.because.iter().filter(|_| one.lacks.is_empty()).cloned();
        let because = reasons.chain(words).map(|why| people.without(&why)).collect();
        let (became, link) = match skill {
            Some(skill) if skill.has_proposal() => ("waits for you", link::review(&kept.tenant, &skill.name)),
            Some(skill) => (told(skill), link::skill(&kept.tenant, &skill.name)),
            None if one.published => ("held back", String::new()),
            None => ("nothing", String::new()),
        };
        Self {
            name: one.name.clone(),
            title: match one.title.as_str() {
                "Guarded" => "Something that may not be written down".to_owned(),
                title => people.without(title),
            },
            lines: one.lines.iter().map(|line| people.without(&line.text)).collect(),
            published: one.published,
            became,
            skill: skill.map(|skill| skill.name.clone()).unwrap_or_default(),
            because,
            lacks_a_word,
            sessions: sessions.len(),
            people: one
                .people
                .unwrap_or_else(|| one.claims.iter().map(|claim| claim.people).max().unwrap_or_default()),
            link,
        }
    }
}

impl Candidate {
    /// What else keeps it back.
    pub(super) fn also(&self) -> String {
        self.because.iter().skip(1).map(|why| format!("; {why}")).collect()
    }

    /// What was found, and its first line, as markup.
    pub(super) fn titled(&self) -> String {
        with_code(&self.title)
    }

    pub(super) fn told(line: &str) -> String {
        with_code(line)
    }

    /// `5 sessions, 2 people`
    pub(super) fn seen(&self) -> String {
        let people = if self.people == 1 { "person" } else { "people" };
        format!("{}, {} {people}", counted(self.sessions as u64, "session"), self.people)
    }
}

/// Why mining makes no skill of something, for who does not know its rules.
fn in_words(lack: &Shortfall) -> String {
    let of = |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    match lack {
        Shortfall::People { found, needed } => {
            let found = of(*found, "known person", "known people");
            format!("{found} did it; where several people are known, {needed} are needed")
        }
        Shortfall::Sessions { found, needed } => {
            let found = of(*found, "session that ended well shows it", "sessions that ended well show it");
            format!("{found}; {needed} are needed")
        }
        Shortfall::Days { found, needed } => {
            format!("people said so on {}; {needed} are needed", of(*found, "day", "days"))
        }
        Shortfall::Rejected { accepted, rejected } => {
            let well = of(*accepted, "session with it ended well", "sessions with it ended well");
            format!("{well}, {rejected} ended badly; twice as many must end well")
        }
        Shortfall::Guarded(found) if found == UNFIT => {
            "its words do not fit the form of a skill: no name, or a description that is too long".to_owned()
        }
        Shortfall::Guarded(found) => format!("it may not be published as it is: it names {found}"),
        Shortfall::Everyday => {
            "it is one command among everyday work, which may have come by accident".to_owned()
        }
        Shortfall::Chance => {
            "it may be chance: with this many sessions, as much happens without a cause".to_owned()
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_told_to_who_does_not_know_the_rules() {
        for (why, told) in [
            (
                Shortfall::People { found: 1, needed: 2 },
                "1 known person did it; where several people are known, 2 are needed",
            ),
            (Shortfall::Sessions { found: 2, needed: 3 }, "2 sessions that ended well show it; 3 are needed"),
            (Shortfall::Days { found: 1, needed: 2 }, "people said so on 1 day; 2 are needed"),
            (
                Shortfall::Rejected { accepted: 1, rejected: 2 },
                "1 session with it ended well, 2 ended badly; twice as many must end well",
            ),
            (Shortfall::Guarded("a host".to_owned()), "it may not be published as it is: it names a host"),
            (Shortfall::Withdrawn, "people took it back"),
        ] {
            assert_eq!(in_words(&why), told);
        }
    }
}
