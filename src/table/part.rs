//! A part of one file: only the row groups, pages and columns that a question needs.
//!
//! 1. The footer's statistics and, for exact values, the bloom filters rule row groups out.
//! 2. The columns that the question is about are decoded.
//! 3. Of the other columns, only the pages with rows that were found are fetched.
//!
//! The file's checksum does not cover a part. Only the footer and the decoder detect damage in it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, BooleanArray, RecordBatch, StringArray};
use futures_util::TryStreamExt;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowPredicateFn, ArrowReaderMetadata, ArrowReaderOptions, RowFilter, RowSelection,
};
use parquet::arrow::async_reader::{ParquetRecordBatchStream, ParquetRecordBatchStreamBuilder};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, RowGroupMetaData};

use super::budget::Budget;
use super::components::{self, Hashes};
use super::file::{self, Damage, FileError};
use super::footer::Footer;
use super::ranges::{Failure, RangeReader};
use super::schema::{COLUMNS, Column};
use crate::event::{Kind, SessionEvent};

/// Rows of which any one of the terms is true.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows(pub(super) Vec<Term>);

/// A test of one text column.
#[derive(Debug, Clone)]
pub(super) struct Term {
    pub(super) column: &'static str,
    pub(super) test: Test,
}

/// What is asked of a value.
#[derive(Debug, Clone)]
pub(super) enum Test {
    /// It is one of these.
    IsOneOf(BTreeSet<String>),
    /// It begins with this.
    Begins(String),
    /// It is not empty.
    IsSet,
}

impl Rows {
    pub(super) fn one_of(mut self, column: &'static str, values: &BTreeSet<String>) -> Self {
        if !values.is_empty() {
            self.0.push(Term { column, test: Test::IsOneOf(values.clone()) });
        }
        self
    }

    pub(super) fn with(mut self, column: &'static str, test: Test) -> Self {
        self.0.push(Term { column, test });
        self
    }
}

impl Test {
    fn holds(&self, value: &str) -> bool {
        match self {
            Self::IsOneOf(values) => values.contains(value),
            Self::Begins(beginning) => value.starts_with(beginning),
            Self::IsSet => !value.is_empty(),
        }
    }

    /// Whether a value between the bounds, both of which may be cut off, can pass.
    fn may_hold_between(&self, least: &[u8], greatest: &[u8]) -> bool {
        match self {
            Self::IsOneOf(values) => {
                values.iter().any(|value| least <= value.as_bytes() && value.as_bytes() <= greatest)
            }
            Self::Begins(beginning) => {
                let beginning = beginning.as_bytes();
                beginning <= greatest && (least <= beginning || least.starts_with(beginning))
            }
            Self::IsSet => !greatest.is_empty(),
        }
    }
}

/// What is read of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Columns {
    /// All of them.
    All,
    /// What tells to which session a row belongs and which fact it is of: no long texts.
    Keys,
    /// Who did it, and when it arrived.
    People,
}

const KEYS: [&str; 26] = [
    "event_id",
    "fact_key",
    "rank",
    "session_id",
    "turn_id",
    "seq",
    "kind",
    "timestamp",
    "ingested_at",
    "duration_us",
    "tenant",
    "workspace",
    "project",
    "user_id",
    "service",
    "assistant",
    "agent",
    "dialect",
    "tool",
    "tool_call_id",
    "trace_id",
    "span_id",
    "parent_span_id",
    "history_before",
    "history_after",
    "status",
];

const PEOPLE: [&str; 4] = ["ingested_at", "tenant", "user_id", "assistant"];

impl Columns {
    pub(super) fn of_schema(self) -> Vec<&'static Column> {
        let wanted = |column: &&Column| match self {
            Self::All => true,
            Self::Keys => KEYS.contains(&column.name),
            Self::People => PEOPLE.contains(&column.name),
        };
        COLUMNS.iter().filter(wanted).collect()
    }
}

