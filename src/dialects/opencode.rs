//! OpenCode: the spans of service `opencode`. Written from a description of recorded sessions of
//! 1.18; more than 1000 spans a prompt are internals and cost a comparison of their names.
//!
//! With `experimental.openTelemetry` the client's AI SDK adds the conversation. A step of it is an
//! `ai.streamText` span with an `ai.streamText.doStream` span inside that says the same and more.
//!
//! | kind | fact key | from |
//! |---|---|---|
//! | `prompt` | number of user texts before it, hash of the text | `ai.streamText.doStream` |
//! | `response` | | `ai.streamText.doStream` |
//! | `tool_call` | the call's id | `ai.toolCall`, `Tool.execute` |
//! | `tool_result` | the call's id | `ai.toolCall`; failures also from `Tool.execute` |
//! | `decision` | the call's id | the error of a call that was not allowed |
//! | `error` | | failed `ai.streamText.doStream` |
//!
//! A refusal says who refused: `user` for an answer, `rule` for a configured permission.

use serde_json::Value;

use super::client::Client;
use super::genai::messages::{self, Role};
use super::record::{find, is_withheld, to_text};
use super::{Dialect, Mapping, Record, directory, framework, repository};
use crate::event::{Decision, Kind, SessionEvent, Status, USAGE, sha256_hex};
use crate::shell::status::code;

const SCOPE: &str = "opencode";
const SERVICE: &str = "opencode";
/// The scope of the client's AI SDK.
const SDK_SCOPE: &str = "ai";

const SESSION: &[&str] = &["session.id", "ai.telemetry.metadata.sessionId"];
/// What a request says whose session is a sub-agent's.
const PARENT: &[&str] = &["ai.request.headers.x-parent-session-id"];
const USER: &[&str] = &["enduser.id", "user.email", "ai.telemetry.metadata.userId", "user.name"];
const VERSION: &[&str] = &["service.version"];
const MODEL: &[&str] = &["gen_ai.response.model", "ai.response.model", "ai.model.id", "gen_ai.request.model"];
const MESSAGES: &[&str] = &["ai.prompt.messages"];
const TOOLS: &[&str] = &["ai.prompt.tools"];
const RESPONSE: &[&str] = &["ai.response.text"];
const TOOL: &[&str] = &["ai.toolCall.name", "tool.name"];
const CALL: &[&str] = &["ai.toolCall.id", "tool.call_id"];
const ARGUMENTS: &[&str] = &["ai.toolCall.args", "ai.toolCall.input"];
const RESULT: &[&str] = &["ai.toolCall.result", "ai.toolCall.output"];
const REPETITIONS: &[&str] =
    &["ai.response.toolCalls", "ai.settings.tools", "operation.name", "resource.name"];

const EXIT_CODES: &[&str] = &["/metadata/exit", "/metadata/exitCode"];
/// How the error of a call reads that was not allowed, and who refused.
pub(super) const REFUSALS: &[(&str, &str)] =
    &[("The user rejected permission", "user"), ("The user has specified a rule which prevents", "rule")];

const SDK_RANK: i64 = 2;
const CLIENT_RANK: i64 = 1;

/// OpenCode.
pub(super) struct OpenCode;

impl Dialect for OpenCode {
    fn name(&self) -> &'static str {
        "opencode"
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        let scope = record.scope_name();
        scope == SCOPE || (scope == SDK_SCOPE && record.service() == SERVICE)
    }

    fn map(&self, record: &Record<'_>) -> Mapping {
        if record.as_log().is_some() {
            // Lists of internals without a name.
            return Mapping::NOISE;
        }
        match record.name() {
            "ai.streamText.doStream" => step(record),
            "ai.toolCall" => tool(record, SDK_RANK),
            "Tool.execute" => tool(record, CLIENT_RANK),
            "ai.streamText" => Mapping::DUPLICATE,
            _ => Mapping::NOISE,
        }
    }
}

const CLIENT: Client = Client {
    name: "opencode",
    session: SESSION,
    turn: &[],
    user: USER,
    version: VERSION,
    model: MODEL,
    repetitions: REPETITIONS,
};

fn event(record: &Record<'_>, kind: Kind, rank: i64) -> SessionEvent {
    SessionEvent {
        project: repository::of(record),
        // Its calls say nothing of it; they are the agent's where its database is read as well.
        agent: record.text(PARENT).and_then(|_| record.text(SESSION)).unwrap_or_default(),
        ..CLIENT.event(record, kind, rank)
    }
}

