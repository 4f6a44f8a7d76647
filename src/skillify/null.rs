//! What mining would publish by chance.
//!
//! A round breaks, for each kind of claim, the link that the kind claims, leaves everything else as it is,
//! and mines. What is published then is published by chance.
//!
//! | kind | what is shuffled |
//! |---|---|
//! | repair, prevention, instead, slow, flaky, snippet | which run passed and how the others failed, within family and repository |
//! | check | which session ran which checks, within a repository and size of change |
//! | together | which session edited which files, within a repository and size of change |
//! | where | which file each search ended in, and which path each look was for, within a repository |
//! | side effect | which lists of changed files showed one that nobody edited, within a repository |
//! | pipe | which failed checks were reported, within a repository |
//! | skill | which calls of tools were answered with "no such skill", within a repository |
//! | leftover | which path was removed, among all that were looked at, within a repository |
//! | flag | which uses of flags were refused, within a repository |
//! | hook | which run of a check or a commit printed which scripts, within a repository |
//! | demand | which late runs of checks were asked for, within a repository |
//! | rule | which act people spoke of, and which object, among all that they asked for |
//! | procedure | which segment did what, within a repository and size of segment |
//!
//! A null cannot see a wrong cause that comes with the right one each time: the planted worlds with
//! confounders do (`examples/confounder_bench`).

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;

use super::compose::workspace::{Config, with_workspace};
use super::digest::{Digest, SegmentDigest};
use super::kind::{Published, Shuffle};
use super::session::action::Action;
use super::session::claimable::repairable;
use crate::event::Status;
use crate::shell::command::Command;
use crate::shell::family::Family;

/// How many claims a kind publishes, and how many it publishes by chance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The kind.
    pub kind: &'static str,
    /// Claims that are published as the sessions are.
    pub real: usize,
    /// Claims that each round published.
    pub shuffled: Vec<usize>,
}

/// The rows of one workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Null {
    /// The workspace.
    pub workspace: String,
    /// A row a kind.
    pub rows: Vec<Row>,
}

/// Mines a workspace as it is and in so many shuffled rounds.
pub fn null<D: Borrow<Digest>>(workspace: &str, digests: &[D], config: &Config<'_>, rounds: u32) -> Null {
    let real = published(digests, config, None);
    let mut rows: BTreeMap<&'static str, Row> = BTreeMap::new();
    for (kind, count) in kinds(&real) {
        rows.insert(kind, Row { kind, real: count, shuffled: Vec::new() });
    }
    for round in 0..rounds {
        let mut shuffle = Shuffle::new(u64::from(round));
        let ended = published(&ended_otherwise(digests, &mut shuffle), config, None);
        let dealt = published(&dealt(digests, &mut shuffle), config, None);
        let exchanged = published(digests, config, Some(&mut shuffle));
        let by_chance = Published {
            repairs: ended.repairs,
            preventions: ended.preventions,
            replacements: ended.replacements,
            slow: ended.slow,
            flaky: ended.flaky,
            snippets: ended.snippets,
            procedures: dealt.procedures,
            ..exchanged
        };
        for (kind, count) in kinds(&by_chance) {
            if let Some(row) = rows.get_mut(kind) {
                row.shuffled.push(count);
            }
        }
    }
    Null { workspace: workspace.to_owned(), rows: rows.into_values().collect() }
}

