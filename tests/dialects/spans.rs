//! Spans written by hand, in the form of OTLP/JSON.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use serde_json::{Value, json};
use skillspan::dialects::{Dialects, Outcome};
use skillspan::event::{Owner, SessionEvent};

use crate::captures::{ACCEPTED_AT, Body};

/// One span; ids are short names, times are seconds.
pub(crate) struct Span {
    scope: String,
    json: Value,
}

/// A span `id` of `trace` below `parent` (`""` for none), from one second to another.
pub(crate) fn span(trace: &str, id: &str, parent: &str, seconds: (i64, i64)) -> Span {
    let nanos = |seconds: i64| (1_795_340_000_000_000_000 + seconds * 1_000_000_000).to_string();
    let json = json!({
        "traceId": hex(trace, 16), "spanId": hex(id, 8), "parentSpanId": hex(parent, 8), "name": id,
        "startTimeUnixNano": nanos(seconds.0), "endTimeUnixNano": nanos(seconds.1),
        "attributes": [], "events": [], "status": {},
    });
    Span { scope: "app".to_owned(), json }
}

/// A name as an id of so many bytes; `""` stays no id.
pub(crate) fn hex(name: &str, bytes: usize) -> String {
    let digits: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
    if digits.is_empty() { digits } else { format!("{digits:0<width$.width$}", width = bytes * 2) }
}

impl Span {
    /// An attribute: a text as it is, anything else as JSON text.
    pub(crate) fn with(mut self, key: &str, value: Value) -> Self {
        let value = match value {
            Value::String(text) => json!({"stringValue": text}),
            Value::Number(number) => json!({"intValue": number}),
            other => json!({"stringValue": other.to_string()}),
        };
        self.json["attributes"].as_array_mut().unwrap().push(json!({"key": key, "value": value}));
        self
    }

    pub(crate) fn scope(mut self, scope: &str) -> Self {
        self.scope = scope.to_owned();
        self
    }

    pub(crate) fn name(mut self, name: &str) -> Self {
        self.json["name"] = json!(name);
        self
    }

    pub(crate) fn failed(mut self, message: &str) -> Self {
        self.json["status"] = json!({"code": 2, "message": message});
        self
    }

    pub(crate) fn event(mut self, name: &str, attributes: &[(&str, &str)]) -> Self {
        let attributes: Vec<_> = attributes
            .iter()
            .map(|(key, value)| json!({"key": key, "value": {"stringValue": value}}))
            .collect();
        self.json["events"].as_array_mut().unwrap().push(json!({"name": name, "attributes": attributes}));
        self
    }
}

/// A model call of the GenAI conventions.
pub(crate) fn chat(span: Span, input: Value, output: Value) -> Span {
    span.with("gen_ai.operation.name", json!("chat"))
        .with("gen_ai.input.messages", input)
        .with("gen_ai.output.messages", output)
}

/// A message of the GenAI conventions.
pub(crate) fn says(role: &str, text: &str) -> Value {
    json!({"role": role, "parts": [{"type": "text", "content": text}]})
}

/// An agent of the GenAI conventions.
pub(crate) fn agent(span: Span, prompt: &str, answer: &str) -> Span {
    span.with("gen_ai.operation.name", json!("invoke_agent"))
        .with("gen_ai.input.messages", json!([says("user", prompt)]))
        .with("gen_ai.output.messages", json!([says("assistant", answer)]))
}

/// The span of a tool of the GenAI conventions; `call` is its id, `""` for none.
pub(crate) fn tool(span: Span, name: &str, call: &str, arguments: Value, result: &str) -> Span {
    let span =
        span.with("gen_ai.operation.name", json!("execute_tool")).with("gen_ai.tool.name", json!(name));
    let span = if call.is_empty() { span } else { span.with("gen_ai.tool.call.id", json!(call)) };
    span.with("gen_ai.tool.call.arguments", arguments).with("gen_ai.tool.call.result", json!(result))
}

/// A part of a message that calls a tool.
pub(crate) fn calls(id: &str, name: &str, arguments: Value) -> Value {
    json!({"type": "tool_call", "id": id, "name": name, "arguments": arguments})
}

/// What the spans become.
pub(crate) fn map(spans: &[Span]) -> Vec<Outcome> {
    map_by(&Dialects::built_in(), spans)
}

/// What the spans become by such dialects.
pub(crate) fn map_by(dialects: &Dialects, spans: &[Span]) -> Vec<Outcome> {
    let scopes: Vec<_> =
        spans.iter().map(|span| json!({"scope": {"name": span.scope}, "spans": [span.json]})).collect();
    let service = json!([{"key": "service.name", "value": {"stringValue": "app"}}]);
    let request = json!({"resourceSpans": [{"resource": {"attributes": service}, "scopeSpans": scopes}]});
    outcomes(dialects, &Body::Traces(serde_json::from_value::<ExportTraceServiceRequest>(request).unwrap()))
}

/// What log records become, each `{"eventName", "body", "attributes", …}`.
pub(crate) fn map_logs(logs: &[Value]) -> Vec<Outcome> {
    map_logs_by(&Dialects::built_in(), logs)
}

/// What log records become by such dialects.
pub(crate) fn map_logs_by(dialects: &Dialects, logs: &[Value]) -> Vec<Outcome> {
    let request =
        json!({"resourceLogs": [{"resource": {}, "scopeLogs": [{"scope": {}, "logRecords": logs}]}]});
    outcomes(dialects, &Body::Logs(serde_json::from_value::<ExportLogsServiceRequest>(request).unwrap()))
}

/// What the log records of a request become.
pub(crate) fn map_request(request: Value) -> Vec<Outcome> {
    let request = serde_json::from_value::<ExportLogsServiceRequest>(request).unwrap();
    outcomes(&Dialects::built_in(), &Body::Logs(request))
}

fn outcomes(dialects: &Dialects, body: &Body) -> Vec<Outcome> {
    let mut outcomes = vec![];
    body.for_each_record(|record| outcomes.push(dialects.map(record, &Owner::default(), ACCEPTED_AT)));
    outcomes
}

/// The events among the outcomes.
pub(crate) fn events(outcomes: Vec<Outcome>) -> Vec<SessionEvent> {
    let events = outcomes.into_iter().filter_map(|outcome| match outcome {
        Outcome::Mapped(events) => Some(events),
        _ => None,
    });
    events.flatten().collect()
}
