//! What `/metrics` says, as OTLP metrics.
//!
//! The registry's text is the one account of what the process counts; OTLP is made of it, so that both
//! always say the same. (The OpenTelemetry SDK takes no values that somebody else has counted: it has no
//! producers and no observable histograms.) Only what our own registry writes is understood; a line that
//! is not is left out.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, Sum, metric,
};

/// From when to when the values were counted, in nanoseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(super) struct Interval {
    pub(super) start: u64,
    pub(super) now: u64,
}

/// Names and values, in the order of the text.
type Labels = Vec<(String, String)>;

/// `name{labels} value`.
#[derive(Debug, PartialEq)]
struct Sample<'t> {
    name: &'t str,
    labels: Labels,
    value: &'t str,
}

/// A metric as the text describes it, with its samples.
#[derive(Debug, Default)]
struct Family<'t> {
    name: &'t str,
    help: &'t str,
    kind: &'t str,
    samples: Vec<Sample<'t>>,
}

/// The metrics of an OpenMetrics text, without those that have no sample.
pub(super) fn to_otlp(text: &str, interval: Interval) -> Vec<Metric> {
    families(text).iter().filter_map(|family| family.to_otlp(interval)).collect()
}

fn families(text: &str) -> Vec<Family<'_>> {
    let mut families: Vec<Family<'_>> = Vec::new();
    for line in text.lines() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            families.push(Family { name, help: help.trim_end_matches('.'), ..Family::default() });
            continue;
        }
        let Some(family) = families.last_mut() else { continue };
        if let Some((_, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            family.kind = kind;
        } else if let Some(sample) = sample(line).filter(|sample| sample.name.starts_with(family.name)) {
            family.samples.push(sample);
        }
    }
    families
}

fn sample(line: &str) -> Option<Sample<'_>> {
    if line.starts_with('#') {
        return None;
    }
    let (name, rest) = line.split_at_checked(line.find(['{', ' '])?)?;
    let (labels, value) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (Labels::new(), rest),
    };
    Some(Sample { name, labels, value: value.trim_start().split(' ').next()? })
}

/// `name="value",…}` and what follows it.
fn labels(mut rest: &str) -> Option<(Labels, &str)> {
    let mut labels = Labels::new();
    loop {
        rest = rest.trim_start_matches(',');
        if let Some(after) = rest.strip_prefix('}') {
            return Some((labels, after));
        }
        let (name, quoted) = rest.split_once("=\"")?;
        let mut value = String::new();
        let mut characters = quoted.char_indices();
        rest = loop {
            let (at, character) = characters.next()?;
            match character {
                '"' => break quoted.get(at + 1..)?,
                '\\' => value.push(match characters.next()?.1 {
                    'n' => '\n',
                    escaped => escaped,
                }),
                plain => value.push(plain),
            }
        };
        labels.push((name.to_owned(), value));
    }
}

impl Family<'_> {
    fn to_otlp(&self, interval: Interval) -> Option<Metric> {
        let data = match self.kind {
            "counter" => metric::Data::Sum(Sum {
                data_points: self.numbers("_total", interval),
                aggregation_temporality: AggregationTemporality::Cumulative.into(),
                is_monotonic: true,
            }),
            "gauge" => metric::Data::Gauge(Gauge { data_points: self.numbers("", interval) }),
            "histogram" => metric::Data::Histogram(Histogram {
                data_points: self.histograms(interval),
                aggregation_temporality: AggregationTemporality::Cumulative.into(),
            }),
            _ => return None,
        };
        let unit = ["seconds", "bytes"].into_iter().find(|unit| self.name.ends_with(unit));
        let unit = unit.map_or("", |unit| if unit == "seconds" { "s" } else { "By" });
        (!self.samples.is_empty()).then(|| Metric {
            name: self.name.to_owned(),
            description: self.help.to_owned(),
            unit: unit.to_owned(),
            data: Some(data),
            ..Metric::default()
        })
    }

    fn numbers(&self, suffix: &str, interval: Interval) -> Vec<NumberDataPoint> {
        let own = self.samples.iter().filter(|sample| sample.name.strip_prefix(self.name) == Some(suffix));
        own.filter_map(|sample| {
            Some(NumberDataPoint {
                attributes: attributes(&sample.labels),
                start_time_unix_nano: interval.start,
                time_unix_nano: interval.now,
                value: Some(number(sample.value)?),
                ..NumberDataPoint::default()
            })
        })
        .collect()
    }

    fn histograms(&self, interval: Interval) -> Vec<HistogramDataPoint> {
        let mut points: BTreeMap<Labels, HistogramDataPoint> = BTreeMap::new();
        for Sample { name, labels, value } in &self.samples {
            let mut labels = labels.clone();
            let bound = labels.iter().position(|(name, _)| name == "le").map(|at| labels.remove(at).1);
            let point = points.entry(labels).or_default();
            match (name.strip_prefix(self.name), bound) {
                (Some("_sum"), _) => point.sum = value.parse().ok(),
                (Some("_count"), _) => point.count = value.parse().unwrap_or_default(),
                (Some("_bucket"), Some(bound)) => {
                    // Those up to a bound, in the text; those between two bounds, in OTLP.
                    let before: u64 = point.bucket_counts.iter().sum();
                    let upto = value.parse().unwrap_or(before);
                    point.bucket_counts.push(upto.saturating_sub(before));
                    point.explicit_bounds.extend(bound.parse::<f64>().ok().filter(|bound| bound.is_finite()));
                }
                _ => {}
            }
        }
        let points = points.into_iter().map(|(labels, point)| HistogramDataPoint {
            attributes: attributes(&labels),
            start_time_unix_nano: interval.start,
            time_unix_nano: interval.now,
            ..point
        });
        points.collect()
    }
}

