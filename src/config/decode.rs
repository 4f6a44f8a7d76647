//! From the tree to typed settings: a serde data format whose errors say where and on which path.

use std::fmt;

use serde::de::{self, DeserializeSeed, IntoDeserializer, Visitor};

use super::tree::{Node, Position, Scalar, Value};

/// What is wrong in a configuration, with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct DecodeError {
    position: Option<Position>,
    /// Innermost first, while the error is on its way up.
    path: Vec<String>,
    message: String,
}

impl DecodeError {
    pub(crate) fn at(position: Position, message: String) -> Self {
        Self { position: Some(position), path: Vec::new(), message }
    }

    /// The same error, seen from one level further up.
    pub(crate) fn below(mut self, key: impl ToString) -> Self {
        self.path.push(key.to_string());
        self
    }

    /// The same error without what was found, if it lies below `path`.
    pub(crate) fn without_found_below(mut self, path: &[&str]) -> Self {
        let below = self.path.len() >= path.len()
            && self.path.iter().rev().zip(path).all(|(key, expected)| key == expected);
        if below && let Some(found) = self.message.find(", found ") {
            self.message.truncate(found);
        }
        self
    }

    /// Where it stands: the text's place in the order of merging, line and column.
    pub(crate) fn position(&self) -> Option<Position> {
        self.position
    }

    /// The way to what is wrong, from the root.
    pub(crate) fn path(&self) -> Vec<String> {
        self.path.iter().rev().cloned().collect()
    }

    /// The name that was probably meant, and whether it is that of a key.
    pub(crate) fn meant(&self) -> Option<(&str, bool)> {
        let (_, rest) = self.message.split_once(MEANT)?;
        let (name, _) = rest.split_once('`')?;
        Some((name, self.message.starts_with(UNKNOWN_KEY) || self.message.starts_with(UNKNOWN_TYPE)))
    }

    /// What is wrong, without place and path.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Path and message, without the place.
    pub(crate) fn without_place(&self) -> Self {
        Self { position: None, ..self.clone() }
    }

    fn or_at(mut self, position: Position) -> Self {
        self.position.get_or_insert(position);
        self
    }
}

/// What stands before a name that was probably meant.
const MEANT: &str = "did you mean `";
/// How the message of a key begins that there is not.
const UNKNOWN_KEY: &str = "unknown key";
/// How the message of a component begins that there is not.
pub(super) const UNKNOWN_TYPE: &str = "no such type";

/// `; did you mean …?` with the known name that is written nearly so, if there is one, and what is known.
pub(super) fn instead(written: &str, known: &[&str], list: &str) -> String {
    let likely = nearest(written, known).map(|name| format!("; {MEANT}{name}`?")).unwrap_or_default();
    let (end, list) = match likely.is_empty() {
        true => ("; ", list.to_owned()),
        false => (" ", capitalised(list)),
    };
    format!("{likely}{end}{list}: {}", known.join(", "))
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// The known name that is written nearly as this one: a slip of the finger for each three letters is none too
/// many.
pub(crate) fn nearest<'k>(written: &str, known: &[&'k str]) -> Option<&'k str> {
    let lower = written.to_lowercase();
    let distance = |name: &str| strsim::damerau_levenshtein(&lower, name);
    let (distance, name) = known.iter().map(|name| (distance(name), *name)).min()?;
    (distance <= (written.chars().count() / 3).max(1) && distance < name.len()).then_some(name)
}

impl std::error::Error for DecodeError {}

impl fmt::Display for DecodeError {
    /// `12:7: receivers.otlp.protocols: message`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(position) = self.position {
            write!(f, "{position}: ")?;
        }
        if !self.path.is_empty() {
            let path: Vec<&str> = self.path.iter().rev().map(String::as_str).collect();
            write!(f, "{}: ", path.join("."))?;
        }
        f.write_str(&self.message)
    }
}

impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { position: None, path: Vec::new(), message: message.to_string() }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::custom(format_args!("{UNKNOWN_KEY}{}", instead(field, expected, "known here")))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let meant = nearest(variant, expected).map(|name| format!("; {MEANT}{name}`?")).unwrap_or_default();
        Self::custom(format_args!("expected one of {}, found `{variant}`{meant}", expected.join(", ")))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::custom(format_args!("the key `{field}` is missing"))
    }
}

