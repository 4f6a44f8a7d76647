//! Reading what is durable, by sequence.

use std::io;
use std::ops::Range;

use super::record::Record;
use super::scan::{Extent, Found, Scan};
use super::segment::{self, Segment};
use super::state::Shared;

/// How often reading a segment may fail in a row before the unreadable part counts as damage. A disk that fails for a
/// moment must not cost a record.
const PATIENCE: u32 = 5;

/// The part of a segment that a read begins in.
struct Part {
    first: u64,
    extent: Extent,
    salvage: bool,
}

impl Shared {
    /// The records from `from` on, of one segment, until `max_bytes` of payload are reached; at least one
    /// if there is one.
    pub(super) fn read(&self, mut from: u64, max_bytes: usize) -> io::Result<Vec<Record>> {
        let asked = from;
        while let Some(part) = self.part(from) {
            let next = part.extent.sequences.end;
            let records = self.read_part(part, from, max_bytes)?;
            if let Some(first) = records.first() {
                self.state().count_lost(asked..first.sequence);
                return Ok(records);
            }
            from = next;
        }
        self.state().count_lost(asked..u64::MAX);
        Ok(Vec::new())
    }

    fn part(&self, from: u64) -> Option<Part> {
        let state = self.state();
        let segment = state.segments.values().find(|segment| segment.next > from)?;
        let (start, offset) = segment.seek(from);
        let extent = Extent {
            path: segment::path(&self.folder.path, segment.header.first),
            salt: segment.header.salt,
            bytes: offset..segment.length,
            sequences: start..segment.next,
        };
        let salvage = segment.read_failures >= PATIENCE;
        Some(Part { first: segment.header.first, extent, salvage })
    }

    fn read_part(&self, part: Part, from: u64, max_bytes: usize) -> io::Result<Vec<Record>> {
        let Part { first, extent, salvage } = part;
        let end = extent.bytes.end;
        let mut scan = Scan::new(&self.folder.disk, extent.clone(), salvage);
        let mut records = Vec::new();
        let mut taken = 0;
        while taken < max_bytes || records.is_empty() {
            let found =
                scan.next().inspect_err(|_| self.note(first, |segment| segment.read_failures += 1))?;
            match found {
                None => break,
                Some(Found::Record { offset, record }) => {
                    self.note(first, |segment| segment.note(record.sequence, offset));
                    if record.sequence >= from {
                        taken += record.payload.len().max(1);
                        records.push(record);
                    }
                }
                Some(Found::Damaged(range) | Found::Torn(range)) => {
                    self.note_damage(first, &extent, range)?
                }
            }
        }
        let missing = scan.next_sequence().max(from)..extent.sequences.end;
        if records.is_empty() && !missing.is_empty() {
            self.note_missing(first, end, missing);
        }
        if scan.unreadable() {
            self.note(first, |segment| segment.keep = true);
        } else if !salvage {
            self.note(first, |segment| segment.read_failures = 0);
        }
        Ok(records)
    }

    fn note(&self, first: u64, note: impl FnOnce(&mut Segment)) {
        if let Some(segment) = self.state().segments.get_mut(&first) {
            note(segment);
        }
    }

    /// Notes damage at `offset` of a segment; false if it was noted before.
    fn is_new_damage(&self, first: u64, offset: u64) -> bool {
        self.state().segments.get_mut(&first).is_some_and(|segment| segment.damage.insert(offset))
    }

    /// Sets aside bytes of a segment that are not a record, once. Nobody reads on until that works, because the
    /// segment would be exported and removed.
    fn note_damage(&self, first: u64, extent: &Extent, range: Range<u64>) -> io::Result<()> {
        let offset = range.start;
        if !self.is_new_damage(first, offset) {
            return Ok(());
        }
        if let Err(error) = self.folder.keep_damage(&extent.path, first, range) {
            self.note(first, |segment| {
                segment.damage.remove(&offset);
            });
            return Err(error);
        }
        self.state().health.quarantined += 1;
        Ok(())
    }

    /// Says which records are gone without a trace: nothing is left to set aside.
    fn note_missing(&self, first: u64, end: u64, missing: Range<u64>) {
        if self.is_new_damage(first, end) {
            self.state().health.lost += missing.end - missing.start;
            tracing::error!(
                segment = first,
                from = missing.start,
                to = missing.end - 1,
                "records of the journal are missing behind a segment"
            );
        }
    }
}
