//! Copilot's files, command line: `events.jsonl` in a folder for each session, an event a line.
//!
//! | kind | fact key | from |
//! |---|---|---|
//! | `session_start` | `session_start`, as its hooks have it | `session.start` |
//! | `prompt` | the message's id | `user.message` that no skill wrote |
//! | `tool_call` | the call's id | `tool.execution_start`, else `toolRequests` of an answer |
//! | `tool_result` | the call's id | `tool.execution_complete` |
//! | `decision` | the call's id | `permission.completed` that denied; an interrupt from `abort` |
//! | `response` | the message's id | `assistant.message` |
//! | `error` | the event's id | `session.error` |
//!
//! What its hooks were given is repeated in `hook.start`, and left out.

use serde_json::Value;

use super::talk::{Head, Waiting, answered, json_text, learn, origin, text, words};
use super::{Place, Reader, Told, start};
use crate::event::{Decision, Kind, SessionEvent, Status};

/// A reader of one file.
pub(super) struct Copilot {
    head: Head,
    waiting: Waiting,
}

impl Copilot {
    pub(super) fn new(place: Place) -> Self {
        // Older versions have a file for each session, newer ones a folder.
        let session = if place.name == "events" { place.folder } else { place.name };
        Self { head: Head { session, cwd: place.cwd, ..Head::default() }, waiting: Waiting::default() }
    }

    fn session(&mut self, data: &Value, told: &mut Vec<Told>) {
        let context = data.get("context").unwrap_or(&Value::Null);
        let repository = text(context, "repository");
        for (known, said) in [
            (&mut self.head.session, text(data, "sessionId")),
            (&mut self.head.version, text(data, "copilotVersion")),
            (&mut self.head.cwd, text(context, "cwd")),
        ] {
            learn(known, said);
        }
        // `owner/name` on GitHub.
        if repository.split('/').count() == 2 && !repository.contains(':') {
            self.head.repository = format!("https://github.com/{repository}");
        }
        let event = start(Kind::SessionStart.as_str(), self.head.event(Kind::SessionStart));
        told.push(Told { origin: String::new(), events: vec![event] });
    }

    fn prompt(&mut self, id: &str, data: &Value, told: &mut Vec<Told>) {
        let said = words(data.get("content").unwrap_or(&Value::Null));
        let is_of_a_skill = text(data, "source").starts_with("skill-") || said.starts_with("<skill-context");
        if said.trim().is_empty() || is_of_a_skill {
            return;
        }
        let key = [text(data, "messageId"), id].into_iter().find(|id| !id.is_empty()).unwrap_or_default();
        if self.head.agent.is_empty() {
            key.clone_into(&mut self.head.turn);
        }
        let event = SessionEvent { fact_key: key.to_owned(), text: said, ..self.head.event(Kind::Prompt) };
        told.push(Told { origin: origin(id, "prompt"), events: vec![event] });
    }

    fn assistant(&mut self, id: &str, data: &Value, told: &mut Vec<Told>) {
        let said = words(data.get("content").unwrap_or(&Value::Null));
        let key = [text(data, "messageId"), id].into_iter().find(|id| !id.is_empty()).unwrap_or_default();
        if !said.trim().is_empty() {
            let event = SessionEvent {
                fact_key: key.to_owned(),
                text: said,
                model: text(data, "model").to_owned(),
                ..self.head.event(Kind::Response)
            };
            told.push(Told { origin: origin(id, "reply"), events: vec![event] });
        }
        for call in data.get("toolRequests").and_then(Value::as_array).into_iter().flatten() {
            self.call(id, text(call, "toolCallId"), text(call, "name"), call.get("arguments"), told);
        }
    }

    fn call(&mut self, id: &str, call: &str, tool: &str, input: Option<&Value>, told: &mut Vec<Told>) {
        if call.is_empty() || self.waiting.get(call).is_some() {
            return;
        }
        let event = SessionEvent {
            fact_key: call.to_owned(),
            tool_call_id: call.to_owned(),
            tool: tool.to_owned(),
            input: input.map(json_text).unwrap_or_default(),
            ..self.head.event(Kind::ToolCall)
        };
        self.waiting.made(origin(id, call), event, told);
    }

