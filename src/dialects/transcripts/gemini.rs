//! Gemini CLI's files: `session-<time>-<id>.jsonl`, a message or a change of the whole a line, and the `.json` of
//! its older versions, which is one object. Qwen Code's records of the same parts.
//!
//! | kind | fact key | from |
//! |---|---|---|
//! | `session_start` | `start` | the first value with the session's id |
//! | `prompt` | the message's id | messages of the type `user` that are no results of tools |
//! | `tool_call`, `tool_result` | the call's id | `toolCalls` of Gemini's answers; `functionCall` and `functionResponse` of Qwen's |
//! | `response` | the message's id | answers with words |
//! | `decision` (an interrupt) | the message's id | `info` of the client; a call that was cancelled is one as well |
//! | `skill_use` | the call's id | `activate_skill`, `skill` |
//!
//! A message is written again when more of it is known; what was told of it before is the same fact. A
//! conversation that was rewound did take place.

use std::collections::BTreeSet;

use serde_json::Value;

use super::talk::{self, Head, Waiting, answered, json_text, learn, origin, text, words};
use super::{Place, Reader, Told, start};
use crate::dialects::directory;
use crate::dialects::gemini_cli::{DIRECTORY_WORDS, unwrapped};
use crate::event::history::digest;
use crate::event::tokens::Counts;
use crate::event::{Decision, Kind, SessionEvent, Status, USAGE};
use crate::shell::machine::{self, Heard};

const START: &str = "start";
const SKILL_TOOLS: &[&str] = &["activate_skill", "skill"];
/// What the client notes when a person stopped it.
const CANCELLED: &str = "Request cancelled.";
/// What the client tells its model of the environment begins so. After a turn that was stopped, the prompt is in it again.
const CONTEXT: &str = "<session_context>";
/// So many prompts are known again.
const MOST_PROMPTS: usize = 10_000;
/// Before the code with which a command ended.
const EXIT_CODE: &str = "Exit Code:";

/// A reader of one file.
pub(super) struct Gemini {
    place: Place,
    head: Head,
    is_started: bool,
    waiting: Waiting,
    /// The words of prompts that were told.
    prompts: BTreeSet<String>,
}

impl Gemini {
    pub(super) fn new(place: Place) -> Self {
        Self {
            head: Head { cwd: place.cwd.clone(), ..Head::default() },
            place,
            is_started: false,
            waiting: Waiting::default(),
            prompts: BTreeSet::new(),
        }
    }

    pub(super) fn of_qwen(place: Place) -> Self {
        let session = place.name.clone();
        let mut reader = Self::new(place);
        reader.head.session = session;
        reader
    }

    /// What is said of the whole.
    fn whole(&mut self, value: &Value, told: &mut Vec<Told>) {
        let session = text(value, "sessionId");
        if session.is_empty() {
            return;
        }
        if value.get("isSidechain").and_then(Value::as_bool) == Some(true) {
            // A sub-agent of Qwen Code has a file of its own, whose lines name its parent's session.
            session.clone_into(&mut self.head.session);
            text(value, "agentId").clone_into(&mut self.head.agent);
        } else if text(value, "kind") == "subagent" {
            // Its folder has the name of its parent's session.
            self.place.folder.clone_into(&mut self.head.session);
            session.clone_into(&mut self.head.agent);
        } else if self.head.agent.is_empty() {
            session.clone_into(&mut self.head.session);
        }
        for (known, name) in [(&mut self.head.cwd, "cwd"), (&mut self.head.version, "version")] {
            learn(known, text(value, name));
        }
        self.head.pass(value.get("startTime").or_else(|| value.get("timestamp")));
        if !self.is_started && self.head.agent.is_empty() {
            self.is_started = true;
            let event = start(START, self.head.event(Kind::SessionStart));
            told.push(Told { origin: String::new(), events: vec![event] });
        }
    }

    /// A message of Gemini CLI.
    fn message(&mut self, message: &Value, told: &mut Vec<Told>) {
        self.head.pass(message.get("timestamp"));
        let id = text(message, "id");
        let content = message.get("content").unwrap_or(&Value::Null);
        match text(message, "type") {
            "user" => self.prompt(id, &words(content), told),
            "gemini" => {
                self.response(id, words(content), message, told);
                for call in message.get("toolCalls").and_then(Value::as_array).into_iter().flatten() {
                    self.call(call, told);
                }
            }
            "error" => {
                let event = SessionEvent {
                    fact_key: id.to_owned(),
                    text: words(content),
                    ..self.head.event(Kind::Error)
                };
                told.push(Told { origin: origin(id, "error"), events: vec![event] });
            }
            "info" if words(content).starts_with(CANCELLED) => {
                let event = SessionEvent {
                    fact_key: id.to_owned(),
                    decision: Decision::Reject,
                    decision_source: "user_abort".to_owned(),
                    ..self.head.event(Kind::Decision)
                };
                told.push(Told { origin: origin(id, "cancelled"), events: vec![event] });
            }
            _ => {}
        }
    }

