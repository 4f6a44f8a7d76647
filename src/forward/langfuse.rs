//! Bodies of Langfuse's own paths: events are left out and texts are changed.
//!
//! ```text
//! ingestion  {"batch": [{"id", "type", "body": {…}}, …], "metadata": {…}}
//! scores     [{…}, …] or {…}
//! ```
//! Members that nobody here knows stay. What is changed is written anew, with every member that it had.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::json::{allows, in_each, replace, says};
use super::{Cleaner, Form};
use crate::event::capture;

/// An event of a body.
pub(super) struct Placed<'a> {
    form: Form,
    event: &'a Value,
}

impl Placed<'_> {
    /// A body with this event alone.
    pub(super) fn alone(&self) -> Value {
        let list = Value::Array(vec![self.event.clone()]);
        match self.form {
            Form::Scores => list,
            _ => Value::Object(Map::from_iter([("batch".to_owned(), list)])),
        }
    }

    /// Whether one of its texts is one of `names`.
    pub(super) fn says(&self, names: &[&str]) -> bool {
        says(self.event, names)
    }

    /// What it says, without its envelope.
    fn body(&self) -> &Value {
        match self.form {
            Form::Scores => self.event,
            _ => self.event.get("body").unwrap_or(&Value::Null),
        }
    }

    fn is_of_a_trace_alone(&self) -> bool {
        self.form == Form::Ingestion
            && self.event.get("type").and_then(Value::as_str).is_some_and(|kind| kind.starts_with("trace"))
    }

    fn trace(&self) -> Option<&str> {
        let name = if self.is_of_a_trace_alone() { "id" } else { "traceId" };
        self.body().get(name).and_then(Value::as_str)
    }

    /// Whether its metadata say that it is not to be stored.
    fn is_opted_out(&self) -> bool {
        let wish = self.body().get("metadata").and_then(|metadata| metadata.get(capture::ATTRIBUTE));
        wish.is_some_and(|wish| !allows(wish))
    }
}

/// Removes traces that opt out, and everything else in this body about them. Returns whether it removed anything, and
/// whether an event is left.
pub(super) fn retain_wanted(form: Form, request: &mut Value) -> (bool, bool) {
    let mut silent = BTreeSet::new();
    retain(form, request, &mut |placed| {
        if placed.is_of_a_trace_alone() && placed.is_opted_out() {
            silent.extend(placed.trace().map(str::to_owned));
        }
        true
    });
    retain(form, request, &mut |placed| {
        !placed.is_opted_out() && !placed.trace().is_some_and(|trace| silent.contains(trace))
    })
}

/// Leaves out the events that are not to be kept. Says whether anything was left out, and whether an event is
/// left.
pub(super) fn retain(
    form: Form,
    request: &mut Value,
    keep: &mut dyn FnMut(&Placed<'_>) -> bool,
) -> (bool, bool) {
    let events = match (form, request) {
        (Form::Scores, Value::Array(events)) => events,
        (Form::Scores, score) => {
            let is_left = keep(&Placed { form, event: score });
            return (!is_left, is_left);
        }
        (_, request) => match request.get_mut("batch") {
            Some(Value::Array(events)) => events,
            _ => return (false, false),
        },
    };
    let before = events.len();
    events.retain(|event| keep(&Placed { form, event }));
    (events.len() < before, !events.is_empty())
}

/// Takes out what `cleaner` finds. Says whether there was anything.
pub(super) fn clean(cleaner: &Cleaner, form: Form, request: &mut Value) -> bool {
    let mut changed = value(cleaner, "", request);
    let events: &mut [Value] = match (form, request) {
        (Form::Scores, Value::Array(events)) => events,
        (Form::Scores, score) => std::slice::from_mut(score),
        (_, request) => match request.get_mut("batch") {
            Some(Value::Array(events)) => events,
            _ => &mut [],
        },
    };
    for event in events {
        let body = match form {
            Form::Scores => Some(event),
            _ => event.get_mut("body"),
        };
        if let Some(Value::Object(body)) = body {
            changed |= clean_body(cleaner, body);
        }
    }
    changed
}

/// What the names of single members do not tell: attributes that are dropped, and credentials that only the
/// text of a whole value shows, as it is stored here.
fn clean_body(cleaner: &Cleaner, body: &mut Map<String, Value>) -> bool {
    let before = body.len();
    body.retain(|name, _| !drops(cleaner, &snake(name)));
    let mut changed = body.len() < before;
    for (name, member) in body.iter_mut() {
        if let (true, Value::Object(metadata)) = (name == "metadata", &mut *member) {
            let before = metadata.len();
            metadata.retain(|name, _| !cleaner.drops(name) && !drops(cleaner, &format!("metadata.{name}")));
            changed |= metadata.len() < before;
        }
        if member.is_object() || member.is_array() {
            let text = member.to_string();
            if let Some(redacted) = cleaner.value(name, &text) {
                *member = serde_json::from_str(&redacted).unwrap_or(Value::String(redacted));
                changed = true;
            }
        }
    }
    changed
}

/// Whether an attribute is dropped that is called so where the same comes over OTLP.
fn drops(cleaner: &Cleaner, name: &str) -> bool {
    ["langfuse.trace.", "langfuse.observation.", "langfuse."]
        .iter()
        .any(|prefix| cleaner.drops(&format!("{prefix}{name}")))
}

/// `statusMessage` as `status_message`.
fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len());
    for char in name.chars() {
        if char.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(char.to_ascii_lowercase());
    }
    snake
}

/// The value of the member `name`, whose name may say that all of it is a secret.
fn value(cleaner: &Cleaner, name: &str, json: &mut Value) -> bool {
    match json {
        Value::String(text) => replace(text, cleaner.value(name, text)),
        Value::Number(number) => match cleaner.number(name, &number.to_string()) {
            None => false,
            Some(text) => {
                *json = Value::String(text);
                true
            }
        },
        Value::Array(items) => in_each(items, |item| value(cleaner, name, item)),
        Value::Object(members) => {
            let mut renamed = Vec::new();
            let mut changed = false;
            for (name, member) in members.iter_mut() {
                changed |= value(cleaner, name, member);
                renamed.extend(cleaner.text(name).map(|to| (name.clone(), to)));
            }
            changed |= !renamed.is_empty();
            for (from, to) in renamed {
                if let Some(member) = members.remove(&from) {
                    members.insert(to, member);
                }
            }
            changed
        }
        Value::Null | Value::Bool(_) => false,
    }
}
