//! `service.telemetry:` what the process says of itself.

use std::time::Duration;

use http::{HeaderName, HeaderValue};
use reqwest::Url;

use super::raw;
use super::resolver::{ResolveError, Resolver};
use super::settings::{LogSettings, OtlpMetrics};

/// OTLP's path for metrics, over HTTP.
const METRICS_PATH: &str = "/v1/metrics";
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);

impl Resolver<'_> {
    pub(super) fn logs(&self) -> LogSettings {
        let logs = self.raw.service.telemetry.as_ref().map(|telemetry| &telemetry.logs);
        let level = match logs.map(|logs| logs.level).unwrap_or_default() {
            raw::Level::Error => "error",
            raw::Level::Warn => "warn",
            raw::Level::Info => "info",
            raw::Level::Debug => "debug",
            raw::Level::Trace => "trace",
        };
        LogSettings { level, json: logs.is_some_and(|logs| logs.format == raw::LogFormat::Json) }
    }

    pub(super) fn metrics(&self) -> Result<Option<OtlpMetrics>, ResolveError> {
        let telemetry = self.raw.service.telemetry.as_ref();
        let Some(otlp) = telemetry.and_then(|telemetry| telemetry.metrics.otlp.as_ref()) else {
            return Ok(None);
        };
        let refused = |key: &str, message: &str| {
            self.invalid(&["service", "telemetry", "metrics", "otlp", key], message)
        };
        let endpoint = endpoint(&otlp.endpoint).ok_or_else(|| {
            refused(
                "endpoint",
                "expected the URL of a collector's OTLP/HTTP port, such as http://127.0.0.1:4318",
            )
        })?;
        if otlp.interval.0 < SHORTEST_INTERVAL {
            return Err(refused("interval", "metrics are sent every second at most"));
        }
        let mut headers = Vec::new();
        for (name, value) in &otlp.headers {
            let parsed = HeaderName::try_from(name).ok().zip(HeaderValue::try_from(value.reveal()).ok());
            let (name, mut value) =
                parsed.ok_or_else(|| refused("headers", &format!("{name:?} is not an HTTP header")))?;
            value.set_sensitive(true);
            headers.push((name, value));
        }
        Ok(Some(OtlpMetrics { endpoint, interval: otlp.interval.0, headers }))
    }
}

fn endpoint(text: &str) -> Option<Url> {
    let mut url = Url::parse(text).ok()?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return None;
    }
    if matches!(url.path(), "" | "/") {
        url.set_path(METRICS_PATH);
    }
    Some(url)
}
