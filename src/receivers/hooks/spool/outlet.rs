//! Taking entries out of a spool: one process at a time, acknowledged ones only.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::{Entry, HEADER, PENDING, SENDING, Spool, SpoolError, alone, failed, private, read_whole};

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
        Self { spool, _lock: lock, loaded: None, alone: false }
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

    /// What an earlier sender left, or else what has come since.
    fn load(&mut self) -> Result<Option<Vec<(u64, Entry)>>, SpoolError> {
        let path = self.path();
        for _ in 0..2 {
            if let Some(bytes) = self.read_sending()? {
                let entries = entries(&bytes);
                if !entries.is_empty() {
                    return Ok(Some(entries));
                }
                fs::remove_file(&path).map_err(failed(&path))?;
            }
            if !self.take_pending()? {
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

    /// `pending` becomes `sending`; whether there was anything.
    fn take_pending(&self) -> Result<bool, SpoolError> {
        let pending = self.spool.folder.join(PENDING);
        match fs::rename(&pending, self.path()) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(failed(&pending)(error)),
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
