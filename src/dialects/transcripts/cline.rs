//! Files of Cline and what came of it: `api_conversation_history.json` of a task, a list of messages as the model
//! was sent them. Newer versions call tools natively, older ones write calls as elements in the words of an answer
//! and their results as `[tool for '…'] Result:`.
//!
//! Its command line keeps an object, `<session>.messages.json`, whose `messages` have ids, and results that say whether
//! they succeeded.
//!
//! | kind | fact key | from |
//! |---|---|---|
//! | `session_start` | the task's id | the list |
//! | `prompt` | the number of the message, and of the text in it | texts of the role `user` that a person wrote |
//! | `tool_call`, `tool_result`, `decision` | the call's id, else the number of the message | blocks `tool_use`, `tool_result`; elements in words |
//! | `response` | the number of the message | texts of the role `assistant` |
//!
//! A task's id is the time at which it began, in milliseconds; messages of newer versions have times of their own.

use serde_json::{Map, Value};

use super::talk::{Head, Waiting, answered, json_text, learn, text, words};
use super::{Place, Reader, Told, start};
use crate::dialects::directory;
use crate::event::{Kind, SessionEvent, Status, Timestamp};
use crate::shell::machine::{self, Heard};

/// The tools that older versions call by elements, with the first of their parameters.
const TOOLS: &[&str] = &[
    "execute_command",
    "read_file",
    "write_to_file",
    "replace_in_file",
    "apply_diff",
    "search_files",
    "list_files",
    "list_code_definition_names",
    "browser_action",
    "use_mcp_tool",
    "access_mcp_resource",
    "ask_followup_question",
    "new_task",
    "switch_mode",
];
/// How the result of such a call begins that failed.
const FAILED: &[&str] = &["Error executing", "The tool execution failed", "<error>", "Error: "];
/// The working directory in what is glued to a message.
const FOLDER: &[&str] = &["# Current Working Directory (", "# Current Workspace Directory ("];

/// The working directory in what the command line tells its model.
const DIRECTORY: &[&str] = &["Working Directory: "];
/// Around what a person typed, with the mode in which it was.
const TYPED: (&str, &str) = ("<user_input", "</user_input>");
/// The agent of the command line that is no sub-agent.
const LEAD: &str = "lead";

/// A reader of one file.
pub(super) struct Cline {
    head: Head,
    waiting: Waiting,
    /// The call that the last answer made in its words.
    spoken: Option<String>,
}

impl Cline {
    pub(super) fn new(place: Place) -> Self {
        let began = place.folder.parse::<i64>().ok().map(|milliseconds| milliseconds.saturating_mul(1_000));
        let now = began.map(Timestamp::from_micros).unwrap_or_default();
        Self {
            head: Head { session: place.folder, cwd: place.cwd, now, ..Head::default() },
            waiting: Waiting::default(),
            spoken: None,
        }
    }

    /// What the command line says of a session.
    fn session(&mut self, value: &Value) {
        learn(&mut self.head.session, text(value, "sessionId"));
        learn(
            &mut self.head.version,
            value.pointer("/origin/version").and_then(Value::as_str).unwrap_or_default(),
        );
        let agent = text(value, "agent");
        if agent != LEAD {
            agent.clone_into(&mut self.head.agent);
        }
        if let Some(folder) = directory::after(text(value, "system_prompt"), DIRECTORY) {
            self.head.cwd = folder;
        }
        self.head.pass(value.pointer("/messages/0/ts"));
    }

    fn event(&self, kind: Kind, number: usize) -> SessionEvent {
        SessionEvent { seq: i64::try_from(number).unwrap_or_default(), ..self.head.event(kind) }
    }

    fn message(&mut self, number: usize, message: &Value, told: &mut Vec<Told>) {
        self.head.pass(message.get("ts").or_else(|| message.get("timestamp")));
        let content = message.get("content").unwrap_or(&Value::Null);
        let alone = [Value::from(words(content))];
        let blocks = content.as_array().map_or(alone.as_slice(), Vec::as_slice);
        match text(message, "role") {
            "user" => {
                for (place, block) in blocks.iter().enumerate() {
                    self.of_user(number, place, block, told);
                }
            }
            "assistant" => self.of_assistant(number, blocks, told),
            _ => {}
        }
    }

    fn of_user(&mut self, number: usize, place: usize, block: &Value, told: &mut Vec<Told>) {
        if text(block, "type") == "tool_result" {
            let (output, unsuccessful) = outcome(block.get("content").unwrap_or(&Value::Null));
            let failed = unsuccessful || block.get("is_error").and_then(Value::as_bool) == Some(true);
            return self.result(number, text(block, "tool_use_id"), output, failed, told);
        }
        let said = typed(words(block));
        if self.head.cwd.is_empty()
            && let Some(rest) = FOLDER.iter().find_map(|mark| said.split_once(mark)).map(|(_, rest)| rest)
            && let Some((folder, _)) = rest.split_once(')')
        {
            folder.clone_into(&mut self.head.cwd);
        }
        let first = said.lines().next().unwrap_or_default();
        if first.starts_with('[') && first.contains("] Result:") {
            let output = said.split_once("] Result:").map(|(_, output)| output.trim().to_owned());
            if let (Some(call), Some(output)) = (self.spoken.take(), output) {
                self.result(number, &call, output, false, told);
            }
            return;
        }
        // The result of a call that was made in words stands in the text behind.
        if let Some(call) = self.spoken.take_if(|_| place == 1 && !said.contains("<environment_details>")) {
            return self.result(number, &call, said, false, told);
        }
        if !matches!(machine::hear(&said), Heard::Words(words) if !words.trim().is_empty()) {
            return;
        }
        let key = format!("{number}.{place}");
        key.clone_into(&mut self.head.turn);
        let event = SessionEvent { fact_key: key, text: said, ..self.event(Kind::Prompt, number) };
        told.push(Told { origin: String::new(), events: vec![event] });
    }

