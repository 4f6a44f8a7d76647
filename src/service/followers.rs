//! The exporters that follow tables: started, measured, reported on.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::config::{FollowerSettings, Settings};
use crate::exporters::deeplake::{Deeplake, Handle, StartError, Status};

use super::report::{FollowerReport, Report};

/// The settings' exporters, each with its state read and locked.
pub(super) fn prepare(settings: &Settings) -> Result<Vec<Deeplake>, StartError> {
    let followers = settings.followers.iter().cloned();
    followers
        .map(|FollowerSettings { table, deeplake }| Deeplake::new(deeplake, table.location, table.retention))
        .collect()
}

impl Report {
    /// Adds an exporter's state and what follows from it.
    pub(super) fn add_follower(&mut self, handle: &Handle) {
        let (name, status) = (handle.name(), handle.status());
        if let Some(failing) = &status.failing {
            let seconds = failing.since.elapsed().as_secs();
            let what = format!("{name} has not worked for {seconds} s: {}", failing.error);
            self.problem(what, failing.remedy);
        }
        if status.refused > 0 {
            let reason = status.refusal.as_deref().unwrap_or_default();
            self.problem(
                format!("{name}: the service refuses {} rows, such as: {reason}", status.refused),
                "the table keeps what they say; after an upgrade, delete the exporter's cursor.json to have all rows looked at again",
            );
        }
        self.followers.push(FollowerReport {
            exporter: name.to_owned(),
            place: handle.place().to_owned(),
            state: status.failing.map_or("exporting", |failing| failing.kind).to_owned(),
            rows: status.rows,
            waiting_rows: status.waiting_rows,
            open_sessions: status.open_sessions,
            refused_rows: status.refused,
        });
    }
}

/// Their metrics, each with the exporter's id as a label.
#[derive(Debug)]
pub(super) struct FollowerMetrics(pub(super) Vec<Handle>);

type Reading = fn(&Status) -> u64;

const COUNTERS: [(&str, &str, Reading); 5] = [
    ("skillspan_deeplake_rows", "Rows that reached the service", |status| status.rows),
    ("skillspan_deeplake_inserts", "Statements sent that add rows", |status| status.inserts),
    ("skillspan_deeplake_bytes", "Bytes of these statements", |status| status.bytes),
    ("skillspan_deeplake_found", "Rows found there after an answer was lost", |status| status.found),
    ("skillspan_deeplake_erased", "Sessions removed there because they are erased", |status| status.erased),
];

const GAUGES: [(&str, &str, Reading); 4] = [
    ("skillspan_deeplake_waiting_rows", "Rows that are about to be written", |status| status.waiting_rows),
    ("skillspan_deeplake_open_sessions", "Sessions of which more is expected", |status| status.open_sessions),
    ("skillspan_deeplake_refused_rows", "Rows that the service refuses for good", |status| status.refused),
    ("skillspan_deeplake_failing", "1 while nothing can be written, else 0", |status| {
        u64::from(status.failing.is_some())
    }),
];

impl Collector for FollowerMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        let followers: Vec<(&str, Status)> =
            self.0.iter().map(|handle| (handle.name(), handle.status())).collect();
        for (name, help, read) in COUNTERS {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for (exporter, status) in &followers {
                let labels = [("exporter", *exporter)];
                ConstCounter::new(read(status)).encode(family.encode_family(&labels)?)?;
            }
        }
        for (name, help, read) in GAUGES {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for (exporter, status) in &followers {
                let value = i64::try_from(read(status)).unwrap_or(i64::MAX);
                ConstGauge::new(value).encode(family.encode_family(&[("exporter", *exporter)])?)?;
            }
        }
        let help = "Attempts that failed, by kind";
        let mut family =
            encoder.encode_descriptor("skillspan_deeplake_failures", help, None, MetricType::Counter)?;
        for (exporter, status) in &followers {
            for (kind, count) in &status.failures {
                let labels = [("exporter", *exporter), ("kind", *kind)];
                ConstCounter::new(*count).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}
