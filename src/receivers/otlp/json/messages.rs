//! OTLP's messages out of JSON. Names that are not OTLP's are skipped, as the specification demands, and
//! counted.

use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList, any_value,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, SeverityNumber};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{Span, Status, span, status::StatusCode};

use crate::receivers::otlp::sink::{Room, Unreadable};

use super::cursor::{Cursor, Failure};

/// A message from where the cursor stands.
pub(super) trait FromJson: Sized {
    fn read(json: &mut Cursor<'_>, room: &mut Room) -> Result<Self, Failure>;
}

impl From<Unreadable> for Failure {
    fn from(Unreadable(message): Unreadable) -> Self {
        Self::Value(message)
    }
}

/// Says in which member a value is wrong.
fn within<T>(name: &str, read: Result<T, Failure>) -> Result<T, Failure> {
    read.map_err(|failure| match failure {
        Failure::Value(message) => Failure::Value(format!("{name}: {message}")),
        syntax @ Failure::Syntax { .. } => syntax,
    })
}

/// A list of things that count as values.
fn list<T>(
    json: &mut Cursor<'_>,
    room: &mut Room,
    depth: u32,
    mut item: impl FnMut(&mut Cursor<'_>, &mut Room) -> Result<T, Failure>,
) -> Result<Vec<T>, Failure> {
    let mut items = Vec::new();
    json.array(|json| {
        room.take(depth)?;
        items.push(item(json, room)?);
        Ok::<_, Failure>(())
    })?;
    Ok(items)
}

fn attributes(json: &mut Cursor<'_>, room: &mut Room) -> Result<Vec<KeyValue>, Failure> {
    list(json, room, 1, |json, room| key_value(json, room, 1))
}

/// An optional message: absent if `null`.
fn optional<T>(
    json: &mut Cursor<'_>,
    read: impl FnOnce(&mut Cursor<'_>) -> Result<T, Failure>,
) -> Result<Option<T>, Failure> {
    if json.null() { Ok(None) } else { read(json).map(Some) }
}

impl FromJson for Resource {
    fn read(json: &mut Cursor<'_>, room: &mut Room) -> Result<Self, Failure> {
        let mut resource = Self::default();
        json.object(|json, name| {
            within(
                name,
                match name {
                    "attributes" => attributes(json, room).map(|value| resource.attributes = value),
                    "droppedAttributesCount" => {
                        json.uint32().map(|value| resource.dropped_attributes_count = value)
                    }
                    "entityRefs" => list(json, room, 1, entity_ref).map(|value| resource.entity_refs = value),
                    _ => json.skip().map(|()| room.skip()),
                },
            )
        })?;
        Ok(resource)
    }
}

fn entity_ref(json: &mut Cursor<'_>, room: &mut Room) -> Result<EntityRef, Failure> {
    let mut entity = EntityRef::default();
    json.object(|json, name| {
        let mut keys = |json: &mut Cursor<'_>| list(json, room, 1, |json, _| json.string());
        within(
            name,
            match name {
                "schemaUrl" => json.string().map(|value| entity.schema_url = value),
                "type" => json.string().map(|value| entity.r#type = value),
                "idKeys" => keys(json).map(|value| entity.id_keys = value),
                "descriptionKeys" => keys(json).map(|value| entity.description_keys = value),
                _ => json.skip().map(|()| room.skip()),
            },
        )
    })?;
    Ok(entity)
}

impl FromJson for InstrumentationScope {
    fn read(json: &mut Cursor<'_>, room: &mut Room) -> Result<Self, Failure> {
        let mut scope = Self::default();
        json.object(|json, name| {
            within(
                name,
                match name {
                    "name" => json.string().map(|value| scope.name = value),
                    "version" => json.string().map(|value| scope.version = value),
                    "attributes" => attributes(json, room).map(|value| scope.attributes = value),
                    "droppedAttributesCount" => {
                        json.uint32().map(|value| scope.dropped_attributes_count = value)
                    }
                    _ => json.skip().map(|()| room.skip()),
                },
            )
        })?;
        Ok(scope)
    }
}

impl FromJson for Span {
    fn read(json: &mut Cursor<'_>, room: &mut Room) -> Result<Self, Failure> {
        let mut span = Self::default();
        json.object(|json, name| {
            within(
                name,
                match name {
                    "traceId" => json.id().map(|value| span.trace_id = value),
                    "spanId" => json.id().map(|value| span.span_id = value),
                    "parentSpanId" => json.id().map(|value| span.parent_span_id = value),
                    "traceState" => json.string().map(|value| span.trace_state = value),
                    "flags" => json.uint32().map(|value| span.flags = value),
                    "name" => json.string().map(|value| span.name = value),
                    "kind" => json.enumeration(span_kind).map(|value| span.kind = value),
                    "startTimeUnixNano" => json.uint64().map(|value| span.start_time_unix_nano = value),
                    "endTimeUnixNano" => json.uint64().map(|value| span.end_time_unix_nano = value),
                    "attributes" => attributes(json, room).map(|value| span.attributes = value),
                    "droppedAttributesCount" => {
                        json.uint32().map(|value| span.dropped_attributes_count = value)
                    }
                    "events" => list(json, room, 1, event).map(|value| span.events = value),
                    "droppedEventsCount" => json.uint32().map(|value| span.dropped_events_count = value),
                    "links" => list(json, room, 1, link).map(|value| span.links = value),
                    "droppedLinksCount" => json.uint32().map(|value| span.dropped_links_count = value),
                    "status" => optional(json, |json| status(json, room)).map(|value| span.status = value),
                    _ => json.skip().map(|()| room.skip()),
                },
            )
        })?;
        Ok(span)
    }
}

fn event(json: &mut Cursor<'_>, room: &mut Room) -> Result<span::Event, Failure> {
    let mut event = span::Event::default();
    json.object(|json, name| {
        within(
            name,
            match name {
                "timeUnixNano" => json.uint64().map(|value| event.time_unix_nano = value),
                "name" => json.string().map(|value| event.name = value),
                "attributes" => attributes(json, room).map(|value| event.attributes = value),
                "droppedAttributesCount" => json.uint32().map(|value| event.dropped_attributes_count = value),
                _ => json.skip().map(|()| room.skip()),
            },
        )
    })?;
    Ok(event)
}

fn link(json: &mut Cursor<'_>, room: &mut Room) -> Result<span::Link, Failure> {
    let mut link = span::Link::default();
    json.object(|json, name| {
        within(
            name,
            match name {
                "traceId" => json.id().map(|value| link.trace_id = value),
                "spanId" => json.id().map(|value| link.span_id = value),
                "traceState" => json.string().map(|value| link.trace_state = value),
                "attributes" => attributes(json, room).map(|value| link.attributes = value),
                "droppedAttributesCount" => json.uint32().map(|value| link.dropped_attributes_count = value),
                "flags" => json.uint32().map(|value| link.flags = value),
                _ => json.skip().map(|()| room.skip()),
            },
        )
    })?;
    Ok(link)
}

fn status(json: &mut Cursor<'_>, room: &mut Room) -> Result<Status, Failure> {
    let mut status = Status::default();
    json.object(|json, name| {
        within(
            name,
            match name {
                "message" => json.string().map(|value| status.message = value),
                "code" => json.enumeration(status_code).map(|value| status.code = value),
                _ => json.skip().map(|()| room.skip()),
            },
        )
    })?;
    Ok(status)
}

impl FromJson for LogRecord {
    fn read(json: &mut Cursor<'_>, room: &mut Room) -> Result<Self, Failure> {
        let mut log = Self::default();
        json.object(|json, name| {
            within(
                name,
                match name {
                    "timeUnixNano" => json.uint64().map(|value| log.time_unix_nano = value),
                    "observedTimeUnixNano" => json.uint64().map(|value| log.observed_time_unix_nano = value),
                    "severityNumber" => json.enumeration(severity).map(|value| log.severity_number = value),
                    "severityText" => json.string().map(|value| log.severity_text = value),
                    "body" => optional(json, |json| any_value(json, room, 1)).map(|value| log.body = value),
                    "attributes" => attributes(json, room).map(|value| log.attributes = value),
                    "droppedAttributesCount" => {
                        json.uint32().map(|value| log.dropped_attributes_count = value)
                    }
                    "flags" => json.uint32().map(|value| log.flags = value),
                    "traceId" => json.id().map(|value| log.trace_id = value),
                    "spanId" => json.id().map(|value| log.span_id = value),
                    "eventName" => json.string().map(|value| log.event_name = value),
                    _ => json.skip().map(|()| room.skip()),
                },
            )
        })?;
        Ok(log)
    }
}

fn key_value(json: &mut Cursor<'_>, room: &mut Room, depth: u32) -> Result<KeyValue, Failure> {
    let mut entry = KeyValue::default();
    json.object(|json, name| match name {
        "key" => within(name, json.string().map(|value| entry.key = value)),
        "value" => {
            let value = optional(json, |json| any_value(json, room, depth));
            within(&entry.key, value.map(|value| entry.value = value))
        }
        "keyStrindex" => within(name, json.int32().map(|value| entry.key_strindex = value)),
        _ => json.skip().map(|()| room.skip()),
    })?;
    Ok(entry)
}

/// `{}` is a value that is empty, as it is in protobuf. What stands there without the name of its type says by
/// itself what it is.
fn any_value(json: &mut Cursor<'_>, room: &mut Room, depth: u32) -> Result<AnyValue, Failure> {
    use any_value::Value;
    if let Some(first) = json.peek().filter(|first| *first != b'{') {
        return bare(json, room, depth, first).map(|value| AnyValue { value });
    }
    let mut value = None;
    json.object(|json, name| {
        if json.null() {
            return Ok(());
        }
        let read = match name {
            "stringValue" | "strValue" | "string" => json.string().map(Value::StringValue),
            "boolValue" | "booleanValue" | "bool" => json.boolean().map(Value::BoolValue),
            "intValue" | "integerValue" | "longValue" | "int" => json.int64().map(Value::IntValue),
            "doubleValue" | "floatValue" | "numberValue" | "double" => json.double().map(Value::DoubleValue),
            "arrayValue" => array(json, room, depth + 1).map(Value::ArrayValue),
            "kvlistValue" => key_values(json, room, depth + 1).map(Value::KvlistValue),
            "bytesValue" => json.base64().map(Value::BytesValue),
            "stringValueStrindex" => json.int32().map(Value::StringValueStrindex),
            // Go's own encoder names the choice too: `{"Value": {"StringValue": …}}`.
            "value" => {
                room.take(depth + 1)?;
                value = any_value(json, room, depth + 1)?.value;
                return Ok(());
            }
            _ => return json.skip().map(|()| room.skip()),
        };
        value = Some(within(name, read)?);
        Ok(())
    })?;
    Ok(AnyValue { value })
}

/// A value of JSON.
fn bare(
    json: &mut Cursor<'_>,
    room: &mut Room,
    depth: u32,
    first: u8,
) -> Result<Option<any_value::Value>, Failure> {
    use any_value::Value;
    let value = match first {
        b'"' => Value::StringValue(json.string()?),
        b't' | b'f' => Value::BoolValue(json.boolean()?),
        b'[' => {
            room.take(depth + 1)?;
            let values = list(json, room, depth + 1, |json, room| any_value(json, room, depth + 1))?;
            Value::ArrayValue(ArrayValue { values })
        }
        b'n' => {
            json.skip()?;
            return Ok(None);
        }
        _ => {
            let start = json.position();
            match json.int64() {
                Ok(whole) => Value::IntValue(whole),
                Err(_) => {
                    json.rewind(start);
                    Value::DoubleValue(json.double()?)
                }
            }
        }
    };
    Ok(Some(value))
}

fn array(json: &mut Cursor<'_>, room: &mut Room, depth: u32) -> Result<ArrayValue, Failure> {
    let mut array = ArrayValue::default();
    json.object(|json, name| match name {
        "values" => {
            array.values = list(json, room, depth, |json, room| any_value(json, room, depth))?;
            Ok(())
        }
        _ => json.skip().map(|()| room.skip()),
    })?;
    Ok(array)
}

fn key_values(json: &mut Cursor<'_>, room: &mut Room, depth: u32) -> Result<KeyValueList, Failure> {
    let mut entries = KeyValueList::default();
    json.object(|json, name| match name {
        "values" => {
            entries.values = list(json, room, depth, |json, room| key_value(json, room, depth))?;
            Ok(())
        }
        _ => json.skip().map(|()| room.skip()),
    })?;
    Ok(entries)
}

fn span_kind(name: &str) -> Option<i32> {
    span::SpanKind::from_str_name(name).map(i32::from)
}

fn status_code(name: &str) -> Option<i32> {
    StatusCode::from_str_name(name).map(i32::from)
}

fn severity(name: &str) -> Option<i32> {
    SeverityNumber::from_str_name(name).map(i32::from)
}
