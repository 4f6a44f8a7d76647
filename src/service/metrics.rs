//! What the process says of itself, for Prometheus.
//!
//! Receivers count as they go. Journal and exporter keep counts of their own, which are read when
//! `/metrics` is served.

use std::collections::BTreeMap;
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

use crate::event::Timestamp;
use crate::exporters::deeplake;
use crate::exporters::parquet::ExporterHandle;
use crate::journal::{Journal, SyncTimes};
use crate::receivers::{Counters, MemoryLimit};

use super::followers::FollowerMetrics;
use super::targets::Targets;

/// What mining has done since the start.
#[derive(Debug, Default)]
pub(super) struct MiningCounts {
    pub(super) runs: AtomicU64,
    pub(super) failures: AtomicU64,
    pub(super) targets: Targets,
}

/// Everything that `/metrics` serves.
pub(super) struct Metrics(Registry);

impl Metrics {
    pub(super) fn new(
        counters: &Counters,
        memory: Option<MemoryLimit>,
        table_feed: Option<(Journal, ExporterHandle)>,
        mining: Arc<MiningCounts>,
        followers: Vec<deeplake::Handle>,
    ) -> Self {
        let mut registry = Registry::default();
        counters.register(&mut registry);
        if let Some(memory) = memory {
            registry.register_collector(Box::new(RequestMemory(memory)));
        }
        if let Some((journal, exporter)) = table_feed {
            registry.register_collector(Box::new(TableFeed { journal, exporter }));
        }
        registry.register_collector(Box::new(FollowerMetrics(followers)));
        registry.register_collector(Box::new(MiningCollector(mining)));
        Self(registry)
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

/// The journal and the exporter that empties it.
#[derive(Debug)]
struct TableFeed {
    journal: Journal,
    exporter: ExporterHandle,
}

impl Collector for TableFeed {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let journal = self.journal.status();
        let table = self.exporter.status();
        let lag = table.oldest_pending.map_or(0.0, |oldest| Timestamp::now().since(oldest).as_secs_f64());
        let sync_seconds = journal.syncs.total.as_secs_f64();
        let mut write = Writer(&mut encoder);
        write.gauge("skillspan_journal_bytes", "Bytes that the journal occupies", journal.bytes)?;
        write.gauge("skillspan_journal_max_bytes", "Bytes that the journal may occupy", journal.max_bytes)?;
        write.gauge(
            "skillspan_journal_writable",
            "1 while the journal's disk takes writes, else 0",
            u64::from(journal.writable),
        )?;
        write.counter(
            "skillspan_journal_syncs",
            "Flushes of the journal to the disk",
            journal.syncs.count,
        )?;
        write.seconds("skillspan_journal_sync_seconds", "Time spent in these flushes", sync_seconds)?;
        write.histogram(
            "skillspan_journal_sync_duration_seconds",
            "How long a flush of the journal to the disk takes",
            &journal.syncs,
        )?;
        write.gauge(
            "skillspan_table_lag_events",
            "Events read from the journal and not in the table yet",
            table.pending_events,
        )?;
        write.counter("skillspan_journal_quarantined", "Damaged records set aside", journal.quarantined)?;
        write.gauge("skillspan_table_lag_records", "Accepted requests not in the table yet", table.behind)?;
        write.level("skillspan_table_lag_seconds", "Age of the oldest of them", lag)?;
        write.counter("skillspan_table_rows", "Events written to the table", table.rows)?;
        write.counter("skillspan_table_files", "Files written to the table", table.files)?;
        write.counter("skillspan_table_bytes", "Bytes of these files", table.bytes)?;
        write.counter("skillspan_table_failures", "Attempts to write that failed", table.failures)?;
        write.gauge(
            "skillspan_table_failing",
            "1 while the table cannot be written, else 0",
            u64::from(table.failing.is_some()),
        )?;
        write.counter(
            "skillspan_dead_letters",
            "Journal records that can never become rows, set aside",
            table.dead_letters,
        )
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
        write.failures(&self.0.targets.failures())
    }
}

struct Writer<'w, 'e>(&'w mut DescriptorEncoder<'e>);

impl Writer<'_, '_> {
    fn failures(&mut self, failures: &BTreeMap<(String, &'static str), u64>) -> fmt::Result {
        let help = "Attempts to publish skills that failed, by target and kind";
        let kind = ConstCounter::new(0_u64).metric_type();
        let mut family = self.0.encode_descriptor("skillspan_target_failures", help, None, kind)?;
        for ((target, kind), count) in failures {
            let labels = [("target", target.as_str()), ("kind", *kind)];
            ConstCounter::new(*count).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        self.write(name, help, &ConstCounter::new(value))
    }

    fn seconds(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        self.write(name, help, &ConstCounter::new(value))
    }

    fn gauge(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        self.write(name, help, &ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX)))
    }

    fn level(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        self.write(name, help, &ConstGauge::new(value))
    }

    fn histogram(&mut self, name: &str, help: &str, times: &SyncTimes) -> fmt::Result {
        let mut encoder = self.0.encode_descriptor(name, help, None, MetricType::Histogram)?;
        let buckets: Vec<(f64, u64)> = times.buckets().collect();
        encoder.encode_histogram::<NoLabelSet>(times.total.as_secs_f64(), times.count, &buckets, None)
    }

    fn write(&mut self, name: &str, help: &str, metric: &impl EncodeMetric) -> fmt::Result {
        let encoder = self.0.encode_descriptor(name, help, None, metric.metric_type())?;
        metric.encode(encoder)
    }
}
