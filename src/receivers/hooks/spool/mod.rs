//! Events of hooks that no collector has yet, on the machine of the assistant.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | [`Spool`]: one collector's entries; adding to them |
//! | `entry.rs` | [`Entry`]: one hook's object, and the line that it is |
//! | `outlet.rs` | [`Outlet`]: taking entries out, for one process at a time |
//! | `attendance.rs` | [`Attendance`]: a collector that takes what comes |
//! | `upkeep.rs` | what waits, what is to be forgotten, and what goes with another credential |
//!
//! A hook's process adds its entry before it sends anything. If a collector empties the spool, that is all. Otherwise
//! the process tries to become the one that sends for all; if another has that role, it is done. So a burst of hooks
//! becomes a few requests, and a process killed at any point loses nothing that it added.
//!
//! # On disk
//!
//! ```text
//! <data folder>/skillspan/hooks/            0700
//!   redaction.key                           what keeps equal secrets comparable
//!   <16 hex digits>/                        one collector and credential: SHA-256 of `endpoint NUL token`
//!     endpoint                              the collector's address, for people
//!     pending                               entries, locked by those that add
//!     sending, sending.lock                 entries that are being sent, and by whom
//!     unknown                               entries of assistants that the collector did not know; sent last
//!     attended.lock                         held by a collector that takes what comes
//!     refused                               a line for each that found no room, with its time
//!     trouble                               why what waits could not be sent at the last try, with its time
//! ```
//!
//! `pending` and `sending` begin with the line `skillspan-hooks/1` (the digit is the format's version;
//! a file of another version is left alone), then an entry a line:
//!
//! ```text
//! <CRC-32C of what follows the space, 8 hex digits> <assistant> <JSON object, redacted>
//! ```
//!
//! Invariants:
//! - An entry is redacted before it is one. Tokens are never written.
//! - What waits goes with the credential that it came with, and with another only when a person writes that one for
//!   its assistant.
//! - Whoever adds an entry shares the lock of the file `pending` and appends with one write, between line
//!   breaks: those that add do not wait for one another. `sending` changes under `sending.lock`; the
//!   kernel takes a lock from a process that ends.
//! - `pending` becomes `sending` by its name alone, and is read when those have ended that had opened it
//!   before: it is locked for one alone. Who comes to the lock later sees that the file has another name,
//!   and begins the next `pending`.
//! - A line that was cut by a crash fails its checksum and is passed over, as empty lines and a second
//!   header are.
//! - What was acknowledged is cut off the end of `sending`. A crash in between sends it again, byte for
//!   byte, and it is the same event again.
//! - At most [`MAX_BYTES`] wait in each of the three files, and what is added while others add; what comes
//!   then is refused, and its refusal kept. Nothing that waits is thrown away for it.
//! - A hook looks for an attendance after it has added its entry, and a collector looks for entries once
//!   more after it has given up its attendance: one of the two sees the entry.
//! - Nothing is synced: a power failure may take the last seconds, as it takes the assistant's own.

mod attendance;
mod entry;
mod outlet;
mod upkeep;

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::event::{Timestamp, sha256_hex};

pub use attendance::Attendance;
pub use entry::Entry;
pub use outlet::{Batch, Outlet};
pub use upkeep::{Waiting, erase, leave_behind, waiting};

/// Bytes that may wait to be sent, in each of the three files.
const MAX_BYTES: u64 = 16 << 20;
/// Refusals that are kept are enough to see what happened.
const MAX_REFUSALS: u64 = 64 << 10;
/// How the files begin.
const HEADER: &str = "skillspan-hooks/1\n";
/// The pause between two tries for the lock, which a writer holds for one write.
const PAUSE: Duration = Duration::from_millis(1);

const PENDING: &str = "pending";
const SENDING: &str = "sending";
const UNKNOWN: &str = "unknown";
/// The files that hold entries.
const HOLDING: [&str; 3] = [PENDING, SENDING, UNKNOWN];
const REFUSED: &str = "refused";
const TROUBLE: &str = "trouble";
const ENDPOINT: &str = "endpoint";

/// Why entries cannot be added or taken out.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// There is no room.
    #[error("{}: {MAX_BYTES} bytes of hooks wait for the collector already; start it", folder.display())]
    Full {
        /// The spool's folder.
        folder: PathBuf,
    },
    /// A process holds the lock and does not let go of it.
    #[error("{}: another process holds the lock", path.display())]
    Locked {
        /// The lock.
        path: PathBuf,
    },
    /// The file is of another version.
    #[error("{}: its format is not the one of this version; let the version that wrote it send it, or remove it", path.display())]
    Format {
        /// The file.
        path: PathBuf,
    },
    /// The file system.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> SpoolError + '_ {
    move |source| SpoolError::Io { path: path.to_owned(), source }
}

/// Where spools are, below a folder of data such as `~/.local/share`.
pub fn folder(data: &Path) -> PathBuf {
    data.join("skillspan/hooks")
}

/// The entries for one collector, sent with one credential.
#[derive(Debug, Clone)]
pub struct Spool {
    folder: PathBuf,
}

impl Spool {
    /// The spool below `root` for what is sent to `endpoint` with `token` (`""`: none). It need not be
    /// there yet.
    pub fn of(root: &Path, endpoint: &str, token: &str) -> Self {
        let name = sha256_hex(format!("{}\0{token}", endpoint.trim_end_matches('/')), 8);
        Self { folder: root.join(name) }
    }

