//! Langfuse's own ingestion, which version 2 of its SDKs speaks and scores still use: traces and
//! observations that one record creates and others update, in any order and in different requests.
//!
//! A record is mapped as the span would be that has the same content (`langfuse.rs`), with what it says
//! and no more: who knows the rest is another record of the same id. Readers put them together:
//!
//! | what | fact key |
//! |---|---|
//! | prompt and response of a trace or of a span that nothing called | trace `:` hash of the text `@` hash of the id |
//! | response of a generation | trace `:` hash of the text `#` hash of the id `@` hash of the id |
//! | tool call, tool result | the observation's id, in the record that creates it and in those that update it |
//! | score | its id |
//!
//! What stands behind `@` is replaced as a whole: of the texts of one id, the latest counts. An update
//! does not say what it updates, so that every result of a span is taken for a tool's; readers leave out
//! the results of spans that made no call.

use super::framework::{self, Exchange, Framework, Step, Tool, is_root};
use super::langfuse::{INPUT, OUTPUT, TYPE};
use super::{Dialect, Mapping, Record, Upsert, history};
use crate::event::{Kind, SessionEvent};

const SCORE_ID: &[&str] = &["langfuse.score.id"];
const LEVEL: &[&str] = &["langfuse.observation.level"];
const MODEL: &[&str] = &["langfuse.observation.model.name"];
/// What an application writes into the metadata of a tool's span.
const TOOL_MARKS: &[&str] = &["tool_call_id", "toolCallId", "tool_name", "toolName"];
/// Columns have what these attributes say.
const IN_COLUMNS: &[&str] = &["langfuse.score.id", "langfuse.session.id", "metadata"];

const OBSERVATION: Framework = Framework {
    name: "langfuse",
    recognises: |record| record.as_upsert().is_some(),
    step,
    model: Exchange { input: INPUT, output: OUTPUT },
    agent: Exchange { input: INPUT, output: OUTPUT },
    tool: Tool {
        name: &["langfuse.observation.metadata.tool_name"],
        call: &[],
        arguments: INPUT,
        result: OUTPUT,
    },
};

/// The records of Langfuse's ingestion.
pub(super) struct LangfuseIngestion;

impl Dialect for LangfuseIngestion {
    fn name(&self) -> &'static str {
        OBSERVATION.name
    }

    fn recognises(&self, record: &Record<'_>) -> bool {
        record.as_upsert().is_some()
    }

    fn map(&self, record: &Record<'_>) -> Mapping {
        let Some(upsert) = record.as_upsert() else { return Mapping::UNKNOWN_NAME };
        if record.as_log().is_some() {
            return score(record, upsert);
        }
        let events = match OBSERVATION.map(record) {
            Mapping::Events(events) => events,
            // Details of a trace are details of its session, even if it has no messages.
            Mapping::Nothing(_) if type_of(record) == "trace" => return presence(record, upsert),
            nothing => return nothing,
        };
        match as_said(events, record, upsert) {
            events if events.is_empty() => Mapping::INCOMPLETE,
            events => Mapping::Events(events),
        }
    }
}

fn type_of(record: &Record<'_>) -> String {
    record.text(TYPE).unwrap_or_default().to_ascii_lowercase()
}

/// An update names neither its parent nor what it is part of: of a span it may be a tool's result.
fn step(record: &Record<'_>) -> Option<Step> {
    let is_update = record.as_upsert().is_some_and(|upsert| upsert.is_update);
    match type_of(record).as_str() {
        "trace" | "agent" => Some(Step::Agent),
        "generation" => Some(Step::Model),
        "tool" => Some(Step::Tool),
        "span" if record.has(MODEL) => Some(Step::Model),
        "span" if is_update || is_tool(record) => Some(Step::Tool),
        "span" | "chain" if is_root(record) && !is_update => Some(Step::Agent),
        "" => None,
        _ => Some(Step::Plumbing),
    }
}

