//! Gemini CLI: log records and spans of scope `gemini-cli`.
//!
//! The log records tell the session. Three things in them mislead: `prompt_id` is the session's id,
//! not a turn's (a sub-agent's is `agent id#number`); a `tool_call` has no call id, and the span that
//! it stands in is shared by all calls of one reply; a failed command is a `success`, and only
//! `metadata` knows its exit code. The call ids are on `tool_call` spans, whose parent is that shared
//! span. So a call is keyed by (shared span, tool, arguments), which the log record always knows and
//! the span knows where it carries content; without content the span says nothing new.
//!
//! | kind | fact key | from |
//! |---|---|---|
//! | `session_start` | `start` | `config`; the working directory from the first `api_request` |
//! | `prompt` | | `user_prompt`; a sub-agent's task from its first `api_request` |
//! | `tool_call`, `tool_result` | shared span, tool, arguments; else the record | `tool_call`, log record; the output from `tool_call`, span |
//! | `decision` | the same | `tool_call`, log record |
//! | `response` | the response's id | `api_response` |
//! | `skill_use` | the call's | `tool_call` of `activate_skill` |
//! | `error` | | `api_error` |
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | what every record says, prompts, responses, errors |
//! | `tools.rs` | calls of tools |
//!
//! The words of a decision: `accept` and `modify` are a person's in an interactive session and the
//! approval mode's in any other, `reject` is a person's, `auto_accept` repeats an earlier answer.

mod tools;

pub(super) use tools::unwrapped;

use serde_json::Value;

use super::client::Client;
use super::costs::Names;
use super::record::is_withheld;
use super::{Dialect, Mapping, Record, directory, repository};
use crate::event::{Kind, SessionEvent, USAGE};

const SCOPE: &str = "gemini-cli";

const NAME: &[&str] = &["event.name"];
const TIME: &[&str] = &["event.timestamp"];
const SESSION: &[&str] = &["session.id", "gen_ai.conversation.id"];
const PROMPT_ID: &[&str] = &["prompt_id", "gen_ai.prompt.name"];
/// Its `installation.id` is a random id, no person.
const USER: &[&str] = &["enduser.id", "user.email", "user.name"];
const MODEL: &[&str] = &["model", "gen_ai.request.model"];
const PROMPT: &[&str] = &["prompt"];
const ROLE: &[&str] = &["role"];
const REQUEST: &[&str] = &["request_text"];
const RESPONSE: &[&str] = &["response_text"];
const TOKENS: Names = Names {
    input: &["input_token_count"],
    output: &["output_token_count"],
    cache_read: &["cached_content_token_count"],
    reasoning: &["thoughts_token_count"],
    of_tools: &["tool_token_count"],
    total: &["total_token_count"],
    ..Names::NONE
};
const DURATION_MS: &[&str] = &["duration_ms"];
const ERROR: &[&str] = &["error", "error.message"];
const ERROR_TYPE: &[&str] = &["error_type", "error.type"];
const STATUS_CODE: &[&str] = &["status_code", "http.status_code"];
/// Said by every record, long, and nothing about the session. `service.version` is Node's, and the
/// command line holds the prompt whether or not prompts may be logged.
const REPETITIONS: &[&str] = &[
    "service.version",
    "process.command",
    "process.command_args",
    "process.executable.name",
    "process.executable.path",
    "process.runtime.description",
    "process.runtime.name",
    "process.runtime.version",
    "gen_ai.agent.description",
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
    "gen_ai.tool.description",
    "start_time",
    "end_time",
];

