//! The span of a tool: a call and its result.

use std::borrow::Cow;

use serde_json::Value;

use super::super::record::{find, is_withheld, to_text};
use super::super::{Record, json};
use super::messages::Role;
use super::sources::{Found, Source};
use super::{BARE_ARGUMENTS_RANK, MENTION_RANK, TOOL_RANK, parse};
use crate::event::{Kind, NESTED_CALL, SessionEvent, Status};

/// Where the span of a tool has what, each in order of precedence.
pub(in super::super) struct Tool {
    pub(in super::super) name: &'static [&'static str],
    /// The call's id.
    pub(in super::super) call: &'static [&'static str],
    pub(in super::super) arguments: &'static [Source],
    pub(in super::super) result: &'static [Source],
}

/// What a span's name says besides its tool's.
const NAME_PREFIXES: &[&str] =
    &["execute_tool ", "running tool: ", "running tool ", "Tool: ", "tools/call ", "mcp.tools/call "];
/// The Model Context Protocol's own spans, of its client and of its server.
const MCP_METHOD: &[&str] = &["mcp.method.name", "mcp.method"];
const MCP_CALL: &str = "tools/call";
/// Exceptions by which an agent waits for a person.
const PAUSES: &[&str] = &[
    // LangGraph.
    "GraphInterrupt",
    "NodeInterrupt",
    // Pydantic AI.
    "ApprovalRequired",
    "CallDeferred",
    // Strands, Microsoft's Agent Framework and others.
    "InterruptException",
    "ToolApprovalRequired",
    "UserInputRequired",
    "UserInputRequiredException",
    "HumanInputRequired",
    "HumanInTheLoopInterrupt",
];
const EXIT_CODE: &[&str] = &["process.exit.code"];
const ERROR_TYPE: &[&str] = &["error.type"];
const ERROR_MESSAGE: &[&str] = &["langfuse.observation.status_message", "error.message", "exception.message"];
/// Attributes that say that it failed, in any case.
const FAILURES: &[(&str, &str)] = &[("gen_ai.tool.status", "error"), ("langfuse.observation.level", "error")];

/// A tool's result, out of what it is wrapped in.
#[derive(Default)]
struct Outcome {
    call: Option<String>,
    output: String,
    failed: bool,
    is_cut: bool,
}

/// The call at the span's start and its result at the span's end. A span without a call id has its
/// own id for one; readers find the call that a model made of it.
pub(super) fn events(record: &Record<'_>, common: &SessionEvent, tool: &Tool) -> Vec<SessionEvent> {
    let outcome = tool.result.iter().find_map(|source| source.find(record)).map(outcome).unwrap_or_default();
    let failure = failure(record);
    let is_nested = is_of_protocol(record);
    let own = || if is_nested { format!("{NESTED_CALL}{}", record.span_id()) } else { record.span_id() };
    let call = record.text(tool.call).map(unquoted).or(outcome.call).unwrap_or_else(own);
    let name = record.text(tool.name).map_or_else(|| name_of_span(record), unquoted);
    let of_tool = |kind: Kind, rank: i64| SessionEvent {
        kind,
        // The agent's own span knows the name that the model used, and what the model was given.
        rank: if is_nested { rank.min(MENTION_RANK) } else { rank },
        fact_key: call.clone(),
        tool: name.clone(),
        tool_call_id: call.clone(),
        ..common.clone()
    };
    let failed = failure.is_some() || outcome.failed;
    let said = Some(outcome.output).filter(|output| !is_withheld(output));
    let made = made(record, tool, of_tool);
    if is_pause(record) {
        return vec![made];
    }
    vec![
        made,
        SessionEvent {
            timestamp: record.end_time().unwrap_or_default(),
            duration_us: record.duration_us(),
            output: said.or(failure).unwrap_or_default(),
            truncated: outcome.is_cut,
            status: if failed { Status::Error } else { Status::Ok },
            ..of_tool(Kind::ToolResult, TOOL_RANK)
        },
    ]
}

/// Whether a span is the protocol's, below or beside that of the agent's tool.
fn is_of_protocol(record: &Record<'_>) -> bool {
    let method = record.text(MCP_METHOD);
    method.is_some_and(|method| method == MCP_CALL) || record.name().starts_with(MCP_CALL)
}

/// Whether it ended because a person is asked something: it will be executed again.
fn is_pause(record: &Record<'_>) -> bool {
    let of_event = |event: &opentelemetry_proto::tonic::trace::v1::span::Event| {
        find(&event.attributes, "exception.type").map(to_text)
    };
    let raised = record.span_events("exception").filter_map(of_event);
    let stated = record.text(ERROR_TYPE).into_iter();
    let said = record.failure().and_then(|said| said.split_once('(')).map(|(name, _)| name.to_owned());
    let mut names = raised.chain(stated).chain(said);
    names.any(|name| PAUSES.contains(&name.rsplit(['.', ':']).next().unwrap_or_default()))
}