    fn of_assistant(&mut self, number: usize, blocks: &[Value], told: &mut Vec<Told>) {
        let spoken = blocks.iter().filter(|block| text(block, "type") != "thinking").map(words);
        let spoken = spoken.filter(|words| !words.trim().is_empty()).collect::<Vec<_>>().join("\n");
        let call = called(&spoken);
        let said = call.as_ref().map_or(spoken.as_str(), |call| call.before).trim();
        if !said.is_empty() {
            let event = SessionEvent {
                fact_key: number.to_string(),
                text: said.to_owned(),
                ..self.event(Kind::Response, number)
            };
            told.push(Told { origin: String::new(), events: vec![event] });
        }
        self.spoken = call.map(|call| {
            let id = format!("call{number}");
            self.call(number, &id, call.tool, Value::Object(call.parameters).to_string(), told);
            id
        });
        for block in blocks.iter().filter(|block| text(block, "type") == "tool_use") {
            let input = block.get("input").map(json_text).unwrap_or_default();
            self.call(number, text(block, "id"), text(block, "name"), input, told);
        }
    }

    fn call(&mut self, number: usize, id: &str, tool: &str, input: String, told: &mut Vec<Told>) {
        let event = SessionEvent {
            fact_key: id.to_owned(),
            tool_call_id: id.to_owned(),
            tool: tool.to_owned(),
            input,
            ..self.event(Kind::ToolCall, number)
        };
        if !id.is_empty() {
            self.waiting.made(String::new(), event, told);
        }
    }

    fn result(&mut self, number: usize, call: &str, output: String, failed: bool, told: &mut Vec<Told>) {
        if call.is_empty() {
            return;
        }
        let failed = failed || FAILED.iter().any(|words| output.starts_with(words));
        // A person's refusal is no success: else it would be taken for an output that says so.
        let refused = crate::shell::refusal::refusal(&output).is_some();
        let result = SessionEvent {
            fact_key: call.to_owned(),
            tool_call_id: call.to_owned(),
            status: match () {
                () if refused => Status::Unknown,
                () if failed => Status::Error,
                () => Status::Ok,
            },
            output,
            ..self.event(Kind::ToolResult, number)
        };
        let seq = result.seq;
        answered(&mut self.waiting, String::new(), result, told);
        if let Some(result) = told.last_mut().and_then(|told| told.events.last_mut()) {
            result.seq = seq;
        }
    }
}

/// What a person typed, without the element around it.
fn typed(said: String) -> String {
    let (open, close) = TYPED;
    let inner = said.split_once(open).and_then(|(_, rest)| rest.split_once('>')).map(|(_, rest)| rest);
    inner.and_then(|rest| rest.rsplit_once(close)).map(|(inner, _)| inner.to_owned()).unwrap_or(said)
}

/// The part of a call that the model received, and whether it says that the call failed.
fn outcome(content: &Value) -> (String, bool) {
    let parts = content.as_array().map(Vec::as_slice).unwrap_or_default();
    let told: Vec<&Value> =
        parts.iter().filter(|part| part.get("success").is_some_and(Value::is_boolean)).collect();
    if told.is_empty() {
        return (words(content), false);
    }
    let said = |part: &&Value| {
        let output = part.get("result").map(json_text).filter(|output| !output.is_empty());
        output.or_else(|| part.get("error").map(json_text))
    };
    let outputs: Vec<String> = told.iter().filter_map(said).collect();
    let failed = told.iter().any(|part| part.get("success").and_then(Value::as_bool) == Some(false));
    (outputs.join("\n"), failed)
}

/// A call that stands as an element in the words of an answer.
struct Called<'a> {
    before: &'a str,
    tool: &'static str,
    parameters: Map<String, Value>,
}

fn called(said: &str) -> Option<Called<'_>> {
    let (tool, before, rest) = TOOLS.iter().find_map(|tool| {
        let (before, rest) = said.split_once(&format!("<{tool}>"))?;
        Some((*tool, before, rest.split_once(&format!("</{tool}>"))?.0))
    })?;
    let mut parameters = Map::new();
    let mut rest = rest;
    while let Some((_, after)) = rest.split_once('<') {
        let Some((name, after)) = after.split_once('>') else { break };
        let Some((value, after)) = after.split_once(&format!("</{name}>")) else {
            rest = after;
            continue;
        };
        parameters.insert(name.to_owned(), value.trim().into());
        rest = after;
    }
    Some(Called { before, tool, parameters })
}

impl Reader for Cline {
    fn read(&mut self, value: Value, told: &mut Vec<Told>) {
        let of_command_line = value.get("messages").and_then(Value::as_array);
        let Some(messages) = of_command_line.or_else(|| value.as_array()).filter(|it| !it.is_empty()) else {
            return;
        };
        if of_command_line.is_some() {
            self.session(&value);
        }
        let event = start(&self.head.session, self.event(Kind::SessionStart, 0));
        told.push(Told { origin: String::new(), events: vec![event] });
        for (number, message) in messages.iter().enumerate() {
            self.message(number, message, told);
        }
    }

    fn end(&mut self, told: &mut Vec<Told>) {
        self.waiting.end(told);
    }

    fn folder(&self) -> &str {
        &self.head.cwd
    }
}
