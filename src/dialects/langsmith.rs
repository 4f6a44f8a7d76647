//! LangSmith's OpenTelemetry export: `langsmith.span.kind`, with inputs and outputs of every run,
//! tools too, as LangChain's JSON in `gen_ai.prompt` and `gen_ai.completion`.
//! `langsmith.trace.session_id` and `.session_name` are a project, not a conversation.

use super::framework::{Exchange, Framework, Source, Step, Tool, is_root};
use super::{Record, genai};

const KIND: &[&str] = &["langsmith.span.kind"];

pub(super) const LANGSMITH: Framework = Framework {
    name: "langsmith",
    recognises: |record| {
        record.as_span().is_some() && (record.scope_name() == "langsmith" || record.has(KIND))
    },
    step,
    model: Exchange { input: genai::INPUT, output: genai::OUTPUT },
    agent: Exchange { input: genai::INPUT, output: genai::OUTPUT },
    tool: Tool {
        name: &["gen_ai.tool.name"],
        call: &["gen_ai.tool.call.id"],
        arguments: &[
            Source::Attribute("gen_ai.tool.call.arguments"),
            Source::Attribute("gen_ai.prompt"),
            Source::Attribute("input.value"),
        ],
        result: &[
            Source::Attribute("gen_ai.tool.call.result"),
            Source::Attribute("gen_ai.completion"),
            Source::Attribute("output.value"),
        ],
    },
};

/// A chain that nothing called stands for the agent.
fn step(record: &Record<'_>) -> Option<Step> {
    match record.text(KIND).map(|kind| kind.to_ascii_lowercase()).as_deref() {
        Some("llm") => Some(Step::Model),
        Some("tool") => Some(Step::Tool),
        Some("chain") if is_root(record) => Some(Step::Agent),
        Some("chain" | "prompt" | "parser" | "retriever" | "embedding") => Some(Step::Plumbing),
        _ => genai::operation(record),
    }
}
