//! Hermes Agent's shell hooks (`hook_event_name`).
//!
//! | kind | fact key | from |
//! |---|---|---|
//! | `session_start`, `session_end` | their name | `on_session_start`, `on_session_finalize` |
//! | `prompt` | the turn | `pre_llm_call` |
//! | `tool_call` | the call's id | `post_tool_call`; `pre_tool_call` |
//! | `tool_result` | the call's id | `post_tool_call` |
//! | `decision` | the call's id | `post_approval_response`; `post_tool_call` of a blocked call |
//! | `response` | the turn | `post_llm_call` |
//! | `error` | the request | `api_request_error` |
//! | what a model call cost | `usage:` the request | `post_api_request` |
//!
//! `on_session_end` is the end of a turn. A command that failed has the status `ok`: what it came to
//! stands in its result.

use serde_json::Value;

use super::super::costs::Names;
use super::super::hermes::status;
use super::super::{Mapping, Record};
use super::fields::{Common, Paths, content, executed, integer, text, tokens};
use super::{AFTER, BEFORE};
use crate::event::{Decision, Kind, SessionEvent, Status, USAGE};

const COMMON: Common = Common {
    session: &["session_id"],
    turn: &["extra/turn_id"],
    user: &["enduser.id", "user.email", "extra/sender_id", "user.name"],
    model: &["extra/response_model", "extra/model"],
    call: &["extra/tool_call_id"],
    tool: &["tool_name"],
    input: INPUT,
    ..Common::of("hermes")
};
const NAME: Paths = &["hook_event_name"];
const PROMPT: Paths = &["extra/user_message"];
/// Older versions have the second.
const RESPONSE: Paths = &["extra/assistant_response", "extra/response"];
const INPUT: Paths = &["tool_input"];
const RESULT: Paths = &["extra/result"];
const STATUS: Paths = &["extra/status"];
const FAILURE: Paths = &["extra/error_message", "extra/error", "extra/error_type"];
const MILLISECONDS: Paths = &["extra/duration_ms"];
const CHOICE: Paths = &["extra/choice"];
const COMMAND: Paths = &["extra/command"];
const REQUEST: Paths = &["extra/api_request_id"];
/// `input_tokens` are without what is cached, `prompt_tokens` with it; the sum tells.
const TOKENS: Names = Names {
    input: &["extra/usage/prompt_tokens", "extra/usage/input_tokens"],
    output: &["extra/usage/output_tokens", "extra/usage/completion_tokens"],
    cache_read: &["extra/usage/cache_read_tokens"],
    cache_write: &["extra/usage/cache_write_tokens"],
    reasoning: &["extra/usage/reasoning_tokens"],
    total: &["extra/usage/total_tokens"],
    ..Names::NONE
};

const ACCEPTED: &[&str] = &["once", "session", "always", "smart_approve"];

const NOISE: &[&str] = &["on_session_end", "pre_approval_request", "subagent_start", "subagent_stop"];
/// What a model call is asked, the turn says.
const DUPLICATES: &[&str] = &["pre_api_request"];
const NOISY_PREFIXES: &[&str] = &["transform_", "kanban_"];

pub(super) fn map(record: &Record<'_>) -> Mapping {
    match text(record, NAME).unwrap_or_default().as_str() {
        "on_session_start" => COMMON.edge(record, Kind::SessionStart),
        "on_session_finalize" => COMMON.edge(record, Kind::SessionEnd),
        "pre_llm_call" => prompt(record),
        "pre_tool_call" => Mapping::one(COMMON.call(record, Kind::ToolCall, BEFORE)),
        "post_tool_call" => tool(record),
        "post_approval_response" => approval(record),
        "post_llm_call" => response(record),
        "post_api_request" => cost(record),
        "api_request_error" => error(record),
        name if NOISE.contains(&name) => Mapping::NOISE,
        name if DUPLICATES.contains(&name) => Mapping::DUPLICATE,
        name if NOISY_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) => Mapping::NOISE,
        _ => Mapping::UNKNOWN_NAME,
    }
}

fn prompt(record: &Record<'_>) -> Mapping {
    let event = COMMON.event(record, Kind::Prompt, AFTER);
    let text = content(record, PROMPT).unwrap_or_default();
    Mapping::one(SessionEvent { fact_key: event.turn_id.clone(), text, ..event })
}

fn response(record: &Record<'_>) -> Mapping {
    let event = COMMON.event(record, Kind::Response, AFTER);
    match content(record, RESPONSE) {
        Some(text) => Mapping::one(SessionEvent { fact_key: event.turn_id.clone(), text, ..event }),
        // A turn that was interrupted has none.
        None => Mapping::NOISE,
    }
}

fn tool(record: &Record<'_>) -> Mapping {
    let stated = text(record, STATUS).unwrap_or_default();
    let made = COMMON.call(record, Kind::ToolCall, AFTER);
    if stated == "blocked" {
        let refusal = SessionEvent {
            decision: Decision::Reject,
            decision_source: stated,
            text: content(record, FAILURE).unwrap_or_default(),
            ..COMMON.call(record, Kind::Decision, BEFORE)
        };
        return Mapping::Events(vec![made, refusal]);
    }
    let output = content(record, RESULT).or_else(|| content(record, FAILURE)).unwrap_or_default();
    let result = SessionEvent {
        duration_us: integer(record, MILLISECONDS).unwrap_or_default().max(0).saturating_mul(1_000),
        status: if stated == "error" { Status::Error } else { status(&output) },
        output,
        ..COMMON.call(record, Kind::ToolResult, AFTER)
    };
    Mapping::Events(executed(record, made, result).into())
}

/// A person's answer to the question whether a command may run.
fn approval(record: &Record<'_>) -> Mapping {
    let Some(choice) = text(record, CHOICE) else { return Mapping::INCOMPLETE };
    let decision = SessionEvent {
        decision: if ACCEPTED.contains(&choice.as_str()) { Decision::Accept } else { Decision::Reject },
        decision_source: choice,
        ..COMMON.call(record, Kind::Decision, AFTER)
    };
    if decision.decision == Decision::Accept || decision.fact_key.is_empty() {
        return Mapping::one(decision);
    }
    let command =
        content(record, COMMAND).map(|command| Value::from_iter([("command", command)]).to_string());
    let refused = SessionEvent {
        input: content(record, INPUT).or(command).unwrap_or_default(),
        ..COMMON.call(record, Kind::ToolCall, BEFORE)
    };
    Mapping::Events(vec![refused, decision])
}

fn error(record: &Record<'_>) -> Mapping {
    let event = COMMON.event(record, Kind::Error, AFTER);
    Mapping::one(SessionEvent {
        fact_key: text(record, REQUEST).unwrap_or_default(),
        text: content(record, FAILURE).unwrap_or_default(),
        ..event
    })
}

/// What a model call cost; its words are the turn's.
fn cost(record: &Record<'_>) -> Mapping {
    let tokens = tokens(record, &TOKENS);
    let Some(request) = text(record, REQUEST).filter(|_| !tokens.is_nothing()) else {
        return Mapping::DUPLICATE;
    };
    let event = COMMON.event(record, Kind::Response, BEFORE);
    Mapping::one(tokens.in_event(SessionEvent { fact_key: format!("{USAGE}{request}"), ..event }))
}
