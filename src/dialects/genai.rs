//! OpenTelemetry's GenAI semantic conventions, old and new: spans with `gen_ai.operation.name`, and
//! the content in attributes, in span events or in log records.
//!
//! | content is in | of |
//! |---|---|
//! | `gen_ai.input.messages`, `gen_ai.output.messages` | spans, `gen_ai.client.inference.operation.details` as span event or log record |
//! | `gen_ai.{system,user,assistant,tool}.message`, `gen_ai.choice` | span events, or log records of a message each |
//! | `gen_ai.content.prompt`, `gen_ai.content.completion` | span events |
//! | `gen_ai.prompt`, `gen_ai.completion`, numbered or as JSON | spans |

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as AnyValue;

use super::framework::{self, EVALUATION, Exchange, Framework, Source, Step, Tool};
use super::{Dialect, Mapping, Record};

const OPERATION: &[&str] = &["gen_ai.operation.name"];
const LOG_NAME: &[&str] = &["event.name"];
/// A model call's content, beside its span.
const DETAILS: &str = "gen_ai.client.inference.operation.details";
/// One message of a model call's content, a log record each.
const MESSAGES: &[&str] = &[
    "gen_ai.system.message",
    "gen_ai.user.message",
    "gen_ai.assistant.message",
    "gen_ai.tool.message",
    "gen_ai.choice",
];

const OPERATIONS: &[(&str, Step)] = &[
    ("chat", Step::Model),
    ("completion", Step::Model),
    ("generate", Step::Model),
    ("generate_content", Step::Model),
    ("text_completion", Step::Model),
    ("llm_call", Step::Model),
    ("responses", Step::Model),
    ("invoke_agent", Step::Agent),
    ("agent_call", Step::Agent),
    ("execute_tool", Step::Tool),
    ("tool_call", Step::Tool),
    ("agent_step", Step::Plumbing),
    ("create_agent", Step::Plumbing),
    ("embeddings", Step::Plumbing),
    ("execute_event_loop_cycle", Step::Plumbing),
    ("invoke_workflow", Step::Plumbing),
    ("retrieval", Step::Plumbing),
];

/// Where the conventions put what a model is given.
pub(super) const INPUT: &[Source] = &[
    Source::Attribute("gen_ai.input.messages"),
    Source::EventAttribute(DETAILS, "gen_ai.input.messages"),
    Source::Events(&[
        "gen_ai.system.message",
        "gen_ai.user.message",
        "gen_ai.assistant.message",
        "gen_ai.tool.message",
    ]),
    Source::EventAttribute("gen_ai.content.prompt", "gen_ai.prompt"),
    Source::Numbered("gen_ai.prompt."),
    Source::Attribute("gen_ai.prompt"),
];
/// Where they put what it answers.
pub(super) const OUTPUT: &[Source] = &[
    Source::Attribute("gen_ai.output.messages"),
    Source::EventAttribute(DETAILS, "gen_ai.output.messages"),
    Source::Events(&["gen_ai.choice"]),
    Source::EventAttribute("gen_ai.content.completion", "gen_ai.completion"),
    Source::Numbered("gen_ai.completion."),
    Source::Attribute("gen_ai.completion"),
];
/// Where they put tools.
pub(super) const TOOL: Tool = Tool {
    name: &["gen_ai.tool.name"],
    call: &["gen_ai.tool.call.id"],
    arguments: &[
        Source::Attribute("gen_ai.tool.call.arguments"),
        Source::Attribute("tool_arguments"),
        Source::EventAttribute(DETAILS, "gen_ai.tool.call.arguments"),
        Source::EventAttribute("gen_ai.tool.message", "content"),
        Source::Attribute("gen_ai.tool.arguments"),
        Source::Attribute("input.value"),
    ],
    result: &[
        Source::Attribute("gen_ai.tool.call.result"),
        Source::Attribute("tool_response"),
        Source::EventAttribute(DETAILS, "gen_ai.tool.call.result"),
        Source::EventAttribute("gen_ai.choice", "message"),
        Source::Attribute("gen_ai.tool.result"),
        Source::Attribute("output.value"),
    ],
};

const FRAMEWORK: Framework = Framework {
    name: "genai",
    recognises,
    step: operation,
    model: Exchange { input: INPUT, output: OUTPUT },
    agent: Exchange { input: INPUT, output: OUTPUT },
    tool: TOOL,
};

/// The dialect.
pub(super) struct GenAi;

impl Dialect for GenAi {
    fn name(&self) -> &'static str {
        FRAMEWORK.name
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        recognises(record)
    }

    fn map(&self, record: &Record<'_>) -> Mapping {
        match record.as_log().map(|_| log_name(record)) {
            Some(name) if name == EVALUATION => framework::evaluation(record),
            Some(name) if MESSAGES.contains(&name.as_str()) => message(record, &name),
            _ => FRAMEWORK.map(record),
        }
    }
}

/// Which step an operation of a known name is.
pub(super) fn operation(record: &Record<'_>) -> Option<Step> {
    let operation = record.text(OPERATION)?.to_ascii_lowercase();
    OPERATIONS.iter().find(|(name, _)| *name == operation).map(|(_, step)| *step)
}

fn recognises(record: &Record<'_>) -> bool {
    let has_score = || record.span_events(EVALUATION).next().is_some();
    match record.as_log() {
        Some(_) => {
            let name = log_name(record);
            [DETAILS, EVALUATION].contains(&name.as_str()) || MESSAGES.contains(&name.as_str())
        }
        None => record.has(OPERATION) || has_score(),
    }
}

/// Messages, for the assistants that follow the conventions in part.
pub(super) mod messages {
    pub(in crate::dialects) use super::super::framework::messages::{
        Prompt, Role, last_answer, new_prompts, user_texts,
    };
    pub(in crate::dialects) use super::super::framework::parse::messages as parse;
}

/// Older exporters have the name in an attribute.
pub(super) fn log_name(record: &Record<'_>) -> String {
    match record.name() {
        "" => record.text(LOG_NAME).unwrap_or_default(),
        name => name.to_owned(),
    }
}

/// The message is the record's body; its attributes hold what is the same for all.
fn message(record: &Record<'_>, name: &str) -> Mapping {
    let body = record.as_log().and_then(|log| log.body.as_ref()).and_then(|body| body.value.as_ref());
    let text;
    let content: &[KeyValue] = match body {
        Some(AnyValue::KvlistValue(fields)) => &fields.values,
        Some(AnyValue::StringValue(_)) => {
            text = [KeyValue {
                key: "content".to_owned(),
                value: record.as_log().and_then(|log| log.body.clone()),
                ..KeyValue::default()
            }];
            &text
        }
        _ => return Mapping::INCOMPLETE,
    };
    framework::lone_message(record, name, &framework::message_of_event(name, content))
}
