//! The table's columns: the one place that knows how an event becomes a row and a row an event.
//!
//! Only utf8, int64, float64, bool and timestamp(µs, UTC), no nulls but in `score`, no dictionary
//! *type*: anything else is changed or refused by one of the engines that read the table.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Float64Builder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;

use crate::event::{
    Decision, Kind, SessionEvent, Status, Timestamp, attributes_from_json, attributes_to_json,
};

/// One column: its name, how it is read from and written to an event, and how it is stored.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) values: Values,
    pub(super) storage: Storage,
}

/// How a column's value is taken from an event and put back.
pub(super) enum Values {
    /// `set` is false for a text that this version gives no meaning.
    Text {
        get: for<'a> fn(&'a SessionEvent) -> Cow<'a, str>,
        set: fn(&mut SessionEvent, &str) -> bool,
    },
    Integer {
        get: fn(&SessionEvent) -> i64,
        set: fn(&mut SessionEvent, i64),
    },
    Time {
        get: fn(&SessionEvent) -> Timestamp,
        set: fn(&mut SessionEvent, Timestamp),
    },
    Flag {
        get: fn(&SessionEvent) -> bool,
        set: fn(&mut SessionEvent, bool),
    },
    OptionalFloat {
        get: fn(&SessionEvent) -> Option<f64>,
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
    ($variant:ident, $field:ident, $storage:ident) => {
        Column {
            name: stringify!($field),
            values: Values::$variant { get: |event| event.$field, set: |event, value| event.$field = value },
            storage: Storage::$storage,
        }
    };
}

macro_rules! text {
    ($field:ident, $storage:ident) => {
        Column {
            name: stringify!($field),
            values: Values::Text {
                get: |event| Cow::Borrowed(&event.$field),
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
    ($field:ident, $type:ident) => {
        Column {
            name: stringify!($field),
            values: Values::Text {
                get: |event| Cow::Borrowed(event.$field.as_str()),
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
    text!(event_id, Distinct),
    text!(fact_key, Distinct),
    column!(Integer, rank, Repeating),
    text!(session_id, Repeating),
    text!(turn_id, Repeating),
    column!(Integer, seq, Distinct),
    name!(kind, Kind),
    column!(Time, timestamp, Distinct),
    column!(Time, ingested_at, Repeating),
    column!(Integer, duration_us, Distinct),
    text!(tenant, Repeating),
    text!(workspace, Repeating),
    text!(project, Repeating),
    text!(cwd, Repeating),
    text!(user_id, Repeating),
    text!(service, Repeating),
    text!(assistant, Repeating),
    text!(assistant_version, Repeating),
    text!(agent, Repeating),
    text!(model, Repeating),
    text!(tool, Repeating),
    text!(tool_call_id, Distinct),
    text!(text, Bulk),
    text!(input, Bulk),
    text!(output, Bulk),
    name!(status, Status),
    name!(decision, Decision),
    text!(decision_source, Repeating),
    Column {
        name: "score",
        values: Values::OptionalFloat {
            get: |event| event.score,
            set: |event, value| event.score = Some(value),
        },
        storage: Storage::Distinct,
    },
    text!(skill, Repeating),
    column!(Integer, input_tokens, Distinct),
    column!(Integer, output_tokens, Distinct),
    text!(trace_id, Repeating),
    text!(span_id, Distinct),
    text!(parent_span_id, Distinct),
    text!(history_before, Distinct),
    text!(history_after, Distinct),
    text!(dialect, Repeating),
    column!(Flag, truncated, Repeating),
    Column {
        name: "attributes",
        values: Values::Text {
            get: |event| Cow::Owned(attributes_to_json(&event.attributes)),
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

impl Column {
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

/// The builder of one column, with the way to its value.
enum ColumnBuilder {
    Text(StringBuilder, for<'a> fn(&'a SessionEvent) -> Cow<'a, str>),
    Integer(Int64Builder, fn(&SessionEvent) -> i64),
    Time(TimestampMicrosecondBuilder, fn(&SessionEvent) -> Timestamp),
    Flag(BooleanBuilder, fn(&SessionEvent) -> bool),
    OptionalFloat(Float64Builder, fn(&SessionEvent) -> Option<f64>),
}

impl BatchBuilder {
    /// A batch is a copy of its events, so it is small beside them. Arrow's utf8 offsets are 32 bits wide:
    /// no column may grow to 2 GiB, with the event that reaches the limit, which is at most as large as
    /// one request.
    const MAX_TEXT_BYTES: usize = 8 << 20;
    const MAX_ROWS: usize = 8_192;

    pub(super) fn new() -> Self {
        let columns = COLUMNS.iter().map(|column| match column.values {
            Values::Text { get, .. } => ColumnBuilder::Text(StringBuilder::new(), get),
            Values::Integer { get, .. } => ColumnBuilder::Integer(Int64Builder::new(), get),
            Values::Time { get, .. } => {
                ColumnBuilder::Time(TimestampMicrosecondBuilder::new().with_timezone(UTC), get)
            }
            Values::Flag { get, .. } => ColumnBuilder::Flag(BooleanBuilder::new(), get),
            Values::OptionalFloat { get, .. } => ColumnBuilder::OptionalFloat(Float64Builder::new(), get),
        });
        Self { schema: schema(), columns: columns.collect(), rows: 0, text_bytes: 0 }
    }

    pub(super) fn append(&mut self, event: &SessionEvent) {
        for column in &mut self.columns {
            match column {
                ColumnBuilder::Text(builder, get) => {
                    let text = get(event);
                    self.text_bytes += text.len();
                    builder.append_value(text);
                }
                ColumnBuilder::Integer(builder, get) => builder.append_value(get(event)),
                ColumnBuilder::Time(builder, get) => builder.append_value(get(event).as_micros()),
                ColumnBuilder::Flag(builder, get) => builder.append_value(get(event)),
                ColumnBuilder::OptionalFloat(builder, get) => builder.append_option(get(event)),
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
                ColumnBuilder::Text(builder, _) => Arc::new(builder.finish()),
                ColumnBuilder::Integer(builder, _) => Arc::new(builder.finish()),
                ColumnBuilder::Time(builder, _) => Arc::new(builder.finish()),
                ColumnBuilder::Flag(builder, _) => Arc::new(builder.finish()),
                ColumnBuilder::OptionalFloat(builder, _) => Arc::new(builder.finish()),
            }
        });
        RecordBatch::try_new(Arc::clone(&self.schema), arrays.collect())
    }
}
