//! The span of a tool: a call and its result.

use serde_json::Value;

use super::super::record::{find, is_withheld, to_text};
use super::super::{Record, json};
use super::messages::Role;
use super::sources::{Found, Source};
use super::{BARE_ARGUMENTS_RANK, TOOL_RANK, parse};
use crate::event::{Kind, SessionEvent, Status};

/// Where the span of a tool has what, each in order of precedence.
pub(in super::super) struct Tool {
    pub(in super::super) name: &'static [&'static str],
    /// The call's id.
    pub(in super::super) call: &'static [&'static str],
    pub(in super::super) arguments: &'static [Source],
    pub(in super::super) result: &'static [Source],
}

/// What a span's name says besides its tool's.
const NAME_PREFIXES: &[&str] = &["execute_tool ", "running tool: ", "running tool ", "Tool: "];
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
    let call = record.text(tool.call).map(unquoted).or(outcome.call).unwrap_or_else(|| record.span_id());
    let name = record.text(tool.name).map_or_else(|| name_of_span(record), unquoted);
    let of_tool = |kind, rank| SessionEvent {
        kind,
        rank,
        fact_key: call.clone(),
        tool: name.clone(),
        tool_call_id: call.clone(),
        ..common.clone()
    };
    let failed = failure.is_some() || outcome.failed;
    let said = Some(outcome.output).filter(|output| !is_withheld(output));
    vec![
        made(record, tool, of_tool),
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
    SessionEvent { input: given.text, truncated: given.is_cut, ..of_tool(Kind::ToolCall, rank) }
}

/// Decorators record how a function was called; with keywords alone, these are the arguments.
fn arguments(given: Found) -> Found {
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
    Found { text: inner.to_string(), value: inner, is_cut: given.is_cut }
}

fn outcome(found: Found) -> Outcome {
    let Found { value, text, is_cut } = found;
    if is_cut {
        return Outcome { output: text, is_cut, ..Outcome::default() };
    }
    // Tools of the Model Context Protocol report a failure in a result that looks like success.
    let flagged = ["isError", "is_error"].iter().any(|name| value.get(*name) == Some(&Value::Bool(true)));
    if let Some(message) = tool_message(&value) {
        return message;
    }
    let output = match &value {
        Value::String(text) => text.clone(),
        Value::Array(_) => parse::output_text(&value),
        _ => text,
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
