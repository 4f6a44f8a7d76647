//! Real clients against the real binary: the OpenTelemetry SDK and its OTLP exporter.

use opentelemetry::logs::{AnyValue, LogRecord as _, Logger as _, LoggerProvider as _};
use opentelemetry::trace::{Span as _, SpanBuilder, Tracer as _, TracerProvider as _};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::{
    Compression, LogExporter, Protocol, SpanExporter, WithExportConfig, WithTonicConfig,
};
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;

use crate::support::Site;

/// A chat span and a tool span as GenAI instrumentations make them.
fn send_spans(provider: &SdkTracerProvider, session: &str) {
    let tracer = provider.tracer("my-agent");
    let common = [KeyValue::new("gen_ai.conversation.id", session.to_owned())];
    let message = |role: &str, text: &str| {
        serde_json::json!([{ "role": role, "parts": [{ "type": "text", "content": text }] }]).to_string()
    };
    let chat = [
        KeyValue::new("gen_ai.operation.name", "chat"),
        KeyValue::new("gen_ai.input.messages", message("user", "Are the tests green?")),
        KeyValue::new("gen_ai.output.messages", message("assistant", "All 12 pass.")),
    ];
    let tool = [
        KeyValue::new("gen_ai.operation.name", "execute_tool"),
        KeyValue::new("gen_ai.tool.name", "shell"),
        KeyValue::new("gen_ai.tool.call.id", "call-1"),
        KeyValue::new("gen_ai.tool.call.arguments", "{\"command\":\"cargo test\"}"),
        KeyValue::new("gen_ai.tool.call.result", "12 passed"),
    ];
    for (name, attributes) in [("chat small", chat.to_vec()), ("execute_tool shell", tool.to_vec())] {
        let attributes = attributes.into_iter().chain(common.clone());
        tracer.build(SpanBuilder::from_name(name).with_attributes(attributes)).end();
    }
    provider.force_flush().unwrap();
    provider.shutdown().unwrap();
}

fn send_log(provider: &SdkLoggerProvider, session: &str) {
    let logger =
        provider.logger_with_scope(InstrumentationScope::builder("com.anthropic.claude_code.events").build());
    let mut record = logger.create_log_record();
    for (key, value) in [
        ("event.name", "user_prompt"),
        ("session.id", session),
        ("prompt.id", "prompt-1"),
        ("prompt", "Run the linter"),
    ] {
        record.add_attribute(key, AnyValue::from(value.to_owned()));
    }
    logger.emit(record);
    provider.force_flush().unwrap();
    provider.shutdown().unwrap();
}

fn counts(site: &Site, session: &str) -> serde_json::Value {
    let listed = site.sessions();
    listed.into_iter().find(|row| row["id"] == session).expect("the session is listed")["events"].clone()
}

#[test]
fn the_opentelemetry_sdk_exports_over_grpc_and_over_http() {
    let site = Site::new("default");
    let _running = site.start();
    let grpc = format!("http://127.0.0.1:{}", site.grpc);
    let http = format!("http://127.0.0.1:{}", site.http);

    // The gRPC exporter lives on a runtime; the HTTP one blocks and must not.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (spans, logs) = runtime.block_on(async {
        let spans = SpanExporter::builder().with_tonic().with_endpoint(&grpc);
        let logs = LogExporter::builder().with_tonic().with_endpoint(&grpc);
        (spans.with_compression(Compression::Gzip).build().unwrap(), logs.build().unwrap())
    });
    send_spans(&SdkTracerProvider::builder().with_batch_exporter(spans).build(), "over-grpc");
    send_log(&SdkLoggerProvider::builder().with_batch_exporter(logs).build(), "log-over-grpc");

    let spans = SpanExporter::builder().with_http().with_protocol(Protocol::HttpBinary);
    let spans = spans.with_endpoint(format!("{http}/v1/traces")).build().unwrap();
    send_spans(&SdkTracerProvider::builder().with_batch_exporter(spans).build(), "over-http");
    let logs = LogExporter::builder().with_http().with_protocol(Protocol::HttpBinary);
    let logs = logs.with_endpoint(format!("{http}/v1/logs")).build().unwrap();
    send_log(&SdkLoggerProvider::builder().with_batch_exporter(logs).build(), "log-over-http");

    for session in ["over-grpc", "over-http"] {
        let expected = serde_json::json!({ "prompt": 1, "response": 1, "tool_call": 1, "tool_result": 1 });
        assert_eq!(counts(&site, session), expected, "{session}");
    }
    for session in ["log-over-grpc", "log-over-http"] {
        assert_eq!(counts(&site, session), serde_json::json!({ "prompt": 1 }), "{session}");
    }
}
