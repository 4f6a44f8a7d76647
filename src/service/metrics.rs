//! The metrics of the process, for Prometheus.
//!
//! Receivers count as they go. Journal and exporter keep counts of their own, which are read when
//! `/metrics` is served.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::exporters::{deeplake, otlp, parquet};
use crate::journal;
use crate::receivers::{Connections, Counters, MemoryLimit};
use crate::table::clock;

use super::due::DueCounts;
use super::embedding_counts::EmbeddingCounts;
use super::followers::FollowerMetrics;
use super::forwards::ForwardMetrics;
use super::metric_writer::Writer;
use super::model_counts::ModelCounts;
use super::sessions::TableFeed;
use super::share::Shares;
use super::targets::Targets;
use super::upkeep::UpkeepCounts;

/// What mining has done since the start.
#[derive(Debug, Default)]
pub(super) struct MiningCounts {
    pub(super) runs: AtomicU64,
    pub(super) failures: AtomicU64,
    pub(super) targets: Targets,
    /// What asking models came to.
    pub(super) model: ModelCounts,
    /// What looking up word vectors came to.
    pub(super) embeddings: EmbeddingCounts,
    /// What workers hold, where several share a table.
    pub(super) shares: Shares,
    /// The workspaces that are due and not mined yet.
    pub(super) due: DueCounts,
}

/// Everything that `/metrics` serves.
pub(super) struct Metrics(Registry);

impl Metrics {
    pub(super) fn new(
        counters: &Counters,
        memory: Option<MemoryLimit>,
        feeds: Vec<TableFeed>,
        mining: Arc<MiningCounts>,
        followers: Vec<deeplake::Handle>,
    ) -> Self {
        let mut registry = Registry::default();
        counters.register(&mut registry);
        if let Some(memory) = memory {
            registry.register_collector(Box::new(RequestMemory(memory)));
        }
        registry.register_collector(Box::new(Pipelines(feeds)));
        registry.register_collector(Box::new(FollowerMetrics(followers)));
        registry.register_collector(Box::new(MiningCollector(mining)));
        Self(registry)
    }

    /// The same, with the connections of the doors.
    pub(super) fn with_connections(mut self, connections: Connections) -> Self {
        self.0.register_collector(Box::new(OpenConnections(connections)));
        self
    }

    /// The same, with the senders to other backends.
    pub(super) fn with_forwards(mut self, senders: Vec<otlp::Handle>) -> Self {
        self.0.register_collector(Box::new(ForwardMetrics(senders)));
        self
    }

    pub(super) fn render(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.0)?;
        Ok(text)
    }
}

#[derive(Debug)]
struct RequestMemory(MemoryLimit);

impl Collector for RequestMemory {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let bytes = |bytes: usize| u64::try_from(bytes).unwrap_or(u64::MAX);
        let mut write = Writer(&mut encoder);
        let (used, limit) = (bytes(self.0.used()), bytes(self.0.limit()));
        write.gauge("skillspan_receiver_memory_bytes", "Memory of requests in flight", used)?;
        write.gauge("skillspan_receiver_memory_max_bytes", "Memory that they may take", limit)
    }
}

#[derive(Debug)]
struct OpenConnections(Connections);

impl Collector for OpenConnections {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut write = Writer(&mut encoder);
        let counts = self.0.counts();
        write.gauge("skillspan_connections", "Open connections of clients", counts.open)?;
        let help = "Connections that were refused, because too many had requests under way";
        write.counter("skillspan_connections_refused", help, counts.refused)?;
        let help = "Idle connections that were closed to make room for others";
        write.counter("skillspan_connections_displaced", help, counts.displaced)
    }
}

/// The sessions pipelines: each metric once, with a sample for each of them.
#[derive(Debug)]
struct Pipelines(Vec<TableFeed>);

/// How a pipeline does at the moment of a scrape.
struct Sample<'f> {
    pipeline: &'f str,
    journal: journal::Status,
    table: parquet::Status,
    upkeep: &'f UpkeepCounts,
}

impl Collector for Pipelines {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let sample = |feed: &'_ TableFeed| (feed.journal.status(), feed.exporter.status());
        let samples: Vec<Sample<'_>> = self
            .0
            .iter()
            .map(|feed| (feed, sample(feed)))
            .map(|(feed, (journal, table))| Sample {
                pipeline: &feed.pipeline,
                journal,
                table,
                upkeep: &feed.upkeep,
            })
            .collect();
        let mut write = SampleWriter { encoder: &mut encoder, samples: &samples };
        write.journals()?;
        write.tables()
    }
}

/// Writes a metric of every pipeline.
struct SampleWriter<'w, 'e, 's> {
    encoder: &'w mut DescriptorEncoder<'e>,
    samples: &'s [Sample<'s>],
}

