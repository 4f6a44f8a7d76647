//! Cline's hooks (`hookName`, or the field that only one kind of hook has).
//!
//! | kind | fact key | from |
//! |---|---|---|
//! | `session_start` | its name | `TaskStart` |
//! | `prompt` | the task and the text | `UserPromptSubmit`, `TaskStart` if it has the task's text |
//! | `tool_call` | the call's id | `PostToolUse`; `PreToolUse` |
//! | `tool_result` | the call's id | `PostToolUse` |
//! | `response` | the task and the iteration | `TaskComplete` |
//! | `error` | the task | `TaskError` |
//! | `session_end` | its name | `SessionShutdown` |
//!
//! Without an editor the client runs no hook that has the person's words. A call of several commands
//! is a success if all of them were; what is called `success` beside it says only that they ran.

use serde_json::Value;

use super::super::history;
use super::super::{Mapping, Record};
use super::fields::{Common, Paths, boolean, content, executed, integer, json, output, person, text};
use super::{AFTER, BEFORE};
use crate::event::person::is_made;
use crate::event::{Kind, SessionEvent, Status};
use crate::shell::machine;

const COMMON: Common = Common {
    session: &["sessionContext/rootSessionId", "taskId"],
    turn: &["taskId"],
    time: &["timestamp"],
    cwd: &["workspaceRoots/0", "workspaceInfo/rootPath"],
    version: &["clineVersion"],
    call: &["tool_call/id", "tool_result/id"],
    tool: &["tool_call/name", "tool_result/name", "preToolUse/toolName", "postToolUse/toolName"],
    input: &["tool_call/input", "tool_result/input", "preToolUse/parameters", "postToolUse/parameters"],
    ..Common::of("cline")
};
const NAME: Paths = &["hookName"];
const USER: Paths = &["userId"];
const AGENT: Paths = &["agent_id"];
const PARENT: Paths = &["parent_agent_id"];
const ITERATION: Paths = &["iteration"];
const TASK: Paths = &["taskStart/taskMetadata/initialTask", "taskStart/taskMetadata/task", "taskStart/task"];
const PROMPT: Paths = &["userPromptSubmit/prompt", "prompt"];
const OUTPUT: Paths = &["tool_result/output", "postToolUse/result"];
const SUCCESS: Paths = &["postToolUse/success"];
const MILLISECONDS: Paths = &["tool_result/durationMs", "postToolUse/executionTimeMs"];
const RESPONSE: Paths = &["turn/outputText"];
const TURN_STATUS: Paths = &["turn/status"];
const ERROR: Paths = &["taskError/message", "taskError/error", "error/message", "error"];

pub(super) fn map(record: &Record<'_>) -> Mapping {
    let has = |name: &str| record.has(&[name]);
    record.ignore(&["workspaceInfo"]);
    match text(record, NAME).unwrap_or_default().as_str() {
        _ if has("userPromptSubmit") => prompt(record, PROMPT).map_or(Mapping::INCOMPLETE, Mapping::one),
        "agent_start" | "TaskStart" => start(record),
        "tool_call" | "PreToolUse" => Mapping::one(call(record, Kind::ToolCall, BEFORE)),
        "tool_result" | "PostToolUse" => tool(record),
        "agent_end" | "TaskComplete" => complete(record),
        "agent_error" | "TaskError" => error(record),
        "session_shutdown" | "SessionShutdown" => COMMON.edge(record, Kind::SessionEnd),
        "agent_abort" | "agent_resume" | "TaskResume" | "TaskCancel" | "PreCompact" => Mapping::NOISE,
        _ if has("taskStart") => start(record),
        _ if has("taskError") => error(record),
        _ if ["taskResume", "taskCancel", "preCompact"].into_iter().any(has) => Mapping::NOISE,
        _ if has("sessionShutdown") => COMMON.edge(record, Kind::SessionEnd),
        _ => Mapping::UNKNOWN_NAME,
    }
}

fn event(record: &Record<'_>, kind: Kind, rank: i64) -> SessionEvent {
    who(record, COMMON.event(record, kind, rank))
}

/// The event with the person and the agent that the hook names, as far as it names anybody.
fn who(record: &Record<'_>, event: SessionEvent) -> SessionEvent {
    let is_called = text(record, PARENT).is_some();
    SessionEvent {
        user_id: if event.user_id.is_empty() {
            // Where nobody is logged in, an id of the installation.
            Some(person(record, USER)).filter(|user| !is_made(user)).unwrap_or_default()
        } else {
            event.user_id
        },
        agent: text(record, AGENT).filter(|_| is_called).unwrap_or_default(),
        ..event
    }
}

fn start(record: &Record<'_>) -> Mapping {
    let started = SessionEvent {
        fact_key: Kind::SessionStart.as_str().to_owned(),
        ..event(record, Kind::SessionStart, AFTER)
    };
    Mapping::Events([Some(started), prompt(record, TASK)].into_iter().flatten().collect())
}

fn prompt(record: &Record<'_>, paths: Paths) -> Option<SessionEvent> {
    let words = content(record, paths)?;
    let event = event(record, Kind::Prompt, AFTER);
    let fact_key = format!("{}:{}", event.turn_id, history::digest(&machine::words(&words)));
    Some(SessionEvent { fact_key, text: words, ..event })
}

fn call(record: &Record<'_>, kind: Kind, rank: i64) -> SessionEvent {
    who(record, COMMON.call(record, kind, rank))
}

fn tool(record: &Record<'_>) -> Mapping {
    let returned = json(record, OUTPUT).unwrap_or_default();
    let succeeded = each_succeeded(&returned).or_else(|| boolean(record, SUCCESS));
    let result = SessionEvent {
        duration_us: integer(record, MILLISECONDS).unwrap_or_default().max(0).saturating_mul(1_000),
        status: match succeeded {
            Some(true) => Status::Ok,
            Some(false) => Status::Error,
            None => Status::Unknown,
        },
        output: results(&returned).unwrap_or_else(|| output(&returned)),
        ..call(record, Kind::ToolResult, AFTER)
    };
    Mapping::Events(executed(record, call(record, Kind::ToolCall, AFTER), result).into())
}

/// Whether each part of a call did, where the parts say so.
fn each_succeeded(returned: &Value) -> Option<bool> {
    let parts = returned.as_array()?.iter();
    let said: Vec<bool> = parts.filter_map(|part| part.get("success")?.as_bool()).collect();
    (!said.is_empty()).then(|| said.into_iter().all(|success| success))
}

/// The results of a call's parts, one after the other.
fn results(returned: &Value) -> Option<String> {
    let parts = returned.as_array()?.iter();
    let texts: Option<Vec<&str>> = parts.map(|part| part.get("result")?.as_str()).collect();
    texts.filter(|texts| !texts.is_empty()).map(|texts| texts.join("\n"))
}

fn complete(record: &Record<'_>) -> Mapping {
    let Some(words) = content(record, RESPONSE) else { return Mapping::NOISE };
    let failed = text(record, TURN_STATUS).is_some_and(|status| status == "error" || status == "failed");
    let event = event(record, if failed { Kind::Error } else { Kind::Response }, AFTER);
    let iteration = integer(record, ITERATION).unwrap_or_default();
    Mapping::one(SessionEvent { fact_key: format!("{}:{iteration}", event.turn_id), text: words, ..event })
}

fn error(record: &Record<'_>) -> Mapping {
    let event = event(record, Kind::Error, AFTER);
    let text = content(record, ERROR).unwrap_or_default();
    Mapping::one(SessionEvent { fact_key: event.turn_id.clone(), text, ..event })
}
