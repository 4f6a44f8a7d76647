//! Reading the table: the files of a filter, and their rows, each observation once.

use std::cmp::Ordering as Order;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use thiserror::Error;
use tokio::sync::mpsc;

use super::budget::Budget;
use super::error::ReadError;
use super::file::{self, Damage, FileError};
use super::footer::Footer;
use super::part::{self, Columns, Rows};
use super::ranges::RangeReader;
use super::upkeep::Hidden;
use super::{FileIdentity, Table, layout};
use crate::event::{AsRow, Owner, SessionEvent};

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

/// A file as the store lists it.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub(super) location: Path,
    pub(super) bytes: u64,
}

/// How files are read.
#[derive(Debug, Clone)]
pub(super) enum Reading {
    /// Every byte, which must be the ones that were written.
    Whole,
    /// What a question needs; all rows if none are named.
    Part { columns: Columns, rows: Option<Rows> },
    /// The rows that are named, in the order of files, until they take so many bytes.
    First { rows: Rows, budget: Arc<Budget> },
}

/// While one file is decoded, others are fetched.
const FILES_AT_ONCE: usize = 8;

/// A reader that upkeep overtakes so often is not overtaken by upkeep.
pub const MOST_LISTINGS: u32 = 12;

/// A moment for those who replace files again and again, longer each time.
pub async fn overtaken(attempt: u32) {
    tokio::time::sleep(LONGEST_MOMENT.min(FIRST_MOMENT * (1 << attempt.min(16)))).await;
}

const FIRST_MOMENT: Duration = Duration::from_millis(1);
const LONGEST_MOMENT: Duration = Duration::from_millis(500);

impl Table {
    /// Reads the observations that `filter` asks for.
    ///
    /// A damaged file does not mend itself, so it is reported and left out: one bad file must not
    /// keep a table from being read for ever. A failing store is an error: it may be back soon, and
    /// what lacks at random must not be taken for the table.
    pub async fn scan(&self, filter: &Filter) -> Result<Scan, ReadError> {
        let mut observations = Observations::default();
        let damaged = self
            .visit(filter, &Reading::Whole, &BTreeSet::new(), |_, events| observations.extend(events))
            .await?;
        Ok(Scan { events: observations.into_events(), damaged })
    }

