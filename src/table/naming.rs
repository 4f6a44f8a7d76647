//! The names of sub-agents, and how several of one name are distinguished.
//!
//! A sub-agent that only spans and conversations show has the name that its own spans give it, else that of the
//! tool which runs it. While observations are reconciled the name carries the call of the tool as well
//! ([`marked`]); the second agent of a name is called by it and a number.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::{Kind, SessionEvent, Timestamp};

/// Between a sub-agent's name and the observation of the call that runs it. No client writes it.
const MARK: char = '\u{1}';

/// A sub-agent's name, with an observation of the call that runs it.
pub(super) fn marked(name: &str, call: &str) -> String {
    format!("{name}{MARK}{call}")
}

/// Gives the sub-agents their names.
pub(super) fn name(events: &mut [SessionEvent]) {
    if !events.iter().any(|event| event.agent.contains(MARK)) {
        return;
    }
    let calls = events.iter().filter(|event| event.kind == Kind::ToolCall && !event.fact_key.is_empty());
    let keys: BTreeMap<String, String> =
        calls.map(|event| (event.event_id.clone(), event.fact_key.clone())).collect();
    // Its own name says more than that of the tool which runs it.
    let called = events.iter().filter(|event| event.kind == Kind::ToolCall);
    let tools: BTreeSet<(String, String)> =
        called.map(|event| (event.fact_key.clone(), event.tool.clone())).collect();
    let key_of = |call: &str| keys.get(call).cloned().unwrap_or_else(|| call.to_owned());
    // Several observations may have named one agent, each after what it knew.
    let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut began: BTreeMap<String, Timestamp> = BTreeMap::new();
    for event in events.iter() {
        let Some((name, call)) = event.agent.split_once(MARK) else { continue };
        let key = key_of(call);
        names.entry(key.clone()).or_default().insert(name.to_owned());
        let first = began.entry(key).or_insert(event.timestamp);
        *first = event.timestamp.min(*first);
    }
    let mut ordered: Vec<(Timestamp, String)> = began.into_iter().map(|(key, at)| (at, key)).collect();
    ordered.sort();
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    let mut called: BTreeMap<String, String> = BTreeMap::new();
    for (_, key) in ordered {
        let known = names.get(&key).into_iter().flatten();
        let name = known
            .min_by_key(|name| (tools.contains(&(key.clone(), (*name).clone())), *name))
            .cloned()
            .unwrap_or_default();
        let number = taken.entry(name.clone()).or_default();
        *number += 1;
        called.insert(key, if *number == 1 { name } else { format!("{name} {number}") });
    }
    for event in events.iter_mut() {
        let key = event.agent.split_once(MARK).map(|(_, call)| key_of(call));
        if let Some(name) = key.and_then(|key| called.get(&key)) {
            event.agent.clone_from(name);
        }
    }
}