/// Which rows of a file are read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Selected<'r> {
    /// All of them.
    All,
    /// Those of which a term is true.
    Matching(&'r Rows),
    /// Those at these places in the file, ascending.
    At(&'r [usize]),
}

/// An open part of a file. Its batches come in the file's order.
pub(super) struct Part {
    pub(super) footer: Footer,
    /// `None` if the footer rules every row out.
    batches: Option<ParquetRecordBatchStream<RangeReader>>,
    failure: Failure,
}

impl Part {
    /// Reads the footer, and what tells which row groups may have rows that are asked for.
    pub(super) async fn open(
        reader: RangeReader,
        columns: impl IntoIterator<Item = &'static str>,
        rows: Selected<'_>,
    ) -> Result<Self, FileError> {
        let (failure, location) = (Arc::clone(&reader.failure), reader.location.clone());
        let opened = open(reader, columns, rows).await;
        let (footer, batches) = told_apart(opened, &failure)?;
        file::check_owner(&footer, &location)?;
        Ok(Self { footer, batches, failure })
    }

    /// The next batch; `None` after the last.
    pub(super) async fn next(&mut self) -> Result<Option<RecordBatch>, FileError> {
        let Some(batches) = &mut self.batches else { return Ok(None) };
        told_apart(batches.try_next().await.map_err(Damage::from), &self.failure)
    }
}

/// Reads the rows that are asked for, in the file's order, those that `budget` has room for.
pub(super) async fn read(
    reader: RangeReader,
    columns: Columns,
    rows: Option<&Rows>,
    budget: Option<&Budget>,
) -> Result<(Footer, Vec<SessionEvent>), FileError> {
    let wanted = columns.of_schema();
    let names = wanted.iter().map(|column| column.name);
    let mut part = Part::open(reader, names, rows.map_or(Selected::All, Selected::Matching)).await?;
    let mut events = Vec::new();
    while budget.is_none_or(|budget| !budget.is_spent())
        && let Some(batch) = part.next().await?
    {
        let before = events.len();
        file::append_rows(&mut events, &batch, wanted.iter().copied())?;
        let room = budget.map(|budget| {
            let new = events.iter().skip(before);
            before + new.take_while(|event| budget.take(event.size_in_memory())).count()
        });
        events.truncate(room.unwrap_or(usize::MAX));
    }
    part.footer.identity.owner.confine(&mut events);
    Ok((part.footer, events))
}

/// The Parquet reader only knows that something failed; a store that failed is no damage.
fn told_apart<T>(read: Result<T, Damage>, failure: &Failure) -> Result<T, FileError> {
    let store_error = failure.lock().ok().and_then(|mut failure| failure.take());
    match (read, store_error) {
        (Err(_), Some(error)) => Err(error.into()),
        (read, _) => Ok(read?),
    }
}

async fn open(
    mut reader: RangeReader,
    columns: impl IntoIterator<Item = &'static str>,
    rows: Selected<'_>,
) -> Result<(Footer, Option<ParquetRecordBatchStream<RangeReader>>), Damage> {
    let metadata = reader.metadata(PageIndexPolicy::Skip).await?;
    let footer = Footer::of(metadata.file_metadata()).ok_or(Damage::NoIdentity)?;
    let mut groups: Vec<usize> = (0..metadata.num_row_groups()).collect();
    if let Selected::Matching(rows) = rows {
        groups.retain(|&group| metadata.row_groups().get(group).is_some_and(|group| may_have(group, rows)));
        groups = rule_out_by_bloom(&reader, &metadata, groups, rows).await?;
    }
    if groups.is_empty() {
        return Ok((footer, None));
    }
    // Where the pages begin tells which of them may be left out.
    let metadata = match rows {
        Selected::All => metadata,
        Selected::Matching(_) | Selected::At(_) => reader.metadata(PageIndexPolicy::Optional).await?,
    };
    let metadata = ArrowReaderMetadata::try_new(metadata, ArrowReaderOptions::new())?;
    let builder = ParquetRecordBatchStreamBuilder::new_with_metadata(reader, metadata);
    let projection = ProjectionMask::columns(builder.parquet_schema(), columns);
    let at_once = file::rows_at_once(builder.metadata(), BATCH_ROWS);
    let builder = builder.with_projection(projection).with_row_groups(groups).with_batch_size(at_once);
    let builder = match rows {
        Selected::All => builder,
        Selected::Matching(rows) => {
            let filter = row_filter(builder.parquet_schema(), rows.clone());
            builder.with_row_filter(filter)
        }
        Selected::At(places) => {
            let all = usize::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or_default();
            let ranges = places.iter().filter(|place| **place < all).map(|place| *place..place + 1);
            builder.with_row_selection(RowSelection::from_consecutive_ranges(ranges, all))
        }
    };
    Ok((footer, Some(builder.build()?)))
}

/// Rows that are decoded at once; two thousand were no faster.
const BATCH_ROWS: usize = 512;

/// When the file's first row arrived, in microseconds since the epoch, and what ties rows, with the number of rows
/// that have the same join keys: there are few of a session.
pub(super) async fn read_join_keys(reader: RangeReader) -> Result<(i64, BTreeMap<Hashes, usize>), FileError> {
    let mut part = Part::open(reader, TiedRows::COLUMNS, Selected::All).await?;
    let (mut arrived, mut rows) = (i64::MAX, BTreeMap::new());
    while let Some(batch) = part.next().await? {
        let batch = TiedRows::of(&batch)?;
        arrived = batch.arrived.min(arrived);
        for hashes in batch.rows {
            *rows.entry(hashes).or_default() += 1;
        }
    }
    Ok((arrived, rows))
}

/// What ties the rows of a batch.
pub(super) struct TiedRows {
    /// When the first of them arrived, in microseconds since the epoch.
    pub(super) arrived: i64,
    pub(super) rows: Vec<Hashes>,
}

impl TiedRows {
    /// The columns that tie rows to sessions, and the time of their arrival.
    pub(super) const COLUMNS: [&str; 8] = [
        "event_id",
        "session_id",
        "kind",
        "ingested_at",
        "tenant",
        "trace_id",
        "history_before",
        "history_after",
    ];

    /// Of a batch that has the columns.
    pub(super) fn of(batch: &RecordBatch) -> Result<Self, Damage> {
        let text = |name: &'static str| {
            let column = batch.column_by_name(name);
            column.and_then(|column| column.as_string_opt::<i32>()).ok_or_else(|| Damage::Column {
                column: name,
                expected: "Utf8".to_owned(),
                found: column.map_or_else(|| "missing".to_owned(), |column| column.data_type().to_string()),
            })
        };
        let [event_id, session_id, kind] = [text("event_id")?, text("session_id")?, text("kind")?];
        let [tenant, trace_id] = [text("tenant")?, text("trace_id")?];
        let [before, after] = [text("history_before")?, text("history_after")?];
        let times = batch.column_by_name("ingested_at");
        let times = times.and_then(|times| times.as_primitive_opt::<TimestampMicrosecondType>());
        let hashes = |at| {
            components::hashes_of(&components::Row {
                tenant: value(tenant, at),
                event_id: value(event_id, at),
                session_id: value(session_id, at),
                trace_id: value(trace_id, at),
                history_before: value(before, at),
                history_after: value(after, at),
                kind: Kind::parse(value(kind, at)).unwrap_or_default(),
            })
        };
        Ok(Self {
            arrived: times.and_then(|times| times.iter().flatten().min()).unwrap_or_default(),
            rows: (0..batch.num_rows()).map(hashes).collect(),
        })
    }
}

