//! Google's Agent Development Kit: scope `gcp.vertex.agent`. Written from its documentation and
//! source, not from recorded sessions.

use super::framework::{Exchange, Framework, Source, Step, Tool};
use super::{Record, genai};

pub(super) const GOOGLE_ADK: Framework = Framework {
    name: "google-adk",
    recognises: |record| record.scope_name() == "gcp.vertex.agent" && record.as_span().is_some(),
    step,
    model: Exchange {
        input: &[
            Source::Attribute("gen_ai.input.messages"),
            Source::Attribute("gcp.vertex.agent.llm_request"),
        ],
        output: &[
            Source::Attribute("gen_ai.output.messages"),
            Source::Attribute("gcp.vertex.agent.llm_response"),
        ],
    },
    agent: Exchange { input: genai::INPUT, output: genai::OUTPUT },
    tool: Tool {
        name: &["gen_ai.tool.name"],
        call: &["gen_ai.tool.call.id"],
        arguments: &[
            Source::Attribute("gen_ai.tool.call.arguments"),
            Source::Attribute("gcp.vertex.agent.tool_call_args"),
        ],
        result: &[
            Source::Attribute("gen_ai.tool.call.result"),
            Source::Attribute("gcp.vertex.agent.tool_response"),
        ],
    },
};

/// `execute_tool (merged)` sums up the parallel tools beside it.
fn step(record: &Record<'_>) -> Option<Step> {
    match record.name() {
        name if name.contains("(merged)") => Some(Step::Plumbing),
        name if name.starts_with("call_llm") || name.starts_with("generate_content") => Some(Step::Model),
        "invocation" | "agent_run" | "invoke_node" => Some(Step::Plumbing),
        _ => genai::operation(record).or(Some(Step::Plumbing)),
    }
}
