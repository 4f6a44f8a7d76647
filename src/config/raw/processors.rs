//! `filter`, `attributes` and `sampling` of `processors:`.

use std::fmt;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};

/// What is not stored.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Filter {
    /// Only what matches is stored. Absent: all.
    pub(in crate::config) include: Option<Selection>,
    /// What matches is not stored; one entry of a list is enough.
    pub(in crate::config) exclude: Selections,
}

/// Changes to attributes, in order.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Attributes {
    /// What is done.
    pub(in crate::config) actions: Vec<Action>,
    /// Change only what matches. Absent: all.
    #[serde(default)]
    pub(in crate::config) include: Option<Selection>,
    /// Do not change what matches.
    #[serde(default)]
    pub(in crate::config) exclude: Selections,
}

/// A selection. Every key must match, and one entry of each list.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Selection {
    /// `strict`: the whole text. `regexp`: somewhere in it.
    pub(in crate::config) match_type: MatchType,
    /// Attributes, all of these.
    pub(in crate::config) attributes: Vec<Attribute>,
    /// Values of `service.name`.
    pub(in crate::config) services: Vec<String>,
    /// Assistants, such as `claude-code`.
    pub(in crate::config) assistants: Vec<String>,
    /// Workspaces.
    pub(in crate::config) workspaces: Vec<String>,
    /// Repositories, by any spelling of their URL.
    pub(in crate::config) projects: Vec<String>,
    /// People, in any spelling that counts as the same.
    pub(in crate::config) users: Vec<String>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum MatchType {
    #[default]
    Strict,
    Regexp,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Attribute {
    /// The attribute's name.
    pub(in crate::config) key: String,
    /// The attribute's value. Absent: any.
    #[serde(default)]
    pub(in crate::config) value: Option<String>,
}

/// One change.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Action {
    /// What is done.
    pub(in crate::config) action: Kind,
    /// The attribute's name.
    #[serde(default)]
    pub(in crate::config) key: Option<String>,
    /// Instead of `key`, a pattern of names: for `delete` and `hash`.
    #[serde(default)]
    pub(in crate::config) pattern: Option<String>,
    /// The new value.
    #[serde(default)]
    pub(in crate::config) value: Option<serde_json::Value>,
    /// Instead of `value`, the attribute to copy.
    #[serde(default)]
    pub(in crate::config) from_attribute: Option<String>,
    /// The new name: for `rename`.
    #[serde(default)]
    pub(in crate::config) to: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum Kind {
    Insert,
    Update,
    #[serde(alias = "set")]
    Upsert,
    Delete,
    Hash,
    Rename,
}

/// A part of the sessions.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Sampling {
    /// How many sessions of a hundred are stored.
    #[serde(alias = "sampling_percentage")]
    pub(in crate::config) percent: Percent,
    /// Another seed chooses other sessions. Give all replicas the same one.
    #[serde(default)]
    pub(in crate::config) hash_seed: u32,
}

/// `20`, `12.5` or `20%`.
#[derive(Debug, Clone, Copy)]
pub(in crate::config) struct Percent(pub(in crate::config) f64);

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let number = text.trim_end_matches('%').trim().parse().ok();
        number
            .filter(|number| (0.0..=100.0).contains(number))
            .map(Self)
            .ok_or_else(|| de::Error::custom("expected a number from 0 to 100, such as 20"))
    }
}

/// One selection, or a list of them.
#[derive(Debug, Clone, Default)]
pub(in crate::config) struct Selections(pub(in crate::config) Vec<Selection>);

impl<'de> Deserialize<'de> for Selections {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrSeveral)
    }
}

struct OneOrSeveral;

impl<'de> Visitor<'de> for OneOrSeveral {
    type Value = Selections;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what to leave out, such as { workspaces: [private] }, or a list of it")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Selections, A::Error> {
        Selection::deserialize(MapAccessDeserializer::new(map)).map(|one| Selections(vec![one]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Selections, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(list)).map(Selections)
    }
}
