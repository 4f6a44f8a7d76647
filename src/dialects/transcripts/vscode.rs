//! The sessions of GitHub Copilot's chat in VS Code: a file of one object, or a log of changes to one (`.jsonl`), which
//! is played back. From public source and public parsers; not run here.
//!
//! | kind | fact key | from |
//! |---|---|---|
//! | `session_start` | `session_start` | the session |
//! | `prompt` | the request's id | `message` |
//! | `tool_call`, `tool_result` | the call's id, as the model gave it | `toolCallRounds`, `toolCallResults`; else `toolInvocationSerialized` |
//! | `decision` | the call's id, or the request's | a call that was not confirmed; a request that was cancelled |
//! | `response` | the request's id | the words of the response, with what it cost |
//! | `error` | the request's id | `errorDetails` |
//!
//! What a log says can be undone by its next line, so all is told at its end.

use std::collections::BTreeMap;

use serde_json::Value;

use super::talk::{Head, json_text, learn, text, time};
use super::{Place, Reader, Told, start};
use crate::dialects::directory;
use crate::event::tokens::Counts;
use crate::event::{Decision, Kind, SessionEvent, Status};

/// What a line of the log does.
const WHOLE: i64 = 0;
const SET: i64 = 1;
const PUSH: i64 = 2;
const DELETE: i64 = 3;
/// Changes that are played back, and how deep and how long what they make may be.
const MOST_CHANGES: usize = 1_000_000;
const MOST_ITEMS: usize = 100_000;
const MOST_TEXTS: usize = 10_000;
/// Behind the model's id of a call.
const SUFFIX: &str = "__vscode-";
/// How `isConfirmed` says that a person did not allow a call, or passed over it.
const DENIED: i64 = 0;
const SKIPPED: i64 = 5;

/// A reader of one file.
pub(super) struct VsCode {
    head: Head,
    session: Value,
    changes: usize,
}

impl VsCode {
    pub(super) fn new(place: Place) -> Self {
        let head = Head { session: place.name, cwd: place.cwd, ..Head::default() };
        Self { head, session: Value::Null, changes: 0 }
    }

    fn change(&mut self, value: Value) {
        self.changes += 1;
        let Value::Object(mut line) = value else { return };
        if self.changes > MOST_CHANGES {
            return;
        }
        let Some(kind) = line.get("kind").and_then(Value::as_i64) else {
            if line.contains_key("requests") {
                self.session = Value::Object(line);
            }
            return;
        };
        let path = line.remove("k").unwrap_or_default();
        let path = path.as_array().map(Vec::as_slice).unwrap_or_default();
        let said = line.remove("v").unwrap_or_default();
        let from = line.get("i").and_then(Value::as_u64).and_then(|from| usize::try_from(from).ok());
        match kind {
            WHOLE => self.session = said,
            SET => {
                if let Some(place) = at(&mut self.session, path) {
                    *place = said;
                }
            }
            DELETE => {
                if let Some(place) = at(&mut self.session, path) {
                    *place = Value::Null;
                }
            }
            PUSH => {
                let Some(place) = at(&mut self.session, path) else { return };
                if place.is_null() {
                    *place = Value::Array(Vec::new());
                }
                let Some(items) = place.as_array_mut() else { return };
                items.truncate(from.unwrap_or(items.len()));
                let room = MOST_ITEMS.saturating_sub(items.len());
                if let Value::Array(new) = said {
                    items.extend(new.into_iter().take(room));
                }
            }
            _ => {}
        }
    }

    fn tell(&mut self, session: &Value, told: &mut Vec<Told>) {
        learn(&mut self.head.session, text(session, "sessionId"));
        self.head.pass(session.get("creationDate"));
        let requests =
            session.get("requests").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        if requests.is_empty() {
            return;
        }
        let event = start(Kind::SessionStart.as_str(), self.head.event(Kind::SessionStart));
        told.push(Told { origin: String::new(), events: vec![event] });
        requests.iter().for_each(|request| self.request(request, told));
    }

