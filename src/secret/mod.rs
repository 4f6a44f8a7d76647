//! Secrets: texts that nothing shows.
//!
//! A key or a token that a configuration gives is one from there to the request that carries it: neither
//! `Debug` nor an error says it.

use std::fmt;

use serde::{Deserialize, Deserializer};

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for who sends it or compares with it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_shows_it_but_who_asks() {
        let secret: Secret = serde_json::from_str("\"sk-1\"").unwrap();
        assert_eq!(secret, Secret::new("sk-1"));
        assert_eq!(format!("{secret:?} {:#?}", Some(&secret)), "[redacted] Some(\n    [redacted],\n)");
        assert_eq!(secret.reveal(), "sk-1");
    }
}
