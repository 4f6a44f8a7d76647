//! OpenClaw: spans of scope `openclaw`, from its plugin `diagnostics-otel`.
//!
//! The plugin removes every id of a session, so a trace, which is one run for one message, is all
//! that holds a session together. What it reports outside of that trace (`openclaw.exec`,
//! `openclaw.message.processed`) cannot be joined with it.
//!
//! | kind | fact key | from |
//! |---|---|---|
//! | `prompt` | the trace | `openclaw.run` that a user triggered; its text from `openclaw.model.call` |
//! | `response` | | `openclaw.model.call` |
//! | `tool_call`, `tool_result` | the call's id, else the span | `openclaw.tool.execution` |
//! | `decision` | the same | `openclaw.tool.execution` that was blocked: by a policy, never by a person |
//! | `error` | the trace | `openclaw.run` that failed |
//! | what the run cost | `usage:sum:` the span | `openclaw.model.usage`, where no model call says it |

use serde_json::Value;

use super::client::Client;
use super::costs::Names;
use super::genai::messages::{self, Role};
use super::record::is_withheld;
use super::{Dialect, Mapping, Record, directory};
use crate::event::{Decision, Kind, SessionEvent, Status, USAGE, USAGE_SUM};

const SCOPE: &str = "openclaw";

/// Not sent by any version seen; read should one do so.
const SESSION: &[&str] =
    &["openclaw.sessionKey", "openclaw.sessionId", "gen_ai.conversation.id", "session.id"];
const USER: &[&str] = &["enduser.id", "user.email", "user.name"];
const VERSION: &[&str] = &["service.version"];
const AGENT: &[&str] = &["openclaw.agent"];
const MODEL: &[&str] = &["openclaw.model", "gen_ai.response.model", "gen_ai.request.model"];
const TRIGGER: &[&str] = &["openclaw.trigger"];
const OUTCOME: &[&str] = &["openclaw.outcome"];
const INPUT: &[&str] = &["gen_ai.input.messages", "openclaw.content.input_messages"];
const OUTPUT: &[&str] = &["gen_ai.output.messages", "openclaw.content.output_messages"];
const TOKENS: Names = Names {
    input: &["gen_ai.usage.input_tokens", "openclaw.tokens.input"],
    output: &["gen_ai.usage.output_tokens", "openclaw.tokens.output"],
    cache_read: &["gen_ai.usage.cache_read.input_tokens", "openclaw.tokens.cache_read"],
    cache_write: &["gen_ai.usage.cache_creation.input_tokens", "openclaw.tokens.cache_write"],
    total: &["gen_ai.usage.total_tokens", "openclaw.tokens.total"],
    ..Names::NONE
};
const TOOL: &[&str] = &["gen_ai.tool.name", "openclaw.toolName"];
const CALL: &[&str] = &["gen_ai.tool.call.id", "openclaw.toolCallId"];
const ARGUMENTS: &[&str] = &["gen_ai.tool.call.arguments", "openclaw.content.tool_input"];
const RESULT: &[&str] = &["gen_ai.tool.call.result", "openclaw.content.tool_output"];
const DENIED: &[&str] = &["openclaw.deniedReason"];
const ERROR: &[&str] = &["openclaw.errorCode", "openclaw.errorCategory", "error.type"];
/// About the machine, not the session.
const REPETITIONS: &[&str] = &[
    "process.command",
    "process.command_args",
    "process.executable.name",
    "process.executable.path",
    "process.runtime.description",
    "process.runtime.name",
    "process.runtime.version",
    "openclaw.toolName",
    "openclaw.content.system_prompt",
];

const BLOCKED: &str = "blocked";
const MAIN_AGENT: &str = "main";
/// What stands before a text where the plugin writes messages as plain text.
const SPEAKERS: &[(&str, Role)] = &[("user:", Role::User), ("assistant:", Role::Assistant)];

const CALL_RANK: i64 = 2;
const RUN_RANK: i64 = 1;

/// OpenClaw.
pub(super) struct OpenClaw;

impl Dialect for OpenClaw {
    fn name(&self) -> &'static str {
        "openclaw"
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        record.scope_name() == SCOPE
    }

    fn map(&self, record: &Record<'_>) -> Mapping {
        if record.as_log().is_some() {
            // The gateway's own log.
            return Mapping::NOISE;
        }
        match record.name() {
            "openclaw.run" => run(record),
            "openclaw.tool.execution" => tool(record),
            "openclaw.model.call" => model_call(record),
            "openclaw.model.usage" => usage(record),
            // `chat <model>`, `execute_tool <tool>`: the conventions' names for the same spans.
            name if name.starts_with("chat ") => model_call(record),
            name if name.starts_with("execute_tool ") => tool(record),
            _ => Mapping::NOISE,
        }
    }
}

const CLIENT: Client = Client {
    name: "openclaw",
    session: SESSION,
    turn: &[],
    user: USER,
    version: VERSION,
    model: MODEL,
    repetitions: REPETITIONS,
};

fn event(record: &Record<'_>, kind: Kind, rank: i64) -> SessionEvent {
    let agent = record.text(AGENT).filter(|agent| agent != MAIN_AGENT).unwrap_or_default();
    SessionEvent { agent, ..CLIENT.event(record, kind, rank) }
}