    fn prompt(&mut self, id: &str, said: &str, told: &mut Vec<Told>) {
        if self.head.cwd.is_empty()
            && let Some(cwd) = directory::after(said, DIRECTORY_WORDS)
        {
            self.head.cwd = cwd;
        }
        match machine::hear(said) {
            Heard::Words(words) if !words.trim().is_empty() => {
                let words = digest(words.trim());
                if said.starts_with(CONTEXT) && self.prompts.contains(&words) {
                    return;
                }
                if self.prompts.len() < MOST_PROMPTS {
                    self.prompts.insert(words);
                }
            }
            _ => return,
        }
        id.clone_into(&mut self.head.turn);
        let event =
            SessionEvent { fact_key: id.to_owned(), text: said.to_owned(), ..self.head.event(Kind::Prompt) };
        told.push(Told { origin: origin(id, "prompt"), events: vec![event] });
    }

    fn response(&mut self, id: &str, said: String, message: &Value, told: &mut Vec<Told>) {
        let count = |name: &str| message.pointer(name).and_then(Value::as_i64).unwrap_or_default();
        let either = |a: &str, b: &str| count(a).max(count(b));
        let counts = Counts {
            input: either("/tokens/input", "/usageMetadata/promptTokenCount"),
            output: either("/tokens/output", "/usageMetadata/candidatesTokenCount"),
            cache_read: either("/tokens/cached", "/usageMetadata/cachedContentTokenCount"),
            reasoning: either("/tokens/thoughts", "/usageMetadata/thoughtsTokenCount"),
            total: either("/tokens/total", "/usageMetadata/totalTokenCount"),
            ..Counts::default()
        };
        let tokens = counts.whole();
        let is_silent = said.trim().is_empty();
        if id.is_empty() || is_silent && tokens.is_nothing() {
            return;
        }
        let event = tokens.in_event(SessionEvent {
            fact_key: if is_silent { format!("{USAGE}{id}") } else { id.to_owned() },
            text: if is_silent { String::new() } else { said },
            model: text(message, "model").to_owned(),
            ..self.head.event(Kind::Response)
        });
        told.push(Told { origin: origin(id, "reply"), events: vec![event] });
    }

    /// A call of Gemini CLI, which has its result with it, once there is one.
    fn call(&mut self, call: &Value, told: &mut Vec<Told>) {
        let id = text(call, "id");
        if id.is_empty() {
            return;
        }
        let input = call.get("args").map(json_text).unwrap_or_default();
        let of_call = |kind: Kind| SessionEvent {
            fact_key: id.to_owned(),
            tool_call_id: id.to_owned(),
            tool: text(call, "name").to_owned(),
            ..self.head.event(kind)
        };
        let made = SessionEvent {
            cwd: directory::of_arguments(&input).unwrap_or_default(),
            input,
            ..of_call(Kind::ToolCall)
        };
        let stated = match text(call, "status") {
            "success" => Status::Ok,
            "error" => Status::Error,
            // It was stopped, or not allowed: neither is a failure.
            _ => Status::Unknown,
        };
        let output = call.get("result").map(output_of).unwrap_or_default();
        let mut events = vec![made];
        if stated != Status::Unknown || !output.is_empty() {
            let at = talk::time(call.get("timestamp"));
            let result = SessionEvent {
                timestamp: if at.is_unset() { self.head.now } else { at },
                seq: 1,
                status: with_exit_code(stated, &output),
                output,
                ..of_call(Kind::ToolResult)
            };
            events.extend(skill(events.first(), result.status));
            events.insert(1, result);
        }
        told.push(Told { origin: origin(id, "call"), events });
    }

