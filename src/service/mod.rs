//! The service: builds what the settings describe, starts it and drains it.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | [`Service`]: start, drain |
//! | `hooks.rs` | what hooks left for this process while it was not there |
//! | `mining.rs` | one run of a skills pipeline, and the loop that decides when |
//! | `outbox.rs` | what waits for a target, and when it is tried again |
//! | `followers.rs` | the exporters that follow the table |
//! | `health.rs` | `/health`, `/ready`, `/status`, `/metrics`, `/flush` |
//! | `metrics.rs` | what the process says of itself |
//! | `renewal.rs` | tokens and certificates, when their files change |
//! | `report.rs` | how the process does, and what to do about what fails |
//! | `notice.rs` | the lines a start prints |
//! | `targets.rs` | how the targets of skills do |
//! | `upkeep.rs` | the table's upkeep, every hour |
//!
//! Start: every port is bound, then the table and the journal are opened, then tasks run. Whatever
//! fails before that leaves nothing behind that answers. Drain, in this order: not ready → no new
//! connections, requests under way are answered → journal closed → exporter empties it → mining
//! stops → health stops.

mod followers;
mod health;
mod hooks;
mod metrics;
pub mod mining;
mod notice;
mod outbox;
mod renewal;
mod report;
mod targets;
mod upkeep;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::config::{ProcessorSettings, SessionsPipeline, Settings};
use crate::dialects::Dialects;
use crate::exporters::parquet::{self, ExporterHandle, ParquetExporter};
use crate::exporters::{deeplake, target};
use crate::journal::{self, Journal};
use crate::processors::{Limits, Processor, Redact, Workspace};
use crate::receivers::auth::Rates;
use crate::receivers::tls::{self, Certificates};
use crate::receivers::{Counters, Gate, Ingest, Lifetimes, MemoryLimit, langfuse, otlp, serve};
use crate::redact::{self, Redactor};
use crate::table::{self, Table};

pub use followers::FollowerReport;
use health::Vitals;
use metrics::{Metrics, MiningCounts};
use mining::Worker;
use renewal::Renewal;
pub use report::{JournalReport, Listening, Problem, Report, TableReport, TargetReport};

