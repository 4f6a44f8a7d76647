//! OpenTelemetry's own exporters, pointed at the service as their documentation says.

use std::time::Duration;

use opentelemetry::Key;
use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider};
use opentelemetry::trace::{Tracer, TracerProvider};
use opentelemetry_otlp::{
    Compression, LogExporter, Protocol, SpanExporter, WithExportConfig, WithTonicConfig,
};
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;

use crate::harness::{PATIENCE, Running};

async fn export_spans(exporter: SpanExporter) {
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).build();
    provider.tracer("test").in_span("one", |_| ());
    provider.tracer("test").in_span("two", |_| ());
    // Flushing waits for the network, which this thread serves.
    tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(Duration::from_secs(20)).unwrap())
        .await
        .unwrap();
}

async fn export_prompt(exporter: LogExporter) {
    let provider = SdkLoggerProvider::builder().with_batch_exporter(exporter).build();
    let logger = provider.logger("com.anthropic.claude_code.events");
    let mut record = logger.create_log_record();
    record.set_body(AnyValue::from("claude_code.user_prompt"));
    for (key, value) in [
        ("event.name", "user_prompt"),
        ("session.id", "s-1"),
        ("prompt.id", "p-1"),
        ("prompt", "bump the widgets"),
    ] {
        record.add_attribute(Key::from(key), value);
    }
    logger.emit(record);
    tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(Duration::from_secs(20)).unwrap())
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_and_logs_arrive_over_grpc_plain_and_gzip() {
    let running = Running::start().await;
    let endpoint = format!("http://{}", running.grpc);
    for gzip in [false, true] {
        let spans = SpanExporter::builder().with_tonic().with_endpoint(&endpoint).with_timeout(PATIENCE);
        let logs = LogExporter::builder().with_tonic().with_endpoint(&endpoint).with_timeout(PATIENCE);
        let (spans, logs) = if gzip {
            (spans.with_compression(Compression::Gzip), logs.with_compression(Compression::Gzip))
        } else {
            (spans, logs)
        };
        export_spans(spans.build().unwrap()).await;
        export_prompt(logs.build().unwrap()).await;
    }
    assert_eq!(running.metric("skillspan_receiver_records_total").await, 6.0);
    assert_eq!(running.metric("skillspan_events_total").await, 2.0, "two prompts");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_and_logs_arrive_over_http() {
    let running = Running::start().await;
    let endpoint = |path: &str| format!("http://{}{path}", running.http);
    let (traces, logs) = (endpoint("/v1/traces"), endpoint("/v1/logs"));
    // The client is a blocking one, which must not be made on a thread of the runtime.
    let (spans, logs) = tokio::task::spawn_blocking(move || {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let spans = SpanExporter::builder().with_http().with_protocol(Protocol::HttpBinary);
        let logger = LogExporter::builder().with_http().with_protocol(Protocol::HttpBinary);
        (spans.with_endpoint(traces).build().unwrap(), logger.with_endpoint(logs).build().unwrap())
    })
    .await
    .unwrap();
    export_spans(spans).await;
    export_prompt(logs).await;
    assert_eq!(running.metric("skillspan_receiver_records_total").await, 3.0);
    assert_eq!(running.metric("skillspan_events_total").await, 1.0, "a prompt");
    running.stop().await;
}
