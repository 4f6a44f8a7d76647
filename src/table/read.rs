//! Reading the table: the files of a filter, and their rows, each observation once.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use thiserror::Error;

use super::file::{self, Damage, FileError};
use super::{FileIdentity, Table, layout};
use crate::event::{Owner, SessionEvent};

/// Which files to read. The default is all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Only this owner's files.
    pub owner: Option<Owner>,
    /// Only files ingested on this UTC date or later, as `2026-11-22`.
    pub since: Option<String>,
}

/// What a scan found.
#[derive(Debug, Default)]
#[must_use]
pub struct Scan {
    /// The observations by `event_id`, each once.
    pub events: Vec<SessionEvent>,
    /// The files that could not be read and are missing from `events`.
    pub damaged: Vec<DamagedFile>,
}

/// A file that was left out because its content is not what was written.
#[derive(Debug, Error)]
#[error("cannot read {path}: {damage}")]
pub struct DamagedFile {
    /// The file's path below the table's root.
    pub path: String,
    /// What is wrong with it.
    pub damage: Damage,
}

/// A file of the table as its footer describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileInfo {
    /// The file's path below the table's root.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// Its rows.
    pub rows: u64,
    /// What it was made from.
    pub identity: FileIdentity,
}

/// What a listing found.
#[derive(Debug, Default)]
#[must_use]
pub struct Listing {
    /// The files by path.
    pub files: Vec<FileInfo>,
    /// The files whose footer could not be read.
    pub damaged: Vec<DamagedFile>,
}

/// Why nothing was read: the store failed, and what could still be read of it would be an
/// arbitrary part of the table.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The files could not be listed.
    #[error("cannot list the files in {folder}")]
    List {
        /// The folder below the table's root.
        folder: String,
        /// The store's reason.
        source: object_store::Error,
    },
    /// A file could not be fetched.
    #[error("cannot fetch {path}")]
    Fetch {
        /// The file's path below the table's root.
        path: String,
        /// The store's reason.
        source: object_store::Error,
    },
}

/// A file as the store lists it.
struct Listed {
    location: Path,
    bytes: u64,
}

impl Table {
    /// Reads the observations that `filter` asks for.
    ///
    /// A damaged file does not mend itself, so it is reported and left out: one bad file must not
    /// keep a table from being read for ever. A failing store is an error: it may be back soon, and
    /// what lacks at random must not be taken for the table.
    pub async fn scan(&self, filter: &Filter) -> Result<Scan, ReadError> {
        let mut observations = Observations::default();
        let mut damaged = Vec::new();
        for listed in self.list(filter).await? {
            match self.read_file(&listed).await {
                Ok((identity, events)) if filter.admits(&identity) => observations.extend(events),
                Ok(_) => {}
                Err(error) => damaged.push(listed.damage_or_error(error)?),
            }
        }
        Ok(Scan { events: observations.into_events(), damaged })
    }

    /// Describes the files that `filter` asks for, reading no more than their footers.
    pub async fn files(&self, filter: &Filter) -> Result<Listing, ReadError> {
        let mut listing = Listing::default();
        for listed in self.list(filter).await? {
            match file::fetch_footer(self.store.as_ref(), &listed.location, listed.bytes).await {
                Ok(footer) if filter.admits(&footer.identity) => listing.files.push(FileInfo {
                    path: listed.location.to_string(),
                    bytes: listed.bytes,
                    rows: footer.rows,
                    identity: footer.identity,
                }),
                Ok(_) => {}
                Err(error) => listing.damaged.push(listed.damage_or_error(error)?),
            }
        }
        Ok(listing)
    }

    /// The paths of the files that `filter` asks for, ascending, without opening any: a cheap way to
    /// see whether the table has changed.
    pub async fn paths(&self, filter: &Filter) -> Result<Vec<String>, ReadError> {
        Ok(self.list(filter).await?.into_iter().map(|listed| listed.location.to_string()).collect())
    }

