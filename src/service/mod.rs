//! The service: builds what the settings describe, starts it and drains it.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | [`Service`]: start, drain |
//! | `start_error.rs` | why the service does not start |
//! | `hooks.rs` | what hooks leave for this process |
//! | `sessions.rs` | the sessions pipelines and the receivers that feed them |
//! | `transcripts.rs` | the files in which assistants of this machine keep their sessions |
//! | `digests/` | the files of digests, and what of the table is new |
//! | `author/` | when a model is asked for lessons, and about which workspaces together |
//! | `arrivals.rs`, `losses.rs` | sessions that begin to arrive, and data that was lost, in the log |
//! | `files.rs` | files of certificates, checked before a start |
//! | `ticks.rs` | work at fixed intervals |
//! | `disclosure.rs` | what models are sent, for people who decide about it |
//! | `record.rs` | what a run of mining found and why, for later |
//! | `orphans.rs` | journals that no pipeline has any more |
//! | `mining.rs` | one run of a skills pipeline, and the loop that decides when |
//! | `mine.rs` | the mining of one workspace, and what of it goes to targets |
//! | `job.rs` | a workspace that is to be mined |
//! | `workspace_key.rs` | a workspace of a tenant |
//! | `run_error.rs` | why a run of mining fails |
//! | `due.rs`, `share.rs` | when a workspace is mined again, and by which of several workers |
//! | `wording.rs`, `model_counts.rs` | the LLM step of a run, and what it counts |
//! | `embeddings/`, `embedding_counts.rs` | word vectors of a run, and what asking for them came to |
//! | `outbox.rs` | what waits for a target, and when it is tried again |
//! | `followers.rs` | the exporters that follow tables |
//! | `forwards/` | other backends, their queues and who sends |
//! | `descriptors.rs` | how many files the process may have open |
//! | `free_memory.rs` | free memory goes back to the system |
//! | `health.rs` | `/health`, `/ready`, `/status`, `/metrics`, `/flush` |
//! | `metrics.rs`, `metric_writer.rs` | what the process says of itself, written as it is read |
//! | `telemetry/` | the same, sent to a collector |
//! | `renewal.rs` | tokens and certificates, when their files change |
//! | `report.rs` | how the process does, and what to do about what fails |
//! | `notice.rs` | the lines a start prints |
//! | `ports.rs` | what is listened on |
//! | `targets.rs` | how the targets of skills do |
//! | `tasks.rs` | the tasks of a service, and which of them have panicked |
//! | `upkeep.rs` | the table's upkeep, every hour |
//!
//! Start: bind every port, open tables and journals, run tasks. If any of the first two fails, nothing is left that
//! answers. Drain, in this order: not ready → no new connections, answer requests under way, take what hooks left → close
//! journals → exporters empty them → senders to other backends finish → mining stops → health stops.

mod arrivals;
mod author;
mod descriptors;
pub mod digests;
pub mod disclosure;
mod due;
mod embedding_counts;
pub mod embeddings;
mod files;
mod followers;
mod forwards;
pub(crate) mod free_memory;
mod health;
mod hooks;
mod job;
mod losses;
mod metric_writer;
mod metrics;
mod mine;
pub mod mining;
mod model_counts;
mod notice;
mod orphans;
mod outbox;
mod ports;
pub mod record;
mod renewal;
mod report;
mod run_error;
mod sessions;
mod share;
mod start_error;
mod targets;
mod tasks;
mod telemetry;
mod ticks;
mod transcripts;
mod upkeep;
pub mod wording;
mod workspace_key;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures_util::future::join_all;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use self::tasks::Tasks;
use crate::config::{Doors, Settings, TranscriptSettings};
use crate::exporters::{deeplake, parquet};
use crate::forward::Queue;
use crate::journal::Journal;
use crate::receivers::auth::Credential;
use crate::receivers::{
    ConnectionBounds, Connections, Counters, Ingest, Lifetimes, Losses, MemoryLimit, cors,
    hooks as hook_doors, langfuse, otlp, serve_within,
};

