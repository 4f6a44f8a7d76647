//! What the client shows of its talk with the model: the bodies of its requests and replies as log
//! records, and the `new_context` of its detailed spans.
//!
//! A request repeats the whole conversation. New in it are the results of the last tools, which are
//! the only place where the output of a failed tool stands, and, in a conversation's first request,
//! the directory that it takes place in. A body that the client cut is no JSON any more: only the
//! directory, which stands at its beginning, is looked for.

use serde_json::Value;

use super::super::{Mapping, Record, directory};
use super::{MENTION_RANK, call_rank, event, reply_key, result_rank};
use crate::event::tokens::Counts;
use crate::event::{Decision, Kind, SessionEvent, Status};
use crate::shell::refusal::refusal;
use crate::shell::status;

const BODY: &[&str] = &["body"];
/// Where the client wrote the body to a file instead.
const ELSEWHERE: &[&str] = &["body_ref"];
const DIRECTORY_WORDS: &[&str] = &["Primary working directory:", "Working directory:"];

/// How the result of a call reads that was not allowed to run; the decision has a record of its own.
const REFUSALS: &[&str] = &[
    "The user doesn't want to proceed with this tool use",
    "The user doesn't want to take this action right now",
    "Claude requested permissions to ",
    "[Tool call skipped",
];
const DENIED: (&str, &str) = ("Permission to ", " has been denied");

/// The end of what the client cut.
const CUT: &str = "[TRUNCATED - Content exceeds";

/// The last message of a request: results of tools. The first request: the directory.
pub(super) fn request(record: &Record<'_>) -> Mapping {
    let Some(Value::Object(body)) = record.json(BODY) else {
        return cut_request(record);
    };
    let messages = body.get("messages").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let is_answer = |message: &Value| role(message) == "assistant";
    let last_answer = messages.iter().rposition(is_answer);
    let new = messages.iter().skip(last_answer.map_or(0, |position| position + 1));
    let blocks = new.filter(|message| role(message) == "user").flat_map(blocks);
    let mut events: Vec<SessionEvent> = blocks.filter_map(|block| result_block(record, block)).collect();
    if last_answer.is_none() {
        let texts = messages.iter().chain(body.get("system")).flat_map(texts);
        events.extend(
            texts
                .filter_map(|text| directory::after(text, DIRECTORY_WORDS))
                .take(1)
                .filter_map(|cwd| started(record, cwd)),
        );
    }
    finish(events)
}

/// The beginning of a request that was cut, whose line breaks are still escaped.
fn cut_request(record: &Record<'_>) -> Mapping {
    if record.has(ELSEWHERE) {
        return Mapping::DUPLICATE;
    }
    let body = record.text(BODY).unwrap_or_default().replace("\\n", "\n");
    let is_first = !body.contains(r#""role":"assistant""#);
    let cwd = directory::after(&body, DIRECTORY_WORDS).filter(|_| is_first);
    finish(cwd.and_then(|cwd| started(record, cwd)).into_iter().collect())
}

/// The session's start, for the directory. A sub-agent's or a title's request does not say where
/// the session takes place.
fn started(record: &Record<'_>, cwd: String) -> Option<SessionEvent> {
    let event = event(record, Kind::SessionStart, MENTION_RANK);
    let is_main = event.agent.is_empty() && !event.session_id.is_empty();
    is_main.then(|| SessionEvent { fact_key: event.session_id.clone(), cwd, ..event })
}

/// The calls of a reply with their whole input, and its text.
pub(super) fn response(record: &Record<'_>) -> Mapping {
    let Some(body) = record.json(BODY).filter(Value::is_object) else {
        return Mapping::DUPLICATE;
    };
    let mut events: Vec<SessionEvent> = blocks(&body).filter_map(|block| call_block(record, block)).collect();
    let text = texts(&body).collect::<Vec<_>>().join("\n");
    if !text.trim().is_empty() {
        let event = event(record, Kind::Response, MENTION_RANK);
        events.push(usage(&body).whole().in_event(SessionEvent {
            fact_key: reply_key(record),
            text,
            ..event
        }));
    }
    finish(events)
}

/// What a message of the model says that it cost.
pub(in super::super) fn usage(message: &Value) -> Counts {
    let count = |name: &str| message.pointer(name).and_then(Value::as_i64).unwrap_or_default();
    Counts {
        input: count("/usage/input_tokens"),
        output: count("/usage/output_tokens"),
        cache_read: count("/usage/cache_read_input_tokens"),
        cache_write: count("/usage/cache_creation_input_tokens"),
        cache_is_apart: true,
        ..Counts::default()
    }
}

/// What a detailed span shows of the results that its request sends: each under a line with the
/// call's id.
pub(super) fn results_in_context(record: &Record<'_>, context: &str) -> Vec<SessionEvent> {
    let mut results: Vec<(&str, String)> = vec![];
    for line in context.lines() {
        match (heading(line), results.last_mut()) {
            (Some(call), _) => results.push((call, String::new())),
            (None, Some((_, output))) => {
                output.push_str(line);
                output.push('\n');
            }
            (None, None) => {}
        }
    }
    let results = results.into_iter().filter(|(call, _)| !call.is_empty());
    let to_event = |(call, output): (&str, String)| match is_refusal(&output) {
        true => refused(record, call, &separated(&output)),
        false => Some(result(record, call, separated(&output), Status::Unknown)),
    };
    results.filter_map(to_event).collect()
}

/// The text under the one heading of a detailed tool span's attribute.
pub(super) fn under_heading(text: &str) -> &str {
    text.split_once('\n')
        .filter(|(first, _)| first.starts_with('[') && first.ends_with(']'))
        .map_or(text, |(_, rest)| rest)
}

/// Whether the client says at the end of a text that it cut it.
pub(super) fn is_cut(text: &str) -> bool {
    text.lines().next_back().is_some_and(|line| line.starts_with(CUT))
}

/// The call's id of a `[TOOL RESULT: id]` line; `""` for the heading of anything else.
fn heading(line: &str) -> Option<&str> {
    let inside = line.strip_prefix('[')?.strip_suffix(']')?;
    match inside.strip_prefix("TOOL RESULT: ") {
        Some(call) => Some(call.trim()),
        None => ["USER", "USER PROMPT"].contains(&inside).then_some(""),
    }
}

/// An output without the rule that separates it from the next.
fn separated(output: &str) -> String {
    let output = output.trim_end();
    output.strip_suffix("\n---").unwrap_or(output).trim_end().to_owned()
}

fn result_block(record: &Record<'_>, block: &Value) -> Option<SessionEvent> {
    let call = block.get("tool_use_id")?.as_str()?;
    let output = match block.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(content) => texts_of(content).collect::<Vec<_>>().join("\n"),
        None => String::new(),
    };
    let failed = block.get("is_error").and_then(Value::as_bool) == Some(true);
    if failed && is_refusal(&output) {
        return refused(record, call, &output);
    }
    Some(result(record, call, output, if failed { Status::Error } else { Status::Unknown }))
}

