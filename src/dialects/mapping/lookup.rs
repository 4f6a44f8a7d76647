//! Where in a record a value is.

use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::super::Record;
use super::super::json::parse;
use super::super::record::{find, is_withheld, to_json, to_text};

/// Places in order of precedence: the first that holds a text gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lookup(Vec<Place>);

/// One place: an attribute, `attribute#/json/pointer`, `record.…`, or a constant.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    holder: Holder,
    /// A JSON pointer (RFC 6901) into what the holder holds.
    pointer: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Holder {
    Attribute(String),
    Record(Part),
    Constant(String),
}

/// A part of the record itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Name,
    Body,
    Scope,
    TraceId,
    SpanId,
    ParentSpanId,
    StatusMessage,
}

const PARTS: &[(&str, Part)] = &[
    ("record.name", Part::Name),
    ("record.body", Part::Body),
    ("record.scope", Part::Scope),
    ("record.trace_id", Part::TraceId),
    ("record.span_id", Part::SpanId),
    ("record.parent_span_id", Part::ParentSpanId),
    ("record.status_message", Part::StatusMessage),
];
const RECORD: &str = "record.";

impl Lookup {
    /// Gives `take` the first text found. An attribute that it took as a whole counts as read; one that
    /// it did not want, or took a part of, is kept with the event.
    pub(super) fn read<T>(&self, record: &Record<'_>, take: impl FnOnce(String) -> Option<T>) -> Option<T> {
        let found = |place: &Place| Some(place.text(record)?).filter(|text| !text.is_empty());
        let (place, text) = self.0.iter().find_map(|place| Some((place, found(place)?)))?;
        let taken = take(text)?;
        if let Place { holder: Holder::Attribute(name), pointer: None } = place {
            record.value(name);
        }
        Some(taken)
    }
}

impl Place {
    fn parse(text: &str) -> Result<Self, String> {
        let (name, pointer) = match text.find("#/").and_then(|at| text.split_at_checked(at)) {
            Some((name, pointer)) => (name, pointer.strip_prefix('#').map(str::to_owned)),
            None => (text, None),
        };
        if name.is_empty() {
            return Err("an attribute's name is missing".to_owned());
        }
        if !name.starts_with(RECORD) {
            return Ok(Self { holder: Holder::Attribute(name.to_owned()), pointer });
        }
        let part = PARTS.iter().find(|(known, _)| *known == name);
        part.map(|(_, part)| Self { holder: Holder::Record(*part), pointer }).ok_or_else(|| {
            let known: Vec<&str> = PARTS.iter().map(|(known, _)| *known).collect();
            format!("no such part of a record; known are: {}", known.join(", "))
        })
    }

    fn text(&self, record: &Record<'_>) -> Option<String> {
        let Some(pointer) = &self.pointer else {
            return match &self.holder {
                Holder::Attribute(name) => record.look(name).map(to_text),
                Holder::Record(part) => part.text(record),
                Holder::Constant(value) => Some(value.clone()),
            };
        };
        match self.json(record)?.pointer(pointer)? {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }

    /// What the holder holds as JSON; a text that is JSON is parsed.
    fn json(&self, record: &Record<'_>) -> Option<Value> {
        let held = match &self.holder {
            Holder::Attribute(name) => to_json(record.look(name)?),
            Holder::Record(part) => Value::String(part.text(record)?),
            Holder::Constant(_) => return None,
        };
        match held {
            Value::String(text) => parse(&text).ok(),
            held => Some(held),
        }
    }
}

impl Part {
    fn text(self, record: &Record<'_>) -> Option<String> {
        Some(match self {
            Self::Name => record.name().to_owned(),
            Self::Body => record.body_text(),
            Self::Scope => record.scope_name().to_owned(),
            Self::TraceId => record.trace_id(),
            Self::SpanId => record.span_id(),
            Self::ParentSpanId => record.parent_span_id(),
            Self::StatusMessage => record.failure()?.to_owned(),
        })
    }
}

/// The message of the last exception that a span noted.
pub(super) fn exception_message(record: &Record<'_>) -> Option<String> {
    let exception = record.span_events("exception").last()?;
    find(&exception.attributes, "exception.message").map(to_text).filter(|text| !is_withheld(text))
}

impl<'de> Deserialize<'de> for Lookup {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LookupVisitor)
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PlaceVisitor)
    }
}

const EXPECTED: &str = "the name of an attribute, a part of the record such as record.name, or { value: … }";

struct LookupVisitor;

impl<'de> Visitor<'de> for LookupVisitor {
    type Value = Lookup;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{EXPECTED}, or a list of them")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Lookup, E> {
        PlaceVisitor.visit_str(text).map(|place| Lookup(vec![place]))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Lookup, A::Error> {
        PlaceVisitor.visit_map(map).map(|place| Lookup(vec![place]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Lookup, A::Error> {
        let mut places = Vec::new();
        while let Some(place) = list.next_element()? {
            places.push(place);
        }
        if places.is_empty() {
            return Err(de::Error::custom(format_args!("an empty list names nothing; write {EXPECTED}")));
        }
        Ok(Lookup(places))
    }
}

struct PlaceVisitor;

impl<'de> Visitor<'de> for PlaceVisitor {
    type Value = Place;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Place, E> {
        Place::parse(text).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Place, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Constant {
            value: String,
        }
        let Constant { value } = Constant::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Place { holder: Holder::Constant(value), pointer: None })
    }
}
