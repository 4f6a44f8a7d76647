//! The interface to the file system: the few operations that durability depends on.
//!
//! [`FileSystem`] is the real one. The journal and the table's writer use only [`Disk`], so tests can give both a
//! simulated disk: one that loses or tears unsynced writes, fails, or fills up.

use std::fmt;
use std::fs::{self, DirBuilder, File, FileType, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::buffer::spare_capacity;
use rustix::fs::{Access, OFlags, access};
use rustix::io::{Errno, pread};

/// The smallest piece of a file that is read separately after the disk failed to read the whole.
const BLOCK: u64 = 4096;
/// What replaces a byte that cannot be read.
const UNREADABLE: u8 = 0xff;

/// What is asked of a file system. Every call may block.
pub trait Disk: fmt::Debug + Send + Sync {
    /// Creates `folder` in a folder that is there, for this user alone; an existing one is left as it
    /// is. Durable after [`Disk::sync_folder`] of the folder it is in.
    fn create_folder(&self, folder: &Path) -> io::Result<()>;
    /// Whether this user may create files in `folder`.
    fn check_writable(&self, folder: &Path) -> io::Result<()>;
    /// Takes an exclusive lock on `path` until the answer is dropped; `None` if another holder has it.
    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>>;
    /// The names of the files directly in `folder`, in any order.
    fn list(&self, folder: &Path) -> io::Result<Vec<String>>;
    /// The names of the folders directly in `folder`, in any order.
    fn folders(&self, folder: &Path) -> io::Result<Vec<String>>;
    /// The bytes of a file.
    fn size(&self, path: &Path) -> io::Result<u64>;
    /// At most `length` bytes of `path` from `offset`; fewer only at its end.
    fn read_at(&self, path: &Path, offset: u64, length: u64) -> io::Result<Vec<u8>>;
    /// Creates `path` empty and opens it for writing; an earlier file of that name loses it.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Opens `path` for writing over what it holds. What is there must be a file of this name alone: through a
    /// link, something outside of the folder would be written over.
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Gives `from` the name `to`, replacing what has it. Durable after [`Disk::sync_folder`].
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Gives `from` the name `to` unless something has it ([`ErrorKind::AlreadyExists`]). Durable after
    /// [`Disk::sync_folder`].
    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes `path`. Durable after [`Disk::sync_folder`].
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in `folder` durable.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
}

/// A file that is open for writing.
pub trait DiskFile: Send {
    /// Writes all of `bytes` at `offset`.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Cuts the file to `length` bytes if it is longer.
    fn cut(&mut self, length: u64) -> io::Result<()>;
    /// Whether it is still the file that `path` names, and has `length` bytes or more: others may have removed,
    /// replaced or cut it.
    fn is_at(&self, path: &Path, length: u64) -> bool;
    /// Makes everything written so far durable (`fdatasync`).
    fn sync(&mut self) -> io::Result<()>;
}

/// A lock that ends when it is dropped.
pub trait Lock: fmt::Debug + Send + Sync {
    /// The file that is locked is still the one under its name.
    fn in_place(&self) -> bool;
}

/// Creates `folder` and what is missing above it, and makes it and all above it durable, up to `root`
/// or as far as there is something: a process that was killed may have created any of them and synced
/// none.
pub fn create_folders(disk: &dyn Disk, folder: &Path, root: Option<&Path>) -> io::Result<()> {
    make_folder(disk, folder)?;
    let mut below = folder;
    while let Some(parent) = parent_of(below) {
        if root.is_some_and(|root| !parent.starts_with(root)) {
            break;
        }
        match disk.sync_folder(parent) {
            // A folder that this user may pass through but not read is left to its owner.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {}
            synced => synced?,
        }
        below = parent;
    }
    Ok(())
}

fn make_folder(disk: &dyn Disk, folder: &Path) -> io::Result<()> {
    match disk.create_folder(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            make_folder(disk, parent_of(folder).ok_or(error)?)?;
            disk.create_folder(folder)
        }
        created => created,
    }
}

fn parent_of(path: &Path) -> Option<&Path> {
    let parent = path.parent()?;
    Some(if parent.as_os_str().is_empty() { Path::new(".") } else { parent }).filter(|parent| *parent != path)
}

/// Writes `bytes` to a new file under a temporary name and makes them durable under it. After a failure the file is
/// removed, not written again: after a failed sync nobody knows what the disk holds of it.
pub fn write_durably(disk: &dyn Disk, temporary: &Path, bytes: &[u8]) -> io::Result<Box<dyn DiskFile>> {
    let written = disk.create(temporary).and_then(|mut file| {
        file.write_at(0, bytes)?;
        file.sync()?;
        Ok(file)
    });
    if written.is_err() {
        // The first error is the one to tell.
        let _ = disk.remove(temporary);
    }
    written
}

