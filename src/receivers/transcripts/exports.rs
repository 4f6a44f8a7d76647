//! Files that other programs exported: OTLP as the Collector writes it, and rows of Langfuse, Phoenix and LangSmith.
//!
//! | what | known by | becomes |
//! |---|---|---|
//! | OTLP, a batch a line | `resourceSpans`, `resourceLogs` | the same request |
//! | Langfuse: observations (v2 and older), traces, scores; a trace or a session of its page | `trace_id` or `traceId` with `start_time` or `startTime`; `session_id` with `timestamp`; `data_type` | a batch of its ingestion |
//! | Phoenix | `span_kind` with `context` | spans in OTLP, with attributes of OpenInference |
//! | LangSmith | `run_type` | a batch of Langfuse's ingestion: both have traces of nested steps |
//!
//! Rows are JSON, one a line or in one list, or CSV with a header. What a row becomes depends on the row alone, so that
//! the same file gives the same records.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::reading::{Batch, Owner};
use super::redacted;

/// A request is handed on when it has so many bytes, or so many rows.
const REQUEST_BYTES: usize = 1 << 20;
const REQUEST_ROWS: usize = 500;
/// Traces whose session was said already; beyond it, it is said again.
const MAX_TRACES: usize = 100_000;

const INGESTION: &str = "/api/public/ingestion";
const JSON: &str = "application/json";
/// The attribute that names a workspace.
const WORKSPACE: &str = "skillspan.workspace";

/// Rows on their way.
pub(super) struct Rows<'o> {
    owner: &'o Owner,
    events: Vec<Value>,
    spans: Vec<Value>,
    bytes: usize,
    traces: BTreeSet<String>,
}

impl<'o> Rows<'o> {
    /// Nothing yet. Every row is said to be of the owner's workspace, and redacted where the owner wants it.
    pub(super) fn new(owner: &'o Owner) -> Self {
        Self { owner, events: Vec::new(), spans: Vec::new(), bytes: 0, traces: BTreeSet::new() }
    }

    /// Takes a value of a file; false if it is none of what is known.
    pub(super) fn take(&mut self, value: Value, ready: &mut Vec<Batch>) -> bool {
        let is_known = match value {
            Value::Array(rows) => {
                let known: Vec<bool> = rows.into_iter().map(|row| self.take(row, ready)).collect();
                known.contains(&true)
            }
            Value::Object(row) => self.row(row, ready),
            _ => false,
        };
        if self.bytes >= REQUEST_BYTES || self.events.len() + self.spans.len() >= REQUEST_ROWS {
            self.finish(ready);
        }
        is_known
    }

    /// What is left.
    pub(super) fn finish(&mut self, ready: &mut Vec<Batch>) {
        self.bytes = 0;
        let events = std::mem::take(&mut self.events);
        if !events.is_empty() {
            let records = events.len() as u64;
            ready.push(Batch { path: INGESTION, ..json_batch(&json!({ "batch": events }), records) });
        }
        let spans = std::mem::take(&mut self.spans);
        if !spans.is_empty() {
            let records = spans.len() as u64;
            let scope = json!({ "name": "openinference.instrumentation" });
            let request = json!({ "resourceSpans": [{
                "resource": { "attributes": self.resource() },
                "scopeSpans": [{ "scope": scope, "spans": spans }],
            }] });
            ready.push(self.otlp_batch("/v1/traces", request, records));
        }
    }

    fn resource(&self) -> Vec<Value> {
        if self.owner.workspace.is_empty() {
            return Vec::new();
        }
        vec![json!({ "key": WORKSPACE, "value": { "stringValue": self.owner.workspace } })]
    }

