//! Reruns: a command failed and ran again, and every command in between says in its own words what it does.
//!
//! A **streak** is the runs of one command in one segment from a failure on. It ends when a file is edited or when code runs
//! that does not say what it does. What ran within a streak is a possible **remedy**. A rerun before any remedy is **plain**;
//! plain reruns give the base rate at which a command passes by itself.

use std::collections::BTreeMap;

use super::super::session::action::Action;
use super::super::session::claimable::repairable;
use super::timeline::{Step, Timeline};
use crate::event::Status;
use crate::shell::command::Command;
use crate::shell::family::Family;
use crate::shell::signature;

/// So many runs of a streak are looked at.
const MOST_RUNS: usize = 16;
/// So many possible remedies of one interval are looked at.
const MOST_REMEDIES: usize = 16;

/// One command that failed, and what was tried.
#[derive(Debug)]
pub(in super::super) struct Streak<'a> {
    /// The session, as a place among all.
    pub(in super::super) session: usize,
    pub(in super::super) command: &'a Command,
    pub(in super::super) family: Family,
    /// The runs, as places among the session's steps; the first failed.
    pub(in super::super) runs: Vec<usize>,
    /// What ran between, as places, each with the number of runs before it.
    pub(in super::super) remedies: Vec<(usize, usize)>,
    /// The number of runs before the first rerun in whose own call something ran that may have repaired it, and
    /// nothing tells whether that passed: no remedy, and no plain rerun either.
    veiled: Option<usize>,
}

/// What came of a remedy.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Try {
    /// The failure before it.
    pub(in super::super) failed: usize,
    /// The run that tells.
    pub(in super::super) told: usize,
    pub(in super::super) passed: bool,
}

/// A run before which nothing ran that failed as the tree stands.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Fresh<'a> {
    /// The session, as a place among all.
    pub(in super::super) session: usize,
    pub(in super::super) command: &'a Command,
    pub(in super::super) passed: bool,
}

/// The first run of each command in each turn, and after each change of the tree.
pub(in super::super) fn fresh_runs<'a>(timelines: &[Timeline<'a>]) -> Vec<Fresh<'a>> {
    let mut found = Vec::new();
    for (session, timeline) in timelines.iter().enumerate() {
        let mut last: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
        for step in &timeline.steps {
            let passed = match step.action.status {
                Status::Ok => true,
                Status::Error if !step.action.refused && !could_not_run(step.action) => false,
                _ => continue,
            };
            let Some(command) = repairable(step.action) else { continue };
            let now = (step.turn, step.changes);
            if last.insert(command.identity(), now) != Some(now) {
                found.push(Fresh { session, command, passed });
            }
        }
    }
    found
}

/// Every streak of the sessions.
pub(in super::super) fn streaks<'a>(timelines: &[Timeline<'a>]) -> Vec<Streak<'a>> {
    let mut found = Vec::new();
    for (session, timeline) in timelines.iter().enumerate() {
        let fails = |step: &Step<'_>| step.action.status == Status::Error;
        if timeline.steps.iter().any(fails) {
            of_session(session, timeline, &mut found);
        }
    }
    found
}

/// Whether the failure says that the program was not even found: then it was not the command that failed.
fn could_not_run(action: &Action) -> bool {
    action.signature.as_deref().is_some_and(signature::says_the_program_is_missing)
}

fn of_session<'a>(session: usize, timeline: &Timeline<'a>, found: &mut Vec<Streak<'a>>) {
    let mut runs: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for (at, step) in timeline.steps.iter().enumerate() {
        if step.action.status == Status::Unknown || step.action.refused || could_not_run(step.action) {
            continue;
        }
        if let Some(command) = repairable(step.action) {
            runs.entry((&step.action.agent, command.identity_anywhere())).or_default().push(at);
        }
    }
    for places in runs.into_values() {
        let mut rest = places.as_slice();
        while let Some((first, later)) = rest.split_first() {
            rest = later;
            if status(timeline, *first) != Status::Error {
                continue;
            }
            let same = later.iter().filter(|next| is_as_before(timeline, *first, **next));
            let mut joined = same.take(MOST_RUNS).take_while(|next| is_clean(timeline, *first, **next));
            // The first pass ends a streak; one that does not last is none.
            let mut members = vec![*first];
            let mut passed = false;
            for next in joined.by_ref() {
                members.push(*next);
                passed = status(timeline, *next) == Status::Ok;
                if passed {
                    break;
                }
            }
            let last = members.last().copied().unwrap_or(*first);
            rest = later.get(later.partition_point(|next| *next <= last)..).unwrap_or_default();
            if passed && joined.next().is_some_and(|next| status(timeline, *next) == Status::Error) {
                continue;
            }
            if members.len() > 1 {
                found.extend(streak(session, timeline, members));
            }
        }
    }
}

