//! Remembers what was imported, so that a second import reads only what is new.
//!
//! ```text
//! <data folder>/skillspan/imports/<16 hex digits>/    0700; one for each table or collector
//!   files.json   what was read of each file
//!   origins      16 bytes a fact: hashes of where it is from and of its session
//! ```
//!
//! Both are only a memory: without them the next import reads everything again, and readers of the table count once
//! what it sends twice. `origins` tells a fork from what it was forked from; it holds no text.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::places::TranscriptFile;
use crate::disk::{Disk, FileSystem, write_durably};
use crate::event::{Timestamp, sha256_hex};

const FILES: &str = "files.json";
const ORIGINS: &str = "origins";
const VERSION: u32 = 1;
/// Facts whose origins are remembered: 160 MB.
const MAX_ORIGINS: usize = 10_000_000;
const ENTRY: usize = 16;

/// What was read of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Its size then, as it lay on the disk.
    pub size: u64,
    /// When it had been changed last, in microseconds since the epoch.
    pub modified: i64,
    /// The place behind the last line that was read, decompressed.
    pub end: u64,
    /// What stands before that place: a checksum of its beginning, and of its last bytes.
    pub head: u32,
    /// See there.
    pub tail: u32,
}

impl Seen {
    /// A file as it is, of which nothing more is remembered.
    pub fn of(file: &TranscriptFile) -> Self {
        Self { size: file.extent(), modified: file.modified.as_micros(), ..Self::default() }
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Document {
    version: u32,
    /// What it is the memory of, for people.
    of: String,
    files: BTreeMap<String, Seen>,
}

/// Why what is remembered cannot be.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct MemoryError {
    path: PathBuf,
    source: io::Error,
}

/// What was imported before to one place.
#[derive(Debug)]
pub struct Memory {
    folder: PathBuf,
    document: Document,
    origins: BTreeMap<u64, u64>,
    /// Not written yet.
    new: Vec<(u64, u64)>,
}

impl Memory {
    /// What is remembered below `root` of imports to a place.
    pub fn open(root: &Path, of: &str) -> Result<Self, MemoryError> {
        let folder = root.join(Self::folder_of(of));
        let document = read(&folder.join(FILES))?;
        let document: Document = serde_json::from_slice(&document).unwrap_or_default();
        // A later version may remember other things.
        let document = if document.version == VERSION { document } else { Document::default() };
        let document = Document { version: VERSION, of: of.to_owned(), ..document };
        let mut origins = BTreeMap::new();
        let bytes = read(&folder.join(ORIGINS))?;
        for entry in bytes.chunks_exact(ENTRY) {
            let (origin, session) = entry.split_at(ENTRY / 2);
            origins.entry(number(origin)).or_insert_with(|| number(session));
        }
        Ok(Self { folder, document, origins, new: Vec::new() })
    }

    /// The name of the folder in which is remembered what was imported to a place.
    pub fn folder_of(of: &str) -> String {
        sha256_hex(of, 8)
    }

    /// What was read of a file.
    pub fn seen(&self, path: &Path) -> Option<&Seen> {
        self.document.files.get(&*path.to_string_lossy())
    }

    /// Whether a file is, by its size and time, what it was when it was read.
    pub fn is_as_it_was(&self, path: &Path, size: u64, modified: Timestamp) -> bool {
        self.seen(path).is_some_and(|seen| seen.size == size && seen.modified == modified.as_micros())
    }

    /// Whether a fact from there is a copy of one that another session has; if not, it is this session's.
    pub fn is_copy(&mut self, origin: &str, session: &str) -> bool {
        if origin.is_empty() {
            return false;
        }
        let (origin, session) = (hash(origin), hash(session));
        match self.origins.get(&origin) {
            Some(known) => *known != session,
            None => {
                if self.origins.len() < MAX_ORIGINS {
                    self.origins.insert(origin, session);
                    self.new.push((origin, session));
                }
                false
            }
        }
    }