/// Records of the client's own workings, without their prefix; every `…_count` metric has its own
/// signal.
const NOISE: &[&str] = &[
    "agent.finish",
    "agent.recovery_attempt",
    "agent.start",
    "approval_mode_duration",
    "approval_mode_switch",
    "chat.content_retry",
    "chat.content_retry_failure",
    "chat.invalid_chunk",
    "chat_compression",
    "conseca.policy_generation",
    "conseca.verdict",
    "conversation_finished",
    "edit_correction",
    "edit_strategy",
    "extension_disable",
    "extension_enable",
    "extension_install",
    "extension_uninstall",
    "extension_update",
    "file_operation",
    "flash_fallback",
    "hook_call",
    "ide_connection",
    "keychain.availability",
    "llm_loop_check",
    "loop_detected",
    "loop_detection_disabled",
    "malformed_json_response",
    "model_routing",
    "model_slash_command",
    "network_retry_attempt",
    "next_speaker_check",
    "plan.approval_mode_duration",
    "plan.approval_mode_switch",
    "plan_execution",
    "rewind",
    "ripgrep_fallback",
    "slash_command",
    "slash_command.model",
    "startup_stats",
    "token_storage.initialization",
    "tool_output_masking",
    "tool_output_truncated",
    "web_fetch_fallback_attempt",
];

/// The same call again, with the conventions' names.
const DETAILS: &str = "gen_ai.client.inference.operation.details";

/// What the client tells its model about the workspace.
pub(super) const DIRECTORY_WORDS: &[&str] =
    &["Workspace Directories:", "working in the directory:", "working directory:"];

const START: &str = "start";

/// The log record states status and input; the span the whole output, but no status.
const LOG_RANK: i64 = 2;
const SPAN_RANK: i64 = 1;

/// Gemini CLI.
pub(super) struct GeminiCli;

impl Dialect for GeminiCli {
    fn name(&self) -> &'static str {
        "gemini-cli"
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        record.scope_name() == SCOPE
    }

    fn map(&self, record: &Record<'_>) -> Mapping {
        match record.as_span() {
            Some(_) => map_span(record),
            None => map_log(record),
        }
    }
}

fn map_log(record: &Record<'_>) -> Mapping {
    let name = record.text(NAME).unwrap_or_default();
    match name.strip_prefix("gemini_cli.").unwrap_or(&name) {
        "user_prompt" => Mapping::one(user_prompt(record)),
        "tool_call" => tools::tool_call(record),
        "api_response" => api_response(record),
        "api_request" => api_request(record),
        "api_error" => Mapping::one(api_error(record)),
        "config" => Mapping::one(SessionEvent {
            fact_key: START.to_owned(),
            ..event(record, Kind::SessionStart, LOG_RANK)
        }),
        DETAILS => Mapping::DUPLICATE,
        name if NOISE.contains(&name) => Mapping::NOISE,
        _ => Mapping::UNKNOWN_NAME,
    }
}

fn map_span(record: &Record<'_>) -> Mapping {
    match record.name() {
        "tool_call" => tools::tool_span(record),
        "llm_call" | "agent_call" => Mapping::DUPLICATE,
        "schedule_tool_calls" | "system_prompt" | "user_prompt" => Mapping::NOISE,
        _ => Mapping::UNKNOWN_NAME,
    }
}

const CLIENT: Client = Client {
    name: "gemini-cli",
    session: SESSION,
    turn: &[],
    user: USER,
    version: &[],
    model: MODEL,
    repetitions: REPETITIONS,
};

fn event(record: &Record<'_>, kind: Kind, rank: i64) -> SessionEvent {
    SessionEvent {
        timestamp: record.time_or_written(TIME).unwrap_or_default(),
        project: repository::of(record),
        agent: agent(record),
        ..CLIENT.event(record, kind, rank)
    }
}

/// A sub-agent's id stands before the `#` of its prompt's id.
fn agent(record: &Record<'_>) -> String {
    let prompt = record.text(PROMPT_ID).unwrap_or_default();
    let is_utility = |role: &String| role.starts_with("utility");
    match prompt.split_once('#') {
        Some((agent, number)) if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => {
            agent.to_owned()
        }
        // The client asks for its own ends: whose turn it is, which model to take, a summary.
        _ => record.text(ROLE).filter(is_utility).unwrap_or_default(),
    }
}

fn user_prompt(record: &Record<'_>) -> SessionEvent {
    SessionEvent { text: record.content(PROMPT).unwrap_or_default(), ..event(record, Kind::Prompt, LOG_RANK) }
}

