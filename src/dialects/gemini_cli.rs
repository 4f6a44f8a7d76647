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
//! The words of a decision: `accept` and `modify` are a person's in an interactive session and the
//! approval mode's in any other, `reject` is a person's, `auto_accept` repeats an earlier answer.

use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::record::is_withheld;
use super::{Dialect, Mapping, Record, directory, repository};
use crate::event::{Decision, Kind, SessionEvent, Status, Timestamp};

const SCOPE: &str = "gemini-cli";

const NAME: &[&str] = &["event.name"];
const TIME: &[&str] = &["event.timestamp"];
const SESSION: &[&str] = &["session.id", "gen_ai.conversation.id"];
const PROMPT_ID: &[&str] = &["prompt_id", "gen_ai.prompt.name"];
const USER: &[&str] = &["user.email", "enduser.id", "user.name", "installation.id"];
const MODEL: &[&str] = &["model", "gen_ai.request.model"];
const PROMPT: &[&str] = &["prompt"];
const ROLE: &[&str] = &["role"];
const REQUEST: &[&str] = &["request_text"];
const RESPONSE: &[&str] = &["response_text"];
const INPUT_TOKENS: &[&str] = &["input_token_count"];
const OUTPUT_TOKENS: &[&str] = &["output_token_count"];
const TOOL: &[&str] = &["function_name", "gen_ai.tool.name"];
const ARGUMENTS: &[&str] = &["function_args"];
const METADATA: &[&str] = &["metadata"];
const SUCCESS: &[&str] = &["success"];
const DECISION: &[&str] = &["decision"];
const INTERACTIVE: &[&str] = &["interactive"];
const DURATION_MS: &[&str] = &["duration_ms"];
const ERROR: &[&str] = &["error", "error.message"];
const ERROR_TYPE: &[&str] = &["error_type", "error.type"];
const STATUS_CODE: &[&str] = &["status_code", "http.status_code"];
const SPAN_CALL: &[&str] = &["gen_ai.tool.call_id", "gen_ai.tool.call.id"];
const SPAN_INPUT: &[&str] = &["gen_ai.input.messages"];
const SPAN_OUTPUT: &[&str] = &["gen_ai.output.messages"];
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

/// The client's own tools. One that is "not registered" was left out by its approval mode or its
/// settings: a refusal. Any other name that is not registered is a model's invention: an error.
const BUILT_IN_TOOLS: &[&str] = &[
    "glob",
    "google_web_search",
    "grep_search",
    "list_directory",
    "read_file",
    "read_many_files",
    "replace",
    "run_shell_command",
    "save_memory",
    "search_file_content",
    "web_fetch",
    "write_file",
    "write_todos",
];
const NOT_REGISTERED: &str = "tool_not_registered";
/// The kinds of errors that mean that a policy refused.
const REFUSED: &[&str] = &["policy_violation"];

const SKILL_TOOL: &str = "activate_skill";
/// What the client tells its model about the workspace.
const DIRECTORY_WORDS: &[&str] =
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
        "tool_call" => tool_call(record),
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
        "tool_call" => tool_span(record),
        "llm_call" | "agent_call" => Mapping::DUPLICATE,
        "schedule_tool_calls" | "system_prompt" | "user_prompt" => Mapping::NOISE,
        _ => Mapping::UNKNOWN_NAME,
    }
}

fn event(record: &Record<'_>, kind: Kind, rank: i64) -> SessionEvent {
    record.ignore(REPETITIONS);
    let text = |names| record.text(names).unwrap_or_default();
    SessionEvent {
        kind,
        rank,
        session_id: text(SESSION),
        timestamp: time(record),
        user_id: text(USER),
        project: repository::of(record),
        assistant: "gemini-cli".to_owned(),
        agent: agent(record),
        model: text(MODEL),
        ..SessionEvent::default()
    }
}

fn time(record: &Record<'_>) -> Timestamp {
    let written = || record.text(TIME).and_then(|time| Timestamp::parse_rfc3339(&time));
    record.time().or_else(written).unwrap_or_default()
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
        _ => return Mapping::NOISE,
    };
    let event = event(record, Kind::Response, LOG_RANK);
    if is_withheld(&text) || event.agent.starts_with("utility") {
        return Mapping::NOISE;
    }
    Mapping::one(SessionEvent {
        fact_key: id,
        text,
        duration_us: duration_us(record),
        input_tokens: record.integer(INPUT_TOKENS).unwrap_or_default(),
        output_tokens: record.integer(OUTPUT_TOKENS).unwrap_or_default(),
        ..event
    })
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

