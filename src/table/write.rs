//! Writing one file of the table: sorted, encoded, and put once.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::announce::Announcement;
use super::error::WriteError;
use super::file::{Damage, FileError, fetch_footer};
use super::footer::{ContentChecksum, Footer};
use super::schema::{BatchBuilder, COLUMNS, Storage, Values, schema};
use super::{FileIdentity, Local, Table};
use crate::disk::{Lock, create_folders, write_durably};
use crate::event::{AsRow, Filled};

/// What became of a file that was to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It is on the store now.
    Created {
        /// The size of the file.
        bytes: u64,
    },
    /// An earlier attempt of the same plan had written it already.
    AlreadyThere,
    /// Nothing was to be written: all of it is erased or past its retention, or an earlier attempt had
    /// written the file and upkeep has replaced it since.
    Nothing,
}

/// Separates the name of an unfinished file from the number of its writer.
pub(super) const UNFINISHED: char = '#';

/// The number of a journal's exporter, the only one that writes the files of its plans.
pub(super) const EXPORTER: u64 = 1;

impl Table {
    /// Writes `events` as the one file that `identity` names, in one create-only put; on a local
    /// disk the file and its folders have been synced when this returns.
    ///
    /// Writing the same identity again is [`Written::AlreadyThere`] and changes nothing. The same
    /// input gives the same bytes.
    pub async fn write<E: AsRow + Send + 'static>(
        &self,
        identity: &FileIdentity,
        events: Vec<E>,
    ) -> Result<Written, WriteError> {
        let path = identity.path();
        let announcement = self.announce(Some(&identity.journal_id), &path).await?;
        let written = self.write_announced(&announcement, identity, &path, events).await;
        // A request that failed may still be on its way; the announcement of the next attempt follows it.
        if written.is_ok() || self.local.is_some() {
            self.conclude(announcement).await;
        }
        written
    }

    async fn write_announced<E: AsRow + Send + 'static>(
        &self,
        announcement: &Announcement,
        identity: &FileIdentity,
        path: &str,
        events: Vec<E>,
    ) -> Result<Written, WriteError> {
        let wanted = self.still_wanted(identity, path, events).await;
        let wanted = wanted
            .map_err(|source| WriteError::Upkeep { path: path.to_owned(), source: Box::new(source) })?;
        let Some(events) = wanted else {
            self.remove_unfinished(path).await;
            return Ok(Written::Nothing);
        };
        let file = encode_off_thread(identity, events, self.zstd_level, path).await?;
        let bytes = file.len() as u64;
        // A journal has one exporter, which replaces here what it left when it was killed.
        if self.put_rows(announcement, path, file, EXPORTER).await? {
            return Ok(Written::Created { bytes });
        }
        self.expect_identity(identity, path).await?;
        Ok(Written::AlreadyThere)
    }

    /// [`Table::put_new`] of a file of rows, which were chosen after `announcement`.
    pub(super) async fn put_rows(
        &self,
        announcement: &Announcement,
        path: &str,
        file: Vec<u8>,
        writer: u64,
    ) -> Result<bool, WriteError> {
        if !announcement.holds() {
            return Err(WriteError::Late { path: path.to_owned() });
        }
        self.put(path, file, writer, announcement.lock()).await
    }

    /// Puts a file on the store, on a local disk durably; false if there is one of its name. No other
    /// `writer` of that number may be at work on that name.
    pub(super) async fn put_new(&self, path: &str, file: Vec<u8>, writer: u64) -> Result<bool, WriteError> {
        self.put(path, file, writer, None).await
    }

    async fn put(
        &self,
        path: &str,
        file: Vec<u8>,
        writer: u64,
        lock: Option<Arc<dyn Lock>>,
    ) -> Result<bool, WriteError> {
        if let Some(local) = self.local.clone() {
            return local.put_new(path, file, writer, lock).await;
        }
        let failed = |source| WriteError::Store { path: path.to_owned(), source };
        let location = Path::parse(path).map_err(|error| failed(error.into()))?;
        match self.store.put_opts(&location, file.into(), PutMode::Create.into()).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
            Err(source) => Err(failed(source)),
        }
    }

    /// Removes what the exporter was writing at `path` when it was killed: nobody replaces it any more.
    async fn remove_unfinished(&self, path: &str) {
        let Some(Local { root, disk }) = self.local.clone() else { return };
        let unfinished = unfinished(&root.join(path), EXPORTER);
        let removing = tokio::task::spawn_blocking(move || disk.remove(&unfinished));
        // As a rule there is none.
        let _ = removing.await;
    }

    /// Whether the file that lies at `path` is the one that `identity` names.
    async fn expect_identity(&self, identity: &FileIdentity, path: &str) -> Result<(), WriteError> {
        let store_error = |source| WriteError::Store { path: path.to_owned(), source };
        let location = Path::parse(path).map_err(|error| store_error(error.into()))?;
        let size = self.store.head(&location).await.map_err(store_error)?.size;
        let found = match fetch_footer(self.store.as_ref(), &location, size).await {
            Ok(footer) if footer.identity == *identity => return Ok(()),
            Ok(footer) => footer.identity.to_string(),
            Err(FileError::Damaged(Damage::NoIdentity)) => "a file that skillspan did not write".to_owned(),
            Err(FileError::Damaged(damage)) => format!("a damaged file ({damage})"),
            Err(FileError::Store(source)) => return Err(store_error(source)),
        };
        Err(WriteError::Foreign { path: path.to_owned(), expected: Box::new(identity.clone()), found })
    }
}

