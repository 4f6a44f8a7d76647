//! MLflow's tracing: spans with `mlflow.spanType`, attributes written as JSON. Written from its
//! documentation and source, not from recorded sessions.

use super::Record;
use super::framework::{Exchange, Framework, Source, Step, Tool, is_root};

const TYPE: &[&str] = &["mlflow.spanType"];
const INPUT: &[Source] = &[Source::Attribute("mlflow.spanInputs")];
const OUTPUT: &[Source] = &[Source::Attribute("mlflow.spanOutputs")];

pub(super) const MLFLOW: Framework = Framework {
    name: "mlflow",
    recognises: |record| record.as_span().is_some() && record.has(TYPE),
    step,
    model: Exchange { input: INPUT, output: OUTPUT },
    agent: Exchange { input: INPUT, output: OUTPUT },
    tool: Tool {
        name: &["gen_ai.tool.name"],
        call: &["gen_ai.tool.call.id"],
        arguments: INPUT,
        result: OUTPUT,
    },
};

fn step(record: &Record<'_>) -> Option<Step> {
    match record.text(TYPE)?.trim_matches('"').to_ascii_uppercase().as_str() {
        "LLM" | "CHAT_MODEL" => Some(Step::Model),
        "TOOL" => Some(Step::Tool),
        "AGENT" => Some(Step::Agent),
        "CHAIN" | "WORKFLOW" | "UNKNOWN" if is_root(record) => Some(Step::Agent),
        _ => Some(Step::Plumbing),
    }
}