    fn row(&mut self, mut row: Map<String, Value>, ready: &mut Vec<Batch>) -> bool {
        for (member, path) in [("resourceSpans", "/v1/traces"), ("resourceLogs", "/v1/logs")] {
            if row.get(member).is_some_and(Value::is_array) {
                ready.push(self.otlp(row, member, path));
                return true;
            }
        }
        // Metrics say nothing of a session.
        if row.contains_key("resourceMetrics") {
            return true;
        }
        // A page of the API, and what its page in the browser exports.
        for member in ["data", "observations"] {
            if let Some(rows) = row.get_mut(member).filter(|rows| rows.is_array()).map(Value::take) {
                if let Some(trace) = row.get_mut("trace").map(Value::take) {
                    self.take(trace, ready);
                }
                for member in ["scores", "traces"] {
                    if let Some(rows) = row.get_mut(member).map(Value::take) {
                        self.take(rows, ready);
                    }
                }
                self.take(rows, ready);
                return true;
            }
        }
        if row.contains_key("run_type") {
            return self.run(&row);
        }
        if row.contains_key("span_kind")
            && (row.contains_key("context") || row.contains_key("context.span_id"))
        {
            return self.span(&row);
        }
        self.of_langfuse(row)
    }

    fn otlp(&self, mut row: Map<String, Value>, member: &'static str, path: &'static str) -> Batch {
        let resources = row.get_mut(member).and_then(Value::as_array_mut);
        for resource in resources.into_iter().flatten() {
            let own = self.resource();
            if own.is_empty() {
                continue;
            }
            if let Some(resource) = resource.as_object_mut() {
                let resource = resource.entry("resource").or_insert_with(|| json!({}));
                if let Some(resource) = resource.as_object_mut() {
                    let attributes = resource.entry("attributes").or_insert_with(|| json!([]));
                    attributes
                        .as_array_mut()
                        .into_iter()
                        .for_each(|attributes| attributes.extend(own.clone()));
                }
            }
        }
        self.otlp_batch(path, json!({ member: row.remove(member) }), 1)
    }

    fn otlp_batch(&self, path: &'static str, mut request: Value, records: u64) -> Batch {
        if let Some(redact) = &self.owner.redact {
            redacted::otlp(redact, &mut request);
        }
        Batch { path, ..json_batch(&request, records) }
    }

    fn of_langfuse(&mut self, row: Map<String, Value>) -> bool {
        let mut body: Map<String, Value> = row
            .into_iter()
            .filter(|(_, value)| !value.is_null() && value.as_str() != Some(""))
            .map(|(name, value)| (camel(&name), value))
            .collect();
        if !body.contains_key("id") {
            return false;
        }
        for name in ["startTime", "endTime", "timestamp", "completionStartTime"] {
            if let Some(time) = body.get(name).and_then(Value::as_str).map(rfc3339) {
                body.insert(name.to_owned(), time.into());
            }
        }
        for name in
            ["input", "output", "metadata", "usageDetails", "costDetails", "modelParameters", "usage", "tags"]
        {
            if let Some(parsed) = body.get(name).and_then(Value::as_str).and_then(structured) {
                body.insert(name.to_owned(), parsed);
            }
        }
        for (old, new) in [("providedModelName", "model"), ("traceName", "trace_name")] {
            if let Some(value) = body.remove(old) {
                body.entry(new).or_insert(value);
            }
        }
        if body.contains_key("startTime") && body.contains_key("traceId") {
            self.say_trace(&body);
            let time = body.get("endTime").or_else(|| body.get("startTime")).cloned().unwrap_or_default();
            self.push("observation-create", &time, Value::Object(body));
            return true;
        }
        let time = body.get("timestamp").cloned().unwrap_or_default();
        if body.contains_key("dataType") || body.contains_key("value") && body.contains_key("name") {
            if let Some(text) = body.remove("stringValue") {
                body.entry("value").or_insert(text);
            }
            self.push("score-create", &time, Value::Object(body));
            return true;
        }
        if body.contains_key("timestamp") {
            self.push("trace-create", &time, Value::Object(body));
            return true;
        }
        false
    }

    /// Rows of observations say of their trace whose it is and which session.
    fn say_trace(&mut self, body: &Map<String, Value>) {
        let of = |name: &str| body.get(name).cloned().unwrap_or_default();
        let (id, session, user) = (of("traceId"), of("sessionId"), of("userId"));
        let key = format!("{id} {session} {user}");
        if session.is_null() && user.is_null() || self.traces.contains(&key) {
            return;
        }
        if self.traces.len() < MAX_TRACES {
            self.traces.insert(key);
        }
        let mut trace = json!({ "id": id, "sessionId": session, "userId": user, "name": of("trace_name") });
        if let Some(trace) = trace.as_object_mut() {
            trace.retain(|_, value| !value.is_null());
        }
        let time = of("startTime");
        self.push("trace-create", &time, trace);
    }

