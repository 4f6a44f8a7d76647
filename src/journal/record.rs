//! The layout of records in a segment.
//!
//! ```text
//! offset  bytes
//!      0      4  length of the payload, little-endian like every number of the journal
//!      4      8  sequence
//!     12      4  CRC32C of the payload, seeded with the segment's salt
//!     16      4  CRC32C of bytes 0 to 16, seeded with the segment's salt
//!     20      …  payload
//! ```
//! The header has its own checksum. If it is valid, the length can be trusted, and a damaged payload costs only its
//! own record. If it is not, the scan searches for the next record byte by byte. The salt is random and never leaves
//! the journal, so neither bytes that a client planted in a payload nor the old content of a reused segment can pass
//! for a record.
//!
//! Behind the last record stands [`END`], as far as the segment reaches: it tells the end of the
//! records from damage at their end. The next group of records is written over it.

use std::ops::Range;

use bytes::Bytes;

/// Bytes of a record before its payload.
pub(super) const RECORD_HEADER: usize = 20;
const CHECKED: usize = 16;
/// What follows the last record: no header, as its checksum does not hold.
pub(super) const END: [u8; RECORD_HEADER] = [0; RECORD_HEADER];

/// One durable record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its place in the journal; no other record of the same journal id has it.
    pub sequence: u64,
    /// What was appended.
    pub payload: Bytes,
}

impl Record {
    /// What it takes in a segment, in bytes.
    pub(super) fn size(&self) -> u64 {
        (RECORD_HEADER + self.payload.len()) as u64
    }
}

/// Appends a record to `buffer`. The caller keeps payloads below 4 GiB.
pub(super) fn encode(buffer: &mut Vec<u8>, salt: u32, sequence: u64, payload: &[u8]) {
    let start = buffer.len();
    buffer.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    buffer.extend_from_slice(&sequence.to_le_bytes());
    buffer.extend_from_slice(&crc32c::crc32c_append(salt, payload).to_le_bytes());
    let header_crc = crc32c::crc32c_append(salt, buffer.get(start..).unwrap_or_default());
    buffer.extend_from_slice(&header_crc.to_le_bytes());
    buffer.extend_from_slice(payload);
}

/// The header of a record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    /// Bytes of the payload.
    pub(super) length: usize,
    /// The record's sequence.
    pub(super) sequence: u64,
    payload_crc: u32,
}

impl Header {
    /// The header at the beginning of `bytes`, if its sequence is one of `sequences` and its checksum
    /// holds.
    pub(super) fn parse(bytes: &[u8], salt: u32, sequences: &Range<u64>) -> Option<Self> {
        let (checked, rest) = bytes.split_first_chunk::<CHECKED>()?;
        // Cheaper than the checksum, and in a search nearly everything fails it.
        let sequence = u64::from_le_bytes(*checked.get(4..)?.first_chunk()?);
        if !sequences.contains(&sequence) {
            return None;
        }
        if crc32c::crc32c_append(salt, checked) != u32::from_le_bytes(*rest.first_chunk()?) {
            return None;
        }
        let length = u32::from_le_bytes(*checked.first_chunk()?);
        let payload_crc = u32::from_le_bytes(*checked.get(12..)?.first_chunk()?);
        Some(Self { length: usize::try_from(length).ok()?, sequence, payload_crc })
    }

    /// Whether `payload` is what was written behind this header.
    pub(super) fn holds_for(&self, payload: &[u8], salt: u32) -> bool {
        crc32c::crc32c_append(salt, payload) == self.payload_crc
    }
}
