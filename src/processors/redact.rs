//! Credentials leave every text of an event; named attributes leave altogether.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::event::SessionEvent;
use crate::redact::Redactor;

use super::{Processor, for_each_text, payload_texts};

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

    fn redact(&self, text: &mut String) {
        if let Cow::Owned(redacted) = self.redactor.redact(text) {
            *text = redacted;
        }
    }
}

impl Processor for Redact {
    fn process(&self, events: &mut Vec<SessionEvent>) {
        for event in events {
            payload_texts(event).into_iter().for_each(|text| self.redact(text));
            event.attributes.retain(|key, _| !self.drop_attributes.contains(key));
            event
                .attributes
                .values_mut()
                .for_each(|value| for_each_text(value, &mut |text| self.redact(text)));
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
            "nested": { "list": [secret, { "deep": format!("token {secret}") }] },
        });
        let mut event = SessionEvent {
            attributes: serde_json::from_value(attributes).unwrap(),
            ..SessionEvent::default()
        };
        for text in payload_texts(&mut event) {
            *text = format!("before {secret} after");
        }
        let mut events = vec![event];
        Redact::new(Redactor::built_in().unwrap(), ["process.owner".to_owned()]).process(&mut events);
        let shown = format!("{:?}", events[0]);
        assert!(!shown.contains(&secret), "{shown}");
        assert!(!shown.contains("process.owner"), "{shown}");
        assert_eq!(events[0].text, "before [redacted:github-token] after");
    }
}
