//! Skills that people wrote in the same tree: what a candidate could add to them.
//!
//! A candidate that such a skill covers never becomes a second skill. What the skill does not say yet becomes a proposal
//! for it. The same proposal corrects what the skill says and sessions contradict.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::Library;
use super::changes::Change;
use super::digest::digest;
use super::guide::correct::{contradicting, corrected, may_contradict};
use super::mentions::mentions;
use super::run::Run;
use super::state::{Deepening, State};
use crate::event::counted;
use crate::skillify::{Candidate, Claim, Line, SupportedClaim, Template};

/// A skill that a person wrote.
pub(super) struct HandWritten<'a> {
    /// Its folder's name.
    pub(super) name: String,
    pub(super) text: &'a str,
}

/// Every skill of the tree that was never generated.
pub(super) fn all<'a>(library: &'a Library, state: &State) -> Vec<HandWritten<'a>> {
    let mut found = Vec::new();
    for root in &library.roots {
        for (path, text) in &library.tree {
            let Some(name) = path
                .strip_prefix(root.as_str())
                .and_then(|path| path.strip_prefix('/'))
                .and_then(|path| path.strip_suffix("/SKILL.md"))
            else {
                continue;
            };
            let known = found.iter().any(|other: &HandWritten<'_>| other.name == name);
            if !known && !name.contains('/') && !state.files.contains_key(path) {
                found.push(HandWritten { name: name.to_owned(), text });
            }
        }
    }
    found
}

/// The lines of a text, each with its number.
pub(super) fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(at, line)| (at + 1, line))
}

/// Proposes corrections where sessions contradict a hand-written skill: in the run's own proposals and in the text that
/// stands.
pub(super) fn correct(run: &mut Run<'_>) {
    for skill in all(run.library, &run.state) {
        let known = run.state.hand_written.get(&skill.name);
        let rejected = known.map(|known| known.rejected.clone()).unwrap_or_default();
        let base = digest(skill.text);
        let pending = known.filter(|known| !known.claims.is_empty() && known.base == base);
        let (text, mut claims) = match pending {
            Some(known) => (known.text.as_str(), known.claims.clone()),
            None => (skill.text, BTreeSet::new()),
        };
        let mut against = contradicting(&run.state);
        against.retain(|claim| !rejected.contains(claim) && !claims.contains(claim));
        let Some(proposed) = corrected(&against, text, numbered(text)) else { continue };
        claims.extend(proposed.claims);
        let proposal = Deepening { base, claims, text: proposed.text, rejected };
        run.changes.skills.insert(skill.name.clone(), Change::Proposed);
        run.state.hand_written.insert(skill.name, proposal);
    }
}

impl HandWritten<'_> {
    /// Whether it speaks of the candidate's work: of every command whose failure the candidate repairs,
    /// or of half of the commands that the candidate runs, two at least.
    pub(super) fn covers(&self, candidate: &Candidate) -> bool {
        let situations: BTreeSet<String> = candidate
            .claims
            .iter()
            .filter_map(|claim| claim.claim.situation())
            .map(ToString::to_string)
            .collect();
        if !situations.is_empty() {
            return situations.iter().all(|command| mentions(self.text, command));
        }
        let runs: Vec<String> = candidate.claims.iter().flat_map(|claim| commands(&claim.claim)).collect();
        let said = runs.iter().filter(|command| mentions(self.text, command)).count();
        said >= 2 && said * 2 >= runs.len()
    }

    /// What the candidate would correct and add; `None` if the skill already says all of it.
    pub(super) fn deepened_by(&self, candidate: &Candidate, rejected: &BTreeSet<Claim>) -> Option<Deepening> {
        let own = candidate.claims.iter().map(|claim| &claim.claim);
        let against: Vec<&Claim> =
            own.filter(|claim| may_contradict(claim) && !rejected.contains(*claim)).collect();
        let corrected = corrected(&against, self.text, numbered(self.text));
        let (base, mut claims) = match &corrected {
            Some(corrected) => (corrected.text.as_str(), corrected.claims.clone()),
            None => (self.text, BTreeSet::new()),
        };
        let missing: BTreeSet<Claim> = candidate
            .claims
            .iter()
            .filter(|claim| !commands(&claim.claim).iter().all(|command| mentions(self.text, command)))
            .map(|claim| claim.claim.clone())
            .filter(|claim| !rejected.contains(claim) && !claims.contains(claim))
            .collect();
        let deepening =
            |claims, text| Deepening { base: digest(self.text), claims, text, rejected: rejected.clone() };
        if missing.is_empty() {
            let text = base.to_owned();
            return corrected.is_some().then(|| deepening(claims, text));
        }
        let mut text = base.trim_end().to_owned();
        let _ = writeln!(text, "\n\n{HEADING}");
        for line in lines(candidate, &missing) {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "- {line}");
        }
        let sessions = candidate.sessions().len();
        let _ = writeln!(text, "\nSeen in {}.", counted(sessions, "session", "sessions"));
        claims.extend(missing);
        Some(deepening(claims, text))
    }
}

/// The sentences that state one of the claims; those about a failure, if there are any.
fn lines<'a>(candidate: &'a Candidate, claims: &BTreeSet<Claim>) -> Vec<&'a str> {
    let wording = &candidate.wording;
    let says = |line: &&Line| {
        let said = |index: &usize| candidate.claims.get(*index).map(|claim: &SupportedClaim| &claim.claim);
        line.claims.iter().filter_map(said).any(|claim| claims.contains(claim))
    };
    let main = if wording.lessons.is_empty() { &wording.steps } else { &wording.lessons };
    main.iter().chain(&wording.avoid).filter(says).map(|line| line.text.as_str()).collect()
}

fn commands(claim: &Claim) -> Vec<String> {
    claim.templates().into_iter().map(Template::to_string).collect()
}

/// The heading that what sessions add stands below.
pub(super) const HEADING: &str = "## Learnt from sessions";

#[cfg(test)]
mod tests {
    use super::mentions;

    #[test]
    fn a_command_is_mentioned_as_whole_words() {
        assert!(mentions("Run `make test` first.", "make test"));
        assert!(mentions("Then make test.", "make test"));
        assert!(!mentions("Run `make test-integration`.", "make test"));
        assert!(!mentions("Run `remake test`.", "make test"));
        assert!(mentions("git tag v1.2.3 && git push", "git tag v{version}"));
        assert!(mentions("Run `make fit TARGET=api`.", "make fit TARGET={name}"));
        assert!(!mentions("Run `make fit ALL=1`.", "make fit TARGET={name}"));
        assert!(mentions("rspec m/order_spec.rb now", "rspec m/{name}_spec.rb"));
        assert!(!mentions("rspec m/order_spec.rb.orig", "rspec m/{name}_spec.rb"));
        assert!(!mentions("git\ntag", "git tag"));
    }
}
