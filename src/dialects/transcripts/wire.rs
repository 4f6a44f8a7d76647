//! Events as the attributes of a log record, and back. What is absent is not written.

use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList, any_value};
use opentelemetry_proto::tonic::logs::v1::LogRecord;

use super::super::Record;
use super::super::record::{to_boolean, to_integer, to_json, to_text};
use super::Told;
use crate::event::{Decision, Kind, SessionEvent, Status, Timestamp};

const EVENTS: &str = "events";
const ATTRIBUTES: &str = "attributes";

/// A text column of an event.
type Text = fn(&mut SessionEvent) -> &mut String;
/// A number of an event.
type Number = fn(&mut SessionEvent) -> &mut i64;

const TEXTS: &[(&str, Text)] = &[
    ("fact_key", |event| &mut event.fact_key),
    ("session_id", |event| &mut event.session_id),
    ("turn_id", |event| &mut event.turn_id),
    ("project", |event| &mut event.project),
    ("cwd", |event| &mut event.cwd),
    ("assistant_version", |event| &mut event.assistant_version),
    ("agent", |event| &mut event.agent),
    ("model", |event| &mut event.model),
    ("tool", |event| &mut event.tool),
    ("tool_call_id", |event| &mut event.tool_call_id),
    ("text", |event| &mut event.text),
    ("input", |event| &mut event.input),
    ("output", |event| &mut event.output),
    ("decision_source", |event| &mut event.decision_source),
    ("skill", |event| &mut event.skill),
];

const NUMBERS: &[(&str, Number)] = &[
    ("rank", |event| &mut event.rank),
    ("seq", |event| &mut event.seq),
    ("duration_us", |event| &mut event.duration_us),
    ("input_tokens", |event| &mut event.input_tokens),
    ("output_tokens", |event| &mut event.output_tokens),
];

/// What was told as a log record.
pub fn to_log(told: Told) -> LogRecord {
    let first = told.events.iter().map(|event| event.timestamp).find(|time| !time.is_unset());
    let micros = first.map_or(0, Timestamp::as_micros);
    let events = told.events.into_iter().map(event_value).collect();
    LogRecord {
        time_unix_nano: u64::try_from(micros).unwrap_or_default().saturating_mul(1_000),
        attributes: vec![pair(EVENTS, any_value::Value::ArrayValue(ArrayValue { values: events }))],
        ..LogRecord::default()
    }
}

fn pair(key: &str, value: any_value::Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn text(key: &str, text: impl Into<String>) -> KeyValue {
    pair(key, any_value::Value::StringValue(text.into()))
}

fn event_value(mut event: SessionEvent) -> AnyValue {
    let mut fields = vec![text("kind", event.kind.as_str())];
    for (name, column) in TEXTS {
        let value = std::mem::take(column(&mut event));
        if !value.is_empty() {
            fields.push(text(name, value));
        }
    }
    for (name, column) in NUMBERS {
        let value = *column(&mut event);
        if value != 0 {
            fields.push(pair(name, any_value::Value::IntValue(value)));
        }
    }
    if !event.timestamp.is_unset() {
        fields.push(pair("timestamp", any_value::Value::IntValue(event.timestamp.as_micros())));
    }
    for (name, value) in [("status", event.status.as_str()), ("decision", event.decision.as_str())] {
        if !value.is_empty() {
            fields.push(text(name, value));
        }
    }
    if event.truncated {
        fields.push(pair("truncated", any_value::Value::BoolValue(true)));
    }
    if !event.attributes.is_empty() {
        let values = event.attributes.into_iter().filter_map(|(key, value)| {
            let value = match value {
                serde_json::Value::String(text) => any_value::Value::StringValue(text),
                value => any_value::Value::IntValue(value.as_i64()?),
            };
            Some(pair(&key, value))
        });
        fields
            .push(pair(ATTRIBUTES, any_value::Value::KvlistValue(KeyValueList { values: values.collect() })));
    }
    AnyValue { value: Some(any_value::Value::KvlistValue(KeyValueList { values: fields })) }
}

/// The events that a record holds; those of a kind that is not known are none.
pub(super) fn events(record: &Record<'_>) -> Vec<SessionEvent> {
    match record.value(EVENTS).and_then(|value| value.value.as_ref()) {
        Some(any_value::Value::ArrayValue(events)) => events.values.iter().filter_map(event_of).collect(),
        _ => Vec::new(),
    }
}

fn event_of(value: &AnyValue) -> Option<SessionEvent> {
    let any_value::Value::KvlistValue(fields) = value.value.as_ref()? else { return None };
    let mut event = SessionEvent::default();
    let mut kind = None;
    for field in &fields.values {
        let Some(value) = field.value.as_ref() else { continue };
        match field.key.as_str() {
            "kind" => kind = Kind::parse(&to_text(value)),
            "timestamp" => event.timestamp = Timestamp::from_micros(to_integer(value).unwrap_or_default()),
            "status" => event.status = Status::parse(&to_text(value)).unwrap_or_default(),
            "decision" => event.decision = Decision::parse(&to_text(value)).unwrap_or_default(),
            "truncated" => event.truncated = to_boolean(value).unwrap_or_default(),
            ATTRIBUTES => {
                if let serde_json::Value::Object(attributes) = to_json(value) {
                    event.attributes.extend(attributes);
                }
            }
            name => {
                if let Some((_, column)) = TEXTS.iter().find(|(column, _)| *column == name) {
                    *column(&mut event) = to_text(value);
                } else if let Some((_, column)) = NUMBERS.iter().find(|(column, _)| *column == name) {
                    *column(&mut event) = to_integer(value).unwrap_or_default();
                }
            }
        }
    }
    Some(SessionEvent { kind: kind?, ..event })
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
    use opentelemetry_proto::tonic::resource::v1::Resource;

    use super::*;

    #[test]
    fn what_is_told_is_read_as_it_was() {
        let mut event = SessionEvent {
            kind: Kind::ToolResult,
            timestamp: Timestamp::from_micros(1_700_000_000_000_001),
            status: Status::Error,
            decision: Decision::Reject,
            truncated: true,
            ..SessionEvent::default()
        };
        for (name, column) in TEXTS {
            *column(&mut event) = format!("the {name}");
        }
        for (number, (_, column)) in (1..).zip(NUMBERS) {
            *column(&mut event) = number;
        }
        event.attributes.insert("tokens.cache_read".to_owned(), 7.into());
        let events = vec![event, SessionEvent { kind: Kind::Prompt, ..SessionEvent::default() }];
        let log = to_log(Told { origin: "x".to_owned(), events: events.clone() });
        let (resource, scope) = (Resource::default(), InstrumentationScope::default());
        assert_eq!(super::events(&Record::log(&resource, &scope, &log)), events);
        assert_eq!(log.time_unix_nano, 1_700_000_000_000_001_000);
    }

    #[test]
    fn what_is_no_event_is_passed_over() {
        let of = |values: Vec<AnyValue>| LogRecord {
            attributes: vec![pair(EVENTS, any_value::Value::ArrayValue(ArrayValue { values }))],
            ..LogRecord::default()
        };
        let fields = |fields: Vec<KeyValue>| AnyValue {
            value: Some(any_value::Value::KvlistValue(KeyValueList { values: fields })),
        };
        let (resource, scope) = (Resource::default(), InstrumentationScope::default());
        for values in [
            vec![],
            vec![AnyValue::default()],
            vec![fields(vec![])],
            vec![fields(vec![text("kind", "dance"), text("text", "x")])],
        ] {
            assert!(super::events(&Record::log(&resource, &scope, &of(values))).is_empty());
        }
    }
}
