//! pi's files: a header, then entries that form a tree; branches stay in the file.
//!
//! | kind | fact key | from |
//! |---|---|---|
//! | `session_start` | `session_start`, as its hooks have it | the header |
//! | `prompt` | the entry's id | messages of the role `user` |
//! | `tool_call`, `tool_result` | the call's id | `toolCall` of an answer; messages of the role `toolResult` |
//! | `response`, `error` | the reply's id and time, as its hooks have them | messages of the role `assistant` |
//! | `decision` (an interrupt) | the entry's id | an answer that was aborted |
//!
//! What a person ran in the client's own shell is neither a prompt nor a call of the model.

use serde_json::Value;

use super::talk::{Head, Waiting, answered, json_text, learn, text, words};
use super::{Place, Reader, Told, start};
use crate::event::tokens::Counts;
use crate::event::{Decision, Kind, SessionEvent, Status, USAGE};

/// A reader of one file.
pub(super) struct Pi {
    head: Head,
    waiting: Waiting,
}

impl Pi {
    pub(super) fn new(place: Place) -> Self {
        // `<time>_<id>`
        let session = place.name.rsplit('_').next().unwrap_or_default().to_owned();
        Self { head: Head { session, cwd: place.cwd, ..Head::default() }, waiting: Waiting::default() }
    }

    fn origin(&self, id: &str, what: &str) -> String {
        // Ids of entries are short: another file's may be the same.
        if id.is_empty() { String::new() } else { format!("{}@{}/{what}", id, self.head.now.as_micros()) }
    }

    fn message(&mut self, id: &str, message: &Value, told: &mut Vec<Told>) {
        match text(message, "role") {
            "user" => self.prompt(id, message, told),
            "assistant" => self.assistant(id, message, told),
            "toolResult" => self.result(id, message, told),
            _ => {}
        }
    }

    fn prompt(&mut self, id: &str, message: &Value, told: &mut Vec<Told>) {
        let said = words(message.get("content").unwrap_or(&Value::Null));
        if said.trim().is_empty() {
            return;
        }
        id.clone_into(&mut self.head.turn);
        let event = SessionEvent { fact_key: id.to_owned(), text: said, ..self.head.event(Kind::Prompt) };
        told.push(Told { origin: self.origin(id, "prompt"), events: vec![event] });
    }

    fn assistant(&mut self, id: &str, message: &Value, told: &mut Vec<Told>) {
        let content = message.get("content").unwrap_or(&Value::Null);
        let reason = text(message, "stopReason");
        let reply = [
            text(message, "responseId").to_owned(),
            message.get("timestamp").map(json_text).unwrap_or_default(),
        ];
        let key = reply.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("@");
        let count = |name: &str| message.pointer(name).and_then(Value::as_i64).unwrap_or_default();
        let counts = Counts {
            input: count("/usage/input"),
            output: count("/usage/output"),
            cache_read: count("/usage/cacheRead"),
            cache_write: count("/usage/cacheWrite"),
            cache_is_apart: true,
            ..Counts::default()
        };
        let tokens = counts.whole();
        let failed = reason == "error";
        let said = if failed { text(message, "errorMessage").to_owned() } else { words(content) };
        let is_silent = said.trim().is_empty();
        if !key.is_empty() && (!is_silent || !failed && !tokens.is_nothing()) {
            let event = tokens.in_event(SessionEvent {
                fact_key: if is_silent { format!("{USAGE}{key}") } else { key },
                text: if is_silent { String::new() } else { said },
                model: text(message, "model").to_owned(),
                ..self.head.event(if failed { Kind::Error } else { Kind::Response })
            });
            told.push(Told { origin: self.origin(id, "reply"), events: vec![event] });
        }
        for call in content.as_array().into_iter().flatten().filter(|block| text(block, "type") == "toolCall")
        {
            let call_id = text(call, "id");
            let event = SessionEvent {
                fact_key: call_id.to_owned(),
                tool_call_id: call_id.to_owned(),
                tool: text(call, "name").to_owned(),
                input: call.get("arguments").map(json_text).unwrap_or_default(),
                ..self.head.event(Kind::ToolCall)
            };
            if !call_id.is_empty() {
                let origin = self.origin(id, call_id);
                self.waiting.made(origin, event, told);
            }
        }
        if reason == "aborted" {
            let event = SessionEvent {
                fact_key: id.to_owned(),
                decision: Decision::Reject,
                decision_source: "user_abort".to_owned(),
                ..self.head.event(Kind::Decision)
            };
            told.push(Told { origin: self.origin(id, "aborted"), events: vec![event] });
        }
    }

    fn result(&mut self, id: &str, message: &Value, told: &mut Vec<Told>) {
        let call = text(message, "toolCallId");
        if call.is_empty() {
            return;
        }
        let failed = message.get("isError").and_then(Value::as_bool);
        let result = SessionEvent {
            fact_key: call.to_owned(),
            tool_call_id: call.to_owned(),
            tool: text(message, "toolName").to_owned(),
            status: match failed {
                Some(true) => Status::Error,
                Some(false) => Status::Ok,
                None => Status::Unknown,
            },
            output: words(message.get("content").unwrap_or(&Value::Null)),
            ..self.head.event(Kind::ToolResult)
        };
        let origin = self.origin(id, call);
        answered(&mut self.waiting, origin, result, told);
    }
}

impl Reader for Pi {
    fn read(&mut self, value: Value, told: &mut Vec<Told>) {
        self.head.pass(value.get("timestamp"));
        match text(&value, "type") {
            "session" => {
                for (known, name) in [(&mut self.head.session, "id"), (&mut self.head.cwd, "cwd")] {
                    learn(known, text(&value, name));
                }
                let event = start(Kind::SessionStart.as_str(), self.head.event(Kind::SessionStart));
                told.push(Told { origin: String::new(), events: vec![event] });
            }
            "message" => {
                if let Some(message) = value.get("message") {
                    self.message(text(&value, "id"), message, told);
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, told: &mut Vec<Told>) {
        self.waiting.end(told);
    }

    fn folder(&self) -> &str {
        &self.head.cwd
    }
}
