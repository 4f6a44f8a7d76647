//! What a queue lost, and why.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bodies that were dropped since the start, by reason.
#[derive(Debug, Default)]
pub(super) struct Counts(Mutex<Dropped>);

#[derive(Debug, Default)]
struct Dropped {
    bodies: BTreeMap<&'static str, u64>,
    last: Option<String>,
}

impl Counts {
    pub(super) fn add(&self, reason: &'static str, bodies: u64, detail: Option<&str>) {
        if bodies > 0 {
            let mut dropped = self.lock();
            *dropped.bodies.entry(reason).or_default() += bodies;
            dropped.last = detail.map(str::to_owned).or_else(|| dropped.last.take());
        }
    }

    pub(super) fn by_reason(&self) -> BTreeMap<&'static str, u64> {
        self.lock().bodies.clone()
    }

    pub(super) fn last(&self) -> Option<String> {
        self.lock().last.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Dropped> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
