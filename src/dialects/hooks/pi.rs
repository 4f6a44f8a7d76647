//! pi's extension events (`event`; the event itself in `payload` or `data`), as the extension sends
//! them that `skillspan connect pi` writes.
//!
//! | kind | fact key | from |
//! |---|---|---|
//! | `session_start`, `session_end` | their name | `session_start`, `session_shutdown` |
//! | `prompt` | | `input` |
//! | `tool_call` | the call's id | `tool_result`; `tool_call` |
//! | `tool_result` | the call's id | `tool_result` |
//! | `response` | the reply's id, else its time | `message_end` of the assistant |
//! | `error` | the same | `message_end` of the assistant that failed |
//!
//! The client asks nobody for permission.

use super::super::costs::Names;
use super::super::{Mapping, Record};
use super::fields::{Common, Paths, boolean, content, executed, json, output, text, tokens};
use super::{AFTER, BEFORE};
use crate::event::{Kind, SessionEvent, Status, USAGE};

const COMMON: Common = Common {
    session: &["session_id", "sessionId"],
    model: &["payload/message/model", "data/message/model", "model"],
    call: &["payload/toolCallId", "data/toolCallId"],
    tool: &["payload/toolName", "data/toolName"],
    input: &["payload/input", "data/input"],
    ..Common::of("pi")
};
const NAME: Paths = &["event"];
const PROMPT: Paths = &["payload/text", "data/text"];
const OUTPUT: Paths = &["payload/content", "data/content"];
const IS_ERROR: Paths = &["payload/isError", "data/isError"];
const ROLE: Paths = &["payload/message/role", "data/message/role"];
const WORDS: Paths = &["payload/message/content", "data/message/content"];
const REPLY: Paths = &["payload/message/responseId", "data/message/responseId"];
const REPLY_TIME: Paths = &["payload/message/timestamp", "data/message/timestamp"];
const STOP_REASON: Paths = &["payload/message/stopReason", "data/message/stopReason"];
const FAILURE: Paths = &["payload/message/errorMessage", "data/message/errorMessage"];
/// What is cached is not among its input.
const TOKENS: Names = Names {
    input: &["payload/message/usage/input", "data/message/usage/input"],
    output: &["payload/message/usage/output", "data/message/usage/output"],
    cache_read: &["payload/message/usage/cacheRead", "data/message/usage/cacheRead"],
    cache_write: &["payload/message/usage/cacheWrite", "data/message/usage/cacheWrite"],
    reasoning: &["payload/message/usage/reasoning", "data/message/usage/reasoning"],
    cache_is_apart: true,
    ..Names::NONE
};

/// Before and after what other events tell.
const NOISE: &[&str] = &[
    "after_provider_response",
    "agent_end",
    "agent_settled",
    "agent_start",
    "before_provider_headers",
    "before_provider_request",
    "message_start",
    "message_update",
    "model_select",
    "session_compact",
    "session_info_changed",
    "turn_end",
    "turn_start",
    "ui_prompt_end",
    "ui_prompt_start",
    "user_bash",
];
const DUPLICATES: &[&str] = &["before_agent_start", "tool_execution_end", "tool_execution_start"];

pub(super) fn map(record: &Record<'_>) -> Mapping {
    record.ignore(&["payload", "data", "session_file"]);
    match text(record, NAME).unwrap_or_default().as_str() {
        "session_start" => COMMON.edge(record, Kind::SessionStart),
        "session_shutdown" => COMMON.edge(record, Kind::SessionEnd),
        "input" => prompt(record),
        "tool_call" => Mapping::one(COMMON.call(record, Kind::ToolCall, BEFORE)),
        "tool_result" => tool(record),
        "message_end" => message(record),
        name if NOISE.contains(&name) => Mapping::NOISE,
        name if DUPLICATES.contains(&name) => Mapping::DUPLICATE,
        _ => Mapping::UNKNOWN_NAME,
    }
}

fn prompt(record: &Record<'_>) -> Mapping {
    let text = content(record, PROMPT).unwrap_or_default();
    Mapping::one(SessionEvent { text, ..COMMON.event(record, Kind::Prompt, AFTER) })
}

fn tool(record: &Record<'_>) -> Mapping {
    let result = SessionEvent {
        status: match boolean(record, IS_ERROR) {
            Some(true) => Status::Error,
            Some(false) => Status::Ok,
            None => Status::Unknown,
        },
        output: output(&json(record, OUTPUT).unwrap_or_default()),
        ..COMMON.call(record, Kind::ToolResult, AFTER)
    };
    Mapping::Events(executed(record, COMMON.call(record, Kind::ToolCall, AFTER), result).into())
}

/// Of messages only the assistant's are no repetition.
fn message(record: &Record<'_>) -> Mapping {
    match text(record, ROLE).as_deref() {
        Some("assistant") => {}
        Some("user" | "toolResult") => return Mapping::DUPLICATE,
        _ => return Mapping::NOISE,
    }
    let failed = text(record, STOP_REASON).is_some_and(|reason| reason == "error");
    let words = if failed { content(record, FAILURE) } else { spoken(record) };
    let reply = [text(record, REPLY), text(record, REPLY_TIME)];
    let key = reply.into_iter().flatten().collect::<Vec<_>>().join("@");
    let tokens = tokens(record, &TOKENS);
    // A reply that calls tools alone has no words, and costs as much.
    let costs = !failed && tokens.output > 0 && !key.is_empty();
    if words.is_none() && !costs {
        return Mapping::NOISE;
    }
    Mapping::one(tokens.in_event(SessionEvent {
        fact_key: if words.is_some() { key } else { format!("{USAGE}{key}") },
        text: words.unwrap_or_default(),
        ..COMMON.event(record, if failed { Kind::Error } else { Kind::Response }, AFTER)
    }))
}

/// The texts of a message; it may call tools and say nothing.
fn spoken(record: &Record<'_>) -> Option<String> {
    let parts = json(record, WORDS)?;
    if let Some(text) = parts.as_str() {
        return Some(text.to_owned()).filter(|text| !text.is_empty());
    }
    let texts = parts.as_array()?.iter().filter_map(|part| part.get("text")?.as_str());
    Some(texts.collect::<Vec<_>>().join("\n")).filter(|text| !text.is_empty())
}
