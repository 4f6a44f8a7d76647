//! Chance: how surprising it is that segments share something.
//!
//! In a large workspace some segments share commands by accident, and clustering finds them. A
//! cluster must pay for itself: what its members share must surprise, measured against how often the
//! rest of the workspace does the same, by more than it costs to name the members and what they share.

use std::collections::{BTreeMap, BTreeSet};

use super::terms::{Term, Terms};
use super::verify::Work;

/// How many segments do without a command is believed before any was seen: new commands are rare.
const PRIOR_SEGMENTS: f64 = 25.0;

/// How often each thing is done in the workspace, by segment: commands word by word, what varies in
/// them left out, edited files, words asked ([`super::terms`]).
pub(super) struct Background {
    segments: f64,
    /// By term.
    shown_by: Vec<f64>,
    /// How many kinds of things several segments show.
    kinds: f64,
    /// By repository.
    projects: BTreeMap<String, Project>,
}

/// What segments of one repository edit.
#[derive(Default)]
struct Project {
    segments: f64,
    /// How many edit each kind of file.
    edited_by: BTreeMap<Term, f64>,
}

impl Background {
    pub(super) fn of(works: &[Work<'_>], terms: &Terms) -> Self {
        let mut shown_by: Vec<f64> = vec![0.0; terms.texts().len()];
        let mut own: Vec<Term> = Vec::new();
        let mut projects: BTreeMap<String, Project> = BTreeMap::new();
        for (work, terms) in works.iter().zip(terms.works()) {
            let name = work.session.project.as_str();
            if !projects.contains_key(name) {
                projects.insert(name.to_owned(), Project::default());
            }
            if let Some(project) = projects.get_mut(name) {
                project.add(terms.actions.iter().filter_map(|action| action.kind).collect());
            }
            own.extend(&terms.words);
            for ((_, action), terms) in work.segment.actions().zip(&terms.actions) {
                own.extend(terms.token);
                own.extend(terms.core.filter(|_| action.command().is_some()));
                own.extend(terms.kind);
            }
            own.sort_unstable();
            own.dedup();
            for term in own.drain(..) {
                if let Some(shown) = shown_by.get_mut(term as usize) {
                    *shown += 1.0;
                }
            }
        }
        Self::new(works.iter().map(|_| 1.0).sum(), shown_by, projects)
    }

    fn new(segments: f64, shown_by: Vec<f64>, projects: BTreeMap<String, Project>) -> Self {
        let kinds = shown_by.iter().filter(|shown| **shown > 1.0).map(|_| 1.0).sum();
        Self { segments, shown_by, kinds, projects }
    }

    /// How many segments show the term; `None` if none or one does.
    fn frequency(&self, term: Term) -> Option<f64> {
        self.shown_by.get(term as usize).copied().filter(|shown| *shown > 1.0)
    }

    /// How many segments show the term; 0 if none or one does.
    pub(super) fn shown(&self, term: Term) -> usize {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of segments")]
        self.frequency(term).map_or(0, |shown| shown as usize)
    }

    /// How surprising it is that `shown` of `members` segments show the term: the negative logarithm
    /// of about the probability, less what it costs to name the term.
    pub(super) fn surprise(&self, term: Term, shown: usize, members: usize) -> f64 {
        self.surprise_at(term, shown, members, (0.5, PRIOR_SEGMENTS))
    }

    /// [`Background::surprise`] without the belief that new commands are rare: where few segments were
    /// seen, none of them says little.
    pub(super) fn surprise_as_seen(&self, term: Term, shown: usize, members: usize) -> f64 {
        self.surprise_at(term, shown, members, (1.0, 1.0))
    }

    /// The surprise where so many segments more are taken to show the term, of so many more.
    fn surprise_at(&self, term: Term, shown: usize, members: usize, (more, of): (f64, f64)) -> f64 {
        let (shown, members) = (count(shown), count(members));
        let everywhere = self.frequency(term).unwrap_or(shown);
        let elsewhere = (everywhere - shown).max(0.0);
        let rate = (elsewhere + more) / (self.segments - members + of);
        -shown * rate.min(1.0).ln() - ln_choose(members, shown) - (1.0 + self.kinds).ln()
    }

    /// Whether the term tells members of a cluster, of which `shown` show it, from the rest of the
    /// workspace: there it is at most half as frequent.
    pub(super) fn tells_apart(&self, term: Term, shown: usize, members: usize) -> bool {
        let (shown, members) = (count(shown), count(members));
        let elsewhere = (self.frequency(term).unwrap_or(shown) - shown).max(0.0);
        is_twice_as_frequent(shown / members.max(1.0), elsewhere, self.segments - members)
    }

    /// Whether a kind of file that `shown` of `members` segments of these repositories edit tells them from
    /// other work there.
    pub(super) fn tells_edits_apart(
        &self,
        kind: Term,
        shown: usize,
        members: usize,
        projects: &BTreeSet<&str>,
    ) -> bool {
        let (shown, members) = (count(shown), count(members));
        let projects = || projects.iter().filter_map(|name| self.projects.get(*name));
        let segments: f64 = projects().map(|project| project.segments).sum();
        let everywhere: f64 = projects().filter_map(|project| project.edited_by.get(&kind)).sum();
        is_twice_as_frequent(shown / members.max(1.0), (everywhere - shown).max(0.0), segments - members)
    }

    /// What it costs to name the members of a cluster.
    pub(super) fn cost(&self, members: usize) -> f64 {
        ln_choose(self.segments, count(members))
    }
}

impl Project {
    /// Adds a segment that edits these kinds of files.
    fn add(&mut self, mut kinds: Vec<Term>) {
        self.segments += 1.0;
        kinds.sort_unstable();
        kinds.dedup();
        for kind in kinds {
            *self.edited_by.entry(kind).or_default() += 1.0;
        }
    }
}

/// Whether what a share of some segments show is at most half as frequent in the rest, where `elsewhere` do.
fn is_twice_as_frequent(share: f64, elsewhere: f64, rest: f64) -> bool {
    rest <= 0.0 || 2.0 * elsewhere / rest <= share
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// The logarithm of the number of ways to choose `some` of `all`.
fn ln_choose(all: f64, some: f64) -> f64 {
    let some = some.min(all - some);
    let (mut sum, mut chosen) = (0.0, 0.0);
    while chosen < some {
        sum += ((all - chosen) / (chosen + 1.0)).ln();
        chosen += 1.0;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAKE_X: Term = 0;
    const MAKE_Y: Term = 1;

    fn background(segments: f64, elsewhere: f64) -> Background {
        Background::new(segments, vec![elsewhere], BTreeMap::new())
    }

    #[test]
    fn what_everybody_does_is_no_surprise() {
        let common = background(200.0, 150.0).surprise(MAKE_X, 5, 5);
        let rare = background(200.0, 5.0).surprise(MAKE_X, 5, 5);
        assert!(common < 2.0 && rare > 20.0, "{common} {rare}");
    }

    #[test]
    fn a_word_that_every_prompt_has_tells_nothing_apart() {
        let background = background(44.0, 24.0);
        assert!(!background.tells_apart(MAKE_X, 3, 4));
        assert!(background.tells_apart(MAKE_Y, 3, 4));
    }

    #[test]
    fn two_segments_pay_for_themselves_by_what_nobody_else_does() {
        for (elsewhere, pays) in [(2.0, true), (40.0, false)] {
            let background = background(200.0, elsewhere);
            let gain = 2.0 * background.surprise(MAKE_X, 2, 2) - background.cost(2);
            assert_eq!(gain > 0.0, pays, "{gain}");
        }
    }
}
