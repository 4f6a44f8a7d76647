//! Different calls that share an id.
//!
//! A call goes by the id that the model's service gave it, and some services begin anew with each
//! turn: `call_0`, `call_1`. Within a session, an id whose call was **made** in several turns, or in
//! several traces, is the id of several calls. A model makes a call by answering with it; where no
//! answer shows it, the tool's span does, and neither the messages that repeat a call later nor a span
//! that executes it in a later turn, after somebody allowed it, make it again.
//!
//! Every other record with the id belongs to the call of its own turn and trace, or else to the last call made by
//! then. The first call keeps the id, the others get numbers: `call_0#2`.

use std::collections::{BTreeMap, BTreeSet};

use super::trace::{FIRST_HAND, NUMBER, spans_of_tools};
use crate::event::{Kind, SessionEvent, Timestamp};

/// Where a call was made: the number of the session's turn, and the trace.
type CallSite<'a> = (usize, &'a str);

/// Gives different calls of one session different ids.
pub(super) fn separate_calls(events: &mut [SessionEvent]) {
    for (index, id) in renamed(events) {
        if let Some(event) = events.get_mut(index) {
            event.fact_key.clone_from(&id);
            event.tool_call_id = id;
        }
    }
}

/// The new ids, by the position of the observation.
fn renamed(events: &[SessionEvent]) -> Vec<(usize, String)> {
    let about_calls = |event: &&SessionEvent| {
        let of_call = matches!(event.kind, Kind::ToolCall | Kind::ToolResult | Kind::Decision);
        of_call && event.assistant.is_empty() && !event.fact_key.is_empty()
    };
    let turns = turns(events);
    let place = |event: &SessionEvent| turns.partition_point(|begin| *begin <= event.timestamp);
    let mut made: BTreeMap<&str, BTreeMap<CallSite<'_>, Timestamp>> = BTreeMap::new();
    for event in makers(events, about_calls) {
        let calls = made.entry(&event.fact_key).or_default();
        let first = calls.entry((place(event), &event.trace_id)).or_insert(event.timestamp);
        *first = event.timestamp.min(*first);
    }
    made.retain(|_, calls| calls.len() > 1);
    let numbered: BTreeMap<&str, Vec<CallSite<'_>>> =
        made.iter().map(|(id, calls)| (*id, in_order(calls))).collect();
    let mut renamed = Vec::new();
    for (index, event) in events.iter().enumerate().filter(|(_, event)| about_calls(event)) {
        let Some(calls) = numbered.get(event.fact_key.as_str()) else { continue };
        let turn = place(event);
        let own = calls.iter().rposition(|call| *call == (turn, event.trace_id.as_str()));
        let number = own.or_else(|| calls.iter().rposition(|(made, _)| *made <= turn)).unwrap_or(0);
        if number > 0 {
            renamed.push((index, format!("{}{NUMBER}{}", event.fact_key, number + 1)));
        }
    }
    renamed
}

/// When each turn of the main agent begins.
fn turns(events: &[SessionEvent]) -> Vec<Timestamp> {
    let mut begins: BTreeMap<(&str, &str), Timestamp> = BTreeMap::new();
    for event in events.iter().filter(|event| event.kind == Kind::Prompt && event.agent.is_empty()) {
        let alone = if event.fact_key.is_empty() { event.event_id.as_str() } else { "" };
        let begin = begins.entry((&event.fact_key, alone)).or_insert(event.timestamp);
        *begin = event.timestamp.min(*begin);
    }
    let mut begins: Vec<Timestamp> = begins.into_values().collect();
    begins.sort();
    begins
}

/// The observations that make calls.
fn makers(
    events: &[SessionEvent],
    about_calls: impl Fn(&&SessionEvent) -> bool,
) -> impl Iterator<Item = &SessionEvent> {
    let mut traces: BTreeMap<&str, Vec<&SessionEvent>> = BTreeMap::new();
    for event in events.iter().filter(|event| event.assistant.is_empty() && !event.trace_id.is_empty()) {
        traces.entry(&event.trace_id).or_default().push(event);
    }
    let of_tools: BTreeMap<&str, BTreeSet<String>> =
        traces.into_iter().map(|(id, trace)| (id, spans_of_tools(&trace))).collect();
    let is_executed = move |event: &SessionEvent| {
        of_tools.get(event.trace_id.as_str()).is_some_and(|spans| spans.contains(&event.span_id))
    };
    let at_first_hand: Vec<&SessionEvent> = events
        .iter()
        .filter(about_calls)
        .filter(|event| event.kind == Kind::ToolCall && event.rank >= FIRST_HAND)
        .collect();
    let answered: BTreeSet<&str> = at_first_hand
        .iter()
        .filter(|event| !is_executed(event))
        .map(|event| event.fact_key.as_str())
        .collect();
    at_first_hand
        .into_iter()
        .filter(move |event| !is_executed(event) || !answered.contains(event.fact_key.as_str()))
}

/// By turn, then by time.
fn in_order<'a>(calls: &BTreeMap<CallSite<'a>, Timestamp>) -> Vec<CallSite<'a>> {
    let mut order: Vec<_> = calls.iter().map(|((turn, trace), made)| (*turn, *made, *trace)).collect();
    order.sort();
    order.into_iter().map(|(turn, _, trace)| (turn, trace)).collect()
}
