//! OTLP in protobuf, read record by record.
//!
//! Unlike a generated decoder, this one rejects only the unreadable record and not its batch, replaces invalid UTF-8
//! in one field instead of refusing the request, limits what a small body can expand to, and holds one record at a
//! time in memory.

use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList, any_value,
};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{Span, Status, span};

use crate::receivers::{Refusal, Signal};

use super::sink::{Around, Room, Sink, Unreadable};
use super::wire::Fields;

/// Reads an `Export…ServiceRequest`.
pub(super) fn read(signal: Signal, body: &[u8], sink: &mut Sink<'_>) -> Result<(), Refusal> {
    let mut reader = Reader { signal, sink, has_own: false, has_others: false };
    reader.request(body)?;
    // A body of another signal has the same shape down to its records.
    if reader.has_others && !reader.has_own {
        let path = if signal == Signal::Traces { "/v1/logs" } else { "/v1/traces" };
        return Err(malformed(signal, &Unreadable(format!("it belongs to {path}"))));
    }
    Ok(())
}

struct Reader<'s, 'v> {
    signal: Signal,
    sink: &'s mut Sink<'v>,
    /// A record was of the signal.
    has_own: bool,
    /// A record was of another signal, before any was of this one.
    has_others: bool,
}

impl Reader<'_, '_> {
    fn request(&mut self, body: &[u8]) -> Result<(), Refusal> {
        for field in Fields::of(body) {
            let (number, field) = field.map_err(|error| malformed(self.signal, &error))?;
            if number == 1 {
                let group = field.bytes().map_err(|error| malformed(self.signal, &error))?;
                self.resource_group(group)?;
            }
        }
        Ok(())
    }

    /// A `ResourceSpans`, `ResourceLogs` or `ResourceMetrics`: its resource is field 1, its scopes field 2.
    fn resource_group(&mut self, group: &[u8]) -> Result<(), Refusal> {
        let bytes = last(self.signal, group)?;
        self.sink.make_room(bytes.map_or(0, <[u8]>::len))?;
        let resource = bytes.map_or_else(Around::default, |bytes| Around::read(bytes, resource));
        for scope_group in repeated(group) {
            let scope_group = scope_group.map_err(|error| malformed(self.signal, &error))?;
            self.scope_group(scope_group, &resource)?;
        }
        Ok(())
    }

    /// A `ScopeSpans`, `ScopeLogs` or `ScopeMetrics`: its scope is field 1, its records field 2.
    fn scope_group(&mut self, group: &[u8], resource: &Around<Resource>) -> Result<(), Refusal> {
        let bytes = last(self.signal, group)?;
        self.sink.make_room(resource.bytes + bytes.map_or(0, <[u8]>::len))?;
        let scope = bytes.map_or_else(Around::default, |bytes| Around::read(bytes, scope));
        for record in repeated(group) {
            let record = record.map_err(|error| malformed(self.signal, &error))?;
            self.sink.make_room(resource.bytes + scope.bytes + record.len())?;
            match self.signal {
                Signal::Traces => {
                    let read = Around::read(record, span);
                    self.note(read.message.is_ok(), || is_log(record));
                    self.sink.span(resource, &scope, &read)?;
                }
                Signal::Logs => {
                    let read = Around::read(record, log_record);
                    self.note(read.message.is_ok(), || is_span(record));
                    self.sink.log(resource, &scope, &read)?;
                }
                Signal::Metrics => self.sink.metric(),
            }
        }
        Ok(())
    }

    /// Notes what a record was. Whether it is of another signal matters only before the first of this one.
    fn note(&mut self, is_own: bool, is_other: impl FnOnce() -> bool) {
        self.has_own |= is_own;
        self.has_others = self.has_others || !self.has_own && is_other();
    }
}

/// Field 1: what surrounds the rest, wherever it stands.
fn last(signal: Signal, group: &[u8]) -> Result<Option<&[u8]>, Refusal> {
    let mut last = None;
    for field in Fields::of(group) {
        if let (1, field) = field.map_err(|error| malformed(signal, &error))? {
            last = Some(field.bytes().map_err(|error| malformed(signal, &error))?);
        }
    }
    Ok(last)
}

