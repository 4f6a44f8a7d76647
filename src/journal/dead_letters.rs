//! Records that no exporter could use: list them, or try them again.

use std::io;
use std::path::{Path, PathBuf};

use super::state::DEAD_LETTERS;
use super::{AppendError, Journal};
use crate::disk::{Disk, FileSystem};

const RECORD: &str = ".record";
const REASON: &str = ".reason.txt";

/// A record that could not be exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The file with its payload.
    pub path: PathBuf,
    /// Its sequence, taken from the file's name.
    pub name: String,
    /// Bytes of its payload.
    pub bytes: u64,
    /// Why it could not be exported.
    pub reason: String,
}

/// Why a dead letter could not be replayed. It stays a dead letter.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Its file cannot be read or removed.
    #[error("dead letter {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
    /// The journal refused it.
    #[error(transparent)]
    Append(#[from] AppendError),
}

/// The dead letters of the journal in `folder`, oldest first. The journal may be in use.
pub fn dead_letters(folder: &Path) -> io::Result<Vec<DeadLetter>> {
    let disk = FileSystem;
    let folder = folder.join(DEAD_LETTERS);
    let mut names = match disk.list(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        names => names?,
    };
    names.sort();
    let letter = |name: &str| {
        let path = folder.join(format!("{name}{RECORD}"));
        let reason = disk.read_at(&folder.join(format!("{name}{REASON}")), 0, u64::MAX).unwrap_or_default();
        let reason = String::from_utf8_lossy(&reason).trim().to_owned();
        Ok(DeadLetter { bytes: disk.size(&path)?, path, name: name.to_owned(), reason })
    };
    names.iter().filter_map(|name| name.strip_suffix(RECORD)).map(letter).collect()
}

impl Journal {
    /// Appends a dead letter's payload as a new record and removes the letter. A process that dies in between leaves
    /// both. The next replay then appends the payload again, and readers of the table count its events once.
    pub async fn replay(&self, letter: &DeadLetter) -> Result<u64, ReplayError> {
        let failed = |source| ReplayError::Io { path: letter.path.clone(), source };
        let payload = FileSystem.read_at(&letter.path, 0, u64::MAX).map_err(failed)?;
        let sequence = self.append(payload).await?;
        FileSystem.remove(&letter.path).map_err(failed)?;
        let reason = letter.path.with_file_name(format!("{}{REASON}", letter.name));
        match FileSystem.remove(&reason) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
            _ => Ok(sequence),
        }
    }
}
