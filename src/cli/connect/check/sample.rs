//! The marked record, as each client writes its own.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use serde::Serialize;

use super::super::super::probe::Question;
use super::route::Route;
use crate::cli::connect::client::Client;
use crate::event::Timestamp;
use crate::receivers::otlp::Encoding;

/// What the person asks in it.
pub(super) const WORDS: &str = "skillspan connect --check: whether this arrives";
/// What the assistant answers in it.
const ANSWER: &str = "It arrives.";
/// How the session is called. Nothing of it is stored.
pub(super) const SESSION: &str = "skillspan-connect-check";
/// The wish not to be stored, for collectors that know no checks.
pub(super) const CAPTURE: &str = "skillspan.capture";

/// A record of one client.
struct Sample {
    is_log: bool,
    service: &'static str,
    scope: &'static str,
    /// The span's name.
    name: &'static str,
    /// Attributes; those of texts are left out where the client withholds them.
    plain: &'static [(&'static str, &'static str)],
    texts: Vec<(&'static str, String)>,
}

fn of(client: &Client) -> Sample {
    log_of(client.name).unwrap_or_else(|| span_of(client.name))
}

/// Of clients whose prompts are log records.
fn log_of(client: &str) -> Option<Sample> {
    let log = |service, scope, plain| Sample {
        is_log: true,
        service,
        scope,
        name: "",
        plain,
        texts: vec![("prompt", WORDS.to_owned())],
    };
    Some(match client {
        "claude-code" => log(
            "claude-code",
            "com.anthropic.claude_code.events",
            &[("event.name", "user_prompt"), ("session.id", SESSION), ("prompt.id", "check")],
        ),
        "codex" => log(
            "codex_exec",
            "codex_otel.log_only",
            &[("event.name", "codex.user_prompt"), ("conversation.id", SESSION)],
        ),
        "gemini-cli" => log(
            "gemini-cli",
            "gemini-cli",
            &[("event.name", "gemini_cli.user_prompt"), ("session.id", SESSION)],
        ),
        "qwen" => {
            log("qwen-code", "qwen-code", &[("event.name", "qwen-code.user_prompt"), ("session.id", SESSION)])
        }
        _ => return None,
    })
}

/// Of clients whose prompts are spans.
fn span_of(client: &str) -> Sample {
    let parts = |role: &str, text: &str| {
        format!(r#"[{{"role":"{role}","parts":[{{"type":"text","content":"{text}"}}]}}]"#)
    };
    let span = |service, scope, name, plain| {
        let texts = vec![
            ("gen_ai.input.messages", parts("user", WORDS)),
            ("gen_ai.output.messages", parts("assistant", ANSWER)),
        ];
        Sample { is_log: false, service, scope, name, plain, texts }
    };
    match client {
        "copilot" => span(
            "github-copilot",
            "github.copilot",
            "invoke_agent",
            &[("gen_ai.operation.name", "invoke_agent"), ("gen_ai.conversation.id", SESSION)],
        ),
        "opencode" => Sample {
            texts: vec![
                (
                    "ai.prompt.messages",
                    format!(r#"[{{"role":"user","content":[{{"type":"text","text":"{WORDS}"}}]}}]"#),
                ),
                ("ai.response.text", ANSWER.to_owned()),
            ],
            ..span(
                "opencode",
                "ai",
                "ai.streamText.doStream",
                &[("session.id", SESSION), ("ai.prompt.tools", r#"[{"type":"function","name":"bash"}]"#)],
            )
        },
        "openclaw" => span("openclaw", "openclaw", "openclaw.model.call", &[]),
        "hermes" => Sample {
            texts: vec![
                ("hermes.turn.user_message", WORDS.to_owned()),
                ("hermes.turn.assistant_response", ANSWER.to_owned()),
            ],
            ..span(
                "hermes-agent",
                "hermes-agent.otel_tracing",
                "hermes.turn",
                &[("hermes.session.id", SESSION), ("hermes.turn.index", "1")],
            )
        },
        "langfuse" => Sample {
            texts: vec![
                ("langfuse.observation.input", format!(r#"[{{"role":"user","content":"{WORDS}"}}]"#)),
                ("langfuse.observation.output", format!(r#"{{"role":"assistant","content":"{ANSWER}"}}"#)),
            ],
            ..span(
                "check",
                "langfuse-sdk",
                "check",
                &[("langfuse.observation.type", "generation"), ("session.id", SESSION)],
            )
        },
        _ => span(
            "check",
            "skillspan.check",
            "chat check",
            &[("gen_ai.operation.name", "chat"), ("gen_ai.conversation.id", SESSION)],
        ),
    }
}

/// What is sent.
pub(super) fn question(client: &Client, route: &Route) -> Result<Question, String> {
    let sample = of(client);
    let texts = sample.texts.iter().filter(|_| route.withheld.is_none());
    let attributes = sample.plain.iter().map(|(name, value)| pair(name, value));
    let attributes: Vec<KeyValue> = attributes.chain(texts.map(|(name, text)| pair(name, text))).collect();
    let said = route.resource.iter().map(|(name, value)| pair(name, value));
    let own = [("service.name", sample.service), (CAPTURE, "false")].map(|(name, value)| pair(name, value));
    let resource =
        Some(Resource { attributes: own.into_iter().chain(said).collect(), ..Resource::default() });
    let scope =
        Some(InstrumentationScope { name: sample.scope.to_owned(), ..InstrumentationScope::default() });
    let now = u64::try_from(Timestamp::now().as_micros()).unwrap_or_default().saturating_mul(1_000);
    let body = if sample.is_log {
        let record = LogRecord {
            time_unix_nano: now,
            observed_time_unix_nano: now,
            attributes,
            ..LogRecord::default()
        };
        let scope_logs = vec![ScopeLogs { scope, log_records: vec![record], ..ScopeLogs::default() }];
        let resource_logs = vec![ResourceLogs { resource, scope_logs, ..ResourceLogs::default() }];
        encoded(route.encoding, &ExportLogsServiceRequest { resource_logs })?
    } else {
        let id = uuid::Uuid::new_v4();
        let span = Span {
            trace_id: id.as_bytes().to_vec(),
            span_id: id.as_bytes().get(..8).unwrap_or_default().to_vec(),
            name: sample.name.to_owned(),
            start_time_unix_nano: now,
            end_time_unix_nano: now,
            attributes,
            ..Span::default()
        };
        let scope_spans = vec![ScopeSpans { scope, spans: vec![span], ..ScopeSpans::default() }];
        let resource_spans = vec![ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }];
        encoded(route.encoding, &ExportTraceServiceRequest { resource_spans })?
    };
    let content_type = match route.encoding {
        Encoding::Json => "application/json",
        Encoding::Protobuf => "application/x-protobuf",
    };
    let (url, headers, authorities) = (route.url.clone(), route.headers.clone(), route.authorities.clone());
    Ok(Question { url, headers, content_type, body, authorities })
}

fn encoded(encoding: Encoding, message: &(impl Message + Serialize)) -> Result<Vec<u8>, String> {
    match encoding {
        Encoding::Json => serde_json::to_vec(message).map_err(|error| error.to_string()),
        Encoding::Protobuf => Ok(message.encode_to_vec()),
    }
}

fn pair(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(any_value::Value::StringValue(value.to_owned())) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}