fn number(text: &str) -> Option<Number> {
    text.parse().map(Number::AsInt).or_else(|_| text.parse().map(Number::AsDouble)).ok()
}

fn attributes(labels: &Labels) -> Vec<KeyValue> {
    let attribute = |(key, value): &(String, String)| {
        let value = Some(AnyValue { value: Some(Value::StringValue(value.clone())) });
        KeyValue { key: key.clone(), value, ..KeyValue::default() }
    };
    labels.iter().map(attribute).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::encoding::EncodeLabelSet;
    use prometheus_client::encoding::text::encode;
    use prometheus_client::metrics::counter::Counter;
    use prometheus_client::metrics::family::Family as Metrics;
    use prometheus_client::metrics::gauge::Gauge as Level;
    use prometheus_client::metrics::histogram::Histogram as Times;
    use prometheus_client::registry::Registry;
    use proptest::prelude::*;

    const INTERVAL: Interval = Interval { start: 1, now: 2 };

    #[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
    struct Scope {
        scope: String,
        signal: &'static str,
    }

    fn otlp_of(registry: &Registry) -> Vec<Metric> {
        let mut text = String::new();
        encode(&mut text, registry).unwrap();
        to_otlp(&text, INTERVAL)
    }

    proptest! {
        #[test]
        fn a_counter_keeps_its_count_and_whatever_its_labels_say(scope: String, count in 0..u64::MAX / 2) {
            let counter = Metrics::<Scope, Counter>::default();
            counter.get_or_create(&Scope { scope: scope.clone(), signal: "logs" }).inc_by(count);
            let mut registry = Registry::default();
            registry.register("records", "What came", counter);
            let metrics = otlp_of(&registry);
            let [Metric { name, description, data: Some(metric::Data::Sum(sum)), .. }] = metrics.as_slice() else {
                return Err(TestCaseError::fail(format!("{metrics:?}")));
            };
            prop_assert_eq!((name.as_str(), description.as_str(), sum.is_monotonic), ("records", "What came", true));
            let point = &sum.data_points[0];
            prop_assert_eq!(&point.value, &Some(Number::AsInt(count as i64)));
            prop_assert_eq!(&point.attributes, &attributes(&vec![("scope".into(), scope), ("signal".into(), "logs".into())]));
        }

        #[test]
        fn a_histogram_keeps_its_buckets(times: Vec<u8>) {
            let histogram = Times::new([10.0, 100.0]);
            times.iter().for_each(|time| histogram.observe(f64::from(*time)));
            let mut registry = Registry::default();
            registry.register("sync_seconds", "How long", histogram);
            let metrics = otlp_of(&registry);
            let [Metric { unit, data: Some(metric::Data::Histogram(histogram)), .. }] = metrics.as_slice() else {
                return Err(TestCaseError::fail(format!("{metrics:?}")));
            };
            let point = &histogram.data_points[0];
            let between = |low: u8, high: u8| times.iter().filter(|time| (low..=high).contains(time)).count() as u64;
            prop_assert_eq!(unit, "s");
            prop_assert_eq!(&point.explicit_bounds, &[10.0, 100.0]);
            prop_assert_eq!(&point.bucket_counts, &[between(0, 10), between(11, 100), between(101, 255)]);
            prop_assert_eq!(point.count, times.len() as u64);
            prop_assert_eq!(point.sum, Some(times.iter().map(|time| f64::from(*time)).sum()));
        }

        #[test]
        fn no_text_is_too_strange(text in "(# (HELP|TYPE) )?[a-z{}=\",\\\\ 0-9\n]*") {
            to_otlp(&text, INTERVAL);
        }
    }

    #[test]
    fn a_gauge_may_fall_and_a_metric_without_samples_is_not_sent() {
        let level: Level = Level::default();
        level.set(-3);
        let mut registry = Registry::default();
        registry.register("level", "How high", level);
        registry.register("nothing", "Never counted", Metrics::<Scope, Counter>::default());
        let metrics = otlp_of(&registry);
        let [Metric { data: Some(metric::Data::Gauge(gauge)), .. }] = metrics.as_slice() else {
            panic!("{metrics:?}")
        };
        assert_eq!(gauge.data_points[0].value, Some(Number::AsInt(-3)));
    }
}
