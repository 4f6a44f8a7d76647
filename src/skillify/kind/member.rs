//! A session that edited files, and the checks that it ran.

use std::collections::BTreeMap;

use super::super::evidence::timeline::Timeline;
use super::super::session::action::{Action, What};
use super::super::session::claimable::claimable;
use super::super::session::printed_scripts::is_commit;
use super::files::{Edited, classes};
use crate::event::Status;
use crate::shell::command::Command;
use crate::shell::family::Family;
use crate::shell::signature;

/// The checks that a session ran, by identity.
pub(in crate::skillify) type Ran<'a> = BTreeMap<&'a str, Run<'a>>;

/// One session of a repository.
pub(in crate::skillify) struct Member<'a> {
    /// Its place among all sessions.
    pub(in crate::skillify) session: usize,
    pub(in crate::skillify) edited: Edited<'a>,
    pub(in crate::skillify) ran: Ran<'a>,
    /// Of each class of paths that it edited, the place of the first edit.
    pub(in crate::skillify) first_edits: BTreeMap<String, usize>,
    /// The place of the last commit that failed.
    pub(in crate::skillify) failed_commit: Option<usize>,
}

/// The runs of one check in a session.
#[derive(Clone, Copy)]
pub(in crate::skillify) struct Run<'a> {
    /// The place of the last one.
    pub(in crate::skillify) last: usize,
    /// The place of the last one that failed.
    pub(in crate::skillify) failed: Option<usize>,
    pub(in crate::skillify) command: &'a Command,
}

impl<'a> Run<'a> {
    /// With other runs of the same.
    pub(super) fn and(self, other: Self) -> Self {
        Self { last: self.last.max(other.last), failed: self.failed.max(other.failed), ..self }
    }
}

/// The commands of a session that check, build or format, as claims can speak of them.
pub(super) fn ran<'a>(timeline: &Timeline<'a>) -> Ran<'a> {
    let mut ran = Ran::new();
    let could_work = |action: &Action| {
        let missing = action.signature.as_deref().is_some_and(signature::says_a_tool_is_missing);
        !action.refused && !missing
    };
    for (at, step) in timeline.steps.iter().enumerate().filter(|(_, step)| could_work(step.action)) {
        let Some(command) = claimable(step.action).filter(|command| is_suite(command)) else { continue };
        let last = timeline.call(at);
        let run = Run { last, failed: (step.action.status == Status::Error).then_some(last), command };
        let known = ran.entry(command.identity()).or_insert(run);
        *known = Run { command, ..known.and(run) };
    }
    ran
}

/// The task that a command gives words of its own: `mise run itest` of `mise run itest -- -run Cart`.
pub(in super::super) fn whole_task(command: &str) -> Option<&str> {
    command.split_once(" -- ").map(|(task, _)| task)
}

/// The place of the last commit of a session that failed.
pub(super) fn failed_commit(timeline: &Timeline<'_>) -> Option<usize> {
    let is_commit = |action: &Action| match &action.what {
        What::Command(command) => is_commit(command),
        What::Opaque(token) | What::Unsaid(token) => token == "git commit",
        _ => false,
    };
    let failed = |action: &Action| !action.refused && action.status == Status::Error && is_commit(action);
    timeline.steps.iter().rposition(|step| failed(step.action))
}

/// Of each class that a session edited, the place of the first edit.
pub(super) fn first_edits(edited: &Edited<'_>) -> BTreeMap<String, usize> {
    let mut first: BTreeMap<String, usize> = BTreeMap::new();
    for (path, (at, _)) in edited.files.iter().take(MOST_FILES) {
        for class in classes(path) {
            let known = first.entry(class).or_insert(*at);
            *known = (*known).min(*at);
        }
    }
    first
}

/// Whether a command may belong to files that were edited.
pub(in super::super) fn is_suite(command: &Command) -> bool {
    let family = command.family();
    family.is_check() || family == Family::Format
}

/// The most files of a session that count: a session that edits more says little about any of them.
pub(in super::super) const MOST_FILES: usize = 40;
