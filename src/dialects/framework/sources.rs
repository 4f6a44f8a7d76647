//! Where a record keeps its conversation and its tool's arguments and result.

use std::borrow::Cow;

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use serde_json::{Map, Value};

use super::super::record::{find, to_json};
use super::super::{Record, json};
use super::messages::{Message, Role};
use super::{cut, numbered, parse};

/// One place; dialects list them in order of precedence.
pub(in super::super) enum Source {
    /// An attribute: JSON, nested values or plain text.
    Attribute(&'static str),
    /// A list spread over attributes below a prefix: `llm.input_messages.`.
    Numbered(&'static str),
    /// Span events or the one log record of these names, an event a message.
    Events(&'static [&'static str]),
    /// An attribute of a span event: (event, attribute).
    EventAttribute(&'static str, &'static str),
    /// What needs more than a name.
    Computed(fn(&Record<'_>) -> Option<Value>),
}

/// What a source holds.
#[derive(Debug, Default)]
pub(super) struct Found<'r> {
    /// Parsed, where it is JSON; of JSON that was cut what is left.
    pub(super) value: Value,
    /// As the client sent it.
    pub(super) text: Cow<'r, str>,
    pub(super) is_cut: bool,
}

/// The messages of a conversation.
#[derive(Debug, Default)]
pub(super) struct Conversation {
    pub(super) messages: Vec<Message>,
    /// It was cut, and its end is missing.
    pub(super) is_cut: bool,
}

impl Source {
    /// Whether it holds anything.
    pub(in super::super) fn is_present(&self, record: &Record<'_>) -> bool {
        self.find(record).is_some()
    }

    pub(super) fn find<'r>(&self, record: &Record<'r>) -> Option<Found<'r>> {
        match self {
            Self::Attribute(name) => found(record.value(name)?),
            Self::Numbered(prefix) => numbered::to_value(record.below(prefix)).map(Found::whole),
            Self::Events(names) => messages_of_events(record, names).map(Found::whole),
            Self::EventAttribute(event, attribute) => {
                let event = record.span_events(event).last()?;
                found(find(&event.attributes, attribute)?)
            }
            Self::Computed(compute) => compute(record).map(Found::whole),
        }
    }
}

impl Found<'_> {
    fn whole(value: Value) -> Self {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Self { value, text: Cow::Owned(text), is_cut: false }
    }
}

/// A text that is JSON is parsed, one that was cut as far as it goes.
fn found(value: &AnyValue) -> Option<Found<'_>> {
    let Some(any_value::Value::StringValue(text)) = &value.value else {
        return Some(Found::whole(to_json(value))).filter(|found| !found.value.is_null());
    };
    if text.is_empty() {
        return None;
    }
    let plain = || Value::String(text.clone());
    let (value, is_cut) = match text.trim_start().starts_with(['[', '{', '"']).then(|| json::parse(text)) {
        Some(Ok(value)) => (value, false),
        Some(Err(error)) if error.is_eof() => (cut::salvage(text).unwrap_or_default(), true),
        Some(Err(_)) | None => (plain(), false),
    };
    Some(Found { value, text: Cow::Borrowed(text), is_cut })
}

/// The messages of the first source that holds any.
pub(super) fn conversation(record: &Record<'_>, sources: &[Source], unsaid: Role) -> Option<Conversation> {
    let mut conversations = sources.iter().filter_map(|source| {
        let found = source.find(record)?;
        let messages = parse::messages(&found.value, unsaid);
        Some(Conversation { messages, is_cut: found.is_cut })
    });
    conversations.find(|conversation| conversation.messages.iter().any(|message| !message.is_empty()))
}

fn messages_of_events(record: &Record<'_>, names: &[&str]) -> Option<Value> {
    let events = record.as_span().map(|span| span.events.as_slice()).unwrap_or_default();
    let named = events.iter().filter(|event| names.contains(&event.name.as_str()));
    let messages: Vec<Value> = named.map(|event| message_of_event(&event.name, &event.attributes)).collect();
    Some(messages).filter(|messages| !messages.is_empty()).map(Value::Array)
}

/// An event's attributes as a message; its content may be JSON in a text.
pub(in super::super) fn message_of_event(name: &str, attributes: &[KeyValue]) -> Value {
    let parsed = |value: &AnyValue| found(value).map(|found| found.value).unwrap_or_default();
    let mut message: Map<String, Value> = attributes
        .iter()
        .filter_map(|attribute| Some((attribute.key.clone(), parsed(attribute.value.as_ref()?))))
        .collect();
    message.insert("event.name".to_owned(), Value::String(name.to_owned()));
    // What tools answered rides along with a choice; the next request states it.
    message.remove("tool.result");
    if let Some(content) = message.remove("message") {
        let key = if content.is_object() { "message" } else { "content" };
        message.insert(key.to_owned(), content);
    }
    Value::Object(message)
}
