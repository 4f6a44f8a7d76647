//! Qwen Code: log records and spans of scope `qwen-code`.
//!
//! Both signals are always sent and share their ids. A prompt's id is the session's with a number
//! that starts again in a resumed session, so prompts are taken from log records alone; some model
//! servers give every reply one id, so a reply is known by its span, which both signals name.
//!
//! | kind | fact key | from |
//! |---|---|---|
//! | `session_start`, `session_end` | `start`; | `session.start`, `qwen-code.config`; `session.end`; the directory from the first `api_request` |
//! | `prompt` | | `user_prompt` |
//! | `tool_call`, `tool_result` | the call's id | `tool_call`, log record; `qwen-code.tool`, span, which has the output |
//! | `decision` | the call's id | `tool_call`, log record; a refusal also from the span |
//! | `response` | the `llm_request`'s span | `api_response`; `qwen-code.llm_request` |
//! | `skill_use` | | `skill_launch` |
//! | `error` | | `api_error` |
//!
//! The words of a decision: `accept` and `modify` and `reject` are a person's, `auto_accept` is the
//! approval mode's. A span's `tool.failure_kind` names the policy that refused.

use std::time::Duration;

use serde_json::Value;

use super::client::Client;
use super::costs::Names;
use super::genai::messages::{self, Role};
use super::record::is_withheld;
use super::{Dialect, Mapping, Record, directory, mcp, repository};
use crate::event::{Decision, Kind, SessionEvent, Status, Timestamp, USAGE};
use crate::shell::status::code::{self, Form};

const SCOPE: &str = "qwen-code";
const SERVICE: &str = "qwen-code";

const NAME: &[&str] = &["event.name"];
const TIME: &[&str] = &["event.timestamp"];
const SESSION: &[&str] = &["session.id", "gen_ai.conversation.id"];
const TURN: &[&str] = &["prompt_id", "qwen-code.prompt_id"];
const USER: &[&str] = &["enduser.id", "user.email", "gen_ai.user.id", "user.name"];
const VERSION: &[&str] = &["service.version"];
const MODEL: &[&str] = &["model", "gen_ai.response.model", "gen_ai.request.model", "qwen-code.model"];
const AGENT: &[&str] = &["subagent_name", "qwen-code.subagent.name", "qwen-code.subagent.id"];
const CONTEXT: &[&str] = &["llm_request.context"];
const PROMPT: &[&str] = &["prompt"];
const REQUEST: &[&str] = &["request_text"];
const RESPONSE: &[&str] = &["response_text"];
const OUTPUT_MESSAGES: &[&str] = &["gen_ai.output.messages"];
const TOKENS: Names = Names {
    input: &["input_token_count", "gen_ai.usage.input_tokens"],
    output: &["output_token_count", "gen_ai.usage.output_tokens"],
    cache_read: &["cached_content_token_count", "gen_ai.usage.cache_read.input_tokens"],
    cache_write: &["gen_ai.usage.cache_creation.input_tokens"],
    reasoning: &["thoughts_token_count", "gen_ai.usage.reasoning.output_tokens"],
    of_tools: &["tool_token_count"],
    total: &["total_token_count", "gen_ai.usage.total_tokens"],
    ..Names::NONE
};
const TOOL: &[&str] = &["function_name", "gen_ai.tool.name", "tool_name"];
const CALL: &[&str] = &["call_id", "gen_ai.tool.call.id", "tool.call_id"];
const ARGUMENTS: &[&str] = &["function_args", "gen_ai.tool.call.arguments"];
const RESULT: &[&str] = &["gen_ai.tool.call.result"];
const MCP_SERVER: &[&str] = &["mcp_server_name", "mcp.server.name"];
const SUCCESS: &[&str] = &["success"];
const DECISION: &[&str] = &["decision"];
const FAILURE_KIND: &[&str] = &["tool.failure_kind", "error_type"];
const DURATION_MS: &[&str] = &["duration_ms"];
const SKILL: &[&str] = &["skill_name"];
const ERROR: &[&str] = &["error", "error.message", "error_message"];
/// Long or said twice, and nothing about the session.
const REPETITIONS: &[&str] = &[
    "gen_ai.input.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
    "gen_ai.tool.description",
    "error.message",
    "error.type",
    "new_context",
    "qwen-code.context.usage",
];

/// Records and spans that tell of the session; every other of the client's is about itself.
const KNOWN: &[&str] = &["api_cancel", "api_request_retry", "tool.execution", "tool.blocked_on_user"];

/// The contexts of a model call that is part of the conversation.
const CONVERSATION: &[&str] = &["interaction", "subagent"];

/// Why a call was refused, as `tool.failure_kind` or `error_type`; the others mean that it failed.
const REFUSALS: &[&str] = &[
    "background_agent_denied",
    "cancelled",
    "invocation_guard_denied",
    "non_interactive_denied",
    "permission_denied",
    "permission_hook_denied",
    "plan_mode_blocked",
    "pre_hook_blocked",
];

