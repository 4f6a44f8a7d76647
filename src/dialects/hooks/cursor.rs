//! Cursor's hooks (`hook_event_name`). Written from its documentation.
//!
//! | kind | fact key | from |
//! |---|---|---|
//! | `session_start`, `session_end` | their name | `sessionStart`, `sessionEnd` |
//! | `prompt` | the generation | `beforeSubmitPrompt` |
//! | `tool_call` | the call's id | `postToolUse`, `postToolUseFailure`; `preToolUse` |
//! | `tool_result` | the call's id | `postToolUse`, `postToolUseFailure` |
//! | `decision` | the call's id | `postToolUseFailure` of a call that was not allowed |
//! | `decision` | the generation | `stop` with the status `aborted`: the person stopped the assistant |
//! | `response` | the generation and the text | `afterAgentResponse` |
//! | `error` | the generation | `stop` with the status `error` |
//!
//! The hooks of single kinds of tools (`afterShellExecution`, `afterFileEdit`, …) have no call id and
//! tell what `postToolUse` tells.

use super::super::history;
use super::super::{Mapping, Record};
use super::fields::{Common, Paths, content, executed, integer, json, output, text};
use super::{AFTER, BEFORE};
use crate::event::{Decision, Kind, SessionEvent, Status};
use crate::shell::refusal::{refusal, words_of};
use crate::shell::status::code;

const COMMON: Common = Common {
    session: &["conversation_id", "session_id"],
    turn: &["generation_id"],
    cwd: &["cwd", "workspace_roots/0"],
    user: &["enduser.id", "user_email", "user.name"],
    version: &["cursor_version"],
    call: &["tool_use_id"],
    tool: &["tool_name"],
    input: &["tool_input"],
    ..Common::of("cursor")
};
const NAME: Paths = &["hook_event_name"];
const PROMPT: Paths = &["prompt"];
const RESPONSE: Paths = &["text"];
const OUTPUT: Paths = &["tool_output", "result_json"];
const FAILURE: Paths = &["error_message", "error", "tool_output"];
const FAILURE_TYPE: Paths = &["failure_type"];
const MILLISECONDS: Paths = &["duration"];

/// The failure of a call that was not allowed to run.
const DENIED: &str = "permission_denied";
const STATUS: Paths = &["status"];
const EXIT_CODES: &[&str] = &["/exitCode", "/exit_code"];

const NOISE: &[&str] = &["afterAgentThought", "preCompact", "subagentStart", "subagentStop"];
const DUPLICATES: &[&str] = &[
    "afterFileEdit",
    "afterMCPExecution",
    "afterShellExecution",
    "afterTabFileEdit",
    "beforeMCPExecution",
    "beforeReadFile",
    "beforeShellExecution",
    "beforeTabFileRead",
];

pub(super) fn map(record: &Record<'_>) -> Mapping {
    match text(record, NAME).unwrap_or_default().as_str() {
        "sessionStart" => COMMON.edge(record, Kind::SessionStart),
        "sessionEnd" => COMMON.edge(record, Kind::SessionEnd),
        "beforeSubmitPrompt" => prompt(record),
        "preToolUse" => Mapping::one(COMMON.call(record, Kind::ToolCall, BEFORE)),
        "postToolUse" => tool(record, false),
        "postToolUseFailure" => tool(record, true),
        "afterAgentResponse" => response(record),
        "stop" => stop(record),
        name if NOISE.contains(&name) => Mapping::NOISE,
        name if DUPLICATES.contains(&name) => Mapping::DUPLICATE,
        _ => Mapping::UNKNOWN_NAME,
    }
}

fn prompt(record: &Record<'_>) -> Mapping {
    let event = COMMON.event(record, Kind::Prompt, AFTER);
    let words = content(record, PROMPT).unwrap_or_default();
    Mapping::one(SessionEvent { fact_key: event.turn_id.clone(), text: words, ..event })
}

fn tool(record: &Record<'_>, failed: bool) -> Mapping {
    let returned = json(record, if failed { FAILURE } else { OUTPUT }).unwrap_or_default();
    if failed && text(record, FAILURE_TYPE).is_some_and(|kind| kind == DENIED) {
        return refused(record, output(&returned));
    }
    let failed = failed || code::in_json(&returned, EXIT_CODES).is_some_and(|code| code != 0);
    let result = SessionEvent {
        duration_us: integer(record, MILLISECONDS).unwrap_or_default().max(0).saturating_mul(1_000),
        status: if failed { Status::Error } else { Status::Ok },
        output: output(&returned),
        ..COMMON.call(record, Kind::ToolResult, AFTER)
    };
    Mapping::Events(executed(record, COMMON.call(record, Kind::ToolCall, AFTER), result).into())
}

/// A call that a person or a rule did not allow; only its words tell which.
fn refused(record: &Record<'_>, words: String) -> Mapping {
    let by_person = refusal(&words).is_some() || words.to_lowercase().contains("user");
    let decision = SessionEvent {
        decision: Decision::Reject,
        decision_source: if by_person { "user_reject" } else { DENIED }.to_owned(),
        text: words_of(&words).unwrap_or(words),
        ..COMMON.call(record, Kind::Decision, AFTER)
    };
    Mapping::Events(vec![COMMON.call(record, Kind::ToolCall, AFTER), decision])
}

fn response(record: &Record<'_>) -> Mapping {
    let Some(words) = content(record, RESPONSE) else { return Mapping::INCOMPLETE };
    let event = COMMON.event(record, Kind::Response, AFTER);
    let fact_key = format!("{}:{}", event.turn_id, history::digest(&words));
    Mapping::one(SessionEvent { fact_key, text: words, ..event })
}

fn stop(record: &Record<'_>) -> Mapping {
    match text(record, STATUS).unwrap_or_default().as_str() {
        "error" => {}
        "aborted" => {
            let event = COMMON.event(record, Kind::Decision, AFTER);
            return Mapping::one(SessionEvent {
                fact_key: event.turn_id.clone(),
                decision: Decision::Reject,
                decision_source: "user_abort".to_owned(),
                ..event
            });
        }
        _ => return Mapping::NOISE,
    }
    let event = COMMON.event(record, Kind::Error, AFTER);
    let said = content(record, FAILURE).unwrap_or_else(|| "the turn ended with an error".to_owned());
    Mapping::one(SessionEvent { fact_key: event.turn_id.clone(), text: said, ..event })
}
