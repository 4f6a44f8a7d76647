//! Goose's sessions: the rows of its database (`sessions`, `messages`, `usage_ledger`), and its older files of lines: a
//! header, then a message a line. From its public source; not run here.
//!
//! | kind | fact key | from |
//! |---|---|---|
//! | `session_start` | `session_start` | the session, or the header |
//! | `prompt` | the message's id | texts of the role `user` that the person sees |
//! | `tool_call`, `tool_result` | the call's id | `toolRequest`, `toolResponse` |
//! | `decision` | the call's id | responses of calls that the person declined or interrupted |
//! | `response` | the message's id | texts of the role `assistant` |
//! | what a model call cost | `usage:` its number | `usage_ledger` |
//!
//! A message knows the second in which it was made. Those of one second keep their order: each is a microsecond later.
//!
//! Where a message has no id of its own (older versions), its time and the digest of its words stand for it: the
//! number of its row changes when the client makes a conversation shorter.

use serde_json::Value;

use super::talk::{self, Head, Waiting, answered, json_text, learn, origin, text};
use super::{Place, Reader, Told, start};
use crate::event::history::digest;
use crate::event::tokens::Counts;
use crate::event::{Decision, Kind, SessionEvent, Status, Timestamp, USAGE};

/// How responses begin of calls that were not made or not finished, and why.
const REFUSALS: &[(&str, &str)] = &[
    ("The user has declined to run this tool", "user_reject"),
    ("Interrupted by the user to make a correction", "user_abort"),
    ("Let the user know the tool call was skipped in", "mode"),
];
/// What the client says in the model's place once a person interrupted it.
const INTERRUPTED: &[&str] = &["We interrupted the existing call to ", "The existing call to "];
const EXIT_CODES: &[&str] = &["exit_code", "exitCode"];

/// A reader of one session.
pub(super) struct Goose {
    head: Head,
    model: String,
    waiting: Waiting,
    is_started: bool,
    /// The second of the last message, and how many of that second were before it.
    second: Timestamp,
    before: i64,
}

impl Goose {
    pub(super) fn new(place: Place) -> Self {
        let head = Head { session: place.name, cwd: place.cwd, ..Head::default() };
        Self {
            head,
            model: String::new(),
            waiting: Waiting::default(),
            is_started: false,
            second: Timestamp::default(),
            before: 0,
        }
    }

    fn session(&mut self, row: &Value, told: &mut Vec<Told>) {
        learn(&mut self.head.session, text(row, "id"));
        learn(&mut self.head.cwd, text(row, "working_dir"));
        let model = row.pointer("/model_config_json/model_name").and_then(Value::as_str);
        learn(&mut self.model, model.unwrap_or_default());
        if matches!(text(row, "session_type"), "sub_agent" | "subagent") {
            self.head.agent = self.head.session.clone();
        }
        self.head.now = sqlite_time(text(row, "created_at"));
        self.begin(told);
    }

    fn begin(&mut self, told: &mut Vec<Told>) {
        if !std::mem::replace(&mut self.is_started, true) {
            let event = start(Kind::SessionStart.as_str(), self.head.event(Kind::SessionStart));
            told.push(Told { origin: String::new(), events: vec![event] });
        }
    }

    fn pass(&mut self, second: Timestamp) {
        if second.is_unset() {
            return;
        }
        self.before = if second == self.second { self.before + 1 } else { 0 };
        self.second = second;
        self.head.now = Timestamp::from_micros(second.as_micros().saturating_add(self.before));
    }

    fn message(&mut self, id: &str, row: &Value, told: &mut Vec<Told>) {
        self.begin(told);
        self.pass(talk::time(row.get("created_timestamp").or_else(|| row.get("created"))));
        let content = row.get("content_json").or_else(|| row.get("content")).unwrap_or(&Value::Null);
        let metadata = row.get("metadata_json").or_else(|| row.get("metadata"));
        let is_seen = metadata.and_then(|it| it.get("userVisible")?.as_bool()) != Some(false);
        let blocks = content.as_array().map(Vec::as_slice).unwrap_or_default();
        let said =
            blocks.iter().filter(|block| text(block, "type") == "text").map(|block| text(block, "text"));
        let said = said.collect::<Vec<_>>().join("\n");
        let key = match id {
            "" => format!("{}@{}", self.second.as_micros(), digest(&said)),
            id => id.to_owned(),
        };
        // What the person does not see, the client wrote: a summary, a reminder.
        if is_seen && !said.trim().is_empty() {
            self.words(&key, id, said, text(row, "role"), told);
        }
        for block in blocks {
            match text(block, "type") {
                "toolRequest" | "frontendToolRequest" => self.call(id, block, told),
                "toolResponse" => self.result(block, told),
                _ => {}
            }
        }
    }

    fn words(&mut self, key: &str, id: &str, said: String, role: &str, told: &mut Vec<Told>) {
        let (kind, model) = match role {
            "user" => (Kind::Prompt, String::new()),
            "assistant" if INTERRUPTED.iter().any(|start| said.starts_with(start)) => return,
            "assistant" => (Kind::Response, self.model.clone()),
            _ => return,
        };
        if kind == Kind::Prompt {
            key.clone_into(&mut self.head.turn);
        }
        let event = SessionEvent { fact_key: key.to_owned(), text: said, model, ..self.head.event(kind) };
        told.push(Told { origin: origin(id, kind.as_str()), events: vec![event] });
    }

