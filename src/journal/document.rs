//! The journal's small files (cursor, plan): one JSON object under a line that names kind, format
//! version and checksum, replaced whole.
//!
//! ```text
//! skillspan-journal-cursor 1 9a3f00c2
//! {"journal_id":"…","next":42}
//! ```

use std::io;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::disk::Disk;

/// More than any document of ours takes; what is longer is none.
const LIMIT: u64 = 64 << 20;

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
    match disk.read_at(&folder.join(name), 0, LIMIT) {
        Ok(bytes) => Ok(parse(&bytes, name, format).unwrap_or(Document::Damaged)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Document::Absent),
        Err(error) => Err(error),
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8], kind: &str, format: u32) -> Option<Document<T>> {
    let (title, body) = std::str::from_utf8(bytes).ok()?.split_once('\n')?;
    let (named, checksum) = title.rsplit_once(' ')?;
    if u32::from_str_radix(checksum, 16).ok()? != crc(named, body) {
        return None;
    }
    let (named, written) = named.rsplit_once(' ')?;
    let written = written.parse::<u32>().ok()?;
    if named != format!("skillspan-journal-{kind}") {
        return None;
    }
    if written > format {
        return Some(Document::Newer(written));
    }
    serde_json::from_str(body).ok().map(Document::Whole)
}

/// Replaces `name` in `folder` atomically; durable when it returns.
pub(super) fn replace<T: Serialize>(
    disk: &dyn Disk,
    folder: &Path,
    name: &str,
    format: u32,
    content: &T,
) -> io::Result<()> {
    let body = serde_json::to_string(content)?;
    let named = format!("skillspan-journal-{name} {format}");
    let text = format!("{named} {:08x}\n{body}", crc(&named, &body));
    replace_bytes(disk, folder, name, text.as_bytes())
}

/// Writes `bytes` under a temporary name and gives them the name `name`; durable when it returns.
pub(super) fn replace_bytes(disk: &dyn Disk, folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let temporary = folder.join(format!("{name}.tmp"));
    let mut file = disk.create(&temporary)?;
    file.write_all(bytes)?;
    file.sync()?;
    disk.rename(&temporary, &folder.join(name))?;
    disk.sync_folder(folder)
}

fn crc(named: &str, body: &str) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(named.as_bytes()), body.as_bytes())
}
