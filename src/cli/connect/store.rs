//! Files of other programs: read, replaced as a whole, and taken away again.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use super::created_folders;
use super::file_error::{FileError, io_error};

/// The file's text; `None` if there is no file.
pub(super) fn read(path: &Path) -> Result<Option<String>, FileError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(FileError::Io { path: path.to_owned(), error }),
    }
}

/// Who may read a file that is written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mode {
    /// Whoever could before; of a new file, its owner alone.
    Kept,
    /// The same; who runs a new one is its owner.
    Executable,
    /// Its owner alone, whoever could before.
    Private,
}

/// A file that holds a token for hooks.
pub(super) fn write_token(path: &Path, token: &str) -> Result<(), FileError> {
    replace(path, &format!("{token}\n"), Mode::Private)
}

/// Takes it away again, if it is there.
pub(super) fn remove_token(path: &Path) -> Result<bool, FileError> {
    match remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(FileError::Io { path: path.to_owned(), error }),
    }
}

/// Replaces a file as a whole. A link stays a link: its target is replaced.
pub(super) fn replace(path: &Path, text: &str, mode: Mode) -> Result<(), FileError> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = target.parent().unwrap_or(Path::new("."));
    created_folders::create(folder).map_err(io_error(folder))?;
    let mut name = OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = folder.join(name);
    let permissions = fs::metadata(&target).ok().map(|metadata| metadata.permissions());
    let written = (|| {
        let mut file = create_private(&temporary)?;
        file.write_all(text.as_bytes())?;
        match (permissions, mode) {
            (_, Mode::Private) => {}
            (Some(permissions), _) => file.set_permissions(permissions)?,
            (None, Mode::Executable) => make_executable(&file)?,
            (None, Mode::Kept) => {}
        }
        file.sync_all()?;
        fs::rename(&temporary, &target)
    })();
    if written.is_err() {
        // Nothing else knows of it.
        let _ = fs::remove_file(&temporary);
    }
    written.map_err(io_error(path))
}

/// Settings files may hold credentials: nobody else may read one at any moment.
#[cfg(unix)]
fn create_private(path: &Path) -> io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> io::Result<fs::File> {
    fs::File::create_new(path)
}

#[cfg(unix)]
fn make_executable(file: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn make_executable(_: &fs::File) -> io::Result<()> {
    Ok(())
}

/// Takes a file away, and the folders that were made for it and hold nothing now.
pub(super) fn remove_file(path: &Path) -> io::Result<()> {
    fs::remove_file(path)?;
    created_folders::remove_empty()
}
