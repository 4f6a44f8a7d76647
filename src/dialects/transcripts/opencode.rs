//! OpenCode's sessions: the rows of its database (`session`, `message`, `part`), the files of its older tree, which hold
//! the same, and what `opencode export` writes.
//!
//! | kind | fact key | from |
//! |---|---|---|
//! | `session_start` | `session_start` | the session |
//! | `prompt` | number of the person's texts so far, hash of the text, as its telemetry has it | texts of a message of the role `user` that the client did not put there |
//! | `tool_call`, `tool_result` | the call's id | parts of the type `tool` |
//! | `decision` | the call's id, or the message's | a call that was refused; what was interrupted |
//! | `response` | the message's id | the texts of an answer, with what it cost |
//! | `error` | the message's id | an answer that failed |
//! | `skill_use` | the call's id | the tool `skill` |
//!
//! A fork has copies of messages under new ids; when they were made, and what they say, stays as it was.
//!
//! A sub-agent has a session of its own, and its telemetry names that; its facts carry its session as the agent, so that
//! its task is nobody's prompt. What a person ran in the client's shell is no call of the model.

use serde_json::Value;

use super::talk::{self, Head, json_text, learn, text};
use super::{Place, Reader, Told, start};
use crate::dialects::directory;
use crate::dialects::opencode::{REFUSALS, prompt_key};
use crate::event::history::digest;
use crate::event::tokens::Counts;
use crate::event::{Decision, Kind, SessionEvent, Status, Timestamp, USAGE};

/// How the client says that what a person ran in its shell is none of the model's work.
const OF_A_PERSON: &str = "The following tool was executed by the user";
const ABORTED: &str = "Tool execution aborted";
const INTERRUPT: &str = "user_abort";
/// What the client writes behind the output of a command that it ended, and how it says that a person wanted it.
const NOTE: &str = "<shell_metadata>";
const BY_A_PERSON: &str = "User aborted the command";
const ABORTED_ERROR: &str = "MessageAbortedError";
/// What the client asks a model for itself.
const OWN_AGENTS: &[&str] = &["compaction", "title", "summary"];

/// A reader of one session.
pub(super) struct OpenCode {
    head: Head,
    message: Message,
    /// Texts of the person so far.
    prompts: usize,
    /// The last message of a person's role says that a person ran what follows.
    is_shell: bool,
}

/// The message whose parts are read.
#[derive(Default)]
struct Message {
    id: String,
    /// As the client gave it, the same in every copy.
    created: Timestamp,
    is_user: bool,
    is_answer: bool,
    model: String,
    counts: Counts,
    done: Timestamp,
    /// When its last words were there: before its calls are over.
    said: Timestamp,
    failure: Option<(String, String)>,
    words: Vec<String>,
    was_interrupted: bool,
}

impl OpenCode {
    pub(super) fn new(place: Place) -> Self {
        let head = Head { session: place.name, cwd: place.cwd, ..Head::default() };
        Self { head, message: Message::default(), prompts: 0, is_shell: false }
    }

    /// `of` has the members of a row, or of a file.
    fn session(&mut self, of: &Value, told: &mut Vec<Told>) {
        let either = |a: &str, b: &str| [text(of, a), text(of, b)].into_iter().find(|said| !said.is_empty());
        learn(&mut self.head.session, text(of, "id"));
        for (known, name) in [(&mut self.head.cwd, "directory"), (&mut self.head.version, "version")] {
            learn(known, text(of, name));
        }
        if either("parent_id", "parentID").is_some() {
            self.head.agent = self.head.session.clone();
        }
        self.head.pass(of.get("time_created").or_else(|| of.pointer("/time/created")));
        let event = start(Kind::SessionStart.as_str(), self.head.event(Kind::SessionStart));
        told.push(Told { origin: String::new(), events: vec![event] });
    }

    fn message(&mut self, id: &str, data: &Value, told: &mut Vec<Told>) {
        self.finish(told);
        self.head.pass(data.pointer("/time/created"));
        let role = text(data, "role");
        let count = |name: &str| data.pointer(name).and_then(Value::as_i64).unwrap_or_default();
        if let Some(cwd) = data.pointer("/path/cwd").and_then(Value::as_str) {
            learn(&mut self.head.cwd, cwd);
        }
        let is_own = OWN_AGENTS.contains(&text(data, "mode")) || OWN_AGENTS.contains(&text(data, "agent"));
        let is_summary = data.get("summary").and_then(Value::as_bool) == Some(true);
        self.message = Message {
            id: id.to_owned(),
            created: talk::time(data.pointer("/time/created")),
            is_user: role == "user",
            is_answer: role == "assistant" && !is_own && !is_summary,
            model: text(data, "modelID").to_owned(),
            counts: Counts {
                input: count("/tokens/input"),
                output: count("/tokens/output"),
                reasoning: count("/tokens/reasoning"),
                cache_read: count("/tokens/cache/read"),
                cache_write: count("/tokens/cache/write"),
                total: count("/tokens/total"),
                cache_is_apart: true,
                ..Counts::default()
            },
            done: talk::time(data.pointer("/time/completed")),
            failure: data.get("error").filter(|error| error.is_object()).map(|error| {
                let words = error.pointer("/data/message").and_then(Value::as_str);
                (text(error, "name").to_owned(), words.unwrap_or_else(|| text(error, "name")).to_owned())
            }),
            ..Message::default()
        };
        if self.message.is_user {
            self.is_shell = false;
        }
    }

