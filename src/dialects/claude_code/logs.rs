//! Claude Code's log records, told apart by `event.name`.

use std::time::Duration;

use serde_json::Value;

use super::super::{Mapping, Record};
use super::{
    CALL, ERROR, LOG_RANK, MENTION_RANK, PARAMETERS, REQUEST, arguments, bodies, call_rank, duration_us,
    event, prompt, reply_key, result_rank, status, tool_event,
};
use crate::event::{Decision, Kind, SessionEvent, Status, Timestamp};

const NAME: &[&str] = &["event.name"];
const TIME: &[&str] = &["event.timestamp"];
const PROMPT: &[&str] = &["prompt", "prompt_text"];
/// How a prompt came to the model, and the id that its line in the session's file has.
const DELIVERY: &[&str] = &["delivery.mode"];
const MID_TURN: &str = "mid_turn";
const MESSAGE_UUID: &[&str] = &["message.uuid"];
const RESPONSE: &[&str] = &["response"];
const DECISION: &[&str] = &["decision", "decision_type"];
const DECISION_SOURCE: &[&str] = &["source", "decision_source"];
/// What was said with a decision: a person's words, or the rule.
const REASON: &[&str] = &["decision_reason", "reason", "rejection_reason", "feedback"];
const INPUT: &[&str] = &["tool_input"];
/// Why a tool failed, where the client says more than its class.
const FAILURE: &[&str] = &["error"];
const SKILL: &[&str] = &["skill.name"];
const STARTED_BY: &[&str] = &["managed_settings.trigger"];

/// What the client calls a skill whose name it withholds.
const WITHHELD_SKILL: &str = "custom_skill";

/// Start-up notices, counters and internals.
const NOISE: &[&str] = &[
    "at_mention",
    "auth",
    "compaction",
    "feedback_survey",
    "hook_execution_complete",
    "hook_execution_start",
    "hook_plugin_metrics",
    "hook_registered",
    "mcp_server_connection",
    "permission_mode_changed",
    "plugin_installed",
    "plugin_loaded",
    "retention_sweep",
    "safety_event",
    "subagent_completed",
    "system_prompt",
    "tool",
];

/// A failure after its `api_error`.
const DUPLICATES: &[&str] = &["api_retries_exhausted"];

pub(super) fn map(record: &Record<'_>) -> Mapping {
    let name = name(record);
    match name.as_str() {
        "user_prompt" => one(record, user_prompt(record)),
        "assistant_response" => one(record, assistant_response(record)),
        "tool_decision" => tool_decision(record),
        "tool_result" => tool_result(record),
        "api_error" | "api_refusal" | "internal_error" => one(record, error(record, &name)),
        "skill_activated" => one(record, skill_activated(record)),
        "api_request" => super::usage(record, MENTION_RANK),
        "api_request_body" => bodies::request(record),
        "api_response_body" => bodies::response(record),
        "managed_settings_resolved" => session_start(record),
        name if NOISE.contains(&name) => Mapping::NOISE,
        name if DUPLICATES.contains(&name) => Mapping::DUPLICATE,
        _ => Mapping::UNKNOWN_NAME,
    }
}

/// The attribute is bare, the body and a log record's own name have the client's prefix.
fn name(record: &Record<'_>) -> String {
    let name = record.text(NAME).unwrap_or_else(|| match record.name() {
        "" => record.body_text(),
        name => name.to_owned(),
    });
    name.strip_prefix("claude_code.").map(str::to_owned).unwrap_or(name)
}

fn one(record: &Record<'_>, event: SessionEvent) -> Mapping {
    Mapping::one(SessionEvent { timestamp: time(record), ..event })
}

fn time(record: &Record<'_>) -> Timestamp {
    let written = || record.text(TIME).and_then(|time| Timestamp::parse_rfc3339(&time));
    record.time().or_else(written).unwrap_or_default()
}

fn user_prompt(record: &Record<'_>) -> SessionEvent {
    let text = record.content(PROMPT);
    record.ignore(PROMPT);
    let told = prompt(record, LOG_RANK, text);
    // What was typed while a tool ran shares trace and turn with the prompt before it.
    let typed_meanwhile = record.text(DELIVERY).is_some_and(|mode| mode == MID_TURN);
    match record.text(MESSAGE_UUID).filter(|_| typed_meanwhile) {
        Some(message) => SessionEvent { fact_key: message.clone(), turn_id: message, ..told },
        None => told,
    }
}

