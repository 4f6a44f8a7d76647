//! Requests as agents send them. Their text is drawn from this repository: prose of its documents, its code, its
//! logs of real runs, its JSON. Who made the text of twenty words would measure a compressor.

use std::fs;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use serde::Serialize;
use serde_json::{Value, json};

use crate::body::{Body, mark, mixed};
use crate::{Arguments, Protocol};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shape {
    /// Model calls and tools by the GenAI conventions, 4.7 KB each
    Chat,
    /// Tools, 600 B each
    Tool,
    /// Log records of Claude Code
    Claude,
    /// Model calls that repeat a conversation, one message more each
    History,
}

impl Shape {
    pub(crate) fn path(self, is_grpc: bool) -> &'static str {
        match (self, is_grpc) {
            (Self::Claude, true) => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
            (_, true) => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            (Self::Claude, false) => "/v1/logs",
            (_, false) => "/v1/traces",
        }
    }
}

pub(crate) fn bodies(arguments: &Arguments) -> Vec<Body> {
    let texts = Texts::of(Path::new(env!("CARGO_MANIFEST_DIR")));
    (0..arguments.bodies).map(|number| body(arguments, &texts, number)).collect()
}

fn body(arguments: &Arguments, texts: &Texts, number: usize) -> Body {
    let mut maker = Maker { texts, drawn: u64::try_from(number).unwrap() << 32, ids: vec![] };
    let is_json = arguments.protocol == Protocol::Json;
    let bytes = match arguments.shape {
        Shape::Claude => encoded(&maker.logs(arguments.batch), is_json),
        Shape::Chat => encoded(
            &maker.spans(
                arguments.batch,
                |maker, at| if at % 2 == 0 { maker.chat(at) } else { maker.tool(at, 4_100) },
            ),
            is_json,
        ),
        Shape::Tool => encoded(&maker.spans(arguments.batch, |maker, at| maker.tool(at, 190)), is_json),
        Shape::History => encoded(&maker.conversation(arguments.batch), is_json),
    };
    Body::new(bytes, &maker.ids)
}

fn encoded<M: Message + Serialize>(message: &M, is_json: bool) -> Vec<u8> {
    if is_json { serde_json::to_vec(message).unwrap() } else { message.encode_to_vec() }
}

/// What texts are drawn from, by kind.
struct Texts(Vec<String>);

impl Texts {
    fn of(root: &Path) -> Self {
        let kinds: [&[(&str, &str)]; 4] = [
            &[("docs", "md")],
            &[("src", "rs")],
            &[("tests/live", "txt")],
            &[("tests/fixtures", "json"), ("docs/reference", "json")],
        ];
        let of_kind = |folders: &[(&str, &str)]| {
            let mut files = vec![];
            folders.iter().for_each(|(folder, end)| find(&root.join(folder), end, &mut files));
            files.sort();
            files.iter().filter_map(|file| fs::read_to_string(file).ok()).collect::<String>()
        };
        let texts: Vec<String> = kinds.into_iter().map(of_kind).collect();
        assert!(texts.iter().all(|text| text.len() > 10_000), "prose, code, logs and JSON are there");
        Self(texts)
    }
}

fn find(folder: &Path, end: &str, files: &mut Vec<PathBuf>) {
    for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            find(&path, end, files);
        } else if path.extension().is_some_and(|extension| extension == end) {
            files.push(path);
        }
    }
}

/// One request in the making.
struct Maker<'t> {
    texts: &'t Texts,
    drawn: u64,
    /// The lengths of its ids.
    ids: Vec<usize>,
}

/// When everything happened: no table sorts by how new it is.
const BEGAN: u64 = 1_790_000_000_000_000_000;
const SECOND: u64 = 1_000_000_000;