    /// Gives the events of each file that `filter` asks for, but for those to skip, to `take`, without what is erased or past
    /// its retention, and answers the damaged files. Several files are read at once; in memory are no
    /// more than these.
    pub(super) async fn visit(
        &self,
        filter: &Filter,
        reading: &Reading,
        skip: &BTreeSet<String>,
        mut take: impl FnMut(&str, Vec<SessionEvent>),
    ) -> Result<Vec<DamagedFile>, ReadError> {
        let mut damaged = Vec::new();
        let mut done = BTreeSet::new();
        for attempt in 1.. {
            let mut listed = self.list(filter).await?;
            listed.retain(|listed| {
                !skip.contains(listed.location.as_ref()) && !done.contains(&listed.location)
            });
            let hidden = if self.with_erased { Hidden::default() } else { self.hidden().await? };
            let mut gone = None;
            let reads = listed.into_iter().map(|listed| self.clone().read_spawned(listed, reading.clone()));
            // What is left out is the same each time.
            let at_once = if matches!(reading, Reading::First { .. }) { 1 } else { FILES_AT_ONCE };
            let mut files = futures_util::stream::iter(reads).buffered(at_once);
            while let Some((listed, read)) = files.next().await {
                match read {
                    Ok((identity, events)) if filter.admits(&identity) => {
                        let path = listed.location.as_ref();
                        take(path, events.into_iter().filter(|event| !hidden.hides(event)).collect());
                    }
                    Ok(_) => {}
                    Err(FileError::Store(error @ object_store::Error::NotFound { .. })) => {
                        gone = Some((listed.location.to_string(), error));
                        continue;
                    }
                    Err(error) => damaged.push(listed.damage_or_error(error)?),
                }
                done.insert(listed.location);
            }
            // Upkeep has replaced the file meanwhile; what it was replaced by is listed now.
            match gone {
                Some((path, source)) if attempt == MOST_LISTINGS => {
                    return Err(ReadError::Fetch { path, source });
                }
                Some(_) => overtaken(attempt).await,
                None => break,
            }
        }
        Ok(damaged)
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

    /// Whether files of more than one tenant are there. Opens none of them.
    pub async fn has_several_tenants(&self) -> Result<bool, ReadError> {
        let folder = Path::from(layout::DATA_FOLDER);
        let folders = self.store.list_with_delimiter(Some(&folder)).await;
        let failed = |source| ReadError::List { folder: folder.to_string(), source };
        // One question of a bucket; an empty folder on a disk is no tenant.
        if folders.map_err(failed)?.common_prefixes.len() < 2 {
            return Ok(false);
        }
        let listed = self.list(&Filter::default()).await?;
        let mut tenants = listed.iter().map(|file| layout::tenant_folder_of(file.location.as_ref()));
        let first = tenants.next();
        Ok(tenants.any(|tenant| Some(tenant) != first))
    }

    /// The last record of a journal that a file of the table was made of, also one that has been
    /// replaced since. Opens none of them.
    pub async fn last_record_of(&self, journal_id: &str) -> Result<Option<u64>, ReadError> {
        let listed = self.list(&Filter::default()).await?;
        let replacements = self.replacements(None).await?;
        let standing =
            listed.iter().filter_map(|file| layout::last_record_of(file.location.as_ref(), journal_id));
        let inputs = replacements.iter().flat_map(|replacement| &replacement.inputs);
        let replaced = inputs.filter(|input| input.journal_id == journal_id).map(|input| input.last);
        Ok(standing.chain(replaced).max())
    }

    /// The files below the filter's folder, by path, without those past their retention.
    pub(super) async fn list(&self, filter: &Filter) -> Result<Vec<Listed>, ReadError> {
        let kept_since = self.kept_since().unwrap_or_default();
        let folder = match &filter.owner {
            Some(owner) => layout::owner_folder(owner),
            None => layout::DATA_FOLDER.to_owned(),
        };
        let mut listed = self.list_folder(&folder).await?;
        listed.retain(|file| {
            let path = file.location.as_ref();
            let is_kept = layout::ingest_date_of(path).is_none_or(|date| date >= kept_since.as_str());
            is_kept && filter.may_admit(path)
        });
        Ok(listed)
    }

    /// The files of the table below a folder, by path.
    pub(super) async fn list_folder(&self, folder: &str) -> Result<Vec<Listed>, ReadError> {
        let list_error = |source| ReadError::List { folder: folder.to_owned(), source };
        let prefix = Path::parse(folder).map_err(|error| list_error(error.into()))?;
        let objects: Vec<_> = self.store.list(Some(&prefix)).try_collect().await.map_err(list_error)?;
        let files = objects.into_iter().filter(|object| object.location.as_ref().ends_with(".parquet"));
        let mut listed: Vec<Listed> =
            files.map(|object| Listed { location: object.location, bytes: object.size }).collect();
        listed.sort_by(|a, b| a.location.cmp(&b.location));
        Ok(listed)
    }

    /// Reads a file on a task of its own, so that several are decoded at once.
    async fn read_spawned(
        self,
        listed: Listed,
        reading: Reading,
    ) -> (Listed, Result<(FileIdentity, Vec<SessionEvent>), FileError>) {
        let (location, size) = (listed.location.clone(), listed.bytes);
        let read = tokio::spawn(async move {
            match reading {
                Reading::Whole => self.read_whole(&location).await,
                Reading::Part { columns, rows } => {
                    part::read(self.ranges(location, size), columns, rows.as_ref(), None).await
                }
                Reading::First { rows, budget } => {
                    let reader = self.ranges(location, size);
                    part::read(reader, Columns::All, Some(&rows), Some(&budget)).await
                }
            }
        });
        // A panic in the decoder is one more way in which a file can be damaged.
        let read = read.await.unwrap_or(Err(FileError::Damaged(Damage::Decoder)));
        (listed, read.map(|(footer, events)| (footer.identity, events)))
    }

    /// Reads a whole file and compares its checksum.
    pub(super) async fn read_whole(&self, location: &Path) -> Result<(Footer, Vec<SessionEvent>), FileError> {
        let bytes = self.store.get(location).await?.bytes().await?;
        self.bytes_read.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        let decoded = tokio::task::spawn_blocking(move || file::decode(bytes)).await;
        let (footer, events) = decoded.unwrap_or(Err(Damage::Decoder))?;
        file::check_owner(&footer, location)?;
        Ok((footer, events))
    }

    /// Reads a whole file, compares its checksum, and gives its rows away a batch at a time.
    pub(super) async fn read_in_batches(
        &self,
        location: Path,
        batches: mpsc::Sender<Vec<SessionEvent>>,
    ) -> Result<Footer, FileError> {
        let bytes = self.store.get(&location).await?.bytes().await?;
        self.bytes_read.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        let decoding = tokio::task::spawn_blocking(move || {
            let opened = file::Opened::of(bytes)?;
            file::check_owner(&opened.footer, &location)?;
            opened.each_batch(|batch| batches.blocking_send(batch).is_ok())
        });
        Ok(decoding.await.unwrap_or(Err(Damage::Decoder))?)
    }

    pub(super) fn ranges(&self, location: Path, size: u64) -> RangeReader {
        RangeReader {
            store: Arc::clone(&self.store),
            location,
            size,
            bytes_read: Arc::clone(&self.bytes_read),
            failure: Arc::default(),
        }
    }
}

impl Filter {
    /// Whether a file may be one that is asked for, going by its path alone.
    fn may_admit(&self, path: &str) -> bool {
        let since = self.since.as_deref().unwrap_or_default();
        layout::ingest_date_of(path).is_none_or(|date| date >= since)
    }