    /// The same in every copy of a fact of the message. Sessions that begin in one millisecond do so in folders of
    /// their own.
    fn origin(&self, what: &str) -> String {
        let Message { created, done, .. } = self.message;
        if created.is_unset() {
            return String::new();
        }
        format!("{}/{}/{}/{what}", created.as_micros(), done.as_micros(), digest(&self.head.cwd))
    }

    /// What the message as a whole says, once its parts are read.
    fn finish(&mut self, told: &mut Vec<Told>) {
        if self.message.id.is_empty() || self.message.is_user {
            return;
        }
        let origin = self.origin(&digest(&self.message.words.join("\n")));
        let message = std::mem::take(&mut self.message);
        let mut of = |what: &str, event: SessionEvent| {
            let known = [message.said, message.done].into_iter().find(|time| !time.is_unset());
            let timestamp = known.unwrap_or(event.timestamp);
            let origin = talk::origin(&origin, what);
            told.push(Told { origin, events: vec![SessionEvent { timestamp, ..event }] });
        };
        let tokens = message.counts.whole();
        let words = message.words.join("\n");
        let is_silent = words.trim().is_empty() || !message.is_answer;
        if !is_silent || !tokens.is_nothing() {
            let event = SessionEvent {
                fact_key: if is_silent { format!("{USAGE}{}", message.id) } else { message.id.clone() },
                text: if is_silent { String::new() } else { words },
                model: message.model.clone(),
                ..self.head.event(Kind::Response)
            };
            of("reply", tokens.in_event(event));
        }
        match &message.failure {
            Some((name, _)) if name == ABORTED_ERROR && message.was_interrupted => {}
            Some((name, _)) if name == ABORTED_ERROR => {
                let event = SessionEvent {
                    fact_key: message.id.clone(),
                    decision: Decision::Reject,
                    decision_source: INTERRUPT.to_owned(),
                    ..self.head.event(Kind::Decision)
                };
                of("aborted", event);
            }
            Some((_, words)) => {
                let event = SessionEvent {
                    fact_key: message.id.clone(),
                    text: words.clone(),
                    model: message.model.clone(),
                    ..self.head.event(Kind::Error)
                };
                of("error", event);
            }
            None => {}
        }
    }

    fn part(&mut self, data: &Value, told: &mut Vec<Told>) {
        match text(data, "type") {
            "text" if self.message.is_user => self.prompt(data, told),
            "text" if !is_put(data) => {
                let words = text(data, "text");
                if !words.trim().is_empty() {
                    self.message.words.push(words.to_owned());
                    self.message.said = talk::time(data.pointer("/time/end"));
                }
            }
            "tool" if !self.is_shell => self.call(data, told),
            _ => {}
        }
    }

    fn prompt(&mut self, data: &Value, told: &mut Vec<Told>) {
        let said = text(data, "text");
        if is_put(data) {
            self.is_shell |= said.starts_with(OF_A_PERSON);
            return;
        }
        if said.trim().is_empty() {
            return;
        }
        self.message.id.clone_into(&mut self.head.turn);
        self.prompts += 1;
        let fact_key = prompt_key(self.prompts, said);
        let event = SessionEvent { fact_key, text: said.to_owned(), ..self.head.event(Kind::Prompt) };
        told.push(Told { origin: self.origin(&format!("prompt/{}", digest(said))), events: vec![event] });
    }

