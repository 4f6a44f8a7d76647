//! The journal's small files (cursor, plan): one JSON object under a line that names kind, format
//! version, length and checksum, replaced whole.
//!
//! ```text
//! skillspan-journal-cursor 1 59 9a3f00c2
//! {"journal_id":"…","next":42}
//! ```
//! A second copy begins at the next multiple of 4096 bytes, with zeros between, so a bad sector or a flipped bit
//! damages only one of them.

use std::io;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::disk::{Disk, read_salvaging, write_durably};

/// Larger than any of our documents; a longer file is not one.
const LIMIT: u64 = 64 << 20;
/// Where the second copy may begin.
const ALIGNMENT: usize = 4096;

/// What a file turned out to hold.
#[derive(Debug)]
pub(super) enum Document<T> {
    /// There is no such file.
    Absent,
    /// What was written.
    Whole(T),
    /// Neither this nor an earlier version wrote this.
    Damaged,
    /// A later version wrote it.
    Newer(u32),
}

/// Reads `name` in `folder`, a document of `kind` in format `format` or older.
pub(super) fn read<T: DeserializeOwned>(
    disk: &dyn Disk,
    folder: &Path,
    name: &str,
    format: u32,
) -> io::Result<Document<T>> {
    match read_salvaging(disk, &folder.join(name), 0, LIMIT) {
        Ok((bytes, _)) => Ok(parse(&bytes, name, format)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Document::Absent),
        Err(error) => Err(error),
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8], kind: &str, format: u32) -> Document<T> {
    let starts = (0..bytes.len()).step_by(ALIGNMENT);
    let mut copies = starts.filter_map(|start| parse_copy(bytes.get(start..)?, kind, format));
    copies.next().unwrap_or(Document::Damaged)
}

fn parse_copy<T: DeserializeOwned>(bytes: &[u8], kind: &str, format: u32) -> Option<Document<T>> {
    let end_of_title = bytes.iter().take(ALIGNMENT).position(|byte| *byte == b'\n')?;
    let (title, rest) = bytes.split_at_checked(end_of_title)?;
    let (named, checksum) = std::str::from_utf8(title).ok()?.rsplit_once(' ')?;
    let (kind_and_format, length) = named.rsplit_once(' ')?;
    let body = rest.get(1..)?.get(..length.parse().ok()?)?;
    if u32::from_str_radix(checksum, 16).ok()? != crc(named, body) {
        return None;
    }
    let (found_kind, written) = kind_and_format.rsplit_once(' ')?;
    let written = written.parse::<u32>().ok()?;
    if found_kind != format!("skillspan-journal-{kind}") {
        return None;
    }
    if written > format {
        return Some(Document::Newer(written));
    }
    serde_json::from_slice(body).ok().map(Document::Whole)
}

/// Replaces `name` in `folder` atomically; durable when it returns.
pub(super) fn replace<T: Serialize>(
    disk: &dyn Disk,
    folder: &Path,
    name: &str,
    format: u32,
    content: &T,
) -> io::Result<()> {
    let body = serde_json::to_vec(content)?;
    let named = format!("skillspan-journal-{name} {format} {}", body.len());
    let mut bytes = format!("{named} {:08x}\n", crc(&named, &body)).into_bytes();
    bytes.extend_from_slice(&body);
    let copy = bytes.clone();
    bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
    bytes.extend_from_slice(&copy);
    replace_bytes(disk, folder, name, &bytes)
}

/// Writes `bytes` under a temporary name and gives them the name `name`; durable when it returns.
pub(super) fn replace_bytes(disk: &dyn Disk, folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    place(disk, folder, name, bytes)?;
    disk.sync_folder(folder)
}

/// Writes `bytes`, durably, under a name that is not durable before the folder is synced.
pub(super) fn place(disk: &dyn Disk, folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let temporary = folder.join(format!("{name}.tmp"));
    write_durably(disk, &temporary, bytes)?;
    disk.rename(&temporary, &folder.join(name))
}

fn crc(named: &str, body: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(named.as_bytes()), body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::FileSystem;

    #[test]
    fn a_document_survives_a_flipped_bit_and_a_lost_block() {
        let folder = tempfile::tempdir().unwrap();
        let content = vec!["x".repeat(5000), "y".to_owned()];
        replace(&FileSystem, folder.path(), "list", 1, &content).unwrap();
        let whole = std::fs::read(folder.path().join("list")).unwrap();
        let is_whole = |bytes: &[u8]| {
            let found: Document<Vec<String>> = parse(bytes, "list", 1);
            matches!(found, Document::Whole(found) if content == found)
        };
        assert!(is_whole(&whole));
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 4;
            assert!(is_whole(&bytes), "byte {at}");
        }
        for block in 0..whole.len().div_ceil(ALIGNMENT) {
            let mut bytes = whole.clone();
            let end = whole.len().min((block + 1) * ALIGNMENT);
            bytes[block * ALIGNMENT..end].fill(0xff);
            assert!(is_whole(&bytes), "block {block}");
        }
    }
}
