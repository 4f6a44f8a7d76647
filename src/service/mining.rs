//! One run of a skills pipeline (read → mine → reconcile → export), and the loop that decides when.
//!
//! The loop looks at the table every `min_interval`. A workspace is due when one of its sessions
//! closed or is gone, or when it has `every_turns` turns more than at its last run. Mining is deterministic and
//! publishing changes nothing without new evidence, so a restart that mines again does no harm.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;

use crate::config::{Settings, SkillsPipeline};
use crate::event::Timestamp;
use crate::library::{Census, Findings};
use crate::skillify::{self, Mined, Offline};
use crate::table::{self, Filter, ResolveOptions, Session, Table, resolve};

pub use super::mine::{episode, findings};
pub use super::outbox::publish;
pub use super::run_error::RunError;
pub(super) use super::workspace_key::WorkspaceKey;

use super::StartError;
use super::digests::{Digests, Indexed, Window, Windowed, Windows};
use super::due::Mark;
use super::embeddings::Embeddings;
use super::metrics::MiningCounts;
use super::mine::{beside_each_other, mine};
use super::outbox::Outbox;
use super::record;
use super::share::{Mines, Share, is_of};
use super::ticks::Ticks;
use super::wording::{Found, Job, Known, Step};

/// Reads every session of the table, by tenant and workspace.
pub async fn read(
    table: &Table,
    default_workspace: &str,
) -> Result<BTreeMap<WorkspaceKey, Vec<Session>>, table::ReadError> {
    let scan = table.scan(&Filter::default()).await?;
    for damaged in &scan.damaged {
        tracing::warn!(file = damaged.path, damage = %damaged.damage, "left out of mining");
    }
    let options = ResolveOptions { default_workspace: default_workspace.to_owned() };
    let mut places: BTreeMap<WorkspaceKey, Vec<Session>> = BTreeMap::new();
    for session in resolve(scan.events, &options) {
        places.entry((session.tenant.clone(), session.workspace.clone())).or_default().push(session);
    }
    Ok(places)
}

/// A digest is reckoned to take so many times its bytes while it is mined: a quarter of that for itself.
pub const UNPACKED: u64 = 16;

/// Mines workspaces without a model, off the reactor; what is found comes in the order of the jobs.
pub async fn mine_offline(jobs: &[Job], config: skillify::Config<'static>) -> Result<Vec<Found>, RunError> {
    mine_what_is_new(jobs, config, None).await
}

/// [`mine_offline`], but of workspaces whose digests are as they were what is kept in the folder of digests.
pub async fn mine_what_is_new(
    jobs: &[Job],
    config: skillify::Config<'static>,
    kept: Option<&Path>,
) -> Result<Vec<Found>, RunError> {
    let mining = jobs.iter().map(|job| mine(job, config, kept).boxed());
    let lessons = beside_each_other(mining.collect()).await?;
    Ok(lessons.iter().map(|lessons| Found { mined: lessons.worded(&Offline), learned: None }).collect())
}

/// The jobs of the workspaces that are wanted, their digests read.
pub async fn jobs(
    digests: &mut Digests,
    table: &Table,
    wanted: impl Fn(&WorkspaceKey) -> bool + Clone + Send + 'static,
    settings: &SkillsPipeline,
) -> Result<Vec<Job>, RunError> {
    let windows = Windows {
        window: Window {
            bytes: settings.memory / UNPACKED,
            events: settings.window.events,
            age: settings.window.age,
        },
        mining: settings.mining,
        verified: Arc::clone(&settings.verified),
        folder: settings.digests.clone(),
    };
    let job = |(place, Windowed { digests, older })| Job {
        place,
        digests,
        older,
        sessions: Arc::default(),
        vectors: None,
        verified: Arc::clone(&settings.verified),
    };
    Ok(digests.windows(table, wanted, &windows).await?.into_iter().map(job).collect())
}

/// Keeps the record of a run. If it cannot be written, a log line says so and the run goes on.
pub fn keep_record(settings: &SkillsPipeline, place: &WorkspaceKey, mined: &Mined) {
    let Some(folder) = &settings.digests else { return };
    if let Err(error) = record::keep(folder, place, mined, Timestamp::now()) {
        tracing::warn!(folder = %folder.display(), "the record of a run is not kept: {error}");
    }
}

