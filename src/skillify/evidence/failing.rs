//! Commands that have only failed recently: a step that worked once is dropped.

use std::collections::BTreeSet;

use super::super::claim::Claim;
use super::super::template::matcher::Matcher;
use super::segment_ref::SegmentRef;
use super::segment_ref::session_of;
use crate::event::{Status, Timestamp};

/// A command no longer works if it only failed in so many sessions, all newer than any in which it passed.
const FAILING_SESSIONS: usize = 2;

/// When the command of a step ran well for the last time, if it has only failed since; `works` are oldest
/// first. A check's failing is ordinary work.
pub(in crate::skillify) fn since(step: &Claim, works: &[&SegmentRef<'_>]) -> Option<Timestamp> {
    let Claim::Run(command) = step else { return None };
    let matcher = Matcher::of(command);
    let mut failing = BTreeSet::new();
    for work in works.iter().rev() {
        match ending(&matcher, work) {
            Status::Ok if failing.len() < FAILING_SESSIONS || command.is_check() => return None,
            Status::Ok => return Some(work.segment.started_at),
            Status::Error => {
                failing.insert(session_of(work));
            }
            Status::Unknown => {}
        }
    }
    None
}

/// How the command ended in a segment at best.
fn ending(command: &Matcher<'_>, work: &SegmentRef<'_>) -> Status {
    let runs = work.segment.actions().filter(|(_, action)| !action.refused && command.is_run_by(action));
    runs.fold(Status::Unknown, |known, (_, action)| known.at_best(action.status))
}
