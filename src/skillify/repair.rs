//! Repairs: a command failed, others ran, it passed.
//!
//! A run that fails again says that what was tried did not help, unless it fails otherwise: where
//! "connection refused" becomes "relation does not exist" and then a pass, both repairs were needed.

use super::action::Action;
use crate::event::Status;
use crate::shell::command::Command;

/// Where an action stands, by turn and place.
pub(super) type Placed<'w> = (usize, &'w Action);

/// What shows that something helped.
#[derive(Debug, Clone, Copy)]
pub(super) struct Help {
    /// The failure before it, if there was one.
    pub(super) failed: Option<usize>,
    /// The run that passed after it.
    pub(super) passed: usize,
}

/// So many failures in a row are followed at most, and so many runs looked back at.
const MOST_FAILURES: usize = 16;

/// What shows that the action at a place helped a command, of which `runs` are the places of all runs by
/// the same agent, ascending: the next run passed, or failed as none before it and one passed in the end.
/// `None` if nothing does.
pub(super) fn help(actions: &[Placed<'_>], runs: &[usize], at: usize) -> Option<Help> {
    let (before, after) = runs.split_at(runs.partition_point(|run| *run <= at));
    let run = |place: &usize| actions.get(*place).map(|(_, action)| (*place, *action));
    let before = || before.iter().rev().filter_map(run).filter(|(place, _)| *place != at).take(MOST_FAILURES);
    let failed = before().next().filter(|(_, before)| before.status == Status::Error);
    let known = failed.is_some_and(|(_, failed)| failed.signature.is_some());
    let is_new = |signature: &String| {
        known && before().all(|(_, earlier)| earlier.signature.as_ref() != Some(signature))
    };
    for (place, run) in after.iter().filter_map(run).take(MOST_FAILURES) {
        match run.status {
            Status::Ok => return Some(Help { failed: failed.map(|(place, _)| place), passed: place }),
            Status::Error if run.signature.as_ref().is_some_and(is_new) => {}
            Status::Error | Status::Unknown => return None,
        }
    }
    None
}

/// Whether an action may be what repaired a command that failed.
pub(super) fn may_repair(action: &Action, failed: &Command) -> bool {
    let Some(command) = action.command() else { return false };
    let records = command.is_version_control() && failed.verb().first() != Some(&"git");
    let tried = action.status != Status::Error && !action.refused;
    tried && command.core() != failed.core() && !command.is_probe() && !records
}
