//! Turns a hook's object into a log record: every field becomes an attribute.
//!
//! | field | becomes |
//! |---|---|
//! | `traceparent` (W3C Trace Context) | the record's trace and span |
//! | `skillspan.observed_at` (RFC 3339) | the record's observed time |
//! | any other | the attribute of that name; objects within become maps, `null` becomes no value |

use std::borrow::Cow;
use std::fmt;

use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value,
};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::dialects::{Hooks, Record};
use crate::event::{Timestamp, from_hex};
use crate::receivers::otlp::{Room, Unreadable};

/// When `skillspan hook` was called.
pub const OBSERVED_AT: &str = "skillspan.observed_at";
/// W3C Trace Context.
pub const TRACEPARENT: &str = "traceparent";

/// Shows the object in `json` to `visit` as a record of the given hooks.
pub(super) fn show(hooks: &Hooks, json: &[u8], visit: &mut dyn FnMut(&Record<'_>)) -> Result<(), Unreadable> {
    let fields = match object(json) {
        Ok(fields) => fields,
        // JavaScript cuts texts between the halves of a character.
        Err(error) => match without_lone_surrogates(json) {
            Cow::Borrowed(_) => return Err(error),
            Cow::Owned(json) => object(&json)?,
        },
    };
    let service = any_value::Value::StringValue(hooks.service.to_owned());
    let resource = Resource {
        attributes: vec![pair("service.name".to_owned(), AnyValue { value: Some(service) })],
        ..Resource::default()
    };
    let scope = InstrumentationScope { name: hooks.scope(), ..InstrumentationScope::default() };
    visit(&Record::log(&resource, &scope, &log_record(fields)));
    Ok(())
}

fn log_record(fields: Vec<KeyValue>) -> LogRecord {
    let mut log = LogRecord::default();
    for field in fields {
        match (field.key.as_str(), text_of(&field)) {
            (OBSERVED_AT, Some(text)) if Timestamp::parse_rfc3339(text).is_some() => {
                let micros = Timestamp::parse_rfc3339(text).unwrap_or_default().as_micros();
                log.observed_time_unix_nano = u64::try_from(micros).unwrap_or_default().saturating_mul(1_000);
            }
            (TRACEPARENT, Some(text)) if trace_context(text).is_some() => {
                (log.trace_id, log.span_id) = trace_context(text).unwrap_or_default();
            }
            _ => log.attributes.push(field),
        }
    }
    log
}

fn text_of(field: &KeyValue) -> Option<&str> {
    match field.value.as_ref()?.value.as_ref()? {
        any_value::Value::StringValue(text) => Some(text),
        _ => None,
    }
}

/// Trace and span of `<version>-<trace>-<span>-<flags>`; a later version may say more behind them.
fn trace_context(text: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut parts = text.trim().split('-');
    let version = parts.next().filter(|version| version.len() == 2 && *version != "ff")?;
    u8::from_str_radix(version, 16).ok()?;
    let trace = id_from_hex(parts.next()?, 16)?;
    Some((trace, id_from_hex(parts.next()?, 8)?))
}

/// An id of so many bytes; all zero is none.
fn id_from_hex(text: &str, bytes: usize) -> Option<Vec<u8>> {
    from_hex(text).filter(|id| id.len() == bytes && id.iter().any(|byte| *byte != 0))
}

fn object(json: &[u8]) -> Result<Vec<KeyValue>, Unreadable> {
    let mut room = Room::new();
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let value = Value { room: &mut room, depth: 0 }.deserialize(&mut deserializer).and_then(|value| {
        deserializer.end()?;
        Ok(value)
    });
    match value.map_err(|error| Unreadable(error.to_string()))?.value {
        Some(any_value::Value::KvlistValue(fields)) => Ok(fields.values),
        _ => Err(Unreadable("it is JSON, and no object".to_owned())),
    }
}

fn pair(key: String, value: AnyValue) -> KeyValue {
    KeyValue { key, value: Some(value), ..KeyValue::default() }
}

/// Reads a value, as long as there is room for it.
struct Value<'r> {
    room: &'r mut Room,
    depth: u32,
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = AnyValue;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<AnyValue, D::Error> {
        self.room.take(self.depth).map_err(|Unreadable(reason)| D::Error::custom(reason))?;
        Ok(AnyValue { value: deserializer.deserialize_any(self)? })
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = Option<any_value::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(Some(any_value::Value::BoolValue(flag)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Some(any_value::Value::IntValue(number)))
    }

    #[expect(clippy::cast_precision_loss, reason = "no whole number of that size is counted with")]
    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Some(match i64::try_from(number) {
            Ok(number) => any_value::Value::IntValue(number),
            Err(_) => any_value::Value::DoubleValue(number as f64),
        }))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Some(any_value::Value::DoubleValue(number)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(any_value::Value::StringValue(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
        Ok(Some(any_value::Value::StringValue(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let Self { room, depth } = self;
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(Value { room: &mut *room, depth: depth + 1 })? {
            values.push(value);
        }
        Ok(Some(any_value::Value::ArrayValue(ArrayValue { values })))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let Self { room, depth } = self;
        let mut values = Vec::new();
        while let Some(key) = fields.next_key()? {
            let value = fields.next_value_seed(Value { room: &mut *room, depth: depth + 1 })?;
            values.push(pair(key, value));
        }
        Ok(Some(any_value::Value::KvlistValue(KeyValueList { values })))
    }
}

/// JSON in which every `\ud800`…`\udfff` that is no half of a pair has become `\ufffd`; borrowed if
/// there is none.
pub fn without_lone_surrogates(json: &[u8]) -> Cow<'_, [u8]> {
    let mut changed: Option<Vec<u8>> = None;
    let mut from = 0;
    while let Some(found) = json.get(from..).and_then(|rest| memchr::memchr(b'\\', rest)) {
        let at = from + found;
        from = at
            + match unit(json, at) {
                Some(0xd800..0xdc00) if matches!(unit(json, at + 6), Some(0xdc00..0xe000)) => 12,
                Some(0xd800..0xe000) => {
                    let changed = changed.get_or_insert_with(|| json.to_vec());
                    if let Some(escape) = changed.get_mut(at..at + 6) {
                        escape.copy_from_slice(b"\\ufffd");
                    }
                    6
                }
                _ => 2,
            };
    }
    changed.map_or(Cow::Borrowed(json), Cow::Owned)
}

/// The number of the escape at a place, `\u` and four hex digits.
fn unit(json: &[u8], at: usize) -> Option<u16> {
    let escape = json.get(at..at + 6)?.strip_prefix(b"\\u")?;
    u16::from_str_radix(std::str::from_utf8(escape).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_read_as_the_standard_says() {
        let known = "00-b093ea9237fec2cd45689a1d8a083f3a-84b844b161b23fae-01";
        let (trace, span) = trace_context(known).unwrap();
        assert_eq!((trace.len(), trace[0], span.len(), span[7]), (16, 0xb0, 8, 0xae));
        assert!(trace_context(&format!("01{}-later", &known[2..])).is_some());
        for wrong in [
            "",
            "00",
            "ff-b093ea9237fec2cd45689a1d8a083f3a-84b844b161b23fae-01",
            "00-00000000000000000000000000000000-84b844b161b23fae-01",
            "00-b093ea9237fec2cd45689a1d8a083f3a-0000000000000000-01",
            "00-b093ea9237fec2cd45689a1d8a083f3-84b844b161b23fae-01",
            "00-+093ea9237fec2cd45689a1d8a083f3a-84b844b161b23fae-01",
            "00-日本語日本語日本語日本語日本語日本語-84b844b161b23fae-01",
        ] {
            assert_eq!(trace_context(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn halves_of_characters_are_replaced_and_pairs_stay() {
        let text = br#"{"a":"\ud83d\ude00 \ud83d \\ud800 \udc00"}"#;
        let read: serde_json::Value = serde_json::from_slice(&without_lone_surrogates(text)).unwrap();
        assert_eq!(read["a"], "\u{1f600} \u{fffd} \\ud800 \u{fffd}");
        assert!(matches!(without_lone_surrogates(br#""\ud83d\ude00\n""#), Cow::Borrowed(_)));
    }
}