    fn call(&mut self, data: &Value, told: &mut Vec<Told>) {
        let (call, state) = (text(data, "callID"), data.get("state").unwrap_or(&Value::Null));
        if call.is_empty() {
            return;
        }
        let of_call = |kind: Kind, time: &str| {
            let (event, at) = (self.head.event(kind), talk::time(state.pointer(time)));
            SessionEvent {
                fact_key: call.to_owned(),
                tool_call_id: call.to_owned(),
                tool: text(data, "tool").to_owned(),
                model: self.message.model.clone(),
                timestamp: if at.is_unset() { event.timestamp } else { at },
                ..event
            }
        };
        let input = state.get("input").map(json_text).unwrap_or_default();
        let cwd = directory::of_arguments(&input).unwrap_or_default();
        let mut events = vec![SessionEvent { input, cwd, ..of_call(Kind::ToolCall, "/time/start") }];
        let outcome = Outcome::of(text(data, "tool"), state);
        match outcome {
            Outcome::Open => {}
            Outcome::Refused { source, ref words } => events.push(SessionEvent {
                decision: Decision::Reject,
                decision_source: source.to_owned(),
                text: words.clone(),
                seq: 1,
                ..of_call(Kind::Decision, "/time/end")
            }),
            Outcome::Over { status, ref output } => {
                let result = of_call(Kind::ToolResult, "/time/end");
                let took =
                    events.first().map(|call| result.timestamp.since(call.timestamp)).unwrap_or_default();
                let skill = state.pointer("/input/name").and_then(Value::as_str).unwrap_or_default();
                let loaded = status == Status::Ok && text(data, "tool") == "skill";
                let used = events.first().filter(|_| loaded).and_then(|call| talk::skill_use(call, skill));
                events.push(SessionEvent {
                    status,
                    output: output.clone(),
                    duration_us: i64::try_from(took.as_micros()).unwrap_or_default(),
                    seq: 1,
                    ..result
                });
                events.extend(used);
            }
        }
        self.message.was_interrupted |= matches!(outcome, Outcome::Refused { source: INTERRUPT, .. });
        told.push(Told { origin: self.origin(&format!("call/{call}")), events });
    }

    /// What `opencode export` writes of one session.
    fn export(&mut self, value: &Value, told: &mut Vec<Told>) {
        self.session(value.get("info").unwrap_or(&Value::Null), told);
        for message in value.get("messages").and_then(Value::as_array).into_iter().flatten() {
            let info = message.get("info").unwrap_or(&Value::Null);
            self.message(text(info, "id"), info, told);
            for part in message.get("parts").and_then(Value::as_array).into_iter().flatten() {
                self.part(part, told);
            }
        }
    }
}

/// What came of a call.
enum Outcome {
    /// Nothing yet.
    Open,
    /// It was not allowed, or a person ended it.
    Refused { source: &'static str, words: String },
    /// It ended by itself.
    Over { status: Status, output: String },
}

impl Outcome {
    fn of(tool: &str, state: &Value) -> Self {
        let is_error = match text(state, "status") {
            "completed" => false,
            "error" => true,
            _ => return Self::Open,
        };
        let failure = text(state, "error");
        let output = state.get("output").map(json_text).unwrap_or_default();
        if let Some((_, source)) = REFUSALS.iter().find(|(words, _)| is_error && failure.contains(words)) {
            let words = crate::shell::refusal::words_of(failure).unwrap_or_default();
            return Self::Refused { source, words };
        }
        // A command that a person ended is complete to the client.
        let note = output.rsplit_once(NOTE).map(|(_, note)| note).unwrap_or_default();
        if is_error && failure.contains(ABORTED) || note.contains(BY_A_PERSON) {
            return Self::Refused { source: INTERRUPT, words: String::new() };
        }
        let code = state.pointer("/metadata/exit").and_then(Value::as_i64).unwrap_or_default();
        let timeout = state.pointer("/metadata/timeout");
        let timed_out = timeout.is_some_and(|it| !matches!(it, Value::Null | Value::Bool(false)))
            || note.contains("timeout");
        let failed = is_error || code != 0 || timed_out || tool == "invalid";
        Self::Over {
            status: if failed { Status::Error } else { Status::Ok },
            output: if is_error { failure.to_owned() } else { output },
        }
    }
}

/// Whether the client put a text there.
fn is_put(part: &Value) -> bool {
    ["synthetic", "ignored"].iter().any(|name| part.get(*name).and_then(Value::as_bool) == Some(true))
}

impl Reader for OpenCode {
    fn read(&mut self, value: Value, told: &mut Vec<Told>) {
        let data = value.get("data");
        let (id, data_or_own) = (text(&value, "id"), data.unwrap_or(&value));
        match text(&value, "row") {
            "session" => self.session(data_or_own, told),
            "message" => self.message(id, data_or_own, told),
            "part" => self.part(data_or_own, told),
            _ if value.get("messages").is_some() => self.export(&value, told),
            _ => {}
        }
    }

    fn end(&mut self, told: &mut Vec<Told>) {
        self.finish(told);
    }

    fn folder(&self) -> &str {
        &self.head.cwd
    }
}
