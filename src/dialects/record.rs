//! One span or log record as received, and how a dialect reads it.

use std::cell::{LazyCell, OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{Span, span, status};
use prost::Message;
use serde_json::Value;

use super::json;
use super::names::NameFilter;
use super::values::hex_id;
pub(super) use super::values::{to_boolean, to_float, to_integer, to_json, to_text};
use crate::event::{Attributes, RecordDigest, SurroundingsDigest, Timestamp, capture, person};

/// One span or log record with its resource and scope.
///
/// Attributes are read through [`Record::text`] and its kin, which take **names in order of
/// precedence** and remember which of them were read: what no dialect read becomes
/// `SessionEvent::attributes`. The record's own attributes come before its resource's.
pub struct Record<'a> {
    resource: &'a Resource,
    scope: &'a InstrumentationScope,
    signal: Signal<'a>,
    surroundings: Option<&'a OnceCell<SurroundingsDigest>>,
    upsert: Option<&'a Upsert>,
    /// Which names its attributes may have: most names that are asked for are those of other clients.
    names: NameFilter,
    /// How each attribute was used: first the record's own, then those of its resource.
    uses: RefCell<Vec<Use>>,
    losses: RefCell<BTreeMap<&'static str, u64>>,
}

/// What comes beside a record of Langfuse's ingestion, whose ids are texts of any form and whose records
/// say more, or other, of what earlier ones created.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Upsert {
    /// The trace, as sent.
    pub trace_id: String,
    /// The observation, as sent; `""` for the trace itself.
    pub id: String,
    /// The observation that it is part of, as sent; `""` if none was named.
    pub parent_id: String,
    /// When the client sent it: of several that say the same, the latest counts.
    pub sent_at: Timestamp,
    /// Whether the record only updates what another record created, and holds only the changes.
    pub is_update: bool,
    /// The record as received.
    pub received: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Signal<'a> {
    Span(&'a Span),
    Log(&'a LogRecord),
}

/// What became of an attribute.
#[derive(Debug, Clone, Copy, Default)]
struct Use {
    is_read: bool,
    is_ignored: bool,
}

impl<'a> Record<'a> {
    /// A span with its surroundings.
    pub fn span(resource: &'a Resource, scope: &'a InstrumentationScope, span: &'a Span) -> Self {
        Self::new(resource, scope, Signal::Span(span))
    }

    /// A log record with its surroundings.
    pub fn log(resource: &'a Resource, scope: &'a InstrumentationScope, log: &'a LogRecord) -> Self {
        Self::new(resource, scope, Signal::Log(log))
    }

    fn new(resource: &'a Resource, scope: &'a InstrumentationScope, signal: Signal<'a>) -> Self {
        let own = match signal {
            Signal::Span(span) => &span.attributes,
            Signal::Log(log) => &log.attributes,
        };
        let names =
            NameFilter::of(own.iter().chain(&resource.attributes).map(|attribute| attribute.key.as_str()));
        let uses = RefCell::new(vec![Use::default(); own.len() + resource.attributes.len()]);
        Self {
            resource,
            scope,
            signal,
            surroundings: None,
            upsert: None,
            names,
            uses,
            losses: RefCell::default(),
        }
    }

    /// With a place for the digest of resource and scope, which the first of their records fills for the
    /// others. It must be theirs alone.
    pub fn with_digest_of_surroundings(mut self, digest: &'a OnceCell<SurroundingsDigest>) -> Self {
        self.surroundings = Some(digest);
        self
    }

    /// The same record as one of Langfuse's ingestion: its ids are those of `upsert`.
    #[must_use]
    pub fn with_upsert(self, upsert: &'a Upsert) -> Self {
        Self { upsert: Some(upsert), ..self }
    }

    /// What came beside it, if it is a record of Langfuse's ingestion.
    pub fn as_upsert(&self) -> Option<&'a Upsert> {
        self.upsert
    }

    /// Whether the record, or the resource that it came from, says that it is not to be stored. What is
    /// said and cannot be read says so too.
    pub fn is_opted_out(&self) -> bool {
        let forbids = |value: &AnyValue| match &value.value {
            None => false,
            Some(any_value::Value::StringValue(text)) => capture::forbids(text),
            Some(_) => to_boolean(value) != Some(true),
        };
        let mut said = self.resource.attributes.iter().chain(self.own_attributes());
        said.any(|attribute| {
            attribute.key == capture::ATTRIBUTE && attribute.value.as_ref().is_some_and(forbids)
        })
    }

    /// The resource and the scope that it came from.
    pub fn surroundings(&self) -> (&'a Resource, &'a InstrumentationScope) {
        (self.resource, self.scope)
    }

    /// The span, if the record is one.
    pub fn as_span(&self) -> Option<&'a Span> {
        match self.signal {
            Signal::Span(span) => Some(span),
            Signal::Log(_) => None,
        }
    }

    /// The log record, if it is one.
    pub fn as_log(&self) -> Option<&'a LogRecord> {
        match self.signal {
            Signal::Span(_) => None,
            Signal::Log(log) => Some(log),
        }
    }

    /// The instrumentation scope's name, `""` if none.
    pub fn scope_name(&self) -> &'a str {
        &self.scope.name
    }

    /// The span's name, or the log record's `event_name` (which some clients fill with junk).
    pub fn name(&self) -> &'a str {
        match self.signal {
            Signal::Span(span) => &span.name,
            Signal::Log(log) => &log.event_name,
        }
    }

    /// A log record's body as text, `""` if none; a span has none.
    pub fn body_text(&self) -> String {
        self.as_log().and_then(|log| log.body.as_ref()).map(to_text).unwrap_or_default()
    }

    /// `service.name` of the resource.
    pub fn service(&self) -> String {
        find(&self.resource.attributes, "service.name").map(to_text).unwrap_or_default()
    }

    /// When it happened: a span's start, a log's time or else its observed time.
    pub fn time(&self) -> Option<Timestamp> {
        let nanos = match self.signal {
            Signal::Span(span) => span.start_time_unix_nano,
            Signal::Log(log) if log.time_unix_nano != 0 => log.time_unix_nano,
            Signal::Log(log) => log.observed_time_unix_nano,
        };
        Some(Timestamp::from_unix_nanos(nanos)).filter(|time| !time.is_unset())
    }

    /// When it happened, or else the RFC 3339 text in the first of `names`.
    pub fn time_or_written(&self, names: &[&'static str]) -> Option<Timestamp> {
        self.time().or_else(|| Timestamp::parse_rfc3339(&self.text(names)?))
    }

    /// When a span ended.
    pub fn end_time(&self) -> Option<Timestamp> {
        let ended = Timestamp::from_unix_nanos(self.as_span()?.end_time_unix_nano);
        Some(ended).filter(|time| !time.is_unset())
    }

    /// A span's duration in microseconds; 0 for a log record or if unknown.
    pub fn duration_us(&self) -> i64 {
        match (self.as_span(), self.end_time()) {
            (Some(span), Some(end)) if span.start_time_unix_nano != 0 => {
                let started = Timestamp::from_unix_nanos(span.start_time_unix_nano);
                i64::try_from(end.since(started).as_micros()).unwrap_or(i64::MAX)
            }
            _ => 0,
        }
    }

    /// Lower-case hex, or as an [`Upsert`] has it; `""` if none.
    pub fn trace_id(&self) -> String {
        match (self.upsert, self.signal) {
            (Some(upsert), _) => upsert.trace_id.clone(),
            (None, Signal::Span(span)) => hex_id(&span.trace_id),
            (None, Signal::Log(log)) => hex_id(&log.trace_id),
        }
    }

    /// Lower-case hex, or as an [`Upsert`] has it; `""` if none.
    pub fn span_id(&self) -> String {
        match (self.upsert, self.signal) {
            (Some(upsert), _) => upsert.id.clone(),
            (None, Signal::Span(span)) => hex_id(&span.span_id),
            (None, Signal::Log(log)) => hex_id(&log.span_id),
        }
    }

    /// Lower-case hex, or as an [`Upsert`] has it; `""` if none; a log record has none.
    pub fn parent_span_id(&self) -> String {
        if let Some(upsert) = self.upsert {
            return upsert.parent_id.clone();
        }
        self.as_span().map(|span| hex_id(&span.parent_span_id)).unwrap_or_default()
    }

    /// The digest of the record as received.
    pub fn digest(&self) -> RecordDigest {
        if let Some(upsert) = self.upsert {
            return RecordDigest::of([&[], &[], &upsert.received]);
        }
        let record = match self.signal {
            Signal::Span(span) => span.encode_to_vec(),
            Signal::Log(log) => log.encode_to_vec(),
        };
        let of_surroundings =
            || SurroundingsDigest::of(&self.resource.encode_to_vec(), &self.scope.encode_to_vec());
        match self.surroundings {
            Some(digest) => digest.get_or_init(of_surroundings).and(&record),
            None => of_surroundings().and(&record),
        }
    }

    /// The first of `names` that holds a non-empty text; numbers and booleans count as their text,
    /// lists and maps as their JSON.
    pub fn text(&self, names: &[&'static str]) -> Option<String> {
        self.each(names).map(to_text).find(|text| !text.is_empty())
    }

    /// Like [`Record::text`], for what people and models wrote: a placeholder that the client put in
    /// the place of text it withheld is no text.
    pub fn content(&self, names: &[&'static str]) -> Option<String> {
        self.each(names).map(to_text).find(|text| !is_withheld(text))
    }

    /// The first of `names` that names a person, in one way of writing; `""` if none does.
    pub fn person(&self, names: &[&'static str]) -> String {
        self.each(names).find_map(|value| person::named(&to_text(value))).unwrap_or_default()
    }

    /// The first of `names` that holds an integer, as number or as text.
    pub fn integer(&self, names: &[&'static str]) -> Option<i64> {
        self.each(names).find_map(to_integer)
    }

    /// The first of `names` that holds a number, as number or as text.
    pub fn float(&self, names: &[&'static str]) -> Option<f64> {
        self.each(names).find_map(to_float)
    }

    /// The first of `names` that holds a boolean, as boolean or as `true` / `false`.
    pub fn boolean(&self, names: &[&'static str]) -> Option<bool> {
        self.each(names).find_map(to_boolean)
    }

    /// The first of `names` that holds anything, as JSON: a text that is itself JSON is parsed.
    pub fn json(&self, names: &[&'static str]) -> Option<Value> {
        self.each(names).next().map(|value| match &value.value {
            Some(any_value::Value::StringValue(text)) => {
                json::parse(text).unwrap_or_else(|_| Value::String(text.clone()))
            }
            _ => to_json(value),
        })
    }

    /// The value of the attribute of the given name, if it is not empty.
    pub fn value(&self, name: &str) -> Option<&'a AnyValue> {
        let (place, attribute) = self.find(name)?;
        self.note_read(place);
        attribute.value.as_ref()
    }

    /// Like [`Record::value`], but looking is not reading.
    pub fn look(&self, name: &str) -> Option<&'a AnyValue> {
        self.find(name)?.1.value.as_ref()
    }

    /// The attribute of that name as text, if it is not empty. Looking is not reading.
    pub fn sent(&self, name: &str) -> Option<String> {
        self.look(name).map(to_text)
    }

    /// Whether any of `names` is present and not empty. Looking is not reading.
    pub fn has(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.find(name).is_some())
    }

    /// The status message of a span that failed, `""` if it gave none; `None` if it did not fail.
    pub fn failure(&self) -> Option<&'a str> {
        let status = self.as_span()?.status.as_ref()?;
        (status.code() == status::StatusCode::Error).then_some(status.message.as_str())
    }

    /// The span's events of the given name, in order; a log record has none.
    pub fn span_events(&self, name: &str) -> impl Iterator<Item = &'a span::Event> {
        let events = self.as_span().map(|span| span.events.as_slice()).unwrap_or_default();
        events.iter().filter(move |event| event.name == name)
    }

    /// The record's own attributes below `prefix`, by what follows it.
    pub fn below(&self, prefix: &str) -> impl Iterator<Item = (&'a str, &'a AnyValue)> {
        let attributes = self.own_attributes().iter().enumerate();
        let found: Vec<_> = attributes
            .filter_map(|(place, attribute)| {
                let rest = behind(&attribute.key, prefix)?;
                self.note_read(place);
                Some((rest, attribute.value.as_ref()?))
            })
            .collect();
        found.into_iter()
    }

    /// Whether the record has an attribute below any of `prefixes`. Looking is not reading.
    pub fn has_below(&self, prefixes: &[&str]) -> bool {
        let mut keys = self.own_attributes().iter().map(|attribute| attribute.key.as_str());
        keys.any(|key| prefixes.iter().any(|prefix| behind(key, prefix).is_some()))
    }

    /// Marks the record's own attributes as read that say nothing worth keeping.
    pub fn ignore_where(&self, says_nothing: impl Fn(&str) -> bool) {
        for (attribute, used) in self.own_attributes().iter().zip(self.uses.borrow_mut().iter_mut()) {
            used.is_read |= says_nothing(&attribute.key);
        }
    }

    /// Marks attributes as read that say nothing worth keeping.
    pub fn ignore(&self, names: &[&'static str]) {
        for (place, _) in names.iter().filter_map(|name| self.find(name)) {
            if let Some(used) = self.uses.borrow_mut().get_mut(place) {
                used.is_ignored = true;
            }
        }
    }

    /// Counts parts of the record that became nothing although they say something, by the reason.
    pub(super) fn lose(&self, reason: &'static str, parts: u64) {
        if parts > 0 {
            *self.losses.borrow_mut().entry(reason).or_default() += parts;
        }
    }

    /// The parts of the record that became nothing although they say something, by the reason.
    pub fn losses(&self) -> BTreeMap<&'static str, u64> {
        self.losses.borrow().clone()
    }

    /// The names of the attributes that were read for their value, in alphabetical order.
    pub fn read_names(&self) -> Vec<&'a str> {
        self.names_where(|used| used.is_read).into_iter().collect()
    }

    /// The names of the attributes that were passed over on purpose, in alphabetical order.
    pub fn ignored_names(&self) -> Vec<&'a str> {
        let read = self.names_where(|used| used.is_read);
        self.names_where(|used| used.is_ignored).difference(&read).copied().collect()
    }

    /// The names of the attributes of which that is true.
    fn names_where(&self, is_one: impl Fn(Use) -> bool) -> BTreeSet<&'a str> {
        let uses = self.uses.borrow();
        let all = self.own_attributes().iter().chain(&self.resource.attributes).zip(uses.iter());
        all.filter(|(_, used)| is_one(**used)).map(|(attribute, _)| attribute.key.as_str()).collect()
    }

    /// Every attribute with its value as text: the record's own, then its resource's.
    pub fn attributes(&self) -> impl Iterator<Item = (&'a str, String)> + '_ {
        let all = self.own_attributes().iter().chain(&self.resource.attributes);
        all.filter_map(|attribute| Some((attribute.key.as_str(), to_text(attribute.value.as_ref()?))))
    }

    /// The attributes that no dialect read, those of the resource included. Those that always fill a column are left
    /// out.
    pub fn unread_attributes(&self) -> Attributes {
        let uses = self.uses.borrow();
        let own = self.own_attributes();
        let is_used = |place: &usize| uses.get(*place).is_some_and(|used| used.is_read || used.is_ignored);
        let all = || own.iter().chain(&self.resource.attributes).enumerate();
        // If one attribute of a name was read, all of that name count as read.
        let names = || all().filter(|(place, _)| is_used(place)).map(|(_, attribute)| attribute.key.as_str());
        let (filter, used) = (NameFilter::of(names()), LazyCell::new(|| names().collect::<BTreeSet<&str>>()));
        let is_said = |name: &str| filter.may_have(name) && used.contains(name);
        let of_resource = all().skip(own.len());
        of_resource
            .chain(all().take(own.len()))
            .map(|(_, attribute)| attribute)
            .filter(|attribute| attribute.key != "service.name" && !is_said(&attribute.key))
            .filter_map(|attribute| {
                let value = to_json(attribute.value.as_ref()?);
                (!value.is_null()).then(|| (attribute.key.clone(), value))
            })
            .collect()
    }

    fn each<'s, 'n: 's>(&'s self, names: &'s [&'static str]) -> impl Iterator<Item = &'a AnyValue> + 's {
        names.iter().filter_map(|name| self.value(name))
    }

    fn note_read(&self, place: usize) {
        if let Some(used) = self.uses.borrow_mut().get_mut(place) {
            used.is_read = true;
        }
    }

    /// The attribute of a name that holds anything, and its place among all.
    fn find(&self, name: &str) -> Option<(usize, &'a KeyValue)> {
        if !self.names.may_have(name) {
            return None;
        }
        let present = |(_, attribute): &(usize, &KeyValue)| {
            attribute.key == name
                && attribute.value.as_ref().is_some_and(|value| match &value.value {
                    None => false,
                    Some(any_value::Value::StringValue(text)) => !text.is_empty(),
                    Some(_) => true,
                })
        };
        self.own_attributes().iter().chain(&self.resource.attributes).enumerate().find(present)
    }

    fn own_attributes(&self) -> &'a [KeyValue] {
        match self.signal {
            Signal::Span(span) => &span.attributes,
            Signal::Log(log) => &log.attributes,
        }
    }
}

/// Whether a text is empty or stands for content that the client withheld.
pub(super) fn is_withheld(text: &str) -> bool {
    const PLACEHOLDERS: &[&str] = &[
        "<redacted>",
        "[redacted]",
        "redacted",
        "<fully masked due to failed mask function>",
        "error details are redacted",
    ];
    let text = text.trim();
    text.is_empty() || PLACEHOLDERS.iter().any(|placeholder| text.eq_ignore_ascii_case(placeholder))
}

/// The rest of a name after a prefix. One byte rules out nearly every prefix.
pub(super) fn behind<'n>(name: &'n str, prefix: &str) -> Option<&'n str> {
    let is_alike = name.as_bytes().first() == prefix.as_bytes().first() || prefix.is_empty();
    if is_alike { name.strip_prefix(prefix) } else { None }
}

/// The value of the attribute of the given name.
pub(super) fn find<'a>(attributes: &'a [KeyValue], name: &str) -> Option<&'a AnyValue> {
    attributes.iter().find(|attribute| attribute.key == name)?.value.as_ref()
}
