//! The process's own metrics, sent to an OpenTelemetry collector (`service.telemetry.metrics.otlp`).
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | [`Telemetry`]: when they are sent, and what becomes of a failure |
//! | `openmetrics.rs` | what `/metrics` says, as OTLP |
//!
//! Nothing waits for it: a collector that is away costs a log line at the first failure and an entry in
//! `/status`. Values are cumulative, so what was not sent is in what is sent next.

mod openmetrics;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::{ResourceMetrics, ScopeMetrics};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;
use reqwest::header::CONTENT_TYPE;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::config::OtlpMetrics;
use crate::event::Timestamp;
use crate::exporters::with_causes;

use super::metrics::Metrics;
use super::ticks::Ticks;
use openmetrics::{Interval, to_otlp};

/// A collector that takes longer is asked again at the next turn.
const LONGEST_REQUEST: Duration = Duration::from_secs(10);
/// The last metrics of a process that stops are worth so much of its time.
const LAST_REQUEST: Duration = Duration::from_secs(1);

/// Sends metrics until it is stopped.
pub(super) struct Telemetry {
    config: OtlpMetrics,
    client: reqwest::Client,
    metrics: Arc<Metrics>,
    resource: Resource,
    started: Timestamp,
    failing: Failing,
}

/// Why metrics cannot be sent now, if they cannot. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Failing(Arc<Mutex<Option<String>>>);

impl Failing {
    pub(super) fn error(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn replace(&self, error: Option<String>) -> Option<String> {
        std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), error)
    }
}

impl Telemetry {
    /// # Errors
    /// If the HTTP client cannot be made.
    pub(super) fn new(config: OtlpMetrics, metrics: Arc<Metrics>) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder().timeout(config.interval.min(LONGEST_REQUEST)).build()?;
        let resource = Resource {
            attributes: vec![
                attribute("service.name", env!("CARGO_PKG_NAME")),
                attribute("service.version", env!("CARGO_PKG_VERSION")),
                attribute("service.instance.id", &Uuid::new_v4().to_string()),
            ],
            ..Resource::default()
        };
        let (started, failing) = (Timestamp::now(), Failing::default());
        Ok(Self { config, client, metrics, resource, started, failing })
    }

    /// What fails, for `/status`.
    pub(super) fn failing(&self) -> Failing {
        self.failing.clone()
    }

    /// Sends every interval, and once more when it is stopped.
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut ticks = Ticks::every(self.config.interval, &stop);
        while ticks.next().await.is_some() {
            if let Some(sent) = stop.run_until_cancelled(self.send()).await {
                self.note(sent);
            }
        }
        // Who does not answer in time is not waited for.
        if let Ok(sent) = tokio::time::timeout(LAST_REQUEST, self.send()).await {
            self.note(sent);
        }
    }

    async fn send(&self) -> Result<(), String> {
        let body = self.request()?.encode_to_vec();
        let mut request = self.client.post(self.config.endpoint.clone());
        for (name, value) in &self.config.headers {
            request = request.header(name, value);
        }
        let request = request.header(CONTENT_TYPE, "application/x-protobuf").body(body);
        let answer = request.send().await.map_err(|error| with_causes(&error.without_url()))?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => Err(format!("the collector answers {status}")),
        }
    }

    fn request(&self) -> Result<ExportMetricsServiceRequest, String> {
        let text = self.metrics.render().map_err(|error| error.to_string())?;
        let nanoseconds = |time: Timestamp| u64::try_from(time.as_micros()).unwrap_or_default() * 1_000;
        let interval = Interval { start: nanoseconds(self.started), now: nanoseconds(Timestamp::now()) };
        let scope = InstrumentationScope {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..InstrumentationScope::default()
        };
        let metrics = to_otlp(&text, interval);
        let scope_metrics = vec![ScopeMetrics { scope: Some(scope), metrics, ..ScopeMetrics::default() }];
        let resource = Some(self.resource.clone());
        let resource_metrics =
            vec![ResourceMetrics { resource, scope_metrics, ..ResourceMetrics::default() }];
        Ok(ExportMetricsServiceRequest { resource_metrics })
    }

    fn note(&self, sent: Result<(), String>) {
        let endpoint = &self.config.endpoint;
        let error = sent.err();
        match (self.failing.replace(error.clone()), error) {
            (None, Some(error)) => {
                tracing::warn!(%endpoint, error, "own metrics cannot be sent; it is tried again");
            }
            (Some(_), None) => tracing::info!(%endpoint, "own metrics are sent again"),
            (None, None) | (Some(_), Some(_)) => {}
        }
    }
}

fn attribute(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(value.to_owned())) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}