    fn push(&mut self, kind: &str, time: &Value, mut body: Value) {
        if let Some(redact) = &self.owner.redact {
            redact.json(&mut body);
        }
        say_workspace(&mut body, &self.owner.workspace);
        let text = body.to_string();
        let digest = Sha256::digest(format!("{kind}\n{text}").as_bytes());
        let id: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        self.bytes += text.len();
        self.events.push(json!({ "id": id, "type": kind, "timestamp": time, "body": body }));
    }

    /// A run of LangSmith. Its `session_id` is a project; a conversation is a thread.
    fn run(&mut self, row: &Map<String, Value>) -> bool {
        let of = |name: &str| row.get(name).cloned().unwrap_or_default();
        let id = [of("id"), of("run_id")].into_iter().find(|id| id.is_string());
        let Some(id) = id else { return false };
        let kind = match row.get("run_type").and_then(Value::as_str).unwrap_or_default() {
            "llm" => "GENERATION",
            "tool" => "TOOL",
            "retriever" => "RETRIEVER",
            "chain" => "CHAIN",
            _ => "SPAN",
        };
        let extra = of("extra");
        let extra = extra.as_str().and_then(structured).unwrap_or(extra);
        let metadata = extra.get("metadata").cloned().unwrap_or_default();
        let in_metadata = |names: &[&str]| names.iter().find_map(|name| metadata.get(*name).cloned());
        let parsed = |name: &str| {
            let value = of(name);
            value.as_str().and_then(structured).unwrap_or(value)
        };
        let failed = of("error").as_str().is_some_and(|error| !error.is_empty());
        let mut body = json!({
            "id": id,
            "type": kind,
            "name": of("name"),
            "traceId": if of("trace_id").is_string() { of("trace_id") } else { id.clone() },
            "parentObservationId": of("parent_run_id"),
            "startTime": of("start_time").as_str().map(rfc3339),
            "endTime": of("end_time").as_str().map(rfc3339),
            "input": parsed("inputs"),
            "output": parsed("outputs"),
            "metadata": metadata,
            "model": in_metadata(&["ls_model_name"]),
            "level": failed.then_some("ERROR"),
            "statusMessage": of("error"),
            "sessionId": in_metadata(&["thread_id", "session_id", "conversation_id"]),
            "userId": in_metadata(&["user_id", "user"]),
        });
        if let Some(body) = body.as_object_mut() {
            body.retain(|_, value| !value.is_null() && value.as_str() != Some(""));
            let (body, time) =
                (body.clone(), body.get("endTime").or(body.get("startTime")).cloned().unwrap_or_default());
            self.say_trace(&body);
            self.push("observation-create", &time, Value::Object(body));
        }
        true
    }

    /// A span of Phoenix.
    fn span(&mut self, row: &Map<String, Value>) -> bool {
        let context = |name: &str| {
            let flat = row.get(&format!("context.{name}")).and_then(Value::as_str);
            flat.or_else(|| row.get("context")?.get(name)?.as_str()).unwrap_or_default()
        };
        let (trace, span) = (hex(context("trace_id"), 32), hex(context("span_id"), 16));
        if trace.is_empty() || span.is_empty() {
            return false;
        }
        let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
        let mut attributes = Vec::new();
        match row.get("attributes") {
            Some(Value::Object(members)) => {
                members.iter().for_each(|(name, value)| flat(name, value, &mut attributes))
            }
            Some(Value::String(text)) => {
                let parsed = structured(text).unwrap_or_default();
                let members = parsed.as_object().into_iter().flatten();
                members.for_each(|(name, value)| flat(name, value, &mut attributes));
            }
            _ => {}
        }
        for (name, value) in
            row.iter().filter_map(|(name, value)| Some((name.strip_prefix("attributes.")?, value)))
        {
            flat(name, value, &mut attributes);
        }
        attributes
            .push(json!({ "key": "openinference.span.kind", "value": { "stringValue": text("span_kind") } }));
        let code = if text("status_code") == "ERROR" { 2 } else { 1 };
        let parent = hex(text("parent_id"), 16);
        let span = json!({
            "traceId": trace,
            "spanId": span,
            "parentSpanId": parent,
            "name": text("name"),
            "startTimeUnixNano": nanos(text("start_time")),
            "endTimeUnixNano": nanos(text("end_time")),
            "status": { "code": code, "message": text("status_message") },
            "attributes": attributes,
        });
        self.bytes += span.to_string().len();
        self.spans.push(span);
        true
    }
}

