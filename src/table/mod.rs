//! The sessions table: append-only Parquet files, and what readers make of them.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | [`Table`]: opening one |
//! | `location.rs` | [`Location`]: a folder or a bucket, and the store that leads there |
//! | `manifest.rs` | the file that names the table's format |
//! | `error.rs` | why a table cannot be read or written |
//! | `layout.rs` | [`FileIdentity`] and the paths made of it |
//! | `schema.rs` | the columns |
//! | `footer.rs` | what a file's footer says of the file |
//! | `foreign.rs` | columns in the types of other engines |
//! | `announce.rs` | who is about to write, and waiting for them |
//! | `clock.rs` | whether the clock is to be believed |
//! | `write.rs` | [`Table::write`]: events to one file |
//! | `file.rs` | one file back to events; what may be wrong with it |
//! | `part.rs` | the part of a file that a question needs |
//! | `ranges.rs` | ranges of a file, fetched and counted |
//! | `read.rs` | [`Table::scan`]: the files of a [`Filter`] to observations, each once |
//! | `query.rs` | one session, what is new since a [`Cursor`] |
//! | `summaries.rs` | [`Table::summaries`]: the sessions of the last days, listed |
//! | `resolving.rs` | groups of rows to summaries, off the reading thread |
//! | `decoding.rs` | files decoded a few batches ahead |
//! | `continued.rs` | the rows that a conversation's history connects with others |
//! | `components.rs` | [`JoinKeys`]: which rows must be resolved together; [`HashedJoinKeys`]: the same in few bytes |
//! | `groups.rs` | [`NewGroups`]: what is new, as whole groups of such rows |
//! | `budget.rs` | how many bytes of one session's rows are read |
//! | `bound.rs` | how much of these groups is held at a time |
//! | `upkeep/` | compaction, retention, erasure |
//! | `merge.rs` | observations of one fact to the fact |
//! | `sessions.rs` | [`Session`] and what can be asked of it |
//! | `resolve.rs` | [`resolve`]: observations to sessions |
//! | `history.rs` | traces without an id, joined by the conversation they show |
//! | `reconcile.rs` | facts and sub-agents that only several observations together show |
//! | `trace.rs` | what its steps ask of the observations of a trace |
//! | `repeated.rs` | calls that share an id and are different ones |
//! | `aliases.rs` | calls and prompts that go by several ids |
//! | `first_calls.rs` | words that came before the calls of their reply |
//! | `dual_reports.rs` | what telemetry and hooks of one session both tell |
//! | `from_files.rs` | what an assistant tells by its telemetry and keeps in a file as well |
//! | `executions.rs` | several spans of one execution |
//! | `speakers.rs` | whose words and calls are a sub-agent's |
//! | `naming.rs` | how sub-agents of one name are told apart |
//! | `costs.rs` | what model calls cost, each once |
//! | `endings.rs` | commands that another call ends |
//! | `reading.rs` | facts as people read them: prompts of older tables, names of tools |
//!
//! On disk:
//!
//! ```text
//! <root>/table.json                     the format's version
//! <root>/v1/owner_tenant=<t>/owner_workspace=<w>/ingest_date=<UTC date>/
//!           <journal id>-<first>-<last>-<part>.parquet
//! <root>/upkeep/                        what upkeep has replaced and erased (`upkeep/mod.rs`)
//! ```
//!
//! Invariants: a file is put once under one name and never changed, only replaced by upkeep; folders
//! are named after what a credential decided, never after what a payload says; the same events give
//! the same bytes; what readers make of the rows does not depend on the order of files or rows, nor
//! on how often a row was stored.

mod aliases;
mod announce;
mod bound;
mod budget;
pub mod clock;
mod components;
mod continued;
mod costs;
mod decoding;
mod dual_reports;
mod endings;
mod error;
mod executions;
mod file;
mod first_calls;
mod footer;
mod foreign;
mod from_files;
mod groups;
mod history;
mod layout;
mod location;
mod manifest;
mod merge;
mod naming;
mod part;
mod query;
mod ranges;
mod read;
mod reading;
mod reconcile;
mod repeated;
mod resolve;
mod resolving;
mod schema;
pub mod sessions;
mod speakers;
mod summaries;
mod trace;
pub mod upkeep;
mod write;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;

use crate::disk::{Disk, FileSystem};

