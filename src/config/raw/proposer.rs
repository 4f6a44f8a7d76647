//! `connectors.skillify.proposer`: who words the skills.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{self, Deserializer};

use crate::config::units::Span;
use crate::secret::Secret;

/// `offline`, `{ anthropic: … }` or `{ openai: … }`.
#[derive(Debug, Default)]
pub(in crate::config) enum Proposer {
    /// Needs no key, no model and no network.
    #[default]
    Offline,
    /// The Messages API.
    Anthropic(Model),
    /// Chat completions: OpenAI, vLLM, Ollama, llama.cpp, gateways.
    OpenAi(Model),
}

/// A model and its limits.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Model {
    /// The base URL; the protocol's path is added to it.
    pub(in crate::config) endpoint: Option<String>,
    /// The model's name.
    pub(in crate::config) model: Option<String>,
    /// The key; your own server may need none.
    pub(in crate::config) api_key: Option<Secret>,
    /// What it may cost.
    pub(in crate::config) budget: Budget,
    /// Dollars for a million tokens; required with `budget.cost` unless the model is the default one.
    pub(in crate::config) price: Option<Price>,
    /// Requests under way at once.
    pub(in crate::config) concurrency: u64,
    /// How long one request may take.
    pub(in crate::config) timeout: Span,
    /// What the model does.
    pub(in crate::config) uses: Vec<Use>,
    /// What the model sees.
    pub(in crate::config) sees: Sees,
}

/// What a model is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum Sees {
    /// Claims, to be worded.
    #[default]
    Claims,
    /// Excerpts of sessions too, to propose lessons.
    Excerpts,
}

/// What a model is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum Use {
    /// To word a skill.
    Wording,
    /// Whether two skills are one: a proposal for people.
    SameSkill,
}

/// Limits, each `50/run`, `500k/day` or a list of both.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Budget {
    /// The most requests, retries included.
    pub(in crate::config) calls: Limits<Count>,
    /// The most tokens, read and written. Absent: as many as `sees` needs.
    pub(in crate::config) tokens: Option<Limits<Count>>,
    /// The most US dollars.
    pub(in crate::config) cost: Limits<Dollars>,
}

/// What a million tokens cost, in US dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Price {
    /// For a million tokens that the model reads.
    pub(in crate::config) input: Dollars,
    /// For a million tokens that it writes.
    pub(in crate::config) output: Dollars,
}

/// Limits of a run and of a UTC day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::config) struct Limits<T> {
    pub(in crate::config) run: Option<T>,
    pub(in crate::config) day: Option<T>,
}

/// `50`, `500k`, `2M`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::config) struct Count(pub(in crate::config) u64);

/// `1.50`: micro-dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::config) struct Dollars(pub(in crate::config) u64);

/// An amount as people write it.
pub(in crate::config) trait Amount: Sized {
    /// What to say where it is not one.
    const EXPECTED: &'static str;

    fn parse(text: &str) -> Option<Self>;
}

impl Amount for Count {
    const EXPECTED: &'static str = "a number by run or day, such as 50/run or 500k/day, or a list of both";

    fn parse(text: &str) -> Option<Self> {
        let (number, factor) = match text.strip_suffix('k') {
            Some(thousands) => (thousands, 1_000),
            None => text.strip_suffix('M').map_or((text, 1), |millions| (millions, 1_000_000)),
        };
        if !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        number.parse::<u64>().ok()?.checked_mul(factor).map(Self)
    }
}

impl Amount for Dollars {
    const EXPECTED: &'static str = "US dollars by run or day, such as 1.50/day, or a list of both";

    fn parse(text: &str) -> Option<Self> {
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(part) || part.len() > 6 {
            return None;
        }
        let millionths: u64 = format!("{part:0<6}").parse().ok()?;
        whole.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(millionths).map(Self)
    }
}

impl<T> Limits<T> {
    const NONE: Self = Self { run: None, day: None };
}

impl<T: Amount> Limits<T> {
    /// Takes one limit; `false` if it is invalid or written twice.
    fn take(&mut self, text: &str) -> bool {
        let (amount, slot) = match text.split_once('/') {
            Some((amount, "run")) => (amount, &mut self.run),
            Some((amount, "day")) => (amount, &mut self.day),
            _ => return false,
        };
        let amount = T::parse(amount.trim());
        let is_new = slot.is_none() && amount.is_some();
        *slot = amount;
        is_new
    }
}

impl<'de, T: Amount> Deserialize<'de> for Limits<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<T>(std::marker::PhantomData<T>);
        impl<'de, T: Amount> de::Visitor<'de> for Visitor<T> {
            type Value = Limits<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(T::EXPECTED)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                let mut limits = Limits::NONE;
                if limits.take(text) { Ok(limits) } else { Err(unclear::<T, E>()) }
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut texts: A) -> Result<Self::Value, A::Error> {
                let mut limits = Limits::NONE;
                while let Some(text) = texts.next_element::<String>()? {
                    if !limits.take(&text) {
                        return Err(unclear::<T, A::Error>());
                    }
                }
                Ok(limits)
            }
        }
        deserializer.deserialize_any(Visitor(std::marker::PhantomData))
    }
}

fn unclear<T: Amount, E: de::Error>() -> E {
    E::custom(format_args!("expected {}", T::EXPECTED))
}

impl<'de> Deserialize<'de> for Dollars {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("expected US dollars, such as 1.50"))
    }
}

impl<'de> Deserialize<'de> for Proposer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Proposer;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("offline, { anthropic: … } or { openai: … }")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Proposer, E> {
                match name {
                    "offline" => Ok(Proposer::Offline),
                    _ => Err(E::custom("expected offline, { anthropic: … } or { openai: … }")),
                }
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Proposer, A::Error> {
                let proposer = match map.next_key::<String>()?.as_deref() {
                    Some("anthropic") => Proposer::Anthropic(map.next_value()?),
                    Some("openai") => Proposer::OpenAi(map.next_value()?),
                    _ => {
                        return Err(de::Error::custom("expected offline, { anthropic: … } or { openai: … }"));
                    }
                };
                match map.next_key::<String>()? {
                    None => Ok(proposer),
                    Some(_) => Err(de::Error::custom("there is one proposer")),
                }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl Default for Model {
    fn default() -> Self {
        Self {
            endpoint: None,
            model: None,
            api_key: None,
            budget: Budget::default(),
            price: None,
            concurrency: 4,
            timeout: Span(Duration::from_secs(60)),
            uses: vec![Use::Wording],
            sees: Sees::Claims,
        }
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self { calls: Limits { run: Some(Count(50)), day: None }, tokens: None, cost: Limits::NONE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_people_write_them() {
        assert_eq!(Count::parse("500k"), Some(Count(500_000)));
        assert_eq!(Count::parse("2M"), Some(Count(2_000_000)));
        assert_eq!(Dollars::parse("1.50"), Some(Dollars(1_500_000)));
        assert_eq!(Dollars::parse("0.000001"), Some(Dollars(1)));
        for unclear in ["", "k", "-1", "+1", "1.5k", "1e3", "1K", "99999999999999999999"] {
            assert_eq!(Count::parse(unclear), None, "{unclear:?}");
        }
        for unclear in ["", ".5", "1.", "-1", "1.0000001", "1,50", "$1"] {
            assert_eq!(Dollars::parse(unclear), None, "{unclear:?}");
        }
    }
}