/// Repeats the conversation so far. Only the first of an agent says something new: where a session
/// takes place, what a sub-agent's task is.
fn api_request(record: &Record<'_>) -> Mapping {
    let Some(Value::Array(contents)) = record.json(REQUEST) else {
        return Mapping::NOISE;
    };
    let is_answer = |content: &Value| content.get("role").and_then(Value::as_str) == Some("model");
    if contents.iter().any(is_answer) {
        return Mapping::DUPLICATE;
    }
    let text = contents.iter().flat_map(parts).filter_map(text_of).collect::<Vec<_>>().join("\n");
    let task = event(record, Kind::Prompt, LOG_RANK);
    if record.text(ROLE).is_some_and(|role| role == "subagent") && !task.agent.is_empty() {
        return Mapping::one(SessionEvent { fact_key: task.agent.clone(), text, ..task });
    }
    match directory::after(&text, DIRECTORY_WORDS).filter(|_| task.agent.is_empty()) {
        Some(cwd) => Mapping::one(SessionEvent {
            fact_key: START.to_owned(),
            cwd,
            ..event(record, Kind::SessionStart, SPAN_RANK)
        }),
        None => Mapping::NOISE,
    }
}

/// The text of a reply; its calls have records of their own.
fn api_response(record: &Record<'_>) -> Mapping {
    let (text, id) = match record.json(RESPONSE) {
        Some(Value::Array(chunks)) => reply_of(&chunks),
        Some(Value::String(text)) => (text, String::new()),
        _ => (String::new(), String::new()),
    };
    let event = event(record, Kind::Response, LOG_RANK);
    if is_withheld(&text) || event.agent.starts_with("utility") {
        return usage(record, event, &id);
    }
    let tokens = TOKENS.of(record);
    Mapping::one(tokens.in_event(SessionEvent {
        fact_key: id,
        text,
        duration_us: duration_us(record),
        ..event
    }))
}

/// What a reply cost that calls tools alone, or whose words are the client's own affair.
fn usage(record: &Record<'_>, event: SessionEvent, id: &str) -> Mapping {
    let tokens = TOKENS.of(record);
    if tokens.is_nothing() {
        return Mapping::NOISE;
    }
    let own = || record.digest().event_id("", "usage", Kind::Response, 0);
    let id = if id.is_empty() { own() } else { id.to_owned() };
    Mapping::one(tokens.in_event(SessionEvent { fact_key: format!("{USAGE}{id}"), ..event }))
}

/// Text and id of a reply, which may come in several chunks.
fn reply_of(chunks: &[Value]) -> (String, String) {
    let candidates = chunks.iter().filter_map(|chunk| chunk.pointer("/candidates/0/content"));
    let text = candidates.flat_map(parts).filter_map(text_of).collect();
    let id = chunks.iter().find_map(|chunk| chunk.get("responseId")?.as_str());
    (text, id.unwrap_or_default().to_owned())
}

fn parts(content: &Value) -> impl Iterator<Item = &Value> {
    content.get("parts").and_then(Value::as_array).into_iter().flatten()
}

/// The text of a part; reasoning is marked as `thought`.
fn text_of(part: &Value) -> Option<&str> {
    let is_thought = part.get("thought").and_then(Value::as_bool) == Some(true);
    part.get("text")?.as_str().filter(|_| !is_thought)
}

fn api_error(record: &Record<'_>) -> SessionEvent {
    let status = || record.text(STATUS_CODE).map(|code| format!("http {code}"));
    let text = record.content(ERROR).or_else(|| record.text(ERROR_TYPE)).or_else(status);
    SessionEvent {
        text: text.unwrap_or_default(),
        duration_us: duration_us(record),
        ..event(record, Kind::Error, LOG_RANK)
    }
}

fn duration_us(record: &Record<'_>) -> i64 {
    record.integer(DURATION_MS).unwrap_or_default().max(0).saturating_mul(1_000)
}
