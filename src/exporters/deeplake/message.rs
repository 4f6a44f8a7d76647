//! The JSON of one message, in the shapes that the reference's hooks give it, assistant by assistant.
//!
//! Fields that hooks have and telemetry lacks (`transcript_path`, `agent_type`) are absent, as they are for clients
//! whose hooks lack them. Arguments and results of tools are JSON *texts* within the JSON.

use serde_json::{Map, Value, json};

use super::storable::storable;
use crate::event::{SessionEvent, Status, Timestamp};
use crate::table::Session;

/// How the reference names an assistant and the hooks that its rows came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Assistant {
    /// The row's `agent`.
    pub(super) agent: String,
    dialect: Dialect,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    ClaudeCode,
    Codex,
    Cursor,
    Hermes,
    OpenClaw,
    Pi,
}

/// What a row tells of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Said<'a> {
    /// A person's prompt.
    Prompt(&'a SessionEvent),
    /// A tool call and its outcome, either of which may be unknown.
    Tool {
        /// The call.
        call: Option<&'a SessionEvent>,
        /// Its result.
        result: Option<&'a SessionEvent>,
    },
    /// The assistant's text.
    Response(&'a SessionEvent),
}

/// The fields of a message beside its text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) id: &'a str,
    pub(super) session: &'a Session,
    pub(super) time: Timestamp,
    /// The working directory, `""` if unknown.
    pub(super) cwd: &'a str,
    /// The model that the turn asked, `""` if unknown.
    pub(super) model: &'a str,
}

impl Assistant {
    /// By the name that sessions bear.
    pub(super) fn named(name: &str) -> Self {
        let dialect = match name {
            "codex" => Dialect::Codex,
            "cursor" => Dialect::Cursor,
            "hermes" => Dialect::Hermes,
            "openclaw" => Dialect::OpenClaw,
            "pi" => Dialect::Pi,
            _ => Dialect::ClaudeCode,
        };
        let agent = if name.is_empty() { "unknown".to_owned() } else { name.replace('-', "_") };
        Self { agent: storable(&agent).into_owned(), dialect }
    }

    /// The hook that such a row comes from: the row's `description`.
    pub(super) const fn hook(&self, said: Said<'_>) -> &'static str {
        let [prompt, tool, response] = match self.dialect {
            Dialect::ClaudeCode | Dialect::Codex => ["UserPromptSubmit", "PostToolUse", "Stop"],
            Dialect::Cursor => ["beforeSubmitPrompt", "postToolUse", "afterAgentResponse"],
            Dialect::Hermes => ["pre_llm_call", "post_tool_call", "post_llm_call"],
            Dialect::OpenClaw => ["user", "tool", "assistant"],
            Dialect::Pi => ["input", "tool_result", "message_end"],
        };
        match said {
            Said::Prompt(_) => prompt,
            Said::Tool { .. } => tool,
            Said::Response(event)
                if matches!(self.dialect, Dialect::ClaudeCode) && !event.agent.is_empty() =>
            {
                "SubagentStop"
            }
            Said::Response(_) => response,
        }
    }

    /// The message.
    pub(super) fn message(&self, said: Said<'_>, context: Context<'_>) -> Map<String, Value> {
        let event = said.event();
        let mut message = Message(Map::new());
        message.text("id", context.id);
        message.text("session_id", &context.session.id);
        message.text("timestamp", &context.time.to_iso_millis());
        message.text("hook_event_name", self.hook(said));
        // Cursor's hooks always name one.
        if self.dialect == Dialect::Cursor {
            message.text("cwd", context.cwd);
        } else {
            message.known("cwd", context.cwd);
        }
        match self.dialect {
            Dialect::ClaudeCode => {
                let mode = event.and_then(|event| event.attributes.get("permission_mode"));
                message.known("permission_mode", mode.and_then(Value::as_str).unwrap_or_default());
                message.known("agent_id", event.map_or("", |event| event.agent.as_str()));
            }
            Dialect::Codex => {
                message.known("model", context.model);
                message.known("turn_id", event.map_or("", |event| event.turn_id.as_str()));
            }
            Dialect::Cursor => message.known("model", context.model),
            Dialect::Hermes | Dialect::OpenClaw | Dialect::Pi => {}
        }
        match said {
            Said::Prompt(event) => message.said("user_message", &event.text),
            Said::Response(event) => {
                message.said("assistant_message", &event.text);
                message.known("model", &event.model);
                message.usage(event);
            }
            Said::Tool { call, result } => self.tool(&mut message, call, result),
        }
        message.0
    }

    fn tool(&self, message: &mut Message, call: Option<&SessionEvent>, result: Option<&SessionEvent>) {
        let known = |column: fn(&SessionEvent) -> &String| {
            let mut texts = [call, result].into_iter().flatten().map(|event| column(event).as_str());
            texts.find(|text| !text.is_empty()).unwrap_or_default()
        };
        message.text("type", "tool_call");
        message.text("tool_name", known(|event| &event.tool));
        if self.dialect == Dialect::Pi {
            message.known("tool_call_id", known(|event| &event.tool_call_id));
            let failed = result.is_some_and(|result| result.status == Status::Error);
            message.0.insert("is_error".to_owned(), json!(failed));
        } else {
            message.known("tool_use_id", known(|event| &event.tool_call_id));
        }
        let input = known(|event| &event.input);
        if !input.is_empty() {
            message.text("tool_input", &as_json(input));
        }
        if let Some(result) = result {
            // Cursor's hook hands its output over as a text, and so it is stored.
            let is_text = self.dialect == Dialect::Cursor;
            let output = if is_text { result.output.clone() } else { as_json(&result.output) };
            message.text("tool_response", &output);
        }
    }
}

impl<'a> Said<'a> {
    fn event(self) -> Option<&'a SessionEvent> {
        match self {
            Self::Prompt(event) | Self::Response(event) => Some(event),
            Self::Tool { call, result } => call.or(result),
        }
    }
}

struct Message(Map<String, Value>);

impl Message {
    fn text(&mut self, key: &str, text: &str) {
        self.0.insert(key.to_owned(), json!(storable(text)));
    }

    /// A key is absent where its value is unknown.
    fn known(&mut self, key: &str, text: &str) {
        if !text.is_empty() {
            self.text(key, text);
        }
    }

    fn said(&mut self, kind: &str, content: &str) {
        self.text("type", kind);
        self.text("content", content);
    }

    fn usage(&mut self, event: &SessionEvent) {
        if event.input_tokens > 0 || event.output_tokens > 0 {
            let usage = json!({ "input_tokens": event.input_tokens, "output_tokens": event.output_tokens });
            self.0.insert("token_usage".to_owned(), usage);
        }
    }
}

/// A value as JSON text: what is an object or a list in JSON already stays as it is, anything else is a
/// text.
fn as_json(text: &str) -> String {
    let is_structured = text.trim_start().starts_with(['{', '['])
        && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    if is_structured { text.to_owned() } else { Value::from(storable(text)).to_string() }
}
