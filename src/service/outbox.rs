//! Findings that wait for a target. A failing target delays neither mining nor the other targets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::event::Timestamp;
use crate::exporters::target::{Report, Target, Update};
use crate::exporters::with_causes;
use crate::library::{Change, Findings, HeldBack, Learned};
use crate::skillify::llm::Spent;

use super::metrics::MiningCounts;
use super::run_error::RunError;
use super::targets::Failure;
use super::workspace_key::WorkspaceKey;

/// The first pause after a failure; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);
/// The findings of so many workspaces may wait for a target.
const MOST_WAITING: usize = 256;

/// A target and what waits for it.
pub(super) struct Outbox {
    pub(super) target: Target,
    /// The newest findings of each workspace that the target does not have yet.
    waiting: BTreeMap<WorkspaceKey, Findings>,
    /// Workspaces whose findings found no room here: they are mined again when there is some.
    put_back: BTreeSet<WorkspaceKey>,
    /// How many new skills the target may still be brought in this round.
    left: usize,
    pause: Duration,
    not_before: Option<Instant>,
    /// The target is full for what waits: it is not asked before, unless something else comes.
    full_until: Option<Instant>,
}

impl Outbox {
    pub(super) fn new(target: Target) -> Self {
        let left = target.route.bounds.run;
        let (waiting, put_back) = (BTreeMap::new(), BTreeSet::new());
        Self { target, waiting, put_back, left, pause: FIRST_PAUSE, not_before: None, full_until: None }
    }

    /// A new round begins; answers which workspaces are to be mined again for it.
    pub(super) fn begin_round(&mut self) -> BTreeSet<WorkspaceKey> {
        self.left = self.target.route.bounds.run;
        let room = (MOST_WAITING / 2).saturating_sub(self.waiting.len());
        let again: BTreeSet<WorkspaceKey> = self.put_back.iter().take(room).cloned().collect();
        self.put_back.retain(|place| !again.contains(place));
        again
    }

    /// Takes the newest findings of a workspace; what the older ones cost and nobody was told of is kept.
    pub(super) fn put(&mut self, place: WorkspaceKey, mut findings: Findings) {
        let older = self.waiting.remove(&place).and_then(|older| older.learned);
        match (&mut findings.learned, older) {
            (Some(learned), Some(older)) => learned.also_spent(&older.spent),
            (learned @ None, older) => *learned = older,
            (Some(_), None) => {}
        }
        self.full_until = None;
        self.put_back.remove(&place);
        self.waiting.insert(place, findings);
        self.make_room();
    }

    /// Another worker mines these workspaces now.
    pub(super) fn forget(&mut self, is_lost: impl Fn(&WorkspaceKey) -> bool) {
        self.waiting.retain(|place, _| !is_lost(place));
        self.put_back.retain(|place| !is_lost(place));
    }

    /// Bounds the waiting findings, for any number of workspaces and however long a target is away. Dropped ones are
    /// mined again; paid answers of a model stay.
    fn make_room(&mut self) {
        while self.waiting.len() > MOST_WAITING {
            let unpaid = |(_, findings): &(&WorkspaceKey, &Findings)| findings.learned.is_none();
            let last = self.waiting.iter().rfind(unpaid).map(|(place, _)| place.clone());
            let Some(place) = last else { break };
            self.waiting.remove(&place);
            self.put_back.insert(place);
        }
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
        let pauses = [self.not_before, self.full_until];
        let pausing = pauses.into_iter().flatten().any(|at| Instant::now() < at);
        if self.waiting.is_empty() || pausing || stop.load(Ordering::Relaxed) {
            return;
        }
        let started = Instant::now();
        let update = Arc::new(Update::Findings(self.waiting.values().cloned().collect()));
        let target = self.target.to_string();
        let mut bounded = self.target.clone();
        bounded.route.bounds.run = self.left;
        match publish(bounded, update, false, Arc::clone(stop)).await {
            Ok(report) => {
                self.left = self.left.saturating_sub(report.named(Change::Created).len());
                self.keep(report.held_back, &report.waiting);
                self.pause = FIRST_PAUSE;
                counts.targets.succeeded(&target, &report);
                tracing::info!(pipeline, target, duration = ?started.elapsed(), "{report}");
            }
            Err(error) => self.put_off(&error, pipeline, counts),
        }
    }

    /// Nothing waits any more but what was held back: it is brought again in the next round, or where a person
    /// has to make room, after a while. What a model said and cost has arrived.
    fn keep(&mut self, held_back: Option<HeldBack>, workspaces: &BTreeSet<String>) {
        self.waiting.retain(|_, findings| workspaces.contains(&findings.workspace));
        self.waiting.values_mut().for_each(|findings| findings.learned = None);
        let is_full = held_back.is_some_and(|held_back| !held_back.by_the_run);
        self.full_until = is_full.then(|| Instant::now() + LONGEST_PAUSE);
        self.not_before = None;
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

/// Brings an update to one target, off the reactor; with `dry_run`, only says what would change.
pub async fn publish(
    target: Target,
    update: Arc<Update>,
    dry_run: bool,
    stop: Arc<AtomicBool>,
) -> Result<Report, RunError> {
    let name = target.to_string();
    let exporting = tokio::task::spawn_blocking(move || {
        if dry_run { target.plan(&update) } else { target.publish(&update, stop) }
    });
    exporting.await?.map_err(|source| RunError::Export { target: name, source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exporters::filesystem::Config;
    use crate::exporters::target::TargetKind;
    use crate::library::{Layout, Route};
    use crate::skillify::{self, Offline, Snapshot, mine};

    fn findings(workspace: &str) -> Findings {
        let nothing = Snapshot { workspace, sessions: &[] };
        Findings::from(&mine(&nothing, &skillify::Config::default(), &Offline))
    }

    fn place(number: usize) -> WorkspaceKey {
        ("acme".to_owned(), format!("w-{number:04}"))
    }

    fn outbox() -> Outbox {
        let config = Config { path: "/nowhere".into(), layout: Layout::Library };
        Outbox::new(Target { route: Route::default(), place: TargetKind::Filesystem(config) })
    }

    #[test]
    fn what_waits_is_bounded_and_nothing_is_forgotten() {
        let mut outbox = outbox();
        for number in 0..1000 {
            let place = place(number);
            outbox.put(place.clone(), findings(&place.1));
        }
        assert_eq!((outbox.waiting.len(), outbox.put_back.len()), (MOST_WAITING, 1000 - MOST_WAITING));
        assert!(outbox.begin_round().is_empty(), "there is no room");
        let mut seen: BTreeSet<WorkspaceKey> = BTreeSet::new();
        while seen.len() < 1000 {
            seen.extend(outbox.waiting.keys().cloned());
            // As a target does that takes everything.
            outbox.keep(None, &BTreeSet::new());
            let again = outbox.begin_round();
            assert!(again.len() <= MOST_WAITING / 2 && (!again.is_empty() || seen.len() == 1000));
            again.into_iter().for_each(|place| outbox.put(place.clone(), findings(&place.1)));
        }
        assert!(outbox.waiting.is_empty() && outbox.put_back.is_empty());
    }

    #[test]
    fn what_was_held_back_stays_and_the_rest_has_arrived() {
        let mut outbox = outbox();
        for number in 0..3 {
            let place = place(number);
            outbox.put(place.clone(), findings(&place.1));
        }
        outbox.keep(None, &BTreeSet::from(["w-0001".to_owned()]));
        assert_eq!(outbox.waiting.keys().collect::<Vec<_>>(), [&place(1)]);
    }
}
