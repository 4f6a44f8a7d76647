//! The best of anything that looks like GenAI telemetry and that no other dialect knows.

use super::framework::{Exchange, Framework, Source, Step, Tool, is_root};
use super::{Record, genai};

const LOOKS: &[&str] = &["gen_ai.", "llm."];
const TOOL: &[&str] = &["gen_ai.tool.name", "gen_ai.tool.call.id", "tool.name"];
const WORDS: &[&str] =
    &["gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.prompt", "gen_ai.completion", "input.value"];
const NUMBERED_WORDS: &[&str] =
    &["gen_ai.prompt.", "gen_ai.completion.", "llm.input_messages.", "llm.output_messages."];
const MODEL: &[&str] = &["gen_ai.request.model", "gen_ai.response.model", "llm.model_name", "gen_ai.system"];

pub(super) const GENERIC: Framework = Framework {
    name: "generic",
    recognises: |record| record.as_span().is_some() && record.has_below(LOOKS),
    step,
    model: Exchange {
        input: &[
            Source::Attribute("gen_ai.input.messages"),
            Source::Numbered("llm.input_messages."),
            Source::Numbered("gen_ai.prompt."),
            Source::Attribute("gen_ai.prompt"),
            Source::Attribute("input.value"),
        ],
        output: &[
            Source::Attribute("gen_ai.output.messages"),
            Source::Numbered("llm.output_messages."),
            Source::Numbered("gen_ai.completion."),
            Source::Attribute("gen_ai.completion"),
            Source::Attribute("output.value"),
        ],
    },
    agent: Exchange { input: genai::INPUT, output: genai::OUTPUT },
    tool: Tool {
        name: &["gen_ai.tool.name", "tool.name"],
        call: &["gen_ai.tool.call.id", "tool.id"],
        arguments: genai::TOOL.arguments,
        result: genai::TOOL.result,
    },
};

fn step(record: &Record<'_>) -> Option<Step> {
    let has_words = record.has(WORDS) || record.has_below(NUMBERED_WORDS);
    match () {
        () if record.has(TOOL) => Some(Step::Tool),
        () if has_words && record.has(MODEL) => Some(Step::Model),
        () if has_words && (is_root(record) || record.has(&["gen_ai.agent.name"])) => Some(Step::Agent),
        () if has_words => Some(Step::Model),
        () => Some(Step::Plumbing),
    }
}