/// [`Disk::read_at`], with `0xff` for what the disk cannot read; says whether there was any.
///
/// # Errors
/// If the file cannot be opened: it is not there, this user may not read it, or too many files are open. Nothing is
/// known of its bytes then, so that none of them counts as unreadable.
pub fn read_salvaging(disk: &dyn Disk, path: &Path, offset: u64, length: u64) -> io::Result<(Vec<u8>, bool)> {
    match disk.read_at(path, offset, length) {
        Ok(bytes) => return Ok((bytes, false)),
        Err(error) if is_of_opening(&error) => return Err(error),
        Err(_) => {}
    }
    let end = disk.size(path)?.min(offset.saturating_add(length));
    let mut bytes = Vec::new();
    let mut unreadable = false;
    let mut position = offset;
    while position < end {
        let block = (BLOCK - position % BLOCK).min(end - position);
        match disk.read_at(path, position, block) {
            Ok(read) => bytes.extend_from_slice(&read),
            Err(error) if is_of_opening(&error) => return Err(error),
            Err(_) => unreadable = true,
        }
        bytes.resize(usize::try_from(position + block - offset).unwrap_or(usize::MAX), UNREADABLE);
        position += block;
    }
    Ok((bytes, unreadable))
}

/// Whether a file could not be opened, as opposed to read.
pub fn is_of_opening(error: &io::Error) -> bool {
    const OF_OPENING: [Errno; 3] = [Errno::MFILE, Errno::NFILE, Errno::NOMEM];
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied)
        || Errno::from_io_error(error).is_some_and(|errno| OF_OPENING.contains(&errno))
}

/// The operating system's file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct FileSystem;

impl Disk for FileSystem {
    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        match DirBuilder::new().mode(0o700).create(folder) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
            created => created,
        }
    }

    fn check_writable(&self, folder: &Path) -> io::Result<()> {
        Ok(access(folder, Access::WRITE_OK | Access::EXEC_OK)?)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        let file = without_links().create(true).truncate(false).write(true).mode(0o600).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(FileLock { file, path: path.to_owned() }))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        names_of(folder, |kind| kind.is_file())
    }

    fn folders(&self, folder: &Path) -> io::Result<Vec<String>> {
        names_of(folder, |kind| kind.is_dir())
    }

    fn size(&self, path: &Path) -> io::Result<u64> {
        Ok(fs::metadata(path)?.len())
    }

    fn read_at(&self, path: &Path, offset: u64, length: u64) -> io::Result<Vec<u8>> {
        let file = File::open(path)?;
        let available = file.metadata()?.len().saturating_sub(offset).min(length);
        let mut bytes = Vec::with_capacity(usize::try_from(available).unwrap_or(0));
        let available = bytes.capacity().min(usize::try_from(available).unwrap_or(usize::MAX));
        // Into memory that nobody has written before: what is read megabytes at a time is not to be cleared first.
        while bytes.len() < available {
            let position = offset + bytes.len() as u64;
            match pread(&file, spare_capacity(&mut bytes), position) {
                Ok(0) => break,
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        bytes.truncate(available);
        Ok(bytes)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let new = || OpenOptions::new().create_new(true).write(true).mode(0o600).open(path);
        let created = match new() {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                fs::remove_file(path)?;
                new()
            }
            created => created,
        };
        Ok(Box::new(created?))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = without_links().write(true).open(path)?;
        let kept = file.metadata()?;
        if !kept.is_file() || kept.nlink() > 1 {
            return Err(io::Error::other("it is no file of this folder alone, and is not written"));
        }
        Ok(Box::new(file))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)?;
        fs::remove_file(from)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }
}

/// Refuses links, and does not block on a pipe.
fn without_links() -> OpenOptions {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut options = OpenOptions::new();
    options.custom_flags(flags.bits().cast_signed());
    options
}

fn names_of(folder: &Path, wanted: impl Fn(&FileType) -> bool) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // A name that is not UTF-8 is none of ours.
        if wanted(&entry.file_type()?)
            && let Ok(name) = entry.file_name().into_string()
        {
            names.push(name);
        }
    }
    Ok(names)
}

impl DiskFile for File {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        if self.metadata()?.len() > length { self.set_len(length) } else { Ok(()) }
    }

    fn is_at(&self, path: &Path, length: u64) -> bool {
        names(path, self) && self.metadata().is_ok_and(|file| file.len() >= length)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// Whether `path` names the very file that is open.
fn names(path: &Path, file: &File) -> bool {
    let named = fs::metadata(path).map(|file| (file.dev(), file.ino()));
    let held = file.metadata().map(|file| (file.dev(), file.ino()));
    matches!((named, held), (Ok(named), Ok(held)) if named == held)
}

/// The operating system releases the lock when the file is closed.
#[derive(Debug)]
struct FileLock {
    file: File,
    path: PathBuf,
}

impl Lock for FileLock {
    fn in_place(&self) -> bool {
        names(&self.path, &self.file)
    }
}
