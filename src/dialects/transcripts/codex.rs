//! Codex's files: `rollout-<time>-<id>.jsonl` in its present form (`{timestamp, type, payload}` a line) and in
//! that of 2025 (bare items), and the `.json` of its first version (`{session, items}`).
//!
//! | kind | fact key | from |
//! |---|---|---|
//! | `session_start` | `start` | the first `session_meta`, or the first line of the older forms |
//! | `prompt` | the turn's id, with a number from the second on; else the number | what the client notes of a person's message, else the items of the role `user` |
//! | `tool_call`, `tool_result`, `decision` | the call's id | `function_call`, `custom_tool_call`, `local_shell_call` and their outputs |
//! | `response` | the turn and the number of the message in it | items of the role `assistant` |
//! | `decision` (an interrupt) | the turn's id | `turn_aborted` |
//! | `error` | the turn and its place | `error` |
//! | what a turn cost | `usage:` the turn's id, by which telemetry has the sum | `token_count` |
//!
//! A fork and a sub-agent begin with a copy of their parent, in which turns keep their ids: a fact of a turn with
//! the same origin in another file is a copy. A second `session_meta` is the parent's.

use std::collections::BTreeMap;

use serde_json::Value;

use super::codex_items::{self as items, Item};
use super::codex_usage::Usage;
use super::talk::{self, Head, Waiting, answered, learn, text};
use super::{Place, Reader, Told, start};
use crate::event::{Decision, Kind, SessionEvent, Status};
use crate::shell::machine::{self, Heard};

/// What is known of how calls ended before their outputs come; a file has few at a time.
const MOST_ENDED: usize = 1_000;
const START: &str = "start";
/// Before the number of what a turn has several of. No `#`: behind it frameworks number what a conversation repeats.
const NUMBER: char = '/';

/// A reader of one file.
pub(super) struct Codex {
    place: Place,
    head: Head,
    model: String,
    prompts: u64,
    messages: u64,
    errors: u64,
    has_session: bool,
    /// The client notes messages of people apart from what it tells its model.
    notes_prompts: bool,
    /// A message in the user's role that may be noted as well.
    maybe: Option<String>,
    waiting: Waiting,
    ended: BTreeMap<String, Status>,
    usage: Usage,
}

impl Codex {
    pub(super) fn new(place: Place) -> Self {
        Self {
            head: Head { session: place.name.clone(), ..Head::default() },
            place,
            model: String::new(),
            prompts: 0,
            messages: 0,
            errors: 0,
            has_session: false,
            notes_prompts: false,
            maybe: None,
            waiting: Waiting::default(),
            ended: BTreeMap::new(),
            usage: Usage::default(),
        }
    }

    /// The same in every copy of a fact.
    fn origin(&self, what: &str) -> String {
        talk::origin(&self.head.turn, what)
    }

    /// The key of what a turn has several of.
    fn numbered(&self, number: u64) -> String {
        match (self.head.turn.as_str(), number) {
            ("", number) => number.to_string(),
            (turn, 1) => turn.to_owned(),
            (turn, number) => format!("{turn}{NUMBER}{number}"),
        }
    }

    fn session(&mut self, meta: &Value, told: &mut Vec<Told>) {
        if self.has_session {
            return;
        }
        self.has_session = true;
        let git = meta.get("git").unwrap_or(&Value::Null);
        for (known, said) in [
            (&mut self.head.session, text(meta, "id")),
            (&mut self.head.cwd, text(meta, "cwd")),
            (&mut self.head.version, text(meta, "cli_version")),
            (&mut self.head.repository, text(git, "repository_url")),
        ] {
            learn(known, said);
        }
        if let Some(source) = meta.pointer("/source/subagent") {
            let role = source.pointer("/thread_spawn/agent_role").and_then(Value::as_str);
            self.head.agent = role.or_else(|| source.as_str()).unwrap_or("subagent").to_owned();
        }
        self.head.pass(meta.get("timestamp"));
        told.push(Told {
            origin: String::new(),
            events: vec![start(START, self.head.event(Kind::SessionStart))],
        });
    }

    fn begin_turn(&mut self, turn: &str, told: &mut Vec<Told>) {
        if !turn.is_empty() && turn != self.head.turn {
            self.usage.tell(told);
            turn.clone_into(&mut self.head.turn);
            (self.prompts, self.messages, self.errors) = (0, 0, 0);
        }
    }

    fn prompt(&mut self, said: String, told: &mut Vec<Told>) {
        if !matches!(machine::hear(&said), Heard::Words(words) if !words.trim().is_empty()) {
            return;
        }
        self.prompts += 1;
        let event = SessionEvent {
            fact_key: self.numbered(self.prompts),
            text: said,
            ..self.head.event(Kind::Prompt)
        };
        let origin = self.origin(&format!("prompt{}", self.prompts));
        told.push(Told { origin, events: vec![event] });
    }

    /// A message in the user's role that nothing noted as a person's, where nothing notes any.
    fn settle(&mut self, told: &mut Vec<Told>) {
        if let Some(said) = self.maybe.take().filter(|_| !self.notes_prompts) {
            self.prompt(said, told);
        }
    }

