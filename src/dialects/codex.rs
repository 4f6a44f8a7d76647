//! Codex: log records of scope `codex_otel.log_only`, spans of scope `codex_exec` and its kin.
//!
//! The log records tell the session. Of the spans, 550 to 1530 a session with some 150 names, three
//! say something that no log record says; the others are internals and cost a comparison of their
//! names. What the log records leave out: the client's time is in `event.timestamp` alone (the log's
//! own time is 0), its name in `event.name` (the log's own name is a place in its source code), and
//! `thread.id` is a number of the operating system; `session_task.turn` carries it a second time, as
//! the session's id.
//!
//! | kind | fact key | from |
//! |---|---|---|
//! | `session_start` | `start` | `codex.conversation_starts`; the working directory from `run_sampling_request`, whose session `run_turn`, its parent, names |
//! | `prompt` | | `codex.user_prompt` (has no id; a resent record has the same event id) |
//! | `tool_call` | the call's id | `codex.tool_result`, `codex.tool_decision` |
//! | `tool_result` | the call's id | `codex.tool_result` |
//! | `decision` | the call's id | `codex.tool_decision`; a refusal also from `codex.tool_result` |
//! | `response` | the turn's id: the client reports a turn's last message only | `codex.agent_response`; tokens from `session_task.turn` |
//! | `skill_use` | | `codex.skill_invocation` (name and attributes read from the program, not seen) |
//! | `error` | | `codex.api_request` that failed |
//!
//! A sub-agent is a conversation of its own. A decision by `User` is a person's; `Config` and
//! `AutomatedReviewer` are not.

use std::time::Duration;

use super::client::Client;
use super::costs::Names;
use super::{Dialect, Mapping, Record, directory, json, mcp, repository};
use crate::event::{Decision, Kind, SessionEvent, Status, Timestamp};
use crate::shell::status::code::{self, Form};

/// The beginning of the scopes of all of the client's signals and front ends.
const SCOPE: &str = "codex";

const NAME: &[&str] = &["event.name"];
const TIME: &[&str] = &["event.timestamp"];
const SESSION: &[&str] = &["conversation.id"];
const THREAD: &str = "thread.id";
const TURN: &[&str] = &["turn.id", "turn_id"];
const USER: &[&str] = &["enduser.id", "user.email", "user.name", "user.account_id"];
const VERSION: &[&str] = &["app.version", "service.version"];
const MODEL: &[&str] = &["model", "slug"];
const PROMPT: &[&str] = &["prompt"];
const RESPONSE: &[&str] = &["response"];
const AGENT: &[&str] = &["agent_name", "agent.type"];
const TOOL: &[&str] = &["tool_name"];
const CALL: &[&str] = &["call_id"];
const ARGUMENTS: &[&str] = &["arguments"];
const OUTPUT: &[&str] = &["output"];
const SUCCESS: &[&str] = &["success"];
const DURATION_MS: &[&str] = &["duration_ms"];
const MCP_SERVER: &[&str] = &["mcp_server"];
const DECISION: &[&str] = &["decision"];
const DECISION_SOURCE: &[&str] = &["source"];
const CWD: &[&str] = &["cwd"];
const SKILL: &[&str] = &["skill.name"];
const HTTP_STATUS: &[&str] = &["http.response.status_code"];
const ERROR: &[&str] = &["error.message", "error"];
const TOKENS: Names = Names {
    input: &["codex.turn.token_usage.input_tokens"],
    output: &["codex.turn.token_usage.output_tokens"],
    cache_read: &["codex.turn.token_usage.cached_input_tokens"],
    cache_write: &["codex.turn.token_usage.cache_write_input_tokens"],
    reasoning: &["codex.turn.token_usage.reasoning_output_tokens"],
    total: &["codex.turn.token_usage.total_tokens"],
    ..Names::NONE
};
const TRUNCATED: &[&str] = &["output_truncated", "response_truncated"];
/// Said by every record, and nothing about the session.
const REPETITIONS: &[&str] = &[
    "slug",
    "busy_ns",
    "idle_ns",
    "target",
    "code.file.path",
    "code.line.number",
    "code.module.name",
    "thread.id",
    "thread.name",
    "auth.env_openai_api_key_present",
    "auth.env_codex_api_key_present",
    "auth.env_codex_api_key_enabled",
    "auth.env_provider_key_name",
    "auth.env_provider_key_present",
    "auth.env_refresh_token_url_override_present",
];

/// The names of the agent that talks with the person.
const MAIN_AGENTS: &[&str] = &["/root", "main"];

/// Log records about the client's own workings.
const NOISE: &[&str] = &[
    "codex.agent_communication",
    "codex.auth_recovery",
    "codex.guardian_assessment",
    "codex.sandbox_outcome",
    "codex.sse_event",
    "codex.startup_phase",
    "codex.tool_call_received",
    "codex.tool_result_ready",
    "codex.turn_cost",
    "codex.turn_profile",
    "codex.turn_ttft",
    "codex.websocket_connect",
    "codex.websocket_event",
    "codex.websocket_request",
];

