//! How the commands of calls ended.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::lines::Line;
use super::outputs::statuses_of;
use crate::event::Status;
use crate::shell::status;

/// How the commands of a session's calls ended: two look at each call.
#[derive(Default)]
pub(in crate::skillify) struct Endings<'a>(BTreeMap<CallKey, Ended<'a>>);

impl<'a> Endings<'a> {
    /// How each command of a line ended.
    pub(in crate::skillify) fn of(
        &mut self,
        line: &Arc<Line>,
        reported: Status,
        output: &'a str,
    ) -> Arc<[Status]> {
        let key = (Arc::as_ptr(line).addr(), output.as_ptr().addr(), output.len(), reported);
        let ended = self.0.entry(key).or_insert_with(|| Ended {
            _line: Arc::clone(line),
            _output: output,
            statuses: statuses_of(line, reported, output),
        });
        Arc::clone(&ended.statuses)
    }

    /// How the line itself ended.
    pub(in crate::skillify) fn of_line(
        &mut self,
        line: &Arc<Line>,
        reported: Status,
        output: &'a str,
    ) -> Status {
        let statuses = self.of(line, reported, output);
        status::of_listed(line.listed(), &statuses, reported, output)
    }
}

/// A call as it ended. Line and output are kept, so that no others come to stand in their places.
pub(super) struct Ended<'a> {
    _line: Arc<Line>,
    _output: &'a str,
    statuses: Arc<[Status]>,
}

/// Where a line and an output stand in memory, with the status that was told of the call.
pub(super) type CallKey = (usize, usize, usize, Status);
