//! Patterns: texts in which `*` stands for any characters, none included.

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};

/// One pattern; upper and lower case differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// What stands between the stars; one part is a text without any.
    parts: Vec<String>,
}

/// One pattern, or a list of which one has to match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Patterns(Vec<Pattern>);

impl Pattern {
    /// Reads a pattern, or says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("an empty pattern matches nothing; `*` matches everything");
        }
        Ok(Self { parts: text.split('*').map(str::to_owned).collect() })
    }

    /// Whether the whole of `text` is as the pattern says.
    pub fn matches(&self, text: &str) -> bool {
        let [first, middle @ .., last] = self.parts.as_slice() else {
            return self.parts.iter().all(|only| only == text);
        };
        let inner = text.strip_prefix(first.as_str()).and_then(|rest| rest.strip_suffix(last.as_str()));
        // Taking each part where it first occurs leaves the most for those that follow.
        let after = |rest, part: &String| str::split_once(rest, part.as_str()).map(|(_, rest)| rest);
        inner.is_some_and(|inner| middle.iter().try_fold(inner, after).is_some())
    }
}

impl Patterns {
    pub(super) fn matches(&self, text: &str) -> bool {
        self.0.iter().any(|pattern| pattern.matches(text))
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Patterns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrSeveral)
    }
}

struct OneOrSeveral;

impl<'de> Visitor<'de> for OneOrSeveral {
    type Value = Patterns;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a pattern such as `acme.*`, or a list of patterns")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Patterns, E> {
        Pattern::parse(text).map(|pattern| Patterns(vec![pattern])).map_err(E::custom)
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Patterns, E> {
        self.visit_str(if flag { "true" } else { "false" })
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Patterns, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Patterns, A::Error> {
        let mut patterns = Vec::new();
        while let Some(pattern) = list.next_element()? {
            patterns.push(pattern);
        }
        if patterns.is_empty() {
            return Err(de::Error::custom("an empty list matches nothing; leave the key away"));
        }
        Ok(Patterns(patterns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_characters() {
        for (pattern, text, matches) in [
            ("acme", "acme", true),
            ("acme", "acme.agent", false),
            ("acme.*", "acme.agent", true),
            ("acme.*", "acme.", true),
            ("*.tool", "acme.tool", true),
            ("*.tool", "acme.tools", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c", false),
            ("ab*ba", "aba", false),
            ("a*a*a", "aa", false),
            ("*", "", true),
            ("**", "anything", true),
            ("*ü*", "für", true),
            ("Acme", "acme", false),
            ("https://app.example.com", "https://app.example.com.evil.org", false),
            ("https://*.example.com", "https://a.example.com", true),
            ("https://*.example.com", "https://example.com", false),
            ("http://localhost:*", "http://localhost:3000", true),
        ] {
            assert_eq!(Pattern::parse(pattern).unwrap().matches(text), matches, "{pattern} on {text}");
        }
        assert!(Pattern::parse("").is_err());
    }
}