/// The workers of the settings' skills pipelines, their targets checked.
pub(super) fn prepare(settings: &Settings) -> Result<Vec<Worker>, StartError> {
    for target in settings.skills.iter().flat_map(|pipeline| &pipeline.targets) {
        target.check()?;
    }
    let worker = |pipeline: &SkillsPipeline| {
        Ok(Worker {
            settings: pipeline.clone(),
            digests: None,
            step: pipeline
                .model
                .as_ref()
                .map(|model| Step::new(model, pipeline.digests.as_deref()))
                .transpose()?,
            embeddings: Embeddings::of(pipeline)?,
            outboxes: pipeline.targets.iter().cloned().map(Outbox::new).collect(),
            share: Arc::new(Share::of(pipeline)?),
            seen: Seen::default(),
        })
    };
    settings.skills.iter().map(worker).collect()
}

/// Runs one skills pipeline.
pub(super) struct Worker {
    settings: SkillsPipeline,
    /// `None` before the first look at the table.
    digests: Option<Digests>,
    /// Who words the skills; `None`: they are worded offline.
    step: Option<Step>,
    /// Where vectors of words are had; `None`: mining does without.
    embeddings: Option<Embeddings>,
    outboxes: Vec<Outbox>,
    /// The workspaces that it mines.
    share: Arc<Share>,
    seen: Seen,
}

/// What the last look at the table found.
#[derive(Default)]
struct Seen {
    files: Vec<String>,
    /// When the first session that is open now would close.
    next_close: Option<Timestamp>,
    /// The state of each workspace at its last run.
    mined: BTreeMap<WorkspaceKey, Mark>,
}

/// A workspace that is due.
struct Due {
    place: WorkspaceKey,
    mark: Mark,
    mines: Mines,
    /// Of its digests.
    bytes: u64,
}

/// Workspaces in parts that take so much memory to mine, or of one workspace.
pub fn parts<W>(due: Vec<W>, memory: u64, bytes: impl Fn(&W) -> u64) -> Vec<Vec<W>> {
    let mut parts: Vec<Vec<W>> = Vec::new();
    let mut room = 0;
    for one in due {
        let needed = bytes(&one).saturating_mul(UNPACKED);
        match parts.last_mut().filter(|_| needed <= room) {
            Some(part) => {
                room -= needed;
                part.push(one);
            }
            None => {
                room = memory.saturating_sub(needed);
                parts.push(vec![one]);
            }
        }
    }
    parts
}

impl Worker {
    /// Makes the targets known before anything is published to them.
    pub(super) fn announce(&self, counts: &MiningCounts) {
        for outbox in &self.outboxes {
            counts.targets.add(&outbox.target);
        }
        counts.shares.add(&self.settings.name, &self.share);
    }

    pub(super) async fn run(mut self, counts: Arc<MiningCounts>, stop: CancellationToken) {
        let period = self.settings.schedule.min_interval.max(Duration::from_millis(100));
        let tick = self.share.tick(period);
        let mut ticks = Ticks::every(tick, &stop);
        let stopped = Arc::new(AtomicBool::new(false));
        let mut last: Option<Instant> = None;
        while ticks.next().await.is_some() {
            let gained = self.tend().await;
            // Ticks of a share come more often than runs; none is missed by a hair.
            let is_early = last.is_some_and(|last| last.elapsed() + tick / 2 < period);
            if is_early && self.share.is_one_of_several() && !gained {
                continue;
            }
            last = Some(Instant::now());
            let share = Arc::clone(&self.share);
            let done = {
                let round = AssertUnwindSafe(self.round(&counts, &stopped, &stop)).catch_unwind();
                tokio::pin!(round);
                match stop.run_until_cancelled(beside(&share, &mut round)).await {
                    Some(done) => done,
                    None => {
                        stopped.store(true, Ordering::Relaxed);
                        beside(&share, &mut round).await
                    }
                }
            };
            if done.is_err() {
                self.begin_anew(&counts);
            }
        }
        self.share.leave().await;
    }

    /// Sees to the share of this worker; says whether it has more than before.
    async fn tend(&mut self) -> bool {
        let changed = self.share.tend().await;
        if changed.is_empty() {
            return false;
        }
        // Mines a workspace again, on top of its kept digests, after another worker published it.
        self.seen.mined.retain(|place, _| !is_of(place, &changed));
        self.seen.files.clear();
        self.drop_what_is_lost();
        self.share.holds_any_of(&changed)
    }