    /// The last record of a journal that a file of the table was made of. Opens no file.
    pub async fn last_record_of(&self, journal_id: &str) -> Result<Option<u64>, ReadError> {
        let listed = self.list(&Filter::default()).await?;
        let records =
            listed.iter().filter_map(|file| layout::last_record_of(file.location.as_ref(), journal_id));
        Ok(records.max())
    }

    /// The files below the filter's folder, by path. Pruning by more than folders belongs here.
    async fn list(&self, filter: &Filter) -> Result<Vec<Listed>, ReadError> {
        let folder = match &filter.owner {
            Some(owner) => layout::owner_folder(owner),
            None => layout::DATA_FOLDER.to_owned(),
        };
        let list_error = |source| ReadError::List { folder: folder.clone(), source };
        let prefix = Path::parse(&folder).map_err(|error| list_error(error.into()))?;
        let mut listed: Vec<Listed> = self
            .store
            .list(Some(&prefix))
            .try_filter_map(|object| async move {
                let wanted = filter.may_admit(object.location.as_ref());
                Ok(wanted.then_some(Listed { location: object.location, bytes: object.size }))
            })
            .try_collect()
            .await
            .map_err(list_error)?;
        listed.sort_by(|a, b| a.location.cmp(&b.location));
        Ok(listed)
    }

    async fn read_file(&self, listed: &Listed) -> Result<(FileIdentity, Vec<SessionEvent>), FileError> {
        let bytes = self.store.get(&listed.location).await?.bytes().await?;
        // A panic in the decoder is one more way in which a file can be damaged.
        let decoded = tokio::task::spawn_blocking(move || file::decode(bytes)).await;
        let (footer, events) = decoded.unwrap_or(Err(Damage::Decoder))?;
        Ok((footer.identity, events))
    }
}

impl Filter {
    /// Whether a file may be one that is asked for, going by its path alone.
    fn may_admit(&self, path: &str) -> bool {
        let since = self.since.as_deref().unwrap_or_default();
        path.ends_with(".parquet") && layout::ingest_date_of(path).is_none_or(|date| date >= since)
    }

    /// Whether a file is one that is asked for. Its footer is asked besides its folder, because on
    /// a disk that ignores case `Acme` and `acme` share a folder and must not share their rows.
    fn admits(&self, identity: &FileIdentity) -> bool {
        self.owner.as_ref().is_none_or(|owner| *owner == identity.owner)
    }
}

impl Listed {
    fn damage_or_error(&self, error: FileError) -> Result<DamagedFile, ReadError> {
        let path = self.location.to_string();
        match error {
            FileError::Damaged(damage) => Ok(DamagedFile { path, damage }),
            FileError::Store(source) => Err(ReadError::Fetch { path, source }),
        }
    }
}

/// Observations by their id, each once, whatever the order in which they come.
#[derive(Default)]
pub(super) struct Observations(BTreeMap<String, SessionEvent>);

impl Observations {
    /// The observations by id.
    pub(super) fn into_events(self) -> Vec<SessionEvent> {
        self.0.into_values().collect()
    }
}

impl Extend<SessionEvent> for Observations {
    fn extend<I: IntoIterator<Item = SessionEvent>>(&mut self, events: I) {
        for event in events {
            match self.0.entry(event.event_id.clone()) {
                Entry::Vacant(free) => {
                    free.insert(event);
                }
                Entry::Occupied(mut kept) if arrival_order(&event, kept.get()).is_lt() => {
                    kept.insert(event);
                }
                Entry::Occupied(_) => {}
            }
        }
    }
}

/// Which of two rows of one observation came first. Rows that came at the same moment and still
/// differ (two versions, two redaction rules) need some order that is always the same.
fn arrival_order(a: &SessionEvent, b: &SessionEvent) -> Ordering {
    let rendered = |event: &SessionEvent| format!("{event:?}");
    a.ingested_at.cmp(&b.ingested_at).then_with(|| match a == b {
        true => Ordering::Equal,
        false => rendered(a).cmp(&rendered(b)),
    })
}
