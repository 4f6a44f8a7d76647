//! A mapping as it is written in a configuration. What is wrong in it is an error of deserialising,
//! so that it is reported with its place.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use super::super::Record;
use super::super::record::to_text;
use super::column::Column;
use super::lookup::Lookup;
use super::pattern::Patterns;
use crate::event::Kind;

/// What records of one form mean.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserMapping {
    /// The `dialect` column says `mapping/<name>`.
    pub name: Name,
    /// Which records it is about.
    #[serde(rename = "match")]
    pub(super) matching: Match,
    /// Where the columns are that events of every kind have.
    #[serde(default)]
    pub(super) common: BTreeMap<Column, Lookup>,
    /// The events that the record becomes; an empty list marks it as noise.
    pub(super) events: Vec<EventSpec>,
}

/// `a-z`, `0-9`, `-`, `_` and `.`, at most 64 of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Name(String);

impl Name {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let is_allowed =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.len() > 64 || !name.chars().all(is_allowed) {
            return Err("a mapping's name has 1 to 64 characters of a-z, 0-9, `-`, `_` and `.`");
        }
        Ok(Self(name))
    }
}

/// The conditions that a record must meet, all of them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "WrittenMatch")]
pub(super) struct Match(WrittenMatch);

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WrittenMatch {
    /// Whether it is a span or a log record.
    signal: Option<Signal>,
    /// Its instrumentation scope.
    scope: Option<Patterns>,
    /// The span's name, or the log record's event name.
    name: Option<Patterns>,
    /// `service.name` of its resource.
    service: Option<Patterns>,
    /// Attributes and their values, of the record or of its resource.
    attributes: BTreeMap<String, Patterns>,
    /// Attributes that are there and not empty.
    has: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Signal {
    Span,
    Log,
}

impl TryFrom<WrittenMatch> for Match {
    type Error = &'static str;

    fn try_from(written: WrittenMatch) -> Result<Self, Self::Error> {
        let WrittenMatch { signal: _, scope, name, service, attributes, has } = &written;
        let names_something = scope.is_some() || name.is_some() || service.is_some();
        if !names_something && attributes.is_empty() && has.is_empty() {
            return Err("every record would match; write scope, name, service, attributes or has");
        }
        Ok(Self(written))
    }
}

impl Match {
    /// Looks without reading: what a record is recognised by is kept with its events.
    pub(super) fn matches(&self, record: &Record<'_>) -> bool {
        let WrittenMatch { signal, scope, name, service, attributes, has } = &self.0;
        let is_of = |patterns: &Option<Patterns>, text: &dyn Fn() -> String| {
            patterns.as_ref().is_none_or(|patterns| patterns.matches(&text()))
        };
        let has_value = |(name, patterns): (&String, &Patterns)| {
            record.look(name).is_some_and(|value| patterns.matches(&to_text(value)))
        };
        signal.is_none_or(|signal| (signal == Signal::Span) == record.as_span().is_some())
            && is_of(scope, &|| record.scope_name().to_owned())
            && is_of(name, &|| record.name().to_owned())
            && is_of(service, &|| record.service())
            && attributes.iter().all(has_value)
            && has.iter().all(|name| record.look(name).is_some())
    }
}

/// What one event is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EventSpec {
    pub(super) kind: Kind,
    pub(super) columns: BTreeMap<Column, Lookup>,
    pub(super) status: Option<Verdict>,
    pub(super) decision: Option<Verdict>,
}

/// How words are told that mean yes (worked, accepted) from words that mean no. If only one side is
/// written, every other word means the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    from: Lookup,
    yes: Option<Patterns>,
    no: Option<Patterns>,
}

