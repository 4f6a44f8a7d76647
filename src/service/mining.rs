//! One run of a skills pipeline (read → mine → reconcile → export), and the loop that decides when.
//!
//! The loop looks at the table every `min_interval`. A workspace is due when one of its sessions
//! closed, or when it has `every_turns` turns more than at its last run. Mining is deterministic and
//! publishing changes nothing without new evidence, so a restart that mines again does no harm.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::config::{Schedule, Settings};
use crate::event::Timestamp;
use crate::exporters::filesystem::{self, Filesystem};
use crate::skillify::{self, Candidate, Mined, Offline, Snapshot, mine};
use crate::table::{self, Filter, ResolveOptions, Session, Table, resolve};

use super::StartError;
use super::metrics::MiningCounts;

/// A workspace of a tenant: what is mined by itself.
type Place = (String, String);

/// Why a run did not end well.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The table cannot be opened.
    #[error("the sessions table")]
    Open(#[from] table::OpenError),
    /// The table cannot be read.
    #[error("the sessions table")]
    Read(#[from] table::ReadError),
    /// A target cannot be written.
    #[error("publishing to {path}")]
    Export {
        /// The target.
        path: String,
        /// What failed.
        source: filesystem::Error,
    },
    /// Mining itself ended early.
    #[error("mining ended early: {0}")]
    Cancelled(#[from] tokio::task::JoinError),
}

/// What one target made of a run.
#[derive(Debug)]
pub struct Published {
    /// The target's folder.
    pub path: std::path::PathBuf,
    /// What changed there.
    pub report: filesystem::Report,
}

/// Reads every session of the table, by tenant and workspace.
pub async fn read(
    table: &Table,
    default_workspace: &str,
) -> Result<BTreeMap<Place, Vec<Session>>, table::ReadError> {
    let scan = table.scan(&Filter::default()).await?;
    for damaged in &scan.damaged {
        tracing::warn!(file = damaged.path, damage = %damaged.damage, "left out of mining");
    }
    let options = ResolveOptions { default_workspace: default_workspace.to_owned() };
    let mut places: BTreeMap<Place, Vec<Session>> = BTreeMap::new();
    for session in resolve(scan.events, &options) {
        places.entry((session.tenant.clone(), session.workspace.clone())).or_default().push(session);
    }
    Ok(places)
}

/// Mines one workspace, off the reactor.
pub async fn mine_workspace(
    workspace: String,
    sessions: Vec<Session>,
    config: skillify::Config,
) -> Result<Mined, RunError> {
    let mining = tokio::task::spawn_blocking(move || {
        let snapshot = Snapshot { workspace: &workspace, sessions: &sessions };
        mine(&snapshot, &config, &Offline)
    });
    Ok(mining.await?)
}

/// Brings what was mined to one target; with `dry_run`, only says what would change.
pub async fn publish(
    target: filesystem::Config,
    mined: Arc<Vec<Mined>>,
    dry_run: bool,
) -> Result<Published, RunError> {
    let path = target.path.clone();
    let name = path.display().to_string();
    let exporting = tokio::task::spawn_blocking(move || {
        let filesystem = Filesystem::new(target);
        let candidates: Vec<Candidate> =
            mined.iter().flat_map(|mined| mined.candidates.iter().cloned()).collect();
        if dry_run { filesystem.plan(&candidates) } else { filesystem.publish(&candidates) }
    });
    let report = exporting.await?.map_err(|source| RunError::Export { path: name, source })?;
    Ok(Published { path, report })
}

/// The workers of the settings' skills pipelines, their targets checked.
pub(super) fn prepare(settings: &Settings) -> Result<Vec<Worker>, StartError> {
    for target in settings.skills.iter().flat_map(|pipeline| &pipeline.targets) {
        Filesystem::new(target.clone()).check()?;
    }
    let workers = settings.skills.iter().map(|pipeline| Worker {
        name: pipeline.name.clone(),
        table: settings.table.clone(),
        default_workspace: settings.default_workspace.clone(),
        mining: pipeline.mining,
        schedule: pipeline.schedule,
        targets: pipeline.targets.clone(),
        seen: Seen::default(),
    });
    Ok(workers.collect())
}

/// Runs one skills pipeline.
pub(super) struct Worker {
    name: String,
    table: std::path::PathBuf,
    default_workspace: String,
    mining: skillify::Config,
    schedule: Schedule,
    targets: Vec<filesystem::Config>,
    seen: Seen,
}

/// What the last look at the table found.
#[derive(Default)]
struct Seen {
    files: Vec<String>,
    /// When the first session that is open now would close.
    next_close: Option<Timestamp>,
    /// (turns, closed sessions) of each workspace at its last run.
    mined: BTreeMap<Place, (u64, u64)>,
}

impl Worker {
    pub(super) async fn run(mut self, counts: Arc<MiningCounts>, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(self.schedule.min_interval.max(Duration::from_millis(100)));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = stop.cancelled() => return,
            }
            match self.look().await {
                Ok(None) => {}
                Ok(Some(changed)) => {
                    counts.runs.fetch_add(1, Ordering::Relaxed);
                    counts.published.fetch_add(changed, Ordering::Relaxed);
                }
                Err(error) => {
                    counts.failures.fetch_add(1, Ordering::Relaxed);
                    let error = anyhow::Error::from(error);
                    tracing::error!(pipeline = self.name, "mining failed and is tried again: {error:#}");
                }
            }
        }
    }

    /// Mines what is due; says how many skills changed, or nothing if nothing was due.
    async fn look(&mut self) -> Result<Option<u64>, RunError> {
        let table = match Table::open_read_only(&self.table) {
            Err(table::OpenError::NoTable { .. }) => return Ok(None),
            table => table?,
        };
        let files = table.paths(&Filter::default()).await?;
        let now = Timestamp::now();
        if files == self.seen.files && self.seen.next_close.is_none_or(|next| now < next) {
            return Ok(None);
        }
        let places = read(&table, &self.default_workspace).await?;
        let next_close = self.next_close(&places, now);
        let mut mined = Vec::new();
        let mut marks = Vec::new();
        for (place, sessions) in places {
            let mark = self.mark(&sessions, now);
            if self.is_due(&place, mark) {
                mined.push(mine_workspace(place.1.clone(), sessions, self.mining).await?);
                marks.push((place, mark));
            }
        }
        let changed = if mined.is_empty() { None } else { Some(self.publish_everywhere(mined).await?) };
        self.seen.files = files;
        self.seen.next_close = next_close;
        self.seen.mined.extend(marks);
        Ok(changed)
    }

    async fn publish_everywhere(&self, mined: Vec<Mined>) -> Result<u64, RunError> {
        let started = Instant::now();
        let mined = Arc::new(mined);
        let mut changed = 0;
        for target in &self.targets {
            let published = publish(target.clone(), Arc::clone(&mined), false).await?;
            changed += u64::try_from(published.report.changed()).unwrap_or(u64::MAX);
            tracing::info!(
                pipeline = self.name,
                target = %published.path.display(),
                duration = ?started.elapsed(),
                "{}",
                published.report
            );
        }
        Ok(changed)
    }

    fn mark(&self, sessions: &[Session], now: Timestamp) -> (u64, u64) {
        let turns: usize = sessions
            .iter()
            .map(|session| session.turns().filter(|turn| turn.prompt().is_some()).count())
            .sum();
        let closed = sessions.iter().filter(|session| session.is_closed(now, self.schedule.idle)).count();
        (turns as u64, closed as u64)
    }

    fn is_due(&self, place: &Place, (turns, closed): (u64, u64)) -> bool {
        let (mined_turns, mined_closed) = self.seen.mined.get(place).copied().unwrap_or_default();
        closed > mined_closed || turns.saturating_sub(mined_turns) >= self.schedule.every_turns
    }

    fn next_close(&self, places: &BTreeMap<Place, Vec<Session>>, now: Timestamp) -> Option<Timestamp> {
        let open = places.values().flatten().filter(|session| !session.is_closed(now, self.schedule.idle));
        open.map(|session| {
            session.last_event_at.max(session.last_ingested_at).saturating_add(self.schedule.idle)
        })
        .min()
    }
}
