//! Taking entries out of a spool: one process at a time, acknowledged ones only.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::{
    Entry, HEADER, MAX_BYTES, PENDING, SENDING, Spool, SpoolError, UNKNOWN, alone, append, failed,
    has_header, private, read_whole,
};

/// Bytes of entries that are sent together.
const MAX_BATCH: usize = 512 << 10;
/// How long is waited for who adds an entry.
const PATIENCE: Duration = Duration::from_millis(50);

/// The right to take entries out of a spool, until it is dropped.
#[derive(Debug)]
pub struct Outlet {
    spool: Spool,
    _lock: File,
    /// What `sending` holds, with the place where each entry's line begins; `None`: not looked yet.
    loaded: Option<Vec<(u64, Entry)>>,
    alone: bool,
    /// Whether `unknown` was taken: what comes to it now waits for the next outlet.
    has_taken_unknown: bool,
}

/// Entries of one assistant that are sent together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Whose hooks.
    pub assistant: String,
    /// One object a line.
    pub lines: String,
    /// How many.
    pub entries: usize,
}

impl Outlet {
    pub(super) fn new(spool: Spool, lock: File) -> Self {
        Self { spool, _lock: lock, loaded: None, alone: false, has_taken_unknown: false }
    }

    /// What to send next; `None` if nothing waits.
    ///
    /// # Errors
    /// If the files cannot be read.
    pub fn next_batch(&mut self) -> Result<Option<Batch>, SpoolError> {
        let entries = match self.loaded.take() {
            Some(entries) if !entries.is_empty() => entries,
            _ => match self.load()? {
                Some(entries) => entries,
                None => return Ok(None),
            },
        };
        let taken = self.count(&entries);
        let batch = entries.get(entries.len() - taken..).unwrap_or_default();
        let lines = batch.iter().map(|(_, entry)| format!("{}\n", entry.json)).collect();
        let assistant = batch.first().map(|(_, entry)| entry.assistant.clone()).unwrap_or_default();
        self.loaded = Some(entries);
        Ok(Some(Batch { assistant, lines, entries: taken }))
    }

    /// The batch of the last [`Outlet::next_batch`] has arrived, or never will: it is not sent again.
    ///
    /// # Errors
    /// If it cannot be taken away; it is sent again then, which changes nothing.
    pub fn done(&mut self, batch: &Batch) -> Result<(), SpoolError> {
        let path = self.path();
        let Some(entries) = &mut self.loaded else { return Ok(()) };
        entries.truncate(entries.len().saturating_sub(batch.entries));
        // Behind the last entry that is left, whatever stood there.
        match entries.last() {
            None => fs::remove_file(&path).map_err(failed(&path)),
            Some((begins, entry)) => {
                let length = begins + entry.to_line().len() as u64;
                let file = private().write(true).open(&path).map_err(failed(&path))?;
                file.set_len(length).map_err(failed(&path))
            }
        }
    }

    /// The collector does not know the assistant of the last batch: its entries wait apart, so that those of other
    /// assistants go on. A later outlet sends them again, last of all.
    ///
    /// # Errors
    /// If they cannot be put there, or there is no room; they stay where they are then. A crash in between leaves an
    /// entry in both: sent twice, it is the same event.
    pub fn set_aside(&mut self, batch: &Batch) -> Result<(), SpoolError> {
        let path = self.spool.folder.join(UNKNOWN);
        let entries = self.loaded.as_deref().unwrap_or_default();
        let last = entries.get(entries.len().saturating_sub(batch.entries)..).unwrap_or_default();
        let lines: String =
            last.iter().map(|(_, entry)| format!("{}\n", entry.to_line().trim_end())).collect();
        let file = private().read(true).append(true).create(true).open(&path).map_err(failed(&path))?;
        let length = file.metadata().map_err(failed(&path))?.len();
        if length + lines.len() as u64 > MAX_BYTES {
            return Err(SpoolError::Full { folder: self.spool.folder.clone() });
        }
        let before = match length {
            0 => HEADER,
            _ if has_header(&file).map_err(failed(&path))? => "\n",
            _ => return Err(SpoolError::Format { path }),
        };
        append(&file, format!("{before}{lines}").as_bytes()).map_err(failed(&path))?;
        self.done(batch)
    }

    /// From here on every entry is a batch of its own, because an entry of a batch was refused.
    pub fn one_by_one(&mut self) {
        self.alone = true;
    }

    /// Keeps that an entry was given up, and why.
    pub fn note_refusal(&self, reason: &str) {
        // That the refusal cannot be kept either is no news.
        let _ = self.spool.note_refusal(reason);
    }

    fn path(&self) -> PathBuf {
        self.spool.folder.join(SENDING)
    }

    /// How many entries at the end are of one assistant and not too large together.
    fn count(&self, entries: &[(u64, Entry)]) -> usize {
        let Some((_, last)) = entries.last() else { return 0 };
        if self.alone {
            return 1;
        }
        let mut bytes = 0;
        let fits = |(_, entry): &&(u64, Entry)| {
            bytes += entry.json.len();
            entry.assistant == last.assistant && bytes <= MAX_BATCH
        };
        entries.iter().rev().take_while(fits).count().max(1)
    }

    /// The entries that an earlier sender left; if there are none, those that came since.
    fn load(&mut self) -> Result<Option<Vec<(u64, Entry)>>, SpoolError> {
        let path = self.path();
        for _ in 0..3 {
            if let Some(bytes) = self.read_sending()? {
                let entries = entries(&bytes);
                if !entries.is_empty() {
                    return Ok(Some(entries));
                }
                fs::remove_file(&path).map_err(failed(&path))?;
            }
            if !self.take(PENDING)? && !self.take_unknown()? {
                return Ok(None);
            }
        }
        Ok(None)
    }

    /// The whole of `sending`, once those have ended that had opened it when it was `pending`.
    fn read_sending(&self) -> Result<Option<Vec<u8>>, SpoolError> {
        let path = self.path();
        let file = match private().read(true).write(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(&path)(error)),
        };
        alone(&file, &path, Instant::now() + PATIENCE)?;
        read_whole(&path)
    }

    /// `unknown` becomes `sending`, once; whether there was anything.
    fn take_unknown(&mut self) -> Result<bool, SpoolError> {
        Ok(!std::mem::replace(&mut self.has_taken_unknown, true) && self.take(UNKNOWN)?)
    }

    /// A file becomes `sending`; whether there was anything.
    fn take(&self, name: &str) -> Result<bool, SpoolError> {
        let file = self.spool.folder.join(name);
        match fs::rename(&file, self.path()) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(failed(&file)(error)),
        }
    }
}

/// The whole entries of a file with the places of their lines.
pub(super) fn entries(bytes: &[u8]) -> Vec<(u64, Entry)> {
    let mut found = Vec::new();
    let mut at = HEADER.len();
    for line in bytes.get(at..).unwrap_or_default().split(|byte| *byte == b'\n') {
        found.extend(Entry::of_line(line).map(|entry| (at as u64, entry)));
        at += line.len() + 1;
    }
    found
}
