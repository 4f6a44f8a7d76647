//! Traces that carry no session id, joined by the conversation that their model calls show.
//!
//! A model call that was asked something new knows the conversation before (`history_before`); a
//! model call that answered knows it with the answer (`history_after`). A trace whose first question
//! begins where another's answer ended continues it.
//!
//! - Only what was **asked** counts as a beginning: in the middle of a turn a model is shown half an
//!   answer, which an equal turn of somebody else's may have as well.
//! - A trace begins after the one that it continues has ended, and of several the nearest in time is
//!   continued. Every trace is continued by one other at most, so two conversations that are equal
//!   so far stay two.
//! - The empty history is never continued: two sessions with the same first words are two.
//! - One tenant's service never continues another's, nor that of another workspace where credentials name it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::event::{Kind, SessionEvent, Timestamp};

/// Whose sessions a trace may be of, see [`SessionEvent::scope`].
type Scope<'a> = (&'a str, &'a str);

/// A trace: whose it is, and its id.
pub(super) type TraceId<'a> = (Scope<'a>, &'a str);

/// Some clients' clocks give starts in whole milliseconds and ends more finely.
const CLOCK_GRAIN: Duration = Duration::from_millis(1);

/// What one trace shows of a conversation.
#[derive(Default)]
struct Shown<'a> {
    service: &'a str,
    begins: Option<Timestamp>,
    ends: Option<Timestamp>,
    /// The histories that its questions continue, by time.
    befores: BTreeSet<(Timestamp, &'a str)>,
    afters: BTreeSet<&'a str>,
}

/// For each trace of `continuing`, the trace that it continues, if there is one.
pub(super) fn predecessors<'a>(
    events: &'a [SessionEvent],
    continuing: &BTreeSet<TraceId<'a>>,
) -> BTreeMap<TraceId<'a>, TraceId<'a>> {
    let traces = shown(events);
    let mut by_after: BTreeMap<(Scope<'_>, &str, &str), Vec<TraceId<'a>>> = BTreeMap::new();
    for (id, trace) in &traces {
        for after in &trace.afters {
            by_after.entry((id.0, trace.service, after)).or_default().push(*id);
        }
    }
    let mut in_time: Vec<_> = traces.iter().filter(|(id, _)| continuing.contains(*id)).collect();
    in_time.sort_by_key(|(id, trace)| (trace.begins, **id));
    let mut continued = BTreeSet::new();
    let mut predecessors = BTreeMap::new();
    for (id, trace) in in_time {
        let own = |before: &str| trace.afters.contains(before);
        let nearest = trace.befores.iter().filter(|(_, before)| !own(before)).find_map(|(_, before)| {
            let candidates = by_after.get(&(id.0, trace.service, *before))?.iter();
            let free = candidates.filter(|other| *other != id && !continued.contains(*other));
            let ended = free.filter_map(|other| Some((traces.get(other)?.ends?, *other)));
            ended.filter(|(ends, _)| Some(ends.saturating_sub(CLOCK_GRAIN)) <= trace.begins).max()
        });
        if let Some((_, predecessor)) = nearest {
            continued.insert(predecessor);
            predecessors.insert(*id, predecessor);
        }
    }
    predecessors
}

fn shown(events: &[SessionEvent]) -> BTreeMap<TraceId<'_>, Shown<'_>> {
    let mut traces: BTreeMap<TraceId<'_>, Shown<'_>> = BTreeMap::new();
    let with_history = |event: &&SessionEvent| !event.trace_id.is_empty() && !event.history_after.is_empty();
    for event in events.iter().filter(with_history) {
        let trace = traces.entry((event.scope(), &event.trace_id)).or_default();
        trace.service = trace.service.max(&event.service);
        trace.begins = Some(trace.begins.map_or(event.timestamp, |begins| begins.min(event.timestamp)));
        trace.ends = trace.ends.max(Some(event.timestamp));
        match event.kind {
            Kind::Prompt if !event.history_before.is_empty() => {
                trace.befores.insert((event.timestamp, &event.history_before));
            }
            Kind::Response => {
                trace.afters.insert(&event.history_after);
            }
            _ => {}
        }
    }
    traces
}
