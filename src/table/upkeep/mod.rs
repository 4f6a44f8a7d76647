//! Upkeep: files replaced by fewer and better ones, old days retired, sessions erased.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | what upkeep writes down, and how readers and writers heed it |
//! | `tombstone.rs` | [`Tombstone`]: what is erased |
//! | `replace.rs` | [`Replacement`]: files in the place of others, in one step |
//! | `output.rs` | a file that is to stand for others, written a part after the other |
//! | `compact.rs` | [`Table::compact`] |
//! | `shares.rs` | how much of a day is merged at once |
//! | `erase.rs` | [`Table::erase`] |
//! | `withdraw.rs` | [`Table::withdraw`]: sessions that said that they are not to be stored |
//! | `retire.rs` | [`Table::retire`]: retention |
//! | `unfinished.rs` | what was being written when its process was killed |
//!
//! ```text
//! <root>/upkeep/tombstones/<id>.json    what is erased; kept for ever
//!                          <id>.erased  its rows have left the files
//! <root>/upkeep/replaced/owner_tenant=<t>/owner_workspace=<w>/ingest_date=<date>/
//!                          <generation>.json   which files stand for which
//! ```
//!
//! Everything here is written create-only and never changes. A replacement first writes the new files, then its
//! record, then removes the old files. Only one process can take a generation, so if two work on one day, the slower
//! begins again. A killed process leaves
//!
//! - before the record: new files beside the old ones, whose rows readers count once anyway and the
//!   next compaction merges;
//! - after the record: old files, which the next one to come by removes;
//! - on a local disk, half a file under a name that readers pass over, which goes a day later.
//!
//! Writers check both lists before each file, so a repeated plan writes nothing that was replaced since, and nothing
//! erased.

mod compact;
mod erase;
mod output;
mod replace;
mod retire;
mod shares;
mod tombstone;
mod unfinished;
mod withdraw;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use serde::de::DeserializeOwned;
use thiserror::Error;

pub use compact::Compacted;
pub use erase::{Erased, Subject};
pub use replace::{Input, Replacement};
pub use retire::Retired;
pub use tombstone::Tombstone;

use super::{FileIdentity, ReadError, Table, WriteError, clock};
use crate::event::{AsRow, Owner, Timestamp};

const TOMBSTONES: &str = "upkeep/tombstones";

/// What upkeep has written, by path, as far as it has been read.
#[derive(Debug, Default)]
pub(super) struct Known {
    tombstones: Documents<Tombstone>,
    replacements: Documents<Replacement>,
}

type Documents<T> = Mutex<BTreeMap<String, Arc<T>>>;

/// Why upkeep was not done, or not to its end. Doing it again goes on where it stopped.
#[derive(Debug, Error)]
pub enum UpkeepError {
    /// The table cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The store refused or failed.
    #[error("cannot {operation} {path}")]
    Store {
        /// `remove`.
        operation: &'static str,
        /// The path below the table's root.
        path: String,
        /// The store's reason.
        source: object_store::Error,
    },
    /// Others replaced files of the same day again and again.
    #[error("another process works on {folder}; try again later")]
    Contended {
        /// The folder below the table's root.
        folder: String,
    },
    /// Somebody who began to write before the erasure was written down is not done.
    #[error(
        "another process is still writing ({announcement}), so the rows that it writes cannot be ruled out; what is \
         erased is hidden already, and leaves the files when this is done again: wait until that process has \
         finished, or ten minutes if it is gone"
    )]
    AtWork {
        /// What that process announced itself with, below the table's root.
        announcement: String,
    },
    /// What is to be written down cannot be.
    #[error("cannot put {path} into words")]
    Encode {
        /// The path below the table's root.
        path: String,
        /// The reason.
        source: serde_json::Error,
    },
}

impl UpkeepError {
    /// Whether others replaced meanwhile what was being worked on; to be begun again.
    fn is_overtaken(&self) -> bool {
        matches!(
            self,
            Self::Read(ReadError::Fetch { source: object_store::Error::NotFound { .. }, .. })
                | Self::Write(WriteError::Late { .. })
        )
    }
}

/// What must not be shown although a file may hold it.
#[derive(Debug, Default)]
pub(super) struct Hidden {
    /// The erasures of each tenant that have no time, as one tombstone.
    sessions: BTreeMap<String, Tombstone>,
    persons: Vec<Arc<Tombstone>>,
}

impl Hidden {
    fn of(tombstones: impl Iterator<Item = Arc<Tombstone>>) -> Self {
        let mut hidden = Self::default();
        for tombstone in tombstones {
            match hidden.sessions.get_mut(&tombstone.tenant) {
                Some(known) => known.absorb(&tombstone),
                None => {
                    let alone = Tombstone { user_id: None, ..(*tombstone).clone() };
                    hidden.sessions.insert(tombstone.tenant.clone(), alone);
                }
            }
            if tombstone.user_id.is_some() {
                hidden.persons.push(tombstone);
            }
        }
        hidden
    }

    pub(super) fn hides(&self, event: &impl AsRow) -> bool {
        if self.sessions.is_empty() && self.persons.is_empty() {
            return false;
        }
        let row = event.as_row();
        self.sessions.get(row.tenant).is_some_and(|tombstone| tombstone.covers_row(&row))
            || self.persons.iter().any(|tombstone| tombstone.covers_row(&row))
    }

    /// Whether everything of the sessions and of the traces is hidden.
    fn has(&self, tenant: &str, sessions: &BTreeSet<String>, traces: &BTreeSet<String>) -> bool {
        self.sessions.get(tenant).map_or(sessions.is_empty() && traces.is_empty(), |known| {
            sessions.is_subset(&known.session_ids) && traces.is_subset(&known.trace_ids)
        })
    }
}

