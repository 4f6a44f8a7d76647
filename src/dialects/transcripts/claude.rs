//! Claude Code's files: `<session>.jsonl`, and `agent-<id>.jsonl` of its sub-agents.
//!
//! A line is a message or a note of the client; an answer of the model fills a line for each of its blocks.
//!
//! | kind | fact key | from |
//! |---|---|---|
//! | `session_start` | the session's id | the first line that has one |
//! | `prompt` | `promptId`, else the line's `uuid`; of a sub-agent with its id | `user`; what was typed while a tool ran from `attachment` |
//! | `tool_call` | the call's id | `assistant` |
//! | `tool_result`, `decision` | the call's id | the `tool_result` of a `user` line |
//! | `response` | `requestId`, else the `uuid` of its first text | `assistant` |
//! | `error` | the same | `assistant` of the model `<synthetic>` |
//! | `skill_use` | the call's id | a call of `Skill` that worked |
//!
//! A line in another session with the same `uuid` is a copy: a fork takes the whole conversation with it. A
//! sub-agent's lines carry the session of its parent, where its facts belong.

use std::collections::BTreeSet;

use serde_json::Value;

use super::talk::{self, Head, Waiting, answered, json_text, learn, text, words};
use super::{Place, Reader, Told, start};
use crate::dialects::claude_code::bodies::usage;
use crate::event::history::digest;
use crate::event::tokens::Counts;
use crate::event::{Decision, Kind, SessionEvent, Status, USAGE};
use crate::shell::machine::{self, Heard};

/// The file of a sub-agent begins so.
const AGENT_FILE: &str = "agent-";
/// What the client puts in the place of a model's name.
const SYNTHETIC: &str = "<synthetic>";
const SKILL_TOOL: &str = "Skill";
const SIBLING_FAILED: &str = "Sibling tool call errored";
/// How a result reads that the client's own rules did not allow.
const NOT_ALLOWED: &[&str] = &[
    "This command requires approval",
    "Claude requested permissions to ",
    "Permission to use ",
    "[Tool call skipped",
];
/// Before what a hook said that did not allow a call, and behind the hook's name.
const OF_A_HOOK: (&str, &str) = ("PreToolUse:", " hook error: ");
/// What lines of newer versions say of calls that a person stopped; any other word is of the client's own rules.
const BY_A_PERSON: &[&str] = &["", "user-rejected", "interrupted", "cancelled"];
/// What a person typed has this origin, where a line says its origin at all.
const HUMAN: &str = "human";
/// Texts that others than people put into the conversation and that tell something none the less.
const NOTIFICATION: &str = "<task-notification";

/// A reader of one file.
pub(super) struct Claude {
    place: Place,
    head: Head,
    model: String,
    is_started: bool,
    waiting: Waiting,
    reply: Option<Reply>,
    /// Of what was typed while a tool ran, which may come again as a message.
    queued: BTreeSet<String>,
}

/// An answer whose blocks come line by line.
struct Reply {
    /// What its lines have in common.
    id: String,
    key: String,
    origin: String,
    texts: Vec<String>,
    usage: Counts,
    event: SessionEvent,
}

impl Claude {
    pub(super) fn new(place: Place) -> Self {
        let agent = place.name.strip_prefix(AGENT_FILE).unwrap_or_default().to_owned();
        let session = if agent.is_empty() { place.name.clone() } else { String::new() };
        Self {
            head: Head { session, agent, ..Head::default() },
            place,
            model: String::new(),
            is_started: false,
            waiting: Waiting::default(),
            reply: None,
            queued: BTreeSet::new(),
        }
    }

    /// What every line says.
    fn note(&mut self, line: &Value, told: &mut Vec<Told>) {
        for (known, name) in [(&mut self.head.cwd, "cwd"), (&mut self.head.version, "version")] {
            learn(known, text(line, name));
        }
        learn(&mut self.head.session, text(line, "sessionId"));
        self.head.now = talk::time(line.get("timestamp"));
        let is_sidechain = line.get("isSidechain").and_then(Value::as_bool) == Some(true);
        if is_sidechain && self.head.agent.is_empty() {
            text(line, "agentId").clone_into(&mut self.head.agent);
        }
        // The line that tells where a session takes place comes with the session's first message.
        let is_message = matches!(text(line, "type"), "user" | "assistant");
        if is_message && !self.is_started && self.head.agent.is_empty() && !self.head.session.is_empty() {
            self.is_started = true;
            let event = start(&self.head.session, self.head.event(Kind::SessionStart));
            let origin = origin(line, "start");
            told.push(Told { origin, events: vec![SessionEvent { turn_id: String::new(), ..event }] });
        }
    }

