//! The upkeep of the table, every hour: it removes what was erased, retires old days and compacts closed days.
//!
//! Each replica does it. If two take the same day, one starts again. A failure is logged, and the next hour does what is
//! left. Nothing that answers or writes waits for upkeep.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::forwards::Eraser;
use super::ticks::Ticks;
use crate::event::Timestamp;
use crate::journal::Journal;
use crate::table::Table;
use crate::table::upkeep::{Erased, Retired, UpkeepError};

const INTERVAL: Duration = Duration::from_secs(3600);

/// What the upkeep of a table has done since the start.
#[derive(Debug, Default)]
pub(super) struct UpkeepCounts {
    pub(super) retired_files: AtomicU64,
    pub(super) retired_bytes: AtomicU64,
    /// Why retention removes nothing.
    doubt: Mutex<Option<String>>,
}

impl UpkeepCounts {
    pub(super) fn doubt(&self) -> Option<String> {
        self.doubt.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn add(&self, retired: &Retired) {
        self.retired_files.fetch_add(retired.files, Ordering::Relaxed);
        self.retired_bytes.fetch_add(retired.bytes, Ordering::Relaxed);
        self.doubt.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&retired.doubt);
    }
}

/// The upkeep of one table by this process.
pub(super) struct Upkeep {
    pub(super) table: Table,
    /// The journals of this process.
    pub(super) journals: Vec<Journal>,
    pub(super) counts: Arc<UpkeepCounts>,
    /// How many erasures there were when the journals were begun anew last.
    pub(super) erasures: Option<usize>,
    /// What waits for other backends.
    pub(super) eraser: Eraser,
}

impl Upkeep {
    /// Does the upkeep until `stop`, which ends it wherever it is: what it leaves is found again.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut ticks = Ticks::every(INTERVAL, &stop);
        while ticks.next().await.is_some() {
            if let Some(Err(error)) = stop.run_until_cancelled(self.round()).await {
                tracing::warn!("upkeep of the table goes on in an hour: {:#}", anyhow::Error::from(error));
            }
        }
    }

    async fn round(&mut self) -> Result<(), UpkeepError> {
        self.forget_in_journals().await?;
        let erased = match self.table.finish_erasures().await {
            Err(error @ UpkeepError::AtWork { .. }) => {
                tracing::warn!(%error, "erased rows leave the files another time");
                Erased::default()
            }
            erased => erased?,
        };
        if erased.files > 0 {
            tracing::info!(files = erased.files, rows = erased.rows, "erased rows have left the files");
        }
        let retired = self.table.retire().await?;
        self.counts.add(&retired);
        let kept_since = retired.kept_since.unwrap_or_default();
        if let Some(doubt) = retired.doubt {
            tracing::warn!(kept_since, "retention removes nothing: {doubt}");
        }
        if retired.files > 0 {
            let (files, bytes) = (retired.files, retired.bytes);
            tracing::info!(files, bytes, kept_since, "removed the days that retention does not keep");
        }
        let compacted = self.table.compact(Timestamp::now()).await?;
        for damaged in &compacted.damaged {
            tracing::warn!(file = damaged.path, damage = %damaged.damage, "left alone by upkeep");
        }
        if compacted.days > 0 {
            let (days, before, after) = (compacted.days, compacted.files_before, compacted.files_after);
            tracing::info!(days, before, after, "closed days are compacted");
        }
        Ok(())
    }

    /// What others erased in the table must not stay in the journals of this process.
    async fn forget_in_journals(&mut self) -> Result<(), UpkeepError> {
        let erasures = self.table.erasures().await?.len();
        if self.erasures == Some(erasures) {
            return Ok(());
        }
        let mut is_done = true;
        if erasures > 0 {
            for journal in &self.journals {
                if let Err(error) = journal.rotate().await {
                    tracing::warn!(%error, "what is erased may still be in a journal; tried again at the next upkeep");
                    is_done = false;
                }
            }
            if let Err(error) = self.eraser.catch_up().await {
                tracing::warn!(%error, "what is erased may still wait for another backend; tried again at the next upkeep");
                is_done = false;
            }
        }
        // Only what succeeded everywhere is not tried again.
        self.erasures = is_done.then_some(erasures).or(self.erasures);
        Ok(())
    }
}