const fn kinds(published: &Published) -> [(&'static str, usize); 18] {
    [
        ("repair", published.repairs),
        ("prevention", published.preventions),
        ("instead", published.replacements),
        ("check", published.checks),
        ("together", published.together),
        ("procedure", published.procedures),
        ("where", published.places),
        ("side effect", published.changes),
        ("pipe", published.pipes),
        ("flag", published.flags),
        ("demand", published.demands),
        ("slow", published.slow),
        ("flaky", published.flaky),
        ("snippet", published.snippets),
        ("hook", published.hooks),
        ("skill", published.skills),
        ("leftover", published.leftovers),
        ("rule", published.rules),
    ]
}

/// How a run ended: its status and its signature.
type End = (Status, Option<String>);

/// The digests with the ends of runs exchanged among the runs of one family and repository.
fn ended_otherwise<D: Borrow<Digest>>(digests: &[D], shuffle: &mut Shuffle) -> Vec<Digest> {
    let mut digests: Vec<Digest> = digests.iter().map(|digest| digest.borrow().clone()).collect();
    let mut strata: BTreeMap<(String, Option<Family>), Vec<End>> = BTreeMap::new();
    each_run(&mut digests, |project, family, action| {
        let ends = strata.entry((project.to_owned(), family)).or_default();
        ends.push((action.status, action.signature.clone()));
    });
    strata.values_mut().for_each(|ends| shuffle.permute(ends));
    each_run(&mut digests, |project, family, action| {
        let end = strata.get_mut(&(project.to_owned(), family)).and_then(Vec::pop);
        if let Some((status, signature)) = end {
            (action.status, action.signature) = (status, signature);
        }
    });
    digests
}

/// Does something with every run whose end is known; a script of a session's own is of no family.
fn each_run(digests: &mut [Digest], mut with: impl FnMut(&str, Option<Family>, &mut Action)) {
    for digest in digests {
        let project = digest.project.clone();
        for action in digest.segments.iter_mut().flat_map(SegmentDigest::actions_mut) {
            let family = if action.calls.is_empty() {
                let Some(family) = repairable(action).map(Command::family) else { continue };
                Some(family)
            } else {
                None
            };
            if action.status != Status::Unknown && !action.refused {
                with(&project, family, action);
            }
        }
    }
}

/// The digests with what their segments did dealt anew among segments of one repository that did about as
/// much.
fn dealt<D: Borrow<Digest>>(digests: &[D], shuffle: &mut Shuffle) -> Vec<Digest> {
    let mut dealt: Vec<Digest> = digests.iter().map(|digest| digest.borrow().clone()).collect();
    let mut strata: BTreeMap<(String, u32), Vec<(usize, usize)>> = BTreeMap::new();
    for (at, digest) in dealt.iter().enumerate() {
        for (segment, of_segment) in digest.segments.iter().enumerate() {
            let size = usize::BITS - of_segment.actions().count().leading_zeros();
            strata.entry((digest.project.clone(), size)).or_default().push((at, segment));
        }
    }
    for places in strata.into_values() {
        let mut all = Vec::new();
        let mut sizes = Vec::new();
        for (at, segment) in &places {
            let Some(segment) = dealt.get_mut(*at).and_then(|digest| digest.segments.get_mut(*segment))
            else {
                continue;
            };
            let actions = segment.take_actions();
            sizes.push(actions.len());
            all.extend(actions);
        }
        shuffle.permute(&mut all);
        let mut all = all.into_iter();
        for ((at, segment), size) in places.iter().zip(sizes) {
            if let Some(segment) = dealt.get_mut(*at).and_then(|digest| digest.segments.get_mut(*segment)) {
                segment.give_actions(all.by_ref().take(size).collect());
            }
        }
    }
    dealt
}

impl Row {
    /// The mean of the rounds.
    pub fn mean(&self) -> f64 {
        let sum: usize = self.shuffled.iter().sum();
        count(sum) / count(self.shuffled.len()).max(1.0)
    }

    /// What the mean may be: a tenth of the real count, or 0.3 if that is more; of repairs a tenth.
    pub fn bound(&self) -> f64 {
        if self.kind == "repair" { 0.1 } else { (count(self.real) / 10.0).max(0.3) }
    }

    /// Whether chance publishes no more than the bound.
    pub fn holds(&self) -> bool {
        let rounds = count(self.shuffled.len());
        let mean = if self.kind == "repair" {
            count(self.shuffled.iter().filter(|claims| **claims > 0).count()) / rounds.max(1.0)
        } else {
            self.mean()
        };
        mean <= self.bound()
    }
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

impl fmt::Display for Null {
    /// A table, a row a kind.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: what chance would publish", self.workspace)?;
        writeln!(f, "{:<11} {:>5} {:>7} {:>5} {:>7}  rounds", "kind", "real", "mean", "most", "bound")?;
        for row in &self.rows {
            let most = row.shuffled.iter().max().copied().unwrap_or_default();
            let verdict = if row.holds() { "" } else { "  too many" };
            writeln!(
                f,
                "{:<11} {:>5} {:>7.2} {most:>5} {:>7.2}  {}{verdict}",
                row.kind,
                row.real,
                row.mean(),
                row.bound(),
                row.shuffled.len()
            )?;
        }
        Ok(())
    }
}

/// How many claims of each kind stand; with `shuffle`, by chance.
fn published<D: Borrow<Digest>>(
    digests: &[D],
    config: &Config<'_>,
    shuffle: Option<&mut Shuffle>,
) -> Published {
    with_workspace("", digests, config, |mining, _| mining.published(shuffle))
}
