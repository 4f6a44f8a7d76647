//! Rows of Langfuse: observations (v2 and older), traces and scores, as events of its ingestion.

use serde_json::{Map, Value, json};

use super::{Rows, WORKSPACE, rfc3339, structured};
use crate::event::sha256_hex;

/// Traces whose session was said already; beyond it, it is said again.
const MAX_TRACES: usize = 100_000;

impl Rows<'_> {
    pub(super) fn of_langfuse(&mut self, row: Map<String, Value>) -> bool {
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
    pub(super) fn say_trace(&mut self, body: &Map<String, Value>) {
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

    pub(super) fn push(&mut self, kind: &str, time: &Value, mut body: Value) {
        if let Some(redact) = &self.owner.redact {
            redact.json(&mut body);
        }
        say_workspace(&mut body, &self.owner.workspace);
        let text = body.to_string();
        let id = sha256_hex(format!("{kind}\n{text}"), 16);
        self.bytes += text.len();
        self.events.push(json!({ "id": id, "type": kind, "timestamp": time, "body": body }));
    }
}

/// An application's own attributes are in the metadata.
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
