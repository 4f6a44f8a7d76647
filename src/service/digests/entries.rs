//! Entries of a file of digests: how they are written, and read in order or by their places.
//!
//! An entry is its length and the CRC-32C of its bytes, both as four bytes, the least first, and the
//! bytes: a [`postcard`] of [`Entry`].

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::super::workspace_key::WorkspaceKey;
use super::KeptGroup;
use super::byte_range::Span;
use super::index::{Indexed, IndexedGroup};
use crate::table::{Cursor, Difference, HashedJoinKeys};

/// So many bytes are read or written at once.
pub(super) const CHUNK: usize = 1 << 20;
/// The bytes of an entry's length and checksum.
const HEADER: usize = 8;
/// What lies between two entries is read with them where it is no more: another read would cost more.
const GAP: u64 = 32 << 10;

#[derive(Serialize, Deserialize)]
pub(super) enum Entry<'a> {
    Made(Made),
    Group(u64, Cow<'a, KeptGroup>),
    Gone(Vec<u64>),
    Seen(Cursor, BTreeSet<String>),
    Runs(Vec<Run>, Vec<u64>),
    More(Difference, Difference),
    Places(Vec<WorkspaceKey>),
    Indexed(Vec<Line>),
    /// How many groups there were, and their bytes.
    End(u64, u64),
}

/// The files that entries lie in, by their numbers.
pub(super) type Files = BTreeMap<u32, Arc<File>>;

/// The number of the log.
pub(super) const LOG: u32 = 0;

/// An entry as it is written.
pub(super) fn written(entry: &Entry<'_>) -> io::Result<Vec<u8>> {
    let mut bytes = postcard::to_extend(entry, vec![0; HEADER]).map_err(io::Error::other)?;
    let Some((header, content)) = bytes.split_first_chunk_mut::<HEADER>() else {
        return Err(io::Error::other("an entry has no header"));
    };
    let length = u32::try_from(content.len()).map_err(io::Error::other)?;
    let (for_length, for_checksum) = header.split_at_mut(HEADER / 2);
    for_length.copy_from_slice(&length.to_le_bytes());
    for_checksum.copy_from_slice(&crc32c::crc32c(content).to_le_bytes());
    Ok(bytes)
}

/// The entry that these bytes are, with their header; an error if they are not what was written.
pub(super) fn read(bytes: &[u8]) -> io::Result<Entry<'static>> {
    postcard::from_bytes(check(bytes)?).map_err(|_| damaged())
}

/// The bytes after the header, if their checksum is right.
fn check(bytes: &[u8]) -> io::Result<&[u8]> {
    let (header, content) = bytes.split_first_chunk::<HEADER>().ok_or_else(damaged)?;
    let (length, checksum) = parts(*header);
    let is_sound = content.len() == length as usize && crc32c::crc32c(content) == checksum;
    if is_sound { Ok(content) } else { Err(damaged()) }
}

pub(super) fn damaged() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "an entry of the file of digests is not what was written")
}

/// Length and checksum of the bytes behind a header.
fn parts(header: [u8; HEADER]) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = header;
    (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]))
}

/// The bytes of an entry, with its header, which are what was written.
pub(super) fn bytes_of(files: &Files, span: Span) -> io::Result<Vec<u8>> {
    let file = files.get(&span.file).ok_or_else(damaged)?;
    let mut bytes = vec![0; span.length as usize];
    file.read_exact_at(&mut bytes, span.offset)?;
    check(&bytes)?;
    Ok(bytes)
}

/// Gives the bytes of each entry of one file to `take`, in the order of their places in it.
pub(super) fn read_at(
    file: &File,
    mut spans: Vec<Span>,
    mut take: impl FnMut(Span, &[u8]) -> io::Result<()>,
) -> io::Result<()> {
    spans.sort_unstable();
    let mut left = spans.as_slice();
    let mut bytes = Vec::new();
    while let Some(first) = left.first() {
        let near = left.windows(2).take_while(|pair| {
            let [a, b] = pair else { return false };
            b.offset.saturating_sub(a.end()) <= GAP && b.end() - first.offset <= CHUNK as u64
        });
        let (together, rest) = left.split_at(near.count() + 1);
        let end = together.last().map_or(first.offset, |last| last.end());
        bytes.resize(usize::try_from(end - first.offset).map_err(io::Error::other)?, 0);
        file.read_exact_at(&mut bytes, first.offset)?;
        for span in together {
            let at = usize::try_from(span.offset - first.offset).map_err(io::Error::other)?;
            let entry = bytes.get(at..).and_then(|rest| rest.get(..span.length as usize));
            take(*span, entry.unwrap_or_default())?;
        }
        left = rest;
    }
    Ok(())
}

/// The entries of a file, up to one that was cut off or damaged.
pub(super) struct Entries {
    file: BufReader<File>,
    number: u32,
    /// The bytes that are left of it.
    left: u64,
    offset: u64,
    bytes: Vec<u8>,
}

impl Entries {
    pub(super) fn open(path: &Path, number: u32) -> Option<Self> {
        let file = File::open(path).ok()?;
        let left = file.metadata().ok()?.len();
        let file = BufReader::with_capacity(CHUNK, file);
        Some(Self { file, number, left, offset: 0, bytes: Vec::new() })
    }

    /// The file, to read entries by their places.
    pub(super) fn file(self) -> File {
        self.file.into_inner()
    }

    /// The next entry and its place.
    pub(super) fn next(&mut self) -> Option<(Entry<'static>, Span)> {
        let mut header = [0; HEADER];
        self.file.read_exact(&mut header).ok()?;
        let whole = parts(header).0.checked_add(HEADER as u32)?;
        self.left = self.left.checked_sub(u64::from(whole))?;
        self.bytes.resize(whole as usize, 0);
        let (first, rest) = self.bytes.split_first_chunk_mut::<HEADER>()?;
        *first = header;
        self.file.read_exact(rest).ok()?;
        let span = Span { offset: self.offset, length: whole, file: self.number };
        self.offset = span.end();
        Some((read(&self.bytes).ok()?, span))
    }
}

/// What made a file of digests: another program may have made them differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Made {
    /// The version of digests.
    pub(super) digests: u32,
    /// The version of the program.
    pub(super) program: String,
    /// The table.
    pub(super) table: String,
    /// The workspace of sessions that name none.
    pub(super) default_workspace: String,
    /// Of the hashes of join keys.
    #[serde(default)]
    pub(super) hashes: u64,
}

/// A run that a log builds upon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Run {
    /// No two files of a folder have one; the log is 0.
    pub(super) number: u32,
    pub(super) groups: u64,
    /// The bytes of its groups.
    pub(super) bytes: u64,
    /// The bytes of the file.
    pub(super) length: u64,
}

/// What the index has of a group.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) number: u64,
    #[serde(rename = "ties")]
    pub(super) join_keys: HashedJoinKeys,
    pub(super) offset: u64,
    pub(super) length: u32,
    pub(super) sessions: Box<[Indexed]>,
}

impl Line {
    pub(super) fn of(group: &IndexedGroup, span: Span) -> Self {
        let (join_keys, sessions) = (group.join_keys.clone(), group.sessions.clone());
        Self { number: group.number, join_keys, offset: span.offset, length: span.length, sessions }
    }
}
