//! What waits in spools, what of it is to be forgotten, and what goes with another credential.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::event::person;

use super::outlet::entries;
use super::{
    ENDPOINT, Entry, HEADER, HOLDING, REFUSED, SENDING, Spool, SpoolError, TROUBLE, alone, failed, private,
    read_whole,
};

/// A process that sends is done by then.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a collector's refusal of the credential looks like in [`Waiting::trouble`].
const UNKNOWN_CREDENTIAL: &str = "answered 401";
/// The reason that `status` shows once no hook sends any more.
const DISCONNECTED: &str = "its hooks were taken out by `skillspan connect … --remove`";

/// What one spool holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Where it is.
    pub folder: PathBuf,
    /// The collector that it waits for.
    pub endpoint: String,
    /// Hooks' objects.
    pub entries: usize,
    /// The same by assistant, as the door's path names it.
    pub of: BTreeMap<String, usize>,
    /// Objects that were refused, or given up, since the spool was made.
    pub refused: usize,
    /// Why the last of them was, with the time.
    pub last_refusal: String,
    /// Why the waiting events could not be sent, with the time; `""` after a success or before the first attempt.
    pub trouble: String,
}

impl Waiting {
    /// Whether the collector does not know the credential that this is sent with.
    pub fn is_of_unknown_credential(&self) -> bool {
        self.trouble.contains(UNKNOWN_CREDENTIAL)
    }

    /// Whether its hooks were taken out, so that nobody sends it.
    pub fn is_left_behind(&self) -> bool {
        self.trouble.contains(DISCONNECTED)
    }
}

/// What waits below `root`.
///
/// # Errors
/// If a spool cannot be read.
pub fn waiting(root: &Path) -> Result<Vec<Waiting>, SpoolError> {
    spools(root)?.iter().map(Spool::waiting).collect()
}

impl Spool {
    fn waiting(&self) -> Result<Waiting, SpoolError> {
        let text = |name| fs::read_to_string(self.folder.join(name)).unwrap_or_default();
        let mut of = BTreeMap::new();
        for name in HOLDING {
            let bytes = read_whole(&self.folder.join(name))?.unwrap_or_default();
            for (_, entry) in entries(&bytes) {
                *of.entry(entry.assistant).or_default() += 1;
            }
        }
        let refused = text(REFUSED);
        Ok(Waiting {
            folder: self.folder.clone(),
            endpoint: text(ENDPOINT).trim().to_owned(),
            entries: of.values().sum(),
            of,
            refused: refused.lines().count(),
            last_refusal: refused.lines().next_back().unwrap_or_default().to_owned(),
            trouble: text(TROUBLE).trim().to_owned(),
        })
    }

    /// Takes over what waits of `assistant` for the same collector with another credential: with `earlier`, which
    /// was its credential so far, with one that the collector does not know, or with one that nobody has any more.
    /// What other assistants left stays. Returns how many entries.
    ///
    /// A crash in between leaves an entry in both: sent twice, it is the same event.
    ///
    /// # Errors
    /// If a spool cannot be read or written, a process does not stop sending, or there is no room.
    pub fn take_over(
        &self,
        root: &Path,
        endpoint: &str,
        assistant: &str,
        earlier: &Self,
    ) -> Result<usize, SpoolError> {
        let mut taken = 0;
        for other in spools(root)?.into_iter().filter(|other| other.folder != self.folder) {
            let found = other.waiting()?;
            let is_meant =
                other.folder == earlier.folder || found.is_of_unknown_credential() || found.is_left_behind();
            if found.endpoint != endpoint || !is_meant || !found.of.contains_key(assistant) {
                continue;
            }
            self.create(endpoint)?;
            let _outlet = other.lock(SENDING, Instant::now() + PATIENCE)?;
            for name in HOLDING {
                let is_its = |line: &[u8]| entry_of(line).is_some_and(|entry| entry.assistant == assistant);
                let keep = |lines: &[&[u8]]| {
                    let mut entries = lines.iter().filter_map(|line| entry_of(line));
                    entries.try_for_each(|entry| self.add(&entry, Instant::now() + PATIENCE))
                };
                taken += take_out(&other.folder.join(name), is_its, keep)?;
            }
        }
        Ok(taken)
    }
}

