//! What every framework says of a record under one of a few names: whose session it is, who the
//! person is, and what the application added of its own.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::record::to_json;
use super::super::{Record, repository};
use crate::event::{Attributes, SessionEvent, person};

/// LangSmith's `langsmith.trace.session_id` is a project and therefore not among them.
const SESSION: &[&str] = &[
    "langfuse.session.id",
    "session.id",
    "gen_ai.conversation.id",
    "gcp.vertex.agent.session_id",
    "mlflow.trace.session",
];
const USER: &[&str] = &["langfuse.user.id", "enduser.id", "user.id", "mlflow.trace.user"];
const MODEL: &[&str] = &[
    "langfuse.observation.model.name",
    "gen_ai.response.model",
    "ai.response.model",
    "llm.response.model_name",
    "gen_ai.request.model",
    "ai.model.id",
    "llm.model_name",
    "llm.request.model_name",
    "model_name",
];
const INPUT_TOKENS: &[&str] = &[
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.prompt_tokens",
    "llm.token_count.prompt",
    "ai.usage.inputTokens",
    "ai.usage.promptTokens",
    "llm.usage.prompt_tokens",
];
const OUTPUT_TOKENS: &[&str] = &[
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.completion_tokens",
    "llm.token_count.completion",
    "ai.usage.outputTokens",
    "ai.usage.completionTokens",
    "llm.usage.completion_tokens",
];

/// Counts by name in one JSON object, in Langfuse's own names and in those of the providers.
const USAGE: &[&str] = &["langfuse.observation.usage_details"];
const INPUT_USAGE: &[&str] = &["input", "input_tokens", "prompt_tokens", "promptTokens"];
const OUTPUT_USAGE: &[&str] = &["output", "output_tokens", "completion_tokens", "completionTokens"];

/// What an application attaches to its records: one attribute a key, or all in one JSON object.
/// Each key becomes an attribute of its bare name, so that an operator's rules find it whatever
/// the framework.
const METADATA_PREFIXES: &[&str] = &[
    "langfuse.trace.metadata.",
    "langfuse.observation.metadata.",
    "ai.telemetry.metadata.",
    "ai.settings.context.",
    "ai.settings.runtimeContext.",
    "traceloop.association.properties.",
    "langsmith.metadata.",
    "metadata.",
];
const METADATA: &[&str] = &["metadata", "langfuse.trace.metadata", "langfuse.observation.metadata"];
/// What frameworks put there themselves.
const FRAMEWORK_METADATA: &[&str] =
    &["ls_", "lc_", "langgraph_", "checkpoint_ns", "LANGSMITH_", "LANGCHAIN_", "revision_id", "__"];
const SESSION_METADATA: &[&str] = &[
    "langfuse_session_id",
    "session_id",
    "sessionId",
    "thread_id",
    "threadId",
    "conversation_id",
    "conversationId",
];
const USER_METADATA: &[&str] = &["langfuse_user_id", "user_id", "userId"];

/// Repeats what columns say, or what every record of an application says again.
const REPETITIONS: &[&str] = &[
    "ai.operationId",
    "ai.prompt",
    "ai.response.finishReason",
    "ai.response.messages",
    "ai.response.text",
    "ai.response.timestamp",
    "ai.response.toolCalls",
    "all_messages_events",
    "events",
    "final_result",
    "gen_ai.completion",
    "gen_ai.event.end_time",
    "gen_ai.event.start_time",
    "gen_ai.input.messages",
    "gen_ai.operation.name",
    "gen_ai.output.messages",
    "gen_ai.prompt",
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
    "gen_ai.tool.json_schema",
    "input.mime_type",
    "input.value",
    "langfuse.observation.input",
    "langfuse.observation.output",
    "langfuse.trace.input",
    "langfuse.trace.output",
    "llm.invocation_parameters",
    "llm.prompts",
    "logfire.json_schema",
    "logfire.msg",
    "mlflow.spanInputs",
    "mlflow.spanOutputs",
    "model_request_parameters",
    "openinference.span.kind",
    "operation.name",
    "output.mime_type",
    "output.value",
    "pydantic_ai.all_messages",
    "resource.name",
    "tool.description",
    "tool.parameters",
    "tool_arguments",
    "tool_response",
    "traceloop.entity.input",
    "traceloop.entity.output",
];
const REPEATED_PREFIXES: &[&str] = &[
    "ai.prompt.",
    "ai.toolCall.",
    "gcp.vertex.agent.llm_",
    "gcp.vertex.agent.tool_",
    "gen_ai.completion.",
    "gen_ai.prompt.",
    "llm.input_messages.",
    "llm.output_messages.",
    "llm.prompts.",
    "llm.request.functions.",
    "llm.tools.",
];

/// What is the same for every event of a record.
pub(in super::super) fn common(record: &Record<'_>) -> SessionEvent {
    let metadata = metadata(record);
    let among = |names: &[&str]| names.iter().find_map(|name| text(metadata.get(*name)?));
    let event = SessionEvent {
        session_id: record.text(SESSION).or_else(|| among(SESSION_METADATA)).unwrap_or_default(),
        user_id: Some(record.person(USER))
            .filter(|person| !person.is_empty())
            .or_else(|| person::named(&among(USER_METADATA)?))
            .unwrap_or_default(),
        project: repository::of(record),
        ..SessionEvent::default()
    };
    record.ignore_where(|key| {
        REPETITIONS.contains(&key) || REPEATED_PREFIXES.iter().any(|prefix| key.starts_with(prefix))
    });
    let named = SESSION_METADATA.iter().chain(USER_METADATA).copied();
    let read: Vec<&str> = named.filter(|_| !event.session_id.is_empty()).collect();
    let attributes = metadata.into_iter().filter(|(key, _)| !read.contains(&key.as_str()));
    SessionEvent { attributes: attributes.collect(), ..event }
}

pub(super) fn model(record: &Record<'_>) -> String {
    record.text(MODEL).unwrap_or_default()
}

/// Input and output tokens.
pub(super) fn tokens(record: &Record<'_>) -> (i64, i64) {
    let usage = record.json(USAGE).unwrap_or_default();
    let among = |names: &[&str]| names.iter().find_map(|name| usage.get(*name)?.as_i64());
    let count = |names, in_usage| record.integer(names).or_else(|| among(in_usage)).unwrap_or_default();
    (count(INPUT_TOKENS, INPUT_USAGE), count(OUTPUT_TOKENS, OUTPUT_USAGE))
}

fn metadata(record: &Record<'_>) -> Attributes {
    let mut metadata = BTreeMap::new();
    let objects = METADATA.iter().filter_map(|name| match record.json(std::slice::from_ref(name))? {
        Value::Object(object) => Some(object),
        _ => None,
    });
    let whole = objects.flatten();
    let below = METADATA_PREFIXES.iter().flat_map(|prefix| record.below(prefix));
    let below = below.map(|(key, value)| (key.to_owned(), to_json(value)));
    for (key, value) in below.chain(whole) {
        if !value.is_null() && !FRAMEWORK_METADATA.iter().any(|prefix| key.starts_with(prefix)) {
            metadata.entry(key).or_insert_with(|| unquoted(value));
        }
    }
    metadata
}

/// Some clients write every value as JSON, texts too.
fn unquoted(value: Value) -> Value {
    let quoted = value.as_str().filter(|text| text.starts_with('"'));
    let text = quoted.and_then(|text| serde_json::from_str::<String>(text).ok());
    text.map_or(value, Value::String)
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