/// The decision of a person who refused a call and gave a reason or an alternative.
pub(super) fn refused(record: &Record<'_>, call: &str, output: &str) -> Option<SessionEvent> {
    let words = refusal(output)?.words?;
    Some(SessionEvent {
        fact_key: call.to_owned(),
        tool_call_id: call.to_owned(),
        decision: Decision::Reject,
        decision_source: "user_reject".to_owned(),
        text: words.to_owned(),
        ..event(record, Kind::Decision, MENTION_RANK)
    })
}

/// Whether a tool's result is the word that it was not allowed to run.
pub(super) fn is_refusal(output: &str) -> bool {
    let (permission, denied) = DENIED;
    REFUSALS.iter().any(|words| output.starts_with(words))
        || (output.starts_with(permission) && output.contains(denied))
}

/// A result as the model saw it. The model's request is not the tool's time.
fn result(record: &Record<'_>, call: &str, output: String, status: Status) -> SessionEvent {
    SessionEvent {
        fact_key: call.to_owned(),
        tool_call_id: call.to_owned(),
        status: status::as_written(status, &output),
        truncated: is_cut(&output),
        output,
        ..event(record, Kind::ToolResult, result_rank::CONVERSATION)
    }
}

fn call_block(record: &Record<'_>, block: &Value) -> Option<SessionEvent> {
    let call =
        block.get("id").filter(|_| block.get("type").is_some_and(|kind| kind == "tool_use"))?.as_str()?;
    let text = |name: &str| block.get(name).and_then(Value::as_str).unwrap_or_default();
    Some(SessionEvent {
        fact_key: call.to_owned(),
        tool_call_id: call.to_owned(),
        tool: text("name").to_owned(),
        input: block.get("input").map(Value::to_string).unwrap_or_default(),
        ..event(record, Kind::ToolCall, call_rank::CONVERSATION)
    })
}

fn role(message: &Value) -> &str {
    message.get("role").and_then(Value::as_str).unwrap_or_default()
}

fn blocks(message: &Value) -> impl Iterator<Item = &Value> {
    message.get("content").and_then(Value::as_array).into_iter().flatten()
}

/// The texts of a message, or of a system prompt, which is one message's content.
fn texts(message: &Value) -> impl Iterator<Item = &str> {
    texts_of(message.get("content").unwrap_or(message))
}

fn texts_of(content: &Value) -> impl Iterator<Item = &str> {
    let blocks = content.as_array().into_iter().flatten().filter_map(|block| {
        let is_text = block.get("type").is_some_and(|kind| kind == "text");
        block.get("text").filter(|_| is_text)?.as_str()
    });
    content.as_str().into_iter().chain(blocks)
}

fn finish(events: Vec<SessionEvent>) -> Mapping {
    if events.is_empty() { Mapping::DUPLICATE } else { Mapping::Events(events) }
}
