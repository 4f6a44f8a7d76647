//! What the process says of itself, for Prometheus.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use crate::event::Timestamp;
use crate::exporters::parquet;
use crate::journal;
use crate::receivers::Counters;

type Float = Gauge<f64, AtomicU64>;

/// The registry, and the gauges that are read off when it is served.
pub(super) struct Metrics {
    registry: Registry,
    journal_bytes: Gauge,
    journal_behind: Gauge,
    journal_writable: Gauge,
    journal_quarantined: Gauge,
    journal_syncs: Gauge,
    journal_sync_seconds: Float,
    lag_events: Gauge,
    lag_seconds: Float,
    exported_events: Gauge,
    exported_files: Gauge,
    dead_letters: Gauge,
    export_failing: Gauge,
    pub(super) mining: Mining,
}

/// What the mining worker counts.
#[derive(Debug, Clone, Default)]
pub(super) struct Mining {
    pub(super) runs: Gauge,
    pub(super) failures: Gauge,
    pub(super) last_run_seconds: Float,
    pub(super) skills: Gauge,
}

impl Metrics {
    pub(super) fn new(counters: &Counters) -> Self {
        let mut registry = Registry::default();
        counters.register(&mut registry);
        let mut gauge = |name: &str, help: &str| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        let journal_bytes = gauge("skillspan_journal_size_bytes", "Bytes that the journal occupies");
        let journal_behind = gauge("skillspan_journal_records", "Journal records that no file of the table has yet");
        let journal_writable = gauge("skillspan_journal_writable", "1 while the journal's disk takes writes");
        let journal_quarantined =
            gauge("skillspan_journal_quarantined_records", "Damaged records that were set aside");
        let journal_syncs = gauge("skillspan_journal_syncs", "Flushes of the journal to the disk");
        let lag_events = gauge("skillspan_table_lag_records", "Accepted requests that are not in the table yet");
        let exported_events = gauge("skillspan_table_events", "Events written to the table by this process");
        let exported_files = gauge("skillspan_table_files", "Files written to the table by this process");
        let dead_letters =
            gauge("skillspan_dead_letters", "Journal records that can never become rows, set aside");
        let export_failing = gauge("skillspan_table_failing", "1 while the table cannot be written");
        let mining = Mining {
            runs: gauge("skillspan_skillify_runs", "Mining runs that ended well"),
            failures: gauge("skillspan_skillify_failures", "Mining runs that failed"),
            last_run_seconds: Float::default(),
            skills: gauge("skillspan_skills", "Skills published by this process's targets"),
        };
        let journal_sync_seconds = Float::default();
        let lag_seconds = Float::default();
        for (name, help, gauge) in [
            ("skillspan_journal_sync", "Time spent in flushes of the journal", &journal_sync_seconds),
            ("skillspan_table_lag", "Age of the oldest accepted request not in the table", &lag_seconds),
            ("skillspan_skillify_last_run", "Duration of the last mining run", &mining.last_run_seconds),
        ] {
            registry.register_with_unit(name, help, Unit::Seconds, gauge.clone());
        }
        Self {
            registry,
            journal_bytes,
            journal_behind,
            journal_writable,
            journal_quarantined,
            journal_syncs,
            journal_sync_seconds,
            lag_events,
            lag_seconds,
            exported_events,
            exported_files,
            dead_letters,
            export_failing,
            mining,
        }
    }

    /// The text that `/metrics` serves.
    pub(super) fn render(&self, journal: Option<&journal::Status>, parquet: Option<&parquet::Status>) -> String {
        if let Some(journal) = journal {
            self.journal_bytes.set(signed(journal.bytes));
            self.journal_behind.set(signed(journal.behind));
            self.journal_writable.set(i64::from(journal.writable));
            self.journal_quarantined.set(signed(journal.quarantined));
            self.journal_syncs.set(signed(journal.syncs));
            self.journal_sync_seconds.set(journal.sync_time.as_secs_f64());
        }
        if let Some(parquet) = parquet {
            self.lag_events.set(signed(parquet.lag_records));
            self.lag_seconds.set(parquet.lag(Timestamp::now()).as_secs_f64());
            self.exported_events.set(signed(parquet.events));
            self.exported_files.set(signed(parquet.files));
            self.dead_letters.set(signed(parquet.dead_letters));
            self.export_failing.set(i64::from(parquet.failure.is_some()));
        }
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            Err(_) => "# the metrics could not be written\n".to_owned(),
        }
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