impl Local {
    /// Puts a file into its folder, durably and whole or not at all; false if there is one of its name.
    /// `lock` is held until it is done, whether the caller waits for it or not.
    async fn put_new(
        self,
        path: &str,
        file: Vec<u8>,
        writer: u64,
        lock: Option<Arc<dyn Lock>>,
    ) -> Result<bool, WriteError> {
        let name = path.to_owned();
        let putting = tokio::task::spawn_blocking(move || {
            let put = self.put_new_blocking(&name, &file, writer);
            drop(lock);
            put
        });
        match putting.await {
            Ok(Ok(new)) => Ok(new),
            Ok(Err(source)) => Err(WriteError::Disk { path: path.to_owned(), source }),
            Err(source) => Err(WriteError::Unfinished { path: path.to_owned(), source }),
        }
    }

    fn put_new_blocking(&self, path: &str, bytes: &[u8], writer: u64) -> io::Result<bool> {
        let path = self.root.join(path);
        let folder = path.parent().unwrap_or(&self.root);
        create_folders(&*self.disk, folder, Some(&self.root))?;
        let temporary = unfinished(&path, writer);
        // A writer that was killed between linking and unlinking leaves the file under both names. Writing
        // under this name must not change the file that readers see under the other.
        match self.disk.remove(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        write_durably(&*self.disk, &temporary, bytes)?;
        let new = match self.disk.rename_new(&temporary, &path) {
            Ok(()) => true,
            Err(error) => {
                // The first error is the one to tell.
                let _ = self.disk.remove(&temporary);
                if error.kind() != io::ErrorKind::AlreadyExists {
                    return Err(error);
                }
                false
            }
        };
        // Also where it was there already: who put it there may have been killed before this.
        self.disk.sync_folder(folder)?;
        Ok(new)
    }
}

/// The name of the file at `path` while it is being written. Readers pass over it.
pub(super) fn unfinished(path: &std::path::Path, writer: u64) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!("{UNFINISHED}{writer}"));
    name.into()
}

/// Encoding is seconds of pure computation at worst, too long for a thread that serves requests.
async fn encode_off_thread<E: AsRow + Send + 'static>(
    identity: &FileIdentity,
    events: Vec<E>,
    zstd_level: u8,
    path: &str,
) -> Result<Vec<u8>, WriteError> {
    let identity = identity.clone();
    let encoding = tokio::task::spawn_blocking(move || encode(&identity, &events, zstd_level));
    match encoding.await {
        Ok(encoded) => encoded.map_err(|source| WriteError::Encode { path: path.to_owned(), source }),
        Err(source) => Err(WriteError::Unfinished { path: path.to_owned(), source }),
    }
}

/// The events in the order of a file's rows. Each sort key is small, and computed once.
fn sorted<E: AsRow>(events: &[E]) -> Vec<&E> {
    let mut keyed: Vec<_> = events
        .iter()
        .enumerate()
        // What is equal stays in its order.
        .map(|(place, event)| ((event.order(), place), event))
        .collect();
    keyed.sort_unstable_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, event)| event).collect()
}

