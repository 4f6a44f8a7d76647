//! Segment files: their names, their headers, and what is known of them in memory.
//!
//! ```text
//! offset  bytes
//!      0      8  "SKILLJNL"
//!      8      4  format version
//!     12      4  salt of the record checksums, random per segment
//!     16     16  journal id
//!     32      8  first sequence
//!     40     20  zero
//!     60      4  CRC32C of bytes 0 to 60
//!     64     64  the same again
//!    128      …  records
//! ```
//! The first 64 bytes keep the places of magic, version and checksum in every later format, so that an older program
//! can refuse it by name. There are two copies because, without the salt, no record of the segment could be
//! distinguished from damage.
//!
//! Zeros are written ahead of a segment's records, a piece at a time, and the file of an exported segment is reused
//! for a later one. Overwriting needs no new blocks, which halves the time of a sync.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::record::END;
use crate::disk::{Disk, DiskFile, write_durably};

/// The format that this version writes, and the newest it reads.
pub(super) const FORMAT: u32 = 1;
/// Bytes before the first record.
pub(super) const SEGMENT_HEADER: u64 = 2 * COPY as u64;
const COPY: usize = 64;
const CHECKED: usize = 60;
const MAGIC: &[u8; 8] = b"SKILLJNL";
const EXTENSION: &str = ".segment";
const SPARE_EXTENSION: &str = ".spare";
/// Distance between the entries of a segment's index, in bytes: the most that a read may have to skip.
pub(super) const INDEX_STEP: u64 = 64 << 10;

/// What a segment says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// The journal that it belongs to.
    pub(super) journal_id: Uuid,
    /// The sequence of its first record.
    pub(super) first: u64,
    /// The seed of its records' checksums.
    pub(super) salt: u32,
}

/// Why the beginning of a file is no header of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeaderError {
    /// Neither copy holds.
    Damaged,
    /// A later version wrote it.
    Newer(u32),
}

impl Header {
    /// A header with a new salt.
    pub(super) fn new(journal_id: Uuid, first: u64) -> Self {
        let (salt, _) = Uuid::new_v4().as_u64_pair();
        Self { journal_id, first, salt: (salt >> 32) as u32 }
    }

    fn encode(&self) -> Vec<u8> {
        let mut copy = Vec::with_capacity(COPY);
        copy.extend_from_slice(MAGIC);
        copy.extend_from_slice(&FORMAT.to_le_bytes());
        copy.extend_from_slice(&self.salt.to_le_bytes());
        copy.extend_from_slice(self.journal_id.as_bytes());
        copy.extend_from_slice(&self.first.to_le_bytes());
        copy.resize(CHECKED, 0);
        let crc = crc32c::crc32c(&copy);
        copy.extend_from_slice(&crc.to_le_bytes());
        copy.repeat(2)
    }

    /// Reads the header at the beginning of a segment's bytes.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, HeaderError> {
        let mut copies = bytes.chunks_exact(COPY).take(2);
        copies.find_map(Self::parse_copy).unwrap_or(Err(HeaderError::Damaged))
    }

    fn parse_copy(copy: &[u8]) -> Option<Result<Self, HeaderError>> {
        let (checked, crc) = copy.split_at_checked(CHECKED)?;
        if crc32c::crc32c(checked) != u32::from_le_bytes(*crc.first_chunk()?) {
            return None;
        }
        let rest = checked.strip_prefix(MAGIC)?;
        let (format, rest) = rest.split_first_chunk::<4>()?;
        let format = u32::from_le_bytes(*format);
        if format > FORMAT {
            return Some(Err(HeaderError::Newer(format)));
        }
        let (salt, rest) = rest.split_first_chunk::<4>()?;
        let (journal_id, rest) = rest.split_first_chunk::<16>()?;
        Some(Ok(Self {
            journal_id: Uuid::from_bytes(*journal_id),
            first: u64::from_le_bytes(*rest.first_chunk()?),
            salt: u32::from_le_bytes(*salt),
        }))
    }

    /// Creates the segment's file with `size` bytes: only a durable header gets the segment's name.
    /// The space behind it is written with zeros, so that the syncs of records need not allocate.
    pub(super) fn create(&self, disk: &dyn Disk, folder: &Path, size: u64) -> io::Result<Box<dyn DiskFile>> {
        let path = path(folder, self.first);
        let mut bytes = self.encode();
        bytes.resize(usize::try_from(size).unwrap_or(usize::MAX).max(bytes.len()), 0);
        let temporary = path.with_extension("tmp");
        let file = write_durably(disk, &temporary, &bytes)?;
        disk.rename(&temporary, &path)?;
        disk.sync_folder(folder)?;
        Ok(file)
    }

    /// Reuses the file of an old segment: overwrites its header and ends its records. Everything behind has another
    /// salt.
    pub(super) fn recycle(
        &self,
        disk: &dyn Disk,
        folder: &Path,
        spare: &Path,
    ) -> io::Result<Box<dyn DiskFile>> {
        let mut file = disk.open(spare)?;
        let mut bytes = self.encode();
        bytes.extend_from_slice(&END);
        file.write_at(0, &bytes)?;
        file.sync()?;
        disk.rename(spare, &path(folder, self.first))?;
        disk.sync_folder(folder)?;
        Ok(file)
    }
}

