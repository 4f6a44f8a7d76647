//! What waits for a target. A target that fails holds up neither mining nor the other targets.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::event::Timestamp;
use crate::exporters::target::{Target, Update};
use crate::exporters::with_causes;
use crate::library::{Findings, Learned};
use crate::skillify::llm::Spent;

use super::metrics::MiningCounts;
use super::mining::{Place, RunError, publish};
use super::targets::Failure;

/// The first pause after a failure; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// A target and what waits for it.
pub(super) struct Outbox {
    pub(super) target: Target,
    /// The newest findings of each workspace that the target does not have yet.
    waiting: BTreeMap<Place, Findings>,
    pause: Duration,
    not_before: Option<Instant>,
}

impl Outbox {
    pub(super) fn new(target: Target) -> Self {
        Self { target, waiting: BTreeMap::new(), pause: FIRST_PAUSE, not_before: None }
    }

    /// Takes the newest findings of a workspace; what the older ones cost and nobody was told of is kept.
    pub(super) fn put(&mut self, place: Place, mut findings: Findings) {
        let older = self.waiting.remove(&place).and_then(|older| older.learned);
        match (&mut findings.learned, older) {
            (Some(learned), Some(older)) => learned.also_spent(&older.spent),
            (learned @ None, older) => *learned = older,
            (Some(_), None) => {}
        }
        self.waiting.insert(place, findings);
    }

    /// The target, and what a model cost that it was not told of, by date.
    pub(super) fn unpublished(&self) -> (Target, BTreeMap<String, Spent>) {
        let mut all = Learned::default();
        for learned in self.waiting.values().filter_map(|findings| findings.learned.as_ref()) {
            all.also_spent(&learned.spent);
        }
        (self.target.clone(), all.spent)
    }

    /// Publishes what waits, unless the target failed a short while ago.
    pub(super) async fn deliver(&mut self, pipeline: &str, counts: &MiningCounts, stop: &Arc<AtomicBool>) {
        let pausing = self.not_before.is_some_and(|at| Instant::now() < at);
        if self.waiting.is_empty() || pausing || stop.load(Ordering::Relaxed) {
            return;
        }
        let started = Instant::now();
        let update = Arc::new(Update::Findings(self.waiting.values().cloned().collect()));
        let target = self.target.to_string();
        match publish(self.target.clone(), update, false, Arc::clone(stop)).await {
            Ok(report) => {
                self.waiting.clear();
                self.pause = FIRST_PAUSE;
                self.not_before = None;
                counts.targets.succeeded(&target, &report);
                tracing::info!(pipeline, target, duration = ?started.elapsed(), "{report}");
            }
            Err(error) => self.put_off(&error, pipeline, counts),
        }
    }

    /// What a person has to change is tried again seldom, the rest soon.
    fn put_off(&mut self, error: &RunError, pipeline: &str, counts: &MiningCounts) {
        let (kind, remedy, transient) = match error {
            RunError::Export { source, .. } => (source.kind(), source.remedy(), source.is_transient()),
            _ => ("failed", "see the log; it is tried again by itself", true),
        };
        let pause = if transient { self.pause } else { LONGEST_PAUSE };
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        self.not_before = Some(Instant::now() + pause);
        let target = self.target.to_string();
        let detail = with_causes(error);
        let retry_at = Timestamp::now().saturating_add(pause);
        counts.targets.failed(&target, Failure { kind, error: detail.clone(), remedy, retry_at });
        tracing::warn!(pipeline, target, kind, retry_after = ?pause, "{detail}");
    }
}