impl Maker<'_> {
    fn id(&mut self, length: usize) -> Vec<u8> {
        self.ids.push(length);
        mark(self.ids.len() - 1, length)
    }

    fn chance(&mut self, below: usize) -> usize {
        self.drawn += 1;
        usize::try_from(mixed(self.drawn) % u64::try_from(below).unwrap()).unwrap()
    }

    /// About so many bytes of some text, from the beginning of a line.
    fn text(&mut self, length: usize) -> String {
        let kind = self.chance(4);
        let texts = self.texts;
        let text = &texts.0[kind];
        let at = text.floor_char_boundary(self.chance(text.len() - length - 400));
        let at = at + text[at..].find('\n').filter(|line| *line < 200).map_or(0, |line| line + 1);
        text[at..text.floor_char_boundary(at + length)].to_owned()
    }

    fn spans(
        &mut self,
        count: usize,
        mut make: impl FnMut(&mut Self, usize) -> Span,
    ) -> ExportTraceServiceRequest {
        let trace = self.id(16);
        let spans = (0..count).map(|at| Span { trace_id: trace.clone(), ..make(self, at) }).collect();
        of_spans(spans, &trace)
    }

    fn chat(&mut self, at: usize) -> Span {
        let messages = json!([
            {"role": "system", "parts": [{"type": "text", "content": self.text(600)}]},
            {"role": "user", "parts": [{"type": "text", "content": self.text(500)}]},
            {"role": "assistant", "parts": [{"type": "tool_call", "id": "call_1", "name": "shell", "arguments": {"command": "cargo test --workspace"}}]},
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_1", "response": self.text(1_900)}]},
        ]);
        let reply = json!([{"role": "assistant", "parts": [{"type": "text", "content": self.text(750)}], "finish_reason": "stop"}]);
        self.model_call(at, &messages, &reply)
    }

    fn model_call(&mut self, at: usize, messages: &Value, reply: &Value) -> Span {
        let span = self.id(8);
        let attributes = vec![
            attribute("gen_ai.operation.name", "chat"),
            attribute("gen_ai.provider.name", "openai"),
            attribute("gen_ai.request.model", "gpt-5.2"),
            attribute("gen_ai.response.model", "gpt-5.2-2026-08-01"),
            attribute("gen_ai.response.id", format!("resp_{}", hex(&span))),
            number("gen_ai.usage.input_tokens", 1_200),
            number("gen_ai.usage.output_tokens", 180),
            attribute("gen_ai.input.messages", messages.to_string()),
            attribute("gen_ai.output.messages", reply.to_string()),
        ];
        spanned("chat gpt-5.2", span, at, attributes)
    }

    fn tool(&mut self, at: usize, length: usize) -> Span {
        let span = self.id(8);
        let attributes = vec![
            attribute("gen_ai.operation.name", "execute_tool"),
            attribute("gen_ai.tool.name", "shell"),
            attribute("gen_ai.tool.type", "function"),
            attribute("gen_ai.tool.call.id", format!("call_{}", hex(&span))),
            attribute(
                "gen_ai.tool.call.arguments",
                json!({"command": "cargo test --workspace --locked"}).to_string(),
            ),
            attribute("gen_ai.tool.call.result", self.text(length)),
        ];
        spanned("execute_tool shell", span, at, attributes)
    }

    fn conversation(&mut self, count: usize) -> ExportTraceServiceRequest {
        let said: Vec<String> = (0..count * 2 + 1).map(|_| self.text(400)).collect();
        let message = |(at, text): (usize, &String)| {
            let role = if at % 2 == 0 { "user" } else { "assistant" };
            json!({"role": role, "parts": [{"type": "text", "content": text}]})
        };
        let messages: Vec<Value> = said.iter().enumerate().map(message).collect();
        self.spans(count, |maker, at| {
            let (shown, reply) = (&messages[..=at * 2], &messages[at * 2 + 1]);
            maker.model_call(at, &Value::from(shown.to_vec()), &json!([reply]))
        })
    }

    fn logs(&mut self, count: usize) -> ExportLogsServiceRequest {
        let session = hex(&self.id(16));
        let log_records = (0..count).map(|at| self.log(at, &session)).collect();
        let scope = InstrumentationScope {
            name: "com.anthropic.claude_code.events".to_owned(),
            ..InstrumentationScope::default()
        };
        let scope_logs = vec![ScopeLogs { scope: Some(scope), log_records, ..ScopeLogs::default() }];
        let resource =
            resource(vec![attribute("service.name", "claude-code"), attribute("service.version", "2.1.332")]);
        ExportLogsServiceRequest {
            resource_logs: vec![ResourceLogs { resource, scope_logs, ..ResourceLogs::default() }],
        }
    }

    fn log(&mut self, at: usize, session: &str) -> LogRecord {
        let id = hex(&self.id(8));
        let (name, mut attributes) = match at % 4 {
            0 => ("user_prompt", vec![attribute("prompt", self.text(300))]),
            1 => (
                "api_request",
                vec![
                    attribute("model", "claude-opus-4-8"),
                    number("input_tokens", 900),
                    number("output_tokens", 210),
                    number("duration_ms", 1_800),
                ],
            ),
            2 => (
                "tool_result",
                vec![
                    attribute("tool_name", "Bash"),
                    attribute("tool_use_id", format!("toolu_{id}")),
                    attribute("success", "true"),
                    number("duration_ms", 1_200),
                    attribute(
                        "tool_input",
                        json!({"command": "cargo test --workspace", "description": self.text(60)})
                            .to_string(),
                    ),
                ],
            ),
            _ => (
                "assistant_response",
                vec![attribute("response", self.text(500)), attribute("request_id", format!("req_{id}"))],
            ),
        };
        attributes.extend([
            attribute("event.name", name),
            attribute("session.id", session),
            attribute("prompt.id", format!("{session}-{}", at / 4)),
            attribute("user.email", "ana@example.com"),
            attribute("terminal.type", "xterm-256color"),
            number("event.sequence", i64::try_from(at).unwrap()),
        ]);
        let time = BEGAN + u64::try_from(at).unwrap() * SECOND;
        LogRecord {
            time_unix_nano: time,
            observed_time_unix_nano: time,
            body: Some(text(format!("claude_code.{name}"))),
            attributes,
            ..LogRecord::default()
        }
    }
}

