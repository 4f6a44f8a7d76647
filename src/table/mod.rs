//! The sessions table: append-only Parquet files, and what readers make of them.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | [`Table`]: opening one |
//! | `manifest.rs` | the file that names the table's format |
//! | `layout.rs` | [`FileIdentity`] and the paths made of it |
//! | `schema.rs` | the columns |
//! | `footer.rs` | what a file's footer says of the file |
//! | `write.rs` | [`Table::write`]: events to one file |
//! | `file.rs` | one file back to events; what may be wrong with it |
//! | `read.rs` | [`Table::scan`]: the files of a [`Filter`] to observations, each once |
//! | `merge.rs` | observations of one fact to the fact |
//! | `sessions.rs` | [`Session`] and what can be asked of it |
//! | `resolve.rs` | [`resolve`]: observations to sessions |
//! | `history.rs` | traces without an id, joined by the conversation they show |
//! | `reconcile.rs` | facts and sub-agents that only several observations together show |
//!
//! On disk:
//!
//! ```text
//! <root>/table.json                     the format's version
//! <root>/v1/owner_tenant=<t>/owner_workspace=<w>/ingest_date=<UTC date>/
//!           <journal id>-<first>-<last>-<part>.parquet
//! ```
//!
//! Invariants: a file is put once under one name and never changed; folders are named after what a
//! credential decided, never after what a payload says; the same events give the same bytes; what
//! readers make of the rows does not depend on the order of files or rows, nor on how often a row
//! was stored.

mod file;
mod footer;
mod history;
mod layout;
mod manifest;
mod merge;
mod read;
mod reconcile;
mod resolve;
mod schema;
pub mod sessions;
mod write;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;

use crate::disk::{Disk, FileSystem};

pub use file::Damage;
pub use layout::FileIdentity;
pub use manifest::OpenError;
pub use read::{DamagedFile, FileInfo, Filter, Listing, ReadError, Scan};
pub use resolve::{ResolveOptions, resolve};
pub use schema::schema;
pub use sessions::{Fact, Session, SessionSource, Turn};
pub use write::{WriteError, Written};

/// A sessions table. Cloning is cheap and gives the same table.
#[derive(Debug, Clone)]
pub struct Table {
    store: Arc<dyn ObjectStore>,
    /// Where the table is a folder on this machine: its files are written here, and read by the store.
    local: Option<Local>,
    zstd_level: u8,
}

/// The folder of a table, and the disk it is on.
#[derive(Debug, Clone)]
struct Local {
    root: PathBuf,
    disk: Arc<dyn Disk>,
}

/// What Parquet files are compressed with where nothing else is asked for.
const DEFAULT_ZSTD_LEVEL: u8 = 1;

impl Table {
    /// Opens the table in `folder` for writing, and creates both, closed to other users, where
    /// there are none. The file system must know hard links: they are how a file is created
    /// whole or not at all.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        manifest::ensure(&FileSystem, folder)?;
        Self::in_folder(folder)
    }

    /// [`Table::open`] on a disk of the caller's, which `store` reads.
    pub fn open_on(
        folder: &Path,
        disk: Arc<dyn Disk>,
        store: Arc<dyn ObjectStore>,
    ) -> Result<Self, OpenError> {
        manifest::ensure(&*disk, folder)?;
        let local = Some(Local { root: folder.to_owned(), disk });
        Ok(Self { store, local, zstd_level: DEFAULT_ZSTD_LEVEL })
    }

    /// Opens the table in `folder` for reading. Creates nothing; where there is no table yet,
    /// that is [`OpenError::NoTable`] rather than an empty one, so a mistyped path is noticed.
    pub fn open_read_only(folder: &Path) -> Result<Self, OpenError> {
        manifest::check(&FileSystem, folder)?;
        Self::in_folder(folder)
    }

    /// The same table, its files compressed at this zstd level from now on (1 to 22).
    #[must_use]
    pub fn with_zstd_level(mut self, level: u8) -> Self {
        self.zstd_level = level.clamp(1, 22);
        self
    }

    fn in_folder(folder: &Path) -> Result<Self, OpenError> {
        let store = LocalFileSystem::new_with_prefix(folder)
            .map_err(|source| OpenError::Store { folder: folder.to_owned(), source })?;
        let local = Some(Local { root: folder.to_owned(), disk: Arc::new(FileSystem) });
        Ok(Self { store: Arc::new(store), local, zstd_level: DEFAULT_ZSTD_LEVEL })
    }
}
