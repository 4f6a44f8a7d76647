//! `table.json`: which format the files of a table have.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

use crate::disk::{self, Disk};

/// The format that this version writes, and the newest it reads.
const FORMAT: u32 = 1;
const FILE_NAME: &str = "table.json";
/// No manifest is longer.
const LIMIT: u64 = 1 << 20;

/// Why a table could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// There is no table to read.
    #[error("no sessions table in {}: it has no {FILE_NAME}", folder.display())]
    NoTable {
        /// The folder that was looked into.
        folder: PathBuf,
    },
    /// The folder cannot be created.
    #[error("cannot create the table's folder {}", folder.display())]
    Create {
        /// The folder.
        folder: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The folder cannot be written to.
    #[error("cannot write to the table's folder {}", folder.display())]
    NotWritable {
        /// The folder.
        folder: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The manifest cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The manifest.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The manifest is there and says nothing that can be understood.
    #[error("{} is not the manifest of a sessions table", path.display())]
    Malformed {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The table was written by a later version.
    #[error(
        "the table in {} has format {found}, this version of skillspan knows formats up to {FORMAT}: \
         use the version that wrote it, or a later one",
        folder.display()
    )]
    NewerFormat {
        /// The table's folder.
        folder: PathBuf,
        /// The format it has.
        found: u32,
    },
    /// The store in the folder cannot be opened.
    #[error("cannot open the store in {}", folder.display())]
    Store {
        /// The table's folder.
        folder: PathBuf,
        /// The store's reason.
        source: object_store::Error,
    },
}

#[derive(Serialize, Deserialize)]
struct Manifest {
    format: u32,
}

/// Checks that `folder` holds a table of a known format.
pub(super) fn check(disk: &dyn Disk, folder: &Path) -> Result<(), OpenError> {
    let path = folder.join(FILE_NAME);
    let text = match disk.read_at(&path, 0, LIMIT) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(OpenError::NoTable { folder: folder.to_owned() });
        }
        Err(source) => return Err(OpenError::Unreadable { path, source }),
    };
    match serde_json::from_slice::<Manifest>(&text) {
        Ok(Manifest { format }) if format > FORMAT => {
            Err(OpenError::NewerFormat { folder: folder.to_owned(), found: format })
        }
        Ok(_) => Ok(()),
        Err(source) => Err(OpenError::Malformed { path, source }),
    }
}

/// Checks that `folder` holds a table that can be written to, after creating what is missing.
pub(super) fn ensure(disk: &dyn Disk, folder: &Path) -> Result<(), OpenError> {
    disk::create_folders(disk, folder, None)
        .map_err(|source| OpenError::Create { folder: folder.to_owned(), source })?;
    let not_writable = |source| OpenError::NotWritable { folder: folder.to_owned(), source };
    disk.check_writable(folder).map_err(not_writable)?;
    match check(disk, folder) {
        Err(OpenError::NoTable { .. }) => write_manifest(disk, folder).map_err(not_writable),
        checked => checked,
    }
}

/// Whoever opens the table at the same moment writes the same content, so the last one may win.
fn write_manifest(disk: &dyn Disk, folder: &Path) -> io::Result<()> {
    let unfinished = folder.join(format!(".{FILE_NAME}.{}", Uuid::new_v4().simple()));
    let mut text = serde_json::to_vec(&Manifest { format: FORMAT })?;
    text.push(b'\n');
    disk::write_durably(disk, &unfinished, &text)?;
    disk.rename(&unfinished, &folder.join(FILE_NAME))?;
    disk.sync_folder(folder)
}