impl SampleWriter<'_, '_, '_> {
    fn journals(&mut self) -> fmt::Result {
        self.gauge("skillspan_journal_bytes", "Bytes that the journal occupies", |of| of.journal.bytes)?;
        self.gauge("skillspan_journal_max_bytes", "Bytes that the journal may occupy", |of| {
            of.journal.max_bytes
        })?;
        self.gauge("skillspan_journal_writable", "1 while the journal's disk takes writes, else 0", |of| {
            u64::from(of.journal.writable)
        })?;
        self.counter("skillspan_journal_syncs", "Flushes of the journal to the disk", |of| {
            of.journal.syncs.count
        })?;
        let seconds = |of: &Sample<'_>| ConstCounter::new(of.journal.syncs.total.as_secs_f64());
        self.write("skillspan_journal_sync_seconds", "Time spent in these flushes", seconds)?;
        self.sync_durations()?;
        self.counter("skillspan_journal_lost", "Accepted requests lost with files of the journal", |of| {
            of.journal.lost
        })?;
        self.counter("skillspan_journal_quarantined", "Damaged records set aside", |of| {
            of.journal.quarantined
        })
    }

    fn tables(&mut self) -> fmt::Result {
        self.gauge("skillspan_table_lag_records", "Accepted requests not in the table yet", |of| {
            of.table.behind
        })?;
        self.gauge(
            "skillspan_table_lag_events",
            "Events read from the journal and not in the table yet",
            |of| of.table.pending_events,
        )?;
        let lag = |of: &Sample<'_>| ConstGauge::new(of.table.lag_seconds());
        let help = "Age of the oldest request in the journal that is not in the table yet";
        self.write("skillspan_table_lag_seconds", help, lag)?;
        self.counter("skillspan_table_rows", "Events written to the table", |of| of.table.rows)?;
        self.counter("skillspan_table_files", "Files written to the table", |of| of.table.files)?;
        self.counter("skillspan_table_bytes", "Bytes of these files", |of| of.table.bytes)?;
        self.counter("skillspan_retention_files", "Files that retention removed from the table", |of| {
            of.upkeep.retired_files.load(Ordering::Relaxed)
        })?;
        self.counter("skillspan_retention_bytes", "Bytes of the files that retention removed", |of| {
            of.upkeep.retired_bytes.load(Ordering::Relaxed)
        })?;
        self.gauge("skillspan_retention_refused", "1 while the clock is not believed, else 0", |of| {
            u64::from(clock::jump().is_some() || of.upkeep.doubt().is_some())
        })?;
        self.counter("skillspan_table_failures", "Attempts to write that failed", |of| of.table.failures)?;
        self.gauge("skillspan_table_failing", "1 while the table cannot be written, else 0", |of| {
            u64::from(of.table.failing.is_some())
        })?;
        let help = "Journal records that can never become rows, set aside";
        self.counter("skillspan_dead_letters", help, |of| of.table.dead_letters)
    }

    fn counter(&mut self, name: &str, help: &str, value: fn(&Sample<'_>) -> u64) -> fmt::Result {
        self.write(name, help, |of| ConstCounter::new(value(of)))
    }

    fn gauge(&mut self, name: &str, help: &str, value: fn(&Sample<'_>) -> u64) -> fmt::Result {
        self.write(name, help, |of| ConstGauge::new(i64::try_from(value(of)).unwrap_or(i64::MAX)))
    }

    fn write<M: EncodeMetric>(
        &mut self,
        name: &str,
        help: &str,
        metric: impl Fn(&Sample<'_>) -> M,
    ) -> fmt::Result {
        let metrics: Vec<(&str, M)> = self.samples.iter().map(|of| (of.pipeline, metric(of))).collect();
        let Some((_, first)) = metrics.first() else { return Ok(()) };
        let mut family = self.encoder.encode_descriptor(name, help, None, first.metric_type())?;
        for (pipeline, metric) in &metrics {
            metric.encode(family.encode_family(&[("pipeline", *pipeline)])?)?;
        }
        Ok(())
    }

    fn sync_durations(&mut self) -> fmt::Result {
        let name = "skillspan_journal_sync_duration_seconds";
        let help = "How long a flush of the journal to the disk takes";
        let mut family = self.encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for Sample { pipeline, journal, .. } in self.samples {
            let buckets: Vec<(f64, u64)> = journal.syncs.buckets().collect();
            let (total, count) = (journal.syncs.total.as_secs_f64(), journal.syncs.count);
            let labels = [("pipeline", *pipeline)];
            let mut encoder = family.encode_family(&labels)?;
            encoder.encode_histogram::<NoLabelSet>(total, count, &buckets, None)?;
        }
        Ok(())
    }
}

#[derive(Debug)]
struct MiningCollector(Arc<MiningCounts>);

impl Collector for MiningCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let mut write = Writer(&mut encoder);
        write.counter("skillspan_skillify_runs", "Mining runs that ended well", count(&self.0.runs))?;
        write.counter("skillspan_skillify_failures", "Mining runs that failed", count(&self.0.failures))?;
        write.counter(
            "skillspan_skills_changed",
            "Skills that were created or changed at a target",
            self.0.targets.skills_changed(),
        )?;
        write.gauge(
            "skillspan_targets_failing",
            "Targets of skills that cannot be written now",
            self.0.targets.failing(),
        )?;
        write.failures(&self.0.targets.failures())?;
        write.gauges(
            "skillspan_skillify_shards",
            "Shards of workspaces that this worker mines, of 32, where several share a table",
            &self.0.shares.held(),
        )?;
        write.gauges(
            "skillspan_skillify_due_workspaces",
            "Workspaces of this worker that are due and not mined yet",
            &self.0.due.all(),
        )?;
        self.0.model.write(&mut write)?;
        self.0.embeddings.write(&mut write)
    }
}
