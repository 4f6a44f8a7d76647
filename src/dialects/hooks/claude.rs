//! Claude Code's hooks (`hook_event_name`), and those of clients that took over its form.
//!
//! | kind | fact key | from |
//! |---|---|---|
//! | `session_start`, `session_end` | their name | `SessionStart`, `SessionEnd` |
//! | `prompt` | the trace, else `prompt_id` | `UserPromptSubmit` |
//! | `tool_call` | the call's id | `PostToolUse`, `PostToolUseFailure`; `PreToolUse` |
//! | `tool_result` | the call's id | `PostToolUse`, `PostToolUseFailure` |
//! | `decision` | the call's id | `PermissionDenied` |
//! | `response` | the turn and the text | `Stop`, `SubagentStop` |
//! | `skill_use` | the call's id | `PostToolUse` of the tool `Skill` |
//!
//! Calls have the ids that the client's OpenTelemetry signals give them, so what both say meets. An
//! answer has no id that both know: connect one of the two.

use super::super::history;
use super::super::{Mapping, Record};
use super::fields::{Common, Paths, boolean, content, executed, integer, json, output, text};
use super::{AFTER, BEFORE};
use crate::event::{Decision, Kind, SessionEvent, Status};

const COMMON: Common = Common {
    session: &["session_id"],
    turn: &["prompt_id"],
    version: &["version"],
    agent: &["agent_id"],
    call: &["tool_use_id"],
    tool: &["tool_name"],
    input: &["tool_input"],
    ..Common::of("claude-code")
};
const NAME: Paths = &["hook_event_name"];
const PROMPT: Paths = &["prompt"];
const OUTPUT: Paths = &["tool_response"];
const FAILURE: Paths = &["error", "tool_response"];
const INTERRUPTED: Paths = &["is_interrupt", "tool_response/interrupted"];
const REASON: Paths = &["reason", "message"];
const MILLISECONDS: Paths = &["duration_ms"];
const RESPONSE: Paths = &["last_assistant_message"];
const SKILL_TOOL: &str = "Skill";
const SKILL: Paths = &["tool_input/skill", "tool_input/command", "tool_input/name"];

const NOISE: &[&str] = &[
    "ConfigChange",
    "CwdChanged",
    "Elicitation",
    "ElicitationResult",
    "FileChanged",
    "InstructionsLoaded",
    "Notification",
    "PermissionRequest",
    "PostCompact",
    "PostToolBatch",
    "PreCompact",
    "Setup",
    "SubagentStart",
    "TaskCompleted",
    "TaskCreated",
    "TeammateIdle",
    "WorktreeCreate",
    "WorktreeRemove",
];

pub(super) fn map(record: &Record<'_>) -> Mapping {
    match text(record, NAME).unwrap_or_default().as_str() {
        "SessionStart" => COMMON.edge(record, Kind::SessionStart),
        "SessionEnd" => COMMON.edge(record, Kind::SessionEnd),
        "UserPromptSubmit" => prompt(record),
        "PreToolUse" => Mapping::one(COMMON.call(record, Kind::ToolCall, BEFORE)),
        "PostToolUse" => tool(record, false),
        "PostToolUseFailure" => tool(record, true),
        "PermissionDenied" => refused(record),
        "Stop" | "SubagentStop" => response(record),
        "StopFailure" => error(record),
        name if NOISE.contains(&name) => Mapping::NOISE,
        _ => Mapping::UNKNOWN_NAME,
    }
}

fn prompt(record: &Record<'_>) -> Mapping {
    let event = COMMON.event(record, Kind::Prompt, AFTER);
    let words = content(record, PROMPT).unwrap_or_default();
    let trace = record.trace_id();
    let turn = if trace.is_empty() { event.turn_id.clone() } else { trace };
    // A sub-agent's task has the turn of the person's prompt.
    let fact_key = if event.agent.is_empty() { turn } else { format!("{turn}/{}", event.agent) };
    Mapping::one(SessionEvent { fact_key, text: words, ..event })
}

fn tool(record: &Record<'_>, failed: bool) -> Mapping {
    let returned = json(record, if failed { FAILURE } else { OUTPUT }).unwrap_or_default();
    // What a person or a limit stopped has neither worked nor failed.
    let is_interrupted = boolean(record, INTERRUPTED).unwrap_or_default();
    let result = SessionEvent {
        duration_us: integer(record, MILLISECONDS).unwrap_or_default().max(0).saturating_mul(1_000),
        status: match failed {
            _ if is_interrupted => Status::Unknown,
            true => Status::Error,
            false => Status::Ok,
        },
        output: output(&returned),
        ..COMMON.call(record, Kind::ToolResult, AFTER)
    };
    let made = COMMON.call(record, Kind::ToolCall, AFTER);
    let is_skill = !failed && made.tool == SKILL_TOOL;
    let skill = content(record, SKILL).filter(|_| is_skill);
    let skill = skill.map(|skill| SessionEvent { skill, ..COMMON.call(record, Kind::SkillUse, AFTER) });
    Mapping::Events(executed(record, made, result).into_iter().chain(skill).collect())
}

fn refused(record: &Record<'_>) -> Mapping {
    let decision = SessionEvent {
        decision: Decision::Reject,
        decision_source: "policy".to_owned(),
        text: content(record, REASON).unwrap_or_default(),
        ..COMMON.call(record, Kind::Decision, AFTER)
    };
    Mapping::Events(vec![COMMON.call(record, Kind::ToolCall, BEFORE), decision])
}

fn response(record: &Record<'_>) -> Mapping {
    // Older versions name the transcript alone.
    let Some(words) = content(record, RESPONSE) else { return Mapping::NOISE };
    let event = COMMON.event(record, Kind::Response, AFTER);
    // A turn may stop twice, if a hook sends the assistant on.
    let fact_key = match event.turn_id.as_str() {
        "" => String::new(),
        turn => format!("{turn}:{}", history::digest(&words)),
    };
    Mapping::one(SessionEvent { fact_key, text: words, ..event })
}

fn error(record: &Record<'_>) -> Mapping {
    let text = content(record, FAILURE).unwrap_or_default();
    Mapping::one(SessionEvent { text, ..COMMON.event(record, Kind::Error, AFTER) })
}
