//! Hermes Agent's sessions: the rows of its database (`sessions`, `messages`, `session_model_usage`), and its older
//! files, which hold the messages alone.
//!
//! | kind | fact key | from |
//! |---|---|---|
//! | `session_start` | `session_start`, as its hooks have it | the session |
//! | `prompt` | time and digest | messages of the role `user` that a person wrote |
//! | `tool_call`, `tool_result` | the call's id | `tool_calls` of an answer; messages of the role `tool` |
//! | `decision` | the call's id, or time and digest | results of calls that were refused; an answer that was interrupted |
//! | `response` | time and digest | messages of the role `assistant` |
//! | what the model calls cost | `usage:sum:` model and purpose | `session_model_usage`, one a model |
//!
//! A message has no id that lasts: when the client makes a conversation shorter, it keeps the old messages and
//! puts those that stay behind them once more. These are passed over.

use std::collections::BTreeSet;

use serde_json::Value;

use super::talk::{Head, Waiting, answered, json_text, learn, text, words};
use super::{Place, RANK, Reader, Told, start};
use crate::dialects::hermes::status;
use crate::event::history::digest;
use crate::event::tokens::Counts;
use crate::event::{Decision, Kind, SessionEvent, USAGE_SUM};

/// Before content that is no plain text.
const STRUCTURED: &str = "\0json:";
/// How texts begin that the client says in a person's place.
const NOT_A_PERSON: &[&str] = &[
    "[CONTEXT COMPACTION",
    "[CONTEXT SUMMARY]",
    "[ASYNC DELEGATION",
    "[IMPORTANT: Background process ",
    "[SYSTEM: ",
];
/// How results begin of calls that were not made, and who did not allow them.
const REFUSALS: &[(&str, &str)] = &[
    ("BLOCKED: User denied", "deny"),
    ("BLOCKED: Action ", "deny"),
    ("BLOCKED: Command timed out", "timeout"),
    ("BLOCKED: this command matches the user-defined deny rule", "rule"),
    ("BLOCKED: ", "policy"),
];
const INTERRUPTED: &str = "[Command interrupted]";
const INTERRUPTED_ANSWER: &str = "Operation interrupted";
/// Messages that are remembered to tell copies.
const MOST_REMEMBERED: usize = 100_000;
/// Calls of skills.
const SKILL_TOOL: &str = "skill_view";

/// A reader of one session.
pub(super) struct Hermes {
    head: Head,
    model: String,
    waiting: Waiting,
    /// Messages that were made shorter.
    compacted: BTreeSet<String>,
    /// What comes now repeats them.
    is_repeating: bool,
    is_started: bool,
    /// Whether the call took place and the client recorded nothing else of it.
    is_interrupted: bool,
}

impl Hermes {
    pub(super) fn new(place: Place) -> Self {
        Self {
            head: Head { session: place.name, cwd: place.cwd, ..Head::default() },
            model: String::new(),
            waiting: Waiting::default(),
            compacted: BTreeSet::new(),
            is_repeating: false,
            is_started: false,
            is_interrupted: false,
        }
    }

    fn session(&mut self, row: &Value, told: &mut Vec<Told>) {
        learn(&mut self.head.session, text(row, "id"));
        learn(&mut self.model, text(row, "model"));
        // The second is that of the parents, for a sub-agent.
        learn(&mut self.head.cwd, text(row, "cwd"));
        if self.head.cwd.is_empty() {
            learn(&mut self.head.cwd, text(row, "folder"));
        }
        // A conversation that was made shorter goes on in a session of its own in some versions; that is no sub-agent.
        if text(row, "source") == "subagent" {
            self.head.agent = self.head.session.clone();
        }
        self.head.pass(row.get("started_at").or_else(|| row.get("session_start")));
        self.begin(told);
    }

    fn begin(&mut self, told: &mut Vec<Told>) {
        if !std::mem::replace(&mut self.is_started, true) {
            let event = start(Kind::SessionStart.as_str(), self.head.event(Kind::SessionStart));
            told.push(Told { origin: String::new(), events: vec![event] });
        }
    }

    fn message(&mut self, row: &Value, told: &mut Vec<Told>) {
        self.head.pass(row.get("timestamp"));
        let said = said(row.get("content").unwrap_or(&Value::Null));
        if self.is_repeated(row, &said) {
            return;
        }
        let key = format!("{}@{}", self.head.now.as_micros(), digest(&said));
        match text(row, "role") {
            // What others said in a channel, and nobody to the assistant.
            "user" if row.get("observed").and_then(Value::as_i64).unwrap_or_default() == 0 => {
                self.prompt(key, said, told);
            }
            "assistant" => self.assistant(key, said, row, told),
            "tool" => self.result(said, row, told),
            _ => {}
        }
    }

    /// Whether a message stands behind those that were made shorter and is one of them.
    fn is_repeated(&mut self, row: &Value, said: &str) -> bool {
        let calls = row.get("tool_calls").map(json_text).unwrap_or_default();
        let this = digest(&format!("{}\n{}\n{calls}\n{said}", text(row, "role"), text(row, "tool_call_id")));
        if row.get("compacted").and_then(Value::as_i64) == Some(1) {
            if self.compacted.len() < MOST_REMEMBERED {
                self.compacted.insert(this);
            }
            self.is_repeating = true;
            return false;
        }
        let is_summary = NOT_A_PERSON.iter().any(|start| said.starts_with(start));
        self.is_repeating &= is_summary || self.compacted.contains(&this);
        self.is_repeating
    }

