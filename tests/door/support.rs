//! A running skillspan with a door of one's own making, and what clients send to it.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, status};

use crate::site::Site;
pub(crate) use crate::table_texts::{files, table_texts};

/// A site whose configuration continues with `more`; `{root}`, `{grpc}` and `{http}` stand for its own.
pub(crate) fn site(replace: &[(&str, &str)], more: &str) -> Site {
    let site = Site::new("default");
    let mut config = std::fs::read_to_string(site.config()).unwrap();
    for (from, to) in replace {
        assert!(config.contains(from), "{from} is not in {config}");
        config = config.replacen(from, to, 1);
    }
    let root = site.folder.path().display().to_string();
    config = (config + more)
        .replace("{root}", &root)
        .replace("{grpc}", &site.grpc.to_string())
        .replace("{http}", &site.http.to_string());
    std::fs::write(site.config(), config).unwrap();
    site
}

pub(crate) fn text(text: impl Into<String>) -> AnyValue {
    AnyValue { value: Some(Value::StringValue(text.into())) }
}

pub(crate) fn pair(key: impl Into<String>, value: AnyValue) -> KeyValue {
    KeyValue { key: key.into(), value: Some(value), ..KeyValue::default() }
}

/// A span of a tool call, with what `change` makes of it.
pub(crate) fn span(
    session: &str,
    number: u8,
    change: impl FnOnce(&mut Span, &mut Resource),
) -> ExportTraceServiceRequest {
    let mut resource =
        Resource { attributes: vec![pair("service.name", text("shop"))], ..Resource::default() };
    let mut span = Span {
        trace_id: vec![number; 16],
        span_id: vec![number; 8],
        name: "execute_tool bash".to_owned(),
        start_time_unix_nano: 1_790_000_000_000_000_000,
        end_time_unix_nano: 1_790_000_001_000_000_000,
        attributes: vec![
            pair("gen_ai.operation.name", text("execute_tool")),
            pair("gen_ai.tool.name", text("bash")),
            pair("session.id", text(session)),
        ],
        status: Some(Status { code: status::StatusCode::Ok.into(), message: String::new() }),
        ..Span::default()
    };
    change(&mut span, &mut resource);
    let scope = Some(InstrumentationScope { name: "shop".to_owned(), ..InstrumentationScope::default() });
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(resource),
            scope_spans: vec![ScopeSpans { scope, spans: vec![span], ..ScopeSpans::default() }],
            ..ResourceSpans::default()
        }],
    }
}

/// A prompt, as Claude Code logs it.
pub(crate) fn prompt(session: &str, attributes: Vec<KeyValue>) -> ExportLogsServiceRequest {
    let mut own = vec![pair("event.name", text("user_prompt")), pair("session.id", text(session))];
    own.extend(attributes);
    let record = LogRecord {
        time_unix_nano: 1_790_000_000_000_000_000,
        body: Some(text("claude_code.user_prompt")),
        attributes: own,
        ..LogRecord::default()
    };
    let scope = InstrumentationScope {
        name: "com.anthropic.claude_code.events".to_owned(),
        ..InstrumentationScope::default()
    };
    ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            resource: Some(Resource {
                attributes: vec![pair("service.name", text("claude-code"))],
                ..Resource::default()
            }),
            scope_logs: vec![ScopeLogs {
                scope: Some(scope),
                log_records: vec![record],
                ..ScopeLogs::default()
            }],
            ..ResourceLogs::default()
        }],
    }
}
