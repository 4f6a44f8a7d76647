//! JSON inside texts, of a size that memory bears.

use std::fmt;

use serde::de::DeserializeSeed;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Seven bytes of JSON, an object of one member, can take six hundred in memory; no conversation has so
/// many values.
const MAX_VALUES: u32 = 100_000;

/// Reads a text as JSON. One of countless values is an error, as one that is no JSON.
pub(super) fn parse(text: &str) -> Result<Value, serde_json::Error> {
    parse_within(text, MAX_VALUES)
}

/// The same, of as many values at most as the caller bears.
pub fn parse_within(text: &str, values: u32) -> Result<Value, serde_json::Error> {
    let mut left = values;
    let mut json = serde_json::Deserializer::from_str(text);
    let value = Counted(&mut left).deserialize(&mut json)?;
    json.end()?;
    Ok(value)
}

/// A value, and how many more there may be.
struct Counted<'c>(&'c mut u32);

impl<'de> DeserializeSeed<'de> for Counted<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        let left = self.0.checked_sub(1);
        *self.0 = left.ok_or_else(|| D::Error::custom("too many values"))?;
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Counted<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(Counted(&mut *self.0))? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(name) = object.next_key::<String>()? {
            fields.insert(name, object.next_value_seed(Counted(&mut *self.0))?);
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_serde_reads() {
        for text in [
            r#"{"a":[1,-2,3.5,1e999,"x\u00e9\n",null,true,{}],"b":{"a":18446744073709551615},"a":2}"#,
            " [ ] ",
            "\"x\"",
            "7",
            "",
            "{",
            "[1] 2",
            "{\"a\":}",
            &"[".repeat(1_000),
        ] {
            match (parse(text), serde_json::from_str::<Value>(text)) {
                (Ok(ours), Ok(theirs)) => assert_eq!(ours, theirs, "{text}"),
                (Err(ours), Err(theirs)) => assert_eq!(ours.is_eof(), theirs.is_eof(), "{text}"),
                (ours, theirs) => panic!("{text}: {ours:?}, {theirs:?}"),
            }
        }
    }

    #[test]
    fn countless_values_are_refused() {
        let values = |count: usize| format!("[{}{{}}]", "{},".repeat(count - 2));
        let most = MAX_VALUES as usize;
        assert!(parse(&values(most)).is_ok());
        assert!(!parse(&values(most + 1)).unwrap_err().is_eof());
    }
}