/// Whether the metadata of a span says that it is a tool's. What else is a tool's, the messages of the
/// model calls tell.
fn is_tool(record: &Record<'_>) -> bool {
    let metadata = record.json(&["langfuse.observation.metadata"]).unwrap_or_default();
    TOOL_MARKS.iter().any(|mark| metadata.get(*mark).is_some_and(|value| !value.is_null()))
}

/// The events of what the record itself says, under the keys of upserts.
fn as_said(events: Vec<SessionEvent>, record: &Record<'_>, upsert: &Upsert) -> Vec<SessionEvent> {
    let (has_input, has_output) = (has(record, INPUT), has(record, OUTPUT));
    let failed = record.text(LEVEL).is_some_and(|level| level.eq_ignore_ascii_case("error"));
    let has_ended = has_output || failed || record.end_time().is_some();
    let of_tool = step(record) == Some(Step::Tool);
    let is_said = |event: &SessionEvent| match event.kind {
        Kind::ToolCall if of_tool => !upsert.is_update,
        Kind::ToolResult if of_tool => has_ended,
        _ => true,
    };
    let of_model = step(record) == Some(Step::Model);
    let prompts = events.iter().filter(|event| event.kind == Kind::Prompt).count();
    let mut events: Vec<SessionEvent> = events.into_iter().filter(is_said).collect();
    for event in &mut events {
        event.seq = event.seq.saturating_add(upsert.sent_at.as_micros());
        match event.kind {
            Kind::ToolCall | Kind::ToolResult if of_tool => {
                event.fact_key.clone_from(&upsert.id);
                event.tool_call_id.clone_from(&upsert.id);
            }
            // A model is shown the whole conversation, which numbers its prompts.
            Kind::Prompt if !of_model && prompts == 1 => replace(&mut event.fact_key, upsert, false),
            Kind::Response => replace(&mut event.fact_key, upsert, of_model),
            _ => {}
        }
        // Half of an exchange is no history.
        if !(has_input && has_output) {
            event.history_before.clear();
            event.history_after.clear();
        }
        // An update does not know whose name it would repeat.
        if upsert.is_update && event.kind == Kind::ToolResult && of_tool {
            event.tool.clear();
        }
    }
    events
}

fn has(record: &Record<'_>, sources: &[framework::Source]) -> bool {
    sources.iter().any(|source| source.is_present(record))
}

/// Replaces the key of a text by the key that belongs to this id.
fn replace(key: &mut String, upsert: &Upsert, is_numbered: bool) {
    let id = if upsert.id.is_empty() { &upsert.trace_id } else { &upsert.id };
    let id = history::digest(id);
    if is_numbered {
        key.truncate(key.rfind('#').unwrap_or(key.len()));
        key.push('#');
        key.push_str(&id);
    }
    key.push('@');
    key.push_str(&id);
}

/// The session and person of a trace, and the attributes that its application gave it.
fn presence(record: &Record<'_>, upsert: &Upsert) -> Mapping {
    let common = framework::common(record);
    if common.attributes.is_empty() && common.user_id.is_empty() && common.session_id.is_empty() {
        return Mapping::NOISE;
    }
    let of = if common.session_id.is_empty() { &upsert.trace_id } else { &common.session_id };
    Mapping::one(SessionEvent {
        kind: Kind::SessionStart,
        rank: 1,
        fact_key: of.clone(),
        seq: upsert.sent_at.as_micros(),
        ..common
    })
}

fn score(record: &Record<'_>, upsert: &Upsert) -> Mapping {
    let id = record.text(SCORE_ID).unwrap_or_default();
    if upsert.trace_id.is_empty() && !record.has(&["langfuse.session.id"]) {
        // The score of a run over a data set: no session's.
        return Mapping::NOISE;
    }
    match framework::evaluation(record) {
        Mapping::Events(events) => Mapping::Events(
            events
                .into_iter()
                .map(|mut event| {
                    event.fact_key.clone_from(&id);
                    event.seq = upsert.sent_at.as_micros();
                    event.attributes.retain(|name, _| !IN_COLUMNS.contains(&name.as_str()));
                    event
                })
                .collect(),
        ),
        nothing => nothing,
    }
}
