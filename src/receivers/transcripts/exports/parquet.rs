//! Rows of a Parquet file as objects, row group by row group, in bounded memory.
//!
//! Of a row group as many rows are decoded at a time as take some megabytes by what its footer says. A row group that
//! cannot be decoded is told, and the next one is read.

use std::any::Any;
use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, TimeUnit};
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use serde_json::{Map, Number, Value};

use super::csv::Row;
use crate::event::Timestamp;

/// What is decoded at a time takes about so much.
const BATCH_BYTES: u64 = 2 << 20;
const BATCH_ROWS: u64 = 512;
/// The longest text; what is behind it is cut, as in lines.
const MAX_TEXT: usize = 1 << 20;
/// Lists and objects within one another.
const MAX_DEPTH: u32 = 32;

const DAMAGED: &str = "the Parquet of this and the following rows is damaged";

/// Reads a file's rows.
pub(super) struct Rows {
    file: File,
    metadata: ArrowReaderMetadata,
    groups: std::ops::Range<usize>,
    /// The rows that come before the row group that is read next.
    before: u64,
    reader: Option<ParquetRecordBatchReader>,
    batch: Option<(RecordBatch, usize)>,
    row: u64,
}

impl Rows {
    /// Reads the footer.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = guarded(|| ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()))?
            .map_err(|error| io::Error::other(format!("it is not a complete Parquet file: {error}")))?;
        let groups = 0..metadata.metadata().num_row_groups();
        Ok(Self { file, metadata, groups, before: 0, reader: None, batch: None, row: 0 })
    }

    /// The next row, by its number from 1.
    pub(super) fn next_row(&mut self) -> io::Result<Option<Row>> {
        loop {
            if let Some((batch, at)) = &mut self.batch {
                if *at < batch.num_rows() {
                    self.row += 1;
                    let fields = guarded(|| object(batch, *at)).map_err(|_| DAMAGED);
                    *at += 1;
                    return Ok(Some(Row { line: self.row, fields }));
                }
                self.batch = None;
            }
            if let Some(reader) = &mut self.reader {
                match guarded(|| reader.next()) {
                    Ok(Some(Ok(batch))) => {
                        self.batch = Some((batch, 0));
                        continue;
                    }
                    Ok(None) => self.reader = None,
                    Ok(Some(Err(_))) | Err(_) => return Ok(Some(self.damaged())),
                }
            }
            let Some(group) = self.groups.next() else { return Ok(None) };
            self.row = self.before;
            let rows = self.metadata.metadata().row_group(group).num_rows();
            self.before += u64::try_from(rows).unwrap_or_default();
            match self.group(group) {
                Some(reader) => self.reader = Some(reader),
                None => return Ok(Some(self.damaged())),
            }
        }
    }

    /// What is left of the row group is left out.
    fn damaged(&mut self) -> Row {
        self.reader = None;
        Row { line: self.row + 1, fields: Err(DAMAGED) }
    }

    fn group(&self, group: usize) -> Option<ParquetRecordBatchReader> {
        let of_group = self.metadata.metadata().row_group(group);
        let rows = u64::try_from(of_group.num_rows()).unwrap_or_default().max(1);
        let bytes = u64::try_from(of_group.total_byte_size()).unwrap_or_default();
        let at_once = (BATCH_BYTES / (bytes / rows).max(1)).clamp(1, BATCH_ROWS);
        let file = self.file.try_clone().ok()?;
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone());
        let builder = builder.with_row_groups(vec![group]);
        let builder = builder.with_batch_size(usize::try_from(at_once).unwrap_or(1));
        guarded(|| builder.build()).ok()?.ok()
    }
}

/// A panic of the decoder is one more way in which a file can be damaged.
fn guarded<T>(decode: impl FnOnce() -> T) -> io::Result<T> {
    catch_unwind(AssertUnwindSafe(decode)).map_err(|_: Box<dyn Any + Send>| io::Error::other(DAMAGED))
}

fn object(batch: &RecordBatch, row: usize) -> Value {
    let schema = batch.schema_ref();
    let fields = schema.fields().iter().zip(batch.columns());
    let members = fields.map(|(field, column)| (field.name().clone(), value(column, row, MAX_DEPTH)));
    Value::Object(members.filter(|(_, value)| !value.is_null()).collect())
}

