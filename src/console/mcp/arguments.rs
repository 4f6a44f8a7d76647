//! What was asked, read strictly: what is not known is refused in words that a model can act on.

use serde_json::{Map, Value};

/// A text that is longer is no name and no search.
const LONGEST: usize = 512;

/// The arguments of a call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arguments<'a>(&'a Map<String, Value>);

impl<'a> Arguments<'a> {
    /// Those of a tool that knows no others.
    pub(super) fn of(fields: &'a Map<String, Value>, known: &[&str]) -> Result<Self, String> {
        if fields.keys().all(|name| known.contains(&name.as_str())) {
            return Ok(Self(fields));
        }
        let known = if known.is_empty() { "no arguments".to_owned() } else { known.join(", ") };
        Err(format!("There is an argument that this tool does not know; it takes {known}."))
    }

    /// A text; `""` if absent.
    pub(super) fn text(self, name: &str) -> Result<&'a str, String> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(""),
            Some(Value::String(text)) if text.len() <= LONGEST => Ok(text),
            Some(Value::String(_)) => Err(format!("`{name}` is longer than {LONGEST} bytes.")),
            Some(_) => Err(format!("`{name}` is a text.")),
        }
    }

    /// A text that has to be there.
    pub(super) fn needed(self, name: &str) -> Result<&'a str, String> {
        match self.text(name)? {
            "" => Err(format!("`{name}` is missing.")),
            text => Ok(text),
        }
    }

    /// A text out of a few.
    pub(super) fn one_of(self, name: &str, all: &[&str]) -> Result<&'a str, String> {
        let text = self.text(name)?;
        if text.is_empty() || all.contains(&text) {
            return Ok(text);
        }
        Err(format!("`{name}` is one of {}.", all.join(", ")))
    }

    /// A whole number within bounds.
    pub(super) fn number(self, name: &str, usual: usize, least: usize, most: usize) -> Result<usize, String> {
        let told = match self.0.get(name) {
            None | Some(Value::Null) => return Ok(usual),
            Some(value) => value.as_u64().and_then(|number| usize::try_from(number).ok()),
        };
        let says = || format!("`{name}` is a whole number from {least} to {most}.");
        told.filter(|number| (least..=most).contains(number)).ok_or_else(says)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_is_known_and_fits_is_read() {
        let Value::Object(fields) =
            json!({ "a": "x", "n": 3, "long": "y".repeat(513), "odd": [], "neg": -1 })
        else {
            panic!("no object")
        };
        assert!(Arguments::of(&fields, &["a"]).is_err());
        let all = Arguments::of(&fields, &["a", "n", "long", "odd", "neg"]).unwrap();
        assert_eq!((all.text("a"), all.text("none")), (Ok("x"), Ok("")));
        assert!(all.text("long").is_err() && all.text("odd").is_err() && all.needed("none").is_err());
        assert_eq!(all.number("n", 1, 1, 5), Ok(3));
        assert_eq!(all.number("none", 1, 1, 5), Ok(1));
        assert!(all.number("n", 1, 4, 5).is_err() && all.number("neg", 1, 0, 5).is_err());
        assert!(all.number("a", 1, 0, 5).is_err() && all.one_of("a", &["y"]).is_err());
    }
}