    /// Remembers a file of which everything was acknowledged.
    pub fn note(&mut self, path: &Path, seen: Seen) {
        self.document.files.insert(path.to_string_lossy().into_owned(), seen);
    }

    /// Writes down what is new.
    pub fn keep(&mut self) -> Result<(), MemoryError> {
        let error = |path: &Path| {
            let path = path.to_owned();
            move |source| MemoryError { path, source }
        };
        create(&self.folder).map_err(error(&self.folder))?;
        let path = self.folder.join(ORIGINS);
        let bytes: Vec<u8> = self
            .new
            .iter()
            .flat_map(|(origin, session)| [origin.to_le_bytes(), session.to_le_bytes()].concat())
            .collect();
        self.append(&path, &bytes).map_err(error(&path))?;
        self.new.clear();
        let (path, temporary) = (self.folder.join(FILES), self.folder.join("files.new"));
        let text = serde_json::to_vec(&self.document).map_err(io::Error::other).map_err(error(&path))?;
        write_durably(&FileSystem, &temporary, &text).map_err(error(&temporary))?;
        FileSystem.rename(&temporary, &path).map_err(error(&path))
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        // Half an entry of a process that was killed would move all that follow.
        let length = file.metadata()?.len();
        file.set_len(length - length % ENTRY as u64)?;
        file.write_all(bytes)
    }
}

/// Creates a folder in which memories are kept, for this user alone.
pub(super) fn create(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn read(path: &Path) -> Result<Vec<u8>, MemoryError> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(MemoryError { path: path.to_owned(), source }),
        read => read.map_err(|source| MemoryError { path: path.to_owned(), source }),
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn hash(text: &str) -> u64 {
    number(Sha256::digest(text.as_bytes()).get(..8).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_is_remembered_and_a_copy_is_told() {
        let root = tempfile::tempdir().unwrap();
        let mut memory = Memory::open(root.path(), "table").unwrap();
        assert!(!memory.is_copy("u1/prompt", "first"));
        assert!(memory.is_copy("u1/prompt", "fork"));
        assert!(!memory.is_copy("", "fork"));
        let seen = Seen { size: 7, modified: 8, end: 7, head: 1, tail: 2 };
        memory.note(Path::new("/a/b.jsonl"), seen.clone());
        memory.keep().unwrap();
        let mut again = Memory::open(root.path(), "table").unwrap();
        assert_eq!(again.seen(Path::new("/a/b.jsonl")), Some(&seen));
        assert!(!again.is_copy("u1/prompt", "first"));
        assert!(again.is_copy("u1/prompt", "fork"));
        let mut other = Memory::open(root.path(), "another table").unwrap();
        assert_eq!(other.seen(Path::new("/a/b.jsonl")), None);
        assert!(!other.is_copy("u1/prompt", "fork"));
    }

    #[test]
    fn half_an_entry_moves_no_other() {
        let root = tempfile::tempdir().unwrap();
        let mut memory = Memory::open(root.path(), "table").unwrap();
        memory.is_copy("one", "first");
        memory.keep().unwrap();
        let path = memory.folder.join(ORIGINS);
        fs::write(&path, [fs::read(&path).unwrap(), vec![9; 5]].concat()).unwrap();
        let mut memory = Memory::open(root.path(), "table").unwrap();
        memory.is_copy("two", "second");
        memory.keep().unwrap();
        let mut memory = Memory::open(root.path(), "table").unwrap();
        assert!(memory.is_copy("one", "x") && memory.is_copy("two", "x"));
        assert_eq!(fs::read(&path).unwrap().len(), 2 * ENTRY);
    }

    #[test]
    fn what_is_damaged_is_forgotten() {
        let root = tempfile::tempdir().unwrap();
        let mut memory = Memory::open(root.path(), "table").unwrap();
        memory.note(Path::new("/a"), Seen::default());
        memory.keep().unwrap();
        fs::write(memory.folder.join(FILES), b"{\"version\":1,\"fi").unwrap();
        assert_eq!(Memory::open(root.path(), "table").unwrap().seen(Path::new("/a")), None);
    }
}
