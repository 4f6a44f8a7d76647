//! Columns of other engines: the same values in another of Arrow's types.
//!
//! Spark, DuckDB, pandas and Polars use texts with longer offsets, as views or with a dictionary, times in other
//! units, and nulls for a whole column without values. The conversion fails on a value that the table's type cannot
//! hold; it never turns one into a null.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Int8Type, Int16Type, Int32Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, Float64Array, Int64Array, PrimitiveArray, StringArray, TimestampMicrosecondArray,
    new_null_array,
};
use arrow_array::{ArrowPrimitiveType, types::Int64Type};
use arrow_schema::{DataType, TimeUnit};

/// The column in the table's type; `None` if it holds something else, or a value that does not fit.
pub(super) fn in_type(array: &ArrayRef, wanted: &DataType) -> Option<ArrayRef> {
    match (array.data_type(), wanted) {
        (given, wanted) if given == wanted => Some(Arc::clone(array)),
        (DataType::Null, wanted) => Some(new_null_array(wanted, array.len())),
        (DataType::Dictionary(..), wanted) => {
            let dictionary = array.as_any_dictionary_opt()?;
            let values = in_type(dictionary.values(), wanted)?;
            let places = dictionary.normalized_keys();
            let values = values.as_string_opt::<i32>()?;
            let place = |at: usize| places.get(at).filter(|_| array.is_valid(at));
            let text = |at: &usize| values.is_valid(*at).then(|| values.value(*at));
            Some(Arc::new(StringArray::from_iter((0..array.len()).map(|at| place(at).and_then(text)))))
        }
        (DataType::LargeUtf8, DataType::Utf8) => {
            Some(Arc::new(StringArray::from_iter(array.as_string_opt::<i64>()?)))
        }
        (DataType::Utf8View, DataType::Utf8) => {
            Some(Arc::new(StringArray::from_iter(array.as_string_view_opt()?)))
        }
        (given, DataType::Int64) => integers(array, given),
        (DataType::Float32, DataType::Float64) => {
            let floats = array.as_primitive_opt::<Float32Type>()?.iter();
            Some(Arc::new(floats.map(|value| value.map(f64::from)).collect::<Float64Array>()))
        }
        (DataType::Timestamp(unit, _), DataType::Timestamp(TimeUnit::Microsecond, _)) => {
            let times = times(array, *unit)?;
            Some(Arc::new(TimestampMicrosecondArray::from(times).with_data_type(wanted.clone())))
        }
        _ => None,
    }
}

fn integers(array: &ArrayRef, given: &DataType) -> Option<ArrayRef> {
    let integers = match given {
        DataType::Int8 => each::<Int8Type, Int64Type>(array, |value| Some(value.into())),
        DataType::Int16 => each::<Int16Type, Int64Type>(array, |value| Some(value.into())),
        DataType::Int32 => each::<Int32Type, Int64Type>(array, |value| Some(value.into())),
        DataType::UInt8 => each::<UInt8Type, Int64Type>(array, |value| Some(value.into())),
        DataType::UInt16 => each::<UInt16Type, Int64Type>(array, |value| Some(value.into())),
        DataType::UInt32 => each::<UInt32Type, Int64Type>(array, |value| Some(value.into())),
        DataType::UInt64 => each::<UInt64Type, Int64Type>(array, |value| value.try_into().ok()),
        _ => None,
    };
    integers.map(|integers| Arc::new(Int64Array::from(integers)) as ArrayRef)
}

/// In microseconds; what is finer is cut off, as the table does.
fn times(array: &ArrayRef, unit: TimeUnit) -> Option<Vec<Option<i64>>> {
    match unit {
        TimeUnit::Second => {
            each::<TimestampSecondType, TimestampMicrosecondType>(array, |time| time.checked_mul(1_000_000))
        }
        TimeUnit::Millisecond => {
            each::<TimestampMillisecondType, TimestampMicrosecondType>(array, |time| time.checked_mul(1_000))
        }
        TimeUnit::Microsecond => each::<TimestampMicrosecondType, TimestampMicrosecondType>(array, Some),
        TimeUnit::Nanosecond => each::<TimestampNanosecondType, TimestampMicrosecondType>(array, |time| {
            Some(time.div_euclid(1_000))
        }),
    }
}

/// Each value converted; `None` if one cannot be.
fn each<G: ArrowPrimitiveType, W: ArrowPrimitiveType>(
    array: &ArrayRef,
    convert: impl Fn(G::Native) -> Option<W::Native>,
) -> Option<Vec<Option<W::Native>>> {
    let values: &PrimitiveArray<G> = array.as_primitive_opt()?;
    values.iter().map(|value| value.map_or(Some(None), |value| convert(value).map(Some))).collect()
}

#[cfg(test)]
mod tests {
    use arrow_array::{
        DictionaryArray, LargeStringArray, StringViewArray, TimestampNanosecondArray, UInt64Array,
    };

    use super::*;

    fn utc() -> DataType {
        DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
    }

    #[test]
    fn texts_come_in_any_type_of_text() {
        let texts = [Some("ä"), None, Some("b"), Some("ä")];
        let dictionary: DictionaryArray<Int32Type> = texts.into_iter().collect();
        let columns: [ArrayRef; 4] = [
            Arc::new(StringArray::from_iter(texts)),
            Arc::new(LargeStringArray::from_iter(texts)),
            Arc::new(StringViewArray::from_iter(texts)),
            Arc::new(dictionary),
        ];
        for column in columns {
            let found = in_type(&column, &DataType::Utf8).unwrap();
            assert_eq!(found.as_string::<i32>().iter().collect::<Vec<_>>(), texts, "{}", column.data_type());
        }
    }

    #[test]
    fn times_come_in_any_unit_and_are_cut_to_whole_microseconds() {
        let times: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![Some(1_999), Some(-1), None]));
        let found = in_type(&times, &utc()).unwrap();
        assert_eq!(found.data_type(), &utc());
        let found: Vec<_> = found.as_primitive::<TimestampMicrosecondType>().iter().collect();
        assert_eq!(found, [Some(1), Some(-1), None]);
    }

    #[test]
    fn a_column_of_nothing_is_of_every_type() {
        let nothing: ArrayRef = new_null_array(&DataType::Null, 2);
        for wanted in [DataType::Utf8, DataType::Int64, DataType::Boolean, utc()] {
            assert_eq!(in_type(&nothing, &wanted).unwrap().null_count(), 2, "{wanted}");
        }
    }

    #[test]
    fn what_does_not_fit_is_no_null() {
        let large: ArrayRef = Arc::new(UInt64Array::from(vec![1, u64::MAX]));
        assert!(in_type(&large, &DataType::Int64).is_none());
        let seconds: ArrayRef = Arc::new(arrow_array::TimestampSecondArray::from(vec![i64::MAX]));
        assert!(in_type(&seconds, &utc()).is_none());
        let text: ArrayRef = Arc::new(StringArray::from(vec!["1"]));
        assert!(in_type(&text, &DataType::Int64).is_none());
    }
}