    fn user(&mut self, line: &Value, told: &mut Vec<Told>) {
        let content = line.pointer("/message/content").unwrap_or(&Value::Null);
        let blocks = content.as_array().map(Vec::as_slice).unwrap_or_default();
        let results: Vec<&Value> =
            blocks.iter().filter(|block| text(block, "type") == "tool_result").collect();
        for result in &results {
            self.result(line, result, told);
        }
        if !results.is_empty() || is_of_the_client(line) {
            return;
        }
        let said = words(content);
        let is_human = line.pointer("/origin/kind").and_then(Value::as_str).is_none_or(|kind| kind == HUMAN);
        if said.trim().is_empty() || !is_human && !said.trim_start().starts_with(NOTIFICATION) {
            return;
        }
        if text(line, "promptSource") == "queued" && self.queued.remove(&digest(&said)) {
            return;
        }
        let heard = machine::hear(&said);
        if heard == Heard::Machine {
            return;
        }
        let of_line = text(line, "uuid");
        let prompt = text(line, "promptId");
        let key = if prompt.is_empty() || !matches!(heard, Heard::Words(_)) { of_line } else { prompt };
        self.prompt(line, key, &said, told);
    }

    fn prompt(&mut self, line: &Value, key: &str, said: &str, told: &mut Vec<Told>) {
        if matches!(machine::hear(said), Heard::Words(_)) {
            key.clone_into(&mut self.head.turn);
        }
        let fact_key =
            if self.head.agent.is_empty() { key.to_owned() } else { format!("{key}:{}", self.head.agent) };
        let event = SessionEvent { fact_key, text: said.to_owned(), ..self.head.event(Kind::Prompt) };
        told.push(Told { origin: origin(line, "prompt"), events: vec![event] });
    }

    /// What a person typed while a tool ran.
    fn attachment(&mut self, line: &Value, told: &mut Vec<Told>) {
        let Some(attachment) = line.get("attachment").filter(|it| text(it, "type") == "queued_command")
        else {
            return;
        };
        let said = words(attachment.get("prompt").unwrap_or(&Value::Null));
        let is_human =
            attachment.pointer("/origin/kind").and_then(Value::as_str).is_none_or(|kind| kind == HUMAN);
        let mode = text(attachment, "commandMode");
        let is_prompt = mode.is_empty() || mode == "prompt" || said.trim_start().starts_with(NOTIFICATION);
        if said.trim().is_empty() || !is_prompt || !(is_human || said.trim_start().starts_with(NOTIFICATION))
        {
            return;
        }
        // Telemetry knows it by the first of them.
        let own = [
            text(attachment, "source_uuid"),
            text(attachment, "promptId"),
            text(line, "promptId"),
            text(line, "uuid"),
        ];
        let key = own.into_iter().find(|id| !id.is_empty() && *id != self.head.turn).map(str::to_owned);
        let key = key.unwrap_or_else(|| format!("queued:{}", digest(&said)));
        if self.queued.len() < 1_000 {
            self.queued.insert(digest(&said));
        }
        self.prompt(line, &key, &said, told);
    }

    fn assistant(&mut self, line: &Value, told: &mut Vec<Told>) {
        let Some(message) = line.get("message") else { return };
        let model = text(message, "model");
        let request = text(line, "requestId");
        let key = if request.is_empty() { text(line, "uuid") } else { request };
        let blocks = message.get("content").unwrap_or(&Value::Null);
        if model == SYNTHETIC {
            self.finish_reply(told);
            let is_error = line.get("isApiErrorMessage").and_then(Value::as_bool) == Some(true);
            let said = words(blocks);
            if is_error && !said.is_empty() {
                let event = self.head.event(Kind::Error);
                let event = SessionEvent { fact_key: key.to_owned(), text: said, ..event };
                told.push(Told { origin: origin(line, "error"), events: vec![event] });
            }
            return;
        }
        model.clone_into(&mut self.model);
        // Some gateways give every answer one id; what lies between two answers tells them apart.
        let id = format!("{}:{request}", text(message, "id"));
        if self.reply.as_ref().is_none_or(|reply| reply.id != id) {
            self.finish_reply(told);
            self.reply = Some(Reply {
                id,
                key: key.to_owned(),
                origin: origin(line, "reply"),
                texts: Vec::new(),
                usage: Counts::default(),
                event: SessionEvent { model: model.to_owned(), ..self.head.event(Kind::Response) },
            });
        }
        for block in blocks.as_array().into_iter().flatten() {
            if text(block, "type") == "tool_use" {
                self.call(line, block, told);
            }
        }
        let Some(reply) = &mut self.reply else { return };
        let spoken = blocks.as_array().into_iter().flatten().filter(|block| text(block, "type") == "text");
        let spoken: Vec<String> = spoken.map(|block| text(block, "text").to_owned()).collect();
        let alone = blocks.as_str().map(str::to_owned);
        for said in spoken.into_iter().chain(alone).filter(|said| !said.trim().is_empty()) {
            if reply.texts.is_empty() && request.is_empty() {
                text(line, "uuid").clone_into(&mut reply.key);
            }
            reply.texts.push(said);
        }
        let counts = usage(message);
        if counts.output >= reply.usage.output {
            reply.usage = counts;
        }
    }

