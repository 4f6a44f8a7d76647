//! OpenInference (Arize): spans with `openinference.span.kind`, whatever library they instrument.
//!
//! Chains are plumbing unless they are the root, where they stand for the agent. `tools` chains wrap
//! the tools' own spans. A tool's span seldom knows the call's id, and gives a tool of one parameter
//! the bare value.

use super::framework::{Exchange, Framework, Source, Step, Tool, is_root};
use super::{Record, genai};

const KIND: &[&str] = &["openinference.span.kind"];

const STEPS: &[(&str, Step)] = &[
    ("LLM", Step::Model),
    ("TOOL", Step::Tool),
    ("AGENT", Step::Agent),
    ("CHAIN", Step::Plumbing),
    ("EMBEDDING", Step::Plumbing),
    ("EVALUATOR", Step::Plumbing),
    ("GUARDRAIL", Step::Plumbing),
    ("PROMPT", Step::Plumbing),
    ("RERANKER", Step::Plumbing),
    ("RETRIEVER", Step::Plumbing),
    ("UNKNOWN", Step::Plumbing),
];

pub(super) const OPENINFERENCE: Framework = Framework {
    name: "openinference",
    recognises: |record| record.has(KIND) && record.as_span().is_some(),
    step,
    // The provider's raw request, `input.value`, comes second: it is another one for each provider.
    model: Exchange {
        input: &[
            Source::Numbered("llm.input_messages."),
            Source::Attribute("input.value"),
            Source::Numbered("llm.prompts."),
            Source::Attribute("gen_ai.input.messages"),
        ],
        output: &[
            Source::Numbered("llm.output_messages."),
            Source::Attribute("output.value"),
            Source::Attribute("gen_ai.output.messages"),
        ],
    },
    agent: Exchange {
        input: &[Source::Attribute("input.value"), Source::Numbered("llm.input_messages.")],
        output: &[Source::Attribute("output.value"), Source::Numbered("llm.output_messages.")],
    },
    tool: Tool {
        name: &["tool.name", "gen_ai.tool.name"],
        call: &["tool_call.id", "tool.id", "gen_ai.tool.call.id"],
        arguments: &[
            Source::Attribute("input.value"),
            Source::Attribute("tool_call.function.arguments"),
            Source::Attribute("tool.parameters"),
        ],
        result: &[Source::Attribute("output.value")],
    },
};

fn step(record: &Record<'_>) -> Option<Step> {
    let kind = record.text(KIND)?.to_ascii_uppercase();
    match STEPS.iter().find(|(name, _)| *name == kind).map(|(_, step)| *step) {
        Some(Step::Plumbing) if kind == "CHAIN" && is_root(record) => Some(Step::Agent),
        None => genai::operation(record),
        step => step,
    }
}