impl<'de> de::Deserializer<'de> for &'de Node {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.value {
            Value::Null | Value::Refused => visitor.visit_unit(),
            Value::Scalar(scalar) => visit_scalar(scalar, visitor),
            Value::Sequence(items) => visitor.visit_seq(Items { items: items.iter().enumerate() }),
            Value::Mapping(_) => visitor.visit_map(Entries::of(self)),
        }
        .map_err(|error| error.or_at(self.position))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.plain() {
            Some("true") => visitor.visit_bool(true),
            Some("false") => visitor.visit_bool(false),
            _ => Err(self.expected("true or false")),
        }
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.plain().and_then(|text| text.parse().ok()) {
            Some(number) => {
                visitor.visit_u64(number).map_err(|error: DecodeError| error.or_at(self.position))
            }
            None => Err(self.expected("a whole number that is not negative")),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.value {
            Value::Scalar(scalar) => {
                visitor.visit_str(&scalar.text).map_err(|error: DecodeError| self.with_found(error))
            }
            _ => Err(self.expected("a text")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.value {
            Value::Null | Value::Refused => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.value {
            Value::Sequence(_) => self.deserialize_any(visitor),
            _ => Err(self.expected("a list")),
        }
    }

    /// A section that is written without content (`otlp:`) has its defaults.
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.value {
            Value::Null | Value::Mapping(_) | Value::Refused => {
                visitor.visit_map(Entries::of(self)).map_err(|error| error.or_at(self.position))
            }
            _ => Err(self.expected("keys with values")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match &self.value {
            Value::Scalar(scalar) => {
                let variant: de::value::StrDeserializer<'_, DecodeError> =
                    scalar.text.as_str().into_deserializer();
                visitor.visit_enum(variant).map_err(|error: DecodeError| error.or_at(self.position))
            }
            _ => Err(self.expected("a word")),
        }
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u128 f32 f64 char bytes byte_buf unit unit_struct tuple
        tuple_struct identifier ignored_any
    }
}

impl Node {
    fn plain(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(scalar) if scalar.plain => Some(&scalar.text),
            _ => None,
        }
    }

    fn expected(&self, what: &str) -> DecodeError {
        let found = match &self.value {
            Value::Null | Value::Refused => "nothing".to_owned(),
            Value::Scalar(scalar) => format!("`{}`", scalar.written),
            Value::Sequence(_) => "a list".to_owned(),
            Value::Mapping(_) => "keys with values".to_owned(),
        };
        DecodeError::at(self.position, format!("expected {what}, found {found}"))
    }

    /// Adds the value as written: types that parse their text only name the form that they expect.
    fn with_found(&self, mut error: DecodeError) -> DecodeError {
        if let (None, Value::Scalar(scalar)) = (error.position, &self.value) {
            error.message = format!("{}, found `{}`", error.message, scalar.written);
        }
        error.or_at(self.position)
    }
}

fn visit_scalar<'de, V: Visitor<'de>>(scalar: &Scalar, visitor: V) -> Result<V::Value, DecodeError> {
    if scalar.plain {
        match scalar.text.as_str() {
            "true" => return visitor.visit_bool(true),
            "false" => return visitor.visit_bool(false),
            text => {
                if let Ok(number) = text.parse::<i64>() {
                    return visitor.visit_i64(number);
                }
            }
        }
    }
    visitor.visit_str(&scalar.text)
}

struct Entries<'de> {
    entries: std::slice::Iter<'de, (super::tree::Key, Node)>,
    current: Option<&'de (super::tree::Key, Node)>,
}

impl<'de> Entries<'de> {
    fn of(node: &'de Node) -> Self {
        let entries = match &node.value {
            Value::Mapping(entries) => entries.as_slice(),
            _ => &[],
        };
        Self { entries: entries.iter(), current: None }
    }
}

impl<'de> de::MapAccess<'de> for Entries<'de> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, DecodeError> {
        self.current = self.entries.find(|(_, node)| node.value != Value::Refused);
        let Some((key, _)) = self.current else { return Ok(None) };
        let name: de::value::StrDeserializer<'_, DecodeError> = key.name.as_str().into_deserializer();
        seed.deserialize(name).map(Some).map_err(|error| error.or_at(key.position).below(&key.name))
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, DecodeError> {
        let Some((key, node)) = self.current else {
            return Err(de::Error::custom("a value was asked for before its key"));
        };
        seed.deserialize(node).map_err(|error| error.or_at(node.position).below(&key.name))
    }
}

struct Items<'de> {
    items: std::iter::Enumerate<std::slice::Iter<'de, Node>>,
}

impl<'de> de::SeqAccess<'de> for Items<'de> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        let Some((index, node)) = self.items.find(|(_, node)| node.value != Value::Refused) else {
            return Ok(None);
        };
        seed.deserialize(node).map(Some).map_err(|error| error.or_at(node.position).below(index))
    }
}
