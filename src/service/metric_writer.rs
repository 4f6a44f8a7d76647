//! Metrics, written as they are read.

use std::collections::BTreeMap;

use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use std::fmt;

pub(super) struct Writer<'w, 'e>(pub(super) &'w mut DescriptorEncoder<'e>);

impl Writer<'_, '_> {
    pub(super) fn failures(&mut self, failures: &BTreeMap<(String, &'static str), u64>) -> fmt::Result {
        let help = "Attempts to publish skills that failed, by target and kind";
        let rows = failures
            .iter()
            .map(|((target, kind), count)| ([("target", target.as_str()), ("kind", *kind)], *count));
        self.counters("skillspan_target_failures", help, rows)
    }

    /// One counter by the values of its labels.
    pub(super) fn counters<'l, const LABELS: usize>(
        &mut self,
        name: &str,
        help: &str,
        rows: impl Iterator<Item = ([(&'l str, &'l str); LABELS], u64)>,
    ) -> fmt::Result {
        let kind = ConstCounter::new(0_u64).metric_type();
        let mut family = self.0.encode_descriptor(name, help, None, kind)?;
        for (labels, count) in rows {
            ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    /// One gauge by pipeline.
    pub(super) fn gauges(&mut self, name: &str, help: &str, rows: &[(String, u64)]) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, ConstGauge::new(0_i64).metric_type())?;
        for (pipeline, value) in rows {
            let labels = [("pipeline", pipeline.as_str())];
            ConstGauge::new(i64::try_from(*value).unwrap_or(i64::MAX))
                .encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    pub(super) fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        self.write(name, help, &ConstCounter::new(value))
    }

    pub(super) fn seconds(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        self.write(name, help, &ConstCounter::new(value))
    }

    pub(super) fn gauge(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        self.write(name, help, &ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX)))
    }

    fn write(&mut self, name: &str, help: &str, metric: &impl EncodeMetric) -> fmt::Result {
        let encoder = self.0.encode_descriptor(name, help, None, metric.metric_type())?;
        metric.encode(encoder)
    }
}
