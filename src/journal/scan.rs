//! Walking over the records of a segment, a window at a time, and finding them again behind damage.

use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

use super::record::{END, Header, RECORD_HEADER, Record};
use crate::disk::{Disk, read_salvaging};

/// How much of a segment is read at once; a longer record is read whole.
const WINDOW: u64 = 1 << 20;

/// What [`Scan`] finds, in the order of the bytes. Offsets count from the beginning of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// A record whose checksums hold.
    Record {
        /// Where it begins.
        offset: u64,
        /// The record.
        record: Record,
    },
    /// Bytes that are no record, with one behind them.
    Damaged(Range<u64>),
    /// Bytes that are no record, and no record behind them.
    Torn(Range<u64>),
}

/// Walks over the records of a segment file. Ends where only [`END`] follows, at the end of the bytes,
/// and at the first record whose sequence is at or beyond `bound`.
#[derive(Debug)]
pub(super) struct Scan<'d> {
    disk: &'d Arc<dyn Disk>,
    path: PathBuf,
    salt: u32,
    position: u64,
    /// Where the bytes end.
    end: u64,
    /// The least sequence that may come next.
    next: u64,
    bound: u64,
    /// Reads what the disk can read instead of failing where it cannot.
    salvage: bool,
    unreadable: bool,
    window: Bytes,
    window_start: u64,
}

/// Where a scan begins and ends.
#[derive(Debug, Clone)]
pub(super) struct Extent {
    /// The segment's file.
    pub(super) path: PathBuf,
    /// The salt of its records.
    pub(super) salt: u32,
    /// Bytes of the file to look at; a record begins at the first of them.
    pub(super) bytes: Range<u64>,
    /// The sequences that may be found.
    pub(super) sequences: Range<u64>,
}

impl<'d> Scan<'d> {
    pub(super) fn new(disk: &'d Arc<dyn Disk>, extent: Extent, salvage: bool) -> Self {
        let Extent { path, salt, bytes, sequences } = extent;
        Self {
            disk,
            path,
            salt,
            position: bytes.start,
            end: bytes.end,
            next: sequences.start,
            bound: sequences.end,
            salvage,
            unreadable: false,
            window: Bytes::new(),
            window_start: bytes.start,
        }
    }

    /// One more than the last sequence seen in a header that holds, damaged payloads included.
    pub(super) fn next_sequence(&self) -> u64 {
        self.next
    }

    /// Some of the bytes could not be read and passed for damage.
    pub(super) fn unreadable(&self) -> bool {
        self.unreadable
    }