/// The header that the client puts before a command's output, in its several versions.
const EXIT_CODES: &[Form] = &[
    Form { before: "Process exited with code", header_end: Some("Output:"), opens_line: true },
    Form { before: "Exit code:", header_end: Some("Output:"), opens_line: true },
];
/// The same in versions whose output is JSON.
const JSON_EXIT_CODES: &[&str] = &["/metadata/exit_code"];

/// How the output of a call reads that was not allowed to run, and who refused in the client's own
/// words for a decision. A command that the sandbox stopped did run, and failed.
const REFUSALS: &[(&str, &str)] = &[
    ("rejected by user approval settings", "Config"),
    ("rejected by user", "User"),
    ("rejected: ", "Config"),
    ("rejected due to", "AutomatedReviewer"),
    ("reject command", "Config"),
];

/// The ends of an output that the client cut.
const CUT: &str = "[... telemetry preview truncated ...]";

const START: &str = "start";

/// The result knows a call's input; a decision knows only that it was asked for.
const RESULT_RANK: i64 = 2;
const MENTION_RANK: i64 = 1;

/// Codex.
pub(super) struct Codex;

impl Dialect for Codex {
    fn name(&self) -> &'static str {
        "codex"
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        record.scope_name().starts_with(SCOPE)
    }

    fn map(&self, record: &Record<'_>) -> Mapping {
        match record.as_span() {
            Some(_) => map_span(record),
            None => map_log(record),
        }
    }
}

fn map_span(record: &Record<'_>) -> Mapping {
    match record.name() {
        "session_task.turn" => turn(record),
        "run_turn" => started(record, record.text(SESSION)),
        // Its session is its parent's, `run_turn`.
        "run_sampling_request" if record.has(CWD) => started(record, Some(String::new())),
        _ => Mapping::NOISE,
    }
}

fn map_log(record: &Record<'_>) -> Mapping {
    let Some(name) = record.text(NAME) else {
        // The client's own log lines.
        return Mapping::NOISE;
    };
    match name.as_str() {
        "codex.user_prompt" => Mapping::one(user_prompt(record)),
        "codex.tool_result" => tool_result(record),
        "codex.tool_decision" => tool_decision(record),
        "codex.agent_response" => Mapping::one(agent_response(record)),
        "codex.conversation_starts" => started(record, record.text(SESSION)),
        "codex.api_request" => api_request(record),
        "codex.skill_invocation" => Mapping::one(SessionEvent {
            skill: record.text(SKILL).unwrap_or_default(),
            ..event(record, Kind::SkillUse, RESULT_RANK)
        }),
        name if NOISE.contains(&name) => Mapping::NOISE,
        _ => Mapping::UNKNOWN_NAME,
    }
}

const CLIENT: Client = Client {
    name: "codex",
    session: SESSION,
    turn: TURN,
    user: USER,
    version: VERSION,
    model: MODEL,
    repetitions: REPETITIONS,
};

fn event(record: &Record<'_>, kind: Kind, rank: i64) -> SessionEvent {
    SessionEvent {
        timestamp: time(record),
        project: repository::of(record),
        agent: record.text(AGENT).filter(|agent| !MAIN_AGENTS.contains(&agent.as_str())).unwrap_or_default(),
        truncated: record.boolean(TRUNCATED).unwrap_or(false),
        ..CLIENT.event(record, kind, rank)
    }
}

fn time(record: &Record<'_>) -> Timestamp {
    let written = record.text(TIME).and_then(|time| Timestamp::parse_rfc3339(&time));
    written.or_else(|| record.time()).unwrap_or_default()
}

/// A conversation starts again when it is resumed, and every model call states the directory: all
/// are observations of the one start.
fn started(record: &Record<'_>, session: Option<String>) -> Mapping {
    let Some(session_id) = session else {
        return Mapping::INCOMPLETE;
    };
    Mapping::one(SessionEvent {
        fact_key: START.to_owned(),
        session_id,
        turn_id: String::new(),
        cwd: record.text(CWD).unwrap_or_default(),
        ..event(record, Kind::SessionStart, RESULT_RANK)
    })
}

fn user_prompt(record: &Record<'_>) -> SessionEvent {
    SessionEvent {
        text: record.content(PROMPT).unwrap_or_default(),
        ..event(record, Kind::Prompt, RESULT_RANK)
    }
}

fn agent_response(record: &Record<'_>) -> SessionEvent {
    let event = event(record, Kind::Response, RESULT_RANK);
    SessionEvent {
        fact_key: event.turn_id.clone(),
        text: record.content(RESPONSE).unwrap_or_default(),
        ..event
    }
}