/// What an application says of its own, it says in the metadata.
fn say_workspace(body: &mut Value, workspace: &str) {
    let Some(body) = body.as_object_mut().filter(|_| !workspace.is_empty()) else { return };
    let metadata = body.entry("metadata").or_insert_with(|| json!({}));
    if !metadata.is_object() {
        *metadata = json!({ "metadata": metadata.take() });
    }
    if let Some(metadata) = metadata.as_object_mut() {
        metadata.insert(WORKSPACE.to_owned(), workspace.into());
    }
}

fn json_batch(request: &Value, records: u64) -> Batch {
    Batch { body: request.to_string().into_bytes(), records, content_type: JSON, ..Batch::default() }
}

/// `trace_id` → `traceId`; other names stay.
fn camel(name: &str) -> String {
    let mut parts = name.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |camel, part| {
        let mut letters = part.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase().to_string()).unwrap_or_default();
        camel + &first + letters.as_str()
    })
}

/// `2026-09-01 10:00:00.123456` in UTC, as exports write it.
fn rfc3339(time: &str) -> String {
    let time = time.trim().replacen(' ', "T", 1);
    let has_zone = time.ends_with('Z') || time.get(19..).is_some_and(|rest| rest.contains(['+', '-']));
    if has_zone || time.is_empty() { time } else { format!("{time}Z") }
}

fn nanos(time: &str) -> String {
    let parsed = crate::event::Timestamp::parse_rfc3339(&rfc3339(time)).unwrap_or_default();
    u64::try_from(parsed.as_micros()).unwrap_or_default().saturating_mul(1_000).to_string()
}

/// A list or an object that stands in a text.
fn structured(text: &str) -> Option<Value> {
    let begins = text.trim_start().starts_with(['{', '[']);
    begins.then(|| crate::dialects::parse_within(text, 100_000).ok()).flatten()
}

/// An id in lower-case hex of so many digits; Phoenix's own are opaque, and hashed.
fn hex(id: &str, digits: usize) -> String {
    if id.is_empty() {
        return String::new();
    }
    if id.len() == digits && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return id.to_ascii_lowercase();
    }
    let digest = Sha256::digest(id.as_bytes());
    digest.iter().take(digits / 2).map(|byte| format!("{byte:02x}")).collect()
}

