//! What became of a record, and why: which dialect took it, which attribute gave which column, what
//! was kept as it is and what was passed over.
//!
//! Where a column comes from is found afterwards, by comparing its value with the attributes that
//! the dialect read, so that the mapping itself carries no bookkeeping. A column whose value no
//! attribute has was put together by the dialect, from attributes that are listed as read besides.

use super::{Dialects, Outcome, Record};
use crate::event::{Owner, SessionEvent, Timestamp};

/// What became of one record.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// `log` or `span`.
    pub signal: &'static str,
    /// The span's name, or the log record's `event.name`, name or body.
    pub name: String,
    /// The instrumentation scope.
    pub scope: String,
    /// How the record was mapped. [`Explanation::kept`] has the attributes of its events.
    pub outcome: Outcome,
    /// For every event its columns.
    pub columns: Vec<Vec<Column>>,
    /// Attributes that were read and whose value no column has as it stands.
    pub read_besides: Vec<String>,
    /// Attributes that nothing read: they are stored with the event as they are.
    pub kept: Vec<String>,
    /// Attributes that were left out on purpose.
    pub passed_over: Vec<String>,
}

/// One filled column of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name in the table.
    pub name: &'static str,
    /// Its value.
    pub value: String,
    /// Where it comes from.
    pub source: Source,
}

/// Where a column's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// An attribute, whole.
    Attribute(String),
    /// Part of an attribute.
    Within(String),
    /// The record itself: its times, ids and name.
    Record,
    /// What the dialect made of the attributes that it read, or knows of the client.
    Dialect,
}

/// Shorter values are found in other attributes by chance.
const SHORTEST_PART: usize = 8;

impl Dialects {
    /// Maps a record and says how.
    pub fn explain(&self, record: &Record<'_>) -> Explanation {
        let outcome = self.map(record, &Owner::default(), Timestamp::EPOCH);
        let read = record.read_names();
        let attributes: Vec<(&str, String)> =
            record.attributes().filter(|(name, _)| read.contains(name)).collect();
        let events = match &outcome {
            Outcome::Mapped(events) => events.as_slice(),
            Outcome::Dropped { .. } | Outcome::Unrecognised => &[],
        };
        let columns: Vec<Vec<Column>> = events.iter().map(|event| columns(event, &attributes)).collect();
        let shown = |name: &str| {
            columns.iter().flatten().any(|column| match &column.source {
                Source::Attribute(shown) | Source::Within(shown) => shown == name,
                Source::Record | Source::Dialect => false,
            })
        };
        let named = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
        Explanation {
            signal: if record.as_span().is_some() { "span" } else { "log" },
            name: name(record),
            scope: record.scope_name().to_owned(),
            read_besides: named(read.into_iter().filter(|name| !shown(name)).collect()),
            kept: events.first().map(|event| event.attributes.keys().cloned().collect()).unwrap_or_default(),
            passed_over: named(record.ignored_names()),
            columns,
            outcome,
        }
    }
}

/// Looked up without reading it: explaining changes nothing.
fn name(record: &Record<'_>) -> String {
    let stated = || record.attributes().find(|(name, _)| *name == "event.name").map(|(_, value)| value);
    match record.as_span() {
        Some(span) => span.name.clone(),
        None => stated().filter(|name| !name.is_empty()).unwrap_or_else(|| match record.name() {
            "" => record.body_text(),
            name => name.to_owned(),
        }),
    }
}

fn columns(event: &SessionEvent, attributes: &[(&str, String)]) -> Vec<Column> {
    let stated = stated_by_clients(event).into_iter().map(|(name, value)| {
        let source = source(&value, attributes);
        Column { name, value, source }
    });
    let of_record = stated_by_records(event).into_iter().map(|(name, value)| {
        let source = match source(&value, attributes) {
            Source::Dialect | Source::Within(_) => Source::Record,
            found => found,
        };
        Column { name, value, source }
    });
    let filled = |column: &Column| !column.value.is_empty() && column.value != "0";
    stated.chain(of_record).filter(filled).collect()
}

fn source(value: &str, attributes: &[(&str, String)]) -> Source {
    let whole = attributes.iter().find(|(_, text)| text == value);
    let part = || attributes.iter().find(|(_, text)| value.len() >= SHORTEST_PART && text.contains(value));
    match (whole, part()) {
        (Some((name, _)), _) => Source::Attribute((*name).to_owned()),
        (None, Some((name, _))) => Source::Within((*name).to_owned()),
        (None, None) => Source::Dialect,
    }
}

fn stated_by_clients(event: &SessionEvent) -> Vec<(&'static str, String)> {
    vec![
        ("session_id", event.session_id.clone()),
        ("turn_id", event.turn_id.clone()),
        ("fact_key", event.fact_key.clone()),
        ("seq", event.seq.to_string()),
        ("project", event.project.clone()),
        ("cwd", event.cwd.clone()),
        ("user_id", event.user_id.clone()),
        ("assistant", event.assistant.clone()),
        ("assistant_version", event.assistant_version.clone()),
        ("agent", event.agent.clone()),
        ("model", event.model.clone()),
        ("tool", event.tool.clone()),
        ("tool_call_id", event.tool_call_id.clone()),
        ("text", event.text.clone()),
        ("input", event.input.clone()),
        ("output", event.output.clone()),
        ("status", event.status.as_str().to_owned()),
        ("decision", event.decision.as_str().to_owned()),
        ("decision_source", event.decision_source.clone()),
        ("score", event.score.map(|score| score.to_string()).unwrap_or_default()),
        ("skill", event.skill.clone()),
        ("input_tokens", event.input_tokens.to_string()),
        ("output_tokens", event.output_tokens.to_string()),
    ]
}

fn stated_by_records(event: &SessionEvent) -> Vec<(&'static str, String)> {
    vec![
        ("timestamp", if event.timestamp.is_unset() { String::new() } else { event.timestamp.to_string() }),
        ("duration_us", event.duration_us.to_string()),
        ("service", event.service.clone()),
        ("trace_id", event.trace_id.clone()),
        ("span_id", event.span_id.clone()),
        ("parent_span_id", event.parent_span_id.clone()),
    ]
}
