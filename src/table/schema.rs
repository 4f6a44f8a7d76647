//! The table's columns: the one place that knows how an event becomes a row and a row an event.
//!
//! Only utf8, int64, float64, bool and timestamp(µs, UTC), no nulls but in `score`, no dictionary
//! *type*: anything else is changed or refused by one of the engines that read the table.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Float64Builder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};
use serde::Serialize;

use crate::event::{Decision, Kind, Row, SessionEvent, Status, Timestamp, attributes_from_json};

/// One column: its name, how it is read from and written to an event, and how it is stored.
pub(super) struct Column {
    pub(super) name: &'static str,
    /// What it holds, for people.
    pub(super) about: &'static str,
    pub(super) values: Values,
    pub(super) storage: Storage,
}

/// How a column's value is taken from an event and put back.
pub(super) enum Values {
    /// `set` is false for a text that this version gives no meaning.
    Text {
        get: for<'r> fn(&'r Row<'_>) -> Cow<'r, str>,
        set: fn(&mut SessionEvent, &str) -> bool,
    },
    Integer {
        get: fn(&Row<'_>) -> i64,
        set: fn(&mut SessionEvent, i64),
    },
    Time {
        get: fn(&Row<'_>) -> Timestamp,
        set: fn(&mut SessionEvent, Timestamp),
    },
    Flag {
        get: fn(&Row<'_>) -> bool,
        set: fn(&mut SessionEvent, bool),
    },
    OptionalFloat {
        get: fn(&Row<'_>) -> Option<f64>,
        set: fn(&mut SessionEvent, f64),
    },
}

/// How a column's pages are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Storage {
    /// Few different values: dictionary encoding, statistics.
    Repeating,
    /// Mostly different values: plain, statistics.
    Distinct,
    /// Long, different texts: plain, and no statistics, whose bounds would say nothing.
    Bulk,
}

macro_rules! column {
    ($variant:ident, $field:ident, $storage:ident, $about:literal) => {
        Column {
            name: stringify!($field),
            about: $about,
            values: Values::$variant { get: |row| row.$field, set: |event, value| event.$field = value },
            storage: Storage::$storage,
        }
    };
}

macro_rules! text {
    ($field:ident, $storage:ident, $about:literal) => {
        Column {
            name: stringify!($field),
            about: $about,
            values: Values::Text {
                get: |row| Cow::Borrowed(row.$field),
                set: |event, value| {
                    value.clone_into(&mut event.$field);
                    true
                },
            },
            storage: Storage::$storage,
        }
    };
}

/// A text column of a closed set of names.
macro_rules! name {
    ($field:ident, $type:ident, $about:literal) => {
        Column {
            name: stringify!($field),
            about: $about,
            values: Values::Text {
                get: |row| Cow::Borrowed(row.$field.as_str()),
                set: |event, value| {
                    let parsed = $type::parse(value);
                    event.$field = parsed.unwrap_or_default();
                    parsed.is_some()
                },
            },
            storage: Storage::Repeating,
        }
    };
}

/// Every column, in the order of the files.
pub(super) static COLUMNS: [Column; 40] = [
    text!(event_id, Distinct, "the observation's identity: 32 hex digits, the same however often it is sent"),
    text!(fact_key, Distinct, "the fact's identity within tenant, session and kind; '' is a fact of its own"),
    column!(
        Integer,
        rank,
        Repeating,
        "which observation of a fact knows better: the greatest non-empty wins"
    ),
    text!(session_id, Repeating, "the session that the record itself names; '' if none"),
    text!(turn_id, Repeating, "the turn that the record itself names; '' if none"),
    column!(Integer, seq, Distinct, "the client's own order, else 0; ties break by event_id"),
    name!(
        kind,
        Kind,
        "session_start, session_end, prompt, tool_call, tool_result, decision, response, feedback, skill_use or error"
    ),
    column!(Time, timestamp, Distinct, "when it happened; when it was accepted if the client does not say"),
    column!(Time, ingested_at, Repeating, "when the request that carried it was accepted"),
    column!(Integer, duration_us, Distinct, "how long it took; 0 if unknown"),
    text!(tenant, Repeating, "whose it is, as the credential decided"),
    text!(workspace, Repeating, "the workspace that the credential names, else the payload; '' if none"),
    text!(project, Repeating, "the repository as host/owner/name"),
    text!(cwd, Repeating, "the working directory"),
    text!(user_id, Repeating, "the person, as the client names them"),
    text!(service, Repeating, "service.name of the resource"),
    text!(assistant, Repeating, "claude-code, codex, cursor, ...; '' for other applications"),
    text!(assistant_version, Repeating, "the assistant's version"),
    text!(agent, Repeating, "'' for the main agent, else the sub-agent's id or name"),
    text!(model, Repeating, "the model that answered"),
    text!(tool, Repeating, "the tool's name"),
    text!(tool_call_id, Distinct, "joins a call with its result and its decision"),
    text!(text, Bulk, "the prompt, the response, the error, the comment of a score"),
    text!(input, Bulk, "a call's arguments; JSON text where the client sent JSON"),
    text!(output, Bulk, "a call's result"),
    name!(status, Status, "how a call ended: ok, error or ''"),
    name!(decision, Decision, "accept, reject or ''"),
    text!(decision_source, Repeating, "who decided, in the client's own word"),
    Column {
        name: "score",
        about: "a score from outside; null if there is none",
        values: Values::OptionalFloat { get: |row| row.score, set: |event, value| event.score = Some(value) },
        storage: Storage::Distinct,
    },
    text!(skill, Repeating, "the skill that was loaded or invoked"),
    column!(Integer, input_tokens, Distinct, "tokens that the model read; 0 if unknown"),
    column!(Integer, output_tokens, Distinct, "tokens that the model wrote; 0 if unknown"),
    text!(trace_id, Repeating, "lower-case hex; '' if none"),
    text!(span_id, Distinct, "lower-case hex; '' if none"),
    text!(parent_span_id, Distinct, "lower-case hex; '' if none"),
    text!(
        history_before,
        Distinct,
        "hash of the conversation before the answer; '' unless the record shows one"
    ),
    text!(history_after, Distinct, "hash of the conversation with the answer"),
    text!(dialect, Repeating, "the dialect that understood the record"),
    column!(Flag, truncated, Repeating, "whether content was cut, by the client or here"),
    Column {
        name: "attributes",
        about: "everything else, as one JSON object",
        values: Values::Text {
            get: |row| row.attributes.json(),
            set: |event, value| {
                let parsed = attributes_from_json(value);
                let known = parsed.is_ok();
                event.attributes = parsed.unwrap_or_default();
                known
            },
        },
        storage: Storage::Bulk,
    },
];

/// The Arrow schema of every file.
pub fn schema() -> SchemaRef {
    let fields = COLUMNS.iter().map(|column| {
        let nullable = matches!(column.values, Values::OptionalFloat { .. });
        Field::new(column.name, column.data_type(), nullable)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// One column, for people and for what checks a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnDescription {
    /// Its name.
    pub name: &'static str,
    /// Its type in Arrow's words.
    #[serde(rename = "type")]
    pub data_type: String,
    /// Whether it may be null.
    pub nullable: bool,
    /// What it holds.
    pub description: &'static str,
}

/// Every column, in the order of the files.
pub fn columns() -> Vec<ColumnDescription> {
    let describe = |(column, field): (&Column, &Arc<Field>)| ColumnDescription {
        name: column.name,
        data_type: match field.data_type() {
            DataType::Timestamp(_, _) => "timestamp(us, UTC)".to_owned(),
            other => other.to_string().to_lowercase(),
        },
        nullable: field.is_nullable(),
        description: column.about,
    };
    COLUMNS.iter().zip(schema().fields()).map(describe).collect()
}

impl Column {
    /// The value as text, to compare and not to show.
    pub(super) fn rendered(&self, row: &Row<'_>) -> String {
        match self.values {
            Values::Text { get, .. } => get(row).into_owned(),
            Values::Integer { get, .. } => get(row).to_string(),
            Values::Time { get, .. } => get(row).as_micros().to_string(),
            Values::Flag { get, .. } => get(row).to_string(),
            Values::OptionalFloat { get, .. } => format!("{:?}", get(row)),
        }
    }

    pub(super) fn data_type(&self) -> DataType {
        match self.values {
            Values::Text { .. } => DataType::Utf8,
            Values::Integer { .. } => DataType::Int64,
            Values::Time { .. } => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
            Values::Flag { .. } => DataType::Boolean,
            Values::OptionalFloat { .. } => DataType::Float64,
        }
    }
}

const UTC: &str = "UTC";

/// Collects events, row by row, into a record batch.
pub(super) struct BatchBuilder {
    schema: SchemaRef,
    columns: Vec<ColumnBuilder>,
    rows: usize,
    text_bytes: usize,
}

/// A builder with room for so many texts of so many bytes together; for one byte at least, so that empty texts have an
/// address: what compares them reads there, and where no memory is a processor with masked loads takes 130 ns for it.
fn texts_like(rows: usize, bytes: usize) -> StringBuilder {
    StringBuilder::with_capacity(rows, bytes.max(1))
}

/// The builder of one column, with the way to its value.
enum ColumnBuilder {
    Text(StringBuilder, for<'r> fn(&'r Row<'_>) -> Cow<'r, str>),
    Integer(Int64Builder, fn(&Row<'_>) -> i64),
    Time(TimestampMicrosecondBuilder, fn(&Row<'_>) -> Timestamp),
    Flag(BooleanBuilder, fn(&Row<'_>) -> bool),
    OptionalFloat(Float64Builder, fn(&Row<'_>) -> Option<f64>),
}

impl BatchBuilder {
    /// A batch is a copy of its events, so it is small beside them, and stays in a processor's second memory until it
    /// is encoded. Arrow's utf8 offsets are 32 bits wide:
    /// no column may grow to 2 GiB, with the event that reaches the limit, which is at most as large as
    /// one request.
    const MAX_TEXT_BYTES: usize = 512 << 10;
    const MAX_ROWS: usize = 8_192;

    pub(super) fn new() -> Self {
        let columns = COLUMNS.iter().map(|column| match column.values {
            Values::Text { get, .. } => ColumnBuilder::Text(texts_like(0, 0), get),
            Values::Integer { get, .. } => ColumnBuilder::Integer(Int64Builder::new(), get),
            Values::Time { get, .. } => {
                ColumnBuilder::Time(TimestampMicrosecondBuilder::new().with_timezone(UTC), get)
            }
            Values::Flag { get, .. } => ColumnBuilder::Flag(BooleanBuilder::new(), get),
            Values::OptionalFloat { get, .. } => ColumnBuilder::OptionalFloat(Float64Builder::new(), get),
        });
        Self { schema: schema(), columns: columns.collect(), rows: 0, text_bytes: 0 }
    }

    pub(super) fn append(&mut self, row: &Row<'_>) {
        for column in &mut self.columns {
            match column {
                ColumnBuilder::Text(builder, get) => {
                    let text = get(row);
                    self.text_bytes += text.len();
                    builder.append_value(text);
                }
                ColumnBuilder::Integer(builder, get) => builder.append_value(get(row)),
                ColumnBuilder::Time(builder, get) => builder.append_value(get(row).as_micros()),
                ColumnBuilder::Flag(builder, get) => builder.append_value(get(row)),
                ColumnBuilder::OptionalFloat(builder, get) => builder.append_option(get(row)),
            }
        }
        self.rows += 1;
    }

    pub(super) fn is_full(&self) -> bool {
        self.rows >= Self::MAX_ROWS || self.text_bytes >= Self::MAX_TEXT_BYTES
    }

    /// The batch so far; the builder starts anew.
    pub(super) fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        self.rows = 0;
        self.text_bytes = 0;
        let arrays = self.columns.iter_mut().map(|column| -> ArrayRef {
            match column {
                ColumnBuilder::Text(builder, _) => {
                    // The next batch is about as large as this one.
                    let rows = builder.offsets_slice().len().saturating_sub(1);
                    let next = texts_like(rows, builder.values_slice().len());
                    Arc::new(std::mem::replace(builder, next).finish())
                }
                ColumnBuilder::Integer(builder, _) => Arc::new(builder.finish()),
                ColumnBuilder::Time(builder, _) => Arc::new(builder.finish()),
                ColumnBuilder::Flag(builder, _) => Arc::new(builder.finish()),
                ColumnBuilder::OptionalFloat(builder, _) => Arc::new(builder.finish()),
            }
        });
        RecordBatch::try_new(Arc::clone(&self.schema), arrays.collect())
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::event::{AsRow, EncodedBatch, EventBatch, encode_batch};

    /// The event as the journal holds it.
    fn encoded(event: SessionEvent) -> crate::event::EncodedEvent {
        let record = Bytes::from(encode_batch(EventBatch { events: vec![event], ..EventBatch::default() }));
        EncodedBatch::read(&record).unwrap().events.remove(0)
    }

    #[test]
    fn columns_that_hold_something_are_known_by_their_places() {
        let texts = COLUMNS.iter().enumerate().filter_map(|(place, column)| match column.values {
            Values::Text { set, get } => Some((place, column.name, set, get)),
            _ => None,
        });
        for (place, name, set, get) in texts {
            let mut event = SessionEvent::default();
            let known =
                ["something", "ok", "accept", "prompt", "{\"a\":1}"].iter().any(|text| set(&mut event, text));
            assert!(known, "{name}");
            let encoded = encoded(event);
            assert!(!get(&encoded.as_row()).is_empty() && encoded.filled().has(place), "{name}");
            for (other, column) in COLUMNS.iter().enumerate() {
                if let Values::Text { get, .. } = column.values {
                    assert_eq!(encoded.filled().has(other), !get(&encoded.as_row()).is_empty(), "{name}");
                }
            }
        }
    }
}
