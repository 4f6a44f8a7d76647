//! What an exporter says of itself, and how others ask it to hurry.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::watch;

use crate::event::Timestamp;
use crate::journal::Journal;

/// An exporter's state at one moment. Counts are since its start.
#[derive(Debug, Clone, Default)]
pub struct Status {
    /// Sequences between the cursor and the journal's durable end.
    pub behind: u64,
    /// Events that have been read and are not in the table yet.
    pub pending_events: u64,
    /// When the oldest request that is not in the table yet was accepted, as far as it has been read.
    pub oldest_pending: Option<Timestamp>,
    /// Batches that reached the table.
    pub batches: u64,
    /// Files written by them.
    pub files: u64,
    /// Rows written by them.
    pub rows: u64,
    /// Bytes of these files.
    pub bytes: u64,
    /// Records that went to the dead letters.
    pub dead_letters: u64,
    /// Attempts that failed.
    pub failures: u64,
    /// What stands in the way now, if anything.
    pub failing: Option<Failing>,
}

impl Status {
    /// Age in seconds of the oldest request that is not in the table yet, as far as it has been read.
    pub fn lag_seconds(&self) -> f64 {
        self.oldest_pending.map_or(0.0, |oldest| Timestamp::now().since(oldest).as_secs_f64())
    }
}

/// Why an exporter makes no progress.
#[derive(Debug, Clone)]
pub struct Failing {
    /// The last error, with its causes.
    pub error: String,
    /// When the first of the row of failures happened.
    pub since: Instant,
    /// Failures in a row.
    pub attempts: u32,
}

/// The exporter has ended, and the journal still holds what was to be flushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the parquet exporter has stopped; the journal keeps what is not in the table yet")]
pub struct Stopped;

/// Reaches a running exporter. Clones reach the same one.
#[derive(Debug, Clone)]
pub struct ExporterHandle {
    pub(super) journal: Journal,
    pub(super) status: Arc<Mutex<Status>>,
    /// The sequence below which everything is wanted in the table at once.
    pub(super) wanted: watch::Sender<u64>,
    /// The sequence below which everything is in the table; closed when the exporter ends.
    pub(super) exported: watch::Receiver<u64>,
}

impl ExporterHandle {
    /// Resolves when everything durable at the time of the call is in the table (or among the dead
    /// letters), however long the table takes.
    pub async fn flush(&self) -> Result<(), Stopped> {
        let end = *self.journal.durable_end().borrow();
        // Also where nothing more is wanted than before: it ends a pause between two attempts.
        self.wanted.send_modify(|wanted| *wanted = end.max(*wanted));
        let mut exported = self.exported.clone();
        exported.wait_for(|exported| *exported >= end).await.map(|_| ()).map_err(|_| Stopped)
    }

    /// The exporter's state now.
    pub fn status(&self) -> Status {
        let mut status = lock(&self.status).clone();
        status.behind = self.journal.status().behind;
        status
    }
}

pub(super) fn lock(status: &Mutex<Status>) -> MutexGuard<'_, Status> {
    status.lock().unwrap_or_else(PoisonError::into_inner)
}