fn streak<'a>(session: usize, timeline: &Timeline<'a>, runs: Vec<usize>) -> Option<Streak<'a>> {
    let command = repairable(timeline.step(*runs.first()?)?.action)?;
    let (mut remedies, mut veiled) = (Vec::new(), None);
    for (number, pair) in runs.windows(2).enumerate() {
        let [before, after] = pair else { continue };
        let may = |at: &usize| timeline.step(*at).is_some_and(|step| may_repair(step.action, command));
        let (known, unknown): (Vec<_>, Vec<_>) =
            (before + 1..*after).filter(may).partition(|at| is_known(timeline, *at, *after));
        remedies.extend(known.into_iter().take(MOST_REMEDIES).map(|at| (at, number + 1)));
        veiled = veiled.or_else(|| (!unknown.is_empty()).then_some(number + 1));
    }
    let family = command.family();
    Some(Streak { session, command, family, runs, remedies, veiled })
}

/// Whether an action may be what repaired a command that failed.
fn may_repair(action: &Action, failed: &Command) -> bool {
    let Some(command) = action.command() else { return false };
    let records = command.is_version_control() && failed.verb().first() != Some(&"git");
    let tried = action.status != Status::Error && !action.refused;
    tried && command.core() != failed.core() && does_something(command) && !records
}

/// Whether a command does more than tell whether something is well.
fn does_something(command: &Command) -> bool {
    let family = command.family();
    let only_tells = matches!(family, Family::Test | Family::Lint | Family::TypeCheck);
    family == Family::Format || (!only_tells && !command.is_probe())
}

/// Whether a command that ran in one call with the rerun is known to have passed before it.
fn is_known(timeline: &Timeline<'_>, at: usize, rerun: usize) -> bool {
    !timeline.is_one_call(at, rerun) || status(timeline, at) == Status::Ok
}

fn status(timeline: &Timeline<'_>, at: usize) -> Status {
    timeline.step(at).map_or(Status::Unknown, |step| step.action.status)
}

/// Whether the second run stands where the first one did: in its folder, or where the shell stands already.
fn is_as_before(timeline: &Timeline<'_>, first: usize, next: usize) -> bool {
    let folder = |at: usize| {
        let action = timeline.step(at).map(|step| step.action);
        action.and_then(repairable).and_then(|command| command.setting().directory.clone())
    };
    folder(next).is_none_or(|next| folder(first) == Some(next))
}

/// Whether nothing stands between two steps that changes files unseen, and no prompt that starts other work. One
/// that corrects may stand there: often it names the remedy.
fn is_clean(timeline: &Timeline<'_>, from: usize, to: usize) -> bool {
    let (Some(from), Some(to)) = (timeline.step(from), timeline.step(to)) else { return false };
    from.work == to.work && from.changes == to.changes
}

impl Streak<'_> {
    /// What came of the remedy at a place: the run after it passed; or failed as none before did, and one
    /// passed in the end.
    pub(in super::super) fn outcome(&self, timeline: &Timeline<'_>, remedy: (usize, usize)) -> Option<Try> {
        let (_, before) = remedy;
        let failed = *self.runs.get(before.checked_sub(1)?)?;
        let signature = |at: usize| timeline.step(at).and_then(|step| step.action.signature.as_deref());
        let earlier = || self.runs.iter().take(before).filter_map(|at| signature(*at));
        let known = signature(failed).is_some();
        for told in self.runs.iter().skip(before) {
            if status(timeline, *told) == Status::Ok {
                let is_rejected = timeline.step(*told).is_some_and(|step| step.is_rejected);
                return Some(Try { failed, told: *told, passed: !is_rejected });
            }
            let is_new = signature(*told).is_some_and(|new| known && earlier().all(|old| old != new));
            if !is_new {
                return Some(Try { failed, told: *told, passed: false });
            }
        }
        let told = *self.runs.last()?;
        (told != failed).then_some(Try { failed, told, passed: false })
    }

    /// What came of running it again before anything else was tried; `None` if something was tried at once.
    pub(in super::super) fn plain(&self, timeline: &Timeline<'_>) -> Option<Try> {
        let remedy = self.remedies.first().map(|(_, before)| *before);
        let tried = [remedy, self.veiled].into_iter().flatten().min().unwrap_or(usize::MAX);
        let mut plain = self.runs.windows(2).take(tried.saturating_sub(1));
        let last = plain.next_back()?;
        let [failed, told] = last else { return None };
        Some(Try { failed: *failed, told: *told, passed: status(timeline, *told) == Status::Ok })
    }
}