/// One model call. A call without tools is not part of the conversation: the client asks for a
/// title or a summary.
fn step(record: &Record<'_>) -> Mapping {
    if !offers_tools(record) {
        return Mapping::NOISE;
    }
    let mut events = prompts(record);
    let tokens = framework::tokens(record);
    if let Some(text) = record.content(RESPONSE) {
        events.push(tokens.in_event(SessionEvent {
            timestamp: record.end_time().unwrap_or_default(),
            duration_us: record.duration_us(),
            text,
            ..event(record, Kind::Response, SDK_RANK)
        }));
    } else if !tokens.is_nothing() {
        // A reply that calls tools alone costs as much.
        events.push(tokens.in_event(SessionEvent {
            fact_key: format!("{USAGE}{}", record.span_id()),
            timestamp: record.end_time().unwrap_or_default(),
            ..event(record, Kind::Response, SDK_RANK)
        }));
    }
    if let Some(message) = record.failure() {
        events.push(SessionEvent {
            timestamp: record.end_time().unwrap_or_default(),
            text: message.to_owned(),
            ..event(record, Kind::Error, SDK_RANK)
        });
    }
    if events.is_empty() { Mapping::NOISE } else { Mapping::Events(events) }
}

/// The tools themselves are long and the same each time, so looking is not reading.
fn offers_tools(record: &Record<'_>) -> bool {
    record.ignore(TOOLS);
    let tools = record.attributes().find(|(name, _)| TOOLS.contains(name));
    tools.is_some_and(|(_, tools)| !tools.is_empty() && tools != "[]")
}

/// A step repeats the conversation; a retried step repeats its prompt too.
fn prompts(record: &Record<'_>) -> Vec<SessionEvent> {
    let Some(list) = record.json(MESSAGES) else {
        return vec![];
    };
    let messages = messages::parse(&list, Role::User);
    let earlier = messages::user_texts(&messages);
    let prompts = messages::new_prompts(&messages).into_iter();
    let prompts = prompts.filter(|prompt| !is_withheld(&prompt.text));
    let to_event = |prompt: messages::Prompt| SessionEvent {
        fact_key: prompt_key(earlier, &prompt.text),
        text: prompt.text.clone(),
        ..event(record, Kind::Prompt, SDK_RANK)
    };
    prompts.map(to_event).collect()
}

/// The key of a prompt, by the texts of the user so far, it included.
pub(super) fn prompt_key(so_far: usize, text: &str) -> String {
    format!("{so_far}:{}", hash(text))
}

fn hash(text: &str) -> String {
    sha256_hex(text.trim(), 8)
}

/// A call and its outcome.
fn tool(record: &Record<'_>, rank: i64) -> Mapping {
    let call = record.text(CALL).unwrap_or_else(|| record.span_id());
    let of_call = |kind| SessionEvent {
        fact_key: call.clone(),
        tool_call_id: call.clone(),
        tool: record.text(TOOL).unwrap_or_default(),
        ..event(record, kind, rank)
    };
    let input = record.content(ARGUMENTS).unwrap_or_default();
    let cwd = directory::of_arguments(&input).unwrap_or_default();
    let result = record.json(RESULT).unwrap_or_default();
    let failure = failure(record);
    let mut events = vec![SessionEvent { input, cwd, ..of_call(Kind::ToolCall) }];
    let refusal = failure.as_deref().and_then(|text| REFUSALS.iter().find(|(words, _)| text.contains(words)));
    if let Some((_, source)) = refusal {
        events.push(SessionEvent {
            decision: Decision::Reject,
            decision_source: (*source).to_owned(),
            text: failure.as_deref().and_then(crate::shell::refusal::words_of).unwrap_or_default(),
            ..of_call(Kind::Decision)
        });
        return Mapping::Events(events);
    }
    let status = match code::in_json(&result, EXIT_CODES) {
        _ if failure.is_some() => Status::Error,
        Some(code) if code != 0 => Status::Error,
        None if result.is_null() => Status::Unknown,
        _ => Status::Ok,
    };
    events.push(SessionEvent {
        timestamp: record.end_time().unwrap_or_default(),
        duration_us: record.duration_us(),
        output: output_of(&result).or(failure).unwrap_or_default(),
        status,
        ..of_call(Kind::ToolResult)
    });
    Mapping::Events(events)
}

/// What a failed span says of its failure; `None` if it did not fail.
fn failure(record: &Record<'_>) -> Option<String> {
    let message = record.failure()?;
    let exception = || {
        let exception = record.span_events("exception").last()?;
        find(&exception.attributes, "exception.message").map(to_text)
    };
    Some(if message.is_empty() { exception().unwrap_or_default() } else { message.to_owned() })
}

/// A result is `{"title", "metadata", "output"}`.
fn output_of(result: &Value) -> Option<String> {
    match result {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        result => Some(
            result.get("output").and_then(Value::as_str).map_or_else(|| result.to_string(), str::to_owned),
        ),
    }
}