/// The name of the segment that begins with `first`.
pub(super) fn name(first: u64) -> String {
    format!("{first:020}{EXTENSION}")
}

/// The file of the segment that begins with `first`.
pub(super) fn path(folder: &Path, first: u64) -> PathBuf {
    folder.join(name(first))
}

/// The first sequence in a segment's file name; `None` for the name of anything else.
pub(super) fn first_of(name: &str) -> Option<u64> {
    name.strip_suffix(EXTENSION)?.parse().ok()
}

/// What becomes of the file of the segment that began with `first` when it may be used again.
pub(super) fn spare_path(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:020}{SPARE_EXTENSION}"))
}

/// Whether a file of this name waits to be used again.
pub(super) fn is_spare(name: &str) -> bool {
    name.ends_with(SPARE_EXTENSION)
}

/// What is known in memory of a segment.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    /// Its header.
    pub(super) header: Header,
    /// One more than the sequence of its last durable record.
    pub(super) next: u64,
    /// Where its last durable record ends, in bytes.
    pub(super) length: u64,
    /// What it takes on the disk, in bytes.
    pub(super) size: u64,
    /// Offsets of the damage that was already set aside.
    pub(super) damage: BTreeSet<u64>,
    /// Some of it could not be read or set aside, so the whole file goes to the quarantine: a person may recover more
    /// of it than this program.
    pub(super) keep: bool,
    /// A write or sync of it failed: its file is not used again.
    pub(super) failed: bool,
    /// How often reading it failed in a row.
    pub(super) read_failures: u32,
    /// Sequence and offset of one record in each [`INDEX_STEP`] bytes, ascending.
    index: Vec<(u64, u64)>,
}

impl Segment {
    /// A segment without records, in a file of `size` bytes.
    pub(super) fn new(header: Header, size: u64) -> Self {
        Self {
            header,
            next: header.first,
            length: SEGMENT_HEADER,
            size,
            damage: BTreeSet::new(),
            keep: false,
            failed: false,
            read_failures: 0,
            index: Vec::new(),
        }
    }

    /// Notes where a durable record stands. Called in the order of the records, or again.
    pub(super) fn note(&mut self, sequence: u64, offset: u64) {
        if self.index.last().is_none_or(|(_, last)| offset >= last + INDEX_STEP) {
            self.index.push((sequence, offset));
        }
    }

    /// The sequence and offset of a record at or shortly before `sequence`.
    pub(super) fn seek(&self, sequence: u64) -> (u64, u64) {
        let after = self.index.partition_point(|(noted, _)| *noted <= sequence);
        let noted = after.checked_sub(1).and_then(|at| self.index.get(at));
        noted.copied().unwrap_or((self.header.first, SEGMENT_HEADER))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_survives_the_loss_of_either_copy_and_not_of_both() {
        let header = Header::new(Uuid::new_v4(), 7);
        let whole = header.encode();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            assert_eq!(Header::parse(&bytes), Ok(header), "byte {at}");
            bytes[(at + COPY) % (2 * COPY)] ^= 0x10;
            assert_eq!(Header::parse(&bytes), Err(HeaderError::Damaged), "byte {at}");
        }
    }

    #[test]
    fn a_later_format_is_told_from_damage() {
        let mut copy = Header::new(Uuid::nil(), 1).encode();
        copy.truncate(CHECKED);
        copy[8] = 2;
        copy.extend_from_slice(&crc32c::crc32c(&copy).to_le_bytes());
        assert_eq!(Header::parse(&copy), Err(HeaderError::Newer(2)));
    }
}
