//! Spans of Phoenix, with attributes of OpenInference.

use serde_json::{Map, Value, json};

use super::{Rows, rfc3339, structured};
use crate::event::sha256_hex;

impl Rows<'_> {
    /// A span of Phoenix.
    pub(super) fn span(&mut self, row: &Map<String, Value>) -> bool {
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

fn nanos(time: &str) -> String {
    let parsed = crate::event::Timestamp::parse_rfc3339(&rfc3339(time)).unwrap_or_default();
    u64::try_from(parsed.as_micros()).unwrap_or_default().saturating_mul(1_000).to_string()
}

/// An id in lower-case hex with this many digits; Phoenix's own ids are opaque, so they are hashed.
fn hex(id: &str, digits: usize) -> String {
    if id.is_empty() {
        return String::new();
    }
    if id.len() == digits && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return id.to_ascii_lowercase();
    }
    sha256_hex(id, digits / 2)
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
