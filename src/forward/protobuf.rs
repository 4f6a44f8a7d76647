//! Bodies in protobuf: removes records and changes texts; every other byte stays.
//!
//! An `Export…ServiceRequest` has groups by resource in field 1. Of a group, field 1 is the resource and
//! field 2 a group by scope, of which field 1 is the scope and field 2 a record: that is so for all signals.

use std::borrow::Cow;

use super::Unreadable;
use super::cleaner::Cleaner;
use super::schema::{self, Kind, Schema};
use super::wire::{Change, rewrite};
use crate::event::{Signal, capture};
use crate::wire::{Field, Fields, Value, put};
use memchr::memmem;

/// Values inside values; what lies deeper no reader here takes.
const MAX_DEPTH: u32 = 32;

/// A record and what surrounds it, as bytes.
#[derive(Clone, Copy)]
pub(super) struct Placed<'a> {
    resource: &'a [u8],
    scope: &'a [u8],
    record: &'a [u8],
}

impl Placed<'_> {
    /// A request with this record alone.
    pub(super) fn alone(&self) -> Vec<u8> {
        let (mut scope_group, mut group, mut request) = (Vec::new(), Vec::new(), Vec::new());
        put(&mut scope_group, 1, self.scope);
        put(&mut scope_group, 2, self.record);
        put(&mut group, 1, self.resource);
        put(&mut group, 2, &scope_group);
        put(&mut request, 1, &group);
        request
    }
}

