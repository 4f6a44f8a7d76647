//! Removes files that may be gone already.

use crate::disk::{Disk, FileSystem};
use std::io::{self, ErrorKind};
use std::path::Path;

/// Removes a file if there is one.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match FileSystem.remove(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
