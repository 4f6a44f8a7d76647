//! Replacements: a command that cannot work here, and the one that does its work instead.
//!
//! A command failed because a tool is missing, and another command with the same arguments then
//! passed: `python3 -m pytest tests/a.py` (no module named …), then `bin/test tests/a.py`. A command that
//! passes with something added is told in [`super::variant`].

use std::collections::{BTreeMap, BTreeSet};

use super::action::Action;
use super::claim::Claim;
use super::outcome::Outcome;
use super::steps::session_of;
use super::template::Template;
use super::variant;
use super::verify::{Shown, Work};
use crate::event::Status;
use crate::shell::command::Command;
use crate::shell::flag::is_flag;
use crate::shell::signature;

/// What one segment shows: a command that cannot work and what did its work.
struct Replacement<'w> {
    failed: (&'w Action, &'w Command),
    by: (usize, &'w Action, &'w Command),
}

/// Every replacement that a segment shows.
fn replacements<'w>(work: &Work<'w>) -> Vec<Replacement<'w>> {
    let missing =
        |action: &Action| action.signature.as_deref().is_some_and(signature::says_a_tool_is_missing);
    if !work.segment.actions().any(|(_, action)| missing(action)) {
        return Vec::new();
    }
    let actions: Vec<(usize, &Action)> = work.segment.actions().collect();
    let passed = |command: &Command| {
        let same = |other: &Command| other.core() == command.core();
        actions.iter().any(|(_, action)| action.status == Status::Ok && action.command().is_some_and(same))
    };
    let mut found = Vec::new();
    for (at, (_, action)) in actions.iter().enumerate() {
        let Some(failed) = action.command().filter(|command| missing(action) && !passed(command)) else {
            continue;
        };
        let by = actions.iter().skip(at + 1).find_map(|(turn, other)| {
            let command = other.command().filter(|command| ran(other, command))?;
            does_the_work_of(command, failed).then_some((*turn, *other, command))
        });
        found.extend(by.map(|by| Replacement { failed: (action, failed), by }));
    }
    found
}

/// Whether it did its work: it passed, or it is a check that found something.
fn ran(action: &Action, command: &Command) -> bool {
    let missing = action.signature.as_deref().is_some_and(signature::says_a_tool_is_missing);
    action.status == Status::Ok || (action.status == Status::Error && command.is_check() && !missing)
}

/// Whether both work on the same thing, and are not the same command.
fn does_the_work_of(command: &Command, failed: &Command) -> bool {
    let arguments = |command: &Command| -> BTreeSet<String> {
        let words = command.words().iter().skip(1).map(|word| word.value.clone());
        words.filter(|word| !is_flag(word) && word.contains(['/', '.'])).collect()
    };
    let (own, theirs) = (arguments(command), arguments(failed));
    command.core() != failed.core() && !own.is_empty() && own.intersection(&theirs).next().is_some()
}

/// Every Instead that the segments suggest, each once, in order.
pub(super) fn instead(works: &[Work<'_>]) -> Vec<Claim> {
    type Pair<'w> = ((&'w str, &'w str), &'w Command, &'w Command);
    let mut groups: BTreeMap<(String, String, usize, usize), Vec<Pair<'_>>> = BTreeMap::new();
    for work in works {
        for Replacement { failed: (_, failed), by: (_, _, by) } in replacements(work) {
            let key = (failed.token(), by.token(), failed.core().len(), by.core().len());
            groups.entry(key).or_default().push((session_of(work), failed, by));
        }
    }
    let mut claims = BTreeSet::new();
    for group in groups.into_values() {
        let failed = Template::of(&group.iter().map(|(_, failed, _)| *failed).collect::<Vec<_>>());
        let by = Template::of(&group.iter().map(|(_, _, by)| *by).collect::<Vec<_>>());
        claims.extend(failed.zip(by).map(|(failed, run)| Claim::Instead { run, failed }));
    }
    claims.extend(variant::instead(works));
    claims.into_iter().collect()
}

/// What the segment shows: the replacement; or that the command does work here.
pub(super) fn shown<'w>(run: &Template, failed: &Template, work: &Work<'w>) -> Option<Shown<'w>> {
    if variant::is_variant(run, failed) {
        return variant::shown(run, failed, work);
    }
    let found = replacements(work)
        .into_iter()
        .rfind(|found| failed.matches_but_for_flags(found.failed.1) && run.matches(found.by.2));
    if let Some(Replacement { failed: (failed, _), by: (turn, by, _) }) = found {
        let cited = [Some(failed), Some(by), None];
        return Some(Shown { outcome: work.outcome_of_effect(turn, by), cited, edited: false });
    }
    let works_here = |(_, action): &(usize, &Action)| {
        action.status == Status::Ok && action.command().is_some_and(|command| failed.runs_as(command))
    };
    let (_, action) = work.segment.actions().find(works_here)?;
    Some(Shown::by(action, Outcome::Rejected))
}
