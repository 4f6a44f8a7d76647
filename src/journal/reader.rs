//! Reading what is durable, by sequence.

use std::io;
use std::ops::Range;
use std::path::PathBuf;

use bytes::Bytes;

use super::record::{Found, Record, Scan};
use super::segment::{self, Header, INDEX_STEP};
use super::state::Shared;

/// The durable part of a segment from a place to begin reading at.
#[derive(Debug)]
struct Extent {
    path: PathBuf,
    header: Header,
    /// The sequence of the record at `offset`.
    start: u64,
    offset: u64,
    /// Bytes from `offset` to the end of the last durable record.
    bytes: u64,
    /// One more than the sequence of the last durable record.
    next: u64,
}

#[derive(Debug, Default)]
struct Window {
    records: Vec<Record>,
    damage: Vec<Range<usize>>,
}

impl Shared {
    /// The records from `from` on, of one segment, until `max_bytes` of payload are reached; at least one
    /// if there is one.
    pub(super) fn read(&self, mut from: u64, max_bytes: usize) -> io::Result<Vec<Record>> {
        while let Some(extent) = self.extent(from) {
            let records = self.read_extent(&extent, from, max_bytes)?;
            if !records.is_empty() {
                return Ok(records);
            }
            from = extent.next;
        }
        Ok(Vec::new())
    }

    fn extent(&self, from: u64) -> Option<Extent> {
        let state = self.state();
        let segment = state.segments.values().find(|segment| segment.next > from)?;
        let (start, offset) = segment.seek(from);
        Some(Extent {
            path: segment::path(&self.folder.path, segment.header.first),
            header: segment.header,
            start,
            offset,
            bytes: segment.length.saturating_sub(offset),
            next: segment.next,
        })
    }

    fn read_extent(&self, extent: &Extent, from: u64, max_bytes: usize) -> io::Result<Vec<Record>> {
        let enough = (max_bytes as u64).saturating_add(INDEX_STEP);
        for length in [enough.min(extent.bytes), extent.bytes] {
            let bytes = Bytes::from(self.folder.disk.read_at(&extent.path, extent.offset, length)?);
            let whole = length == extent.bytes;
            let window = scan(&bytes, extent, from, max_bytes, whole);
            for range in window.damage {
                let offset = extent.offset + range.start as u64;
                self.note_damage(extent.header.first, offset, bytes.get(range).unwrap_or_default());
            }
            if whole || !window.records.is_empty() {
                return Ok(window.records);
            }
        }
        Ok(Vec::new())
    }
}

/// Unless the window is the whole extent, what it shows at its end may go on behind it.
fn scan(bytes: &Bytes, extent: &Extent, from: u64, max_bytes: usize, whole: bool) -> Window {
    let mut window = Window::default();
    let mut taken = 0;
    for found in Scan::new(bytes, extent.header.salt, extent.start, extent.next) {
        match found {
            Found::Record { sequence, .. } if sequence < from => {}
            Found::Record { sequence, payload, .. } => {
                taken += payload.len();
                window.records.push(Record { sequence, payload: bytes.slice(payload) });
                if taken >= max_bytes {
                    break;
                }
            }
            Found::Damaged(range) if whole || range.end < bytes.len() => window.damage.push(range),
            Found::Incomplete { offset } if whole => window.damage.push(offset..bytes.len()),
            Found::Damaged(_) | Found::Incomplete { .. } => {}
        }
    }
    window
}
