//! Langfuse's SDKs over OTLP: `langfuse.observation.type`, with input and output of any form.

use super::Record;
use super::framework::{Exchange, Framework, Source, Step, Tool, is_root};

pub(super) const TYPE: &[&str] = &["langfuse.observation.type"];
pub(super) const INPUT: &[Source] =
    &[Source::Attribute("langfuse.observation.input"), Source::Attribute("langfuse.trace.input")];
pub(super) const OUTPUT: &[Source] =
    &[Source::Attribute("langfuse.observation.output"), Source::Attribute("langfuse.trace.output")];

pub(super) const LANGFUSE: Framework = Framework {
    name: "langfuse",
    recognises: |record| {
        record.as_span().is_some() && (record.has(TYPE) || record.scope_name() == "langfuse-sdk")
    },
    step,
    model: Exchange { input: INPUT, output: OUTPUT },
    agent: Exchange { input: INPUT, output: OUTPUT },
    tool: Tool {
        name: &["gen_ai.tool.name", "langfuse.observation.metadata.tool_name"],
        call: &[
            "gen_ai.tool.call.id",
            "langfuse.observation.metadata.tool_call_id",
            "langfuse.observation.metadata.toolCallId",
        ],
        arguments: &[Source::Attribute("langfuse.observation.input")],
        result: &[Source::Attribute("langfuse.observation.output")],
    },
};

/// A span that nothing called stands for the agent. A span with a model is a model call in versions
/// that knew no generations.
fn step(record: &Record<'_>) -> Option<Step> {
    match record.text(TYPE).map(|kind| kind.to_ascii_lowercase()).as_deref() {
        Some("generation") => Some(Step::Model),
        Some("tool") => Some(Step::Tool),
        Some("agent") => Some(Step::Agent),
        Some("span") | None if record.has(&["langfuse.observation.model.name"]) => Some(Step::Model),
        Some("span" | "chain") | None if is_root(record) => Some(Step::Agent),
        _ => Some(Step::Plumbing),
    }
}
