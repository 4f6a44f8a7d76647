//! Why a file of settings was not changed.

use std::io;
use std::path::{Path, PathBuf};

use super::document::DocumentError;

/// Why a settings file was not changed. It is as it was.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    /// Its content is not what it should be.
    #[error("{} was left as it is: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: DocumentError,
    },
    /// Somebody chose other values.
    #[error("{} was left as it is: {} already set otherwise; --replace takes ours", path.display(), settings.join(", "))]
    Chosen {
        /// The file.
        path: PathBuf,
        /// The settings.
        settings: Vec<String>,
    },
    /// A file of that name is there that we did not write.
    #[error("{} exists and is not skillspan's; move it away or name another file with --file", .0.display())]
    NotOurs(PathBuf),
    /// The file system.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What happened.
        error: io::Error,
    },
}

pub(super) fn io_error(path: &Path) -> impl FnOnce(io::Error) -> FileError + '_ {
    move |error| FileError::Io { path: path.to_owned(), error }
}
