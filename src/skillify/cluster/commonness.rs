//! Chance: how surprising it is that segments share something.
//!
//! In a large workspace some segments share commands by accident, and clustering finds them. So a cluster must pay for
//! itself. The surprise of what its members share, measured by how often the rest of the workspace does the same, must
//! exceed the cost of naming the members and what they share.

use std::collections::{BTreeMap, BTreeSet};

use super::super::evidence::segment_ref::SegmentRef;
use super::super::evidence::terms::{Term, Terms};
use super::super::significance::Counts;
use super::super::significance::stratified_tail;

/// How many segments do without a command is believed before any was seen: new commands are rare.
const PRIOR_SEGMENTS: f64 = 25.0;

/// How often each thing is done in the workspace, by segment: commands word by word, what varies in
/// them left out, edited files, words asked ([`super::super::evidence::terms`]).
pub(in crate::skillify) struct Background {
    segments: f64,
    /// By term.
    shown_by: Vec<f64>,
    /// How many segments of each size there are.
    sizes: BySize,
    /// By term: how many segments of each size show it.
    shown_by_size: Vec<BySize>,
    /// How many kinds of things several segments show.
    kinds: f64,
    /// By repository.
    projects: BTreeMap<String, Project>,
}

/// How many sizes of segments are told apart.
const SIZES: usize = 6;

/// A count of segments for each size.
pub(in crate::skillify) type BySize = [u32; SIZES];

/// The size of a segment that did so much: each is twice the one before. Long segments do more of everything,
/// so only segments of a size tell what belongs to a work.
pub(in crate::skillify) const fn size(actions: usize) -> usize {
    let doublings = (usize::BITS - (actions >> 3).leading_zeros()) as usize;
    if doublings < SIZES { doublings } else { SIZES - 1 }
}

/// Counts a segment of this size.
pub(in crate::skillify) fn add(counts: &mut BySize, size: usize) {
    if let Some(count) = counts.get_mut(size) {
        *count += 1;
    }
}

/// What segments of one repository edit.
#[derive(Default)]
struct Project {
    segments: f64,
    /// How many edit each kind of file.
    edited_by: BTreeMap<Term, f64>,
}

impl Background {
    pub(in crate::skillify) fn of(works: &[SegmentRef<'_>], terms: &Terms) -> Self {
        let mut sizes = BySize::default();
        let mut shown_by_size: Vec<BySize> = vec![BySize::default(); terms.texts().len()];
        let mut own: Vec<Term> = Vec::new();
        let mut projects: BTreeMap<String, Project> = BTreeMap::new();
        for (work, terms) in works.iter().zip(terms.works()) {
            let size = size(terms.actions.len());
            add(&mut sizes, size);
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
                if let Some(shown) = shown_by_size.get_mut(term as usize) {
                    add(shown, size);
                }
            }
        }
        Self::new(sizes, shown_by_size, projects)
    }

    fn new(sizes: BySize, shown_by_size: Vec<BySize>, projects: BTreeMap<String, Project>) -> Self {
        let sum = |counts: &BySize| -> f64 { counts.iter().copied().map(f64::from).sum() };
        let shown_by: Vec<f64> = shown_by_size.iter().map(sum).collect();
        let kinds = shown_by.iter().filter(|shown| **shown > 1.0).map(|_| 1.0).sum();
        Self { segments: sum(&sizes), shown_by, sizes, shown_by_size, kinds, projects }
    }

    /// How probable it is that members of a cluster show the term so often, if it falls on any segment of a size
    /// alike: of the members, by size, how many there are and how many show it.
    pub(in crate::skillify) fn chance_within_sizes(
        &self,
        term: Term,
        shown: &BySize,
        members: &BySize,
    ) -> f64 {
        stratified_tail(&self.strata(term, shown, members))
    }

    /// Of each size: members that show the term and those that do not, and of the others likewise.
    fn strata(&self, term: Term, shown: &BySize, members: &BySize) -> Vec<Counts> {
        let everywhere = self.shown_by_size.get(term as usize).copied().unwrap_or_default();
        let cells = self.sizes.iter().zip(everywhere).zip(members.iter().zip(shown));
        let counts = cells.map(|((all, everywhere), (members, shown))| {
            let elsewhere = everywhere.saturating_sub(*shown);
            Counts {
                treated_with: *shown,
                treated_without: members.saturating_sub(*shown),
                untreated_with: elsewhere,
                untreated_without: all.saturating_sub(*members).saturating_sub(elsewhere),
            }
        });
        counts.collect()
    }