fn turn(record: &Record<'_>) -> Mapping {
    let event = event(record, Kind::Response, MENTION_RANK);
    if event.turn_id.is_empty() {
        return Mapping::INCOMPLETE;
    }
    let tokens = TOKENS.of(record);
    if tokens.output == 0 {
        // The model did not answer.
        return Mapping::NOISE;
    }
    Mapping::one(tokens.in_event(SessionEvent {
        fact_key: event.turn_id.clone(),
        session_id: session_of_task(record),
        timestamp: record.end_time().unwrap_or_default(),
        duration_us: record.duration_us(),
        ..event
    }))
}

fn session_of_task(record: &Record<'_>) -> String {
    let threads = record.attributes().filter(|(name, _)| *name == THREAD).map(|(_, thread)| thread);
    threads.into_iter().find(|thread| thread.parse::<u64>().is_err()).unwrap_or_default()
}

fn tool_event(record: &Record<'_>, kind: Kind, rank: i64) -> SessionEvent {
    let call = record.text(CALL).unwrap_or_default();
    SessionEvent {
        fact_key: call.clone(),
        tool: mcp::name(&record.text(MCP_SERVER).unwrap_or_default(), &record.text(TOOL).unwrap_or_default()),
        tool_call_id: call,
        ..event(record, kind, rank)
    }
}

/// The decision and the call that it is about. The word for a yes says how long it holds.
fn tool_decision(record: &Record<'_>) -> Mapping {
    let Some(word) = record.text(DECISION) else {
        return Mapping::INCOMPLETE;
    };
    let decision = if word.starts_with("approved") { Decision::Accept } else { Decision::Reject };
    Mapping::Events(vec![
        tool_event(record, Kind::ToolCall, MENTION_RANK),
        SessionEvent {
            decision,
            decision_source: record.text(DECISION_SOURCE).unwrap_or_default(),
            ..tool_event(record, Kind::Decision, RESULT_RANK)
        },
    ])
}

/// A finished call with its result, or with its refusal. The client writes the record when the call is over.
fn tool_result(record: &Record<'_>) -> Mapping {
    if !record.has(CALL) && !record.has(TOOL) {
        return Mapping::INCOMPLETE;
    }
    let milliseconds = record.integer(DURATION_MS).unwrap_or_default().max(0);
    let took = Duration::from_millis(milliseconds.unsigned_abs());
    let input = record.content(ARGUMENTS).unwrap_or_default();
    let output = record.content(OUTPUT).unwrap_or_default();
    let cwd = directory::of_arguments(&input).unwrap_or_default();
    let started = time(record).saturating_sub(took);
    let call = SessionEvent {
        timestamp: started,
        truncated: false,
        input,
        cwd,
        ..tool_event(record, Kind::ToolCall, RESULT_RANK)
    };
    let succeeded = record.boolean(SUCCESS);
    let exit_code = exit_code_of(&output);
    if succeeded == Some(false)
        && exit_code.is_none()
        && !record.has(MCP_SERVER)
        && let Some((_, source)) = REFUSALS.iter().find(|(words, _)| output.contains(words))
    {
        return Mapping::Events(vec![call, refusal(record, source, output)]);
    }
    let result = SessionEvent {
        duration_us: i64::try_from(took.as_micros()).unwrap_or(i64::MAX),
        status: match (succeeded, exit_code) {
            (Some(false), _) => Status::Error,
            (_, Some(code)) if code != 0 => Status::Error,
            (None, None) => Status::Unknown,
            _ => Status::Ok,
        },
        truncated: record.boolean(TRUNCATED).unwrap_or(false) || output.trim_end().ends_with(CUT),
        output,
        ..tool_event(record, Kind::ToolResult, RESULT_RANK)
    };
    Mapping::Events(vec![call, result])
}

/// Known from the words of the output, so the record of the decision itself knows better.
fn refusal(record: &Record<'_>, source: &str, text: String) -> SessionEvent {
    SessionEvent {
        text,
        decision: Decision::Reject,
        decision_source: source.to_owned(),
        ..tool_event(record, Kind::Decision, MENTION_RANK)
    }
}

pub(super) fn exit_code_of(output: &str) -> Option<i64> {
    code::in_text(output, EXIT_CODES).or_else(|| {
        let json = output.trim_start().starts_with('{').then(|| json::parse(output).ok());
        code::in_json(&json.flatten()?, JSON_EXIT_CODES)
    })
}

/// The client reports every attempt. A successful one adds nothing to the turn's own record.
fn api_request(record: &Record<'_>) -> Mapping {
    let status = record.integer(HTTP_STATUS);
    if status.is_none_or(|status| status < 400) && !record.has(ERROR) {
        return Mapping::NOISE;
    }
    let stated = || status.map(|status| format!("http {status}"));
    Mapping::one(SessionEvent {
        text: record.content(ERROR).or_else(stated).unwrap_or_default(),
        ..event(record, Kind::Error, RESULT_RANK)
    })
}
