//! Variants: a command that fails here as it is, and passes with something added to it.
//!
//! `jest` ran out of memory, and `jest --runInBand` passed; `npm test` found no package, and
//! `cd web && npm test` passed. What was added is a deciding flag, a variable or a folder.
//!
//! A run that passes after one that failed proves little: tests are flaky. So nothing else may have been
//! done in between, and the command as it is may have passed nowhere in the workspace. What makes a
//! command pass by doing less, by overruling a safeguard or by accepting what failed (`--dry-run`,
//! `--no-verify`, `--update-snapshots`) is no repair, nor is a single letter, which may be any of those.

use std::collections::{BTreeMap, BTreeSet};

use super::action::{Action, What};
use super::claim::Claim;
use super::outcome::Outcome;
use super::score::distinct;
use super::steps::session_of;
use super::template::Template;
use super::verify::{Shown, Work};
use crate::event::Status;
use crate::shell::command::Command;
use crate::shell::flag::{is_flag, is_manner};

/// Parts of the names of flags and variables that make a command do less, overrule a safeguard or accept
/// what failed.
const EVASIONS: &[&str] = &[
    "accept",
    "allow",
    "bless",
    "check",
    "collect",
    "continue",
    "deselect",
    "diff",
    "disable",
    "dry",
    "dryrun",
    "exclude",
    "exit",
    "fail",
    "failed",
    "filter",
    "fix",
    "force",
    "forced",
    "help",
    "husky",
    "ignore",
    "insecure",
    "keep",
    "lf",
    "list",
    "noop",
    "only",
    "overwrite",
    "passwithnotests",
    "plan",
    "preview",
    "print",
    "show",
    "simulate",
    "skip",
    "trust",
    "trusted",
    "unauthorized",
    "unsafe",
    "update",
    "updatesnapshot",
    "verify",
    "version",
    "warn",
    "whatif",
    "write",
];

/// So many actions stand between a failure and the run that passed at most.
const MOST_BETWEEN: usize = 16;

/// What one segment shows: a command that failed, and its run with something added that passed.
struct Variant<'w> {
    failed: (&'w Action, &'w Command),
    by: (usize, &'w Action, &'w Command),
    /// What was added, in order.
    added: Vec<&'w str>,
}

/// Every variant that a segment shows.
fn variants<'w>(work: &Work<'w>) -> Vec<Variant<'w>> {
    let failed = |action: &Action| action.status == Status::Error;
    if !work.segment.actions().any(|(_, action)| failed(action)) {
        return Vec::new();
    }
    let actions: Vec<(usize, &Action)> = work.segment.actions().collect();
    let mut found = Vec::new();
    for (at, (_, action)) in actions.iter().enumerate().filter(|(_, (_, action))| failed(action)) {
        let Some(command) = action.command().filter(|command| !command.is_everyday()) else { continue };
        let mut later = actions.iter().skip(at + 1).take(MOST_BETWEEN);
        let later = later.find(|(_, later)| is_next(later, action, command));
        let Some((turn, by)) = later.filter(|(_, later)| later.status == Status::Ok) else { continue };
        let added = by.command().and_then(|by| Some((by, added(by, command)?)));
        found.extend(added.map(|(run, added)| Variant {
            failed: (action, command),
            by: (*turn, *by, run),
            added,
        }));
    }
    found
}

/// Whether something that was done after a failure decides what to make of it: another run of the command,
/// but for one that failed just as it did, or anything that may have helped.
fn is_next(later: &Action, failed: &Action, command: &Command) -> bool {
    match later.command().filter(|_| later.agent == failed.agent) {
        Some(other) if other.core() == command.core() => {
            later.status != Status::Error || deciding(other) != deciding(command)
        }
        Some(other) => later.status != Status::Error && !later.refused && !other.is_probe(),
        None => !later.refused && (matches!(later.what, What::Edit(_)) || later.status != Status::Error),
    }
}

/// What decides how a command does its work: its flags, with their values, and its setting.
fn deciding(command: &Command) -> BTreeSet<&str> {
    let flags = command.words().iter().map(|word| word.value.as_str());
    let setting = command.setting();
    let variables = setting.variables.iter().map(|variable| variable.value.as_str());
    let flags = flags.filter(|word| is_flag(word) && !is_manner(word));
    flags.chain(variables).chain(setting.directory.as_deref()).collect()
}

