//! Repairs: a command failed, others ran, it passed.
//!
//! A run that fails again says that what was tried did not help, unless it fails otherwise: where
//! "connection refused" becomes "relation does not exist" and then a pass, both repairs were needed.

use super::action::Action;
use super::command::Command;
use crate::event::Status;

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

/// What shows that the action at a place helped a command, of whose runs `is_run` tells: the next run
/// passed, or failed as no run before it and passed in the end. `None` if nothing does.
pub(super) fn help(actions: &[Placed<'_>], at: usize, is_run: impl Fn(&Action) -> bool) -> Option<Help> {
    let agent = &actions.get(at)?.1.agent;
    let runs = |(_, (_, action)): &(usize, &Placed<'_>)| action.agent == *agent && is_run(action);
    let before = || actions.iter().enumerate().take(at).rev().filter(runs);
    let failed = before().next().filter(|(_, (_, before))| before.status == Status::Error);
    let known = failed.is_some_and(|(_, (_, failed))| failed.signature.is_some());
    let is_new = |signature: &String| {
        known && before().all(|(_, (_, earlier))| earlier.signature.as_ref() != Some(signature))
    };
    for (place, (_, run)) in actions.iter().enumerate().skip(at + 1).filter(runs) {
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