    fn call(&mut self, id: &str, block: &Value, told: &mut Vec<Told>) {
        let call = text(block, "id");
        let made = block.get("toolCall").unwrap_or(&Value::Null);
        let made = made.get("value").or_else(|| made.get("Ok")).unwrap_or(made);
        if call.is_empty() {
            return;
        }
        let input = made.get("arguments").map(json_text).unwrap_or_default();
        let event = SessionEvent {
            fact_key: call.to_owned(),
            tool_call_id: call.to_owned(),
            tool: text(made, "name").to_owned(),
            cwd: crate::dialects::directory::of_arguments(&input).unwrap_or_default(),
            input,
            model: self.model.clone(),
            ..self.head.event(Kind::ToolCall)
        };
        self.waiting.made(origin(id, call), event, told);
    }

    fn result(&mut self, block: &Value, told: &mut Vec<Told>) {
        let call = text(block, "id");
        if call.is_empty() {
            return;
        }
        let result = block.get("toolResult").unwrap_or(&Value::Null);
        let failure = result.get("error").or_else(|| result.get("Err"));
        let value = result.get("value").or_else(|| result.get("Ok")).unwrap_or(&Value::Null);
        let output = match failure {
            Some(failure) => json_text(failure),
            None => output_of(value),
        };
        let of_call = |kind: Kind| SessionEvent {
            fact_key: call.to_owned(),
            tool_call_id: call.to_owned(),
            ..self.head.event(kind)
        };
        let refusal = REFUSALS.iter().find(|(words, _)| output.contains(words));
        let event = match refusal {
            Some((_, source)) => SessionEvent {
                decision: Decision::Reject,
                decision_source: (*source).to_owned(),
                ..of_call(Kind::Decision)
            },
            None => {
                let structured = value.get("structuredContent").unwrap_or(&Value::Null);
                let code = EXIT_CODES.iter().find_map(|name| structured.get(*name)?.as_i64());
                let is_error = value.get("isError").and_then(Value::as_bool) == Some(true);
                let failed = failure.is_some()
                    || text(result, "status") == "error"
                    || is_error
                    || code.is_some_and(|code| code != 0);
                let status = if failed { Status::Error } else { Status::Ok };
                SessionEvent { status, output, ..of_call(Kind::ToolResult) }
            }
        };
        answered(&mut self.waiting, String::new(), event, told);
    }

    fn usage(&mut self, row: &Value, told: &mut Vec<Told>) {
        let count = |name: &str| row.get(name).and_then(Value::as_i64).unwrap_or_default();
        let counts = Counts {
            input: count("input_tokens"),
            output: count("output_tokens"),
            cache_read: count("cache_read_tokens"),
            cache_write: count("cache_write_tokens"),
            total: count("total_tokens"),
            ..Counts::default()
        };
        let tokens = counts.whole();
        if tokens.is_nothing() {
            return;
        }
        let at = talk::time(row.get("created_timestamp"));
        let number = row.get("id").map(json_text).unwrap_or_default();
        let event = tokens.in_event(SessionEvent {
            fact_key: format!("{USAGE}{number}@{}", at.as_micros()),
            model: text(row, "model").to_owned(),
            timestamp: if at.is_unset() { self.head.now } else { at },
            ..self.head.event(Kind::Response)
        });
        told.push(Told { origin: String::new(), events: vec![event] });
    }
}

/// `YYYY-MM-DD HH:MM:SS` in UTC, as SQLite writes it, or RFC 3339.
fn sqlite_time(said: &str) -> Timestamp {
    let rfc = if said.len() == 19 { format!("{}Z", said.replacen(' ', "T", 1)) } else { said.to_owned() };
    talk::time(Some(&Value::String(rfc)))
}

/// The texts of a result that the model was given.
fn output_of(value: &Value) -> String {
    let blocks = value.get("content").unwrap_or(value);
    let is_for_model = |block: &&Value| {
        let audience = block.pointer("/annotations/audience").and_then(Value::as_array);
        audience.is_none_or(|audience| audience.iter().any(|one| one == "assistant"))
    };
    match blocks.as_array() {
        Some(blocks) => {
            let texts = blocks.iter().filter(is_for_model).filter_map(|block| block.get("text")?.as_str());
            texts.collect::<Vec<_>>().join("\n")
        }
        None => json_text(blocks),
    }
}

impl Reader for Goose {
    fn read(&mut self, value: Value, told: &mut Vec<Told>) {
        match text(&value, "row") {
            "sessions" => self.session(&value, told),
            "messages" => self.message(text(&value, "message_id"), &value, told),
            "usage_ledger" => self.usage(&value, told),
            _ if value.get("role").is_some() => self.message(text(&value, "id"), &value, told),
            // The header of a file of lines.
            _ if value.get("working_dir").is_some() => {
                learn(&mut self.head.cwd, text(&value, "working_dir"));
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
