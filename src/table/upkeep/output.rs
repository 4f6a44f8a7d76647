//! Files that are to stand for others, written a part of their rows after the other.

use uuid::Uuid;

use super::{Hidden, UpkeepError, unfinished};
use crate::event::{Filled, Owner, SessionEvent, Timestamp};
use crate::table::announce::Announcement;
use crate::table::write::Encoder;
use crate::table::{FileIdentity, Table, WriteError};

/// New files are written seldom and read often.
const ZSTD_LEVEL: u8 = 6;

/// A file that is to stand for others.
#[derive(Debug, Default)]
pub(super) struct Output {
    /// Its path; `None` if it would be empty.
    pub(super) path: Option<String>,
    pub(super) rows: u64,
}

/// An output file that is being written. It was announced before the erasures were read, so no row that is hidden by
/// then gets into it. Pass it to [`Table::finish_output`] in any case.
pub(super) struct Unwritten {
    identity: FileIdentity,
    path: String,
    announcement: Announcement,
    hidden: Hidden,
    /// `None` while it is at work.
    encoder: Option<Encoder>,
}

impl Unwritten {
    /// About how many bytes it has.
    pub(super) fn bytes(&self) -> usize {
        self.encoder.as_ref().map_or(0, Encoder::bytes)
    }

    /// Whether it should be put soon: what is erased since it was announced would come into it.
    pub(super) fn is_late(&self) -> bool {
        self.announcement.is_old()
    }

    /// Adds rows that come after those that are there.
    pub(super) async fn add(&mut self, mut events: Vec<SessionEvent>) -> Result<(), UpkeepError> {
        events.retain(|event| !self.hidden.hides(event));
        let Some(mut encoder) = self.encoder.take().filter(|_| !events.is_empty()) else { return Ok(()) };
        let encoding = tokio::task::spawn_blocking(move || encoder.append(&events).map(|()| encoder));
        let path = || self.path.clone();
        let encoded = encoding.await.map_err(|source| WriteError::Unfinished { path: path(), source })?;
        self.encoder = Some(encoded.map_err(|source| WriteError::Encode { path: path(), source })?);
        Ok(())
    }
}

impl Table {
    /// Writes one of the files that are to stand for others, without what is erased by then. Nothing is
    /// written if nothing is left.
    pub(super) async fn write_output(
        &self,
        owner: &Owner,
        ingest_date: &str,
        events: Vec<SessionEvent>,
    ) -> Result<Output, UpkeepError> {
        if events.is_empty() {
            return Ok(Output::default());
        }
        let mut output = self.begin_output(owner, ingest_date, events.len()).await?;
        let added = output.add(events).await;
        self.finish_output(output, added).await
    }

    /// Begins one, of about so many rows.
    pub(super) async fn begin_output(
        &self,
        owner: &Owner,
        ingest_date: &str,
        rows: usize,
    ) -> Result<Unwritten, UpkeepError> {
        let id = Uuid::new_v4().simple().to_string();
        let identity = FileIdentity {
            owner: owner.clone(),
            ingest_date: ingest_date.to_owned(),
            journal_id: format!("c{id}"),
            batch_id: id,
            first: 0,
            last: 0,
            part: 0,
        };
        let path = identity.path();
        let announcement = self.announce(None, &path).await?;
        let level = ZSTD_LEVEL.max(self.zstd_level);
        let begun = match self.hidden().await.map_err(UpkeepError::from) {
            Ok(hidden) => {
                let encoder = Encoder::new(level, rows, Filled::ALL, 0);
                let failed = |source| WriteError::Encode { path: path.clone(), source };
                encoder.map(|encoder| (hidden, encoder)).map_err(|error| failed(error).into())
            }
            Err(error) => Err(error),
        };
        match begun {
            Ok((hidden, encoder)) => {
                Ok(Unwritten { identity, path, announcement, hidden, encoder: Some(encoder) })
            }
            Err(error) => {
                self.conclude(announcement).await;
                Err(error)
            }
        }
    }

    /// Puts it on the store, if all of its rows came into it.
    pub(super) async fn finish_output(
        &self,
        output: Unwritten,
        added: Result<(), UpkeepError>,
    ) -> Result<Output, UpkeepError> {
        let Unwritten { identity, path, announcement, encoder, .. } = output;
        let written = match (added, encoder) {
            (Ok(()), Some(encoder)) => self.put_output(&announcement, &identity, path, encoder).await,
            (added, _) => added.map(|()| Output::default()),
        };
        // A request that failed may still be on its way to a bucket.
        let on_its_way = matches!(written, Err(UpkeepError::Write(WriteError::Store { .. })));
        if !on_its_way {
            self.conclude(announcement).await;
        }
        written
    }

    async fn put_output(
        &self,
        announcement: &Announcement,
        identity: &FileIdentity,
        path: String,
        encoder: Encoder,
    ) -> Result<Output, UpkeepError> {
        let rows = encoder.rows();
        if rows == 0 {
            return Ok(Output::default());
        }
        let identity = identity.clone();
        let encoding = tokio::task::spawn_blocking(move || encoder.finish(&identity));
        let encoded =
            encoding.await.map_err(|source| WriteError::Unfinished { path: path.clone(), source })?;
        let file = encoded.map_err(|source| WriteError::Encode { path: path.clone(), source })?;
        self.put_rows(announcement, &path, file, unfinished::writer(Timestamp::now())).await?;
        Ok(Output { path: Some(path), rows })
    }
}
