//! OpenLLMetry (Traceloop), old and new: `traceloop.span.kind` for workflows, agents, tasks and tools;
//! `llm.request.type` or the GenAI conventions for model calls. Decorated functions record their
//! arguments as `{"args", "kwargs"}` and their result as JSON, texts too.

use super::framework::{Exchange, Framework, Source, Step, Tool, is_root};
use super::{Record, genai};

const KIND: &[&str] = &["traceloop.span.kind"];
const REQUEST: &[&str] = &["llm.request.type"];

const STEPS: &[(&str, Step)] =
    &[("workflow", Step::Agent), ("agent", Step::Agent), ("task", Step::Plumbing), ("tool", Step::Tool)];
const REQUESTS: &[(&str, Step)] = &[
    ("chat", Step::Model),
    ("completion", Step::Model),
    ("embedding", Step::Plumbing),
    ("rerank", Step::Plumbing),
];

pub(super) const OPENLLMETRY: Framework = Framework {
    name: "openllmetry",
    // Its association properties are on the spans of other instrumentations as well.
    recognises: |record| record.as_span().is_some() && (record.has(KIND) || record.has(REQUEST)),
    step,
    model: Exchange { input: genai::INPUT, output: genai::OUTPUT },
    agent: Exchange {
        input: &[Source::Attribute("traceloop.entity.input"), Source::Attribute("gen_ai.input.messages")],
        output: &[Source::Attribute("traceloop.entity.output"), Source::Attribute("gen_ai.output.messages")],
    },
    tool: Tool {
        name: &["gen_ai.tool.name", "traceloop.entity.name"],
        call: &["gen_ai.tool.call.id"],
        arguments: &[
            Source::Attribute("gen_ai.tool.call.arguments"),
            Source::Attribute("traceloop.entity.input"),
        ],
        result: &[Source::Attribute("gen_ai.tool.call.result"), Source::Attribute("traceloop.entity.output")],
    },
};

fn step(record: &Record<'_>) -> Option<Step> {
    let named = |names, steps: &[(&str, Step)]| {
        let said = record.text(names)?.to_ascii_lowercase();
        steps.iter().find(|(name, _)| *name == said).map(|(_, step)| *step)
    };
    let step = named(KIND, STEPS).or_else(|| genai::operation(record)).or_else(|| named(REQUEST, REQUESTS));
    match step {
        Some(Step::Plumbing) if record.has(KIND) && is_root(record) => Some(Step::Agent),
        step => step,
    }
}
