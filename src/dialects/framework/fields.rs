//! What every framework says of a record under one of a few names: whose session it is, who the
//! person is, and what the application added of its own.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;

use super::super::costs::Names;
use super::super::names::NameFilter;
use super::super::record::{behind, to_json};
use super::super::{Record, repository};
use crate::event::tokens::Tokens;
use crate::event::{Attributes, SessionEvent, person};

/// LangSmith's `langsmith.trace.session_id` is a project and therefore not among them.
const SESSION: &[&str] = &[
    "langfuse.session.id",
    "session.id",
    "gen_ai.conversation.id",
    "gcp.vertex.agent.session_id",
    "mlflow.trace.session",
];
const USER: &[&str] =
    &["langfuse.user.id", "enduser.id", "user.email", "user.id", "mlflow.trace.user", "user.name"];
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
/// Of the conventions, of frameworks and of their older versions. Where what is cached is apart, their sums tell.
const TOKENS: Names = Names {
    input: &[
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.prompt_tokens",
        "llm.token_count.prompt",
        "ai.usage.inputTokens",
        "ai.usage.promptTokens",
        "llm.usage.prompt_tokens",
    ],
    output: &[
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.completion_tokens",
        "llm.token_count.completion",
        "ai.usage.outputTokens",
        "ai.usage.completionTokens",
        "llm.usage.completion_tokens",
    ],
    cache_read: &[
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "gen_ai.usage.details.cache_read_tokens",
        "gen_ai.usage.cached_input_tokens",
        "llm.token_count.prompt_details.cache_read",
        "ai.usage.inputTokenDetails.cacheReadTokens",
        "ai.usage.cachedInputTokens",
    ],
    cache_write: &[
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "gen_ai.usage.cache_write_input_tokens",
        "gen_ai.usage.details.cache_write_tokens",
        "llm.token_count.prompt_details.cache_write",
        "ai.usage.inputTokenDetails.cacheWriteTokens",
    ],
    reasoning: &[
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.usage.reasoning_tokens",
        "gen_ai.usage.details.reasoning_tokens",
        "llm.token_count.completion_details.reasoning",
        "ai.usage.outputTokenDetails.reasoningTokens",
        "ai.usage.reasoningTokens",
    ],
    total: &[
        "gen_ai.usage.total_tokens",
        "llm.token_count.total",
        "ai.usage.totalTokens",
        "llm.usage.total_tokens",
    ],
    ..Names::NONE
};

/// Counts by name in one JSON object, in Langfuse's own names and in those of the providers.
const USAGE: &[&str] = &["langfuse.observation.usage_details"];
const USAGE_NAMES: Names = Names {
    input: &["input", "input_tokens", "prompt_tokens", "promptTokens"],
    output: &["output", "output_tokens", "completion_tokens", "completionTokens"],
    cache_read: &[
        "cache_read_input_tokens",
        "input_cached_tokens",
        "input_cache_read",
        "input_cache_read_tokens",
        "prompt_tokens_details/cached_tokens",
        "prompt_tokens_details.cached_tokens",
        "input_tokens_details/cached_tokens",
        "cached_tokens",
    ],
    cache_write: &["cache_creation_input_tokens", "input_cache_creation", "input_cache_creation_tokens"],
    reasoning: &[
        "output_reasoning_tokens",
        "output_reasoning",
        "completion_tokens_details/reasoning_tokens",
        "completion_tokens_details.reasoning_tokens",
        "output_tokens_details/reasoning_tokens",
        "reasoning_tokens",
    ],
    total: &["total", "total_tokens", "totalTokens"],
    ..Names::NONE
};
/// With these names what is cached is not among the input: those of Anthropic, and Langfuse's own.
const APART: &[&str] = &[
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "input_cached_tokens",
    "input_cache_read",
    "input_cache_creation",
];

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

/// Attributes that repeat a column, or that every record of an application repeats; in alphabetical order.
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
static REPEATED: LazyLock<NameFilter> = LazyLock::new(|| NameFilter::of(REPETITIONS.iter().copied()));
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
        (REPEATED.may_have(key) && REPETITIONS.binary_search(&key).is_ok())
            || REPEATED_PREFIXES.iter().any(|prefix| behind(key, prefix).is_some())
    });
    let named = SESSION_METADATA.iter().chain(USER_METADATA).copied();
    let read: Vec<&str> = named.filter(|_| !event.session_id.is_empty()).collect();
    let attributes = metadata.into_iter().filter(|(key, _)| !read.contains(&key.as_str()));
    SessionEvent { attributes: attributes.collect(), ..event }
}

pub(super) fn model(record: &Record<'_>) -> String {
    record.text(MODEL).unwrap_or_default()
}

/// What a model call cost.
pub(in super::super) fn tokens(record: &Record<'_>) -> Tokens {
    let said = TOKENS.of(record);
    let usage = record.json(USAGE).unwrap_or_default();
    if !said.is_nothing() || !usage.is_object() {
        return said;
    }
    let at = |name: &str| name.split('/').try_fold(&usage, |value, key| value.get(key))?.as_i64();
    let mut counts = USAGE_NAMES.counts(|names| names.iter().find_map(|name| at(name)).unwrap_or_default());
    counts.cache_is_apart = counts.total == 0 && APART.iter().any(|name| at(name).is_some());
    counts.whole()
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

#[cfg(test)]
mod tests {
    use super::REPETITIONS;

    #[test]
    fn repetitions_stand_where_they_are_looked_for() {
        assert!(REPETITIONS.is_sorted(), "{REPETITIONS:?}");
    }
}