    /// A record of Qwen Code.
    fn record(&mut self, record: &Value, told: &mut Vec<Told>) {
        let id = text(record, "uuid");
        let parts = record.pointer("/message/parts").unwrap_or(&Value::Null);
        let of = |name: &'static str| {
            parts.as_array().into_iter().flatten().filter_map(move |part| part.get(name))
        };
        for response in of("functionResponse") {
            self.result(record, response, told);
        }
        match text(record, "type") {
            "user" if of("functionResponse").next().is_none() => {
                let said = spoken(parts);
                self.prompt(id, &said, told);
            }
            "assistant" => {
                self.response(id, spoken(parts), record, told);
                for call in of("functionCall") {
                    let id = text(call, "id");
                    let input = call.get("args").map(json_text).unwrap_or_default();
                    let event = SessionEvent {
                        fact_key: id.to_owned(),
                        tool_call_id: id.to_owned(),
                        tool: text(call, "name").to_owned(),
                        cwd: directory::of_arguments(&input).unwrap_or_default(),
                        input,
                        ..self.head.event(Kind::ToolCall)
                    };
                    if !id.is_empty() {
                        self.waiting.made(origin(id, "call"), event, told);
                    }
                }
            }
            _ => {}
        }
    }

    fn result(&mut self, record: &Value, response: &Value, told: &mut Vec<Told>) {
        let id = text(response, "id");
        if id.is_empty() {
            return;
        }
        let output = response.get("response").map(response_text).unwrap_or_default();
        let stated = match record.pointer("/toolCallResult/status").and_then(Value::as_str) {
            Some("cancelled") => Status::Unknown,
            Some("error") => Status::Error,
            Some("success") => Status::Ok,
            _ if response.pointer("/response/error").is_some() => Status::Error,
            _ => Status::Ok,
        };
        let status = with_exit_code(stated, &output);
        let skill = skill(self.waiting.get(id), status);
        let result = SessionEvent {
            fact_key: id.to_owned(),
            tool_call_id: id.to_owned(),
            tool: text(response, "name").to_owned(),
            status,
            output,
            ..self.head.event(Kind::ToolResult)
        };
        answered(&mut self.waiting, origin(id, "call"), result, told);
        if let (Some(skill), Some(told)) = (skill, told.last_mut()) {
            told.events.push(skill);
        }
    }
}

/// The skill that a call loaded.
fn skill(call: Option<&SessionEvent>, status: Status) -> Option<SessionEvent> {
    let call = call.filter(|call| status == Status::Ok && SKILL_TOOLS.contains(&call.tool.as_str()))?;
    let input: Value = serde_json::from_str(&call.input).ok()?;
    talk::skill_use(call, ["name", "skill"].into_iter().find_map(|name| input.get(name)?.as_str())?)
}

/// The texts of parts that are no thoughts.
fn spoken(parts: &Value) -> String {
    let is_thought = |part: &&Value| part.get("thought").and_then(Value::as_bool) == Some(true);
    let parts = parts.as_array().into_iter().flatten().filter(|part| !is_thought(part));
    parts.filter_map(|part| part.get("text")?.as_str()).collect::<Vec<_>>().join("\n")
}

/// What the model was given of a call.
fn output_of(result: &Value) -> String {
    let parts = result.as_array().map(Vec::as_slice).unwrap_or_default();
    let texts: Vec<String> = parts
        .iter()
        .filter_map(|part| {
            let response = part.pointer("/functionResponse/response").map(response_text);
            response.or_else(|| Some(part.get("text")?.as_str()?.to_owned()))
        })
        .collect();
    if texts.is_empty() { json_text(result) } else { texts.join("\n") }
}

fn response_text(response: &Value) -> String {
    let text = ["output", "error"].iter().find_map(|name| response.get(*name)?.as_str());
    text.map_or_else(|| json_text(response), |text| unwrapped(text).to_owned())
}

/// A command that failed is a success to these clients; its code stands in the output.
fn with_exit_code(stated: Status, output: &str) -> Status {
    let code =
        output.lines().rev().find_map(|line| line.trim().strip_prefix(EXIT_CODE)?.trim().parse::<i64>().ok());
    match code {
        Some(code) if code != 0 => Status::Error,
        _ => stated,
    }
}

impl Reader for Gemini {
    fn read(&mut self, value: Value, told: &mut Vec<Told>) {
        self.whole(&value, told);
        if value.get("message").is_some_and(Value::is_object) {
            self.head.pass(value.get("timestamp"));
            return self.record(&value, told);
        }
        let all = value.get("messages").or_else(|| value.pointer("/$set/messages"));
        match all.and_then(Value::as_array) {
            Some(messages) => messages.iter().for_each(|message| self.message(message, told)),
            None => self.message(&value, told),
        }
    }

    fn end(&mut self, told: &mut Vec<Told>) {
        self.waiting.end(told);
    }

    fn folder(&self) -> &str {
        &self.head.cwd
    }
}
