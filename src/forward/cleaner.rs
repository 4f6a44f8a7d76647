//! Redaction of unmapped bodies: single texts, judged by the name of their field.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::redact::{Redactor, names_identifier};

/// Takes credentials out of bodies, and named attributes altogether: what the processor `redact` does with
/// events.
pub struct Cleaner {
    redactor: Redactor,
    drop_attributes: BTreeSet<String>,
}

impl Cleaner {
    /// With the rules of `redactor`; attributes named in `drop_attributes` are not forwarded at all.
    pub fn new(redactor: Redactor, drop_attributes: impl IntoIterator<Item = String>) -> Self {
        Self { redactor, drop_attributes: drop_attributes.into_iter().collect() }
    }

    pub(super) fn drops(&self, attribute: &str) -> bool {
        self.drop_attributes.contains(attribute)
    }

    /// A text under no name; `None` if it stays as it is.
    pub(super) fn text(&self, text: &str) -> Option<String> {
        owned(self.redactor.redact(text))
    }

    /// What a client calls its traces and spans; `None` if it stays as it is.
    pub(super) fn identifier(&self, text: &str) -> Option<String> {
        owned(self.redactor.redact_identifier(text))
    }

    /// The text of an attribute, whose name may say that all of it is a secret; `None` if it stays as it is.
    pub(super) fn value(&self, name: &str, text: &str) -> Option<String> {
        match names_identifier(name) {
            true => self.identifier(text),
            false => owned(self.redactor.redact_value(name, text)),
        }
    }

    /// The number of an attribute whose name says that it is a secret; `None` if it stays as it is.
    pub(super) fn number(&self, name: &str, number: &str) -> Option<String> {
        owned(self.redactor.redact_value(name, number))
    }
}

fn owned(text: Cow<'_, str>) -> Option<String> {
    match text {
        Cow::Owned(text) => Some(text),
        Cow::Borrowed(_) => None,
    }
}