/// Every field 2. They are not collected: two bytes on the wire can be one of them.
fn repeated(group: &[u8]) -> impl Iterator<Item = Result<&[u8], Unreadable>> {
    Fields::of(group).filter_map(|field| match field {
        Ok((2, field)) => Some(field.bytes()),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    })
}

impl<T> Around<T> {
    fn read(bytes: &[u8], message: fn(&[u8], &mut Room) -> Result<T, Unreadable>) -> Self {
        Self::new(message(bytes, &mut Room::new()), bytes.len())
    }
}

/// Whether it is a log record that says something, and no span.
fn is_log(record: &[u8]) -> bool {
    let log = Around::read(record, log_record).message;
    log.is_ok_and(|log| log.time_unix_nano != 0 || log.observed_time_unix_nano != 0 || log.body.is_some())
}

/// Whether it is a span that has an id, and no log record.
fn is_span(record: &[u8]) -> bool {
    let span = Around::read(record, span).message;
    span.is_ok_and(|span| span.trace_id.len() == 16 && span.span_id.len() == 8)
}

fn malformed(signal: Signal, Unreadable(error): &Unreadable) -> Refusal {
    Refusal::Malformed(format!("the body is not protobuf of {}: {error}", signal.as_str()))
}

fn resource(bytes: &[u8], room: &mut Room) -> Result<Resource, Unreadable> {
    let mut resource = Resource::default();
    for field in Fields::of(bytes) {
        let (number, field) = field?;
        match number {
            1 => resource.attributes.push(key_value(field.bytes()?, room, 1)?),
            2 => resource.dropped_attributes_count = field.uint32()?,
            3 => resource.entity_refs.push(entity_ref(field.bytes()?, room)?),
            _ => {}
        }
    }
    Ok(resource)
}

fn entity_ref(bytes: &[u8], room: &mut Room) -> Result<EntityRef, Unreadable> {
    room.take(1)?;
    let mut entity = EntityRef::default();
    for field in Fields::of(bytes) {
        let (number, field) = field?;
        match number {
            1 => entity.schema_url = field.text()?,
            2 => entity.r#type = field.text()?,
            3 => {
                room.take(1)?;
                entity.id_keys.push(field.text()?);
            }
            4 => {
                room.take(1)?;
                entity.description_keys.push(field.text()?);
            }
            _ => {}
        }
    }
    Ok(entity)
}

fn scope(bytes: &[u8], room: &mut Room) -> Result<InstrumentationScope, Unreadable> {
    let mut scope = InstrumentationScope::default();
    for field in Fields::of(bytes) {
        let (number, field) = field?;
        match number {
            1 => scope.name = field.text()?,
            2 => scope.version = field.text()?,
            3 => scope.attributes.push(key_value(field.bytes()?, room, 1)?),
            4 => scope.dropped_attributes_count = field.uint32()?,
            _ => {}
        }
    }
    Ok(scope)
}

fn span(bytes: &[u8], room: &mut Room) -> Result<Span, Unreadable> {
    let mut span = Span::default();
    for field in Fields::of(bytes) {
        let (number, field) = field?;
        match number {
            1 => span.trace_id = field.bytes()?.to_vec(),
            2 => span.span_id = field.bytes()?.to_vec(),
            3 => span.trace_state = field.text()?,
            4 => span.parent_span_id = field.bytes()?.to_vec(),
            5 => span.name = field.text()?,
            6 => span.kind = field.int32()?,
            7 => span.start_time_unix_nano = field.fixed64()?,
            8 => span.end_time_unix_nano = field.fixed64()?,
            9 => span.attributes.push(key_value(field.bytes()?, room, 1)?),
            10 => span.dropped_attributes_count = field.uint32()?,
            11 => span.events.push(event(field.bytes()?, room)?),
            12 => span.dropped_events_count = field.uint32()?,
            13 => span.links.push(link(field.bytes()?, room)?),
            14 => span.dropped_links_count = field.uint32()?,
            15 => span.status = Some(status(field.bytes()?)?),
            16 => span.flags = field.fixed32()?,
            _ => {}
        }
    }
    Ok(span)
}

fn event(bytes: &[u8], room: &mut Room) -> Result<span::Event, Unreadable> {
    room.take(1)?;
    let mut event = span::Event::default();
    for field in Fields::of(bytes) {
        let (number, field) = field?;
        match number {
            1 => event.time_unix_nano = field.fixed64()?,
            2 => event.name = field.text()?,
            3 => event.attributes.push(key_value(field.bytes()?, room, 1)?),
            4 => event.dropped_attributes_count = field.uint32()?,
            _ => {}
        }
    }
    Ok(event)
}