    fn result(&mut self, id: &str, data: &Value, told: &mut Vec<Told>) {
        let call = text(data, "toolCallId");
        if call.is_empty() {
            return;
        }
        let failure = data.get("error").filter(|error| error.is_object());
        let said = |value: &Value, name: &str| words(value.get(name).unwrap_or(&Value::Null));
        let output = match failure {
            Some(error) => said(error, "message"),
            None => data.get("result").map(|result| said(result, "content")).unwrap_or_default(),
        };
        let code = data.pointer("/shellExecution/exitCode").and_then(Value::as_i64);
        let success = data.get("success").and_then(Value::as_bool);
        let event = SessionEvent {
            fact_key: call.to_owned(),
            tool_call_id: call.to_owned(),
            ..self.head.event(Kind::ToolResult)
        };
        let code_of_failure = failure.map(|error| text(error, "code")).unwrap_or_default();
        let result = if matches!(code_of_failure, "denied" | "rejected") {
            let source = if code_of_failure == "rejected" { "user_reject" } else { "config" };
            SessionEvent {
                kind: Kind::Decision,
                decision: Decision::Reject,
                decision_source: source.to_owned(),
                text: output,
                ..event
            }
        } else {
            let status = match (code, success) {
                (Some(code), _) if code != 0 => Status::Error,
                (_, Some(false)) => Status::Error,
                (Some(_), _) | (_, Some(true)) => Status::Ok,
                (None, None) => Status::Unknown,
            };
            SessionEvent { status, output, ..event }
        };
        answered(&mut self.waiting, origin(id, call), result, told);
    }

    fn permission(&mut self, id: &str, data: &Value, told: &mut Vec<Told>) {
        let kind = data.pointer("/result/kind").and_then(Value::as_str).unwrap_or_default();
        let call = text(data, "toolCallId");
        // Escape where a person is asked stops the turn.
        let is_refused = kind.starts_with("denied") || kind == "cancelled";
        if call.is_empty() || !is_refused {
            return;
        }
        let event = SessionEvent {
            fact_key: call.to_owned(),
            tool_call_id: call.to_owned(),
            decision: Decision::Reject,
            decision_source: kind.to_owned(),
            ..self.head.event(Kind::Decision)
        };
        told.push(Told { origin: origin(id, "permission"), events: vec![event] });
    }

    fn aside(&mut self, id: &str, kind: Kind, event: SessionEvent, told: &mut Vec<Told>) {
        let event = SessionEvent { kind, fact_key: id.to_owned(), ..event };
        told.push(Told { origin: origin(id, kind.as_str()), events: vec![event] });
    }
}

impl Reader for Copilot {
    fn read(&mut self, value: Value, told: &mut Vec<Told>) {
        self.head.pass(value.get("timestamp"));
        let id = text(&value, "id");
        let data = value.get("data").unwrap_or(&Value::Null);
        text(&value, "agentId").clone_into(&mut self.head.agent);
        match text(&value, "type") {
            "session.start" => self.session(data, told),
            "user.message" => self.prompt(id, data, told),
            "assistant.message" => self.assistant(id, data, told),
            "tool.execution_start" => {
                self.call(id, text(data, "toolCallId"), text(data, "toolName"), data.get("arguments"), told);
            }
            "tool.execution_complete" => self.result(id, data, told),
            "permission.completed" => self.permission(id, data, told),
            "abort" => {
                let event = SessionEvent {
                    decision: Decision::Reject,
                    decision_source: "user_abort".to_owned(),
                    ..self.head.event(Kind::Decision)
                };
                self.aside(id, Kind::Decision, event, told);
            }
            "session.error" => {
                let text = text(data, "message").to_owned();
                let event = SessionEvent { text, ..self.head.event(Kind::Error) };
                self.aside(id, Kind::Error, event, told);
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

    fn repository(&self) -> &str {
        &self.head.repository
    }
}
