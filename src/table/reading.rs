//! Facts as people read them, whatever version of the product wrote the rows: the names of tools, and who said a
//! prompt.

use std::collections::BTreeMap;

use super::Fact;
use crate::event::{Decision, ENDING, Kind, SessionEvent};
use crate::shell::machine::{self, Heard};

/// The role of texts that no person wrote.
const CLIENT: &str = "client";

/// A call, its result and its decision have one name: the call's, where it has one.
pub(super) fn name_tools(facts: &mut [Fact]) {
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    for event in facts.iter().map(|fact| &fact.event).filter(|event| is_named(event)) {
        let name = names.entry(&event.tool_call_id).or_default();
        if name.is_empty() || event.kind == Kind::ToolCall {
            *name = &event.tool;
        }
    }
    let about_calls = facts.iter().enumerate().filter(|(_, fact)| is_about_a_call(&fact.event));
    let renamed = about_calls.filter_map(|(at, Fact { event, .. })| {
        let name = names.get(event.tool_call_id.as_str()).filter(|name| **name != event.tool)?;
        Some((at, (*name).to_owned()))
    });
    for (at, name) in renamed.collect::<Vec<_>>() {
        if let Some(fact) = facts.get_mut(at) {
            fact.event.tool = name;
        }
    }
}

fn is_about_a_call(event: &SessionEvent) -> bool {
    matches!(event.kind, Kind::ToolCall | Kind::ToolResult | Kind::Decision) && !event.tool_call_id.is_empty()
}

fn is_named(event: &SessionEvent) -> bool {
    is_about_a_call(event) && !event.tool.is_empty()
}

/// Prompts that an older version took from a client's own words are no person's. Answers the endings that they
/// tell.
pub(super) fn hear(facts: &mut [Fact]) -> Vec<SessionEvent> {
    let mut endings = Vec::new();
    for fact in facts.iter_mut().filter(|fact| fact.is_main_prompt()) {
        let event = &mut fact.event;
        match machine::hear(&event.text) {
            Heard::Words(words) if words == event.text => {}
            Heard::Words(words) => event.text = words.into_owned(),
            Heard::Interrupt => {
                event.kind = Kind::Decision;
                event.decision = Decision::Reject;
                "user_abort".clone_into(&mut event.decision_source);
            }
            Heard::Machine => CLIENT.clone_into(&mut event.agent),
            Heard::Ended(ended) => {
                let told = ended.into_iter().map(|ending| SessionEvent {
                    kind: Kind::ToolResult,
                    fact_key: format!("{ENDING}{}@{}", ending.task, ending.call),
                    output: ending.said,
                    status: ending.status,
                    ..event.clone()
                });
                endings.extend(told.collect::<Vec<_>>());
                CLIENT.clone_into(&mut event.agent);
            }
        }
    }
    endings
}
