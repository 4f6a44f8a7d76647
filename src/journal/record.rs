//! Records as they stand in a segment, and finding them again in damaged bytes.
//!
//! ```text
//! offset  bytes
//!      0      4  length of the payload, little-endian like every number of the journal
//!      4      8  sequence
//!     12      4  CRC32C of the payload, seeded with the segment's salt
//!     16      4  CRC32C of bytes 0 to 16, seeded with the segment's salt
//!     20      …  payload
//! ```
//! The header has a checksum of its own: while it holds, the length can be trusted, and a damaged
//! payload costs its own record alone. Where it does not hold, the next record is searched byte by
//! byte. The salt is random and leaves the journal nowhere, so bytes that a client planted inside a
//! payload cannot pass for a record, nor can what a reused segment held before.

use std::ops::Range;

use bytes::Bytes;

/// Bytes of a record before its payload.
pub(super) const RECORD_HEADER: usize = 20;
const CHECKED: usize = 16;

/// One durable record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its place in the journal; never given to another record of the same journal id.
    pub sequence: u64,
    /// What was appended.
    pub payload: Bytes,
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

#[derive(Debug, Clone, Copy)]
struct Header {
    length: usize,
    sequence: u64,
    payload_crc: u32,
}

impl Header {
    /// The header at the beginning of `bytes`, if its checksum holds.
    fn parse(bytes: &[u8], salt: u32) -> Option<Self> {
        let (checked, rest) = bytes.split_first_chunk::<CHECKED>()?;
        if crc32c::crc32c_append(salt, checked) != u32::from_le_bytes(*rest.first_chunk()?) {
            return None;
        }
        let (length, rest) = checked.split_first_chunk::<4>()?;
        let (sequence, payload_crc) = rest.split_first_chunk::<8>()?;
        Some(Self {
            length: usize::try_from(u32::from_le_bytes(*length)).ok()?,
            sequence: u64::from_le_bytes(*sequence),
            payload_crc: u32::from_le_bytes(*payload_crc.first_chunk()?),
        })
    }
}

/// What [`Scan`] finds, in the order of the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// A record whose checksums hold.
    Record {
        /// Where it begins.
        offset: usize,
        /// Its sequence.
        sequence: u64,
        /// Where its payload stands.
        payload: Range<usize>,
    },
    /// Bytes that are no record.
    Damaged(Range<usize>),
    /// The bytes end within a record (or within what could be the header of one).
    Incomplete {
        /// Where it begins.
        offset: usize,
    },
}

/// Walks over the records in a piece of a segment. Ends at the end of the bytes, where only zeros
/// follow, and at the first record whose sequence is at or beyond `bound`.
#[derive(Debug)]
pub(super) struct Scan<'a> {
    bytes: &'a [u8],
    position: usize,
    salt: u32,
    /// The least sequence that may come next.
    next: u64,
    bound: u64,
}

impl<'a> Scan<'a> {
    /// Scans `bytes`, which begin at a record, for sequences in `next..bound`.
    pub(super) fn new(bytes: &'a [u8], salt: u32, next: u64, bound: u64) -> Self {
        Self { bytes, position: 0, salt, next, bound }
    }

    /// One more than the last sequence seen in a header that holds, damaged payloads included.
    pub(super) fn next_sequence(&self) -> u64 {
        self.next
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.position..).unwrap_or_default()
    }

    fn header_at(&self, position: usize) -> Option<Header> {
        let header = Header::parse(self.bytes.get(position..)?, self.salt)?;
        (header.sequence >= self.next).then_some(header)
    }

    /// Leaves the scan at the next header that holds, or at the end.
    fn skip_damage(&mut self) -> Found {
        let start = self.position;
        let next = (start + 1..self.bytes.len()).find(|&at| self.header_at(at).is_some());
        self.position = next.unwrap_or(self.bytes.len());
        Found::Damaged(start..self.position)
    }

    fn end(&mut self) {
        self.position = self.bytes.len();
    }
}

impl Iterator for Scan<'_> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        let rest = self.rest();
        // A zero header never passes for a record: where a segment was filled with zeros, the log ends.
        if rest.is_empty() || self.next >= self.bound || rest.iter().all(|byte| *byte == 0) {
            return None;
        }
        let offset = self.position;
        let Some(header) = self.header_at(offset) else {
            if rest.len() < RECORD_HEADER {
                self.end();
                return Some(Found::Incomplete { offset });
            }
            return Some(self.skip_damage());
        };
        if header.sequence >= self.bound {
            return None;
        }
        let payload = offset + RECORD_HEADER..offset + RECORD_HEADER + header.length;
        let Some(content) = self.bytes.get(payload.clone()) else {
            self.end();
            return Some(Found::Incomplete { offset });
        };
        self.position = payload.end;
        self.next = header.sequence + 1;
        if crc32c::crc32c_append(self.salt, content) != header.payload_crc {
            return Some(Found::Damaged(offset..payload.end));
        }
        Some(Found::Record { offset, sequence: header.sequence, payload })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: u32 = 0x5eed;

    fn segment(payloads: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (sequence, payload) in (1..).zip(payloads) {
            encode(&mut bytes, SALT, sequence, payload);
        }
        bytes
    }

    fn sequences(bytes: &[u8], salt: u32) -> Vec<u64> {
        Scan::new(bytes, salt, 1, u64::MAX)
            .filter_map(|found| match found {
                Found::Record { sequence, .. } => Some(sequence),
                Found::Damaged(_) | Found::Incomplete { .. } => None,
            })
            .collect()
    }

    #[test]
    fn a_flipped_bit_costs_the_record_that_it_stands_in_and_no_other() {
        let whole = segment(&[b"one", b"two", b"three"]);
        let second = RECORD_HEADER + 3..2 * (RECORD_HEADER + 3);
        for bit in second.start * 8..second.end * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(sequences(&bytes, SALT), [1, 3], "bit {bit}");
            let damaged: Vec<_> = Scan::new(&bytes, SALT, 1, u64::MAX)
                .filter(|found| matches!(found, Found::Damaged(range) if *range == second))
                .collect();
            assert_eq!(damaged.len(), 1, "bit {bit}");
        }
    }

    #[test]
    fn a_record_planted_in_a_payload_is_not_taken_for_one() {
        let mut planted = Vec::new();
        encode(&mut planted, 0, 2, b"forged");
        let mut bytes = segment(&[&planted, b"genuine"]);
        bytes[0] ^= 1;
        assert_eq!(sequences(&bytes, SALT), [2]);
        let Some(Found::Record { payload, .. }) = Scan::new(&bytes, SALT, 1, u64::MAX).nth(1) else {
            panic!("the genuine record is found");
        };
        assert_eq!(&bytes[payload], b"genuine");
    }

    #[test]
    fn zeros_after_the_last_record_are_the_end_and_no_damage() {
        let mut bytes = segment(&[b"one"]);
        bytes.extend([0; 1000]);
        assert_eq!(Scan::new(&bytes, SALT, 1, u64::MAX).count(), 1);
    }

    #[test]
    fn records_of_another_salt_are_not_taken_for_records() {
        assert!(sequences(&segment(&[b"one", b"two"]), SALT + 1).is_empty());
    }
}