    /// What another worker mines now is its to bring.
    fn drop_what_is_lost(&mut self) {
        let share = &self.share;
        self.seen.mined.retain(|place, _| share.mines(place).is_some());
        self.outboxes.iter_mut().for_each(|outbox| outbox.forget(|place| share.mines(place).is_none()));
    }

    /// After a panic: what is in memory may be half-changed, so that the next round reads it again.
    fn begin_anew(&mut self, counts: &MiningCounts) {
        counts.failures.fetch_add(1, Ordering::Relaxed);
        (self.digests, self.seen) = (None, Seen::default());
        tracing::error!(
            pipeline = self.settings.name,
            "mining ended by a fault of the program and is tried again"
        );
    }

    /// Mines due workspaces and delivers waiting findings to each target.
    async fn round(&mut self, counts: &MiningCounts, stop: &Arc<AtomicBool>, stopping: &CancellationToken) {
        match self.look(counts, stop, stopping).await {
            Ok(false) => {}
            Ok(true) => {
                counts.runs.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                counts.failures.fetch_add(1, Ordering::Relaxed);
                let error = anyhow::Error::from(error);
                tracing::error!(pipeline = self.settings.name, "mining failed and is tried again: {error:#}");
            }
        }
        self.deliver(counts, stop).await;
    }

    /// Brings to each target what waits for it.
    async fn deliver(&mut self, counts: &MiningCounts, stop: &Arc<AtomicBool>) {
        self.drop_what_is_lost();
        for outbox in &mut self.outboxes {
            outbox.deliver(&self.settings.name, counts, stop).await;
        }
    }

    /// Mines what is due; says whether anything was.
    async fn look(
        &mut self,
        counts: &MiningCounts,
        stop: &Arc<AtomicBool>,
        stopping: &CancellationToken,
    ) -> Result<bool, RunError> {
        let again: BTreeSet<WorkspaceKey> = self.outboxes.iter_mut().flat_map(Outbox::begin_round).collect();
        for place in &again {
            self.seen.mined.remove(place);
        }
        let table = match Table::connect_read_only(&self.settings.table.location).await {
            Err(table::OpenError::NoTable { .. }) => return Ok(false),
            table => table?.with_retention(self.settings.table.retention),
        };
        let files = table.paths(&Filter::default()).await?;
        let now = Timestamp::now();
        let is_quiet = files == self.seen.files && self.seen.next_close.is_none_or(|next| now < next);
        if is_quiet && again.is_empty() {
            return Ok(false);
        }
        self.follow(&table).await?;
        let Some(digests) = &self.digests else { return Ok(false) };
        let places = digests.sessions();
        let next_close = self.next_close(&places, now);
        let due = self.due(&places, now);
        let census = if due.is_empty() { Census::default() } else { digests.census() };
        let is_any = !due.is_empty();
        let mut left = due.len();
        counts.due.set(&self.settings.name, left);
        // A model's budget is one of a run: it is asked about all of it at once.
        let memory = if self.step.is_some() { u64::MAX } else { self.settings.memory };
        for part in parts(due, memory, |due| due.bytes) {
            // The next start mines the rest.
            if stopping.is_cancelled() {
                return Ok(is_any);
            }
            let mined = part.len();
            self.mine_part(part, &table, &census, counts, stopping).await?;
            left = left.saturating_sub(mined);
            counts.due.set(&self.settings.name, left);
            // Delivers before mining more, so that findings do not pile up.
            self.deliver(counts, stop).await;
        }
        self.seen.files = files;
        self.seen.next_close = next_close;
        Ok(is_any)
    }

