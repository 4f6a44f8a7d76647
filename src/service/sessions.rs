//! The sessions pipelines: each with its processors, its journal and the exporter to its table, and the
//! receivers that feed one or several of them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::{ProcessorSettings, ReceiverSettings, SessionsPipeline, SessionsTable};
use crate::dialects::{Dialects, UserMapping};
use crate::exporters::parquet::{self, ExporterHandle, ParquetExporter};
use crate::journal::{self, Journal, OpenError};
use crate::processors::{Limits, Processor, Redact, Sampling, Workspace};
use crate::receivers::auth::Rates;
use crate::receivers::{Counters, Gate, Ingest, MemoryLimit, Pipeline};
use crate::redact::{self, Redactor};
use crate::table::Table;

use super::StartError;
use super::forwards::Eraser;
use super::renewal::Credentials;
use super::tasks::{EXPORTER, Panicked};
use super::upkeep::{Upkeep, UpkeepCounts};

/// Who has a journal open for longer keeps it.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);

/// The key of placeholders, in the journal's folder: beside the redacted events, never in the table.
pub(super) const REDACTION_KEY: &str = "redaction.key";

/// A sessions pipeline that runs, for those who ask how it does.
#[derive(Debug, Clone)]
pub(super) struct TableFeed {
    /// The pipeline's name.
    pub(super) pipeline: String,
    pub(super) table: SessionsTable,
    pub(super) journal: Journal,
    pub(super) exporter: ExporterHandle,
    /// What upkeep has done with the table, at one of the pipelines that write it.
    pub(super) upkeep: Arc<UpkeepCounts>,
}

/// A running pipeline: where receivers hand events over, and the tasks that run until the stop.
struct Started {
    mappings: Vec<UserMapping>,
    ingest: Arc<Pipeline>,
    rates: Arc<Rates>,
    table: Table,
    feed: TableFeed,
    exporter: ParquetExporter,
}

/// Every sessions pipeline.
pub(super) struct Sessions {
    started: BTreeMap<String, Started>,
    memory: MemoryLimit,
    counters: Counters,
}

impl Sessions {
    /// Opens the journals and tables of `pipelines`, all of them or none.
    pub(super) async fn open(
        pipelines: &[SessionsPipeline],
        memory_limit: usize,
        counters: Counters,
    ) -> Result<Self, StartError> {
        let mut started = BTreeMap::new();
        let mut for_requests = memory_limit - memory_limit / 8;
        for pipeline in pipelines {
            let batches = batches_within(memory_limit / pipelines.len().max(1), &pipeline.parquet);
            for_requests -= 2 * usize::try_from(batches.bytes).unwrap_or_default();
            started.insert(pipeline.name.clone(), Started::open(pipeline, batches).await?);
        }
        Ok(Self { started, memory: MemoryLimit::new(for_requests), counters })
    }

    /// Where a receiver's listeners hand requests over, and the credentials that they check first.
    pub(super) fn of(&self, receiver: &ReceiverSettings, credentials: Option<Credentials>) -> (Ingest, Gate) {
        let fed = || receiver.pipelines.iter().filter_map(|name| self.started.get(name));
        let pipelines = fed().map(|started| Arc::clone(&started.ingest)).collect();
        let (memory, counters) = (self.memory.clone(), self.counters.clone());
        // A record is mapped once, whoever gets it: the pipelines of a receiver have the same mappings.
        let mappings = fed().next().map(|started| started.mappings.clone()).unwrap_or_default();
        let ingest = Ingest::new(Dialects::with_mappings(mappings), pipelines, memory, counters);
        (ingest, Gate::new(credentials, fed().map(|started| Arc::clone(&started.rates)).collect()))
    }

    /// The upkeep of every table that is written, once.
    pub(super) fn upkeep(&self, eraser: &Eraser) -> Vec<Upkeep> {
        let journals: Vec<Journal> =
            self.started.values().map(|started| started.feed.journal.clone()).collect();
        let of = |started: &Started| Upkeep {
            table: started.table.clone(),
            journals: journals.clone(),
            counts: Arc::clone(&started.feed.upkeep),
            erasures: None,
            eraser: eraser.clone(),
        };
        let tables: BTreeMap<&String, &Started> =
            self.started.values().map(|started| (&started.feed.table.id, started)).collect();
        tables.into_values().map(of).collect()
    }

    /// The tables that are written.
    pub(super) fn tables(&self) -> Vec<Table> {
        self.started.values().map(|started| started.table.clone()).collect()
    }

    /// The memory that requests in flight share.
    pub(super) fn memory(&self) -> MemoryLimit {
        self.memory.clone()
    }

    /// Exports until `stop`.
    pub(super) fn export(
        self,
        stop: &CancellationToken,
        panicked: &Panicked,
    ) -> Vec<(TableFeed, JoinHandle<Option<u64>>)> {
        let watch = |work| tokio::spawn(panicked.clone().watch(EXPORTER, work));
        let export = |Started { feed, exporter, .. }: Started| (feed, watch(exporter.run(stop.clone())));
        self.started.into_values().map(export).collect()
    }
}

