//! The identity of an observation.
//!
//! `event_id` = the first 16 bytes, in hex, of SHA-256 over
//! `tenant · dialect · kind · index · record digest`, every text preceded by its length.
//! The record digest covers the whole record **as received, before redaction**, with its resource
//! and its scope, as OTLP protobuf bytes whatever encoding it arrived in. So a resent request gives
//! the same ids, two different records never share one, and nothing of the arrival enters.

use sha2::{Digest, Sha256};

use super::Kind;
use super::hex::hex;

/// The digest of one record as received, with its resource and scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordDigest([u8; 32]);

impl RecordDigest {
    /// Digests the parts of a record: resource, scope and the record itself, as protobuf bytes.
    pub fn of([resource, scope, record]: [&[u8]; 3]) -> Self {
        SurroundingsDigest::of(resource, scope).and(record)
    }

    /// The id of the `index`-th event of the given kind that `dialect` made of this record.
    pub fn event_id(&self, tenant: &str, dialect: &str, kind: Kind, index: usize) -> String {
        let mut hasher = Sha256::new();
        update_with_length(&mut hasher, tenant.as_bytes());
        update_with_length(&mut hasher, dialect.as_bytes());
        update_with_length(&mut hasher, kind.as_str().as_bytes());
        hasher.update((index as u64).to_le_bytes());
        hasher.update(self.0);
        hex(hasher.finalize().get(..16).unwrap_or_default())
    }
}

/// The digest of a resource and a scope, which their records share.
#[derive(Debug, Clone)]
pub struct SurroundingsDigest(Sha256);

impl SurroundingsDigest {
    /// Digests a resource and a scope, as protobuf bytes.
    pub fn of(resource: &[u8], scope: &[u8]) -> Self {
        let mut hasher = Sha256::new();
        update_with_length(&mut hasher, resource);
        update_with_length(&mut hasher, scope);
        Self(hasher)
    }

    /// The digest of a record of theirs, as protobuf bytes.
    pub fn and(&self, record: &[u8]) -> RecordDigest {
        let mut hasher = self.0.clone();
        update_with_length(&mut hasher, record);
        RecordDigest(hasher.finalize().into())
    }
}

/// A longer id or name of a thing is kept by its beginning and a hash of all of it: what is kept in memory of each
/// session, listed and compared must not be as long as a client likes.
pub const LONGEST_ID: usize = 512;
/// So much of a longer one is kept as it is.
const KEPT: usize = 400;

/// The id as it is stored, if it is another than the client's: `None` for one of at most [`LONGEST_ID`] bytes.
pub fn bounded_id(id: &str) -> Option<String> {
    if id.len() <= LONGEST_ID {
        return None;
    }
    let beginning = id.get(..id.floor_char_boundary(KEPT)).unwrap_or_default();
    let hash = Sha256::digest(id.as_bytes());
    Some(format!("{beginning}…{}", hex(hash.get(..16).unwrap_or_default())))
}

/// The length keeps ("ab", "c") and ("a", "bc") apart.
fn update_with_length(hasher: &mut Sha256, bytes: &[u8]) {
    hasher.update((bytes.len() as u64).to_le_bytes());
    hasher.update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_id_is_kept_short_and_apart_from_others() {
        let long = "é".repeat(1000);
        let kept = bounded_id(&long).unwrap();
        assert!(kept.len() <= LONGEST_ID && bounded_id(&kept).is_none());
        assert_ne!(bounded_id(&format!("{long}x")).unwrap(), kept);
        assert_eq!(bounded_id(&"x".repeat(LONGEST_ID)), None);
    }

    #[test]
    fn is_the_same_for_a_resent_record_and_another_for_any_other() {
        let digest = RecordDigest::of([b"resource", b"scope", b"record"]);
        let id = digest.event_id("acme", "genai", Kind::Prompt, 0);
        assert_eq!(id.len(), 32);
        let resent = RecordDigest::of([b"resource", b"scope", b"record"]);
        assert_eq!(id, resent.event_id("acme", "genai", Kind::Prompt, 0));
        for other in [
            digest.event_id("acm", "egenai", Kind::Prompt, 0),
            digest.event_id("acme", "genai", Kind::Response, 0),
            digest.event_id("acme", "genai", Kind::Prompt, 1),
            RecordDigest::of([b"resource", b"scoper", b"ecord"]).event_id("acme", "genai", Kind::Prompt, 0),
        ] {
            assert_ne!(id, other);
        }
    }
}
