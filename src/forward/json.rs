//! Bodies in OTLP's JSON: records are left out and texts are changed.
//!
//! Names are compared without case and underscores: clients write those of JSON, of protobuf and of Go. A changed
//! body is written anew, with every member that it had, and numbers as they were written (`numbers.rs`).

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

use super::cleaner::Cleaner;
use crate::event::{Signal, capture};

/// What surrounds a record, and the record.
pub(super) struct Placed<'a> {
    resource: &'a Value,
    scope: &'a Value,
    record: &'a Value,
}

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The names of a signal's lists, as [`is`] compares them.
struct Names {
    resources: &'static str,
    scopes: [&'static str; 2],
    records: [&'static str; 2],
}

const fn names(signal: Signal) -> Names {
    match signal {
        Signal::Traces => Names {
            resources: "resourcespans",
            scopes: ["scopespans", "instrumentationlibraryspans"],
            records: ["spans", "spans"],
        },
        Signal::Logs => Names {
            resources: "resourcelogs",
            scopes: ["scopelogs", "instrumentationlibrarylogs"],
            records: ["logrecords", "logs"],
        },
        Signal::Metrics => Names {
            resources: "resourcemetrics",
            scopes: ["scopemetrics", "instrumentationlibrarymetrics"],
            records: ["metrics", "metrics"],
        },
    }
}

/// Whether a member has this name, which is lower-case and without underscores.
fn is(member: &str, name: &str) -> bool {
    let mut letters = member.bytes().filter(|byte| *byte != b'_');
    name.bytes().all(|byte| letters.next().is_some_and(|letter| letter.eq_ignore_ascii_case(&byte)))
        && letters.next().is_none()
}

fn is_one(member: &str, names: &[&str]) -> bool {
    names.iter().any(|name| is(member, name))
}

fn member<'v>(value: &'v Value, names: &[&str]) -> &'v Value {
    let found = value.as_object().and_then(|members| members.iter().find(|(name, _)| is_one(name, names)));
    found.map_or(&Value::Null, |(_, value)| value)
}

impl Placed<'_> {
    /// A request with this record alone.
    pub(super) fn alone(&self, signal: Signal) -> Value {
        let (resources, scopes, records) = match signal {
            Signal::Traces => ("resourceSpans", "scopeSpans", "spans"),
            Signal::Logs => ("resourceLogs", "scopeLogs", "logRecords"),
            Signal::Metrics => ("resourceMetrics", "scopeMetrics", "metrics"),
        };
        let object = |members: [(&str, Value); 2]| {
            let members = members.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(members.map(|(name, value)| (name.to_owned(), value)).collect())
        };
        let list = |value: Value| Value::Array(vec![value]);
        let scope = object([("scope", self.scope.clone()), (records, list(self.record.clone()))]);
        let resource = object([("resource", self.resource.clone()), (scopes, list(scope))]);
        object([(resources, list(resource)), ("", Value::Null)])
    }

    /// Whether the record, or the resource that it came from, says that it is not to be stored.
    pub(super) fn is_opted_out(&self) -> bool {
        forbids(self.resource) || forbids(self.record)
    }

    /// Whether a text of the record, or of its resource, is one of `names`.
    pub(super) fn says(&self, names: &[&str]) -> bool {
        says(self.resource, names) || says(self.record, names)
    }
}

