//! The seam between the journal and the file system: the few operations that durability hangs on.
//!
//! [`FileSystem`] is the real one. Tests put their own behind [`super::Journal::open_on`] to watch the
//! order of writes, syncs and answers, and to make any of them fail.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::Path;

/// What the journal asks of a file system. Every call may block.
pub trait Disk: fmt::Debug + Send + Sync {
    /// Creates `folder` and what is missing above it, for this user alone; an existing one is left as it is.
    fn create_folder(&self, folder: &Path) -> io::Result<()>;
    /// Takes an exclusive lock on `path` until the answer is dropped; `None` if another holder has it.
    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>>;
    /// The names of the files directly in `folder`, in any order.
    fn list(&self, folder: &Path) -> io::Result<Vec<String>>;
    /// At most `length` bytes of `path` from `offset`; fewer only at its end.
    fn read_at(&self, path: &Path, offset: u64, length: u64) -> io::Result<Vec<u8>>;
    /// Creates `path` empty and opens it for writing; an earlier file of that name is emptied.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Cuts `path` to `length` bytes and makes what remains durable.
    fn truncate(&self, path: &Path, length: u64) -> io::Result<()>;
    /// Gives `from` the name `to`, replacing what has it. Durable after [`Disk::sync_folder`].
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes `path`. Durable after [`Disk::sync_folder`].
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in `folder` durable.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
}

/// A file that the journal writes from its beginning to its end.
pub trait DiskFile: Send {
    /// Appends all of `bytes`.
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes everything written so far durable (`fdatasync`).
    fn sync(&mut self) -> io::Result<()>;
}

/// A lock that ends when it is dropped.
pub trait Lock: fmt::Debug + Send + Sync {}

/// The operating system's file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct FileSystem;

impl Disk for FileSystem {
    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(FileLock(file)))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            // A name that is not UTF-8 is none of ours.
            if entry.file_type()?.is_file()
                && let Ok(name) = entry.file_name().into_string()
            {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn read_at(&self, path: &Path, offset: u64, length: u64) -> io::Result<Vec<u8>> {
        let file = File::open(path)?;
        let available = file.metadata()?.len().saturating_sub(offset).min(length);
        let mut bytes = Vec::with_capacity(usize::try_from(available).unwrap_or(0));
        FromOffset { file: &file, offset }.take(available).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(path)?;
        Ok(Box::new(file))
    }

    fn truncate(&self, path: &Path, length: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(path)?;
        if file.metadata()?.len() > length {
            file.set_len(length)?;
        }
        file.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }
}

impl DiskFile for File {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        Write::write_all(self, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// The operating system releases the lock when the file is closed.
#[derive(Debug)]
struct FileLock(#[expect(dead_code, reason = "held for its lock")] File);

impl Lock for FileLock {}

/// Reads a file from an offset without moving a shared position.
struct FromOffset<'a> {
    file: &'a File,
    offset: u64,
}

impl Read for FromOffset<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.offset)?;
        self.offset += count as u64;
        Ok(count)
    }
}