pub use components::{Covered, HashedJoinKeys, JoinKeys, hash_sign};
pub use error::{ReadError, WriteError};
pub use file::{Damage, events_of};
pub use groups::{Group, NewGroups, Standing};
pub use layout::FileIdentity;
pub use location::{Bucket, Location, LocationError};
pub use manifest::OpenError;
pub use query::{Change, Cursor, Difference, Sessions};
pub use read::{DamagedFile, FileInfo, Filter, Listing, MOST_LISTINGS, Scan, overtaken};
pub use resolve::{ResolveOptions, resolve};
pub use schema::{ColumnDescription, columns, schema};
pub use sessions::{Fact, Session, SessionSource, Summary, Turn};
pub use summaries::Summaries;
pub use write::Written;

/// A sessions table. Cloning is cheap and gives the same table.
#[derive(Debug, Clone)]
pub struct Table {
    store: Arc<dyn ObjectStore>,
    /// Where the table is a folder on this machine: its files are written here, and read by the store.
    local: Option<Local>,
    zstd_level: u8,
    retention: Option<Duration>,
    /// Whether what is erased is read as well, as far as files hold it.
    with_erased: bool,
    bytes_read: Arc<AtomicU64>,
    /// What upkeep has written is never changed, so it is fetched once.
    known: Arc<upkeep::Known>,
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
    /// Opens the table in `folder` for writing, and creates both, closed to other users, where there are none. The
    /// file system must support hard links: they are how a file is created whole or not at all.
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
        Ok(Self::of(store, Some(Local { root: folder.to_owned(), disk })))
    }

    /// Opens the table in `folder` for reading. Creates nothing; where there is no table yet,
    /// that is [`OpenError::NoTable`] rather than an empty one, so a mistyped path is noticed.
    pub fn open_read_only(folder: &Path) -> Result<Self, OpenError> {
        manifest::check(&FileSystem, folder)?;
        Self::in_folder(folder)
    }

    /// Opens the table at `location` for writing; see [`Table::open`].
    pub async fn connect(location: &Location) -> Result<Self, OpenError> {
        match location {
            Location::Folder(folder) => Self::open(folder),
            Location::Bucket(bucket) => Self::open_store(bucket.store()?, &bucket.to_string()).await,
        }
    }

    /// Opens the table at `location` for reading; see [`Table::open_read_only`].
    pub async fn connect_read_only(location: &Location) -> Result<Self, OpenError> {
        match location {
            Location::Folder(folder) => Self::open_read_only(folder),
            Location::Bucket(bucket) => {
                let store = bucket.store()?;
                manifest::check_store(store.as_ref(), &bucket.to_string()).await?;
                Ok(Self::of(store, None))
            }
        }
    }

    /// Opens the table in `store` for writing, and makes one there if there is none. `name` stands for
    /// it in errors. The store's create-only PUT must be atomic.
    pub async fn open_store(store: Arc<dyn ObjectStore>, name: &str) -> Result<Self, OpenError> {
        manifest::ensure_store(store.as_ref(), name).await?;
        Ok(Self::of(store, None))
    }

    /// The same table, in which what was ingested on a day that ended longer ago than `retention` is
    /// neither read nor written. [`Table::retire`] removes its files.
    #[must_use]
    pub fn with_retention(mut self, retention: Option<Duration>) -> Self {
        self.retention = retention;
        self
    }

    /// How much has been read of the table's files through this table and its clones, in bytes.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }

    /// The same table, its files compressed at this zstd level from now on (1 to 22).
    #[must_use]
    pub fn with_zstd_level(mut self, level: u8) -> Self {
        self.zstd_level = level.clamp(1, 22);
        self
    }

    fn in_folder(folder: &Path) -> Result<Self, OpenError> {
        let store = LocalFileSystem::new_with_prefix(folder)
            .map_err(|source| OpenError::Store { table: folder.display().to_string(), source })?;
        let local = Local { root: folder.to_owned(), disk: Arc::new(FileSystem) };
        Ok(Self::of(Arc::new(store.with_fsync(true)), Some(local)))
    }

    fn of(store: Arc<dyn ObjectStore>, local: Option<Local>) -> Self {
        Self {
            store,
            local,
            zstd_level: DEFAULT_ZSTD_LEVEL,
            retention: None,
            with_erased: false,
            bytes_read: Arc::default(),
            known: Arc::default(),
        }
    }
}
