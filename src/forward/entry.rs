//! The layout of an entry in a queue.
//!
//! ```text
//! bytes
//!     4  length of the header, little-endian
//!     …  header: `Header`, as postcard writes it
//!     …  the body
//! ```
//! The first member of the header is the version of the layout. Behind a header of version 2 stands, as a text, what
//! [`hops`](super::hops) says of the body; one of version 1 came from no other skillspan.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Body, Form};
use crate::event::{Owner, Signal, Timestamp};

/// The layout version of bodies from clients and from other skillspans.
const VERSION: u8 = 1;
const WITH_HOPS: u8 = 2;

/// A body, its owner and its time of arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it exports.
    pub signal: Signal,
    /// Whose it is, as its credential says.
    pub owner: Owner,
    /// See `receivers::Caller`.
    pub is_confined: bool,
    /// The person whom the credential names; `""` for none.
    pub person: String,
    /// When it came in.
    pub ingested_at: Timestamp,
    /// The marks of those that forwarded it here; `""` for none.
    pub hops: String,
    /// What is sent.
    pub body: Body,
}

#[derive(Serialize, Deserialize)]
struct Header {
    version: u8,
    signal: Signal,
    form: Form,
    tenant: String,
    workspace: String,
    is_confined: bool,
    person: String,
    ingested_at: i64,
}

impl Entry {
    /// As it stands in a queue.
    pub fn encode(&self) -> Vec<u8> {
        let header = Header {
            version: if self.hops.is_empty() { VERSION } else { WITH_HOPS },
            signal: self.signal,
            form: self.body.form,
            tenant: self.owner.tenant.clone(),
            workspace: self.owner.workspace.clone(),
            is_confined: self.is_confined,
            person: self.person.clone(),
            ingested_at: self.ingested_at.as_micros(),
        };
        // A header of texts and numbers can always be written.
        let mut bytes = postcard::to_extend(&header, vec![0; 4]).unwrap_or_default();
        if !self.hops.is_empty() {
            bytes = postcard::to_extend(&self.hops, bytes).unwrap_or_default();
        }
        let length = u32::try_from(bytes.len().saturating_sub(4)).unwrap_or_default();
        if let Some(place) = bytes.get_mut(..4) {
            place.copy_from_slice(&length.to_le_bytes());
        }
        bytes.extend_from_slice(&self.body.bytes);
        bytes
    }

    /// The version of the layout, if a later skillspan wrote the entry.
    pub(super) fn newer(bytes: &Bytes) -> Option<u8> {
        let length = u32::from_le_bytes(*bytes.first_chunk()?);
        bytes.get(4).copied().filter(|version| length > 0 && *version > WITH_HOPS)
    }

    /// What [`Entry::encode`] wrote; `None` if it did not.
    pub fn decode(bytes: &Bytes) -> Option<Self> {
        let length = usize::try_from(u32::from_le_bytes(*bytes.first_chunk()?)).ok()?;
        let end = length.checked_add(4)?;
        let (header, rest): (Header, _) = postcard::take_from_bytes(bytes.get(4..end)?).ok()?;
        let hops = match header.version {
            VERSION => String::new(),
            WITH_HOPS => postcard::from_bytes(rest).ok()?,
            _ => return None,
        };
        Some(Self {
            signal: header.signal,
            owner: Owner { tenant: header.tenant, workspace: header.workspace },
            is_confined: header.is_confined,
            person: header.person,
            ingested_at: Timestamp::from_micros(header.ingested_at),
            hops,
            body: Body { form: header.form, bytes: bytes.slice(end..) },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        for hops in ["", "0123456789abcdef,fedcba9876543210"] {
            round_trip(hops);
        }
    }

    fn round_trip(hops: &str) {
        let entry = Entry {
            signal: Signal::Logs,
            owner: Owner { tenant: "acme".to_owned(), workspace: "shop".to_owned() },
            is_confined: true,
            person: "ana@example.com".to_owned(),
            ingested_at: Timestamp::from_micros(1_790_000_000_000_001),
            hops: hops.to_owned(),
            body: Body { form: Form::Json, bytes: Bytes::from_static(b"{\"resourceLogs\":[]}") },
        };
        let bytes = Bytes::from(entry.encode());
        assert_eq!(Entry::decode(&bytes), Some(entry));
        for cut in 0..bytes.len() - 19 {
            assert_eq!(Entry::decode(&bytes.slice(..cut)), None, "{cut}");
        }
    }
}
