//! Files that other programs exported: OTLP as the Collector writes it, and rows of Langfuse, Phoenix and LangSmith.
//!
//! | what | known by | becomes |
//! |---|---|---|
//! | OTLP, a batch a line | `resourceSpans`, `resourceLogs` | the same request |
//! | Langfuse: observations (v2 and older), traces, scores; a trace or a session of its page | `trace_id` or `traceId` with `start_time` or `startTime`; `session_id` with `timestamp`; `data_type` | a batch of its ingestion |
//! | Phoenix | `span_kind` with `context` | spans in OTLP, with attributes of OpenInference |
//! | LangSmith | `run_type` | a batch of Langfuse's ingestion: both have traces of nested steps |
//!
//! Rows are JSON, one a line or in one list, CSV with a header, or Parquet. What a row becomes depends on the row alone,
//! so that the same rows give the same records.
//!
//! | file | holds |
//! |---|---|
//! | `file.rs` | a file that may be an export, and its bytes |
//! | `csv.rs`, `parquet.rs` | rows as objects |
//! | `langfuse.rs`, `phoenix.rs`, `langsmith.rs` | what becomes of a row |
//! | `reading.rs` | [`read_export`]: a file's rows → requests |
//! | `redacted.rs` | credentials out of them, before they leave the machine |

mod csv;
mod file;
mod langfuse;
mod langsmith;
mod parquet;
mod phoenix;
mod reading;
mod redacted;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::reading::{Batch, Owner};

pub use file::ExportFile;
pub use reading::{is_export, read_export};

/// A request is handed on when it has this many bytes, or this many rows.
const REQUEST_BYTES: usize = 1 << 20;
const REQUEST_ROWS: usize = 500;

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

    /// Takes a value of a file; false if it is of no known kind.
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
}

fn json_batch(request: &Value, records: u64) -> Batch {
    Batch { body: request.to_string().into_bytes(), records, content_type: JSON, ..Batch::default() }
}

/// `2026-09-01 10:00:00.123456` in UTC, as exports write it.
fn rfc3339(time: &str) -> String {
    let time = time.trim().replacen(' ', "T", 1);
    let has_zone = time.ends_with('Z') || time.get(19..).is_some_and(|rest| rest.contains(['+', '-']));
    if has_zone || time.is_empty() { time } else { format!("{time}Z") }
}

/// A list or an object that stands in a text.
fn structured(text: &str) -> Option<Value> {
    let begins = text.trim_start().starts_with(['{', '[']);
    begins.then(|| crate::dialects::parse_within(text, 100_000).ok()).flatten()
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
