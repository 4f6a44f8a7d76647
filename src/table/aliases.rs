//! Calls and prompts that go by several ids.
//!
//! The key of a fact (`fact_key`) is the id by which its dialect knows it. A record that knows another id of the
//! same fact carries it in the column of the client's own id:
//!
//! - a **call**: its item's id, or an id that only its answer has, in `tool_call_id`;
//! - a **prompt**: the client's id of the turn, in `turn_id`; Claude Code's spans key a prompt by its trace and
//!   its hooks by that id.
//!
//! A record with the alias belongs to the same fact. An alias of two facts counts for neither. Some instrumentations
//! use a call's call id when it is made and its item id whenever it is repeated, and never send both. So a call that
//! nobody made and a call that nobody repeats are one call, if they have the same tool and input and ids of different
//! kinds.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::trace::{FIRST_HAND, keep_least};
use crate::event::{Kind, SessionEvent, Timestamp};

/// The assistant whose turns have an id of their own on every record but its spans.
const WITH_TURN_IDS: &str = "claude-code";

/// Gives the observations of one session that carry an alias, or are known by one, the key of their fact.
pub(super) fn join(events: &mut [SessionEvent]) {
    join_calls(events);
    join_prompts(events);
}

fn is_of_call(event: &SessionEvent) -> bool {
    matches!(event.kind, Kind::ToolCall | Kind::ToolResult | Kind::Decision)
        && event.assistant.is_empty()
        && !event.fact_key.is_empty()
}

fn join_calls(events: &mut [SessionEvent]) {
    let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for event in events.iter().filter(|event| is_of_call(event)) {
        if !event.tool_call_id.is_empty() && event.tool_call_id != event.fact_key {
            keys.entry(event.tool_call_id.clone()).or_default().insert(event.fact_key.clone());
        }
    }
    if keys.is_empty() {
        return;
    }
    for event in events.iter_mut().filter(|event| is_of_call(event)) {
        if let Some(key) = keys.get(&event.fact_key).filter(|keys| keys.len() == 1).and_then(BTreeSet::first)
        {
            event.fact_key.clone_from(key);
        }
        event.tool_call_id.clone_from(&event.fact_key);
    }
}

fn join_prompts(events: &mut [SessionEvent]) {
    let is_prompt = |event: &SessionEvent| {
        event.kind == Kind::Prompt
            && event.assistant == WITH_TURN_IDS
            && event.agent.is_empty()
            && !event.turn_id.is_empty()
            && !event.fact_key.is_empty()
    };
    let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for event in events.iter().filter(|event| is_prompt(event) && event.fact_key != event.turn_id) {
        keys.entry(event.turn_id.clone()).or_default().insert(event.fact_key.clone());
    }
    for event in events.iter_mut().filter(|event| is_prompt(event)) {
        let alias = keys.get(&event.fact_key).filter(|keys| keys.len() == 1);
        if let Some(key) = alias.and_then(BTreeSet::first) {
            event.fact_key.clone_from(key);
        }
    }
    part_prompts(events, is_prompt);
}

/// What a person types while a tool runs is logged in the trace of the turn that runs, with the id of a turn of its
/// own. The first prompt of the trace keeps the trace's key; the others go by the ids of their turns.
fn part_prompts(events: &mut [SessionEvent], is_prompt: impl Fn(&SessionEvent) -> bool) {
    let mut first: BTreeMap<String, (Timestamp, String)> = BTreeMap::new();
    for event in events.iter().filter(|event| is_prompt(event)) {
        keep_least(&mut first, event.fact_key.clone(), (event.timestamp, event.turn_id.clone()));
    }
    for event in events.iter_mut().filter(|event| is_prompt(event)) {
        if first.get(&event.fact_key).is_some_and(|(_, turn)| *turn != event.turn_id) {
            event.fact_key.clone_from(&event.turn_id);
        }
    }
}

/// One call as messages state it.
struct Stated {
    key: String,
    at: Timestamp,
}

/// Joins calls that were made and never repeated with calls that were repeated and never made. `is_executed`
/// tells what a tool's span states. Answers whether inputs were compared.
pub(super) fn join_kinds(
    trace: &mut [&mut SessionEvent],
    is_executed: impl Fn(&SessionEvent) -> bool,
) -> bool {
    let of_call = |event: &SessionEvent| event.kind == Kind::ToolCall && !event.fact_key.is_empty();
    let mut seen: BTreeMap<&str, (bool, bool)> = BTreeMap::new();
    for event in trace.iter().filter(|event| of_call(event)) {
        let (made, repeated) = seen.entry(&event.fact_key).or_default();
        *made |= event.rank >= FIRST_HAND || is_executed(event);
        *repeated |= event.rank < FIRST_HAND && !is_executed(event);
    }
    let only = |wanted: (bool, bool)| -> BTreeSet<&str> {
        seen.iter().filter(|(_, kinds)| **kinds == wanted).map(|(key, _)| *key).collect()
    };
    let (made, repeated) = (only((true, false)), only((false, true)));
    let differ = made.iter().any(|made| repeated.iter().any(|other| kind_of(made) != kind_of(other)));
    if !differ {
        return false;
    }
    let mut free: BTreeMap<(String, String), Vec<Stated>> = BTreeMap::new();
    let mark = |event: &SessionEvent| (event.tool.clone(), canonical(&event.input));
    let of = |keys: &BTreeSet<&str>, take: &mut dyn FnMut((String, String), Stated)| {
        let mut calls: Vec<&&mut SessionEvent> = trace
            .iter()
            .filter(|event| of_call(event) && !is_executed(event) && keys.contains(event.fact_key.as_str()))
            .collect();
        calls.sort_by(|a, b| (a.timestamp, a.seq, &a.fact_key).cmp(&(b.timestamp, b.seq, &b.fact_key)));
        let mut done = BTreeSet::new();
        for event in calls {
            if done.insert(event.fact_key.as_str()) {
                take(mark(event), Stated { key: event.fact_key.clone(), at: event.timestamp });
            }
        }
    };
    of(&made, &mut |mark, call| free.entry(mark).or_default().push(call));
    let mut keys: BTreeMap<String, String> = BTreeMap::new();
    of(&repeated, &mut |mark, call| {
        let Some(calls) = free.get_mut(&mark) else { return };
        let is_it = |made: &Stated| made.at <= call.at && kind_of(&made.key) != kind_of(&call.key);
        if let Some(place) = calls.iter().position(is_it) {
            keys.insert(call.key, calls.remove(place).key);
        }
    });
    for event in trace.iter_mut().filter(|event| matches!(event.kind, Kind::ToolCall | Kind::ToolResult)) {
        if let Some(key) = keys.get(&event.fact_key) {
            event.fact_key.clone_from(key);
            event.tool_call_id.clone_from(key);
        }
    }
    true
}

/// What an id begins with, up to its first `_`, `-` or `:`, if that is a word: `call`, `fc`, `toolu`.
fn kind_of(id: &str) -> &str {
    let word = id.split(['_', '-', ':']).next().unwrap_or_default();
    if word.len() < id.len() && word.chars().all(|char| char.is_ascii_alphabetic()) { word } else { "" }
}

/// Inputs that say the same are equal, however their fields are ordered.
pub(super) fn canonical(input: &str) -> String {
    serde_json::from_str::<Value>(input).map_or_else(|_| input.to_owned(), |value| value.to_string())
}
