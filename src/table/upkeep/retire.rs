//! Retention: the days that are no longer kept leave the store.
//!
//! What retention removes does not come back, so the clock must be right. It is trusted if it agrees with the store's
//! own clock. A folder has none, so there the table must have a recent day by this process's time, or the process
//! must have watched the clock for a day. Otherwise nothing is removed, and the log says so.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};

use super::replace::records_of_owner;
use super::unfinished::Which;
use super::{ReadError, UpkeepError};
use crate::event::Timestamp;
use crate::table::clock::{self, BELIEVED_AFTER};
use crate::table::{Table, layout};

/// Clocks of machines and stores differ by less.
const APART: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Days that tell that the clock leads on from what is there: old enough not to be of a jump that just happened,
/// and young enough.
const WITNESSES: (u32, u32) = (9, 2);

/// What retention removed.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Retired {
    /// The files that were removed.
    pub files: u64,
    /// Their size.
    pub bytes: u64,
    /// The first date of ingestion that is kept.
    pub kept_since: Option<String>,
    /// Why nothing was removed although some days are too old, by the clock.
    pub doubt: Option<String>,
}

impl Table {
    /// Removes the files of the days that [`Table::with_retention`] does not keep, unless the clock is not to be
    /// believed. Readers have left them alone since the day ended, so it does not matter when this is done.
    pub async fn retire(&self) -> Result<Retired, UpkeepError> {
        self.retire_if(true).await
    }

    /// [`Table::retire`] by the clock as it is: somebody has looked at it.
    pub async fn retire_by_the_clock(&self) -> Result<Retired, UpkeepError> {
        self.retire_if(false).await
    }

    async fn retire_if(&self, believed: bool) -> Result<Retired, UpkeepError> {
        let mut retired = Retired::default();
        let Some(retention) = self.retention else { return Ok(retired) };
        let seen = clock::look();
        let now = if believed { seen.now } else { Timestamp::now() };
        let kept_since = now.saturating_sub(retention).date();
        retired.kept_since = Some(kept_since.clone());
        let is_old = |object: &ObjectMeta| {
            layout::ingest_date_of(object.location.as_ref()).is_some_and(|date| date < kept_since.as_str())
        };
        let files = self.objects_below(layout::DATA_FOLDER).await?;
        let records = self.objects_below(&records_of_owner(None)).await?;
        if believed && (files.iter().any(is_old) || seen.jump.is_some()) {
            retired.doubt = self.doubt(&files, seen).await?;
            if retired.doubt.is_some() {
                return Ok(retired);
            }
        }
        let mut folders = BTreeSet::new();
        // The records last: as long as a file is there, they say whether it counts.
        for (object, is_file) in
            files.iter().map(|file| (file, true)).chain(records.iter().map(|record| (record, false)))
        {
            if !is_old(object) {
                continue;
            }
            let path = object.location.as_ref();
            self.remove(path).await?;
            folders.extend(path.rsplit_once('/').map(|(folder, _)| folder.to_owned()));
            if is_file {
                retired.files += 1;
                retired.bytes += object.size;
            }
        }
        for folder in folders {
            self.remove_unfinished_in(&folder, Which::All).await;
        }
        Ok(retired)
    }

    /// Why the clock is not to be believed.
    async fn doubt(&self, files: &[ObjectMeta], seen: clock::Seen) -> Result<Option<String>, UpkeepError> {
        if let Some(jump) = seen.jump {
            return Ok(Some(jump.to_string()));
        }
        if self.local.is_none() {
            let of_store = Timestamp::from_micros(self.put_now().await?.last_modified.timestamp_micros());
            let apart = seen.now.since(of_store).max(of_store.since(seen.now));
            return Ok((apart > APART)
                .then(|| format!("the clock says {} and the one of the store {of_store}", seen.now)));
        }
        let (oldest, youngest) = WITNESSES;
        let dates = (youngest..=oldest).map(|days| seen.now.saturating_sub(DAY * days).date());
        let dates: BTreeSet<String> = dates.collect();
        let is_witness = |file: &ObjectMeta| {
            layout::ingest_date_of(file.location.as_ref()).is_some_and(|date| dates.contains(date))
        };
        if seen.steady >= BELIEVED_AFTER || files.iter().any(is_witness) {
            return Ok(None);
        }
        Ok(Some(format!(
            "the clock says {}, and the table has nothing of the days before; `skillspan run` removes what is too \
             old when it has seen the clock run steadily for a day, `skillspan compact --trust-clock` does now",
            seen.now
        )))
    }

    async fn objects_below(&self, folder: &str) -> Result<Vec<ObjectMeta>, ReadError> {
        let list_error = |source| ReadError::List { folder: folder.to_owned(), source };
        let prefix = Path::parse(folder).map_err(|error| list_error(error.into()))?;
        self.store.list(Some(&prefix)).try_collect().await.map_err(list_error)
    }
}