/// The key of placeholders, in the journal's folder: beside the redacted events, never in the table.
const REDACTION_KEY: &str = "redaction.key";
/// A health request is short.
const DRAIN_HEALTH: Duration = Duration::from_secs(1);

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A port cannot be had.
    #[error("{path}: cannot listen on {address}: {source}")]
    Bind {
        /// The YAML path that asked for it.
        path: String,
        /// The address.
        address: SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
    /// There are no certificates.
    #[error("{path}: {source}")]
    Tls {
        /// The YAML path that asked for them.
        path: String,
        /// Why.
        source: Box<tls::Error>,
    },
    /// The table cannot be opened.
    #[error("extensions.sessions_table")]
    Table(#[from] table::OpenError),
    /// The journal cannot be opened.
    #[error("service.journal")]
    Journal(#[from] journal::OpenError),
    /// The journal is not the one that the table was filled from.
    #[error("service.journal")]
    OldJournal(#[from] parquet::CheckError),
    /// An exporter that follows the table cannot be started.
    #[error("exporters")]
    Follower(#[from] deeplake::StartError),
    /// A target cannot be written.
    #[error("exporters")]
    Target(#[from] target::Error),
    /// The redaction rules cannot be used.
    #[error("processors.redact: {0}")]
    Redaction(#[from] redact::Error),
    /// There is no key for placeholders.
    #[error("processors.redact: {0}")]
    RedactionKey(#[from] redact::KeyError),
}

/// A running service.
pub struct Service {
    /// Where each listener listens: (`grpc` or `http`, address), in the order of the settings.
    addresses: Vec<(&'static str, SocketAddr)>,
    health: Option<SocketAddr>,
    stop_doors: CancellationToken,
    stop_rest: CancellationToken,
    stop_health: CancellationToken,
    doors: JoinSet<()>,
    table_feed: Option<TableFeed>,
    workers: JoinSet<()>,
    health_task: Option<JoinHandle<()>>,
}

struct TableFeed {
    journal: Journal,
    memory: MemoryLimit,
    exporter: ExporterHandle,
    task: JoinHandle<u64>,
}

/// Bound, not yet serving.
struct Door {
    protocol: &'static str,
    address: SocketAddr,
    listener: TcpListener,
    certificates: Option<Certificates>,
}

/// Everything that listens.
struct Ports {
    doors: Vec<Door>,
    renewals: Vec<tls::Renewal>,
    health: Option<(SocketAddr, TcpListener)>,
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
            table_feed: None,
            workers: JoinSet::new(),
            health_task: None,
        };
        if let Some(pipeline) = &settings.sessions {
            let (renewal, credentials) = Renewal::new(&settings, ports.renewals);
            service.workers.spawn(renewal.run(service.stop_rest.clone()));
            let gate = Gate::new(credentials, Rates::new(pipeline.requests, pipeline.bytes));
            service.start_sessions(&settings, pipeline, gate, counters.clone(), ports.doors).await?;
        }
        let counts = Arc::new(MiningCounts::default());
        service.start_workers(workers, &counts);
        let handles = followers.iter().map(deeplake::Deeplake::handle).collect();
        for follower in followers {
            service.workers.spawn(follower.run(service.stop_rest.clone()));
        }
        if let Some((_, listener)) = ports.health {
            service.start_health(listener, &settings, &counters, counts, handles);
        }
        Ok(service)
    }

    /// Where clients are served: (`grpc` or `http`, address).
    pub fn addresses(&self) -> &[(&'static str, SocketAddr)] {
        &self.addresses
    }

    /// Where `/health`, `/ready` and `/metrics` are served.
    pub fn health(&self) -> Option<SocketAddr> {
        self.health
    }

    /// Everything acknowledged so far is in the table when this returns.
    pub async fn flush(&self) {
        if let Some(feed) = &self.table_feed
            && let Err(stopped) = feed.exporter.flush().await
        {
            tracing::warn!("{stopped}");
        }
    }

    /// Stops in order; what was acknowledged is in the table, or in the journal for the next start.
    pub async fn drain(mut self) {
        self.stop_doors.cancel();
        while self.doors.join_next().await.is_some() {}
        if let Some(feed) = self.table_feed.take() {
            let journal = feed.journal.clone();
            let closing = tokio::task::spawn_blocking(move || journal.close());
            if let Err(error) = closing.await {
                tracing::error!(%error, "the journal did not close");
            }
            self.stop_rest.cancel();
            if let Err(error) = feed.task.await {
                tracing::error!(%error, "the parquet exporter ended early");
            }
        }
        self.stop_rest.cancel();
        while self.workers.join_next().await.is_some() {}
        self.stop_health.cancel();
        if let Some(task) = self.health_task.take() {
            // A cancelled health server has nothing to report.
            let _ = task.await;
        }
    }

    async fn start_sessions(
        &mut self,
        settings: &Settings,
        pipeline: &SessionsPipeline,
        gate: Gate,
        counters: Counters,
        doors: Vec<Door>,
    ) -> Result<(), StartError> {
        let table = Table::connect(&settings.table).await?;
        let table = table.with_zstd_level(pipeline.zstd_level).with_retention(settings.retention);
        let journal = Journal::open(pipeline.journal.clone())?;
        let processors = processors(&pipeline.processors, &pipeline.journal.path)?;
        self.workers.spawn(upkeep::run(table.clone(), self.stop_rest.clone()));
        let (memory, batches) = share_memory(pipeline);
        let exporter = ParquetExporter::new(journal.clone(), table, batches);
        match exporter.check().await {
            // A store that is away now is no reason not to take requests.
            Err(parquet::CheckError::Table(error)) => {
                tracing::warn!(%error, "cannot tell whether the journal is an old copy");
            }
            checked => checked?,
        }
        let handle = exporter.handle();
        let task = tokio::spawn(exporter.run(self.stop_rest.clone()));
        self.table_feed =
            Some(TableFeed { journal: journal.clone(), memory: memory.clone(), exporter: handle, task });
        let ingest = Arc::new(Ingest::new(Dialects::built_in(), processors, journal, memory, counters));
        let gate = Arc::new(gate);
        let mut router = otlp::router(&ingest, &gate, pipeline.limits);
        if pipeline.langfuse {
            router = router.merge(langfuse::router(&ingest, &gate, pipeline.limits));
        }
        if pipeline.hooks {
            router = router.merge(crate::receivers::hooks::routes(&ingest, &gate, pipeline.limits));
            self.send_what_hooks_left(settings, pipeline, ingest);
        }
        for Door { listener, certificates, .. } in doors {
            let stop = self.stop_doors.clone();
            self.doors.spawn(serve(listener, certificates, router.clone(), stop, Lifetimes::default()));
        }
        Ok(())
    }

    /// Without credentials, what waits for this process needs none either.
    fn send_what_hooks_left(
        &mut self,
        settings: &Settings,
        pipeline: &SessionsPipeline,
        ingest: Arc<Ingest>,
    ) {
        if settings.credentials.is_none()
            && let Some(root) = &settings.hook_spools
        {
            let spools = hooks::spools_for(root, &self.addresses);
            let limit = pipeline.limits.max_body;
            self.workers.spawn(hooks::run(spools, ingest, limit, self.stop_doors.clone()));
        }
    }

    fn start_workers(&mut self, workers: Vec<Worker>, counts: &Arc<MiningCounts>) {
        for worker in workers {
            worker.announce(counts);
            self.workers.spawn(worker.run(Arc::clone(counts), self.stop_rest.clone()));
        }
    }

    fn start_health(
        &mut self,
        listener: TcpListener,
        settings: &Settings,
        counters: &Counters,
        counts: Arc<MiningCounts>,
        followers: Vec<deeplake::Handle>,
    ) {
        let feed = self.table_feed.as_ref().map(|feed| (feed.journal.clone(), feed.exporter.clone()));
        let memory = self.table_feed.as_ref().map(|feed| feed.memory.clone());
        let metrics =
            Metrics::new(counters, memory.clone(), feed.clone(), Arc::clone(&counts), followers.clone());
        let vitals = Vitals {
            addresses: self.addresses.clone(),
            table: settings.table.clone(),
            table_feed: feed,
            memory,
            followers,
            mining: counts,
            metrics,
            stopping: self.stop_doors.clone(),
        };
        let router = health::router(Arc::new(vitals));
        let lifetimes = Lifetimes { drain: DRAIN_HEALTH, ..Lifetimes::default() };
        self.health_task =
            Some(tokio::spawn(serve(listener, None, router, self.stop_health.clone(), lifetimes)));
    }
}

impl Ports {
    async fn bind(settings: &Settings) -> Result<Self, StartError> {
        let (mut doors, mut renewals) = (Vec::new(), Vec::new());
        for listener in settings.sessions.iter().flat_map(|pipeline| &pipeline.listeners) {
            let certificates = match &listener.tls {
                None => None,
                Some(config) => {
                    let path = || listener.path.replace(".endpoint", ".tls");
                    let loaded = tls::load(config.clone());
                    let (certificates, renewal) = loaded
                        .map_err(|source| StartError::Tls { path: path(), source: Box::new(source) })?;
                    renewals.push(renewal);
                    Some(certificates)
                }
            };
            let (address, bound) = bind(&listener.path, listener.address).await?;
            doors.push(Door { protocol: listener.protocol, address, listener: bound, certificates });
        }
        let health = match settings.health {
            Some(address) => Some(bind("extensions.health.endpoint", address).await?),
            None => None,
        };
        Ok(Self { doors, renewals, health })
    }
}

/// Requests in flight and the batch on its way to the table share the pipeline's memory. A batch takes a
/// quarter at most: an eighth for its events, and as much for the file that is made of them.
fn share_memory(pipeline: &SessionsPipeline) -> (MemoryLimit, parquet::Config) {
    let mut batches = pipeline.parquet.clone();
    let eighth = pipeline.memory_limit / 8;
    batches.bytes = batches.bytes.min(eighth as u64);
    let batch = usize::try_from(batches.bytes).unwrap_or(eighth);
    (MemoryLimit::new(pipeline.memory_limit - 2 * batch), batches)
}

async fn bind(path: &str, address: SocketAddr) -> Result<(SocketAddr, TcpListener), StartError> {
    let error = |source| StartError::Bind { path: path.to_owned(), address, source };
    let listener = TcpListener::bind(address).await.map_err(error)?;
    Ok((listener.local_addr().map_err(error)?, listener))
}

fn processors(settings: &[ProcessorSettings], journal: &Path) -> Result<Vec<Box<dyn Processor>>, StartError> {
    settings.iter().map(|settings| processor(settings, journal)).collect()
}

fn processor(settings: &ProcessorSettings, journal: &Path) -> Result<Box<dyn Processor>, StartError> {
    Ok(match settings.clone() {
        ProcessorSettings::Redact { drop_attributes, options, key } => {
            let key = match key {
                Some(key) => redact::Key::new(key.reveal().as_bytes())?,
                None => redact::Key::from_file(&journal.join(REDACTION_KEY))?,
            };
            Box::new(Redact::new(Redactor::new(&options, key)?, drop_attributes))
        }
        ProcessorSettings::Workspace { from } => Box::new(Workspace::new(from)),
        ProcessorSettings::Limits { attribute } => Box::new(Limits::new(attribute)),
    })
}