    fn item(&mut self, item: Item, told: &mut Vec<Told>) {
        match item {
            Item::User(said) => {
                self.settle(told);
                if self.head.cwd.is_empty()
                    && let Some(cwd) = items::folder_in(&said)
                {
                    self.head.cwd = cwd;
                }
                self.maybe = Some(said);
            }
            Item::Assistant(said) => {
                self.settle(told);
                self.messages += 1;
                let number = self.messages;
                let key = if self.head.turn.is_empty() {
                    number.to_string()
                } else {
                    format!("{}{NUMBER}{number}", self.head.turn)
                };
                let event = SessionEvent {
                    fact_key: key,
                    text: said,
                    model: self.model.clone(),
                    ..self.head.event(Kind::Response)
                };
                told.push(Told { origin: self.origin(&format!("message{number}")), events: vec![event] });
            }
            Item::Call { id, tool, input } => {
                self.settle(told);
                let call = SessionEvent {
                    fact_key: id.clone(),
                    tool_call_id: id.clone(),
                    cwd: super::super::directory::of_arguments(&input).unwrap_or_default(),
                    tool,
                    input,
                    ..self.head.event(Kind::ToolCall)
                };
                let origin = self.origin(&id);
                self.waiting.made(origin, call, told);
            }
            Item::Output { id, output, status } => {
                let known = self.ended.remove(&id).unwrap_or(status);
                let event = SessionEvent {
                    fact_key: id.clone(),
                    tool_call_id: id.clone(),
                    ..self.head.event(Kind::ToolResult)
                };
                let result = match items::policy(&output) {
                    Some(source) if known != Status::Ok => SessionEvent {
                        kind: Kind::Decision,
                        decision: Decision::Reject,
                        decision_source: source.to_owned(),
                        text: output,
                        ..event
                    },
                    _ => SessionEvent { status: known, output, ..event },
                };
                let origin = self.origin(&id);
                answered(&mut self.waiting, origin, result, told);
            }
        }
    }

    /// What the client notes beside the items.
    fn note(&mut self, note: &Value, told: &mut Vec<Told>) {
        self.begin_turn(text(note, "turn_id"), told);
        match text(note, "type") {
            "user_message" => self.noted(text(note, "message"), told),
            "item_completed" => {
                let item = note.get("item").unwrap_or(&Value::Null);
                match text(item, "type") {
                    "UserMessage" => {
                        let said = talk::words(item.get("content").unwrap_or(&Value::Null));
                        self.noted(&said, told);
                    }
                    _ => self.ended(text(item, "id"), items::ending(item)),
                }
            }
            "exec_command_end" | "patch_apply_end" | "mcp_tool_call_end" => {
                self.ended(text(note, "call_id"), items::ending(note));
            }
            "token_count" => self.usage.note(note, &self.head, &self.model, told),
            "turn_aborted" if text(note, "reason") == "interrupted" => {
                let event = SessionEvent {
                    fact_key: self.head.turn.clone(),
                    decision: Decision::Reject,
                    decision_source: "user_abort".to_owned(),
                    ..self.head.event(Kind::Decision)
                };
                told.push(Told { origin: self.origin("aborted"), events: vec![event] });
            }
            "error" => {
                self.errors += 1;
                let event = SessionEvent {
                    fact_key: format!("{}!{}", self.head.turn, self.errors),
                    text: text(note, "message").to_owned(),
                    ..self.head.event(Kind::Error)
                };
                told.push(Told {
                    origin: self.origin(&format!("error{}", self.errors)),
                    events: vec![event],
                });
            }
            _ => {}
        }
    }

    fn noted(&mut self, said: &str, told: &mut Vec<Told>) {
        self.notes_prompts = true;
        self.maybe = None;
        self.prompt(said.to_owned(), told);
    }

    fn ended(&mut self, call: &str, status: Status) {
        if status != Status::Unknown && !call.is_empty() && self.ended.len() < MOST_ENDED {
            self.ended.insert(call.to_owned(), status);
        }
    }

    /// A value of one of the forms of 2025, or a bare item.
    fn older(&mut self, value: &Value, told: &mut Vec<Told>) {
        if let Some(session) = value.get("session").filter(|session| session.is_object()) {
            self.session(session, told);
            for item in value.get("items").and_then(Value::as_array).into_iter().flatten() {
                if let Some(item) = items::item(item) {
                    self.item(item, told);
                }
            }
        } else if let Some(item) = items::item(value) {
            self.item(item, told);
        } else if !text(value, "id").is_empty() && value.get("type").is_none() {
            self.session(value, told);
        }
    }
}

impl Reader for Codex {
    fn read(&mut self, value: Value, told: &mut Vec<Told>) {
        self.head.pass(value.get("timestamp"));
        let Some(payload) = value.get("payload") else { return self.older(&value, told) };
        match text(&value, "type") {
            "session_meta" => self.session(payload, told),
            "turn_context" => {
                self.begin_turn(text(payload, "turn_id"), told);
                for (known, name) in [(&mut self.head.cwd, "cwd"), (&mut self.model, "model")] {
                    learn(known, text(payload, name));
                }
            }
            "response_item" => {
                if let Some(item) = items::item(payload) {
                    self.item(item, told);
                }
            }
            "event_msg" => self.note(payload, told),
            _ => {}
        }
    }

    fn end(&mut self, told: &mut Vec<Told>) {
        self.settle(told);
        self.waiting.end(told);
        self.usage.tell(told);
    }

    fn folder(&self) -> &str {
        if self.head.cwd.is_empty() { &self.place.cwd } else { &self.head.cwd }
    }

    fn repository(&self) -> &str {
        &self.head.repository
    }
}