/// What a run of the same command has beyond the one that failed, if that can be a repair.
fn added<'w>(by: &'w Command, failed: &'w Command) -> Option<Vec<&'w str>> {
    let (own, theirs) = (deciding(by), deciding(failed));
    let added: Vec<&str> = own.difference(&theirs).copied().collect();
    let is_more = !added.is_empty() && theirs.is_subset(&own);
    (is_more && by.core() == failed.core() && !added.iter().any(|word| evades(word))).then_some(added)
}

/// Whether what is added may make a command pass by doing less, or in spite of what failed.
fn evades(added: &str) -> bool {
    let name = added.split_once('=').map_or(added, |(name, _)| name);
    let mut parts = name.split(|char: char| !char.is_alphanumeric()).filter(|part| !part.is_empty());
    let is_letter = is_flag(added) && added.len() <= 2;
    is_letter || parts.any(|part| EVASIONS.contains(&part.to_lowercase().as_str()))
}

/// Every Instead that variants suggest, of commands that passed nowhere as they are; each once, in order.
pub(super) fn instead(works: &[Work<'_>]) -> Vec<Claim> {
    type Key<'w> = (String, usize, Vec<&'w str>);
    type OfSession<'w> = ((&'w str, &'w str), Variant<'w>);
    let mut groups: BTreeMap<Key<'_>, Vec<OfSession<'_>>> = BTreeMap::new();
    for work in works {
        for mut variant in variants(work) {
            let key =
                (variant.failed.1.token(), variant.failed.1.core().len(), std::mem::take(&mut variant.added));
            groups.entry(key).or_default().push((session_of(work), variant));
        }
    }
    let mut claims: BTreeSet<(Template, Template)> = BTreeSet::new();
    for group in groups.into_values() {
        if distinct(group.iter().map(|(session, _)| session)) < 2 {
            continue;
        }
        let failed = Template::of(&group.iter().map(|(_, variant)| variant.failed.1).collect::<Vec<_>>());
        let run = Template::of(&group.iter().map(|(_, variant)| variant.by.2).collect::<Vec<_>>());
        claims.extend(failed.zip(run).filter(|(failed, run)| is_variant(run, failed)));
    }
    let passing = passing(works, &claims);
    let claims = claims.into_iter().filter(|(failed, _)| !passing.contains(failed));
    claims.map(|(failed, run)| Claim::Instead { run, failed }).collect()
}

/// Those of the failed commands that passed somewhere as they are.
fn passing(works: &[Work<'_>], claims: &BTreeSet<(Template, Template)>) -> BTreeSet<Template> {
    let mut by_program: BTreeMap<&str, Vec<&Template>> = BTreeMap::new();
    for (failed, _) in claims {
        by_program.entry(failed.program().unwrap_or_default()).or_default().push(failed);
    }
    let mut passing = BTreeSet::new();
    if by_program.is_empty() {
        return passing;
    }
    let actions = works.iter().flat_map(|work| work.segment.actions());
    for command in actions.filter(|(_, action)| action.status == Status::Ok).filter_map(|(_, a)| a.command())
    {
        let program = command.words().first().map_or("", |word| word.value.as_str());
        let failing = by_program.get(program).into_iter().flatten();
        passing.extend(failing.filter(|failed| failed.is_as_it_is(command)).copied().cloned());
    }
    passing
}

/// Whether both are one command that differs in flags and setting alone.
pub(super) fn is_variant(run: &Template, failed: &Template) -> bool {
    run != failed && run.is_same_but_for_flags(failed)
}

/// What the segment shows of a variant: that it passed where the command failed; or that the command passes.
pub(super) fn shown<'w>(run: &Template, failed: &Template, work: &Work<'w>) -> Option<Shown<'w>> {
    let is_shown = |found: &Variant<'_>| failed.is_as_it_is(found.failed.1) && run.is_as_it_is(found.by.2);
    if let Some(Variant { failed: (failed, _), by: (turn, by, _), .. }) =
        variants(work).into_iter().rfind(is_shown)
    {
        let cited = [Some(failed), Some(by), None];
        return Some(Shown { outcome: work.outcome_of_effect(turn, by), cited, edited: false });
    }
    let passed = |(_, action): &(usize, &Action)| {
        action.status == Status::Ok && action.command().is_some_and(|command| failed.is_as_it_is(command))
    };
    work.segment.actions().find(passed).map(|(_, action)| Shown::by(action, Outcome::Rejected))
}