    /// The next thing found, or nothing at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Found>> {
        if self.next >= self.bound || self.position >= self.end {
            return Ok(None);
        }
        let offset = self.position;
        let Some(header) = self.header_at(offset)? else { return self.skip_damage() };
        if header.sequence >= self.bound {
            return Ok(None);
        }
        let start = offset + RECORD_HEADER as u64;
        let payload = self.bytes(start, header.length)?;
        if payload.len() < header.length {
            self.position = self.end;
            return Ok(Some(Found::Torn(offset..self.end)));
        }
        self.position = start + header.length as u64;
        self.next = header.sequence + 1;
        if !header.holds_for(&payload, self.salt) {
            return Ok(Some(self.classify(offset..self.position)?));
        }
        let record = Record { sequence: header.sequence, payload };
        Ok(Some(Found::Record { offset, record }))
    }

    /// Leaves the scan at the next header that holds, or at the end.
    fn skip_damage(&mut self) -> io::Result<Option<Found>> {
        let start = self.position;
        if let Some(next) = self.search(start + 1)? {
            self.position = next;
            return Ok(Some(Found::Damaged(start..next)));
        }
        self.position = self.end;
        if self.is_end(start)? {
            return Ok(None);
        }
        let end = self.end_of_tail(start)?;
        Ok(Some(Found::Torn(start..end)))
    }

    /// A record whose payload does not hold: torn if nothing is behind it.
    fn classify(&mut self, range: Range<u64>) -> io::Result<Found> {
        let follows = self.next < self.bound && self.search(range.end)?.is_some();
        Ok(if follows { Found::Damaged(range) } else { Found::Torn(range) })
    }

    /// The sequences that the header of the next record may have: each takes a header's bytes at least.
    fn plausible(&self) -> Range<u64> {
        let most = (self.end - self.position.min(self.end)) / RECORD_HEADER as u64 + 1;
        // One at the bound is looked for, too: it says that the records before it have ended.
        self.next..self.next.saturating_add(most).max(self.next + 1).min(self.bound.saturating_add(1))
    }

    fn header_at(&mut self, position: u64) -> io::Result<Option<Header>> {
        let sequences = self.next..u64::MAX;
        let salt = self.salt;
        let bytes = self.bytes(position, RECORD_HEADER)?;
        Ok(Header::parse(&bytes, salt, &sequences))
    }

    /// Where the first valid header begins, from `position` on.
    fn search(&mut self, mut position: u64) -> io::Result<Option<u64>> {
        let sequences = self.plausible();
        loop {
            self.fill(position, RECORD_HEADER)?;
            let skipped = usize::try_from(position - self.window_start).unwrap_or(usize::MAX);
            let bytes = self.window.get(skipped..).unwrap_or_default();
            let found = bytes
                .windows(RECORD_HEADER)
                .position(|bytes| Header::parse(bytes, self.salt, &sequences).is_some());
            if let Some(at) = found {
                return Ok(Some(position + at as u64));
            }
            let window_end = position + bytes.len() as u64;
            if window_end >= self.end || bytes.len() < RECORD_HEADER {
                return Ok(None);
            }
            position = window_end - (RECORD_HEADER as u64 - 1);
        }
    }

    /// Whether the records end at `position`.
    fn is_end(&mut self, position: u64) -> io::Result<bool> {
        let rest = self.bytes(position, END.len())?;
        Ok(rest.iter().all(|byte| *byte == 0))
    }

    /// Where damage ends that has no record behind it: where [`END`] stands, or at the end.
    fn end_of_tail(&mut self, start: u64) -> io::Result<u64> {
        let mut position = start;
        loop {
            self.fill(position, END.len())?;
            let skipped = usize::try_from(position - self.window_start).unwrap_or(usize::MAX);
            let bytes = self.window.get(skipped..).unwrap_or_default();
            if let Some(at) = memchr::memmem::find(bytes, &END) {
                return Ok(position + at as u64);
            }
            let window_end = position + bytes.len() as u64;
            if window_end >= self.end || bytes.len() < END.len() {
                return Ok(self.end);
            }
            position = window_end - (END.len() as u64 - 1);
        }
    }

    /// `length` bytes from `position` on; fewer only at the end.
    fn bytes(&mut self, position: u64, length: usize) -> io::Result<Bytes> {
        self.fill(position, length)?;
        let start = usize::try_from(position - self.window_start).unwrap_or(usize::MAX);
        let end = start.saturating_add(length).min(self.window.len());
        Ok(if start < end { self.window.slice(start..end) } else { Bytes::new() })
    }

    /// Moves the window to `position` unless it holds `length` bytes from there on.
    fn fill(&mut self, position: u64, length: usize) -> io::Result<()> {
        let wanted = position.saturating_add(length as u64).min(self.end);
        let window_end = self.window_start + self.window.len() as u64;
        if position >= self.window_start && wanted <= window_end {
            return Ok(());
        }
        let size = WINDOW.max(length as u64).min(self.end.saturating_sub(position));
        let (bytes, unreadable) = self.read(position, size)?;
        if (bytes.len() as u64) < size {
            self.end = position + bytes.len() as u64;
        }
        self.unreadable |= unreadable;
        self.window = bytes.into();
        self.window_start = position;
        Ok(())
    }

    fn read(&self, position: u64, length: u64) -> io::Result<(Vec<u8>, bool)> {
        if self.salvage {
            return read_salvaging(&**self.disk, &self.path, position, length);
        }
        Ok((self.disk.read_at(&self.path, position, length)?, false))
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::encode;
    use super::*;
    use crate::disk::FileSystem;

    const SALT: u32 = 0x5eed;

    fn segment(payloads: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (sequence, payload) in (1..).zip(payloads) {
            encode(&mut bytes, SALT, sequence, payload);
        }
        bytes
    }

    fn scan(bytes: &[u8], salt: u32) -> Vec<Found> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("segment");
        std::fs::write(&path, bytes).unwrap();
        let disk: Arc<dyn Disk> = Arc::new(FileSystem);
        let extent = Extent { path, salt, bytes: 0..bytes.len() as u64, sequences: 1..u64::MAX };
        let mut scan = Scan::new(&disk, extent, false);
        std::iter::from_fn(|| scan.next().unwrap()).collect()
    }

    fn sequences(bytes: &[u8], salt: u32) -> Vec<u64> {
        let sequence = |found| match found {
            Found::Record { record, .. } => Some(record.sequence),
            Found::Damaged(_) | Found::Torn(_) => None,
        };
        scan(bytes, salt).into_iter().filter_map(sequence).collect()
    }

    #[test]
    fn a_flipped_bit_costs_the_record_that_it_stands_in_and_no_other() {
        let whole = segment(&[b"one", b"two", b"three"]);
        let second = RECORD_HEADER + 3..2 * (RECORD_HEADER + 3);
        for bit in second.start * 8..second.end * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(sequences(&bytes, SALT), [1, 3], "bit {bit}");
            let damaged = Found::Damaged(second.start as u64..second.end as u64);
            assert!(scan(&bytes, SALT).contains(&damaged), "bit {bit}");
        }
    }

    #[test]
    fn a_record_planted_in_a_payload_is_not_taken_for_one() {
        let mut planted = Vec::new();
        encode(&mut planted, 0, 2, b"forged");
        let mut bytes = segment(&[&planted, b"genuine"]);
        bytes[0] ^= 1;
        assert_eq!(sequences(&bytes, SALT), [2]);
        let Some(Found::Record { record, .. }) = scan(&bytes, SALT).pop() else {
            panic!("the genuine record is found");
        };
        assert_eq!(record.payload, b"genuine".as_slice());
    }

    #[test]
    fn the_end_of_the_records_is_told_from_damage_whatever_stood_there_before() {
        let stale = segment(&[b"an earlier record", b"and another one"]);
        let mut bytes = Vec::new();
        encode(&mut bytes, SALT + 1, 1, b"one");
        let end = bytes.len() as u64;
        bytes.extend_from_slice(&END);
        bytes.extend_from_slice(&stale);
        assert_eq!(scan(&bytes, SALT + 1).len(), 1);
        bytes[end as usize + 3] = 7;
        assert!(matches!(scan(&bytes, SALT + 1).last(), Some(Found::Torn(range)) if range.start == end));
    }

    #[test]
    fn zeros_where_a_record_was_are_damage_if_another_one_follows() {
        let mut bytes = segment(&[b"one", b"two", b"three"]);
        let second = RECORD_HEADER + 3..2 * (RECORD_HEADER + 3);
        bytes[second.clone()].fill(0);
        assert_eq!(sequences(&bytes, SALT), [1, 3]);
        assert!(scan(&bytes, SALT).contains(&Found::Damaged(second.start as u64..second.end as u64)));
    }

    #[test]
    fn records_across_windows_are_found_with_and_without_damage() {
        let large = vec![7; WINDOW as usize + 77];
        let small = vec![9; WINDOW as usize / 3];
        let mut bytes = segment(&[&small, &small, &small, &small, &large, b"last"]);
        assert_eq!(sequences(&bytes, SALT), [1, 2, 3, 4, 5, 6]);
        bytes[2 * (small.len() + RECORD_HEADER) + 1] ^= 1;
        assert_eq!(sequences(&bytes, SALT), [1, 2, 4, 5, 6]);
        let fifth = 4 * (small.len() + RECORD_HEADER);
        bytes[fifth..fifth + RECORD_HEADER].fill(0xff);
        assert_eq!(sequences(&bytes, SALT), [1, 2, 4, 6]);
    }

    #[test]
    fn records_of_another_salt_are_not_taken_for_records() {
        assert!(sequences(&segment(&[b"one", b"two"]), SALT + 1).is_empty());
    }
}