/// An attribute as OTLP has it: objects by their paths, lists by their numbers.
fn flat(name: &str, value: &Value, attributes: &mut Vec<Value>) {
    let value = match value {
        Value::Null => return,
        Value::Object(members) => {
            members.iter().for_each(|(member, value)| flat(&format!("{name}.{member}"), value, attributes));
            return;
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            items
                .iter()
                .enumerate()
                .for_each(|(number, value)| flat(&format!("{name}.{number}"), value, attributes));
            return;
        }
        Value::String(text) => json!({ "stringValue": text }),
        Value::Bool(flag) => json!({ "boolValue": flag }),
        Value::Number(number) if number.is_i64() => json!({ "intValue": number.to_string() }),
        Value::Number(number) => json!({ "doubleValue": number }),
        Value::Array(_) => json!({ "stringValue": value.to_string() }),
    };
    attributes.push(json!({ "key": name, "value": value }));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batches(values: Vec<Value>) -> Vec<(&'static str, Value)> {
        let owner = Owner::default();
        let (mut rows, mut ready) = (Rows::new(&owner), Vec::new());
        for value in values {
            assert!(rows.take(value.clone(), &mut ready), "{value}");
        }
        rows.finish(&mut ready);
        ready.into_iter().map(|batch| (batch.path, serde_json::from_slice(&batch.body).unwrap())).collect()
    }

    #[test]
    fn rows_of_langfuse_become_its_ingestion_whatever_they_are_called() {
        let v2 = json!({
            "id": "o1", "trace_id": "t1", "type": "TOOL", "parent_observation_id": "", "name": "bash",
            "start_time": "2026-09-01 10:00:00.123456", "end_time": "2026-09-01 10:00:01.000000",
            "input": "{\"command\":\"make\"}", "output": "plain", "session_id": "s1", "user_id": "ana",
        });
        let api = json!({ "data": [{ "id": "o2", "traceId": "t1", "type": "GENERATION", "startTime": "2026-09-01T10:00:02.000Z", "sessionId": "s1", "userId": "ana" }], "meta": {} });
        let score = json!({ "id": "c1", "trace_id": "t1", "name": "good", "value": 1, "data_type": "NUMERIC", "timestamp": "2026-09-01 10:00:05" });
        let [(path, body)] = batches(vec![v2, api, score]).try_into().unwrap();
        assert_eq!(path, INGESTION);
        let events = body["batch"].as_array().unwrap();
        let kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["trace-create", "observation-create", "observation-create", "score-create"]);
        assert_eq!(events[0]["body"], json!({ "id": "t1", "sessionId": "s1", "userId": "ana" }));
        let tool = &events[1]["body"];
        assert_eq!(
            (&tool["startTime"], &tool["input"]),
            (&json!("2026-09-01T10:00:00.123456Z"), &json!({ "command": "make" }))
        );
        assert_eq!(tool.get("parentObservationId"), None);
    }

    #[test]
    fn lines_of_the_collector_are_requests_as_they_stand() {
        let line = json!({ "resourceSpans": [{ "resource": {}, "scopeSpans": [] }] });
        assert_eq!(batches(vec![line.clone()]), [("/v1/traces", line)]);
        let logs = json!({ "resourceLogs": [] });
        assert_eq!(batches(vec![logs.clone(), json!({ "resourceMetrics": [] })]), [("/v1/logs", logs)]);
        let owner = Owner { workspace: "shop".to_owned(), ..Owner::default() };
        let (mut rows, mut ready) = (Rows::new(&owner), Vec::new());
        rows.take(json!({ "resourceLogs": [{ "scopeLogs": [] }] }), &mut ready);
        assert!(String::from_utf8(ready.remove(0).body).unwrap().contains("skillspan.workspace"));
    }

    #[test]
    fn spans_of_phoenix_and_runs_of_langsmith_are_known() {
        let span = json!({
            "name": "llm", "span_kind": "LLM", "context": { "trace_id": "0".repeat(31) + "1", "span_id": "span one" },
            "start_time": "2026-09-01T10:00:00+00:00", "end_time": "2026-09-01T10:00:01+00:00", "status_code": "OK",
            "attributes": { "llm": { "input_messages": [{ "message": { "role": "user" } }] }, "session": { "id": "s" } },
        });
        let [(path, body)] = batches(vec![span]).try_into().unwrap();
        assert_eq!(path, "/v1/traces");
        let text = body.to_string();
        assert!(text.contains("llm.input_messages.0.message.role") && text.contains("session.id"), "{text}");
        let run = json!({
            "id": "r1", "trace_id": "r0", "run_type": "tool", "name": "bash", "start_time": "2026-09-01T10:00:00",
            "inputs": { "command": "make" }, "outputs": { "output": "ok" }, "error": null, "session_id": "a project",
            "extra": { "metadata": { "thread_id": "talk" } },
        });
        let [(_, body)] = batches(vec![run]).try_into().unwrap();
        assert_eq!(body["batch"][0]["body"]["sessionId"], "talk");
        assert_eq!(body["batch"][1]["body"]["type"], "TOOL");
    }

    #[test]
    fn what_is_nobodys_row_is_none() {
        for value in [
            json!(7),
            json!({}),
            json!({ "id": "x" }),
            json!([]),
            json!({ "span_kind": "LLM", "context": {} }),
        ] {
            assert!(!Rows::new(&Owner::default()).take(value.clone(), &mut Vec::new()), "{value}");
        }
    }
}