    /// Mines some of the workspaces that are due.
    async fn mine_part(
        &mut self,
        part: Vec<Due>,
        table: &Table,
        census: &Census,
        counts: &MiningCounts,
        stopping: &CancellationToken,
    ) -> Result<(), RunError> {
        let mut marks: BTreeMap<WorkspaceKey, (Mark, Mines)> =
            part.into_iter().map(|due| (due.place, (due.mark, due.mines))).collect();
        let mut jobs = self.jobs(marks.keys().cloned().collect(), table).await?;
        if let Some(embeddings) = self.embeddings.as_mut().filter(|_| !jobs.is_empty()) {
            let looked = embeddings.look_up(&mut jobs, stopping.cancelled()).await?;
            counts.embeddings.add(&self.settings.name, &looked);
            tracing::info!(pipeline = self.settings.name, "embeddings: {looked}");
        }
        let found = self.mine(&jobs, table, counts, stopping).await?;
        for (job, found) in jobs.iter().zip(found) {
            keep_record(&self.settings, &job.place, &found.mined);
            let Some((mark, Mines { turn })) = marks.remove(&job.place) else { continue };
            let findings = Findings { turn, ..found.findings(job, census) };
            self.seen.mined.insert(job.place.clone(), mark);
            for outbox in &mut self.outboxes {
                outbox.put(job.place.clone(), findings.clone());
            }
        }
        Ok(())
    }

    async fn mine(
        &self,
        jobs: &[Job],
        table: &Table,
        counts: &MiningCounts,
        stopping: &CancellationToken,
    ) -> Result<Vec<Found>, RunError> {
        let Some(step) = self.step.as_ref().filter(|_| !jobs.is_empty()) else {
            return mine_what_is_new(jobs, self.settings.mining, self.settings.digests.as_deref()).await;
        };
        let known = Known::read(self.outboxes.iter().map(Outbox::unpublished).collect()).await?;
        let known = known.with_sessions(table, &self.settings.table.default_workspace);
        let (found, tally) = step.run(jobs, self.settings.mining, known, stopping.cancelled()).await?;
        counts.model.add(&self.settings.name, &tally);
        tracing::info!(pipeline = self.settings.name, "the model: {tally}");
        Ok(found)
    }

    /// Reads the new rows of the table.
    async fn follow(&mut self, table: &Table) -> Result<(), RunError> {
        let digests = match &mut self.digests {
            Some(digests) => digests,
            none => none.insert(Digests::of(&self.settings).await),
        };
        Ok(digests.update(table).await?)
    }

    /// The jobs of workspaces, their digests read.
    async fn jobs(&mut self, places: BTreeSet<WorkspaceKey>, table: &Table) -> Result<Vec<Job>, RunError> {
        let Some(digests) = &mut self.digests else { return Ok(Vec::new()) };
        let places = Arc::new(places);
        jobs(digests, table, move |place| places.contains(place), &self.settings).await
    }

    /// The workspaces that are due.
    fn due(&self, places: &BTreeMap<&WorkspaceKey, Vec<&Indexed>>, now: Timestamp) -> Vec<Due> {
        let (idle, every_turns) = (self.settings.schedule.idle, self.settings.schedule.every_turns);
        let never = Mark::default();
        let due = |(place, sessions): (&&WorkspaceKey, &Vec<&Indexed>)| {
            let mines = self.share.mines(place)?;
            let mark = Mark::of(sessions, now, idle);
            let mined = self.seen.mined.get(*place).unwrap_or(&never);
            let bytes = sessions.iter().map(|session| u64::from(session.bytes)).sum();
            mark.is_due_after(mined, every_turns).then(|| Due { place: (*place).clone(), mark, mines, bytes })
        };
        places.iter().filter_map(due).collect()
    }

    fn next_close(
        &self,
        places: &BTreeMap<&WorkspaceKey, Vec<&Indexed>>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let idle = self.settings.schedule.idle;
        let open = places.values().flatten().filter(|session| !session.is_closed(now, idle));
        open.map(|session| session.closes_at(idle)).min()
    }
}

/// Does the work of a round while others hear that the worker is alive.
async fn beside<T>(share: &Share, round: impl Future<Output = T>) -> T {
    tokio::select! {
        done = round => done,
        never = share.keep_alive() => match never {},
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workspaces_are_taken_in_parts_and_each_once() {
        let sizes = |sizes: &[u64], memory| parts(sizes.to_vec(), memory, |size| *size);
        assert_eq!(sizes(&[3, 4, 4, 20, 1, 2], 10 * UNPACKED), [vec![3, 4], vec![4], vec![20], vec![1, 2]]);
        assert_eq!(sizes(&[3, 4, 4, 20], u64::MAX), [[3, 4, 4, 20]]);
        assert!(sizes(&[], 10).is_empty());
    }
}
