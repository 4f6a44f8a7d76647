//! What clients send in these tests, and the sites that forward it.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::{
    Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, metric, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;

use crate::backend::Backend;
use crate::site::{Site, client};

pub(crate) const PROTOBUF: &str = "application/x-protobuf";
pub(crate) const JSON: &str = "application/json";

pub(crate) fn text(text: &str) -> AnyValue {
    AnyValue { value: Some(Value::StringValue(text.to_owned())) }
}

pub(crate) fn pair(key: &str, value: AnyValue) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(value), ..KeyValue::default() }
}

pub(crate) fn resource(attributes: Vec<KeyValue>) -> Option<Resource> {
    Some(Resource { attributes, ..Resource::default() })
}

pub(crate) fn scope() -> Option<InstrumentationScope> {
    Some(InstrumentationScope {
        name: "acme.agent".to_owned(),
        version: "1.2".to_owned(),
        ..Default::default()
    })
}

/// A span of an agent that dialects know, of this session, called `name`.
pub(crate) fn span(session: &str, name: &str) -> Span {
    let number = name.bytes().fold(1_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte)).max(1);
    Span {
        trace_id: vec![number; 16],
        span_id: vec![number; 8],
        name: name.to_owned(),
        start_time_unix_nano: 1_790_000_000_000_000_000,
        end_time_unix_nano: 1_790_000_001_000_000_000,
        attributes: vec![
            pair("gen_ai.operation.name", text("execute_tool")),
            pair("gen_ai.tool.name", text("bash")),
            pair("session.id", text(session)),
        ],
        ..Span::default()
    }
}

pub(crate) fn spans_of(resource: Option<Resource>, spans: Vec<Span>) -> ExportTraceServiceRequest {
    let scope_spans = vec![ScopeSpans { scope: scope(), spans, ..ScopeSpans::default() }];
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }],
    }
}

/// A request with one span of this session.
pub(crate) fn traces(session: &str, name: &str) -> ExportTraceServiceRequest {
    spans_of(resource(vec![pair("service.name", text("shop"))]), vec![span(session, name)])
}

pub(crate) fn logs(event_name: &str, attributes: Vec<KeyValue>) -> ExportLogsServiceRequest {
    let log = LogRecord {
        time_unix_nano: 1_790_000_000_000_000_000,
        event_name: event_name.to_owned(),
        body: Some(text("something nobody here knows")),
        attributes,
        ..LogRecord::default()
    };
    let scope_logs = vec![ScopeLogs { scope: scope(), log_records: vec![log], ..ScopeLogs::default() }];
    let resource = resource(vec![pair("service.name", text("shop"))]);
    ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs { resource, scope_logs, ..ResourceLogs::default() }],
    }
}

pub(crate) fn metrics(name: &str, attributes: Vec<KeyValue>) -> ExportMetricsServiceRequest {
    let point = NumberDataPoint {
        attributes,
        time_unix_nano: 1_790_000_000_000_000_000,
        value: Some(number_data_point::Value::AsInt(7)),
        ..NumberDataPoint::default()
    };
    let metric = Metric {
        name: name.to_owned(),
        data: Some(metric::Data::Gauge(Gauge { data_points: vec![point] })),
        ..Metric::default()
    };
    let scope_metrics =
        vec![ScopeMetrics { scope: scope(), metrics: vec![metric], ..ScopeMetrics::default() }];
    let resource = resource(vec![pair("service.name", text("shop"))]);
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics { resource, scope_metrics, ..ResourceMetrics::default() }],
    }
}

/// A site that forwards all signals to these exporters: (id, keys beside the endpoint, backend). Tries again at
/// once.
pub(crate) fn forwarding(exporters: &[(&str, &str, &Backend)]) -> Site {
    let site = Site::new("default");
    let ids: Vec<&str> = exporters.iter().map(|(id, _, _)| *id).collect();
    let written: String = exporters
        .iter()
        .map(|(id, keys, backend)| {
            let scheme = if keys.contains("ca_file") { "https://localhost" } else { "http://127.0.0.1" };
            format!(
                "  {id}: {{ endpoint: \"{scheme}:{}\", retry: {{ initial: 20ms, max: 100ms }}{keys} }}\n",
                backend.port()
            )
        })
        .collect();
    site.edit_config(&[("exporters:\n", &format!("exporters:\n{written}"))]);
    let list = ids.join(", ");
    let pipelines: String = ["traces", "logs", "metrics"]
        .iter()
        .map(|signal| format!("    {signal}: {{ receivers: [otlp], exporters: [{list}] }}\n"))
        .collect();
    site.add_to_config(&format!("  pipelines:\n    sessions: {{}}\n    skills: {{}}\n{pipelines}"));
    site
}

/// Posts a span in protobuf, which has to be taken; its body.
pub(crate) fn post_span(site: &Site, session: &str, name: &str) -> Vec<u8> {
    let body = traces(session, name).encode_to_vec();
    assert_eq!(site.post("/v1/traces", PROTOBUF, body.clone()), 200, "{name}");
    body
}

/// Brings everything that was accepted into the table.
pub(crate) fn flush(site: &Site) {
    let url = format!("http://127.0.0.1:{}/flush", site.health);
    assert!(client().post(url).send().unwrap().status().is_success());
}
