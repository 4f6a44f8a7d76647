//! The ids of the events that show an action.
//!
//! A workspace has a million of them, and only those that end as evidence are ever looked at: they are
//! kept as the bytes that a digest stores, one piece of memory an action.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Ids in order, as a [`postcard`] of a list of texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::skillify) struct EventIds(Box<[u8]>);

impl From<Vec<String>> for EventIds {
    fn from(ids: Vec<String>) -> Self {
        // Writing texts to memory cannot fail.
        Self(postcard::to_extend(&ids, Vec::new()).unwrap_or_default().into())
    }
}

impl EventIds {
    /// The ids, in order.
    pub(in crate::skillify) fn to_vec(&self) -> Vec<String> {
        postcard::from_bytes(&self.0).unwrap_or_default()
    }
}

impl Serialize for EventIds {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() {
            return self.to_vec().serialize(to);
        }
        to.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for EventIds {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if from.is_human_readable() {
            return Vec::deserialize(from).map(Self::from);
        }
        from.deserialize_bytes(Bytes)
    }
}

/// Takes the bytes as they are.
struct Bytes;

impl Visitor<'_> for Bytes {
    type Value = EventIds;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes of a list of event ids")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<EventIds, E> {
        Ok(EventIds(bytes.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_back_from_memory_from_a_digest_and_from_text() {
        for ids in [vec![], vec!["a".to_owned()], vec![String::new(), "a\nb".to_owned(), "é".repeat(200)]] {
            let kept = EventIds::from(ids.clone());
            assert_eq!(kept.to_vec(), ids);
            let bytes = postcard::to_extend(&kept, Vec::new()).unwrap();
            assert_eq!(postcard::from_bytes::<EventIds>(&bytes).unwrap(), kept);
            let text = serde_json::to_string(&kept).unwrap();
            assert_eq!(text, serde_json::to_string(&ids).unwrap());
            assert_eq!(serde_json::from_str::<EventIds>(&text).unwrap(), kept);
        }
    }
}
