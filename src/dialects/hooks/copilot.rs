//! The hooks of GitHub Copilot's command line, told apart by their fields: only one of them has a
//! name (`hookName`).
//!
//! | kind | fact key | from |
//! |---|---|---|
//! | `session_start`, `session_end` | their name | `sessionStart`, `sessionEnd` |
//! | `prompt` | the trace and the text | `userPromptSubmitted` |
//! | `tool_call`, `tool_result` | `call@` and when it was over: no hook names the call | `postToolUse` |
//! | `decision` | the same | `postToolUse` of a refused call |
//! | `error` | | `errorOccurred` |
//!
//! `preToolUse` could not be told from another call of the same tool with the same arguments, so the
//! call is taken from `postToolUse`, which every call comes to. `permissionRequest` asks and does not
//! say what was answered. Where the client exports spans too, `traceparent` names the trace of the
//! turn: a reader joins the calls of both (`table::reconcile`). A command that failed is a `success`.

use super::super::copilot::failed;
use super::super::history;
use super::super::{Mapping, Record};
use super::AFTER;
use super::fields::{Common, Paths, content, executed, text};
use crate::event::{Decision, Kind, SessionEvent, Status, UNNAMED_CALL};
use crate::shell::machine;

const COMMON: Common = Common { session: &["sessionId"], time: &["timestamp"], ..Common::of("copilot") };
const NAME: Paths = &["hookName"];
const PROMPT: Paths = &["prompt"];
const TOOL: Paths = &["toolName"];
const INPUT: Paths = &["toolArgs"];
const RESULT: &[&str] = &["toolResult"];
const RESULT_TYPE: Paths = &["toolResult/resultType"];
const OUTPUT: Paths = &["toolResult/textResultForLlm"];
const ERROR: Paths = &["error/message", "error"];

pub(super) fn map(record: &Record<'_>) -> Mapping {
    let has = |names: &[&str]| record.has(names);
    if text(record, NAME).is_some_and(|name| name == "permissionRequest") {
        return Mapping::NOISE;
    }
    match () {
        () if has(RESULT) => tool(record),
        () if has(TOOL) => Mapping::DUPLICATE,
        () if has(PROMPT) => prompt(record),
        () if has(&["initialPrompt", "source"]) => {
            // The prompt has a hook of its own.
            record.ignore(&["initialPrompt"]);
            COMMON.edge(record, Kind::SessionStart)
        }
        () if has(&["error"]) => error(record),
        () if has(&["stopReason", "transcriptPath", "stop_hook_active"]) => Mapping::NOISE,
        () if has(&["reason"]) => COMMON.edge(record, Kind::SessionEnd),
        () => Mapping::UNKNOWN_NAME,
    }
}

fn prompt(record: &Record<'_>) -> Mapping {
    let words = content(record, PROMPT).unwrap_or_default();
    let fact_key = match record.trace_id() {
        none if none.is_empty() => none,
        trace => format!("{trace}:{}", history::digest(machine::words(&words).trim())),
    };
    Mapping::one(SessionEvent { fact_key, text: words, ..COMMON.event(record, Kind::Prompt, AFTER) })
}

fn tool(record: &Record<'_>) -> Mapping {
    let of_call = |kind| {
        let event = COMMON.event(record, kind, AFTER);
        let over =
            if event.timestamp.is_unset() { record.time().unwrap_or_default() } else { event.timestamp };
        // Calls of one reply may end within the same millisecond.
        let made = [text(record, TOOL), content(record, INPUT)].map(Option::unwrap_or_default).join(" ");
        let key = format!("{UNNAMED_CALL}{}:{}", over.as_micros(), history::digest(&made));
        SessionEvent {
            fact_key: key.clone(),
            tool: text(record, TOOL).unwrap_or_default(),
            tool_call_id: key,
            ..event
        }
    };
    let call = SessionEvent { input: content(record, INPUT).unwrap_or_default(), ..of_call(Kind::ToolCall) };
    let output = content(record, OUTPUT).unwrap_or_default();
    let status = match text(record, RESULT_TYPE).unwrap_or_default().as_str() {
        "denied" | "rejected" => {
            let refusal = SessionEvent {
                decision: Decision::Reject,
                decision_source: "denied".to_owned(),
                text: output,
                ..of_call(Kind::Decision)
            };
            return Mapping::Events(vec![call, refusal]);
        }
        "success" if !failed(&output) => Status::Ok,
        "" => Status::Unknown,
        _ => Status::Error,
    };
    let result = SessionEvent { status, output, ..of_call(Kind::ToolResult) };
    Mapping::Events(executed(record, call, result).into())
}

fn error(record: &Record<'_>) -> Mapping {
    let text = content(record, ERROR).unwrap_or_default();
    Mapping::one(SessionEvent { text, ..COMMON.event(record, Kind::Error, AFTER) })
}
