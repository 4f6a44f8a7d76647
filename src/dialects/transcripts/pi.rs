//! pi's files: a header, then entries that form a tree; branches stay in the file. OpenClaw's are the same: an event a
//! line, in newer versions a row of `transcript_events`, in the database of each agent.
//!
//! | kind | fact key | from |
//! |---|---|---|
//! | `session_start` | `session_start`, as its hooks have it | the header |
//! | `prompt` | the entry's id | messages of the role `user` |
//! | `tool_call`, `tool_result` | the call's id | `toolCall` of an answer; messages of the role `toolResult` |
//! | `response`, `error` | the reply's id and time, as its hooks have them | messages of the role `assistant` |
//! | `decision` | the call's id | results of OpenClaw's calls that were denied |
//! | `decision` (an interrupt) | the entry's id | an answer that was aborted |
//!
//! What a person ran in the client's own shell is neither a prompt nor a call of the model.

use serde_json::Value;

use super::talk::{Head, Waiting, answered, json_text, learn, text, words};
use super::{Place, Reader, Told, start};
use crate::event::tokens::Counts;
use crate::event::{Decision, Kind, SessionEvent, Status, USAGE};

/// How the error of a call begins that OpenClaw did not allow; why follows.
const DENIED: &str = "exec denied:";

/// How the result of a command ends that a person stopped.
const ABORTED: &str = "Command aborted";

/// A reader of one session.
pub(super) struct Pi {
    head: Head,
    waiting: Waiting,
    is_openclaw: bool,
}

impl Pi {
    pub(super) fn new(place: Place) -> Self {
        // `<time>_<id>`
        let session = place.name.rsplit('_').next().unwrap_or_default().to_owned();
        let head = Head { session, cwd: place.cwd, ..Head::default() };
        Self { head, waiting: Waiting::default(), is_openclaw: false }
    }

    /// OpenClaw's files are called as their sessions.
    pub(super) fn of_openclaw(place: Place) -> Self {
        let session = place.name.clone();
        let mut reader = Self::new(place);
        reader.head.session = session;
        reader.is_openclaw = true;
        reader
    }

    /// A session that another one began.
    fn window(&mut self, row: &Value) {
        learn(&mut self.head.session, text(row, "session_id"));
        if ["spawned_by", "parent_session_key"].iter().any(|name| !text(row, name).is_empty()) {
            self.head.agent = self.head.session.clone();
        }
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
        let said = if self.is_openclaw { undated(&said).to_owned() } else { said };
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
        // A command that failed is no error to OpenClaw.
        let code = message.pointer("/details/exitCode").and_then(Value::as_i64);
        let error = message.pointer("/details/error").and_then(Value::as_str).unwrap_or_default();
        let output = words(message.get("content").unwrap_or(&Value::Null));
        let result = SessionEvent {
            fact_key: call.to_owned(),
            tool_call_id: call.to_owned(),
            tool: text(message, "toolName").to_owned(),
            ..self.head.event(Kind::ToolResult)
        };
        let result = match error.strip_prefix(DENIED).filter(|_| self.is_openclaw) {
            Some(why) => SessionEvent {
                kind: Kind::Decision,
                decision: Decision::Reject,
                decision_source: why.trim().to_owned(),
                ..result
            },
            None => SessionEvent {
                status: match failed {
                    Some(true) if output.trim_end().ends_with(ABORTED) => Status::Unknown,
                    Some(true) => Status::Error,
                    _ if code.is_some_and(|code| code != 0) => Status::Error,
                    Some(false) => Status::Ok,
                    None => Status::Unknown,
                },
                output,
                ..result
            },
        };
        let origin = self.origin(id, call);
        answered(&mut self.waiting, origin, result, told);
    }
}

/// Words without the time that OpenClaw puts before them: `[Wed 2026-09-02 10:00 UTC] `.
fn undated(said: &str) -> &str {
    let behind = said.strip_prefix('[').and_then(|rest| rest.split_once("] "));
    match behind {
        Some((time, words)) if time.len() <= 40 && time.contains(" 20") && time.contains(':') => words,
        _ => said,
    }
}

impl Reader for Pi {
    fn read(&mut self, mut value: Value, told: &mut Vec<Told>) {
        match text(&value, "row") {
            "session_windows" => return self.window(&value),
            "transcript_events" => {
                let event = ["event_json", "event_zstd"]
                    .into_iter()
                    .find_map(|name| value.get_mut(name).map(Value::take).filter(Value::is_object));
                value = event.unwrap_or_default();
            }
            _ => {}
        }
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