    fn call(&mut self, line: &Value, block: &Value, told: &mut Vec<Told>) {
        let id = text(block, "id");
        let call = SessionEvent {
            fact_key: id.to_owned(),
            tool_call_id: id.to_owned(),
            tool: text(block, "name").to_owned(),
            input: block.get("input").map(json_text).unwrap_or_default(),
            ..self.head.event(Kind::ToolCall)
        };
        if id.is_empty() {
            told.push(Told { origin: origin(line, "call"), events: vec![call] });
        } else {
            self.waiting.made(origin(line, id), call, told);
        }
    }

    fn result(&mut self, line: &Value, block: &Value, told: &mut Vec<Told>) {
        let id = text(block, "tool_use_id");
        if id.is_empty() {
            return;
        }
        let output = words(block.get("content").unwrap_or(&Value::Null));
        let failed = block.get("is_error").and_then(Value::as_bool) == Some(true);
        let event = SessionEvent {
            fact_key: id.to_owned(),
            tool_call_id: id.to_owned(),
            ..self.head.event(Kind::ToolResult)
        };
        let of_rules = if failed { ruled_out(line, &output) } else { None };
        let result = match () {
            () if let Some(source) = of_rules => SessionEvent {
                kind: Kind::Decision,
                decision: Decision::Reject,
                decision_source: source.to_owned(),
                text: output,
                ..event
            },
            // It was cancelled because another one failed.
            () if failed && output.contains(SIBLING_FAILED) => {
                SessionEvent { status: Status::Unknown, output, ..event }
            }
            () => {
                let status = if failed { Status::Error } else { Status::Ok };
                SessionEvent { status, output, ..event }
            }
        };
        let worked = result.status == Status::Ok;
        let skill = self.waiting.get(id).filter(|call| worked && call.tool == SKILL_TOOL).and_then(|call| {
            let input: Value = serde_json::from_str(&call.input).unwrap_or_default();
            let named = ["skill", "command", "name"].into_iter().map(|name| text(&input, name));
            talk::skill_use(call, named.into_iter().find(|name| !name.is_empty())?)
        });
        answered(&mut self.waiting, origin(line, id), result, told);
        if let (Some(skill), Some(told)) = (skill, told.last_mut()) {
            told.events.push(skill);
        }
    }

    fn finish_reply(&mut self, told: &mut Vec<Told>) {
        let Some(Reply { key, origin, texts, usage, event, .. }) = self.reply.take() else { return };
        let tokens = usage.whole();
        if texts.is_empty() && tokens.is_nothing() || key.is_empty() {
            return;
        }
        // An answer that calls tools alone has no words, and costs as much.
        let fact_key = if texts.is_empty() { format!("{USAGE}{key}") } else { key };
        let event = tokens.in_event(SessionEvent { fact_key, text: texts.join("\n"), ..event });
        told.push(Told { origin, events: vec![event] });
    }
}

/// Who did not allow a call that failed, if it was no person: a hook, or the client's rules.
fn ruled_out(line: &Value, output: &str) -> Option<&'static str> {
    let (before, behind) = OF_A_HOOK;
    if output
        .strip_prefix(before)
        .and_then(|rest| rest.lines().next())
        .is_some_and(|first| first.contains(behind))
    {
        return Some("hook");
    }
    let is_said = !BY_A_PERSON.contains(&text(line, "toolDenialKind"));
    (is_said || NOT_ALLOWED.iter().any(|words| output.starts_with(words))).then_some("config")
}

/// The same in every copy of a line.
fn origin(line: &Value, what: &str) -> String {
    talk::origin(text(line, "uuid"), what)
}

/// A message in the user's role that the client wrote.
fn is_of_the_client(line: &Value) -> bool {
    ["isMeta", "isCompactSummary", "isVisibleInTranscriptOnly"]
        .iter()
        .any(|name| line.get(*name).and_then(Value::as_bool) == Some(true))
}

impl Reader for Claude {
    fn read(&mut self, value: Value, told: &mut Vec<Told>) {
        let kind = text(&value, "type");
        if kind != "assistant" && matches!(kind, "user" | "system" | "attachment") {
            self.finish_reply(told);
        }
        self.note(&value, told);
        match text(&value, "type") {
            "user" => self.user(&value, told),
            "assistant" => self.assistant(&value, told),
            "attachment" => self.attachment(&value, told),
            _ => {}
        }
    }

    fn end(&mut self, told: &mut Vec<Told>) {
        self.finish_reply(told);
        self.waiting.end(told);
    }

    fn folder(&self) -> &str {
        if self.head.cwd.is_empty() { &self.place.cwd } else { &self.head.cwd }
    }
}