pub use descriptors::raise as raise_open_files;
pub use files::unusable_files;
use forwards::{Backends, Eraser};
pub use forwards::{ErasedSubject, ForwardReport, QueueErasure, erase_from_queues, unowned_queues};
pub use health::Overseer;
use health::Vitals;
use hooks::HookSpools;
use metrics::{Metrics, MiningCounts};
use mining::Worker;
pub use notice::{outline, warnings};
pub use orphans::unowned_journals;
use ports::{Door, Ports};
use renewal::{Credentials, Renewal};
pub use report::{
    FollowerReport, JournalReport, Listening, Loss, PipelineReport, Problem, Report, TableReport,
    TargetReport,
};
use sessions::{Sessions, TableFeed};
pub use share::ShareError;
pub use start_error::StartError;
use telemetry::{Failing, Telemetry};

/// A health request is short.
const DRAIN_HEALTH: Duration = Duration::from_secs(1);
/// Health checks have connections of their own, so that clients cannot crowd them out.
const HEALTH_CONNECTIONS: ConnectionBounds = ConnectionBounds { max: 64, per_address: 64 };

/// A running service.
pub struct Service {
    /// Where each listener listens: (`grpc` or `http`, address), in the order of the settings.
    addresses: Vec<(&'static str, SocketAddr)>,
    health: Option<SocketAddr>,
    stop_doors: CancellationToken,
    stop_rest: CancellationToken,
    stop_health: CancellationToken,
    doors: JoinSet<()>,
    counters: Counters,
    memory: Option<MemoryLimit>,
    connections: Connections,
    hook_spools: Vec<Arc<HookSpools>>,
    /// What the ports of the first OTLP receiver serve.
    intake: Option<Router>,
    feeds: Vec<TableFeed>,
    exporters: Vec<JoinHandle<Option<u64>>>,
    /// What waits for other backends.
    queues: Vec<Arc<Queue>>,
    workers: Tasks,
    health_task: Option<JoinHandle<()>>,
    overseer: Option<Overseer>,
    credentials: Option<Credentials>,
}

impl Service {
    /// Starts everything, or nothing.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        let ports = Ports::bind(&settings).await?;
        let workers = mining::prepare(&settings)?;
        let followers = followers::prepare(&settings)?;
        let counters = Counters::default();
        let stop_doors = CancellationToken::new();
        let stop_rest = CancellationToken::new();
        let mut service = Self {
            addresses: ports.doors.iter().map(|door| (door.protocol, door.address)).collect(),
            health: ports.health.as_ref().map(|(address, _)| *address),
            stop_doors,
            stop_rest,
            stop_health: CancellationToken::new(),
            doors: JoinSet::new(),
            counters: counters.clone(),
            memory: None,
            connections: Connections::new(descriptors::within(settings.connections)),
            hook_spools: Vec::new(),
            intake: None,
            feeds: Vec::new(),
            exporters: Vec::new(),
            queues: Vec::new(),
            workers: Tasks::default(),
            health_task: None,
            overseer: None,
            credentials: None,
        };
        let sessions = match settings.sessions.as_slice() {
            [] => None,
            pipelines => Some(Sessions::open(pipelines, settings.memory_limit, counters.clone()).await?),
        };
        let backends = Backends::open(&settings).await?;
        let (senders, queues) = (backends.handles(), backends.queues());
        let tables = sessions.as_ref().map(Sessions::tables).unwrap_or_default();
        let eraser = Eraser::new(queues.clone(), tables, &settings);
        service.queues = queues.into_iter().map(|(_, queue)| queue).collect();
        let (renewal, credentials) = Renewal::new(&settings, ports.renewals);
        service.workers.spawn("renewal of certificates and tokens", renewal.run(service.stop_rest.clone()));
        service.credentials.clone_from(&credentials);
        if let Some(sessions) = sessions {
            service.start_sessions(&settings, sessions, (&backends, &eraser), credentials, ports.doors);
        }
        for sender in backends.run(&service.stop_rest) {
            service.workers.spawn("a sender to another backend", sender);
        }
        service
            .workers
            .spawn("the count of losses", losses::run(counters.losses(), service.stop_rest.clone()));
        service
            .workers
            .spawn("the count of arrivals", arrivals::run(counters.arrivals(), service.stop_rest.clone()));
        let counts = Arc::new(MiningCounts::default());
        service.start_workers(workers, &counts);
        let handles: Vec<deeplake::Handle> = followers.iter().map(deeplake::Deeplake::handle).collect();
        for follower in followers {
            service
                .workers
                .spawn("an exporter that follows a table", follower.run(service.stop_rest.clone()));
        }
        let memory = service.memory.clone();
        let metrics =
            Metrics::new(&counters, memory, service.feeds.clone(), Arc::clone(&counts), handles.clone())
                .with_connections(service.connections.clone())
                .with_forwards(senders.clone());
        let metrics = Arc::new(metrics);
        let mut telemetry = Failing::default();
        if let Some(config) = settings.metrics.clone() {
            let sender = Telemetry::new(config, Arc::clone(&metrics)).map_err(StartError::Telemetry)?;
            telemetry = sender.failing();
            service.workers.spawn("the sender of metrics", sender.run(service.stop_rest.clone()));
        }
        let mut vitals = service.vitals(&settings, handles, counts, metrics, telemetry);
        vitals.losses = counters.losses();
        (vitals.senders, vitals.eraser) = (senders, Some(eraser));
        let vitals = Arc::new(vitals);
        service.overseer = Some(Overseer(Arc::clone(&vitals)));
        if let Some((_, listener)) = ports.health {
            service.start_health(listener, vitals);
        }
        Ok(service)
    }