    /// Whether a file is one that is asked for. Its footer is asked besides its folder, because on
    /// a disk that ignores case `Acme` and `acme` share a folder and must not share their rows.
    pub(super) fn admits(&self, identity: &FileIdentity) -> bool {
        self.owner.as_ref().is_none_or(|owner| *owner == identity.owner)
    }
}

impl Listed {
    /// What was read, or `None` and an entry among the damaged files.
    pub(super) fn or_damage<T>(
        &self,
        read: Result<T, FileError>,
        damaged: &mut Vec<DamagedFile>,
    ) -> Result<Option<T>, ReadError> {
        match read {
            Ok(read) => Ok(Some(read)),
            Err(error) => {
                damaged.push(self.damage_or_error(error)?);
                Ok(None)
            }
        }
    }

    pub(super) fn damage_or_error(&self, error: FileError) -> Result<DamagedFile, ReadError> {
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
/// differ (two versions, two redaction rules) need some order that is always the same, also to a reader
/// of the columns without long texts alone.
pub(super) fn arrival_order(a: &SessionEvent, b: &SessionEvent) -> Order {
    let keys = |event: &SessionEvent| -> Vec<String> {
        let row = event.as_row();
        Columns::Keys.of_schema().into_iter().map(|column| column.rendered(&row)).collect()
    };
    let contents = |event: &SessionEvent| format!("{:?}", (&event.text, &event.input, event));
    a.ingested_at.cmp(&b.ingested_at).then_with(|| match a == b {
        true => Order::Equal,
        false => keys(a).cmp(&keys(b)).then_with(|| contents(a).cmp(&contents(b))),
    })
}