fn encode<E: AsRow>(identity: &FileIdentity, events: &[E], zstd_level: u8) -> Result<Vec<u8>, ParquetError> {
    let filled = events.iter().map(AsRow::filled).fold(Filled::default(), Filled::and);
    // Texts take a fourth in the file. What it has no room for it copies, and untouched room costs nothing.
    let room = events.iter().map(AsRow::bytes).sum::<usize>() / 3;
    let mut encoder = Encoder::new(zstd_level, events.len(), filled, room)?;
    encoder.append(events)?;
    encoder.finish(identity)
}

/// A file that is encoded a part of its rows after the other: of those that were given it keeps what they take in the
/// file.
pub(super) struct Encoder {
    writer: ArrowWriter<Vec<u8>>,
    batch: BatchBuilder,
    rows: u64,
}

impl Encoder {
    /// For about so many rows; allocates room for `room` bytes ahead.
    pub(super) fn new(
        zstd_level: u8,
        rows: usize,
        filled: Filled,
        room: usize,
    ) -> Result<Self, ParquetError> {
        let properties = properties(zstd_level, rows, filled)?;
        let writer = ArrowWriter::try_new(Vec::with_capacity(room), schema(), Some(properties))?;
        Ok(Self { writer, batch: BatchBuilder::new(), rows: 0 })
    }

    /// Adds rows in their order behind those that are there: no row of a later part comes before one of an earlier one.
    pub(super) fn append<E: AsRow>(&mut self, events: &[E]) -> Result<(), ParquetError> {
        for event in sorted(events) {
            self.batch.append(&event.as_row());
            if self.batch.is_full() {
                self.writer.write(&self.batch.finish()?)?;
            }
        }
        self.rows += events.len() as u64;
        Ok(())
    }

    /// About how many bytes it has.
    pub(super) fn bytes(&self) -> usize {
        self.writer.bytes_written() + self.writer.in_progress_size()
    }

    pub(super) const fn rows(&self) -> u64 {
        self.rows
    }

    /// The file.
    pub(super) fn finish(mut self, identity: &FileIdentity) -> Result<Vec<u8>, ParquetError> {
        self.writer.write(&self.batch.finish()?)?;
        self.writer.flush()?;
        self.writer.sync()?;
        let footer = Footer {
            identity: identity.clone(),
            rows: self.rows,
            content: ContentChecksum::of(self.writer.inner()),
        };
        for pair in footer.to_key_values() {
            self.writer.append_key_value_metadata(pair);
        }
        self.writer.into_inner()
    }
}

/// A row group is as much as a reader must look through for one session, and as much as has a footer
/// entry, a dictionary and a bloom filter of its own.
const ROW_GROUP_ROWS: usize = 32_768;

/// A page is the least that can be fetched of a column; rows are sorted by session.
const PAGE_ROWS: usize = 1_024;

/// Pages of long texts have fewer rows. While it is filled a page is copied whenever it has grown to twice its size.
const PAGE_BYTES: usize = 256 << 10;

/// Columns whose values are looked up one by one and stand in no order.
const LOOKED_UP: [&str; 3] = ["session_id", "trace_id", "event_id"];

fn properties(zstd_level: u8, rows: usize, filled: Filled) -> Result<WriterProperties, ParquetError> {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(zstd_level.into())?))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_data_page_size_limit(PAGE_BYTES)
        .set_write_batch_size(PAGE_ROWS);
    for column in LOOKED_UP {
        let distinct = rows.clamp(1, ROW_GROUP_ROWS) as u64;
        properties = properties
            .set_column_bloom_filter_enabled(column.into(), true)
            .set_column_bloom_filter_fpp(column.into(), 0.01)
            .set_column_bloom_filter_max_ndv(column.into(), distinct);
    }
    for (place, column) in COLUMNS.iter().enumerate() {
        let path = ColumnPath::from(column.name);
        let is_empty = matches!(column.values, Values::Text { .. }) && !filled.has(place);
        // Looking for nothing in a dictionary of nothing takes longer than writing nothing.
        if column.storage != Storage::Repeating || is_empty {
            properties = properties.set_column_dictionary_enabled(path.clone(), false);
        }
        if column.storage == Storage::Bulk {
            properties = properties.set_column_statistics_enabled(path, EnabledStatistics::None);
        }
    }
    Ok(properties.build())
}
