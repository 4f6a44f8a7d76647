//! GitHub Copilot: the command line's spans of scope `github.copilot`, and, from its documentation,
//! the spans and log records of Copilot Chat in VS Code (service `copilot-chat`).
//!
//! Both follow the GenAI conventions, whose mapping does the work; added is what the conventions do
//! not know: a prompt is wrapped in the time of day, a command that fails is told by
//! `process.exit.code` or at the end of its output alone, and a call may be refused.
//!
//! | kind | fact key | from |
//! |---|---|---|
//! | `prompt`, `response`, `tool_call`, `tool_result`, `error` | as the conventions have it | `invoke_agent`, `chat`, `execute_tool` |
//! | `decision` | the `execute_tool` span | `permission`, its child; a refusal also from `execute_tool` itself |
//!
//! A decision's source is the client's whole word (`github.copilot.permission.result`), such as
//! `denied-no-approval-rule-and-could-not-request-from-user`; one that names the user and does not
//! say "could not" is a person's.

use super::genai::messages::{self, Role};
use super::genai::{self, GenAi};
use super::{Dialect, Mapping, Record};
use crate::event::tokens::Tokens;
use crate::event::{Decision, Kind, SessionEvent, Status, USAGE};
use crate::shell::status::code::{self, Form};

const SCOPE: &str = "github.copilot";
const VS_CODE: &str = "copilot-chat";

const OPERATION: &[&str] = &["gen_ai.operation.name"];
const INPUT: &[&str] = &["gen_ai.input.messages"];
const SESSION: &[&str] = &["gen_ai.conversation.id"];
const VERSION: &[&str] = &["service.version"];
const PERMISSION: &[&str] = &["github.copilot.permission.result"];
const ERROR_TYPE: &[&str] = &["error.type"];
const INITIATOR: &[&str] = &["github.copilot.initiator"];
const AGENT: &[&str] = &["gen_ai.agent.name"];
const REPETITIONS: &[&str] = &["gen_ai.tool.description"];

/// The `error.type` of a call that was not allowed to run.
const DENIED: &str = "denied";

const EXIT_CODES: &[Form] = &[
    Form { before: "completed with exit code", header_end: None, opens_line: false },
    Form { before: "exited with exit code", header_end: None, opens_line: false },
];

/// VS Code's log records: what they say is on its spans too.
const VS_CODE_LOGS: &[&str] =
    &["copilot_chat.", "github.copilot.", "gen_ai.client.inference.operation.details"];
const VS_CODE_MAIN_AGENT: &str = "copilot";
/// A sub-agent that no span names.
const SUB_AGENT: &str = "sub-agent";

const PERMISSION_RANK: i64 = 2;
const MENTION_RANK: i64 = 1;

/// GitHub Copilot.
pub(super) struct Copilot;

const ASSISTANT: &str = "copilot";

impl Dialect for Copilot {
    fn name(&self) -> &'static str {
        "copilot"
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        let scope = record.scope_name();
        scope == SCOPE || scope == VS_CODE || (scope.contains("copilot") && record.service() == VS_CODE)
    }

    fn map(&self, record: &Record<'_>) -> Mapping {
        record.ignore(REPETITIONS);
        match record.as_span() {
            None => map_log(record),
            Some(span) if span.name == "permission" => permission(record),
            Some(_) if !record.has(OPERATION) => Mapping::NOISE,
            Some(_) => operation(record),
        }
    }
}

fn map_log(record: &Record<'_>) -> Mapping {
    let name = genai::log_name(record);
    let known = VS_CODE_LOGS.iter().any(|known| name.starts_with(known));
    if known { Mapping::DUPLICATE } else { Mapping::UNKNOWN_NAME }
}

