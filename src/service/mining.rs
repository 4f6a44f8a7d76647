//! One run of a skills pipeline (read → mine → reconcile → export), and the loop that decides when.
//!
//! The loop looks at the table every `min_interval`. A workspace is due when one of its sessions
//! closed, or when it has `every_turns` turns more than at its last run. Mining is deterministic and
//! publishing changes nothing without new evidence, so a restart that mines again does no harm.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::config::{Schedule, Settings};
use crate::event::{Kind, SessionEvent, Status, Timestamp};
use crate::exporters::target::{self, Report, Target, Update};
use crate::library::{Episode, Findings};
use crate::skillify::{self, Mined, Offline, Snapshot, command_line, mine};
use crate::table::{self, Filter, ResolveOptions, Session, Table, resolve};

use super::StartError;
use super::metrics::MiningCounts;
use super::outbox::Outbox;

/// A workspace of a tenant: what is mined by itself.
pub(super) type Place = (String, String);

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
    #[error("publishing to {target}")]
    Export {
        /// The target.
        target: String,
        /// What failed.
        source: target::Error,
    },
    /// Mining itself ended early.
    #[error("mining ended early: {0}")]
    Cancelled(#[from] tokio::task::JoinError),
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

/// What the sessions of a workspace show, as targets take it up.
pub fn findings(mined: &Mined, sessions: &[Session]) -> Findings {
    let mut findings = Findings::from(mined);
    for session in sessions {
        for event in session.facts.iter().map(|fact| &fact.event) {
            if let Some(name) = loaded_skill(event) {
                let last = findings.uses.entry(name).or_default();
                *last = event.timestamp.date().max(std::mem::take(last));
            }
        }
        findings.episodes.push(episode(session));
    }
    findings
}

fn episode(session: &Session) -> Episode {
    let events = || session.facts.iter().map(|fact| &fact.event);
    let count = |wanted: fn(&SessionEvent) -> bool| {
        u64::try_from(events().filter(|event| wanted(event)).count()).unwrap_or(u64::MAX)
    };
    Episode {
        date: session.started_at.date(),
        loaded: events().filter_map(loaded_skill).collect(),
        commands: events()
            .filter(|event| event.kind == Kind::ToolCall)
            .filter_map(|call| command_line(&call.tool, &call.input))
            .collect(),
        failures: count(|event| event.kind == Kind::ToolResult && event.status == Status::Error),
        tool_calls: count(|event| event.kind == Kind::ToolCall),
        seconds: session.last_event_at.since(session.started_at).as_secs(),
    }
}

/// The skill's own name: assistants name a plugin's skill `plugin:skill`.
fn loaded_skill(event: &SessionEvent) -> Option<String> {
    let is_load = event.kind == Kind::SkillUse && !event.skill.is_empty();
    is_load.then(|| event.skill.rsplit(':').next().unwrap_or_default().to_owned())
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

/// The workers of the settings' skills pipelines, their targets checked.
pub(super) fn prepare(settings: &Settings) -> Result<Vec<Worker>, StartError> {
    for target in settings.skills.iter().flat_map(|pipeline| &pipeline.targets) {
        target.check()?;
    }
    let workers = settings.skills.iter().map(|pipeline| Worker {
        name: pipeline.name.clone(),
        table: settings.table.clone(),
        retention: settings.retention,
        default_workspace: settings.default_workspace.clone(),
        mining: pipeline.mining,
        schedule: pipeline.schedule,
        outboxes: pipeline.targets.iter().cloned().map(Outbox::new).collect(),
        seen: Seen::default(),
    });
    Ok(workers.collect())
}

/// Runs one skills pipeline.
pub(super) struct Worker {
    name: String,
    table: table::Location,
    retention: Option<Duration>,
    default_workspace: String,
    mining: skillify::Config,
    schedule: Schedule,
    outboxes: Vec<Outbox>,
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
    /// Makes the targets known before anything is published to them.
    pub(super) fn announce(&self, counts: &MiningCounts) {
        for outbox in &self.outboxes {
            counts.targets.add(&outbox.target.to_string());
        }
    }

    pub(super) async fn run(mut self, counts: Arc<MiningCounts>, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(self.schedule.min_interval.max(Duration::from_millis(100)));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let stopped = Arc::new(AtomicBool::new(false));
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = stop.cancelled() => return,
            }
            let round = self.round(&counts, &stopped);
            tokio::pin!(round);
            tokio::select! {
                () = &mut round => {}
                () = stop.cancelled() => {
                    stopped.store(true, Ordering::Relaxed);
                    round.await;
                    return;
                }
            }
        }
    }

    /// Mines what is due and brings to each target what waits for it.
    async fn round(&mut self, counts: &MiningCounts, stop: &Arc<AtomicBool>) {
        match self.look().await {
            Ok(false) => {}
            Ok(true) => {
                counts.runs.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                counts.failures.fetch_add(1, Ordering::Relaxed);
                let error = anyhow::Error::from(error);
                tracing::error!(pipeline = self.name, "mining failed and is tried again: {error:#}");
            }
        }
        for outbox in &mut self.outboxes {
            outbox.deliver(&self.name, counts, stop).await;
        }
    }

    /// Mines what is due; says whether anything was.
    async fn look(&mut self) -> Result<bool, RunError> {
        let table = match Table::connect_read_only(&self.table).await {
            Err(table::OpenError::NoTable { .. }) => return Ok(false),
            table => table?.with_retention(self.retention),
        };
        let files = table.paths(&Filter::default()).await?;
        let now = Timestamp::now();
        if files == self.seen.files && self.seen.next_close.is_none_or(|next| now < next) {
            return Ok(false);
        }
        let places = read(&table, &self.default_workspace).await?;
        let next_close = self.next_close(&places, now);
        let mut found = Vec::new();
        for (place, sessions) in places {
            let mark = self.mark(&sessions, now);
            if self.is_due(&place, mark) {
                let mined = mine_workspace(place.1.clone(), sessions.clone(), self.mining).await?;
                found.push((place, mark, findings(&mined, &sessions)));
            }
        }
        let is_due = !found.is_empty();
        for (place, mark, findings) in found {
            self.seen.mined.insert(place.clone(), mark);
            for outbox in &mut self.outboxes {
                outbox.waiting.insert(place.clone(), findings.clone());
            }
        }
        self.seen.files = files;
        self.seen.next_close = next_close;
        Ok(is_due)
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