fn of_spans(spans: Vec<Span>, trace: &[u8]) -> ExportTraceServiceRequest {
    let scope = InstrumentationScope {
        name: "agent".to_owned(),
        version: "1.0".to_owned(),
        ..InstrumentationScope::default()
    };
    let spans = spans.into_iter().map(|mut span| {
        span.attributes.push(attribute("gen_ai.conversation.id", format!("conv-{}", hex(trace))));
        span
    });
    let scope_spans =
        vec![ScopeSpans { scope: Some(scope), spans: spans.collect(), ..ScopeSpans::default() }];
    let resource =
        resource(vec![attribute("service.name", "coder"), attribute("enduser.id", "ana@example.com")]);
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }],
    }
}

fn spanned(name: &str, span_id: Vec<u8>, at: usize, attributes: Vec<KeyValue>) -> Span {
    let began = BEGAN + u64::try_from(at).unwrap() * SECOND;
    Span {
        span_id,
        name: name.to_owned(),
        kind: 3,
        start_time_unix_nano: began,
        end_time_unix_nano: began + SECOND / 2,
        attributes,
        ..Span::default()
    }
}

fn resource(attributes: Vec<KeyValue>) -> Option<Resource> {
    Some(Resource { attributes, ..Resource::default() })
}

fn attribute(key: &str, value: impl Into<String>) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(text(value)), ..KeyValue::default() }
}

fn number(key: &str, value: i64) -> KeyValue {
    let value = Some(AnyValue { value: Some(any_value::Value::IntValue(value)) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

fn text(value: impl Into<String>) -> AnyValue {
    AnyValue { value: Some(any_value::Value::StringValue(value.into())) }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