impl Table {
    /// Everything that was ever erased: a reader that keeps something made of the table must make it anew where one
    /// of these covers it.
    pub async fn erasures(&self) -> Result<Vec<Arc<Tombstone>>, ReadError> {
        let tombstones = self.documents(TOMBSTONES, &self.known.tombstones).await?;
        Ok(tombstones.into_iter().map(|(_, tombstone)| tombstone).collect())
    }

    /// What is erased, as of now.
    pub(super) async fn hidden(&self) -> Result<Hidden, ReadError> {
        let tombstones = self.documents(TOMBSTONES, &self.known.tombstones).await?;
        Ok(Hidden::of(tombstones.into_iter().map(|(_, tombstone)| tombstone)))
    }

    /// The erasures so far, oldest first, for holders of copies of the table's rows.
    pub async fn tombstones(&self) -> Result<Vec<Tombstone>, ReadError> {
        let documents = self.documents(TOMBSTONES, &self.known.tombstones).await?;
        let mut tombstones: Vec<Tombstone> =
            documents.into_iter().map(|(_, tombstone)| (*tombstone).clone()).collect();
        tombstones.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        Ok(tombstones)
    }

    /// What an owner's files, or all, have been replaced by, each day's in order.
    pub(super) async fn replacements(
        &self,
        owner: Option<&Owner>,
    ) -> Result<Vec<Arc<Replacement>>, ReadError> {
        let folder = replace::records_of_owner(owner);
        let found = self.documents(&folder, &self.known.replacements).await?;
        Ok(found.into_iter().map(|(_, replacement)| replacement).collect())
    }

    /// The first UTC date of ingestion that is kept, by the clock as far as it is to be believed.
    pub(super) fn kept_since(&self) -> Option<String> {
        Some(clock::look().now.saturating_sub(self.retention?).date())
    }

    /// The events of a file that are still to be written; none if the file has been replaced, or all of it is
    /// erased. What was accepted is written whatever its age: retention alone removes it, and counts it.
    pub(super) async fn still_wanted<E: AsRow>(
        &self,
        identity: &FileIdentity,
        path: &str,
        mut events: Vec<E>,
    ) -> Result<Option<Vec<E>>, ReadError> {
        let records = replace::records_of(path);
        let replacements = self.documents(&records, &self.known.replacements).await?;
        if replacements.iter().any(|(_, replacement)| replacement.consumed(path, identity)) {
            return Ok(None);
        }
        let hidden = self.hidden().await?;
        let before = events.len();
        events.retain(|event| !hidden.hides(event));
        Ok((before == 0 || !events.is_empty()).then_some(events))
    }

    /// The documents below `folder` by path. One that has been read is not read again.
    async fn documents<T: DeserializeOwned>(
        &self,
        folder: &str,
        known: &Documents<T>,
    ) -> Result<Vec<(String, Arc<T>)>, ReadError> {
        let list_error = |source| ReadError::List { folder: folder.to_owned(), source };
        let prefix = Path::parse(folder).map_err(|error| list_error(error.into()))?;
        let listed: Vec<_> = self.store.list(Some(&prefix)).try_collect().await.map_err(list_error)?;
        let mut paths: Vec<Path> = listed.into_iter().map(|object| object.location).collect();
        paths.retain(|path| path.as_ref().ends_with(".json"));
        paths.sort();
        let mut documents = Vec::with_capacity(paths.len());
        for location in paths {
            let path = location.to_string();
            let cached = lock(known).get(&path).cloned();
            let document = match cached {
                Some(document) => document,
                None => match self.fetch_document(&location).await? {
                    Some(document) => document,
                    None => continue,
                },
            };
            lock(known).insert(path.clone(), Arc::clone(&document));
            documents.push((path, document));
        }
        Ok(documents)
    }

    /// The paths below `folder` that end so.
    async fn names(&self, folder: &str, ending: &str) -> Result<BTreeSet<String>, ReadError> {
        let list_error = |source| ReadError::List { folder: folder.to_owned(), source };
        let prefix = Path::parse(folder).map_err(|error| list_error(error.into()))?;
        let listed: Vec<_> = self.store.list(Some(&prefix)).try_collect().await.map_err(list_error)?;
        let paths = listed.into_iter().map(|object| object.location.to_string());
        Ok(paths.filter(|path| path.ends_with(ending)).collect())
    }

    /// `None` if it is gone, which retention does.
    async fn fetch_document<T: DeserializeOwned>(
        &self,
        location: &Path,
    ) -> Result<Option<Arc<T>>, ReadError> {
        let path = location.to_string();
        let fetched = async { self.store.get(location).await?.bytes().await };
        match fetched.await {
            Ok(text) => {
                let document = serde_json::from_slice(&text);
                Ok(Some(Arc::new(document.map_err(|source| ReadError::Upkeep { path, source })?)))
            }
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(ReadError::Fetch { path, source }),
        }
    }

    /// Writes a document, create-only and durably. False if there is one of that name.
    async fn put_document(&self, path: &str, text: Vec<u8>) -> Result<bool, UpkeepError> {
        Ok(self.put_new(path, text, unfinished::writer(Timestamp::now())).await?)
    }

    /// Removes a file; one that is gone is removed.
    async fn remove(&self, path: &str) -> Result<(), UpkeepError> {
        let error = |source| UpkeepError::Store { operation: "remove", path: path.to_owned(), source };
        let location = Path::parse(path).map_err(|reason| error(reason.into()))?;
        match self.store.delete(&location).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(error(source)),
        }
    }
}

fn lock<T>(documents: &Documents<T>) -> std::sync::MutexGuard<'_, BTreeMap<String, Arc<T>>> {
    documents.lock().unwrap_or_else(PoisonError::into_inner)
}