    /// Creates the folder, for this user alone, and notes whose entries it has.
    ///
    /// # Errors
    /// If the file system does not allow it.
    pub fn create(&self, endpoint: &str) -> Result<(), SpoolError> {
        let note = self.folder.join(ENDPOINT);
        if note.exists() {
            return Ok(());
        }
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder).map_err(failed(&self.folder))?;
        let mut file =
            private().write(true).create(true).truncate(true).open(&note).map_err(failed(&note))?;
        writeln!(file, "{endpoint}").map_err(failed(&note))
    }

    /// Adds an entry; waits until `deadline` for who takes all entries for itself.
    ///
    /// # Errors
    /// If there is no room, or no way to write. The entry is not in the spool then.
    pub fn add(&self, entry: &Entry, deadline: Instant) -> Result<(), SpoolError> {
        let path = self.folder.join(PENDING);
        let file = shared(&path, deadline)?;
        let length = file.metadata().map_err(failed(&path))?.len();
        let line = entry.to_line();
        if length + line.len() as u64 > MAX_BYTES {
            return Err(SpoolError::Full { folder: self.folder.clone() });
        }
        let before = match length {
            0 => HEADER,
            _ if has_header(&file).map_err(failed(&path))? => "\n",
            _ => return Err(SpoolError::Format { path }),
        };
        append(&file, format!("{before}{line}").as_bytes()).map_err(failed(&path))
    }

    /// Keeps that something was refused, and why; never what it was.
    ///
    /// # Errors
    /// If that cannot be written.
    pub fn note_refusal(&self, reason: &str) -> io::Result<()> {
        let mut file = private().append(true).create(true).open(self.folder.join(REFUSED))?;
        if file.metadata()?.len() < MAX_REFUSALS {
            file.write_all(format!("{} {reason}\n", Timestamp::now()).as_bytes())?;
        }
        Ok(())
    }

    /// Keeps why what waits could not be sent; `None`: it could.
    ///
    /// # Errors
    /// If that cannot be written.
    pub fn note_trouble(&self, reason: Option<&str>) -> io::Result<()> {
        let path = self.folder.join(TROUBLE);
        match reason {
            Some(reason) => {
                let mut file = private().write(true).create(true).truncate(true).open(path)?;
                file.write_all(format!("{} {reason}\n", Timestamp::now()).as_bytes())
            }
            None => match std::fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            },
        }
    }

    /// Whether anything may wait. Looking takes no lock.
    pub fn may_have_entries(&self) -> bool {
        HOLDING.iter().any(|name| self.folder.join(name).exists())
    }

    /// The right to take entries out; `None` if another process has it.
    ///
    /// # Errors
    /// If the file system does not allow it.
    pub fn outlet(&self) -> Result<Option<Outlet>, SpoolError> {
        match self.lock(SENDING, Instant::now()) {
            Ok(lock) => Ok(Some(Outlet::new(self.clone(), lock))),
            Err(SpoolError::Locked { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// An exclusive lock on a file of its own.
    fn lock(&self, name: &str, deadline: Instant) -> Result<File, SpoolError> {
        let path = self.folder.join(format!("{name}.lock"));
        let file = private().create(true).truncate(false).write(true).open(&path).map_err(failed(&path))?;
        alone(&file, &path, deadline)?;
        Ok(file)
    }
}

/// Locks `file` for one alone, until it is closed.
#[expect(clippy::disallowed_methods, reason = "no caller is on a reactor's thread")]
fn alone(file: &File, path: &Path, deadline: Instant) -> Result<(), SpoolError> {
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(source)) => return Err(failed(path)(source)),
            Err(TryLockError::WouldBlock) if Instant::now() >= deadline => {
                return Err(SpoolError::Locked { path: path.to_owned() });
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
        }
    }
}

/// The file at `path`, made if it is not there, locked together with others that add to it. It stays at
/// `path` until it is closed, or else is not read before.
#[expect(clippy::disallowed_methods, reason = "no caller is on a reactor's thread")]
fn shared(path: &Path, deadline: Instant) -> Result<File, SpoolError> {
    loop {
        let file = private().read(true).append(true).create(true).open(path).map_err(failed(path))?;
        match file.try_lock_shared() {
            Ok(()) if is_at(&file, path).map_err(failed(path))? => return Ok(file),
            // Renamed in between: there is another one by now, or there will be.
            Ok(()) => {}
            Err(TryLockError::Error(source)) => return Err(failed(path)(source)),
            Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
        }
        if Instant::now() >= deadline {
            return Err(SpoolError::Locked { path: path.to_owned() });
        }
    }
}

/// Whether `file` is the one that `path` names.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let identity = |file: &fs::Metadata| (file.dev(), file.ino());
    match fs::metadata(path) {
        Ok(named) => Ok(identity(&named) == identity(&file.metadata()?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Appends in one write, after concurrent writers' entries. A cut write is no entry.
fn append(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    loop {
        match file.write(bytes) {
            Ok(written) if written == bytes.len() => return Ok(()),
            Ok(_) => return Err(io::ErrorKind::WriteZero.into()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

fn has_header(file: &File) -> io::Result<bool> {
    let mut header = [0; HEADER.len()];
    match file.read_exact_at(&mut header, 0) {
        Ok(()) => Ok(header == *HEADER.as_bytes()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// The whole of a file of ours; `None` if it is not there.
fn read_whole(path: &Path) -> Result<Option<Vec<u8>>, SpoolError> {
    match fs::read(path) {
        Ok(bytes) if HEADER.as_bytes().starts_with(&bytes) => Ok(Some(HEADER.as_bytes().to_vec())),
        Ok(bytes) if bytes.starts_with(HEADER.as_bytes()) => Ok(Some(bytes)),
        Ok(_) => Err(SpoolError::Format { path: path.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(path)(error)),
    }
}