    /// Where clients are served: (`grpc` or `http`, address).
    pub fn addresses(&self) -> &[(&'static str, SocketAddr)] {
        &self.addresses
    }

    /// The routes of the first OTLP receiver, for callers within this process.
    pub fn intake(&self) -> Option<Router> {
        self.intake.clone()
    }

    /// How it does, for who asks from within this process.
    pub fn overseer(&self) -> Option<Overseer> {
        self.overseer.clone()
    }

    /// Who may send, as it is now; `None`: anyone.
    pub fn credentials(&self) -> Option<watch::Receiver<Arc<[Credential]>>> {
        self.credentials.clone()
    }

    /// Where `/health`, `/ready` and `/metrics` are served.
    pub fn health(&self) -> Option<SocketAddr> {
        self.health
    }

    /// Everything acknowledged so far is in the table when this returns, and what hooks have kept.
    pub async fn flush(&self) {
        if let Err(stopped) = flush(&self.hook_spools, &self.feeds).await {
            tracing::warn!("{stopped}");
        }
    }

    /// Stops in order; what was acknowledged is in the table, or in the journal for the next start.
    pub async fn drain(mut self) {
        self.stop_doors.cancel();
        while self.doors.join_next().await.is_some() {}
        let journals: Vec<_> = self.feeds.iter().map(|feed| feed.journal.clone()).collect();
        let queues = self.queues.clone();
        let closing = tokio::task::spawn_blocking(move || {
            journals.iter().for_each(Journal::close);
            queues.iter().for_each(|queue| queue.close());
        });
        if let Err(error) = closing.await {
            tracing::error!(%error, "a journal did not close");
        }
        self.stop_rest.cancel();
        for exporter in self.exporters.drain(..) {
            if let Err(error) = exporter.await {
                tracing::error!(%error, "a parquet exporter ended early");
            }
        }
        self.workers.join().await;
        self.stop_health.cancel();
        if let Some(task) = self.health_task.take() {
            // A cancelled health server has nothing to report.
            let _ = task.await;
        }
    }

    fn start_sessions(
        &mut self,
        settings: &Settings,
        sessions: Sessions,
        (backends, eraser): (&Backends, &Eraser),
        credentials: Option<Credentials>,
        doors: Vec<Door>,
    ) {
        self.workers.spawn("giving memory back", free_memory::run(self.stop_rest.clone()));
        for upkeep in sessions.upkeep(eraser) {
            self.workers.spawn("upkeep of the table", upkeep.run(self.stop_rest.clone()));
        }
        let routers = self.routers(settings, &sessions, backends, credentials);
        let first = settings.receivers.iter().find(|receiver| receiver.doors == Doors::Otlp);
        self.intake = first.and_then(|receiver| routers.get(&receiver.id).cloned());
        self.memory = Some(sessions.memory());
        for (feed, task) in sessions.export(&self.stop_rest, &self.workers.panicked()) {
            self.feeds.push(feed);
            self.exporters.push(task);
        }
        for Door { receiver, listener, certificates, cors, .. } in doors {
            let Some(router) = routers.get(&receiver).cloned() else { continue };
            let router = cors.iter().fold(router, cors::open);
            let stop = self.stop_doors.clone();
            let certificates = certificates.map(|certificates| certificates.counted_by(&self.counters));
            let lifetimes = Lifetimes { idle: settings.idle, ..Lifetimes::default() };
            let connections = self.connections.clone();
            self.doors.spawn(async move {
                serve_within(&connections, listener, certificates, router, stop, lifetimes).await;
            });
        }
    }

    /// What each OTLP receiver's ports serve, by its id: its own doors and those of its guests.
    fn routers(
        &mut self,
        settings: &Settings,
        sessions: &Sessions,
        backends: &Backends,
        credentials: Option<Credentials>,
    ) -> BTreeMap<String, Router> {
        let mut routers: BTreeMap<String, Router> = BTreeMap::new();
        for receiver in &settings.receivers {
            let (ingest, gate) = sessions.of(receiver, credentials.clone());
            let ingest = ingest.with_forwards(backends.of(settings, &receiver.id));
            let (ingest, gate, limits) = (Arc::new(ingest), Arc::new(gate), receiver.limits);
            let (host, router) = match &receiver.doors {
                Doors::Otlp => (&receiver.id, otlp::router(&ingest, &gate, limits)),
                Doors::Langfuse(host) => (host, langfuse::router(&ingest, &gate, limits)),
                Doors::Transcripts(files) => {
                    self.watch(settings, files.clone(), &ingest, limits.max_body);
                    continue;
                }
                Doors::Hooks(host) => {
                    self.attend_to_hooks(settings, &ingest, limits.max_body);
                    (host, hook_doors::routes(&ingest, &gate, limits))
                }
            };
            let others = routers.remove(host).unwrap_or_default();
            routers.insert(host.clone(), others.merge(router));
        }
        routers
    }

    /// Without credentials, what waits for this process needs none either.
    fn attend_to_hooks(&mut self, settings: &Settings, ingest: &Arc<Ingest>, limit: usize) {
        if settings.credentials.is_none()
            && let Some(root) = &settings.hook_spools
        {
            let spools = Arc::new(HookSpools::new(root, &self.addresses, Arc::clone(ingest), limit));
            self.doors.spawn(Arc::clone(&spools).attend(self.stop_doors.clone()));
            self.hook_spools.push(spools);
        }
    }

    /// Reads the files of this machine's assistants.
    fn watch(&mut self, settings: &Settings, files: TranscriptSettings, ingest: &Arc<Ingest>, limit: usize) {
        let tables: Vec<String> = settings.tables().map(|table| table.location.to_string()).collect();
        let to = format!("table {}", tables.join(" "));
        let watch = transcripts::Watch::new(files, &to, Arc::clone(ingest), limit);
        self.doors.spawn(watch.run(self.stop_doors.clone()));
    }

    fn start_workers(&mut self, workers: Vec<Worker>, counts: &Arc<MiningCounts>) {
        for worker in workers {
            worker.announce(counts);
            self.workers.spawn("mining", worker.run(Arc::clone(counts), self.stop_rest.clone()));
        }
    }

    /// What is asked for while it runs.
    fn vitals(
        &self,
        settings: &Settings,
        followers: Vec<deeplake::Handle>,
        mining: Arc<MiningCounts>,
        metrics: Arc<Metrics>,
        telemetry: Failing,
    ) -> Vitals {
        let unowned = unowned_journals(settings);
        for (_, Problem { what, todo }) in &unowned {
            tracing::warn!("{what}; {todo}");
        }
        Vitals {
            losses: Losses::default(),
            senders: Vec::new(),
            eraser: None,
            addresses: self.addresses.clone(),
            hook_spools: self.hook_spools.clone(),
            feeds: self.feeds.clone(),
            unowned,
            memory: self.memory.clone(),
            followers,
            mining,
            metrics,
            telemetry,
            stopping: self.stop_doors.clone(),
            turned_away: self.counters.turned_away().clone(),
            panicked: self.workers.panicked(),
        }
    }

    fn start_health(&mut self, listener: TcpListener, vitals: Arc<Vitals>) {
        let router = health::router(vitals);
        let lifetimes = Lifetimes { drain: DRAIN_HEALTH, ..Lifetimes::default() };
        let stop = self.stop_health.clone();
        self.health_task = Some(tokio::spawn(async move {
            let connections = Connections::new(HEALTH_CONNECTIONS);
            serve_within(&connections, listener, None, router, stop, lifetimes).await;
        }));
    }
}

/// Everything acknowledged so far is in the table when this returns, and what hooks have kept.
async fn flush(spools: &[Arc<HookSpools>], feeds: &[TableFeed]) -> Result<(), parquet::Stopped> {
    join_all(spools.iter().map(|spools| spools.take())).await;
    join_all(feeds.iter().map(|feed| feed.exporter.flush())).await.into_iter().collect()
}