/// Some clients write every value as JSON, texts too.
fn unquoted(text: String) -> String {
    serde_json::from_str(&text).unwrap_or(text)
}

/// Some frameworks give a tool of one parameter the bare value: the model's own call knows better.
fn made(record: &Record<'_>, tool: &Tool, of_tool: impl Fn(Kind, i64) -> SessionEvent) -> SessionEvent {
    let given = tool.arguments.iter().find_map(|source| source.find(record));
    let Some(given) = given.map(arguments).filter(|given| !is_withheld(&given.text)) else {
        return of_tool(Kind::ToolCall, TOOL_RANK);
    };
    let rank = if given.value.is_object() || given.is_cut { TOOL_RANK } else { BARE_ARGUMENTS_RANK };
    SessionEvent { input: given.text.into_owned(), truncated: given.is_cut, ..of_tool(Kind::ToolCall, rank) }
}

/// Decorators record how a function was called; with keywords alone, these are the arguments.
fn arguments(given: Found<'_>) -> Found<'_> {
    let list = |name| given.value.get(name);
    let inner = match (list("args"), list("kwargs"), given.value.as_object().map(serde_json::Map::len)) {
        (Some(Value::Array(args)), Some(by_name @ Value::Object(_)), Some(2)) if args.is_empty() => {
            by_name.clone()
        }
        (Some(args @ Value::Array(_)), Some(Value::Object(by_name)), Some(2)) if by_name.is_empty() => {
            args.clone()
        }
        // Arguments that were made a text twice.
        _ => match given.value.as_str().map(json::parse) {
            Some(Ok(inner @ Value::Object(_))) => inner,
            _ => return given,
        },
    };
    Found { text: Cow::Owned(inner.to_string()), value: inner, is_cut: given.is_cut }
}

fn outcome(found: Found<'_>) -> Outcome {
    let Found { value, text, is_cut } = found;
    if is_cut {
        return Outcome { output: text.into_owned(), is_cut, ..Outcome::default() };
    }
    // Tools of the Model Context Protocol report a failure in a result that looks like success.
    let flagged = ["isError", "is_error"].iter().any(|name| value.get(*name) == Some(&Value::Bool(true)));
    if let Some(message) = tool_message(&value) {
        return message;
    }
    let parts = value.get("content").filter(|parts| parts.is_array() && value.get("role").is_none());
    let output = match value {
        _ if parts.is_some() => parts.map(parse::output_text).unwrap_or_default(),
        Value::String(text) => text,
        Value::Array(_) => parse::output_text(&value),
        _ => text.into_owned(),
    };
    Outcome { output, failed: flagged, ..Outcome::default() }
}

/// LangChain's tools return a message, serialised.
fn tool_message(value: &Value) -> Option<Outcome> {
    let value = value.get("output").filter(|inner| inner.is_object()).unwrap_or(value);
    let is_wrapped = ["data", "kwargs"].iter().any(|name| value.get(*name).is_some_and(Value::is_object));
    let is_message = value.get("type").and_then(Value::as_str) == Some("tool") || value.get("lc").is_some();
    if !is_message || !(is_wrapped || value.get("tool_call_id").is_some()) {
        return None;
    }
    let result = parse::message(value, Role::Other, 0).results.into_iter().next()?;
    let call = Some(result.id).filter(|id| !id.is_empty());
    Some(Outcome { call, output: result.output, failed: result.failed, is_cut: false })
}

fn name_of_span(record: &Record<'_>) -> String {
    let name = record.name();
    let name = NAME_PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
    name.strip_suffix(".tool").unwrap_or(name).trim().to_owned()
}

/// What a record says about its failure, `""` if only that it failed; `None` if it did not fail.
pub(super) fn failure(record: &Record<'_>) -> Option<String> {
    if is_pause(record) {
        return None;
    }
    let failed = record.failure();
    let exit_code = record.integer(EXIT_CODE).is_some_and(|code| code != 0);
    let says_so = FAILURES.iter().any(|(name, failure)| {
        record.text(std::slice::from_ref(name)).is_some_and(|said| said.eq_ignore_ascii_case(failure))
    });
    if failed.is_none() && !exit_code && !says_so && !record.has(ERROR_TYPE) {
        return None;
    }
    // Status messages may have a whole stack trace behind the exception's own.
    let exception = record.span_events("exception").last();
    let exception = exception.and_then(|event| find(&event.attributes, "exception.message")).map(to_text);
    let said = exception.filter(|text| !is_withheld(text)).or_else(|| record.content(ERROR_MESSAGE));
    let said = said.or_else(|| failed.map(str::to_owned).filter(|text| !is_withheld(text)));
    Some(said.or_else(|| record.text(ERROR_TYPE)).unwrap_or_default())
}
