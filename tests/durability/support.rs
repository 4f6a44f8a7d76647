//! What the tests of this theme share.

use std::fs;
use std::path::{Path, PathBuf};

use skillspan::journal::{Config, Durability, Journal};

/// Bytes before a segment's first record, and before a record's payload: part of the format.
pub(crate) const SEGMENT_HEADER: usize = 128;
pub(crate) const RECORD_HEADER: usize = 20;

pub(crate) fn config(path: &Path) -> Config {
    Config { path: path.to_owned(), max_size: 1 << 20, segment_size: 4096, durability: Durability::Fsync }
}

pub(crate) fn open(path: &Path) -> Journal {
    Journal::open(config(path)).unwrap()
}

/// Everything from the cursor on.
pub(crate) fn read_all(journal: &Journal) -> Vec<(u64, Vec<u8>)> {
    let mut all = Vec::new();
    let mut from = journal.cursor();
    loop {
        let records = journal.read(from, 1000).unwrap();
        let Some(last) = records.last() else { return all };
        from = last.sequence + 1;
        all.extend(records.into_iter().map(|record| (record.sequence, record.payload.to_vec())));
    }
}

/// The segment files, oldest first.
pub(crate) fn segments(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "segment")).collect();
    paths.sort();
    paths
}

/// The names of the files in a folder, sorted; none if it is not there.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