const EXIT_CODES: &[Form] = &[Form { before: "Exit Code:", header_end: None, opens_line: true }];
const DIRECTORY_WORDS: &[&str] = &["working in the directory:", "working directory:"];

const START: &str = "start";

/// The log record has the arguments as text and the decision; the span has the output.
const LOG_RANK: i64 = 2;
const SPAN_RANK: i64 = 1;

/// Qwen Code.
pub(super) struct Qwen;

impl Dialect for Qwen {
    fn name(&self) -> &'static str {
        "qwen"
    }

    /// The client's HTTP library reports its requests in a scope of its own.
    fn recognises(&self, record: &Record<'_>) -> bool {
        let scope = record.scope_name();
        scope == SCOPE
            || (scope.starts_with("@opentelemetry/instrumentation-") && record.service() == SERVICE)
    }

    fn map(&self, record: &Record<'_>) -> Mapping {
        let name = match record.as_span() {
            Some(span) => span.name.clone(),
            None => record.text(NAME).unwrap_or_default(),
        };
        let bare = name.strip_prefix("qwen-code.").unwrap_or(&name);
        match record.as_span() {
            Some(_) => map_span(record, bare),
            None => map_log(record, bare),
        }
    }
}

fn map_log(record: &Record<'_>, name: &str) -> Mapping {
    match name {
        "session.start" | "config" => Mapping::one(started(record, String::new())),
        "session.end" => Mapping::one(event(record, Kind::SessionEnd, LOG_RANK)),
        "user_prompt" => Mapping::one(user_prompt(record)),
        "api_request" => api_request(record),
        "api_response" => response(record, record.content(RESPONSE).unwrap_or_default(), LOG_RANK),
        "api_error" => Mapping::one(api_error(record)),
        "tool_call" => tool_call(record),
        "skill_launch" => Mapping::one(SessionEvent {
            skill: record.text(SKILL).unwrap_or_default(),
            ..event(record, Kind::SkillUse, LOG_RANK)
        }),
        _ => Mapping::NOISE,
    }
}

fn map_span(record: &Record<'_>, name: &str) -> Mapping {
    match name {
        "tool" => tool_span(record),
        "llm_request" => llm_request(record),
        "interaction" | "tool.execution" => Mapping::DUPLICATE,
        name if KNOWN.contains(&name) => Mapping::DUPLICATE,
        _ => Mapping::NOISE,
    }
}

const CLIENT: Client = Client {
    name: "qwen",
    session: SESSION,
    turn: TURN,
    user: USER,
    version: VERSION,
    model: MODEL,
    repetitions: REPETITIONS,
};

fn event(record: &Record<'_>, kind: Kind, rank: i64) -> SessionEvent {
    SessionEvent {
        timestamp: record.time_or_written(TIME).unwrap_or_default(),
        project: repository::of(record),
        agent: record.text(AGENT).unwrap_or_default(),
        ..CLIENT.event(record, kind, rank)
    }
}

fn started(record: &Record<'_>, cwd: String) -> SessionEvent {
    SessionEvent { fact_key: START.to_owned(), cwd, ..event(record, Kind::SessionStart, LOG_RANK) }
}

fn user_prompt(record: &Record<'_>) -> SessionEvent {
    SessionEvent { text: record.content(PROMPT).unwrap_or_default(), ..event(record, Kind::Prompt, LOG_RANK) }
}

/// Repeats the conversation so far; the first says where the session takes place.
fn api_request(record: &Record<'_>) -> Mapping {
    let Some(Value::Array(contents)) = record.json(REQUEST) else {
        return Mapping::NOISE;
    };
    let is_answer = |content: &Value| content.get("role").and_then(Value::as_str) == Some("model");
    if contents.iter().any(is_answer) {
        return Mapping::DUPLICATE;
    }
    let parts = contents.iter().filter_map(|content| content.get("parts")?.as_array()).flatten();
    let texts: Vec<&str> = parts.filter_map(|part| part.get("text")?.as_str()).collect();
    match directory::after(&texts.join("\n"), DIRECTORY_WORDS) {
        Some(cwd) if !record.has(AGENT) => Mapping::one(started(record, cwd)),
        _ => Mapping::NOISE,
    }
}

fn llm_request(record: &Record<'_>) -> Mapping {
    if record.text(CONTEXT).is_some_and(|context| !CONVERSATION.contains(&context.as_str())) {
        return Mapping::NOISE;
    }
    let output = record.json(OUTPUT_MESSAGES).unwrap_or_default();
    let text = messages::last_answer(&messages::parse(&output, Role::Assistant));
    response(record, text.unwrap_or_default(), SPAN_RANK)
}