fn link(bytes: &[u8], room: &mut Room) -> Result<span::Link, Unreadable> {
    room.take(1)?;
    let mut link = span::Link::default();
    for field in Fields::of(bytes) {
        let (number, field) = field?;
        match number {
            1 => link.trace_id = field.bytes()?.to_vec(),
            2 => link.span_id = field.bytes()?.to_vec(),
            3 => link.trace_state = field.text()?,
            4 => link.attributes.push(key_value(field.bytes()?, room, 1)?),
            5 => link.dropped_attributes_count = field.uint32()?,
            6 => link.flags = field.fixed32()?,
            _ => {}
        }
    }
    Ok(link)
}

fn status(bytes: &[u8]) -> Result<Status, Unreadable> {
    let mut status = Status::default();
    for field in Fields::of(bytes) {
        let (number, field) = field?;
        match number {
            2 => status.message = field.text()?,
            3 => status.code = field.int32()?,
            _ => {}
        }
    }
    Ok(status)
}

fn log_record(bytes: &[u8], room: &mut Room) -> Result<LogRecord, Unreadable> {
    let mut log = LogRecord::default();
    for field in Fields::of(bytes) {
        let (number, field) = field?;
        match number {
            1 => log.time_unix_nano = field.fixed64()?,
            2 => log.severity_number = field.int32()?,
            3 => log.severity_text = field.text()?,
            5 => log.body = Some(any_value(field.bytes()?, room, 1)?),
            6 => log.attributes.push(key_value(field.bytes()?, room, 1)?),
            7 => log.dropped_attributes_count = field.uint32()?,
            8 => log.flags = field.fixed32()?,
            9 => log.trace_id = field.bytes()?.to_vec(),
            10 => log.span_id = field.bytes()?.to_vec(),
            11 => log.observed_time_unix_nano = field.fixed64()?,
            12 => log.event_name = field.text()?,
            _ => {}
        }
    }
    Ok(log)
}

fn key_value(bytes: &[u8], room: &mut Room, depth: u32) -> Result<KeyValue, Unreadable> {
    room.take(depth)?;
    let mut entry = KeyValue::default();
    for field in Fields::of(bytes) {
        let (number, field) = field?;
        match number {
            1 => entry.key = field.text()?,
            2 => entry.value = Some(any_value(field.bytes()?, room, depth)?),
            3 => entry.key_strindex = field.int32()?,
            _ => {}
        }
    }
    Ok(entry)
}

fn any_value(bytes: &[u8], room: &mut Room, depth: u32) -> Result<AnyValue, Unreadable> {
    use any_value::Value;
    let mut value = None;
    for field in Fields::of(bytes) {
        let (number, field) = field?;
        value = Some(match number {
            1 => Value::StringValue(field.text()?),
            2 => Value::BoolValue(field.varint()? != 0),
            3 => Value::IntValue(field.varint()?.cast_signed()),
            4 => Value::DoubleValue(f64::from_bits(field.fixed64()?)),
            5 => Value::ArrayValue(array(field.bytes()?, room, depth + 1)?),
            6 => Value::KvlistValue(key_values(field.bytes()?, room, depth + 1)?),
            7 => Value::BytesValue(field.bytes()?.to_vec()),
            8 => Value::StringValueStrindex(field.int32()?),
            _ => continue,
        });
    }
    Ok(AnyValue { value })
}

fn array(bytes: &[u8], room: &mut Room, depth: u32) -> Result<ArrayValue, Unreadable> {
    let mut array = ArrayValue::default();
    for field in Fields::of(bytes) {
        if let (1, field) = field? {
            room.take(depth)?;
            array.values.push(any_value(field.bytes()?, room, depth)?);
        }
    }
    Ok(array)
}

fn key_values(bytes: &[u8], room: &mut Room, depth: u32) -> Result<KeyValueList, Unreadable> {
    let mut list = KeyValueList::default();
    for field in Fields::of(bytes) {
        if let (1, field) = field? {
            list.values.push(key_value(field.bytes()?, room, depth)?);
        }
    }
    Ok(list)
}
