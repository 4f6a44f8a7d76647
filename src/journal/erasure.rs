//! Erasing from the folders of a journal that nobody reads again: dead letters and quarantine.
//!
//! This may run beside a process, which only ever adds files there. A letter that is replayed meanwhile may stay: the
//! next replay appends it again, and readers of the table count its events once.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::document;
use super::state::{DEAD_LETTERS, QUARANTINE};
use crate::disk::{Disk, FileSystem};
use crate::event::{SessionEvent, decode_batch, encode_batch};

/// Larger than any record.
const LIMIT: u64 = 1 << 30;

/// What the folders held.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Remnants {
    /// Events that have left the dead letters.
    pub events: u64,
    /// Files that cannot be decoded and contain the name.
    pub unreadable: Vec<PathBuf>,
}

/// Takes the events that are `erased` out of the dead letters of the journal in `folder`, and names the
/// files that cannot be decoded and contain one of the `names`. Blocks.
pub fn erase_dead_letters(
    folder: &Path,
    erased: impl Fn(&SessionEvent) -> bool,
    names: &[&str],
) -> io::Result<Remnants> {
    let disk = FileSystem;
    let mut remnants = Remnants::default();
    for (below, is_record) in [(DEAD_LETTERS, true), (QUARANTINE, false)] {
        let below = folder.join(below);
        for file in files_in(&disk, &below)? {
            let path = below.join(&file);
            let bytes = disk.read_at(&path, 0, LIMIT)?;
            match decode_batch(&bytes) {
                Ok(mut batch) if is_record && file.ends_with(".record") => {
                    let before = batch.events.len();
                    batch.events.retain(|event| !erased(event));
                    let removed = before - batch.events.len();
                    if removed > 0 {
                        document::replace_bytes(&disk, &below, &file, &encode_batch(batch))?;
                        remnants.events += removed as u64;
                    }
                }
                _ if names.iter().any(|name| contains(&bytes, name)) => remnants.unreadable.push(path),
                _ => {}
            }
        }
    }
    Ok(remnants)
}

fn files_in(disk: &dyn Disk, folder: &Path) -> io::Result<Vec<String>> {
    match disk.list(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        listed => listed,
    }
}

fn contains(bytes: &[u8], name: &str) -> bool {
    memchr::memmem::find(bytes, name.as_bytes()).is_some()
}
