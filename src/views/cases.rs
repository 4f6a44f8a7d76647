//! The cases of a claim: a few sessions, and what happened there, call by call.

use std::collections::BTreeMap;

use super::phrases::argument;
use crate::event::{Kind, SessionEvent, Status};
use crate::skillify::command_line;

/// The most sessions that are shown as examples of many.
const MOST_CASES: usize = 3;

/// The first, the middle and the last of many.
pub(crate) fn spread<'e, T>(cases: &[&'e T]) -> Vec<&'e T> {
    let last = cases.len().saturating_sub(1);
    let mut places =
        if cases.len() <= MOST_CASES { (0..cases.len()).collect() } else { vec![0, last / 2, last] };
    places.dedup();
    places.into_iter().filter_map(|at| cases.get(at).copied()).collect()
}

/// The events call by call, in the order in which these began.
pub(crate) fn calls_of<'e>(events: impl Iterator<Item = &'e SessionEvent>) -> Vec<Vec<&'e SessionEvent>> {
    let mut calls: BTreeMap<&str, Vec<&SessionEvent>> = BTreeMap::new();
    for event in events {
        let key = if event.tool_call_id.is_empty() { &event.event_id } else { &event.tool_call_id };
        calls.entry(key.as_str()).or_default().push(event);
    }
    let mut calls: Vec<Vec<&SessionEvent>> = calls.into_values().collect();
    calls.sort_by_key(|events| events.iter().map(|event| event.timestamp).min());
    calls
}

/// A call: its command, its status, and the first and last line of its output.
pub(crate) struct Call<'e> {
    pub(crate) done: String,
    pub(crate) status: Status,
    pub(crate) output: (Option<&'e str>, Option<&'e str>),
}

impl<'e> Call<'e> {
    /// The call that the events are of.
    pub(crate) fn of(events: &[&'e SessionEvent]) -> Self {
        let first = |field: fn(&SessionEvent) -> &str| {
            events.iter().map(|event| field(event)).find(|text| !text.is_empty()).unwrap_or_default()
        };
        let (tool, input) = (first(|event| &event.tool), first(|event| &event.input));
        let done = command_line(tool, input).unwrap_or_else(|| format!("{tool} {}", argument(input)));
        let result = events.iter().find(|event| event.kind == Kind::ToolResult);
        let output = first(|event| &event.output);
        let mut lines = output.lines().filter(|line| !line.trim().is_empty());
        Self {
            done,
            status: result.map_or(Status::Unknown, |event| event.status),
            output: (lines.next(), lines.next_back()),
        }
    }
}