fn assistant_response(record: &Record<'_>) -> SessionEvent {
    SessionEvent {
        fact_key: reply_key(record),
        text: record.content(RESPONSE).unwrap_or_default(),
        ..event(record, Kind::Response, LOG_RANK)
    }
}

/// The decision, and the call that it is about: a call that was refused, or that never came to an
/// end, is known from here alone. Without a call id it could not be told from the one that its
/// `tool_result` states, so only a refused call is taken, which has none.
fn tool_decision(record: &Record<'_>) -> Mapping {
    let decision = decision(record, LOG_RANK);
    let call = SessionEvent {
        timestamp: time(record),
        input: parameters(record).unwrap_or_default(),
        ..tool_event(record, Kind::ToolCall, call_rank::DECISION_LOG)
    };
    let refused = decision.decision == Decision::Reject;
    let call = (refused || !call.fact_key.is_empty()).then_some(call);
    let decision = (decision.decision != Decision::None).then_some(decision);
    match call.into_iter().chain(decision).collect::<Vec<_>>() {
        events if events.is_empty() => Mapping::INCOMPLETE,
        events => Mapping::Events(events),
    }
}

fn decision(record: &Record<'_>, rank: i64) -> SessionEvent {
    let decision = record.text(DECISION).and_then(|decision| Decision::parse(decision.trim()));
    SessionEvent {
        timestamp: time(record),
        decision: decision.unwrap_or_default(),
        decision_source: record.text(DECISION_SOURCE).unwrap_or_default(),
        text: record.content(REASON).unwrap_or_default(),
        ..tool_event(record, Kind::Decision, rank)
    }
}

/// The result, and the call with its whole input. The record is written when the call is over.
fn tool_result(record: &Record<'_>) -> Mapping {
    if !record.has(CALL) && !record.has(super::TOOL) {
        return Mapping::INCOMPLETE;
    }
    let (ended, took, status) = (time(record), duration_us(record), status(record));
    let input = record.content(INPUT).or_else(|| parameters(record));
    record.ignore(PARAMETERS);
    let call = SessionEvent {
        timestamp: ended.saturating_sub(Duration::from_micros(took.unsigned_abs())),
        input: input.unwrap_or_default(),
        ..tool_event(record, Kind::ToolCall, call_rank::RESULT_LOG)
    };
    let decision = decision(record, MENTION_RANK);
    if decision.decision == Decision::Reject {
        // A refused call has no result, whatever the record is called.
        return Mapping::Events(vec![call, decision]);
    }
    let failure = (status == Status::Error).then(|| record.content(FAILURE)).flatten();
    let result = SessionEvent {
        timestamp: ended,
        duration_us: took,
        status,
        output: failure.unwrap_or_default(),
        ..tool_event(record, Kind::ToolResult, result_rank::LOG)
    };
    Mapping::Events(vec![call, result])
}

fn parameters(record: &Record<'_>) -> Option<String> {
    match record.json(PARAMETERS)? {
        Value::Object(parameters) => Some(arguments(parameters)),
        _ => record.content(PARAMETERS),
    }
}

fn error(record: &Record<'_>, name: &str) -> SessionEvent {
    SessionEvent {
        fact_key: record.text(REQUEST).unwrap_or_default(),
        text: record.content(ERROR).unwrap_or_else(|| name.to_owned()),
        duration_us: duration_us(record),
        ..event(record, Kind::Error, LOG_RANK)
    }
}

fn skill_activated(record: &Record<'_>) -> SessionEvent {
    let skill = record.content(SKILL).filter(|skill| skill != WITHHELD_SKILL);
    SessionEvent { skill: skill.unwrap_or_default(), ..event(record, Kind::SkillUse, LOG_RANK) }
}

/// The first record of every process. A resumed session starts once: readers keep the earliest.
fn session_start(record: &Record<'_>) -> Mapping {
    let event = event(record, Kind::SessionStart, LOG_RANK);
    let at_startup = record.text(STARTED_BY).is_none_or(|trigger| trigger == "startup");
    if !at_startup || event.session_id.is_empty() {
        return Mapping::NOISE;
    }
    one(record, SessionEvent { fact_key: event.session_id.clone(), ..event })
}