    /// How many segments show the term; `None` if none or one does.
    fn frequency(&self, term: Term) -> Option<f64> {
        self.shown_by.get(term as usize).copied().filter(|shown| *shown > 1.0)
    }

    /// How surprising it is that `shown` of `members` segments show the term: the negative logarithm
    /// of about the probability, less what it costs to name the term.
    pub(in crate::skillify) fn surprise(&self, term: Term, shown: usize, members: usize) -> f64 {
        self.surprise_at(term, shown, members, (0.5, PRIOR_SEGMENTS))
    }

    /// [`Background::surprise`] without the belief that new commands are rare: where few segments were
    /// seen, none of them says little.
    pub(in crate::skillify) fn surprise_as_seen(&self, term: Term, shown: usize, members: usize) -> f64 {
        self.surprise_at(term, shown, members, (1.0, 1.0))
    }

    /// The surprise if `more` segments also show the term, of `of` further ones.
    fn surprise_at(&self, term: Term, shown: usize, members: usize, (more, of): (f64, f64)) -> f64 {
        let (shown, members) = (count(shown), count(members));
        let everywhere = self.frequency(term).unwrap_or(shown);
        let elsewhere = (everywhere - shown).max(0.0);
        let rate = (elsewhere + more) / (self.segments - members + of);
        -shown * rate.min(1.0).ln() - ln_choose(members, shown) - (1.0 + self.kinds).ln()
    }

    /// Whether the term tells members of a cluster, of which `shown` show it, from the rest of the
    /// workspace: there it is at most half as frequent.
    pub(in crate::skillify) fn tells_apart(&self, term: Term, shown: usize, members: usize) -> bool {
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
    pub(in crate::skillify) fn cost(&self, members: usize) -> f64 {
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

    fn background(segments: u32, elsewhere: u32) -> Background {
        Background::new([segments, 0, 0, 0, 0, 0], vec![[elsewhere, 0, 0, 0, 0, 0]], BTreeMap::new())
    }

    #[test]
    fn each_size_is_twice_the_one_before() {
        assert_eq!(
            [0, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 5000].map(size),
            [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
        );
    }

    #[test]
    fn what_all_long_segments_do_belongs_to_none_of_them() {
        // Nine segments are long and all of them are members; of 200 short ones none shows it.
        let background = Background::new([200, 0, 0, 0, 0, 9], vec![[0, 0, 0, 0, 0, 9]], BTreeMap::new());
        let nine = [0, 0, 0, 0, 0, 9];
        assert!(background.chance_within_sizes(MAKE_X, &nine, &nine) > 0.99);
        // Nine of forty long ones are members and they alone show it.
        let background = Background::new([200, 0, 0, 0, 0, 40], vec![[0, 0, 0, 0, 0, 9]], BTreeMap::new());
        assert!(background.chance_within_sizes(MAKE_X, &nine, &nine) < 1e-6);
    }

    #[test]
    fn what_everybody_does_is_no_surprise() {
        let common = background(200, 150).surprise(MAKE_X, 5, 5);
        let rare = background(200, 5).surprise(MAKE_X, 5, 5);
        assert!(common < 2.0 && rare > 20.0, "{common} {rare}");
    }

    #[test]
    fn a_word_that_every_prompt_has_tells_nothing_apart() {
        let background = background(44, 24);
        assert!(!background.tells_apart(MAKE_X, 3, 4));
        assert!(background.tells_apart(MAKE_Y, 3, 4));
    }

    #[test]
    fn two_segments_pay_for_themselves_by_what_nobody_else_does() {
        for (elsewhere, pays) in [(2, true), (40, false)] {
            let background = background(200, elsewhere);
            let gain = 2.0 * background.surprise(MAKE_X, 2, 2) - background.cost(2);
            assert_eq!(gain > 0.0, pays, "{gain}");
        }
    }
}
