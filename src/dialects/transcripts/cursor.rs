//! Cursor's sessions: the composers and bubbles in the database of its editor, the messages in that of its agent on the
//! command line, and the transcripts beside them, which lack results, times and folders. From public parsers of them; not
//! run here.
//!
//! | kind | fact key | from |
//! |---|---|---|
//! | `session_start` | `session_start`, as its hooks have it | the composer; `meta` |
//! | `prompt` | the bubble's id | bubbles of the type 1; messages of the role `user` |
//! | `tool_call`, `tool_result` | the call's id, else the bubble's | `toolFormerData`; `tool-call`, `tool-result` |
//! | `decision` | the same | a call whose `userDecision` is `rejected` |
//! | `response` | the bubble's id | bubbles of the type 2; messages of the role `assistant` |
//!
//! A message has no id of its own, so that of two sessions that say the same none is known to be a copy. A bubble has one.
//!
//! Its hooks key prompts and answers by a generation that no store has; these are found to be the same by their words.

use serde_json::Value;

use super::talk::{Head, Waiting, answered, json_text, learn, origin, percent_decoded, text, words};
use super::{Place, Reader, Told, start};
use crate::dialects::directory;
use crate::event::history::digest;
use crate::event::tokens::Counts;
use crate::event::{Decision, Kind, SessionEvent, Status, Timestamp};
use crate::shell::refusal;
use crate::shell::status::code;

const PERSON: i64 = 1;
const ASSISTANT: i64 = 2;
const EXIT_CODES: &[&str] = &["/exitCode", "/exitCodeV2", "/exit_code"];
const QUERY: (&str, &str) = ("<user_query>", "</user_query>");
/// The words before the folder in the description of the workspace that the agent receives.
const FOLDER: &[&str] = &["Workspace Path:", "workspace path:"];

/// A reader of one session.
pub(super) struct Cursor {
    head: Head,
    model: String,
    waiting: Waiting,
    is_started: bool,
    /// When the composer was made. Most are never used; those are no sessions.
    created: Timestamp,
    /// Messages without an id: how many there were.
    number: u64,
}

impl Cursor {
    pub(super) fn new(place: Place) -> Self {
        // The agent's database is called as those of all its sessions are; its folder has the id.
        let session = if place.name == "store" { place.folder } else { place.name };
        Self {
            head: Head { session, cwd: place.cwd, now: place.written, ..Head::default() },
            model: String::new(),
            waiting: Waiting::default(),
            is_started: false,
            created: Timestamp::default(),
            number: 0,
        }
    }

    fn begin(&mut self, told: &mut Vec<Told>) {
        if !std::mem::replace(&mut self.is_started, true) {
            let event = start(Kind::SessionStart.as_str(), self.head.event(Kind::SessionStart));
            let timestamp = if self.created.is_unset() { event.timestamp } else { self.created };
            told.push(Told { origin: String::new(), events: vec![SessionEvent { timestamp, ..event }] });
        }
    }

    fn composer(&mut self, composer: &Value, told: &mut Vec<Told>) {
        let folder = composer.pointer("/workspaceIdentifier/uri/fsPath").and_then(Value::as_str);
        learn(&mut self.head.cwd, folder.unwrap_or_default());
        let model = composer.pointer("/modelConfig/modelName").and_then(Value::as_str);
        learn(&mut self.model, model.filter(|model| *model != "default").unwrap_or_default());
        if composer.get("subagentInfo").is_some_and(Value::is_object) {
            self.head.agent = self.head.session.clone();
        }
        self.head.pass(composer.get("createdAt"));
        self.created = self.head.now;
        // Older versions have the whole conversation in place.
        for bubble in composer.get("conversation").and_then(Value::as_array).into_iter().flatten() {
            self.bubble(text(bubble, "bubbleId"), bubble, told);
        }
    }

    fn bubble(&mut self, id: &str, bubble: &Value, told: &mut Vec<Told>) {
        self.head.pass(bubble.get("createdAt"));
        self.begin(told);
        let uri = bubble.pointer("/workspaceUris/0").and_then(Value::as_str);
        if let Some(folder) =
            uri.and_then(|uri| uri.strip_prefix("file://")).filter(|_| self.head.cwd.is_empty())
        {
            self.head.cwd = percent_decoded(folder);
        }
        let model = bubble.pointer("/modelInfo/modelName").and_then(Value::as_str);
        let model =
            model.filter(|model| *model != "default").map_or_else(|| self.model.clone(), str::to_owned);
        let said = text(bubble, "text").to_owned();
        match bubble.get("type").and_then(Value::as_i64) {
            Some(PERSON) => self.prompt(id, origin(id, "prompt"), said, told),
            Some(ASSISTANT) => {
                if let Some(call) = bubble.get("toolFormerData").filter(|call| call.is_object()) {
                    self.tool(id, call, &model, told);
                }
                let count = |name: &str| bubble.pointer(name).and_then(Value::as_i64).unwrap_or_default();
                let counts = Counts {
                    input: count("/tokenCount/inputTokens"),
                    output: count("/tokenCount/outputTokens"),
                    ..Counts::default()
                };
                self.response(id, origin(id, "reply"), (said, counts), model, told);
            }
            _ => {}
        }
    }

