//! Claim kinds: what a skill can say, each with its own proof, and most with a null of their own.
//!
//! | file | situation → action → outcome |
//! |---|---|
//! | `repair.rs` | a command failed → another ran → it passed |
//! | `prevention.rs` | files changed → another command ran first → the check passed |
//! | `instead.rs` | a command cannot work here → another ran → it passed, or is a check |
//! | `check.rs` | files were edited → the check that belongs to them ran |
//! | `counter_evidence.rs` | checks that catch nothing, and files that have another one |
//! | `files.rs`, `pattern.rs` | classes of paths; checks and files that name each other |
//! | `variant.rs` | what is added to a command |
//! | `together.rs` | a file was edited → another was edited with it |
//! | `place.rs` | a name or path was looked for → it was found there, or is nowhere |
//! | `rule.rs` | people said what they want → on other days again → it holds from then on |
//! | `rejection.rs` | a check named a rule → files were edited → it no longer did |
//! | `change.rs` | a check ran → a file is changed that nobody edited |
//! | `pipe.rs` | a check failed behind a filter → its call reports no failure |
//! | `flag.rs` | a program was given a flag → it does not know it |
//! | `skill.rs` | a skill was asked for → there is none |
//! | `leftover.rs` | a check failed in files that nobody edits → they were removed → it passed |
//! | `demand.rs` | files were edited → people had to point to the check |
//! | `slow.rs` | a check ran → it timed out |
//! | `flaky.rs` | a check ran twice on the same tree → it passed and failed |
//! | `hook.rs` | a commit is made → it prints what a check prints |
//! | `snippet.rs` | a script of the session's own failed → it calls something more → it passes |
//! | `preference.rs` | people correct one command by another, or speak against one |
//! | `rule_meaning.rs` | what well-known rules of linters ask for |
//! | `comparable.rs`, `member.rs` | which runs one claim can speak of; a session and the checks that it ran |
//!
//! Procedures are found by [`super::compose::procedure`]: their steps come from clusters. A new kind is a variant of
//! [`super::claim::Claim`], a file here, its counts in `claim/cells.rs`, its sentence in `word/sentences.rs` and its row in
//! `adherence/mod.rs`.
//! The compiler names most matches on a claim. It does not name the two lists in `compose/candidate.rs` (`counted`,
//! `published`), [`Published`] and the rows of `null.rs`: a kind that they lack is never mined, or never measured.
//!
//! A kind proposes claims with their counts and a probability ([`Proposed`]); [`judged`] decides which of
//! one kind's claims stand, all of them together. To measure what a kind publishes by chance, a
//! [`Shuffle`] breaks the link between action and outcome and leaves everything else as it is.

pub(super) mod change;
pub(super) mod check;
pub(super) mod comparable;
mod counter_evidence;
pub(super) mod demand;
pub(super) mod files;
pub(super) mod flag;
pub(super) mod flaky;
pub(super) mod hook;
pub(super) mod instead;
pub(super) mod leftover;
pub(super) mod member;
pub(super) mod pattern;
pub(super) mod pipe;
pub(super) mod place;
pub(super) mod preference;
mod prevention;
pub(super) mod rejection;
pub(super) mod repair;
pub(super) mod rule;
pub(super) mod rule_meaning;
pub(super) mod skill;
pub(super) mod slow;
pub(super) mod snippet;
pub(super) mod together;
mod variant;

use std::collections::BTreeMap;

use super::claim::SupportedClaim;
use super::evidence::segment_ref::SegmentRef;
use super::evidence::segment_ref::session_of;
use super::evidence::timeline::Timeline;
use super::hash_index::{HashIndex, spread};
use super::session::claimable::repairable;
use super::significance::benjamini_hochberg;
use crate::shell::command::Command;

/// What every kind reads.
pub(super) struct Sessions<'a> {
    /// Segments, oldest first.
    pub(super) works: &'a [SegmentRef<'a>],
    pub(super) timelines: Vec<Timeline<'a>>,
    /// The commands and tools that were run, by the word that they begin with.
    runs: BTreeMap<&'a str, Vec<Runs<'a>>>,
}

/// The runs of one command, or of one tool.
pub(super) struct Runs<'a> {
    command: &'a Command,
    is_tool: bool,
    /// Session and step, ascending.
    places: Vec<(usize, usize)>,
}