impl Started {
    async fn open(settings: &SessionsPipeline, batches: parquet::Config) -> Result<Self, StartError> {
        let SessionsTable { id, location, retention, .. } = &settings.table;
        let table = Table::connect(location).await;
        let table = table.map_err(|source| StartError::Table { id: id.clone(), source })?;
        let table = table.with_zstd_level(settings.zstd_level).with_retention(*retention);
        let path = &settings.journal.path;
        let lacks_key = Journal::is_in(path) && !path.join(REDACTION_KEY).exists();
        let journal = open_journal(&settings.journal).await?;
        if lacks_key && settings.processors.iter().any(makes_key) {
            tracing::warn!(
                folder = %path.display(),
                "the journal has no redaction.key any more: a new one is made, and placeholders of equal secrets from before and after differ; put the old one back and restart if there is a copy"
            );
        }
        let processors = processors(&settings.processors, &settings.journal.path)?;
        let exporter = ParquetExporter::new(journal.clone(), table.clone(), batches);
        match exporter.check().await {
            // A store that is away now is no reason not to take requests.
            Err(parquet::CheckError::Table(error)) => {
                tracing::warn!(%error, "cannot tell whether the journal is an old copy");
            }
            checked => checked?,
        }
        let feed = TableFeed {
            pipeline: settings.name.clone(),
            table: settings.table.clone(),
            journal: journal.clone(),
            exporter: exporter.handle(),
            upkeep: Arc::default(),
        };
        let rates = Arc::new(Rates::new(settings.requests, settings.bytes));
        let mappings = settings.mappings.clone();
        let sampling = settings.processors.iter().find_map(|processor| match processor {
            ProcessorSettings::Sampling { percent, seed } => Some(Sampling::new(*percent, *seed)),
            _ => None,
        });
        let ingest = Arc::new(Pipeline { sampling, processors, journal });
        Ok(Self { mappings, ingest, rates, table, feed, exporter })
    }
}

/// Whether placeholders depend on a key of our own.
fn makes_key(processor: &ProcessorSettings) -> bool {
    matches!(processor, ProcessorSettings::Redact { key: None, .. })
}

/// Opens a journal, after whoever only looks what is in it: `skillspan status` has the journal of a stopped
/// process open for a moment, and must not keep it from starting again.
async fn open_journal(config: &journal::Config) -> Result<Journal, OpenError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match Journal::open(config.clone()) {
            Err(OpenError::Locked { .. }) if Instant::now() < deadline => tokio::time::sleep(PAUSE).await,
            opened => return opened,
        }
    }
}

/// Requests in flight and the batches on their way to tables share the memory, but for an eighth that
/// nobody counts: what connections have read ahead, and what the allocator keeps for a while. A batch takes a
/// quarter of its pipeline's share at most: an eighth for its events, and as much for the file that is made
/// of them, which is smaller, and for what is written meanwhile.
fn batches_within(memory: usize, batches: &parquet::Config) -> parquet::Config {
    parquet::Config { bytes: batches.bytes.min((memory / 8) as u64), ..batches.clone() }
}

/// The steps of a pipeline, in order. But texts are never cut before they are redacted: a secret that was cut
/// in two is none for any rule. Redaction itself cuts what is cut anyhow. And what compares what clients sent,
/// or moves it, has it as they sent it: a person whose address is redacted is left out all the same, and what
/// got another name is redacted by the one it had.
fn processors(settings: &[ProcessorSettings], journal: &Path) -> Result<Vec<Box<dyn Processor>>, StartError> {
    let is_cut = |settings: &&ProcessorSettings| matches!(settings, ProcessorSettings::Limits { .. });
    let compares = |settings: &&ProcessorSettings| {
        matches!(settings, ProcessorSettings::Filter(_) | ProcessorSettings::Attributes(_))
    };
    let redacts = |settings: &&ProcessorSettings| matches!(settings, ProcessorSettings::Redact { .. });
    let renames: Vec<(String, String)> = settings
        .iter()
        .filter_map(|settings| match settings {
            ProcessorSettings::Attributes(attributes) => Some(attributes.renames()),
            _ => None,
        })
        .flatten()
        .map(|(new, old)| (new.to_owned(), old.to_owned()))
        .collect();
    let limits = settings.iter().filter_map(|settings| match settings {
        ProcessorSettings::Limits { attribute } => Some(*attribute),
        _ => None,
    });
    let limit = limits.min();
    let (cuts, others): (Vec<_>, Vec<_>) = settings.iter().partition(is_cut);
    let last = others.iter().rposition(compares).map_or(0, |last| last + 1);
    let (first, rest) = others.split_at(last);
    let (redacting, before): (Vec<_>, Vec<_>) = first.iter().copied().partition(redacts);
    let steps = before.into_iter().chain(redacting).chain(rest.iter().copied()).chain(cuts);
    let is_step = |settings: &&ProcessorSettings| !matches!(settings, ProcessorSettings::Sampling { .. });
    steps.filter(is_step).map(|settings| processor(settings, journal, limit, &renames)).collect()
}

fn processor(
    settings: &ProcessorSettings,
    journal: &Path,
    limit: Option<u64>,
    renames: &[(String, String)],
) -> Result<Box<dyn Processor>, StartError> {
    Ok(match settings.clone() {
        ProcessorSettings::Redact { drop_attributes, options, key } => {
            let key = match key {
                Some(key) => redact::Key::new(key.reveal().as_bytes())?,
                None => redact::Key::from_file(&journal.join(REDACTION_KEY))?,
            };
            let redact = Redact::new(Redactor::new(&options, key)?, drop_attributes);
            Box::new(redact.knowing(renames).cutting_at(limit.unwrap_or(u64::MAX)))
        }
        ProcessorSettings::Workspace { from } => Box::new(Workspace::new(from)),
        ProcessorSettings::Filter(filter) => Box::new(filter),
        ProcessorSettings::Attributes(attributes) => Box::new(attributes),
        // Sampling is no step: it chooses before the first one.
        ProcessorSettings::Sampling { .. } | ProcessorSettings::Limits { .. } => {
            Box::new(Limits::new(limit.unwrap_or(u64::MAX)))
        }
    })
}