/// The whole run: the prompt, without its text, if a person sent it; and how it ended.
fn run(record: &Record<'_>) -> Mapping {
    let mut events = vec![];
    if record.text(TRIGGER).is_none_or(|trigger| trigger == "user") {
        events.push(SessionEvent { fact_key: record.trace_id(), ..event(record, Kind::Prompt, RUN_RANK) });
    }
    if let Some(message) = record.failure() {
        events.push(SessionEvent {
            fact_key: record.trace_id(),
            timestamp: record.end_time().unwrap_or_default(),
            text: record.text(ERROR).unwrap_or_else(|| message.to_owned()),
            ..event(record, Kind::Error, CALL_RANK)
        });
    }
    if events.is_empty() { Mapping::NOISE } else { Mapping::Events(events) }
}

fn model_call(record: &Record<'_>) -> Mapping {
    let mut events = vec![];
    let tokens = TOKENS.of(record);
    if let Some(text) = record.json(INPUT).and_then(|input| last_prompt(&input)) {
        events.push(SessionEvent {
            fact_key: record.trace_id(),
            text,
            ..event(record, Kind::Prompt, CALL_RANK)
        });
    }
    if let Some(text) = record.json(OUTPUT).and_then(|output| last_answer(&output)) {
        events.push(tokens.in_event(SessionEvent {
            timestamp: record.end_time().unwrap_or_default(),
            duration_us: record.duration_us(),
            text,
            ..event(record, Kind::Response, CALL_RANK)
        }));
    } else if !tokens.is_nothing() && !record.span_id().is_empty() {
        // A reply that calls tools alone costs as much.
        events.push(tokens.in_event(SessionEvent {
            fact_key: format!("{USAGE}{}", record.span_id()),
            timestamp: record.end_time().unwrap_or_default(),
            ..event(record, Kind::Response, CALL_RANK)
        }));
    }
    if events.is_empty() { Mapping::NOISE } else { Mapping::Events(events) }
}

/// What all model calls of a run cost. Outside of the run's trace nothing tells whose it is.
fn usage(record: &Record<'_>) -> Mapping {
    let tokens = TOKENS.of(record);
    let is_of_run = !record.parent_span_id().is_empty() || record.has(SESSION);
    if tokens.is_nothing() || record.span_id().is_empty() || !is_of_run {
        return Mapping::NOISE;
    }
    Mapping::one(tokens.in_event(SessionEvent {
        fact_key: format!("{USAGE_SUM}{}", record.span_id()),
        timestamp: record.end_time().unwrap_or_default(),
        duration_us: record.duration_us(),
        ..event(record, Kind::Response, RUN_RANK)
    }))
}

fn last_prompt(input: &Value) -> Option<String> {
    let prompt = match plain(input) {
        Some((Role::User, text)) => text,
        Some(_) => return None,
        None => messages::new_prompts(&messages::parse(input, Role::User)).pop()?.text,
    };
    Some(prompt).filter(|text| !is_withheld(text))
}

fn last_answer(output: &Value) -> Option<String> {
    match plain(output) {
        Some((Role::Assistant, text)) => Some(text),
        Some(_) => None,
        None => messages::last_answer(&messages::parse(output, Role::Assistant)),
    }
}

/// The last of a list of messages that are plain texts with their speaker.
fn plain(messages: &Value) -> Option<(Role, String)> {
    let last = messages.as_array().and_then(|messages| messages.last()).unwrap_or(messages).as_str()?;
    let (speaker, role) = SPEAKERS.iter().find(|(speaker, _)| last.starts_with(speaker))?;
    Some((*role, last.strip_prefix(speaker)?.trim().to_owned()))
}

fn tool(record: &Record<'_>) -> Mapping {
    let call = record.text(CALL).unwrap_or_else(|| record.span_id());
    let of_call = |kind| SessionEvent {
        fact_key: call.clone(),
        tool_call_id: call.clone(),
        tool: record.text(TOOL).unwrap_or_default(),
        ..event(record, kind, CALL_RANK)
    };
    let input = record.content(ARGUMENTS).unwrap_or_default();
    let cwd = directory::of_arguments(&input).unwrap_or_default();
    let call = SessionEvent { input, cwd, ..of_call(Kind::ToolCall) };
    if record.text(OUTCOME).is_some_and(|outcome| outcome == BLOCKED) {
        let decision = SessionEvent {
            decision: Decision::Reject,
            decision_source: record.text(DENIED).unwrap_or_else(|| BLOCKED.to_owned()),
            ..of_call(Kind::Decision)
        };
        return Mapping::Events(vec![call, decision]);
    }
    let failure = record.failure().map(|message| record.text(ERROR).unwrap_or_else(|| message.to_owned()));
    let result = SessionEvent {
        timestamp: record.end_time().unwrap_or_default(),
        duration_us: record.duration_us(),
        status: if failure.is_some() { Status::Error } else { Status::Ok },
        output: record.content(RESULT).or(failure).unwrap_or_default(),
        ..of_call(Kind::ToolResult)
    };
    Mapping::Events(vec![call, result])
}