/// A reply of tool calls alone has no text, and a reply whose text is withheld says nothing.
fn response(record: &Record<'_>, text: String, rank: i64) -> Mapping {
    let has_words = !is_withheld(&text);
    let tokens = TOKENS.of(record);
    if !has_words && (tokens.is_nothing() || record.span_id().is_empty()) {
        return Mapping::NOISE;
    }
    let event = event(record, Kind::Response, rank);
    Mapping::one(tokens.in_event(SessionEvent {
        fact_key: if has_words { record.span_id() } else { format!("{USAGE}{}", record.span_id()) },
        timestamp: record.end_time().unwrap_or(event.timestamp),
        text: if has_words { text } else { String::new() },
        duration_us: duration_us(record),
        ..event
    }))
}

fn api_error(record: &Record<'_>) -> SessionEvent {
    SessionEvent {
        text: record.content(ERROR).unwrap_or_default(),
        duration_us: duration_us(record),
        ..event(record, Kind::Error, LOG_RANK)
    }
}

fn duration_us(record: &Record<'_>) -> i64 {
    record.integer(DURATION_MS).unwrap_or_default().max(0).saturating_mul(1_000)
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

/// The call with its arguments, made compact: the client's log records indent them.
fn call(record: &Record<'_>, started: Timestamp, rank: i64) -> SessionEvent {
    let input = match record.json(ARGUMENTS) {
        Some(Value::String(text)) => text,
        Some(arguments) if !arguments.is_null() => arguments.to_string(),
        _ => String::new(),
    };
    SessionEvent {
        timestamp: started,
        cwd: directory::of_arguments(&input).unwrap_or_default(),
        input,
        ..tool_event(record, Kind::ToolCall, rank)
    }
}

/// A finished call: its outcome and the person's decision. The client writes the record when the call is over.
fn tool_call(record: &Record<'_>) -> Mapping {
    if !record.has(TOOL) {
        return Mapping::INCOMPLETE;
    }
    let took = duration_us(record);
    let started = record
        .time_or_written(TIME)
        .unwrap_or_default()
        .saturating_sub(Duration::from_micros(took.unsigned_abs()));
    let mut events = vec![call(record, started, LOG_RANK)];
    let status = status(record, "");
    let word = record.text(DECISION).unwrap_or_default();
    let refusal = refusal(record).or_else(|| (word == "reject").then(|| word.clone()));
    let decision = match (&refusal, word.as_str()) {
        (Some(_), _) => Decision::Reject,
        (None, "accept" | "auto_accept" | "modify") => Decision::Accept,
        (None, _) => Decision::None,
    };
    if decision != Decision::None {
        events.push(SessionEvent {
            decision,
            decision_source: refusal.clone().unwrap_or(word),
            text: refusal.as_ref().and_then(|_| record.content(ERROR)).unwrap_or_default(),
            ..tool_event(record, Kind::Decision, LOG_RANK)
        });
    }
    if refusal.is_none() {
        let failure = (status == Status::Error).then(|| record.content(ERROR)).flatten();
        events.push(SessionEvent {
            duration_us: took,
            status,
            output: failure.unwrap_or_default(),
            ..tool_event(record, Kind::ToolResult, LOG_RANK)
        });
    }
    Mapping::Events(events)
}

fn tool_span(record: &Record<'_>) -> Mapping {
    if !record.has(CALL) {
        // Could not be told from the call that the log record states.
        return Mapping::DUPLICATE;
    }
    let call = call(record, record.time().unwrap_or_default(), SPAN_RANK);
    if let Some(source) = refusal(record) {
        let decision = SessionEvent {
            decision: Decision::Reject,
            decision_source: source,
            ..tool_event(record, Kind::Decision, SPAN_RANK)
        };
        return Mapping::Events(vec![call, decision]);
    }
    let output = record.json(RESULT).map(|result| output_of(&result)).unwrap_or_default();
    let result = SessionEvent {
        timestamp: record.end_time().unwrap_or_default(),
        duration_us: record.duration_us(),
        status: status(record, &output),
        output,
        ..tool_event(record, Kind::ToolResult, SPAN_RANK)
    };
    Mapping::Events(vec![call, result])
}

fn refusal(record: &Record<'_>) -> Option<String> {
    let failed = record.boolean(SUCCESS) == Some(false);
    record.text(FAILURE_KIND).filter(|kind| failed && REFUSALS.contains(&kind.as_str()))
}

fn status(record: &Record<'_>, output: &str) -> Status {
    let exit_code = code::in_text(output, EXIT_CODES).unwrap_or_default();
    match record.boolean(SUCCESS) {
        Some(true) if exit_code == 0 => Status::Ok,
        None if exit_code == 0 && record.failure().is_none() => Status::Unknown,
        _ => Status::Error,
    }
}

/// A result is `{"output": …}` or `{"error": …}`.
fn output_of(result: &Value) -> String {
    let text = ["output", "error"].iter().find_map(|field| result.get(field)?.as_str());
    let text = text.or_else(|| result.as_str());
    text.map_or_else(|| result.to_string(), str::to_owned)
}
