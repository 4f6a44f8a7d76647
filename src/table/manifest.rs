//! `table.json`: which format the files of a table have.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use object_store::path::Path as StorePath;
use object_store::{ObjectStore, ObjectStoreExt, PutMode};
use serde::Deserialize;
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
    #[error("nothing recorded yet: there is no sessions table in {table}; `skillspan run` makes it")]
    NoTable {
        /// Where was looked.
        table: String,
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
    #[error("the {FILE_NAME} in {table} is not the manifest of a sessions table")]
    Malformed {
        /// Where the table should be.
        table: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The table was written by a later version.
    #[error(
        "the table in {table} has format {found}, this version of skillspan knows formats up to {FORMAT}: \
         use the version that wrote it, or a later one"
    )]
    NewerFormat {
        /// Where the table is.
        table: String,
        /// The format it has.
        found: u32,
    },
    /// The store cannot be opened or does not answer.
    #[error("cannot open the store at {table}")]
    Store {
        /// Where the table should be.
        table: String,
        /// The store's reason.
        source: object_store::Error,
    },
}

#[derive(Deserialize)]
struct Manifest {
    format: u32,
}

/// Checks that `folder` holds a table of a known format.
pub(super) fn check(disk: &dyn Disk, folder: &Path) -> Result<(), OpenError> {
    let path = folder.join(FILE_NAME);
    let table = folder.display().to_string();
    match disk.read_at(&path, 0, LIMIT) {
        Ok(text) => check_format(&text, table),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(OpenError::NoTable { table }),
        Err(source) => Err(OpenError::Unreadable { path, source }),
    }
}

/// Checks that `store` holds a table of a known format. `table` names it in errors.
pub(super) async fn check_store(store: &dyn ObjectStore, table: &str) -> Result<(), OpenError> {
    let table = table.to_owned();
    let fetched = async { store.get(&StorePath::from(FILE_NAME)).await?.bytes().await };
    match fetched.await {
        Ok(text) => check_format(&text, table),
        Err(object_store::Error::NotFound { .. }) => Err(OpenError::NoTable { table }),
        Err(source) => Err(OpenError::Store { table, source }),
    }
}

/// Checks that `store` holds a table, after making it one if it holds none.
pub(super) async fn ensure_store(store: &dyn ObjectStore, table: &str) -> Result<(), OpenError> {
    match check_store(store, table).await {
        Err(OpenError::NoTable { .. }) => {}
        checked => return checked,
    }
    match store.put_opts(&StorePath::from(FILE_NAME), manifest().into(), PutMode::Create.into()).await {
        Ok(_) => Ok(()),
        // Somebody opened it at the same moment, or our own first attempt was stored after all.
        Err(object_store::Error::AlreadyExists { .. }) => check_store(store, table).await,
        Err(source) => Err(OpenError::Store { table: table.to_owned(), source }),
    }
}

fn check_format(text: &[u8], table: String) -> Result<(), OpenError> {
    match serde_json::from_slice::<Manifest>(text) {
        Ok(Manifest { format }) if format > FORMAT => Err(OpenError::NewerFormat { table, found: format }),
        Ok(_) => Ok(()),
        Err(source) => Err(OpenError::Malformed { table, source }),
    }
}

fn manifest() -> String {
    format!("{{\"format\":{FORMAT}}}\n")
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

/// Whoever opens the table at the same moment writes the same content, so the last one may win. The name
/// is durable with that of the first file of the table, whose folders are synced up to here; a table
/// that loses it before has nothing to lose, and whoever opens it next writes it again.
fn write_manifest(disk: &dyn Disk, folder: &Path) -> io::Result<()> {
    let unfinished = folder.join(format!(".{FILE_NAME}.{}", Uuid::new_v4().simple()));
    disk::write_durably(disk, &unfinished, manifest().as_bytes())?;
    disk.rename(&unfinished, &folder.join(FILE_NAME))
}
