//! What the exporter says of itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The exporter's state at one moment. Counts are since its start.
#[derive(Debug, Clone, Default)]
pub struct Status {
    /// Rows that the service has.
    pub rows: u64,
    /// Statements sent that add rows.
    pub inserts: u64,
    /// Bytes of these statements.
    pub bytes: u64,
    /// Rows that were found there when an answer was lost.
    pub found: u64,
    /// Sessions of which more is to come or to be written.
    pub open_sessions: u64,
    /// Rows that are about to be written.
    pub waiting_rows: u64,
    /// Rows that the service refuses for good, also before the start.
    pub refused: u64,
    /// The reason it gives for one of them.
    pub refusal: Option<String>,
    /// Sessions that were removed from the service because they are erased.
    pub erased: u64,
    /// Attempts that failed, by kind.
    pub failures: BTreeMap<&'static str, u64>,
    /// The current obstacle, if any.
    pub failing: Option<Failing>,
}

/// Why an exporter makes no progress.
#[derive(Debug, Clone)]
pub struct Failing {
    /// A word for the kind of failure.
    pub kind: &'static str,
    /// The last error.
    pub error: String,
    /// What to do about it.
    pub remedy: &'static str,
    /// When the first of the row of failures happened.
    pub since: Instant,
    /// Failures in a row.
    pub attempts: u32,
}

/// Reaches a running exporter. Clones reach the same one.
#[derive(Debug, Clone, Default)]
pub struct Handle {
    /// The component's id.
    pub(super) name: String,
    /// The organisation and the workspace.
    pub(super) place: String,
    pub(super) status: Arc<Mutex<Status>>,
}

impl Handle {
    /// The component's id.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where rows go.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The exporter's state now.
    pub fn status(&self) -> Status {
        self.lock().clone()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An attempt failed; it is tried again.
    pub(super) fn failed(&self, kind: &'static str, error: String, remedy: &'static str) {
        let mut status = self.lock();
        *status.failures.entry(kind).or_default() += 1;
        let (since, attempts) =
            status.failing.as_ref().map_or((Instant::now(), 0), |known| (known.since, known.attempts));
        status.failing = Some(Failing { kind, error, remedy, since, attempts: attempts + 1 });
    }

    /// An attempt worked.
    pub(super) fn works(&self) {
        self.lock().failing = None;
    }
}
