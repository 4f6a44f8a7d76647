//! Claude Code's spans, told apart by name. One trace is one prompt and what came of it.

use opentelemetry_proto::tonic::trace::v1::span;
use serde_json::{Map, Value};

use super::super::record::{find, is_withheld, to_boolean, to_json, to_text};
use super::super::{Mapping, Record};
use super::{
    ARGUMENTS, CALL, ERROR, MENTION_RANK, QUERY_SOURCE, REQUEST, TOKENS, arguments, bodies, call_rank, event,
    prompt, result_rank, status, tool_event,
};
use crate::event::{Kind, SessionEvent, Status};

const PROMPT: &[&str] = &["user_prompt"];
const PROMPT_LENGTH: &str = "user_prompt_length";
const RESPONSE: &[&str] = &["response.model_output"];
const STOP_REASON: &[&str] = &["stop_reason"];
const TOOL_INPUT: &[&str] = &["tool_input"];
/// What a detailed span adds: the results that a request sends, a tool's output.
const NEW_CONTEXT: &[&str] = &["new_context"];

/// The span event with a tool's output, where the tool puts it, and what in it is input.
const OUTPUT_EVENT: &str = "tool.output";
const OUTPUT: &[&str] = &["output", "content", "diff", "result"];
const OUTPUT_INPUTS: &[&str] = &["bash_command", "file_path"];

const NOISE: &[&str] = &["bash.subprocess", "compaction", "hook", "mcp.rpc", "subagent.spawn"];

pub(super) fn map(record: &Record<'_>) -> Mapping {
    let name = record.name();
    match name.strip_prefix("claude_code.").unwrap_or(name) {
        "interaction" => interaction(record),
        "llm_request" => llm_request(record),
        "tool" => tool(record),
        "tool.execution" => execution(record),
        // Has no call id: the decision is taken from the log record.
        "tool.blocked_on_user" => Mapping::DUPLICATE,
        name if NOISE.contains(&name) => Mapping::NOISE,
        _ => Mapping::UNKNOWN_NAME,
    }
}

fn interaction(record: &Record<'_>) -> Mapping {
    if !record.has(PROMPT) && !record.has(&[PROMPT_LENGTH]) {
        return Mapping::NOISE;
    }
    Mapping::one(prompt(record, MENTION_RANK, record.content(PROMPT)))
}

/// The model's reply, and the results of tools that it received.
fn llm_request(record: &Record<'_>) -> Mapping {
    let context = record.content(NEW_CONTEXT).unwrap_or_default();
    let mut events = bodies::results_in_context(record, &context);
    match reply(record) {
        Mapping::Events(reply) => events.extend(reply),
        nothing if events.is_empty() => return nothing,
        Mapping::Nothing(_) => {}
    }
    Mapping::Events(events)
}

/// A failed request is an error. A reply that ends the main agent's or a sub-agent's turn adds
/// model and token counts to its response; any other reply may have no text, and an empty response
/// is none.
fn reply(record: &Record<'_>) -> Mapping {
    let request = record.text(REQUEST).unwrap_or_default();
    if status(record) == Status::Error {
        return match request.as_str() {
            // Could not be told from the error that the log record states.
            "" => Mapping::DUPLICATE,
            _ => Mapping::one(failed_request(record, request)),
        };
    }
    let text = record.content(RESPONSE).unwrap_or_default();
    let ends_turn = record.text(STOP_REASON).is_some_and(|reason| reason == "end_turn");
    if text.is_empty() && !(ends_turn && record.has(QUERY_SOURCE)) {
        return super::usage(record, MENTION_RANK);
    }
    if request.is_empty() {
        // Could not be told from the response that the log record states.
        return Mapping::DUPLICATE;
    }
    Mapping::one(TOKENS.of(record).in_event(SessionEvent {
        fact_key: request,
        timestamp: record.end_time().unwrap_or_default(),
        duration_us: record.duration_us(),
        text,
        ..event(record, Kind::Response, MENTION_RANK)
    }))
}

fn failed_request(record: &Record<'_>, request: String) -> SessionEvent {
    let message = || record.failure().unwrap_or_default().to_owned();
    SessionEvent {
        fact_key: request,
        timestamp: record.end_time().unwrap_or_default(),
        duration_us: record.duration_us(),
        text: record.content(ERROR).unwrap_or_else(message),
        ..event(record, Kind::Error, MENTION_RANK)
    }
}

/// The call, and its result if the span shows the output: a refused call has this span too.
fn tool(record: &Record<'_>) -> Mapping {
    if !record.has(CALL) {
        // Could not be told from the call that the log records state.
        return Mapping::DUPLICATE;
    }
    let call = SessionEvent { input: input(record), ..tool_event(record, Kind::ToolCall, call_rank::SPAN) };
    let in_context = || record.content(NEW_CONTEXT).and_then(|output| shown(&output));
    let refusal = record
        .content(NEW_CONTEXT)
        .and_then(|output| bodies::refused(record, &record.text(CALL)?, bodies::under_heading(&output)));
    let output = record.span_events(OUTPUT_EVENT).next().map(text_of).or_else(in_context);
    let result = output.map(|(output, truncated)| SessionEvent {
        timestamp: record.end_time().unwrap_or_default(),
        output,
        truncated,
        ..tool_event(record, Kind::ToolResult, result_rank::OUTPUT)
    });
    Mapping::Events([Some(call), result, refusal].into_iter().flatten().collect())
}

fn execution(record: &Record<'_>) -> Mapping {
    if !record.has(CALL) {
        return Mapping::DUPLICATE;
    }
    Mapping::one(SessionEvent {
        timestamp: record.end_time().unwrap_or_default(),
        duration_us: record.duration_us(),
        status: status(record),
        ..tool_event(record, Kind::ToolResult, result_rank::EXECUTION)
    })
}

fn input(record: &Record<'_>) -> String {
    let whole = record.content(TOOL_INPUT).map(|input| bodies::under_heading(&input).to_owned());
    whole.unwrap_or_else(|| {
        let abbreviated = ARGUMENTS.iter().filter_map(|(name, _)| {
            let value = record.content(&[*name])?;
            Some(((*name).to_owned(), Value::String(value)))
        });
        arguments(abbreviated.collect())
    })
}

/// A tool's output as a detailed span shows it, and whether the client cut it; `None` for the words
/// of a refusal.
fn shown(output: &str) -> Option<(String, bool)> {
    let output = bodies::under_heading(output);
    (!bodies::is_refusal(output)).then(|| (output.to_owned(), bodies::is_cut(output)))
}

/// A tool's output, and whether the client cut it. What none of the known names holds is given as
/// JSON.
fn text_of(event: &span::Event) -> (String, bool) {
    let attribute = |name: &str| find(&event.attributes, name);
    let truncated =
        |name: &str| attribute(&format!("{name}_truncated")).and_then(to_boolean).unwrap_or(false);
    for name in OUTPUT {
        if let Some(text) = attribute(name).map(to_text).filter(|text| !is_withheld(text)) {
            return (text, truncated(name));
        }
    }
    let rest: Map<String, Value> = event
        .attributes
        .iter()
        .filter(|attribute| ![OUTPUT, OUTPUT_INPUTS].concat().contains(&attribute.key.as_str()))
        .filter_map(|attribute| Some((attribute.key.clone(), to_json(attribute.value.as_ref()?))))
        .collect();
    if rest.is_empty() { (String::new(), false) } else { (Value::Object(rest).to_string(), false) }
}