    fn prompt(&mut self, key: String, said: String, told: &mut Vec<Told>) {
        if said.trim().is_empty() || NOT_A_PERSON.iter().any(|start| said.starts_with(start)) {
            return;
        }
        self.head.turn.clone_from(&key);
        let event = SessionEvent { fact_key: key, text: said, ..self.head.event(Kind::Prompt) };
        told.push(Told { origin: String::new(), events: vec![event] });
    }

    fn assistant(&mut self, key: String, said: String, row: &Value, told: &mut Vec<Told>) {
        let calls = row.get("tool_calls").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        // What the client says in the model's place.
        if said.starts_with(INTERRUPTED_ANSWER) && calls.is_empty() {
            if std::mem::take(&mut self.is_interrupted) {
                return;
            }
            let event = SessionEvent {
                fact_key: key,
                decision: Decision::Reject,
                decision_source: "user_abort".to_owned(),
                ..self.head.event(Kind::Decision)
            };
            told.push(Told { origin: String::new(), events: vec![event] });
            return;
        }
        if !said.trim().is_empty() {
            let event = SessionEvent {
                fact_key: key,
                text: said,
                model: self.model.clone(),
                ..self.head.event(Kind::Response)
            };
            told.push(Told { origin: String::new(), events: vec![event] });
        }
        for call in calls {
            let id = [text(call, "call_id"), text(call, "id")].into_iter().find(|id| !id.is_empty());
            let function = call.get("function").unwrap_or(call);
            let Some(id) = id else { continue };
            let event = SessionEvent {
                fact_key: id.to_owned(),
                tool_call_id: id.to_owned(),
                tool: text(function, "name").to_owned(),
                input: function.get("arguments").map(json_text).unwrap_or_default(),
                model: self.model.clone(),
                ..self.head.event(Kind::ToolCall)
            };
            self.waiting.made(String::new(), event, told);
        }
    }

    fn result(&mut self, output: String, row: &Value, told: &mut Vec<Told>) {
        let id = text(row, "tool_call_id");
        if id.is_empty() {
            return;
        }
        let of_call = |kind: Kind| SessionEvent {
            fact_key: id.to_owned(),
            tool_call_id: id.to_owned(),
            tool: text(row, "tool_name").to_owned(),
            ..self.head.event(kind)
        };
        let failure = serde_json::from_str::<Value>(&output).ok();
        let failure = failure.as_ref().map(|result| text(result, "error")).unwrap_or_default();
        let refusal =
            REFUSALS.iter().find(|(words, _)| failure.starts_with(words) || output.starts_with(words));
        let is_denied = text(row, "effect_disposition") == "denied";
        let source = refusal.map(|(_, source)| *source).or_else(|| is_denied.then_some("deny"));
        let source = source.or_else(|| output.contains(INTERRUPTED).then_some("user_abort"));
        self.is_interrupted = source == Some("user_abort");
        let result = match source {
            Some(source) => SessionEvent {
                decision: Decision::Reject,
                decision_source: source.to_owned(),
                ..of_call(Kind::Decision)
            },
            None => SessionEvent { status: status(&output), output, ..of_call(Kind::ToolResult) },
        };
        let skill = self.waiting.get(id).filter(|call| source.is_none() && call.tool == SKILL_TOOL);
        let skill = skill.and_then(|call| {
            let input: Value = serde_json::from_str(&call.input).ok()?;
            super::talk::skill_use(call, text(&input, "name"))
        });
        answered(&mut self.waiting, String::new(), result, told);
        if let (Some(skill), Some(told)) = (skill, told.last_mut()) {
            told.events.push(skill);
        }
    }

    /// What all calls of a model in the session cost, so far. A later count is a higher one.
    fn usage(&mut self, row: &Value, told: &mut Vec<Told>) {
        let count = |name: &str| row.get(name).and_then(Value::as_i64).unwrap_or_default();
        let counts = Counts {
            input: count("input_tokens"),
            output: count("output_tokens"),
            cache_read: count("cache_read_tokens"),
            cache_write: count("cache_write_tokens"),
            reasoning: 0,
            cache_is_apart: true,
            ..Counts::default()
        };
        let tokens = counts.whole();
        if tokens.is_nothing() {
            return;
        }
        let at = super::talk::time(row.get("last_seen"));
        let names = [text(row, "billing_provider"), text(row, "model"), text(row, "task")];
        let event = tokens.in_event(SessionEvent {
            fact_key: format!("{USAGE_SUM}{}", names.join("/")),
            rank: RANK.saturating_add(tokens.input).saturating_add(tokens.output),
            model: text(row, "model").to_owned(),
            timestamp: if at.is_unset() { self.head.now } else { at },
            ..self.head.event(Kind::Response)
        });
        told.push(Told { origin: String::new(), events: vec![event] });
    }
}

/// The words of a message, whichever form its content has.
fn said(content: &Value) -> String {
    match content.as_str().and_then(|content| content.strip_prefix(STRUCTURED)) {
        Some(structured) => {
            serde_json::from_str::<Value>(structured).map(|value| words(&value)).unwrap_or_default()
        }
        None => words(content),
    }
}

impl Reader for Hermes {
    fn read(&mut self, value: Value, told: &mut Vec<Told>) {
        match text(&value, "row") {
            "sessions" => self.session(&value, told),
            "messages" => self.message(&value, told),
            "session_model_usage" => self.usage(&value, told),
            _ if value.get("messages").is_some_and(Value::is_array) => {
                learn(&mut self.head.session, text(&value, "session_id"));
                self.session(&value, told);
                for message in value.get("messages").and_then(Value::as_array).into_iter().flatten() {
                    self.message(message, told);
                }
            }
            _ if value.get("role").is_some() => {
                self.begin(told);
                self.message(&value, told);
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
