//! Calls of tools: the log record that states one, and the span that brings its output.

use std::time::Duration;

use serde_json::Value;

use super::super::record::is_withheld;
use super::super::{Mapping, Record, directory, mcp};
use super::{ERROR, ERROR_TYPE, LOG_RANK, TIME, duration_us, event};
use crate::event::{Decision, Kind, SessionEvent, Status, sha256_hex};

const TOOL: &[&str] = &["function_name", "gen_ai.tool.name"];
const ARGUMENTS: &[&str] = &["function_args"];
const METADATA: &[&str] = &["metadata"];
const MCP_SERVER: &[&str] = &["mcp_server_name"];
const SUCCESS: &[&str] = &["success"];
const DECISION: &[&str] = &["decision"];
const INTERACTIVE: &[&str] = &["interactive"];
const SPAN_CALL: &[&str] = &["gen_ai.tool.call_id", "gen_ai.tool.call.id"];
const SPAN_INPUT: &[&str] = &["gen_ai.input.messages"];
const SPAN_OUTPUT: &[&str] = &["gen_ai.output.messages"];

/// The client's own tools. One that is "not registered" was left out by its approval mode or its
/// settings: a refusal. Any other name that is not registered is a model's invention: an error.
const BUILT_IN_TOOLS: &[&str] = &[
    "activate_skill",
    "ask_user",
    "complete_task",
    "enter_plan_mode",
    "exit_plan_mode",
    "get_internal_docs",
    "glob",
    "google_web_search",
    "grep_search",
    "invoke_agent",
    "list_directory",
    "list_mcp_resources",
    "read_file",
    "read_many_files",
    "read_mcp_resource",
    "replace",
    "run_shell_command",
    "save_memory",
    "search_file_content",
    "update_topic",
    "web_fetch",
    "write_file",
    "write_todos",
];
const NOT_REGISTERED: &str = "tool_not_registered";
/// The kinds of errors that mean that a policy refused.
const REFUSED: &[&str] = &["policy_violation"];

const SKILL_TOOL: &str = "activate_skill";

/// A finished call: its outcome and the person's decision. The client writes the record when the call is over.
pub(super) fn tool_call(record: &Record<'_>) -> Mapping {
    let Some(tool) = record.text(TOOL) else {
        return Mapping::INCOMPLETE;
    };
    let input = record.json(ARGUMENTS).filter(|arguments| !arguments.is_null());
    let key = call_key(record, &record.span_id(), &tool, input.as_ref());
    let of_call = |kind| SessionEvent {
        fact_key: key.clone(),
        tool_call_id: key.clone(),
        tool: mcp::name(&record.text(MCP_SERVER).unwrap_or_default(), &tool),
        ..event(record, kind, LOG_RANK)
    };
    let duration_us = duration_us(record);
    let text = input.as_ref().map(as_text).unwrap_or_default();
    let call = SessionEvent {
        timestamp: record
            .time_or_written(TIME)
            .unwrap_or_default()
            .saturating_sub(Duration::from_micros(duration_us.unsigned_abs())),
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
        let said = (decision == Decision::Reject).then(|| record.content(ERROR)).flatten();
        events.push(SessionEvent {
            decision,
            decision_source: source,
            text: said.unwrap_or_default(),
            ..of_call(Kind::Decision)
        });
    }
    if decision != Decision::Reject {
        let status = status(record);
        let failure = (status == Status::Error).then(|| record.content(ERROR)).flatten();
        events.push(SessionEvent {
            duration_us,
            status,
            output: failure.map(|failure| unwrapped(&failure).to_owned()).unwrap_or_default(),
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
pub(super) fn tool_span(record: &Record<'_>) -> Mapping {
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

/// The part of a completed call that the model received; all of it if that part is missing.
fn output_of(completed: &Value) -> String {
    const RESPONSES: &str = "/response/responseParts";
    let parts = completed.pointer(RESPONSES).and_then(Value::as_array);
    let texts = parts.into_iter().flatten().filter_map(|part| {
        let response = part.pointer("/functionResponse/response")?;
        let text = ["output", "error"].iter().find_map(|field| response.get(field)?.as_str());
        Some(text.map_or_else(|| response.to_string(), |text| unwrapped(text).to_owned()))
    });
    match texts.collect::<Vec<_>>() {
        texts if texts.is_empty() => as_text(completed),
        texts => texts.join("\n"),
    }
}

/// The words of a tool, without what the client puts around them for the model.
pub(in crate::dialects) fn unwrapped(text: &str) -> &str {
    let Some(inner) = text.trim().strip_prefix("<untrusted_context>") else { return text };
    inner.strip_suffix("</untrusted_context>").unwrap_or(inner).trim_matches('\n')
}

fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The key of a call within the span that all calls of a reply share; without that span or without
/// arguments, calls of one tool could not be told apart, and the record itself is the key.
fn call_key(record: &Record<'_>, shared_span: &str, tool: &str, arguments: Option<&Value>) -> String {
    match arguments {
        Some(arguments) if !shared_span.is_empty() => {
            format!("{shared_span}:{tool}:{}", sha256_hex(arguments.to_string(), 8))
        }
        _ => record.digest().event_id("", tool, Kind::ToolCall, 0),
    }
}