    fn prompt(&mut self, id: &str, origin: String, said: String, told: &mut Vec<Told>) {
        if said.trim().is_empty() {
            return;
        }
        id.clone_into(&mut self.head.turn);
        let event = SessionEvent { fact_key: id.to_owned(), text: said, ..self.head.event(Kind::Prompt) };
        told.push(Told { origin, events: vec![event] });
    }

    fn response(
        &mut self,
        id: &str,
        origin: String,
        (said, counts): (String, Counts),
        model: String,
        told: &mut Vec<Told>,
    ) {
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
        told.push(Told { origin, events: vec![event] });
    }

    /// A call, and its outcome once the outcome is there.
    fn tool(&mut self, id: &str, call: &Value, model: &str, told: &mut Vec<Told>) {
        let name = text(call, "name");
        let key = [text(call, "toolCallId"), id].into_iter().find(|key| !key.is_empty()).unwrap_or_default();
        if name.is_empty() || key.is_empty() {
            return;
        }
        let of_call = |kind: Kind| SessionEvent {
            fact_key: key.to_owned(),
            tool_call_id: key.to_owned(),
            tool: name.to_owned(),
            model: model.to_owned(),
            ..self.head.event(kind)
        };
        let input =
            ["rawArgs", "params"].iter().map(|name| call.get(*name).map(json_text).unwrap_or_default());
        let input = input.into_iter().find(|input| !input.is_empty() && input != "{}").unwrap_or_default();
        let cwd = directory::of_arguments(&input).unwrap_or_default();
        let mut events = vec![SessionEvent { input, cwd, ..of_call(Kind::ToolCall) }];
        let result = call.get("result").map(json_text).unwrap_or_default();
        let returned: Value = serde_json::from_str(&result).unwrap_or_default();
        let failure = call.get("error").map(json_text).unwrap_or_default();
        let status = text(call, "status");
        let is_rejected = text(call, "userDecision") == "rejected"
            || returned.get("rejected").and_then(Value::as_bool) == Some(true)
            || status == "rejected";
        let failed = matches!(status, "error" | "failed")
            || call.pointer("/additionalData/status").and_then(Value::as_str) == Some("error")
            || !failure.is_empty() && failure != "{}"
            || code::in_json(&returned, EXIT_CODES).is_some_and(|code| code != 0);
        let is_over = failed || !result.is_empty() || status == "completed";
        if is_rejected {
            events.push(SessionEvent {
                decision: Decision::Reject,
                decision_source: "user_reject".to_owned(),
                text: refusal::words_of(&result).unwrap_or_default(),
                seq: 1,
                ..of_call(Kind::Decision)
            });
        } else if status == "cancelled" {
            events.push(SessionEvent {
                decision: Decision::Reject,
                decision_source: "user_abort".to_owned(),
                seq: 1,
                ..of_call(Kind::Decision)
            });
        } else if is_over {
            let status = if failed { Status::Error } else { Status::Ok };
            let output = returned.get("output").and_then(Value::as_str).map_or(result, str::to_owned);
            let output = if output.is_empty() { failure } else { output };
            events.push(SessionEvent { status, output, seq: 1, ..of_call(Kind::ToolResult) });
        }
        told.push(Told { origin: origin(id, "call"), events });
    }

    /// What the agent on the command line keeps of itself: hexadecimal JSON.
    fn meta(&mut self, value: &str, told: &mut Vec<Told>) {
        let bytes: Option<Vec<u8>> = (0..value.len() / 2)
            .map(|at| u8::from_str_radix(value.get(2 * at..2 * at + 2)?, 16).ok())
            .collect();
        let meta: Value = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        learn(&mut self.head.session, text(&meta, "agentId"));
        learn(
            &mut self.model,
            Some(text(&meta, "lastUsedModel")).filter(|it| *it != "default").unwrap_or_default(),
        );
        self.head.pass(meta.get("createdAt"));
        self.begin(told);
    }

