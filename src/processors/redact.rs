//! Credentials leave every text of an event; named attributes leave altogether.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;

use crate::event::{Attributes, SessionEvent};
use crate::redact::Redactor;

use super::{Processor, payload_identifiers, payload_texts};

/// Which fields a JSON value is of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Words {
    /// All that a client gave, what it calls its sessions, turns and calls included.
    OfClient,
    /// What is left when a dialect has taken those out.
    Left,
}

/// The processor `redact`.
pub struct Redact {
    redactor: Redactor,
    drop_attributes: BTreeSet<String>,
}

impl Redact {
    /// With the rules of `redactor`; attributes named in `drop_attributes` are not stored at all.
    pub fn new(redactor: Redactor, drop_attributes: impl IntoIterator<Item = String>) -> Self {
        Self { redactor, drop_attributes: drop_attributes.into_iter().collect() }
    }

    fn text(&self, text: &mut String) {
        replace(text, |text| self.redactor.redact(text));
    }

    /// What a client gave as JSON, before anything was made of it: every value as an attribute's, but
    /// what a client calls its sessions, turns and calls as what they are.
    pub fn json(&self, json: &mut Value) {
        self.value("", json, Words::OfClient);
    }

    /// The value of a field: its name may say that all of it is a secret. Returns the name to store it
    /// under, if that held a secret itself.
    fn value(&self, name: &str, value: &mut Value, words: Words) -> Option<String> {
        match value {
            Value::String(text) if words == Words::OfClient && names_identifier(name) => {
                replace(text, |text| self.redactor.redact_identifier(text));
            }
            Value::String(text) => replace(text, |text| self.redactor.redact_value(name, text)),
            Value::Array(items) => {
                for item in items {
                    self.value(name, item, words);
                }
            }
            Value::Object(fields) => {
                let mut renamed = Vec::new();
                for (name, value) in fields.iter_mut() {
                    renamed.extend(self.value(name, value, words).map(|to| (name.clone(), to)));
                }
                for (from, to) in renamed {
                    if let Some(value) = fields.remove(&from) {
                        fields.insert(to, value);
                    }
                }
            }
            Value::Number(number) => {
                let text = number.to_string();
                if let Cow::Owned(redacted) = self.redactor.redact_value(name, &text) {
                    *value = Value::String(redacted);
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
        match self.redactor.redact(name) {
            Cow::Owned(redacted) => Some(redacted),
            Cow::Borrowed(_) => None,
        }
    }

    fn attributes(&self, attributes: &mut Attributes) {
        attributes.retain(|name, _| !self.drop_attributes.contains(name));
        let mut renamed = Vec::new();
        for (name, value) in attributes.iter_mut() {
            renamed.extend(self.value(name, value, Words::Left).map(|to| (name.clone(), to)));
        }
        for (from, to) in renamed {
            if let Some(value) = attributes.remove(&from) {
                attributes.insert(to, value);
            }
        }
    }
}

/// `sessionId`, `tool_use_id`, `id` and their like, which random words may be without being keys.
fn names_identifier(name: &str) -> bool {
    name == "id" || name.ends_with("_id") || name.ends_with("Id") || name.ends_with("ID")
}

fn replace(text: &mut String, redact: impl Fn(&str) -> Cow<'_, str>) {
    if let Cow::Owned(redacted) = redact(text) {
        *text = redacted;
    }
}

impl Processor for Redact {
    fn process(&self, events: &mut Vec<SessionEvent>) {
        for event in events {
            payload_texts(event).into_iter().for_each(|text| self.text(text));
            for identifier in payload_identifiers(event) {
                replace(identifier, |text| self.redactor.redact_identifier(text));
            }
            self.attributes(&mut event.attributes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reaches_every_text_of_an_event() {
        let secret = format!("ghp_{}", "a1".repeat(18));
        let attributes = serde_json::json!({
            "process.owner": "root",
            secret.clone(): { secret.clone(): 1 },
            "db.password": "correct",
            "request": { "headers": { "Authorization": ["opaque1credential2"] }, "pin_password": 12345678 },
            "nested": { "list": [secret, { "deep": format!("token {secret}") }] },
        });
        let mut event = SessionEvent {
            attributes: serde_json::from_value(attributes).unwrap(),
            ..SessionEvent::default()
        };
        for text in payload_texts(&mut event) {
            *text = format!("before {secret} after");
        }
        for text in payload_identifiers(&mut event) {
            text.clone_from(&secret);
        }
        let mut events = vec![event];
        Redact::new(Redactor::built_in().unwrap(), ["process.owner".to_owned()]).process(&mut events);
        let shown = format!("{:?}", events[0]);
        assert!(!shown.contains(&secret), "{shown}");
        assert!(!shown.contains("process.owner"), "{shown}");
        assert!(
            !shown.contains("correct") && !shown.contains("opaque1") && !shown.contains("12345678"),
            "{shown}"
        );
        let (before, after) = events[0].text.split_once("[redacted:github-token:").unwrap();
        assert_eq!((before, after.len()), ("before ", "3f9a1c] after".len()));
        assert_eq!(events[0].session_id, events[0].tool_call_id, "equal secrets stay equal");
    }
}