pub(super) fn says(value: &Value, names: &[&str]) -> bool {
    match value {
        Value::String(text) => names.contains(&text.as_str()),
        Value::Array(items) => items.iter().any(|item| says(item, names)),
        Value::Object(members) => members.values().any(|member| says(member, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Of metrics, any of its points may say so.
fn forbids(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(forbids),
        Value::Object(members) => {
            let is_named = member(value, &["key"]).as_str() == Some(capture::ATTRIBUTE);
            is_named && !allows(member(value, &["value"])) || members.values().any(forbids)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

pub(super) fn allows(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.values().all(allows),
        Value::String(text) => !capture::forbids(text),
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::Null => true,
        Value::Array(_) => false,
    }
}

/// Leaves out the records that are not to be kept, and groups in which none is left. Says whether anything was
/// left out, and whether a record is left.
pub(super) fn retain(
    signal: Signal,
    request: &mut Value,
    keep: &mut dyn FnMut(&Placed<'_>) -> bool,
) -> (bool, bool) {
    let names = names(signal);
    let (mut changed, mut is_any_left) = (false, false);
    let requests: Vec<&mut Value> = match request {
        Value::Array(requests) => requests.iter_mut().collect(),
        request => vec![request],
    };
    for request in requests {
        let Value::Object(members) = request else { continue };
        for (name, groups) in members.iter_mut() {
            let Value::Array(groups) = groups else { continue };
            if is(name, names.resources) {
                groups.retain_mut(|group| {
                    let (is_changed, is_left) = retain_in_group(&names, group, keep);
                    changed |= is_changed;
                    is_any_left |= is_left;
                    is_left || !is_changed
                });
            }
        }
    }
    (changed, is_any_left)
}

/// The same in a resource's group. Records may stand in it without a scope around them.
fn retain_in_group(
    names: &Names,
    group: &mut Value,
    keep: &mut dyn FnMut(&Placed<'_>) -> bool,
) -> (bool, bool) {
    let resource = member(group, &["resource"]).clone();
    let (mut changed, mut is_any_left) = (false, false);
    let Value::Object(members) = group else { return (false, false) };
    for (name, list) in members.iter_mut() {
        let Value::Array(list) = list else { continue };
        if is_one(name, &names.scopes) {
            list.retain_mut(|scope_group| {
                let scope = member(scope_group, &["scope", "instrumentationlibrary"]).clone();
                let (is_changed, is_left) = retain_records(names, scope_group, &resource, &scope, keep);
                changed |= is_changed;
                is_any_left |= is_left;
                is_left || !is_changed
            });
        }
    }
    let (is_changed, is_left) = retain_records(names, group, &resource, &Value::Null, keep);
    (changed | is_changed, is_any_left | is_left)
}

fn retain_records(
    names: &Names,
    group: &mut Value,
    resource: &Value,
    scope: &Value,
    keep: &mut dyn FnMut(&Placed<'_>) -> bool,
) -> (bool, bool) {
    let (mut changed, mut is_any_left) = (false, false);
    let Value::Object(members) = group else { return (false, false) };
    for (name, records) in members.iter_mut() {
        let Value::Array(records) = records else { continue };
        if is_one(name, &names.records) {
            let before = records.len();
            records.retain(|record| keep(&Placed { resource, scope, record }));
            changed |= records.len() < before;
            is_any_left |= !records.is_empty();
        }
    }
    (changed, is_any_left)
}

/// Takes out what `cleaner` finds. Says whether there was anything.
pub(super) fn clean(cleaner: &Cleaner, request: &mut Value) -> bool {
    match request {
        Value::Array(items) => in_each(items, |item| clean(cleaner, item)),
        Value::Object(members) => clean_object(cleaner, members),
        Value::String(text) => replace(text, cleaner.text(text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn clean_object(cleaner: &Cleaner, members: &mut Map<String, Value>) -> bool {
    let key = members.iter().find(|(name, _)| is(name, "key")).and_then(|(_, key)| key.as_str());
    let key = key.map(str::to_owned);
    let mut changed = false;
    for (name, value) in members.iter_mut() {
        changed |= match (&key, value) {
            (Some(key), value) if is(name, "value") => clean_value(cleaner, key, value),
            (_, Value::Array(items)) if is_one(name, &["attributes", "filteredattributes"]) => {
                let before = items.len();
                items.retain(|item| !member(item, &["key"]).as_str().is_some_and(|key| cleaner.drops(key)));
                let is_shorter = items.len() < before;
                in_each(items, |item| clean(cleaner, item)) || is_shorter
            }
            (_, Value::String(text)) if is_one(name, &["traceid", "spanid", "parentspanid"]) => {
                replace(text, cleaner.identifier(text))
            }
            (_, Value::String(text)) if is(name, "bytesvalue") => {
                replace(text, redacted_bytes(cleaner, "", text))
            }
            (_, value) => clean(cleaner, value),
        };
    }
    changed
}

/// The value of the attribute `name`.
fn clean_value(cleaner: &Cleaner, name: &str, value: &mut Value) -> bool {
    match value {
        Value::String(text) => replace(text, cleaner.value(name, text)),
        Value::Number(number) => match cleaner.number(name, &number.to_string()) {
            None => false,
            Some(text) => {
                *value = Value::String(text);
                true
            }
        },
        Value::Array(items) => in_each(items, |item| clean_value(cleaner, name, item)),
        Value::Object(members) => {
            if let Some(text) = redacted_number(cleaner, name, members) {
                *members = Map::from_iter([("stringValue".to_owned(), Value::String(text))]);
                return true;
            }
            // Members of a list of attributes name themselves by their key.
            if member_key(members).is_some() {
                return clean_object(cleaner, members);
            }
            members.iter_mut().fold(false, |changed, (kind, member)| {
                let is_changed = match member {
                    Value::String(text) if is(kind, "bytesvalue") => {
                        replace(text, redacted_bytes(cleaner, name, text))
                    }
                    member => clean_value(cleaner, name, member),
                };
                is_changed || changed
            })
        }
        Value::Null | Value::Bool(_) => false,
    }
}

/// Changes each of them. Says whether any was.
pub(super) fn in_each(items: &mut [Value], mut change: impl FnMut(&mut Value) -> bool) -> bool {
    let mut is_changed = false;
    for item in items {
        is_changed |= change(item);
    }
    is_changed
}

fn member_key(members: &Map<String, Value>) -> Option<&str> {
    members.iter().find(|(name, _)| is(name, "key")).and_then(|(_, key)| key.as_str())
}

/// What takes the place of a number whose name says that it is a secret: a number has no room for it.
fn redacted_number(cleaner: &Cleaner, name: &str, value: &Map<String, Value>) -> Option<String> {
    let mut numbers = value.iter().filter(|(kind, _)| is_one(kind, &["intvalue", "doublevalue"]));
    numbers.find_map(|(_, number)| match number {
        Value::String(text) => cleaner.number(name, text),
        Value::Number(number) => cleaner.number(name, &number.to_string()),
        _ => None,
    })
}

fn redacted_bytes(cleaner: &Cleaner, name: &str, base64: &str) -> Option<String> {
    let standard = base64.replace('-', "+").replace('_', "/");
    let Ok(bytes) = BASE64.decode(standard) else { return cleaner.value(name, base64) };
    let redacted = cleaner.value(name, &String::from_utf8_lossy(&bytes))?;
    Some(BASE64.encode(redacted))
}

pub(super) fn replace(text: &mut String, redacted: Option<String>) -> bool {
    redacted.is_some_and(|redacted| {
        *text = redacted;
        true
    })
}