/// Leaves out the records that are not to be kept, and groups in which none is left. `None`: all stay.
pub(super) fn retain(
    body: &[u8],
    keep: &mut dyn FnMut(&Placed<'_>) -> bool,
) -> Result<Option<Vec<u8>>, Unreadable> {
    rewrite(body, |field| match field {
        Field { number: 1, value: Value::Bytes(group), .. } => {
            let resource = surrounding(group)?;
            in_group(1, group, |scope_group| {
                let scope = surrounding(scope_group)?;
                in_group(2, scope_group, |record| {
                    let kept = keep(&Placed { resource, scope, record });
                    Ok(if kept { Change::Keep } else { Change::Drop })
                })
            })
        }
        _ => Ok(Change::Keep),
    })
}

/// Changes the members of a group, its field 2; drops the group, the caller's field `number`, if it had some and
/// none is left.
fn in_group<'a>(
    number: u32,
    group: &'a [u8],
    mut change: impl FnMut(&'a [u8]) -> Result<Change, Unreadable>,
) -> Result<Change, Unreadable> {
    let (mut had, mut left) = (false, false);
    let changed = rewrite(group, |field| match field.value {
        Value::Bytes(member) if field.number == 2 => {
            let change = change(member)?;
            had = true;
            left |= !matches!(change, Change::Drop);
            Ok(change)
        }
        _ => Ok(Change::Keep),
    })?;
    Ok(match changed {
        _ if had && !left => Change::Drop,
        changed => put_in(number, changed),
    })
}

/// Field 1 of a group: its resource or its scope.
fn surrounding(group: &[u8]) -> Result<&[u8], Unreadable> {
    let mut found: &[u8] = &[];
    for field in Fields::of(group) {
        if let Field { number: 1, value: Value::Bytes(bytes), .. } = field? {
            found = bytes;
        }
    }
    Ok(found)
}

/// Whether a record, or the resource that it came from, says that it is not to be stored.
pub(super) fn is_opted_out(signal: Signal, placed: &Placed<'_>) -> bool {
    let says = |schema: &Schema, bytes: &[u8]| forbids(schema, bytes, 0).unwrap_or(true);
    says(&schema::RESOURCE, placed.resource) || says(schema::record(signal), placed.record)
}

/// Of metrics, any of its points may say so.
fn forbids(schema: &Schema, message: &[u8], depth: u32) -> Result<bool, Unreadable> {
    for field in Fields::of(message) {
        let Field { number, value: Value::Bytes(bytes), .. } = field? else { continue };
        let found = match schema.kind(number) {
            Some(Kind::Attribute) => forbidding(bytes)?,
            Some(Kind::Message(inner)) if depth < MAX_DEPTH && names_capture(bytes) => {
                forbids(inner, bytes, depth + 1)?
            }
            _ => false,
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

fn forbidding(attribute: &[u8]) -> Result<bool, Unreadable> {
    let (mut is_named, mut forbids) = (false, false);
    for field in Fields::of(attribute) {
        match field? {
            Field { number: 1, value: Value::Bytes(key), .. } => {
                is_named = key == capture::ATTRIBUTE.as_bytes();
            }
            Field { number: 2, value: Value::Bytes(value), .. } => {
                forbids = forbidding_value(value)?.unwrap_or(forbids);
            }
            _ => {}
        }
    }
    Ok(is_named && forbids)
}

/// Whether the value of the attribute forbids; its last member decides, `None` without one.
fn forbidding_value(value: &[u8]) -> Result<Option<bool>, Unreadable> {
    let mut forbids = None;
    for field in Fields::of(value) {
        forbids = Some(match field? {
            Field { number: 1, value: Value::Bytes(text), .. } => {
                capture::forbids(&String::from_utf8_lossy(text))
            }
            Field { number: 2 | 3, value: Value::Varint(number), .. } => number == 0,
            _ => true,
        });
    }
    Ok(forbids)
}

/// Takes out what `cleaner` finds. `None`: there was nothing. A record that breaks off is left out, and
/// counted: nobody can say what it holds.
pub(super) fn clean(
    signal: Signal,
    body: &[u8],
    cleaner: &Cleaner,
    left_out: &mut u64,
) -> Result<Option<Vec<u8>>, Unreadable> {
    let walk = Walk { cleaner };
    rewrite(body, |field| match field.value {
        Value::Bytes(group) if field.number == 1 => walk.group(group, 1, &schema::RESOURCE, |scope_group| {
            walk.group(scope_group, 2, &schema::SCOPE, |record| {
                match walk.message(schema::record(signal), record, 0) {
                    Ok(changed) => Ok(changed.map_or(Change::Keep, |bytes| Change::Put(2, bytes))),
                    Err(Unreadable) => {
                        *left_out += 1;
                        Ok(Change::Drop)
                    }
                }
            })
        }),
        _ => walk.unknown(field),
    })
}

struct Walk<'c> {
    cleaner: &'c Cleaner,
}

impl Walk<'_> {
    /// A group, the caller's field `number`: what surrounds its members, its members, and the URL of its
    /// schema.
    fn group<'a>(
        &self,
        group: &'a [u8],
        number: u32,
        around: &Schema,
        mut member: impl FnMut(&'a [u8]) -> Result<Change, Unreadable>,
    ) -> Result<Change, Unreadable> {
        let changed = rewrite(group, |field| match (field.number, field.value) {
            (1, Value::Bytes(bytes)) => Ok(put_in(1, self.message(around, bytes, 0)?)),
            (2, Value::Bytes(bytes)) => member(bytes),
            (3, Value::Bytes(bytes)) => Ok(self.text(3, bytes)),
            _ => self.unknown(field),
        })?;
        Ok(put_in(number, changed))
    }

    fn message(&self, schema: &Schema, message: &[u8], depth: u32) -> Result<Option<Vec<u8>>, Unreadable> {
        rewrite(message, |field| {
            let Field { number, value: Value::Bytes(bytes), .. } = *field else { return Ok(Change::Keep) };
            match schema.kind(number) {
                Some(Kind::Opaque) => Ok(Change::Keep),
                Some(Kind::Text) => Ok(self.text(number, bytes)),
                Some(Kind::Attribute) => self.attribute(number, bytes, true, depth),
                Some(Kind::Value) => Ok(put_in(number, self.value("", bytes, depth)?)),
                Some(Kind::Message(inner)) => Ok(put_in(number, self.message(inner, bytes, depth)?)),
                None => self.unknown(field),
            }
        })
    }

    fn attribute(
        &self,
        number: u32,
        attribute: &[u8],
        may_drop: bool,
        depth: u32,
    ) -> Result<Change, Unreadable> {
        let key = lossy(surrounding(attribute)?);
        if may_drop && self.cleaner.drops(&key) {
            return Ok(Change::Drop);
        }
        let changed = rewrite(attribute, |field| match (field.number, field.value) {
            (1, Value::Bytes(key)) => Ok(self.text(1, key)),
            (2, Value::Bytes(value)) => Ok(put_in(2, self.value(&key, value, depth)?)),
            _ => self.unknown(field),
        })?;
        Ok(put_in(number, changed))
    }

    /// The `AnyValue` of the attribute `name`; of a log's body, which has none, that is `""`.
    fn value(&self, name: &str, value: &[u8], depth: u32) -> Result<Option<Vec<u8>>, Unreadable> {
        if depth > MAX_DEPTH {
            return Err(Unreadable);
        }
        let put_text = |text: Option<String>| text.map_or(Change::Keep, |text| Change::Put(1, text.into()));
        rewrite(value, |field| match (field.number, field.value) {
            (1, Value::Bytes(text)) => Ok(put_text(self.cleaner.value(name, &lossy(text)))),
            (3, Value::Varint(number)) => {
                Ok(put_text(self.cleaner.number(name, &number.cast_signed().to_string())))
            }
            (4, Value::Fixed64(bits)) => {
                Ok(put_text(self.cleaner.number(name, &f64::from_bits(bits).to_string())))
            }
            (5, Value::Bytes(array)) => {
                let changed = rewrite(array, |field| match (field.number, field.value) {
                    (1, Value::Bytes(value)) => Ok(put_in(1, self.value(name, value, depth + 1)?)),
                    _ => self.unknown(field),
                })?;
                Ok(put_in(5, changed))
            }
            (6, Value::Bytes(list)) => {
                let changed = rewrite(list, |field| match (field.number, field.value) {
                    (1, Value::Bytes(entry)) => self.attribute(1, entry, false, depth + 1),
                    _ => self.unknown(field),
                })?;
                Ok(put_in(6, changed))
            }
            (7, Value::Bytes(bytes)) => {
                let redacted = self.cleaner.value(name, &lossy(bytes));
                Ok(redacted.map_or(Change::Keep, |text| Change::Put(7, text.into())))
            }
            _ => self.unknown(field),
        })
    }

    fn text(&self, number: u32, text: &[u8]) -> Change {
        put_in(number, self.cleaner.text(&lossy(text)).map(String::into_bytes))
    }

    /// A field that a later version of the protocol knows. What it is cannot be told, so that nothing in it can
    /// be changed: it goes as it is, or not at all.
    fn unknown(&self, field: &Field<'_>) -> Result<Change, Unreadable> {
        Ok(match field.value {
            Value::Bytes(bytes) if self.cleaner.text(&lossy(bytes)).is_some() => Change::Drop,
            _ => Change::Keep,
        })
    }
}

fn put_in(number: u32, changed: Option<Vec<u8>>) -> Change {
    changed.map_or(Change::Keep, |bytes| Change::Put(number, bytes))
}

fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// Whether a text of the record, or of its resource, is one of `names`.
pub(super) fn says(signal: Signal, placed: &Placed<'_>, names: &[&str]) -> bool {
    let mut found = false;
    let mut look = |text: &[u8]| found |= names.iter().any(|name| name.as_bytes() == text);
    // What breaks off is looked at as far as it goes.
    let _ = texts(Kind::Message(&schema::RESOURCE), placed.resource, 0, &mut look);
    let _ = texts(Kind::Message(schema::record(signal)), placed.record, 0, &mut look);
    found
}

/// Shows every text of a field of bytes.
fn texts(kind: Kind, bytes: &[u8], depth: u32, look: &mut dyn FnMut(&[u8])) -> Result<(), Unreadable> {
    if matches!(kind, Kind::Text | Kind::Opaque) || depth > MAX_DEPTH {
        look(bytes);
        return Ok(());
    }
    for field in Fields::of(bytes) {
        let Field { number, value: Value::Bytes(inner), .. } = field? else { continue };
        let inner_kind = match (kind, number) {
            (Kind::Message(schema), _) => schema.kind(number),
            (Kind::Attribute, 2) => Some(Kind::Value),
            (Kind::Value, 1) => Some(Kind::Text),
            // An array has its values, and a list its attributes, in field 1.
            (Kind::Value, 5) => Some(Kind::Message(&schema::ARRAY)),
            (Kind::Value, 6) => Some(Kind::Message(&schema::LIST)),
            _ => None,
        };
        if let Some(kind) = inner_kind {
            texts(kind, inner, depth + 1, look)?;
        }
    }
    Ok(())
}

/// Whether the name of the attribute stands anywhere: nearly no body has it.
pub(super) fn names_capture(bytes: &[u8]) -> bool {
    memmem::find(bytes, capture::ATTRIBUTE.as_bytes()).is_some()
}