    /// A message in the form of a model's API, of the agent's database or a transcript.
    fn message(&mut self, role: &str, content: &Value, told: &mut Vec<Told>) {
        self.begin(told);
        self.number += 1;
        let said = words(content);
        let id = format!("{}:{}", self.number, digest(&said));
        let blocks = content.as_array().map(Vec::as_slice).unwrap_or_default();
        match role {
            "user" => {
                if let Some(folder) = directory::after(&said, FOLDER).filter(|_| self.head.cwd.is_empty()) {
                    self.head.cwd = folder;
                }
                if let Some(said) = asked(&said) {
                    self.prompt(&id, String::new(), said, told);
                }
            }
            "assistant" => {
                let said = (said, Counts::default());
                self.response(&id, String::new(), said, self.model.clone(), told);
                for (place, block) in blocks.iter().enumerate() {
                    if matches!(text(block, "type"), "tool-call" | "tool_use") {
                        self.call(&format!("{id}:{place}"), block, told);
                    }
                }
            }
            "tool" => blocks.iter().for_each(|block| self.result(block, told)),
            _ => {}
        }
    }

    fn call(&mut self, id: &str, block: &Value, told: &mut Vec<Told>) {
        let either = |names: [&str; 3]| {
            names.into_iter().find_map(|name| Some(text(block, name)).filter(|it| !it.is_empty()))
        };
        let key = either(["toolCallId", "id", ""]).unwrap_or(id);
        let input = block.get("args").or_else(|| block.get("input")).map(json_text).unwrap_or_default();
        let event = SessionEvent {
            fact_key: key.to_owned(),
            tool_call_id: key.to_owned(),
            tool: either(["toolName", "name", ""]).unwrap_or_default().to_owned(),
            cwd: directory::of_arguments(&input).unwrap_or_default(),
            input,
            model: self.model.clone(),
            ..self.head.event(Kind::ToolCall)
        };
        self.waiting.made(String::new(), event, told);
    }

    fn result(&mut self, block: &Value, told: &mut Vec<Told>) {
        let key = text(block, "toolCallId");
        if key.is_empty() {
            return;
        }
        let output = block
            .get("result")
            .map(|result| if result.is_array() { words(result) } else { json_text(result) });
        let output = output.unwrap_or_default();
        let event = SessionEvent {
            fact_key: key.to_owned(),
            tool_call_id: key.to_owned(),
            ..self.head.event(Kind::ToolResult)
        };
        let event = if refusal::refusal(&output).is_some() {
            SessionEvent {
                kind: Kind::Decision,
                decision: Decision::Reject,
                decision_source: "user_reject".to_owned(),
                text: refusal::words_of(&output).unwrap_or_default(),
                ..event
            }
        } else {
            let code = output
                .lines()
                .next()
                .and_then(|line| line.strip_prefix("Exit code: ")?.trim().parse::<i64>().ok());
            let failed = block.get("isError").and_then(Value::as_bool) == Some(true)
                || code.is_some_and(|code| code != 0);
            SessionEvent { status: if failed { Status::Error } else { Status::Ok }, output, ..event }
        };
        answered(&mut self.waiting, String::new(), event, told);
    }
}

/// What a person asked, in a message that may say other things around it.
fn asked(said: &str) -> Option<String> {
    let (begin, end) = QUERY;
    if let Some((_, rest)) = said.split_once(begin) {
        let query = rest.split_once(end).map_or(rest, |(query, _)| query).trim();
        return (!query.is_empty()).then(|| query.to_owned());
    }
    // What the client tells the agent of its surroundings.
    (!said.trim_start().starts_with('<')).then(|| said.to_owned())
}

impl Reader for Cursor {
    fn read(&mut self, value: Value, told: &mut Vec<Told>) {
        let nothing = Value::Null;
        match text(&value, "row") {
            "cursorDiskKV" => {
                let said = value.get("value").unwrap_or(&nothing);
                match text(&value, "key").split(':').collect::<Vec<_>>().as_slice() {
                    ["composerData", id] => {
                        learn(&mut self.head.session, id);
                        self.composer(said, told);
                    }
                    ["bubbleId", _, id] => self.bubble(id, said, told),
                    _ => {}
                }
            }
            "meta" => self.meta(text(&value, "value"), told),
            "blobs" => {
                let message = value.get("data").unwrap_or(&nothing);
                self.message(text(message, "role"), message.get("content").unwrap_or(&nothing), told);
            }
            _ => {
                let content = value.pointer("/message/content").unwrap_or(&nothing);
                if !text(&value, "role").is_empty() {
                    self.message(text(&value, "role"), content, told);
                }
            }
        }
    }

    fn end(&mut self, told: &mut Vec<Told>) {
        self.waiting.end(told);
    }

    fn folder(&self) -> &str {
        &self.head.cwd
    }
}
