//! Hermes Agent with the plugin `hermes-plugin-otel-tracing`: spans of scope
//! `hermes-agent.otel_tracing`. Written from a description of recorded sessions.
//!
//! Two things in its spans mislead: a tool's `hermes.session.id` is the id of a task, not of the
//! session, so a tool belongs to the session of its trace; and every tool's span has the status of
//! an error, so only what the tool returned says whether it failed.
//!
//! | kind | fact key | from |
//! |---|---|---|
//! | `session_start` | `start` | `hermes.session` |
//! | `prompt`, `response` | the turn's span | `hermes.turn` |
//! | `tool_call`, `tool_result` | the call's id, else the span | `hermes.tool.<name>` |
//! | what a model call cost | `usage:` the span | `chat <model>`, whose words are the turn's |
//!
//! The plugin reports no decisions.

use serde_json::Value;

use super::client::Client;
use super::{Dialect, Mapping, Record, directory, framework, json};
use crate::event::{Kind, SessionEvent, Status, USAGE};
use crate::shell::status::code;

const SCOPE: &str = "hermes-agent.otel_tracing";

const SESSION: &[&str] = &["hermes.session.id"];
const TURN: &[&str] = &["hermes.turn.index"];
const USER: &[&str] = &["enduser.id", "user.email", "user.name"];
const VERSION: &[&str] = &["service.version"];
const MODEL: &[&str] = &["gen_ai.response.model", "gen_ai.request.model"];
const PROMPT: &[&str] = &["hermes.turn.user_message"];
const RESPONSE: &[&str] = &["hermes.turn.assistant_response"];
const TOOL: &[&str] = &["hermes.tool.name"];
const CALL: &[&str] = &["hermes.tool.call_id", "gen_ai.tool.call.id"];
const ARGUMENTS: &[&str] = &["hermes.tool.args"];
const RESULT: &[&str] = &["hermes.tool.result"];

const TOOL_SPAN: &str = "hermes.tool.";
const EXIT_CODES: &[&str] = &["/exit_code", "/returncode"];

const START: &str = "start";
const RANK: i64 = 1;

/// Hermes Agent.
pub(super) struct Hermes;

impl Dialect for Hermes {
    fn name(&self) -> &'static str {
        "hermes"
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        record.scope_name() == SCOPE
    }

    fn map(&self, record: &Record<'_>) -> Mapping {
        match record.name() {
            "hermes.session" => started(record),
            "hermes.turn" => turn(record),
            name if name.starts_with(TOOL_SPAN) => tool(record),
            name if name.starts_with("chat") => cost(record),
            _ => Mapping::UNKNOWN_NAME,
        }
    }
}

const CLIENT: Client = Client {
    name: "hermes",
    session: &[],
    turn: TURN,
    user: USER,
    version: VERSION,
    model: MODEL,
    repetitions: &[],
};

fn event(record: &Record<'_>, kind: Kind, session_id: String) -> SessionEvent {
    SessionEvent { session_id, ..CLIENT.event(record, kind, RANK) }
}

fn started(record: &Record<'_>) -> Mapping {
    let session = record.text(SESSION).unwrap_or_default();
    Mapping::one(SessionEvent { fact_key: START.to_owned(), ..event(record, Kind::SessionStart, session) })
}

fn turn(record: &Record<'_>) -> Mapping {
    let session = record.text(SESSION).unwrap_or_default();
    let prompt = record.content(PROMPT).unwrap_or_default();
    let prompt = SessionEvent {
        fact_key: record.span_id(),
        text: prompt,
        ..event(record, Kind::Prompt, session.clone())
    };
    let response = record.content(RESPONSE).map(|text| SessionEvent {
        fact_key: record.span_id(),
        timestamp: record.end_time().unwrap_or_default(),
        duration_us: record.duration_us(),
        text,
        ..event(record, Kind::Response, session)
    });
    Mapping::Events([Some(prompt), response].into_iter().flatten().collect())
}

fn tool(record: &Record<'_>) -> Mapping {
    record.ignore(SESSION);
    let call = record.text(CALL).unwrap_or_else(|| record.span_id());
    let name = record.name().strip_prefix(TOOL_SPAN).unwrap_or_default();
    let of_call = |kind| SessionEvent {
        fact_key: call.clone(),
        tool_call_id: call.clone(),
        tool: record.text(TOOL).unwrap_or_else(|| name.to_owned()),
        ..event(record, kind, String::new())
    };
    let input = record.content(ARGUMENTS).unwrap_or_default();
    let cwd = directory::of_arguments(&input).unwrap_or_default();
    let output = record.content(RESULT).unwrap_or_default();
    let result = SessionEvent {
        timestamp: record.end_time().unwrap_or_default(),
        duration_us: record.duration_us(),
        status: status(&output),
        output,
        ..of_call(Kind::ToolResult)
    };
    Mapping::Events(vec![SessionEvent { input, cwd, ..of_call(Kind::ToolCall) }, result])
}

/// What a model call cost; the rest of it its turn says. Like a tool, it belongs to the session of its trace.
fn cost(record: &Record<'_>) -> Mapping {
    record.ignore(SESSION);
    let tokens = framework::tokens(record);
    if tokens.is_nothing() || record.span_id().is_empty() {
        return Mapping::DUPLICATE;
    }
    Mapping::one(tokens.in_event(SessionEvent {
        fact_key: format!("{USAGE}{}", record.span_id()),
        timestamp: record.end_time().unwrap_or_default(),
        ..event(record, Kind::Response, String::new())
    }))
}

/// What the tool itself returned, as JSON, says whether it worked.
pub(in crate::dialects) fn status(output: &str) -> Status {
    let Ok(result) = json::parse(output) else {
        return if output.is_empty() { Status::Unknown } else { Status::Ok };
    };
    let says_error = match result.get("error") {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(_) => true,
    };
    let failed = code::in_json(&result, EXIT_CODES).is_some_and(|code| code != 0)
        || result.get("success") == Some(&Value::Bool(false));
    if failed || says_error { Status::Error } else { Status::Ok }
}
