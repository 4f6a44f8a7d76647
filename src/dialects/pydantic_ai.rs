//! Pydantic AI, all versions of its instrumentation: the GenAI conventions with names of its own for
//! an agent's messages, and before them an attribute `events` with a list of events. `running tools`
//! wraps the tools' own spans.

use serde_json::Value;

use super::framework::{Exchange, Framework, Source, Step, Tool};
use super::{Record, genai};

const SCOPE: &str = "pydantic-ai";
const AGENT: &[&str] = &["agent_name", "gen_ai.agent.name"];
const EVENTS: &[&str] = &["events"];
const ALL_MESSAGES: &[&str] = &["pydantic_ai.all_messages", "all_messages_events"];
const FIRST_NEW: &[&str] = &["pydantic_ai.new_message_index"];

pub(super) const PYDANTIC_AI: Framework = Framework {
    name: "pydantic-ai",
    recognises: |record| record.scope_name() == SCOPE && record.as_span().is_some(),
    step,
    model: Exchange {
        input: &[
            Source::Attribute("gen_ai.input.messages"),
            Source::Computed(given),
            Source::Numbered("gen_ai.prompt."),
        ],
        output: &[Source::Attribute("gen_ai.output.messages"), Source::Computed(chosen)],
    },
    agent: Exchange {
        input: &[Source::Computed(asked)],
        output: &[Source::Attribute("final_result"), Source::Computed(all_messages)],
    },
    tool: Tool {
        name: &["gen_ai.tool.name"],
        call: &["gen_ai.tool.call.id"],
        arguments: genai::TOOL.arguments,
        result: genai::TOOL.result,
    },
};

/// Older versions name no operation of agents and tools.
fn step(record: &Record<'_>) -> Option<Step> {
    let by_name = || match record.name() {
        name if name.starts_with("running ") && record.has(&["gen_ai.tool.name"]) => Some(Step::Tool),
        name if name.starts_with("running ") => Some(Step::Plumbing),
        _ if record.has(ALL_MESSAGES) || record.has(AGENT) => Some(Step::Agent),
        _ if record.has(EVENTS) => Some(Step::Model),
        _ => None,
    };
    genai::operation(record).or_else(by_name)
}

/// The events of a model call, without what was chosen.
fn given(record: &Record<'_>) -> Option<Value> {
    events(record, |name| name != "gen_ai.choice")
}

fn chosen(record: &Record<'_>) -> Option<Value> {
    events(record, |name| name == "gen_ai.choice")
}

fn events(record: &Record<'_>, is_wanted: fn(&str) -> bool) -> Option<Value> {
    let Value::Array(events) = record.json(EVENTS)? else {
        return None;
    };
    let name = |event: &Value| event.get("event.name").and_then(Value::as_str).unwrap_or_default().to_owned();
    Some(events.into_iter().filter(|event| is_wanted(&name(event))).collect())
}

fn all_messages(record: &Record<'_>) -> Option<Value> {
    record.json(ALL_MESSAGES)
}

/// Of all messages of an agent, what it was asked this time: from the first new one to its answer.
fn asked(record: &Record<'_>) -> Option<Value> {
    let Value::Array(messages) = all_messages(record)? else {
        return None;
    };
    let first_new = record.integer(FIRST_NEW).and_then(|index| usize::try_from(index).ok());
    let is_answer = |message: &Value| {
        let said = ["role", "event.name"].iter().find_map(|name| message.get(*name)?.as_str());
        said.is_some_and(|role| ["assistant", "gen_ai.assistant.message"].contains(&role))
    };
    Some(
        messages
            .into_iter()
            .skip(first_new.unwrap_or_default())
            .take_while(|message| !is_answer(message))
            .collect(),
    )
}