    fn request(&mut self, request: &Value, told: &mut Vec<Told>) {
        let id = text(request, "requestId");
        let message = request.get("message").unwrap_or(&Value::Null);
        self.head.pass(request.get("timestamp"));
        id.clone_into(&mut self.head.turn);
        let said = message.as_str().unwrap_or_else(|| text(message, "text"));
        if !said.trim().is_empty() {
            let event = SessionEvent {
                fact_key: id.to_owned(),
                text: said.to_owned(),
                ..self.head.event(Kind::Prompt)
            };
            told.push(Told { origin: super::talk::origin(id, "prompt"), events: vec![event] });
        }
        let result = request.get("result").unwrap_or(&Value::Null);
        let elapsed = result.pointer("/timings/totalElapsed").and_then(Value::as_u64).unwrap_or_default();
        let begun = self.head.now;
        let model = [result.pointer("/metadata/resolvedModel"), request.get("modelId")];
        let model = model.into_iter().flatten().find_map(Value::as_str).unwrap_or_default().to_owned();
        let response =
            request.get("response").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        self.calls(response, result, &model, told);
        // The whole answer is there when all calls are over.
        self.head.now = begun.saturating_add(std::time::Duration::from_millis(elapsed));
        self.answer(id, response, result, model, told);
        if request.get("isCanceled").and_then(Value::as_bool) == Some(true) {
            let event = SessionEvent {
                fact_key: id.to_owned(),
                decision: Decision::Reject,
                decision_source: "user_abort".to_owned(),
                ..self.head.event(Kind::Decision)
            };
            told.push(Told { origin: super::talk::origin(id, "aborted"), events: vec![event] });
        } else if let Some(failure) = result.get("errorDetails").filter(|failure| failure.is_object()) {
            let words = text(failure, "message").to_owned();
            let event = SessionEvent { fact_key: id.to_owned(), text: words, ..self.head.event(Kind::Error) };
            told.push(Told { origin: super::talk::origin(id, "error"), events: vec![event] });
        }
    }

    fn answer(&self, id: &str, response: &[Value], result: &Value, model: String, told: &mut Vec<Told>) {
        // What is neither a call nor a thought has no kind, or says that it is words.
        let is_words = |item: &&Value| matches!(text(item, "kind"), "" | "markdownContent");
        let said = response.iter().filter(is_words).map(|item| match item.get("value") {
            Some(Value::String(words)) => words.as_str(),
            _ => item.pointer("/content/value").and_then(Value::as_str).unwrap_or_default(),
        });
        let said: String = said.collect();
        let count =
            |name: &str| result.get("metadata").and_then(|it| it.get(name)?.as_i64()).unwrap_or_default();
        let counts =
            Counts { input: count("promptTokens"), output: count("outputTokens"), ..Counts::default() };
        let tokens = counts.whole();
        let is_silent = said.trim().is_empty();
        if is_silent && tokens.is_nothing() {
            return;
        }
        let usage = format!("{}{id}", crate::event::USAGE);
        let event = tokens.in_event(SessionEvent {
            fact_key: if is_silent { usage } else { id.to_owned() },
            text: if is_silent { String::new() } else { said },
            model,
            ..self.head.event(Kind::Response)
        });
        told.push(Told { origin: super::talk::origin(id, "reply"), events: vec![event] });
    }

