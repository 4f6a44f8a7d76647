//! A worker's share of the workspaces, where several workers mine one table.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::config::SkillsPipeline;
use crate::coordination::{
    self, BEAT, Claims, Cluster, Coordination, Held, LeaseClaims, SHARDS, Shard, StoreClaims, scope_of,
    shard_of,
};
use crate::library::Turn;
use crate::table::{Location, OpenError};

use super::report::Report;
use super::workspace_key::WorkspaceKey;

/// A worker that ends gives back what it holds, unless that takes longer.
const LONGEST_LEAVE: Duration = Duration::from_secs(10);

/// Why a worker cannot join the others.
#[derive(Debug, thiserror::Error)]
pub enum ShareError {
    /// The store cannot be reached.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// Claims cannot be kept.
    #[error(transparent)]
    Claims(#[from] coordination::Error),
}

/// The workspaces that a worker mines.
#[derive(Debug)]
pub(super) enum Share {
    /// It is the only worker.
    All,
    /// Those of the shards that it holds.
    Some(Box<Claimed>),
}

/// See [`Share::Some`].
#[derive(Debug)]
pub(super) struct Claimed {
    claims: Arc<dyn Claims>,
    pipeline: String,
    scope: String,
    held: Mutex<Held>,
    health: Arc<ShareHealth>,
}

/// How a share does, for metrics and `status`.
#[derive(Debug, Default)]
struct ShareHealth {
    /// How many shards are held.
    held: AtomicU64,
    /// Why claims cannot be read or written now.
    failing: Mutex<Option<String>>,
}

impl Share {
    /// The share of a pipeline's worker, which holds nothing yet.
    pub(super) fn of(pipeline: &SkillsPipeline) -> Result<Self, ShareError> {
        let scope = scope(pipeline);
        let claims: Arc<dyn Claims> = match (pipeline.coordination, &pipeline.table.location) {
            (Coordination::File, _) | (Coordination::Store, Location::Folder(_)) => return Ok(Self::All),
            (Coordination::Store, Location::Bucket(bucket)) => {
                Arc::new(StoreClaims::new(bucket.store()?, &scope, &host()))
            }
            (Coordination::Kubernetes, _) => {
                Arc::new(LeaseClaims::new(Arc::new(Cluster::of_this_pod()?), &scope))
            }
        };
        let pipeline = pipeline.name.clone();
        Ok(Self::Some(Box::new(Claimed {
            claims,
            pipeline,
            scope,
            held: Mutex::default(),
            health: Arc::default(),
        })))
    }

    /// Whether other workers may mine the rest.
    pub(super) const fn is_one_of_several(&self) -> bool {
        matches!(self, Self::Some(_))
    }

    /// Whether it holds one of these.
    pub(super) fn holds_any_of(&self, shards: &BTreeSet<Shard>) -> bool {
        match self {
            Self::All => true,
            Self::Some(claimed) => claimed.held().keys().any(|shard| shards.contains(shard)),
        }
    }

    /// How often the worker has to look, if it is to run every `period`.
    pub(super) fn tick(&self, period: Duration) -> Duration {
        if matches!(self, Self::All) { period } else { period.min(BEAT) }
    }

    /// Takes what is free and gives back what others are due. The shards that are held under another number than
    /// before, or no more.
    pub(super) async fn tend(&self) -> BTreeSet<Shard> {
        let Self::Some(claimed) = self else { return BTreeSet::new() };
        match coordination::tend(claimed.claims.as_ref()).await {
            Ok(held) => claimed.now_holds(held),
            Err(error) => claimed.tell(error),
        }
    }

    /// Says again and again that the worker is alive, and hears what it has lost. Never ends.
    pub(super) async fn keep_alive(&self) -> Infallible {
        let Self::Some(claimed) = self else { return std::future::pending().await };
        loop {
            tokio::time::sleep(BEAT).await;
            match claimed.claims.look().await {
                Ok(view) => {
                    claimed.now_fails(None);
                    let mut held = claimed.held();
                    // What was taken over and back meanwhile is another turn.
                    let seen = view.held();
                    held.retain(|shard, number| seen.get(shard) == Some(number));
                    claimed.count(&held);
                }
                Err(error) => drop(claimed.tell(error)),
            }
        }
    }

