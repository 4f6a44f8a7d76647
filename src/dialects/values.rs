//! Attributes' values as what dialects want: text, JSON, numbers.

use opentelemetry_proto::tonic::common::v1::{AnyValue, any_value};
use serde_json::Value;

use crate::event::hex;

/// A text as it stands, anything else as JSON text.
pub(super) fn to_text(value: &AnyValue) -> String {
    match &value.value {
        None => String::new(),
        Some(any_value::Value::StringValue(text)) => text.clone(),
        Some(_) => to_json(value).to_string(),
    }
}

/// The value as JSON; bytes become base64-free hex, because nobody reads either.
pub(super) fn to_json(value: &AnyValue) -> Value {
    match &value.value {
        Some(any_value::Value::StringValue(text)) => Value::String(text.clone()),
        Some(any_value::Value::BoolValue(flag)) => Value::Bool(*flag),
        Some(any_value::Value::IntValue(number)) => Value::from(*number),
        Some(any_value::Value::DoubleValue(number)) => Value::from(*number),
        Some(any_value::Value::BytesValue(bytes)) => Value::String(hex_id(bytes)),
        Some(any_value::Value::ArrayValue(array)) => array.values.iter().map(to_json).collect(),
        Some(any_value::Value::KvlistValue(list)) => list
            .values
            .iter()
            .map(|entry| (entry.key.clone(), entry.value.as_ref().map_or(Value::Null, to_json)))
            .collect(),
        // Indices into a string table, which only profiles have.
        Some(_) | None => Value::Null,
    }
}

pub(super) fn to_integer(value: &AnyValue) -> Option<i64> {
    match &value.value {
        Some(any_value::Value::IntValue(number)) => Some(*number),
        #[expect(clippy::cast_possible_truncation, reason = "saturates, which is what a count wants")]
        Some(any_value::Value::DoubleValue(number)) if number.is_finite() => Some(*number as i64),
        Some(any_value::Value::StringValue(text)) => text.trim().parse().ok(),
        _ => None,
    }
}

pub(super) fn to_float(value: &AnyValue) -> Option<f64> {
    match &value.value {
        Some(any_value::Value::DoubleValue(number)) => Some(*number),
        #[expect(clippy::cast_precision_loss, reason = "scores are small")]
        Some(any_value::Value::IntValue(number)) => Some(*number as f64),
        Some(any_value::Value::BoolValue(flag)) => Some(f64::from(u8::from(*flag))),
        Some(any_value::Value::StringValue(text)) => text.trim().parse().ok(),
        _ => None,
    }
    .filter(|number| number.is_finite())
}

pub(super) fn to_boolean(value: &AnyValue) -> Option<bool> {
    match &value.value {
        Some(any_value::Value::BoolValue(flag)) => Some(*flag),
        Some(any_value::Value::StringValue(text)) => match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        },
        Some(any_value::Value::IntValue(number)) => Some(*number != 0),
        _ => None,
    }
}

/// All-zero ids mean "none" (OpenTelemetry trace API, `SpanContext`).
pub(super) fn hex_id(bytes: &[u8]) -> String {
    if bytes.iter().all(|byte| *byte == 0) { String::new() } else { hex(bytes) }
}