fn value(column: &StringArray, at: usize) -> &str {
    if column.is_null(at) { "" } else { column.value(at) }
}

/// Whether a row group's statistics leave room for a row that is asked for.
fn may_have(group: &RowGroupMetaData, rows: &Rows) -> bool {
    rows.0.iter().any(|term| {
        let chunk = group.columns().iter().find(|chunk| chunk.column_path().string() == term.column);
        let bounds = chunk
            .and_then(|chunk| chunk.statistics())
            .and_then(|statistics| Some((statistics.min_bytes_opt()?, statistics.max_bytes_opt()?)));
        bounds.is_none_or(|(least, greatest)| term.test.may_hold_between(least, greatest))
    })
}

/// Keeps the row groups whose bloom filters do not deny every term.
async fn rule_out_by_bloom(
    reader: &RangeReader,
    metadata: &Arc<ParquetMetaData>,
    groups: Vec<usize>,
    rows: &Rows,
) -> Result<Vec<usize>, Damage> {
    let arrow = ArrowReaderMetadata::try_new(Arc::clone(metadata), ArrowReaderOptions::new())?;
    let mut builder = ParquetRecordBatchStreamBuilder::new_with_metadata(reader.clone(), arrow);
    let mut kept = Vec::new();
    for group in groups {
        let mut possible = false;
        for term in &rows.0 {
            possible |= bloom_admits(&mut builder, metadata, group, term).await?;
            if possible {
                kept.push(group);
                break;
            }
        }
    }
    Ok(kept)
}