fn value(array: &dyn Array, row: usize, depth: u32) -> Value {
    if depth == 0 || row >= array.len() || array.is_null(row) {
        return Value::Null;
    }
    let within = |values: &dyn Array| -> Vec<Value> {
        (0..values.len()).map(|row| value(values, row, depth - 1)).collect()
    };
    match array.data_type() {
        DataType::Utf8 => text(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => text(array.as_string::<i64>().value(row)),
        DataType::Utf8View => text(array.as_string_view().value(row)),
        DataType::Binary => bytes(array.as_binary::<i32>().value(row)),
        DataType::LargeBinary => bytes(array.as_binary::<i64>().value(row)),
        DataType::BinaryView => bytes(array.as_binary_view().value(row)),
        DataType::FixedSizeBinary(_) => bytes(array.as_fixed_size_binary().value(row)),
        DataType::Boolean => array.as_boolean().value(row).into(),
        DataType::List(_) => within(&array.as_list::<i32>().value(row)).into(),
        DataType::LargeList(_) => within(&array.as_list::<i64>().value(row)).into(),
        DataType::Map(_, _) => {
            let entries = array.as_map().value(row);
            let (names, values) = (entries.column(0), entries.column(1));
            let members = within(names).into_iter().zip(within(values));
            Value::Object(members.map(|(name, value)| (name_of(name), value)).collect())
        }
        DataType::Struct(fields) => {
            let members = fields.iter().zip(array.as_struct().columns());
            let members =
                members.map(|(field, column)| (field.name().clone(), value(column, row, depth - 1)));
            Value::Object(members.collect::<Map<String, Value>>())
        }
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_any_dictionary();
            let key = dictionary.normalized_keys().get(row).copied().unwrap_or(usize::MAX);
            value(dictionary.values(), key, depth - 1)
        }
        _ => number_or_time(array, row),
    }
}

fn number_or_time(array: &dyn Array, row: usize) -> Value {
    fn of<T: ArrowPrimitiveType>(array: &dyn Array, row: usize) -> T::Native {
        array.as_primitive::<T>().value(row)
    }
    let time = |micros: Option<i64>| {
        micros.map(Timestamp::from_micros).map_or(Value::Null, |time| time.to_string().into())
    };
    match array.data_type() {
        DataType::Int8 => of::<Int8Type>(array, row).into(),
        DataType::Int16 => of::<Int16Type>(array, row).into(),
        DataType::Int32 => of::<Int32Type>(array, row).into(),
        DataType::Int64 => of::<Int64Type>(array, row).into(),
        DataType::UInt8 => of::<UInt8Type>(array, row).into(),
        DataType::UInt16 => of::<UInt16Type>(array, row).into(),
        DataType::UInt32 => of::<UInt32Type>(array, row).into(),
        DataType::UInt64 => of::<UInt64Type>(array, row).into(),
        DataType::Float32 => of::<Float32Type>(array, row).into(),
        DataType::Float64 => of::<Float64Type>(array, row).into(),
        DataType::Decimal128(_, _) => {
            let text = array.as_primitive::<Decimal128Type>().value_as_string(row);
            text.parse::<f64>().ok().and_then(Number::from_f64).map_or(Value::Null, Value::Number)
        }
        DataType::Timestamp(unit, _) => time(match unit {
            TimeUnit::Second => of::<TimestampSecondType>(array, row).checked_mul(1_000_000),
            TimeUnit::Millisecond => of::<TimestampMillisecondType>(array, row).checked_mul(1_000),
            TimeUnit::Microsecond => Some(of::<TimestampMicrosecondType>(array, row)),
            TimeUnit::Nanosecond => Some(of::<TimestampNanosecondType>(array, row) / 1_000),
        }),
        // Nothing that a session says has another type.
        _ => Value::Null,
    }
}

fn text(text: &str) -> Value {
    text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or(text).into()
}

/// Writers that do not say so keep texts as bytes.
fn bytes(bytes: &[u8]) -> Value {
    text(&String::from_utf8_lossy(bytes))
}

fn name_of(name: Value) -> String {
    match name {
        Value::String(name) => name,
        name => name.to_string(),
    }
}
