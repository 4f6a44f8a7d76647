//! Sections whose keys are component ids: `type` or `type/name`, as in the Collector.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, Visitor};

use super::decode::{UNKNOWN_TYPE, instead};

/// The components of one section, by id.
#[derive(Debug)]
pub(super) struct Components<T>(pub(super) BTreeMap<String, T>);

impl<T> Default for Components<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

/// A section's components, chosen by the type in their id.
pub(super) trait Named: Sized {
    /// The section, for messages.
    const SECTION: &'static str;
    /// The types that there are.
    const TYPES: &'static [&'static str];

    /// Deserializes the settings of a component of a type in [`Named::TYPES`].
    fn deserialize<'de, D: Deserializer<'de>>(kind: &str, deserializer: D) -> Result<Self, D::Error>;
}

/// The type in a component id.
pub(super) fn type_of(id: &str) -> &str {
    id.split_once('/').map_or(id, |(kind, _)| kind)
}

impl<'de, T: Named> Deserialize<'de> for Components<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Section(PhantomData))
    }
}

struct Section<T>(PhantomData<T>);

impl<'de, T: Named> Visitor<'de> for Section<T> {
    type Value = Components<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("components by id")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Components<T>, A::Error> {
        let mut components = BTreeMap::new();
        while let Some(id) = map.next_key_seed(IdSeed::<T>(PhantomData))? {
            let component = map.next_value_seed(ComponentSeed::<T> { id: &id, component: PhantomData })?;
            components.insert(id, component);
        }
        Ok(Components(components))
    }
}

struct IdSeed<T>(PhantomData<T>);

impl<'de, T: Named> DeserializeSeed<'de> for IdSeed<T> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        let id = String::deserialize(deserializer)?;
        let kind = type_of(&id);
        if !T::TYPES.contains(&kind) {
            let section = T::SECTION;
            let known = instead(kind, T::TYPES, "known are");
            return Err(de::Error::custom(format_args!("{UNKNOWN_TYPE} among the {section}{known}")));
        }
        Ok(id)
    }
}

struct ComponentSeed<'i, T> {
    id: &'i str,
    component: PhantomData<T>,
}

impl<'de, T: Named> DeserializeSeed<'de> for ComponentSeed<'_, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::deserialize(type_of(self.id), deserializer)
    }
}
