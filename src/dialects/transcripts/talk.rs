//! What readers of transcripts share: where in a session they are, calls that wait for their results, and texts in blocks.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Told;
use crate::event::{Kind, SessionEvent, Timestamp};

/// Calls that wait; a file that has more without a result is broken, and the oldest are told alone.
const MOST_WAITING: usize = 1_000;

/// Calls without a result so far, by the client's ids.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    calls: BTreeMap<String, (u64, String, SessionEvent)>,
    number: u64,
}

impl Waiting {
    /// A call that was made, at a place of the file.
    pub(super) fn made(&mut self, origin: String, call: SessionEvent, told: &mut Vec<Told>) {
        if self.calls.len() >= MOST_WAITING {
            let oldest = self.calls.iter().min_by_key(|(_, (number, ..))| *number);
            if let Some(id) = oldest.map(|(id, _)| id.clone()) {
                self.tell(&id, told);
            }
        }
        self.number += 1;
        let id = call.fact_key.clone();
        // Some services count their calls anew with each turn.
        self.tell(&id, told);
        self.calls.insert(id, (self.number, origin, call));
    }

    /// The call of that id, which waits no longer.
    pub(super) fn take(&mut self, id: &str) -> Option<(String, SessionEvent)> {
        self.calls.remove(id).map(|(_, origin, call)| (origin, call))
    }

    /// A call that waits.
    pub(super) fn get(&self, id: &str) -> Option<&SessionEvent> {
        self.calls.get(id).map(|(_, _, call)| call)
    }

    fn tell(&mut self, id: &str, told: &mut Vec<Told>) {
        if let Some((origin, call)) = self.take(id) {
            told.push(Told { origin, events: vec![call] });
        }
    }

    /// All that still wait, in the order in which they were made.
    pub(super) fn end(&mut self, told: &mut Vec<Told>) {
        let mut calls: Vec<_> = std::mem::take(&mut self.calls).into_values().collect();
        calls.sort_by_key(|(number, ..)| *number);
        told.extend(calls.into_iter().map(|(_, origin, call)| Told { origin, events: vec![call] }));
    }
}

/// A result with the call that it is of: only both together tell how it ended.
pub(super) fn answered(
    waiting: &mut Waiting,
    origin: String,
    result: SessionEvent,
    told: &mut Vec<Told>,
) -> bool {
    let call = waiting.take(&result.fact_key);
    let is_known = call.is_some();
    let (origin, result, call) = match call {
        Some((of_call, call)) => {
            let result = SessionEvent { tool: call.tool.clone(), seq: 1, ..result };
            (if of_call.is_empty() { origin } else { of_call }, result, Some(call))
        }
        None => (origin, result, None),
    };
    told.push(Told { origin, events: call.into_iter().chain([result]).collect() });
    is_known
}

/// What holds for every fact from a place of a file on, until the file says otherwise.
#[derive(Debug, Clone, Default)]
pub(super) struct Head {
    pub(super) session: String,
    /// The sub-agent, `""` in a session of its own.
    pub(super) agent: String,
    pub(super) turn: String,
    pub(super) cwd: String,
    pub(super) version: String,
    pub(super) repository: String,
    pub(super) now: Timestamp,
}

impl Head {
    /// An event at this place. A call's folder is told by its arguments, where they do.
    pub(super) fn event(&self, kind: Kind) -> SessionEvent {
        let is_call = matches!(kind, Kind::ToolCall | Kind::ToolResult);
        SessionEvent {
            kind,
            session_id: self.session.clone(),
            turn_id: self.turn.clone(),
            timestamp: self.now,
            cwd: if is_call { String::new() } else { self.cwd.clone() },
            assistant_version: self.version.clone(),
            agent: self.agent.clone(),
            ..SessionEvent::default()
        }
    }

    /// It is later, where the file says a time.
    pub(super) fn pass(&mut self, at: Option<&Value>) {
        let at = time(at);
        if !at.is_unset() {
            self.now = at;
        }
    }
}

/// Keeps what was said; `""` says nothing.
pub(super) fn learn(known: &mut String, said: &str) {
    if !said.is_empty() {
        said.clone_into(known);
    }
}

/// The place of a fact in whichever copy, by the id of its entry; `""` if the entry has none.
pub(super) fn origin(id: &str, what: &str) -> String {
    if id.is_empty() { String::new() } else { format!("{id}/{what}") }
}

/// A member of an object as text, `""` if it is none.
pub(super) fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The texts of a message: a text, or the texts of its blocks; an image and the like have none.
pub(super) fn words(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(blocks) => {
            let texts = blocks.iter().filter_map(|block| match block {
                Value::String(text) => Some(text.as_str()),
                block => block.get("text").and_then(Value::as_str),
            });
            texts.collect::<Vec<_>>().join("\n")
        }
        Value::Object(_) => text(content, "text").to_owned(),
        _ => String::new(),
    }
}

/// A path of a URL as it is on the disk.
pub fn percent_decoded(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let code = behind.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = behind.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What a model was given as JSON text; a text stays as it is.
pub(super) fn json_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

/// RFC 3339, or a number of seconds or milliseconds since the epoch.
pub(super) fn time(value: Option<&Value>) -> Timestamp {
    /// No session is older than 2001 or as young as the year 5138.
    const MILLISECONDS: f64 = 1e11;
    match value {
        Some(Value::String(text)) => Timestamp::parse_rfc3339(text).unwrap_or_default(),
        Some(Value::Number(number)) => {
            let number = number.as_f64().unwrap_or_default();
            let micros = if number < MILLISECONDS { number * 1e6 } else { number * 1e3 };
            #[expect(clippy::cast_possible_truncation, reason = "saturates, and what is no time is none")]
            Timestamp::from_micros(micros.max(0.0) as i64)
        }
        _ => Timestamp::default(),
    }
}

/// A skill that a call of the tool for skills loads, if it worked.
pub(super) fn skill_use(call: &SessionEvent, skill: &str) -> Option<SessionEvent> {
    let skill = skill.to_owned();
    (!skill.is_empty()).then(|| SessionEvent {
        kind: Kind::SkillUse,
        skill,
        input: String::new(),
        ..call.clone()
    })
}
