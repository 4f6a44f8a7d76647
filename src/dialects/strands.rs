//! Strands Agents: the GenAI conventions with all content in span events, its blocks in Bedrock's
//! form. `execute_event_loop_cycle` repeats its model call's events and its tools' results.

use super::framework::{Exchange, Framework};
use super::{Record, genai};

const SYSTEM: &[&str] = &["gen_ai.system", "gen_ai.provider.name"];

pub(super) const STRANDS: Framework = Framework {
    name: "strands",
    recognises: |record| {
        let is_ours =
            |record: &Record<'_>| record.text(SYSTEM).is_some_and(|system| system == "strands-agents");
        record.as_span().is_some() && (record.scope_name().starts_with("strands.") || is_ours(record))
    },
    step: genai::operation,
    model: Exchange { input: genai::INPUT, output: genai::OUTPUT },
    agent: Exchange { input: genai::INPUT, output: genai::OUTPUT },
    tool: genai::TOOL,
};