    /// Others need not wait until the worker is taken for dead.
    pub(super) async fn leave(&self) {
        let Self::Some(claimed) = self else { return };
        let held = std::mem::take(&mut *claimed.held());
        let leaving = coordination::leave(claimed.claims.as_ref(), &held);
        if let Ok(Err(error)) = tokio::time::timeout(LONGEST_LEAVE, leaving).await {
            claimed.tell(error);
        }
    }

    /// Whether the worker mines a workspace now.
    pub(super) fn mines(&self, place: &WorkspaceKey) -> Option<Mines> {
        let Self::Some(claimed) = self else { return Some(Mines { turn: None }) };
        let shard = shard_of(&place.0, &place.1);
        let number = *claimed.held().get(&shard)?;
        Some(Mines { turn: Some(Turn { share: format!("{}-{shard:02}", claimed.scope), number }) })
    }
}

/// A worker mines a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mines {
    /// Its turn, where it is one of several.
    pub(super) turn: Option<Turn>,
}

impl Claimed {
    fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, held: &Held) {
        self.health.held.store(u64::try_from(held.len()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn now_holds(&self, now: Held) -> BTreeSet<Shard> {
        self.now_fails(None);
        self.count(&now);
        let before = std::mem::replace(&mut *self.held(), now.clone());
        let changed: BTreeSet<Shard> =
            (0..SHARDS).filter(|shard| before.get(shard) != now.get(shard)).collect();
        if !changed.is_empty() {
            let (pipeline, held) = (&self.pipeline, now.len());
            tracing::info!(pipeline, held, of = SHARDS, "the share of this worker changed");
        }
        changed
    }

    /// Says once what fails, and once that it works again.
    fn now_fails(&self, error: Option<String>) {
        let mut failing = self.health.failing.lock().unwrap_or_else(PoisonError::into_inner);
        let pipeline = &self.pipeline;
        match &error {
            Some(error) if failing.as_ref() != Some(error) => {
                tracing::warn!(pipeline, "shared mining goes on with what this worker holds: {error}");
            }
            None if failing.is_some() => tracing::info!(pipeline, "claims can be read and written again"),
            _ => {}
        }
        *failing = error;
    }

    fn tell(&self, error: coordination::Error) -> BTreeSet<Shard> {
        self.now_fails(Some(format!("{:#}", anyhow::Error::from(error))));
        BTreeSet::new()
    }
}

/// Workers of one table that publish the same to the same targets share their work.
fn scope(pipeline: &SkillsPipeline) -> String {
    let mut parts: Vec<String> =
        pipeline.targets.iter().map(|target| format!("{target} {:?}", target.route)).collect();
    parts.sort();
    parts.extend([pipeline.name.clone(), pipeline.table.location.to_string()]);
    scope_of(&parts)
}

/// For people who look at claims.
fn host() -> String {
    let told = ["HOSTNAME", "HOST"].into_iter().find_map(|name| std::env::var(name).ok());
    let host = told.unwrap_or_default();
    host.chars().filter(|char| char.is_ascii_graphic()).take(253).collect()
}

/// Shards by workspace, for what is forgotten with a shard.
pub(super) fn is_of(place: &WorkspaceKey, shards: &BTreeSet<Shard>) -> bool {
    shards.contains(&shard_of(&place.0, &place.1))
}

/// The shares of each pipeline's worker, where there are several workers.
#[derive(Debug, Default)]
pub(super) struct Shares(Mutex<BTreeMap<String, Arc<ShareHealth>>>);

impl Shares {
    pub(super) fn add(&self, pipeline: &str, share: &Share) {
        if let Share::Some(claimed) = share {
            self.all().insert(pipeline.to_owned(), Arc::clone(&claimed.health));
        }
    }

    fn all(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Arc<ShareHealth>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many shards each holds.
    pub(super) fn held(&self) -> Vec<(String, u64)> {
        let all = self.all();
        all.iter().map(|(pipeline, health)| (pipeline.clone(), health.held.load(Ordering::Relaxed))).collect()
    }

    /// Adds what keeps a worker from sharing.
    pub(super) fn report(&self, report: &mut Report) {
        for (pipeline, health) in self.all().iter() {
            let failing = health.failing.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(error) = failing {
                report.problem(
                    format!("{pipeline} cannot agree with other workers: {error}"),
                    "it goes on with what it holds and tries again; see docs/operate/operations.md, Several workers",
                );
            }
        }
    }
}
