//! What events take in memory.

use serde_json::Value;

use super::SessionEvent;

/// A text on the heap is as long as it is, and rounded up.
const ROUNDING: usize = 16;
/// The nodes of a map are two thirds full.
const ENTRY: usize = (size_of::<String>() + size_of::<Value>()) * 3 / 2;

impl SessionEvent {
    /// About how many bytes the event takes in memory: its encoding is smaller, up to ten times where it
    /// has many small attributes.
    pub fn size_in_memory(&self) -> usize {
        let texts = [
            &self.event_id,
            &self.fact_key,
            &self.session_id,
            &self.turn_id,
            &self.tenant,
            &self.workspace,
            &self.project,
            &self.cwd,
            &self.user_id,
            &self.service,
            &self.assistant,
            &self.assistant_version,
            &self.agent,
            &self.model,
            &self.tool,
            &self.tool_call_id,
            &self.text,
            &self.input,
            &self.output,
            &self.decision_source,
            &self.skill,
            &self.trace_id,
            &self.span_id,
            &self.parent_span_id,
            &self.history_before,
            &self.history_after,
            &self.dialect,
        ];
        let texts: usize = texts.into_iter().map(|text| text_on_heap(text)).sum();
        let attributes: usize = self.attributes.iter().map(entry_on_heap).sum();
        size_of::<Self>() + texts + attributes
    }
}

fn text_on_heap(text: &str) -> usize {
    if text.is_empty() { 0 } else { text.len() + ROUNDING }
}

fn entry_on_heap((name, value): (&String, &Value)) -> usize {
    ENTRY + text_on_heap(name) + value_on_heap(value)
}

fn value_on_heap(value: &Value) -> usize {
    match value {
        Value::String(text) => text_on_heap(text),
        Value::Array(items) => items.iter().map(|item| size_of::<Value>() + value_on_heap(item)).sum(),
        Value::Object(fields) => fields.iter().map(entry_on_heap).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_counts() {
        let empty = SessionEvent::default().size_in_memory();
        let long = "x".repeat(1_000);
        let event = SessionEvent {
            tool_call_id: long.clone(),
            attributes: [("k".to_owned(), serde_json::json!([{ "deep": long }]))].into(),
            ..SessionEvent::default()
        };
        assert!((2_000..2_500).contains(&(event.size_in_memory() - empty)), "{}", event.size_in_memory());
    }
}