impl Verdict {
    /// What the record says; `None` if it says nothing, or a word that means neither.
    pub(super) fn of(&self, record: &Record<'_>) -> Option<bool> {
        self.from.read(record, |word| match (&self.yes, &self.no) {
            (_, Some(no)) if no.matches(&word) => Some(false),
            (Some(yes), _) if yes.matches(&word) => Some(true),
            (Some(_), None) => Some(false),
            (None, Some(_)) => Some(true),
            _ => None,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StatusSpec {
    from: Lookup,
    #[serde(default)]
    ok: Option<Patterns>,
    #[serde(default)]
    error: Option<Patterns>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DecisionSpec {
    from: Lookup,
    #[serde(default)]
    accept: Option<Patterns>,
    #[serde(default)]
    reject: Option<Patterns>,
}

/// Whose words stand for yes and no.
#[derive(Deserialize)]
#[serde(try_from = "StatusSpec")]
struct Status(Verdict);

#[derive(Deserialize)]
#[serde(try_from = "DecisionSpec")]
struct Decision(Verdict);

impl TryFrom<StatusSpec> for Status {
    type Error = &'static str;

    fn try_from(StatusSpec { from, ok, error }: StatusSpec) -> Result<Self, Self::Error> {
        if ok.is_none() && error.is_none() {
            return Err("write which values mean `ok`, or which mean `error`");
        }
        Ok(Self(Verdict { from, yes: ok, no: error }))
    }
}

impl TryFrom<DecisionSpec> for Decision {
    type Error = &'static str;

    fn try_from(DecisionSpec { from, accept, reject }: DecisionSpec) -> Result<Self, Self::Error> {
        if accept.is_none() && reject.is_none() {
            return Err("write which values mean `accept`, or which mean `reject`");
        }
        Ok(Self(Verdict { from, yes: accept, no: reject }))
    }
}

/// A key of an event.
enum Key {
    Kind,
    Status,
    Decision,
    Column(Column),
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        match name.as_str() {
            "kind" => Ok(Self::Kind),
            "status" => Ok(Self::Status),
            "decision" => Ok(Self::Decision),
            name => Column::parse(name).map(Self::Column).ok_or_else(|| {
                let columns = Column::names(|_| true);
                de::Error::custom(format_args!("unknown key; known here: kind, status, decision, {columns}"))
            }),
        }
    }
}

/// The name of a kind.
struct KindName(Kind);

impl<'de> Deserialize<'de> for KindName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Kind::parse(&name).map(Self).ok_or_else(|| {
            let known = Kind::ALL.map(Kind::as_str).join(", ");
            de::Error::custom(format_args!("expected one of {known}, found `{name}`"))
        })
    }
}

impl<'de> Deserialize<'de> for EventSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EventVisitor)
    }
}

struct EventVisitor;

impl<'de> Visitor<'de> for EventVisitor {
    type Value = EventSpec;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the kind of an event and its columns")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<EventSpec, A::Error> {
        let (mut kind, mut columns, mut status, mut decision) = (None, BTreeMap::new(), None, None);
        while let Some(key) = map.next_key()? {
            match key {
                Key::Kind => kind = Some(map.next_value::<KindName>()?.0),
                Key::Status => status = Some(map.next_value::<Status>()?.0),
                Key::Decision => decision = Some(map.next_value::<Decision>()?.0),
                Key::Column(column) => {
                    columns.insert(column, map.next_value()?);
                }
            }
        }
        let kind = kind.ok_or_else(|| de::Error::missing_field("kind"))?;
        let spec = EventSpec { kind, columns, status, decision };
        spec.check().map_err(de::Error::custom)?;
        Ok(spec)
    }
}

impl EventSpec {
    /// Rejects fields that the kind does not have, and requires those that it needs.
    fn check(&self) -> Result<(), String> {
        let kind = self.kind;
        let strangers = self.columns.keys().filter(|column| !column.belongs_to(kind));
        let mut strangers: Vec<&str> = strangers.map(|column| column.name()).collect();
        strangers.extend((self.status.is_some() && kind != Kind::ToolResult).then_some("status"));
        strangers.extend((self.decision.is_some() && kind != Kind::Decision).then_some("decision"));
        if let Some(stranger) = strangers.first() {
            return Err(format!("a {kind} has no `{stranger}`; it goes into an event of its own kind"));
        }
        if kind == Kind::Decision && self.decision.is_none() {
            return Err(format!("a {kind} needs `decision`: from, accept and reject"));
        }
        let needed = Column::needed_by(kind);
        if needed.is_empty() || needed.iter().any(|column| self.columns.contains_key(column)) {
            return Ok(());
        }
        let names: Vec<String> = needed.iter().map(|column| format!("`{}`", column.name())).collect();
        Err(format!("a {kind} needs {}", names.join(" or ")))
    }
}
