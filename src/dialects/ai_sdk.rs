//! Vercel's AI SDK up to version 6, and version 7's legacy telemetry: spans with `ai.operationId`.
//! Version 7's own telemetry speaks the GenAI conventions.

use serde_json::{Map, Value, json};

use super::Record;
use super::framework::{Exchange, Framework, Source, Step, Tool};

const OPERATION: &[&str] = &["ai.operationId"];
const TEXT: &[&str] = &["ai.response.text", "ai.result.text", "ai.response.object", "ai.result.object"];
const CALLS: &[&str] = &["ai.response.toolCalls", "ai.result.toolCalls"];

const INPUT: &[Source] = &[
    Source::Attribute("ai.prompt.messages"),
    Source::Attribute("ai.prompt"),
    Source::Attribute("gen_ai.input.messages"),
];
const OUTPUT: &[Source] = &[Source::Computed(response), Source::Attribute("gen_ai.output.messages")];

pub(super) const AI_SDK: Framework = Framework {
    name: "ai-sdk",
    recognises: |record| record.has(OPERATION),
    step,
    model: Exchange { input: INPUT, output: OUTPUT },
    agent: Exchange { input: INPUT, output: OUTPUT },
    tool: Tool {
        name: &["ai.toolCall.name", "gen_ai.tool.name"],
        call: &["ai.toolCall.id", "gen_ai.tool.call.id"],
        arguments: &[Source::Attribute("ai.toolCall.args"), Source::Attribute("ai.toolCall.input")],
        result: &[Source::Attribute("ai.toolCall.result"), Source::Attribute("ai.toolCall.output")],
    },
};

/// `ai.generateText` is the agent, `ai.generateText.doGenerate` one model call of it.
fn step(record: &Record<'_>) -> Option<Step> {
    match record.text(OPERATION)?.as_str() {
        "ai.toolCall" => Some(Step::Tool),
        name if name.contains("mbed") || name.contains("rerank") => Some(Step::Plumbing),
        name if name.ends_with(".doGenerate") || name.ends_with(".doStream") => Some(Step::Model),
        name if name.matches('.').count() == 1 => Some(Step::Agent),
        _ => None,
    }
}

/// Text and calls are attributes of their own; with calls alone the text is empty.
fn response(record: &Record<'_>) -> Option<Value> {
    let mut message = Map::from_iter([("role".to_owned(), json!("assistant"))]);
    message.extend(record.text(TEXT).map(|text| ("content".to_owned(), Value::String(text))));
    message.extend(record.json(CALLS).map(|calls| ("tool_calls".to_owned(), calls)));
    (message.len() > 1).then(|| json!([message]))
}
