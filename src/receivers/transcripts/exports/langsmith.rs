//! Runs of LangSmith: like Langfuse, it has traces of nested steps.

use serde_json::{Map, Value, json};

use super::{Rows, rfc3339, structured};

impl Rows<'_> {
    /// A run of LangSmith. Its `session_id` is a project; a conversation is a thread.
    pub(super) fn run(&mut self, row: &Map<String, Value>) -> bool {
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
}