impl<'a> Sessions<'a> {
    pub(super) fn of(works: &'a [SegmentRef<'a>]) -> Self {
        let timelines = Timeline::of(works);
        let mut all: Vec<Runs<'_>> = Vec::new();
        let mut known = HashIndex::default();
        for (session, timeline) in timelines.iter().enumerate() {
            for (at, step) in timeline.steps.iter().enumerate() {
                let Some(command) = repairable(step.action) else { continue };
                let is_tool = step.action.command().is_none();
                let is = |place: usize| {
                    let runs: Option<&Runs<'_>> = all.get(place);
                    runs.is_some_and(|runs| std::ptr::eq(runs.command, command) && runs.is_tool == is_tool)
                };
                let hash = spread(std::ptr::from_ref(command).addr() as u64);
                let place = known.find(hash, is).unwrap_or_else(|| {
                    all.push(Runs { command, is_tool, places: Vec::new() });
                    known.insert(hash, all.len() - 1)
                });
                if let Some(runs) = all.get_mut(place as usize) {
                    runs.places.push((session, at));
                }
            }
        }
        let mut runs: BTreeMap<&str, Vec<Runs<'_>>> = BTreeMap::new();
        for one in all {
            runs.entry(program_of(one.command)).or_default().push(one);
        }
        Self { works, timelines, runs }
    }

    /// Where each session stands among the timelines.
    fn places(&self) -> BTreeMap<(&'a str, &'a str), usize> {
        let timelines = self.timelines.iter().enumerate();
        timelines.map(|(at, timeline)| (session_of(timeline.work), at)).collect()
    }

    /// The runs of a program, each command by itself.
    fn runs_of(&self, program: &str) -> &[Runs<'a>] {
        self.runs.get(program).map_or(&[], Vec::as_slice)
    }
}

/// The word that a command begins with.
fn program_of(command: &Command) -> &str {
    command.words().first().map_or("", |word| word.value.as_str())
}

/// A claim before it is compared with the others of its kind.
pub(super) struct Proposed {
    pub(super) claim: SupportedClaim,
    /// The places of the sessions that took the action, ascending.
    pub(super) treated: Vec<usize>,
}

/// A claim must be seen in so many sessions that took its action and had the outcome.
pub(super) const FEWEST_TREATED: u32 = 3;

/// A count as [`Counts`](super::significance::Counts) has it.
pub(super) fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// At most this share of the claims of a kind may be false.
const FALSE_DISCOVERIES: f64 = 0.1;

/// The claims of one kind that stand, with those that do not and why. `others` is how many more were looked
/// at and cannot stand, whatever their probability: they count among those that are compared.
pub(super) fn judged(proposed: Vec<Proposed>, others: usize) -> (Vec<Proposed>, Vec<(Proposed, Verdict)>) {
    let (tested, few): (Vec<_>, Vec<_>) =
        proposed.into_iter().partition(|one| one.claim.counts.treated_with >= FEWEST_TREATED);
    let p_values: Vec<f64> = tested.iter().map(|one| one.claim.p_value).collect();
    let passes = benjamini_hochberg(&p_values, others, FALSE_DISCOVERIES);
    let mut standing = Vec::new();
    let mut fallen: Vec<(Proposed, Verdict)> = few.into_iter().map(|one| (one, Verdict::Few)).collect();
    for (one, passes) in tested.into_iter().zip(passes) {
        if passes { standing.push(one) } else { fallen.push((one, Verdict::Chance)) }
    }
    (standing, fallen)
}

/// Why a claim does not stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Too few sessions took its action.
    Few,
    /// Counts like these are probable by chance.
    Chance,
    /// A stronger claim explains its cases.
    Explained,
}

/// How many claims of each kind stand.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Published {
    pub(super) repairs: usize,
    pub(super) preventions: usize,
    pub(super) replacements: usize,
    pub(super) checks: usize,
    pub(super) together: usize,
    pub(super) procedures: usize,
    pub(super) places: usize,
    pub(super) changes: usize,
    pub(super) pipes: usize,
    pub(super) flags: usize,
    pub(super) demands: usize,
    pub(super) slow: usize,
    pub(super) flaky: usize,
    pub(super) snippets: usize,
    pub(super) hooks: usize,
    pub(super) skills: usize,
    pub(super) leftovers: usize,
    /// Rules are never published: of these a person would be asked.
    pub(super) rules: usize,
}

/// Seeded chance, to break the link that a kind claims.
#[derive(Debug, Clone)]
pub(super) struct Shuffle(u64);

impl Shuffle {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    /// SplitMix64.
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Puts the items in any order.
    pub(super) fn permute<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            let at = usize::try_from(self.next() % (end as u64 + 1)).unwrap_or_default();
            items.swap(at, end);
        }
    }

    /// Deals one field of the items anew among them.
    pub(super) fn deal<T, F: Copy>(&mut self, items: &mut [T], field: impl Fn(&mut T) -> &mut F) {
        let mut dealt: Vec<F> = items.iter_mut().map(|item| *field(item)).collect();
        self.permute(&mut dealt);
        items.iter_mut().zip(dealt).for_each(|(item, value)| *field(item) = value);
    }
}
