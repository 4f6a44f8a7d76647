//! What waits in spools, and what of it is to be forgotten.

use std::collections::BTreeSet;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::event::person;

use super::outlet::entries;
use super::{
    ENDPOINT, Entry, HEADER, PENDING, REFUSED, SENDING, Spool, SpoolError, TROUBLE, alone, failed, private,
    read_whole,
};

/// A process that sends is done by then.
const PATIENCE: Duration = Duration::from_secs(5);

/// What one spool holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The collector that it waits for.
    pub endpoint: String,
    /// Hooks' objects.
    pub entries: usize,
    /// Objects that were refused, or given up, since the spool was made.
    pub refused: usize,
    /// Why the last of them was, with the time.
    pub last_refusal: String,
    /// Why what waits could not be sent, with the time; `""` if nobody tried, or it could.
    pub trouble: String,
}

/// What waits below `root`.
///
/// # Errors
/// If a spool cannot be read.
pub fn waiting(root: &Path) -> Result<Vec<Waiting>, SpoolError> {
    let of = |spool: Spool| {
        let text = |name| fs::read_to_string(spool.folder.join(name)).unwrap_or_default();
        let counts = [PENDING, SENDING]
            .map(|name| Ok(read_whole(&spool.folder.join(name))?.map_or(0, |bytes| entries(&bytes).len())));
        let counts = counts.into_iter().collect::<Result<Vec<usize>, SpoolError>>()?;
        let refused = text(REFUSED);
        Ok(Waiting {
            endpoint: text(ENDPOINT).trim().to_owned(),
            entries: counts.into_iter().sum(),
            refused: refused.lines().count(),
            last_refusal: refused.lines().next_back().unwrap_or_default().to_owned(),
            trouble: text(TROUBLE).trim().to_owned(),
        })
    };
    spools(root)?.into_iter().map(of).collect()
}

/// Takes away every entry below `root` in which one of `names` stands as a value, and what cannot be
/// read as an entry and holds one. Returns how many.
///
/// # Errors
/// If a spool cannot be read or written, or a process does not stop sending.
pub fn erase(root: &Path, names: &BTreeSet<String>) -> Result<usize, SpoolError> {
    let mut erased = 0;
    for spool in spools(root)? {
        let _outlet = spool.lock(SENDING, Instant::now() + PATIENCE)?;
        for name in [PENDING, SENDING] {
            erased += erase_from(&spool.folder.join(name), names)?;
        }
    }
    Ok(erased)
}

fn erase_from(path: &Path, names: &BTreeSet<String>) -> Result<usize, SpoolError> {
    let file = match private().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(failed(path)(error)),
    };
    // Whoever comes to add meanwhile waits, and then adds to the file that takes this one's place.
    alone(&file, path, Instant::now() + PATIENCE)?;
    let Some(bytes) = read_whole(path)? else { return Ok(0) };
    let lines = bytes.get(HEADER.len()..).unwrap_or_default().split_inclusive(|byte| *byte == b'\n');
    let (forgotten, kept): (Vec<&[u8]>, Vec<&[u8]>) = lines.partition(|line| is_about(line, names));
    if forgotten.is_empty() {
        return Ok(0);
    }
    let temporary = path.with_extension("tmp");
    let written = private().write(true).create(true).truncate(true).open(&temporary).and_then(|mut file| {
        file.write_all(HEADER.as_bytes())?;
        file.write_all(&kept.concat())?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    });
    written.map_err(failed(path))?;
    Ok(forgotten.len())
}

fn is_about(line: &[u8], names: &BTreeSet<String>) -> bool {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let json = Entry::of_line(line).and_then(|entry| serde_json::from_str(&entry.json).ok());
    match json {
        Some(json) => holds(&json, names),
        None => names.iter().any(|name| memchr::memmem::find(line, name.as_bytes()).is_some()),
    }
}

fn holds(json: &Value, names: &BTreeSet<String>) -> bool {
    match json {
        // A person stands here as the client wrote them.
        Value::String(text) => {
            names.contains(text) || person::named(text).is_some_and(|name| names.contains(&name))
        }
        Value::Array(items) => items.iter().any(|item| holds(item, names)),
        Value::Object(fields) => fields.values().any(|field| holds(field, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn spools(root: &Path) -> Result<Vec<Spool>, SpoolError> {
    let listing = match fs::read_dir(root) {
        Ok(listing) => listing,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(root)(error)),
    };
    let mut folders: Vec<PathBuf> = listing
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join(ENDPOINT).exists())
        .collect();
    folders.sort();
    Ok(folders.into_iter().map(|folder| Spool { folder }).collect())
}