/// Notes that nothing sends the waiting entries of `assistant` any more. Returns what waits, and where.
///
/// # Errors
/// If a spool cannot be read.
pub fn leave_behind(root: &Path, assistant: &str) -> Result<Vec<Waiting>, SpoolError> {
    let mut left = Vec::new();
    for spool in spools(root)? {
        let found = spool.waiting()?;
        let Some(entries) = found.of.get(assistant).copied() else { continue };
        if found.of.len() == 1 {
            // Where this cannot be kept, `status` says what the last try met.
            let _ = spool.note_trouble(Some(DISCONNECTED));
        }
        left.push(Waiting { entries, ..found });
    }
    Ok(left)
}

/// Takes away every entry below `root` in which one of `names`, or `person` in whichever way they are written, stands
/// as a value, and what cannot be read as an entry and holds one of the names. Returns how many.
///
/// # Errors
/// If a spool cannot be read or written, or a process does not stop sending.
pub fn erase(root: &Path, names: &BTreeSet<String>, person: Option<&str>) -> Result<usize, SpoolError> {
    let mut erased = 0;
    for spool in spools(root)? {
        let _outlet = spool.lock(SENDING, Instant::now() + PATIENCE)?;
        for name in HOLDING {
            erased += take_out(&spool.folder.join(name), |line| is_about(line, names, person), |_| Ok(()))?;
        }
    }
    Ok(erased)
}

/// Takes the lines that are meant out of a file of entries, after `keep` has seen them. Returns how many.
fn take_out(
    path: &Path,
    is_meant: impl Fn(&[u8]) -> bool,
    keep: impl FnOnce(&[&[u8]]) -> Result<(), SpoolError>,
) -> Result<usize, SpoolError> {
    let file = match private().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(failed(path)(error)),
    };
    // A process that wants to add meanwhile waits, and then adds to the file that replaces this one.
    alone(&file, path, Instant::now() + PATIENCE)?;
    let Some(bytes) = read_whole(path)? else { return Ok(0) };
    let lines = bytes.get(HEADER.len()..).unwrap_or_default().split_inclusive(|byte| *byte == b'\n');
    let (taken, kept): (Vec<&[u8]>, Vec<&[u8]>) = lines.partition(|line| is_meant(line));
    if taken.is_empty() {
        return Ok(0);
    }
    keep(&taken)?;
    let temporary = path.with_extension("tmp");
    let written = private().write(true).create(true).truncate(true).open(&temporary).and_then(|mut file| {
        file.write_all(HEADER.as_bytes())?;
        file.write_all(&kept.concat())?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    });
    written.map_err(failed(path))?;
    Ok(taken.len())
}

fn entry_of(line: &[u8]) -> Option<Entry> {
    Entry::of_line(line.strip_suffix(b"\n").unwrap_or(line))
}

/// No person is stored under a longer name.
const LONGEST_NAME: usize = 512;

fn is_about(line: &[u8], names: &BTreeSet<String>, person: Option<&str>) -> bool {
    let json = entry_of(line).and_then(|entry| serde_json::from_str(&entry.json).ok());
    match json {
        Some(json) => holds(&json, names, person),
        None => names.iter().any(|name| memchr::memmem::find(line, name.as_bytes()).is_some()),
    }
}

fn holds(json: &Value, names: &BTreeSet<String>, person: Option<&str>) -> bool {
    match json {
        // A person stands here as the client wrote them.
        Value::String(text) => {
            names.contains(text)
                || person
                    .is_some_and(|person| text.len() <= LONGEST_NAME && person::is_same(person, text, ""))
        }
        Value::Array(items) => items.iter().any(|item| holds(item, names, person)),
        Value::Object(fields) => fields.values().any(|field| holds(field, names, person)),
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
