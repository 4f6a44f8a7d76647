//! How a database is opened beside a program that works on it.
//!
//! | what is there | how it is read |
//! |---|---|
//! | a log that was written ahead (`-wal`) and its index (`-shm`), whether a program has them open or one left them | by SQLite's own locks, the index without writing into it (`readonly_shm`) |
//! | such a log without an index, or one that cannot be read so | from a private copy, if both are not too large |
//! | neither | as what nobody writes (`immutable`), because SQLite would make both; if it did change, what was read is in doubt and said to be |
//! | a rollback journal | by SQLite's own locks; if a crash left it, from a private copy |
//!
//! A private copy is in its own folder, closed to others, and its name is removed as soon as it is open.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, OpenFlags};

/// A program that writes is waited for so long.
const PATIENCE: Duration = Duration::from_secs(2);
/// What is copied at most, the log included.
const MAX_COPY: u64 = 512 << 20;
/// Copies of what changes meanwhile are tried so often.
const TRIES: usize = 3;
/// The longest value that SQLite hands over; longer ones are read piece by piece.
const MAX_VALUE: i32 = 64 << 20;
/// The beginning of a file, and where in it stands whether a log is written ahead.
const MAGIC: &[u8] = b"SQLite format 3\0";
const WRITE_VERSION: usize = 18;
const AHEAD: u8 = 2;
const SALTS: usize = 32;

/// What tells whether a database that is read without locks was written meanwhile.
pub(super) struct Guard(Option<State>);

/// A file as far as its metadata tell.
type Stamp = (u64, i64, i64);
type State = (Option<Stamp>, Option<Stamp>);

impl Guard {
    /// # Errors
    ///
    /// It was written.
    pub(super) fn check(&self, path: &Path) -> io::Result<()> {
        match &self.0 {
            Some(before) if *before != state(path) => {
                Err(io::Error::other("it was written while it was read; the next import reads it"))
            }
            _ => Ok(()),
        }
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(path).ok().filter(|metadata| metadata.len() > 0)?;
    Some((metadata.len(), metadata.mtime(), metadata.mtime_nsec()))
}

fn state(path: &Path) -> State {
    (stamp(path), stamp(&beside(path, "-wal")))
}

/// A file that SQLite keeps beside a database.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Opens a database for reading.
pub(super) fn open(path: &Path) -> io::Result<(Connection, Guard)> {
    let is_ahead = is_ahead(path)?;
    let is_there = |ending: &str| stamp(&beside(path, ending)).is_some();
    let opened = match (is_ahead, is_there("-wal"), is_there("-shm")) {
        (false, ..) => connect(path, "mode=ro").map(|connection| (connection, Guard(None))),
        (true, _, true) => {
            connect(path, "mode=ro&readonly_shm=1").map(|connection| (connection, Guard(None)))
        }
        (true, true, false) => return copied(path),
        (true, false, false) => {
            let before = state(path);
            connect(path, "mode=ro&immutable=1").map(|connection| (connection, Guard(Some(before))))
        }
    };
    opened.or_else(|error| if is_for_a_copy(&error) { copied(path) } else { Err(said(&error)) })
}

fn is_ahead(path: &Path) -> io::Result<bool> {
    let mut head = Vec::new();
    File::open(path)?.take(WRITE_VERSION as u64 + 1).read_to_end(&mut head)?;
    if !head.starts_with(MAGIC) {
        let why = if head.is_empty() { "it is empty" } else { "it is no SQLite database" };
        return Err(io::Error::other(why));
    }
    Ok(head.get(WRITE_VERSION) == Some(&AHEAD))
}

/// What SQLite cannot read without writing.
fn is_for_a_copy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen))
}

fn connect(path: &Path, how: &str) -> rusqlite::Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(uri(path, how), flags)?;
    prepare(&connection)?;
    // The first read of its pages: a database that cannot be read is reported here.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}

/// What is in a file decides nothing: its views and triggers run no function, and nothing is kept on the disk.
fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, MAX_VALUE)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.execute_batch("PRAGMA query_only = ON; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0")
}

fn uri(path: &Path, how: &str) -> String {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                uri.push(char::from(*byte));
            }
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    format!("{uri}?{how}")
}

/// Opens a private copy.
fn copied(path: &Path) -> io::Result<(Connection, Guard)> {
    let parts = ["", "-wal", "-journal"];
    let size: u64 = parts.iter().filter_map(|ending| Some(stamp(&beside(path, ending))?.0)).sum();
    if size > MAX_COPY {
        let (size, most) = (size >> 20, MAX_COPY >> 20);
        return Err(io::Error::other(format!(
            "its client was ended while it wrote, and of {size} MiB, more than {most}, no copy is made: start the client once"
        )));
    }
    for _ in 0..TRIES {
        let folder = Private::new()?;
        let copy = folder.0.join("copy.db");
        let before = written(path);
        for ending in parts.iter().rev() {
            let from = beside(path, ending);
            if stamp(&from).is_some() {
                io::copy(&mut File::open(&from)?, &mut File::create(beside(&copy, ending))?)?;
            }
        }
        if written(path) != before {
            continue;
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = || -> rusqlite::Result<Connection> {
            let connection = Connection::open_with_flags(&copy, flags)?;
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
            prepare(&connection)?;
            Ok(connection)
        };
        return opened().map(|connection| (connection, Guard(None))).map_err(|error| said(&error));
    }
    Err(io::Error::other("it is written all the time; the next import tries again"))
}

/// What changes when pages of the database itself are written, or its log begins anew. What is put behind the
/// log meanwhile makes a copy no worse.
fn written(path: &Path) -> (Option<Stamp>, Option<Stamp>, Vec<u8>) {
    let mut salts = Vec::new();
    if let Ok(log) = File::open(beside(path, "-wal")) {
        // A log that cannot be read now is told when it is copied.
        let _ = log.take(SALTS as u64).read_to_end(&mut salts);
    }
    (stamp(path), stamp(&beside(path, "-journal")), salts)
}

/// A folder that is gone with this.
struct Private(PathBuf);

impl Private {
    fn new() -> io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("skillspan-{}", uuid::Uuid::new_v4()));
        DirBuilder::new().mode(0o700).create(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(path = %self.0.display(), %error, "a private copy cannot be removed");
        }
    }
}

/// An error of SQLite in words that say what to do.
pub(super) fn said(error: &rusqlite::Error) -> io::Error {
    let words = words(error);
    if words == OTHER {
        return io::Error::other(format!("SQLite says: {error}"));
    }
    io::Error::other(words)
}

/// Whether it is about one row; all else may be otherwise at another time.
pub(super) fn is_of_the_row(error: &rusqlite::Error) -> bool {
    error
        .sqlite_error_code()
        .is_none_or(|code| matches!(code, ErrorCode::DatabaseCorrupt | ErrorCode::TooBig))
}

const OTHER: &str = "it cannot be read";

pub(super) fn words(error: &rusqlite::Error) -> &'static str {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "a program has it locked; the next import tries again"
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => "it is damaged",
        Some(ErrorCode::TooBig) => "it is too long",
        Some(ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => "it cannot be opened",
        _ => OTHER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_no_part_of_what_is_asked() {
        assert_eq!(
            uri(Path::new("/a b/c?mode=rw#é"), "mode=ro"),
            "file:/a%20b/c%3Fmode%3Drw%23%C3%A9?mode=ro"
        );
    }
}