    /// The calls of a request. The rounds know their inputs and outputs, the response how they went.
    fn calls(&self, response: &[Value], result: &Value, model: &str, told: &mut Vec<Told>) {
        let shown = response.iter().filter(|item| text(item, "kind") == "toolInvocationSerialized");
        let mut shown: BTreeMap<&str, &Value> =
            shown.map(|item| (own_id(text(item, "toolCallId")), item)).collect();
        let rounds = result.pointer("/metadata/toolCallRounds").and_then(Value::as_array);
        let calls =
            rounds.into_iter().flatten().filter_map(|round| round.get("toolCalls")?.as_array()).flatten();
        for call in calls {
            let id = text(call, "id");
            let outcome = result.pointer("/metadata/toolCallResults").and_then(|results| results.get(id));
            let input = call.get("arguments").map(json_text).unwrap_or_default();
            let item = shown.remove(own_id(id));
            self.call(own_id(id), text(call, "name"), input, item, outcome, model, told);
        }
        // In the order of the response, those that no round has.
        for item in response.iter().filter(|item| text(item, "kind") == "toolInvocationSerialized") {
            let id = own_id(text(item, "toolCallId"));
            if shown.remove(id).is_some() {
                self.call(id, text(item, "toolId"), input_of(item), Some(item), None, model, told);
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "what two places of a file say of one call")]
    fn call(
        &self,
        id: &str,
        tool: &str,
        input: String,
        item: Option<&Value>,
        outcome: Option<&Value>,
        model: &str,
        told: &mut Vec<Told>,
    ) {
        if id.is_empty() {
            return;
        }
        let of_call = |kind: Kind| SessionEvent {
            fact_key: id.to_owned(),
            tool_call_id: id.to_owned(),
            tool: tool.to_owned(),
            model: model.to_owned(),
            ..self.head.event(kind)
        };
        let input = if input.is_empty() { item.map(input_of).unwrap_or_default() } else { input };
        let cwd = directory::of_arguments(&input).unwrap_or_default();
        let mut events = vec![SessionEvent { input, cwd, ..of_call(Kind::ToolCall) }];
        let item = item.unwrap_or(&Value::Null);
        let refused = match item.get("isConfirmed") {
            Some(Value::Bool(false)) => Some("user_reject"),
            Some(confirmed) => match confirmed.get("type").and_then(Value::as_i64) {
                Some(DENIED) => Some("user_reject"),
                Some(SKIPPED) => Some("skipped"),
                _ => None,
            },
            None => None,
        };
        let code = item.pointer("/toolSpecificData/terminalCommandState/exitCode").and_then(Value::as_i64);
        let is_error = item.pointer("/resultDetails/isError").and_then(Value::as_bool) == Some(true);
        let is_over = outcome.is_some() || item.get("isComplete").and_then(Value::as_bool) == Some(true);
        if let Some(source) = refused {
            events.push(SessionEvent {
                decision: Decision::Reject,
                decision_source: source.to_owned(),
                seq: 1,
                ..of_call(Kind::Decision)
            });
        } else if is_over {
            let mut texts = Vec::new();
            let output = outcome.or_else(|| item.pointer("/resultDetails/output"));
            output.into_iter().for_each(|output| texts_in(output, &mut texts));
            let output = texts.concat();
            let failed = is_error || code.is_some_and(|code| code != 0) || output.starts_with("ERROR:");
            let known = outcome.is_some() || code.is_some() || is_error;
            let status = match (failed, known) {
                (true, _) => Status::Error,
                (false, true) => Status::Ok,
                (false, false) => Status::Unknown,
            };
            events.push(SessionEvent { status, output, seq: 1, ..of_call(Kind::ToolResult) });
        }
        told.push(Told { origin: super::talk::origin(id, "call"), events });
    }
}

/// The place in an object that a path names; it is made where it is not there yet.
fn at<'v>(value: &'v mut Value, path: &[Value]) -> Option<&'v mut Value> {
    path.iter().try_fold(value, |value, step| match step {
        Value::String(name) => {
            if value.is_null() {
                *value = Value::Object(serde_json::Map::new());
            }
            Some(value.as_object_mut()?.entry(name.clone()).or_insert(Value::Null))
        }
        step => {
            let place = usize::try_from(step.as_u64()?).ok()?;
            let items = value.as_array_mut()?;
            if place == items.len() && place < MOST_ITEMS {
                items.push(Value::Null);
            }
            items.get_mut(place)
        }
    })
}

fn own_id(id: &str) -> &str {
    id.split_once(SUFFIX).map_or(id, |(id, _)| id)
}

/// What a call was given, as far as the response shows it.
fn input_of(item: &Value) -> String {
    let line = ["/toolSpecificData/commandLine/original", "/toolSpecificData/command"];
    if let Some(command) = line.iter().find_map(|path| item.pointer(path)?.as_str()) {
        return Value::from_iter([("command", command)]).to_string();
    }
    let raw = item.pointer("/toolSpecificData/rawInput").or_else(|| item.pointer("/resultDetails/input"));
    raw.map(json_text).unwrap_or_default()
}

/// The words of a result: plain, or in the tree that the client lays them out in.
fn texts_in<'v>(value: &'v Value, texts: &mut Vec<&'v str>) {
    if texts.len() > MOST_TEXTS {
        return;
    }
    match value {
        Value::Array(values) => values.iter().for_each(|value| texts_in(value, texts)),
        Value::Object(members) => {
            for name in ["text", "value", "content", "node", "children"] {
                match members.get(name) {
                    Some(Value::String(words)) => texts.push(words),
                    Some(value) => texts_in(value, texts),
                    None => {}
                }
            }
        }
        _ => {}
    }
}

impl Reader for VsCode {
    fn read(&mut self, value: Value, _told: &mut Vec<Told>) {
        self.change(value);
        if self.head.now.is_unset() {
            self.head.now = time(self.session.get("creationDate"));
        }
    }

    fn end(&mut self, told: &mut Vec<Told>) {
        let session = std::mem::take(&mut self.session);
        self.tell(&session, told);
    }

    fn folder(&self) -> &str {
        &self.head.cwd
    }
}