/// The call, what came of it and what was decided. The record is written when it is over.
fn tool_call(record: &Record<'_>) -> Mapping {
    let Some(tool) = record.text(TOOL) else {
        return Mapping::INCOMPLETE;
    };
    let input = record.json(ARGUMENTS).filter(|arguments| !arguments.is_null());
    let key = call_key(record, &record.span_id(), &tool, input.as_ref());
    let of_call = |kind| SessionEvent {
        fact_key: key.clone(),
        tool_call_id: key.clone(),
        tool: tool.clone(),
        ..event(record, kind, LOG_RANK)
    };
    let duration_us = duration_us(record);
    let text = input.as_ref().map(as_text).unwrap_or_default();
    let call = SessionEvent {
        timestamp: time(record).saturating_sub(Duration::from_micros(duration_us.unsigned_abs())),
        cwd: directory::of_arguments(&text).unwrap_or_default(),
        input: text,
        ..of_call(Kind::ToolCall)
    };
    let mut events = vec![call];
    events.extend(
        skill_of(&tool, input.as_ref()).map(|skill| SessionEvent { skill, ..of_call(Kind::SkillUse) }),
    );
    let (decision, source) = decision(record, &tool);
    if decision != Decision::None {
        events.push(SessionEvent { decision, decision_source: source, ..of_call(Kind::Decision) });
    }
    if decision != Decision::Reject {
        let status = status(record);
        let failure = (status == Status::Error).then(|| record.content(ERROR)).flatten();
        events.push(SessionEvent {
            duration_us,
            status,
            output: failure.unwrap_or_default(),
            ..of_call(Kind::ToolResult)
        });
    }
    Mapping::Events(events)
}

fn skill_of(tool: &str, input: Option<&Value>) -> Option<String> {
    let name = input.filter(|_| tool == SKILL_TOOL)?.get("name")?.as_str()?;
    Some(name.to_owned())
}

fn status(record: &Record<'_>) -> Status {
    let metadata = record.json(METADATA).unwrap_or_default();
    let exit_code = metadata.get("exitCode").and_then(Value::as_i64).unwrap_or_default();
    let is_error = metadata.get("isError").and_then(Value::as_bool).unwrap_or(false);
    match record.boolean(SUCCESS) {
        Some(true) if exit_code == 0 && !is_error => Status::Ok,
        None if exit_code == 0 && !is_error => Status::Unknown,
        _ => Status::Error,
    }
}

/// The decision and who took it, as far as the client says. It calls answers that it does not know
/// `reject`, also where the call then succeeded.
fn decision(record: &Record<'_>, tool: &str) -> (Decision, String) {
    let failed = record.boolean(SUCCESS) == Some(false);
    let error = record.text(ERROR_TYPE).filter(|_| failed).unwrap_or_default();
    let left_out = error == NOT_REGISTERED && BUILT_IN_TOOLS.contains(&tool);
    if left_out || REFUSED.contains(&error.as_str()) {
        return (Decision::Reject, error);
    }
    let Some(word) = record.text(DECISION) else {
        return (Decision::None, String::new());
    };
    let nobody_there = record.boolean(INTERACTIVE) == Some(false);
    match word.as_str() {
        "reject" if failed => (Decision::Reject, word),
        "reject" => (Decision::Accept, String::new()),
        "accept" | "modify" if nobody_there => (Decision::Accept, "non_interactive".to_owned()),
        "accept" | "modify" | "auto_accept" => (Decision::Accept, word),
        _ => (Decision::None, String::new()),
    }
}

/// With content, the span knows the request and the whole output.
fn tool_span(record: &Record<'_>) -> Mapping {
    let request = record.json(SPAN_INPUT).filter(|request| request.get("args").is_some());
    let (Some(request), Some(output)) = (request, record.json(SPAN_OUTPUT)) else {
        return Mapping::DUPLICATE;
    };
    let tool = record.text(TOOL).unwrap_or_default();
    let key = call_key(record, &record.parent_span_id(), &tool, request.get("args"));
    let output = output_of(&output);
    if is_withheld(&output) {
        return Mapping::DUPLICATE;
    }
    record.ignore(SPAN_CALL);
    Mapping::one(SessionEvent {
        fact_key: key.clone(),
        tool_call_id: key,
        tool,
        timestamp: record.end_time().unwrap_or_default(),
        duration_us: record.duration_us(),
        output,
        ..event(record, Kind::ToolResult, LOG_RANK)
    })
}

/// What the model was given of a completed call, else all of it.
fn output_of(completed: &Value) -> String {
    const RESPONSES: &str = "/response/responseParts";
    let parts = completed.pointer(RESPONSES).and_then(Value::as_array);
    let texts = parts.into_iter().flatten().filter_map(|part| {
        let response = part.pointer("/functionResponse/response")?;
        let text = ["output", "error"].iter().find_map(|field| response.get(field)?.as_str());
        Some(text.map_or_else(|| response.to_string(), str::to_owned))
    });
    match texts.collect::<Vec<_>>() {
        texts if texts.is_empty() => as_text(completed),
        texts => texts.join("\n"),
    }
}

fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The key of a call within the span that all calls of a reply share; without that span or without
/// arguments, calls of one tool could not be told apart, and the record itself is the key.
fn call_key(record: &Record<'_>, shared_span: &str, tool: &str, arguments: Option<&Value>) -> String {
    match arguments {
        Some(arguments) if !shared_span.is_empty() => {
            let arguments = Sha256::digest(arguments.to_string());
            format!("{shared_span}:{tool}:{}", hex(&arguments))
        }
        _ => record.digest().event_id("", tool, Kind::ToolCall, 0),
    }
}

fn hex(digest: &[u8]) -> String {
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