/// A few values are looked up; for more than these the filter of some would say yes anyway.
const MOST_LOOKUPS: usize = 64;

async fn bloom_admits(
    builder: &mut ParquetRecordBatchStreamBuilder<RangeReader>,
    metadata: &ParquetMetaData,
    group: usize,
    term: &Term,
) -> Result<bool, Damage> {
    let Test::IsOneOf(values) = &term.test else { return Ok(true) };
    let schema = metadata.file_metadata().schema_descr();
    let column = (0..schema.num_columns()).find(|&index| schema.column(index).path().string() == term.column);
    let Some(column) = column.filter(|_| values.len() <= MOST_LOOKUPS) else { return Ok(true) };
    let filter = builder.get_row_group_column_bloom_filter(group, column).await?;
    Ok(filter.is_none_or(|filter| values.iter().any(|value| filter.check(value.as_str()))))
}

fn row_filter(schema: &parquet::schema::types::SchemaDescriptor, rows: Rows) -> RowFilter {
    let projection = ProjectionMask::columns(schema, rows.0.iter().map(|term| term.column));
    let predicate = ArrowPredicateFn::new(projection, move |batch: RecordBatch| {
        let mut keep = vec![false; batch.num_rows()];
        for term in &rows.0 {
            let values = batch.column_by_name(term.column).and_then(|column| column.as_string_opt::<i32>());
            let Some(values) = values else { continue };
            for (keep, value) in keep.iter_mut().zip(values) {
                *keep = *keep || value.is_some_and(|value| term.test.holds(value));
            }
        }
        Ok(BooleanArray::from(keep))
    });
    RowFilter::new(vec![Box::new(predicate)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_rule_out_only_what_they_exclude() {
        let begins = |text: &str| Test::Begins(text.to_owned());
        assert!(begins("ab").may_hold_between(b"aa", b"ac"));
        assert!(begins("ab").may_hold_between(b"abz", b"b"));
        assert!(begins("ab").may_hold_between(b"ab", b"ab"));
        assert!(!begins("ab").may_hold_between(b"ac", b"b"));
        assert!(!begins("ab").may_hold_between(b"a", b"aa"));
        let is = Test::IsOneOf(["m".to_owned()].into());
        assert!(is.may_hold_between(b"a", b"z"));
        assert!(!is.may_hold_between(b"n", b"z"));
        assert!(!Test::IsSet.may_hold_between(b"", b""));
        assert!(Test::IsSet.may_hold_between(b"", b"a"));
    }
}