fn operation(record: &Record<'_>) -> Mapping {
    let mut events = match GenAi.map(record) {
        Mapping::Events(events) => events,
        nothing if !is_withheld_turn(record) => return nothing,
        Mapping::Nothing(_) => vec![],
    };
    // The spans of tools state every call, refused ones too, which the messages call results.
    let is_of_tool = record.text(OPERATION).is_some_and(|operation| operation == "execute_tool");
    if !is_of_tool {
        leave_calls_out(record, &mut events);
    }
    if is_withheld_turn(record) {
        // The prompt shows the session as well.
        events.retain(|event| event.kind != Kind::SessionStart);
        let key = record.trace_id();
        events.insert(0, SessionEvent { kind: Kind::Prompt, fact_key: key, ..SessionEvent::default() });
    }
    // A sub-agent's first message is written by the agent that called it, whether or not its span says which
    // sub-agent it is.
    let asked_by_agent = record.text(INITIATOR).is_some_and(|initiator| initiator == "agent");
    let is_asked = events.iter().any(|event| event.kind == Kind::Prompt && !event.text.is_empty());
    let agent = match sub_agent(record) {
        unnamed if unnamed.is_empty() && asked_by_agent && is_asked && opens(record) => SUB_AGENT.to_owned(),
        named => named,
    };
    for event in &mut events {
        event.assistant = ASSISTANT.to_owned();
        event.session_id = record.text(SESSION).unwrap_or_default();
        event.assistant_version = record.text(VERSION).unwrap_or_default();
        event.agent.clone_from(&agent);
        match event.kind {
            Kind::ToolResult if failed(&event.output) => event.status = Status::Error,
            _ => {}
        }
    }
    if record.text(ERROR_TYPE).is_some_and(|error| error == DENIED) {
        refuse(record, &mut events);
    }
    if events.is_empty() { Mapping::NOISE } else { Mapping::Events(events) }
}

/// Drops calls that messages repeat, and keeps the cost of a reply that holds only calls.
fn leave_calls_out(record: &Record<'_>, events: &mut Vec<SessionEvent>) {
    let is_of_call = |event: &SessionEvent| matches!(event.kind, Kind::ToolCall | Kind::ToolResult);
    let costs = |event: &&SessionEvent| is_of_call(event) && !Tokens::of(event).is_nothing();
    let cost = events.iter().find(costs).map(|call| SessionEvent {
        kind: Kind::Response,
        fact_key: format!("{USAGE}{}", record.span_id()),
        tool: String::new(),
        tool_call_id: String::new(),
        input: String::new(),
        ..call.clone()
    });
    events.retain(|event| !is_of_call(event));
    events.extend(cost);
}

/// Whether the messages of a model call begin a conversation.
fn opens(record: &Record<'_>) -> bool {
    let messages = messages::parse(&record.json(INPUT).unwrap_or_default(), Role::User);
    messages.iter().all(|message| message.role != Role::Assistant)
}

/// An agent that a person called, its messages withheld: there was a prompt all the same.
fn is_withheld_turn(record: &Record<'_>) -> bool {
    let is_agent = record.text(OPERATION).is_some_and(|operation| operation == "invoke_agent");
    is_agent && record.parent_span_id().is_empty() && !record.has(INPUT)
}

/// Whether the client says at the end of a command's output that it failed.
pub(super) fn failed(output: &str) -> bool {
    code::in_text(output, EXIT_CODES).is_some_and(|code| code != 0)
}

/// The name of an agent that another one called: a span with a parent.
fn sub_agent(record: &Record<'_>) -> String {
    let is_called = !record.parent_span_id().is_empty();
    let name = record.text(AGENT).filter(|name| is_called && !name.eq_ignore_ascii_case(VS_CODE_MAIN_AGENT));
    name.unwrap_or_default()
}

/// A refused call has a decision in the place of its result.
fn refuse(record: &Record<'_>, events: &mut [SessionEvent]) {
    for event in events.iter_mut().filter(|event| event.kind == Kind::ToolResult) {
        event.kind = Kind::Decision;
        event.fact_key = record.span_id();
        event.rank = MENTION_RANK;
        event.decision = Decision::Reject;
        event.decision_source = DENIED.to_owned();
        event.status = Status::Unknown;
        event.text = std::mem::take(&mut event.output);
    }
}

/// The result of asking, under the span of the call that was asked for.
fn permission(record: &Record<'_>) -> Mapping {
    let Some(result) = record.text(PERMISSION) else {
        return Mapping::INCOMPLETE;
    };
    let refused = result.starts_with("denied") || result.starts_with("reject");
    Mapping::one(SessionEvent {
        kind: Kind::Decision,
        rank: PERMISSION_RANK,
        fact_key: record.parent_span_id(),
        session_id: record.text(SESSION).unwrap_or_default(),
        assistant: ASSISTANT.to_owned(),
        assistant_version: record.text(VERSION).unwrap_or_default(),
        decision: if refused { Decision::Reject } else { Decision::Accept },
        decision_source: result,
        ..SessionEvent::default()
    })
}
