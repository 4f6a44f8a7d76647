//! One file of the table as read: its footer, its checksum, its rows.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};
use thiserror::Error;

use super::footer::Footer;
use super::foreign::in_type;
use super::layout;
use super::schema::{COLUMNS, Column, Values};
use crate::event::{Owner, SessionEvent, Timestamp};

/// A fault of a file. None of them goes away by itself.
#[derive(Debug, Error)]
pub enum Damage {
    /// It is no Parquet file, or one that was cut.
    #[error("not a whole Parquet file: {0}")]
    Parquet(#[from] ParquetError),
    /// Its footer lacks what skillspan writes into every footer.
    #[error("its footer names no journal and batch, so skillspan did not write it")]
    NoIdentity,
    /// Its footer says whose it is, and no such file lies there.
    #[error("its footer names {tenant}/{workspace} as its owner, and it lies in another one's folder")]
    Owner {
        /// The tenant that the footer names.
        tenant: String,
        /// The workspace that it names.
        workspace: String,
    },
    /// Its bytes are not the ones that were written.
    #[error("its checksum does not match its content")]
    Checksum,
    /// It has another number of rows than its footer says.
    #[error("it has {found} rows, its footer says {expected}")]
    Rows {
        /// What the footer says.
        expected: u64,
        /// What was read.
        found: u64,
    },
    /// A column is missing or of another type.
    #[error("column {column} should be {expected} and is {found}")]
    Column {
        /// The column's name.
        column: &'static str,
        /// The type it should have.
        expected: String,
        /// The type it has, or `missing`.
        found: String,
    },
    /// A value means nothing to this version.
    #[error("column {column} holds {value:?}, which this version does not know")]
    Value {
        /// The column's name.
        column: &'static str,
        /// The value, its beginning if it is long.
        value: String,
    },
    /// The decoder panicked.
    #[error("the Parquet decoder failed on it")]
    Decoder,
}

/// Why a file could not be read.
#[derive(Debug, Error)]
pub(super) enum FileError {
    #[error(transparent)]
    Damaged(#[from] Damage),
    #[error(transparent)]
    Store(#[from] object_store::Error),
}

/// A footer has no checksum, and says whose the rows are: the folder must say the same.
pub(super) fn check_owner(footer: &Footer, location: &Path) -> Result<(), Damage> {
    let owner = &footer.identity.owner;
    if layout::may_lie_at(owner, location.as_ref()) {
        return Ok(());
    }
    Err(Damage::Owner { tenant: owner.tenant.clone(), workspace: owner.workspace.clone() })
}

/// What is fetched of a file's end at first; a footer is rarely larger.
const FOOTER_GUESS: u64 = 64 << 10;

/// Reads a file's footer and nothing else of it.
pub(super) async fn fetch_footer(
    store: &dyn ObjectStore,
    location: &Path,
    size: u64,
) -> Result<Footer, FileError> {
    let mut wanted = FOOTER_GUESS.min(size);
    loop {
        let tail = match wanted {
            0 => Bytes::new(),
            _ => store.get_range(location, size - wanted..size).await?,
        };
        let mut reader = ParquetMetaDataReader::new();
        match reader.try_parse_sized(&tail, size) {
            Err(ParquetError::NeedMoreData(more)) if wanted < more as u64 && more as u64 <= size => {
                wanted = more as u64;
            }
            Err(error) => return Err(Damage::from(error).into()),
            Ok(()) => {
                let metadata = reader.finish().map_err(Damage::from)?;
                return Ok(Footer::of(metadata.file_metadata()).ok_or(Damage::NoIdentity)?);
            }
        }
    }
}

/// So many rows are made room for ahead.
const MOST_RESERVED: usize = 1 << 16;

/// Rows that are decoded at once, and as many bytes of them: rows may have long texts. A thousand were no faster, and
/// a reading of the console took 20 MiB more.
const BATCH_ROWS: usize = 256;
const BATCH_BYTES: i64 = 8 << 20;

/// How many rows of a file to decode at once: at most `most`, fewer if they are long.
pub(super) fn rows_at_once(metadata: &ParquetMetaData, most: usize) -> usize {
    let bytes = metadata.row_groups().iter().map(RowGroupMetaData::total_byte_size).sum::<i64>();
    let rows = metadata.file_metadata().num_rows();
    let fit = BATCH_BYTES.saturating_mul(rows.max(1)) / bytes.max(1);
    usize::try_from(fit).unwrap_or(most).clamp(LEAST_ROWS.min(most), most)
}

/// So many are decoded at once, however long they are.
const LEAST_ROWS: usize = 16;

/// Reads a whole file, after its checksum was found right.
pub(super) fn decode(file: Bytes) -> Result<(Footer, Vec<SessionEvent>), Damage> {
    let opened = Opened::of(file)?;
    // A footer is not believed further than that.
    let rows = usize::try_from(opened.footer.rows).unwrap_or_default();
    let mut events = Vec::with_capacity(rows.min(MOST_RESERVED));
    let footer = opened.each_batch(|batch| {
        events.extend(batch);
        true
    })?;
    Ok((footer, events))
}

/// A whole file, its checksum found right and its rows not decoded yet.
pub(super) struct Opened {
    pub(super) footer: Footer,
    reader: ParquetRecordBatchReaderBuilder<Bytes>,
}

impl Opened {
    pub(super) fn of(file: Bytes) -> Result<Self, Damage> {
        let reader = ParquetRecordBatchReaderBuilder::try_new(file.clone())?;
        let metadata = reader.metadata().file_metadata();
        let footer = Footer::of(metadata).ok_or(Damage::NoIdentity)?;
        if !footer.content.holds_for(&file) {
            return Err(Damage::Checksum);
        }
        let found = u64::try_from(metadata.num_rows()).unwrap_or_default();
        if found != footer.rows {
            return Err(Damage::Rows { expected: footer.rows, found });
        }
        Ok(Self { footer, reader })
    }

    /// Hands over its rows a batch at a time, as long as `take` wants more.
    pub(super) fn each_batch(
        self,
        mut take: impl FnMut(Vec<SessionEvent>) -> bool,
    ) -> Result<Footer, Damage> {
        let Self { footer, reader } = self;
        // A column that a later version added is left unread.
        let known = COLUMNS.iter().map(|column| column.name);
        let known = ProjectionMask::columns(reader.parquet_schema(), known);
        let mut found = 0;
        let at_once = rows_at_once(reader.metadata(), BATCH_ROWS);
        for batch in reader.with_projection(known).with_batch_size(at_once).build()? {
            let mut events = Vec::new();
            append_rows(&mut events, &batch.map_err(ParquetError::from)?, COLUMNS.iter())?;
            found += events.len() as u64;
            footer.identity.owner.confine(&mut events);
            if !take(events) {
                return Ok(footer);
            }
        }
        if found != footer.rows {
            return Err(Damage::Rows { expected: footer.rows, found });
        }
        Ok(footer)
    }
}

/// The events of rows that have the table's columns, in whatever type another engine gives them that
/// holds the same values; of further columns only the folder's `owner_workspace` is looked at.
pub fn events_of(batch: &RecordBatch) -> Result<Vec<SessionEvent>, Damage> {
    let mut fields = Vec::new();
    let mut arrays = Vec::new();
    for column in &COLUMNS {
        let wrong_type = |found: String| Damage::Column {
            column: column.name,
            expected: column.data_type().to_string(),
            found,
        };
        let array = batch.column_by_name(column.name).ok_or_else(|| wrong_type("missing".to_owned()))?;
        let found = in_type(array, &column.data_type());
        arrays.push(found.ok_or_else(|| wrong_type(array.data_type().to_string()))?);
        fields.push(Field::new(column.name, column.data_type(), true));
    }
    let owner_workspaces =
        batch.column_by_name("owner_workspace").and_then(|column| in_type(column, &DataType::Utf8));
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(ParquetError::from)?;
    let mut events = Vec::new();
    append_rows(&mut events, &batch, COLUMNS.iter())?;
    if let Some(owners) = owner_workspaces {
        for (event, workspace) in events.iter_mut().zip(owners.as_string::<i32>()).filter_map(present) {
            let owner = Owner { workspace: workspace.to_owned(), ..Owner::default() };
            owner.confine(std::slice::from_mut(event));
        }
    }
    Ok(events)
}

/// Appends a batch's rows; the columns that are not among `columns` keep their defaults. After an error,
/// what was appended means nothing.
pub(super) fn append_rows<'c>(
    events: &mut Vec<SessionEvent>,
    batch: &RecordBatch,
    columns: impl Iterator<Item = &'c Column>,
) -> Result<(), Damage> {
    let first = events.len();
    events.resize_with(first + batch.num_rows(), SessionEvent::default);
    let rows = events.get_mut(first..).unwrap_or_default();
    for column in columns {
        fill(rows, column, batch)?;
    }
    Ok(())
}

/// Puts one column's values into the rows; a null leaves the default, which means the same.
fn fill(rows: &mut [SessionEvent], column: &Column, batch: &RecordBatch) -> Result<(), Damage> {
    let wrong_type = |found: String| Damage::Column {
        column: column.name,
        expected: column.data_type().to_string(),
        found,
    };
    let array = batch.column_by_name(column.name).ok_or_else(|| wrong_type("missing".to_owned()))?;
    let other_type = || wrong_type(array.data_type().to_string());
    match column.values {
        Values::Text { set, .. } => {
            let texts = array.as_string_opt::<i32>().ok_or_else(other_type)?;
            for (row, text) in rows.iter_mut().zip(texts).filter_map(present) {
                if !set(row, text) {
                    let value = text.chars().take(80).collect();
                    return Err(Damage::Value { column: column.name, value });
                }
            }
        }
        Values::Integer { set, .. } => {
            let integers = array.as_primitive_opt::<Int64Type>().ok_or_else(other_type)?;
            rows.iter_mut().zip(integers).filter_map(present).for_each(|(row, value)| set(row, value));
        }
        Values::Time { set, .. } => {
            let times = array.as_primitive_opt::<TimestampMicrosecondType>().ok_or_else(other_type)?;
            let times = rows.iter_mut().zip(times).filter_map(present);
            times.for_each(|(row, micros)| set(row, Timestamp::from_micros(micros)));
        }
        Values::Flag { set, .. } => {
            let flags = array.as_boolean_opt().ok_or_else(other_type)?;
            rows.iter_mut().zip(flags).filter_map(present).for_each(|(row, value)| set(row, value));
        }
        Values::OptionalFloat { set, .. } => {
            let floats = array.as_primitive_opt::<Float64Type>().ok_or_else(other_type)?;
            rows.iter_mut().zip(floats).filter_map(present).for_each(|(row, value)| set(row, value));
        }
    }
    Ok(())
}

fn present<R, V>((row, value): (R, Option<V>)) -> Option<(R, V)> {
    Some((row, value?))
}
