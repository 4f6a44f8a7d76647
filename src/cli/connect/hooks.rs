//! Makes an assistant run `skillspan hook`, for assistants that are connected by hooks.

use serde_json::{Value, json};

use super::client::{Client, SettingsLocation};
use super::command::HOOK;
use super::document::Document;
use super::settings::{Setting, To, add, set};

/// Seconds; the command needs a fraction of one.
const TIMEOUT: u64 = 10;

/// The words of the command that an assistant runs. The address it sends to is said where it is not the
/// usual one.
fn words(assistant: &str, to: &To<'_>) -> Vec<String> {
    let endpoint = Some(to.endpoint).filter(|endpoint| *endpoint != super::ENDPOINT);
    let options = [
        ("--endpoint", endpoint),
        ("--workspace", to.workspace),
        ("--user", to.user),
        ("--token-file", to.token_file),
    ];
    let said = options.into_iter().filter_map(|(name, value)| Some([name, value?]));
    HOOK.split(' ').chain([assistant]).chain(said.flatten()).map(str::to_owned).collect()
}

/// The same as shells read it, and what splits words as they do.
fn command(assistant: &str, to: &To<'_>) -> String {
    words(assistant, to).iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~@/:+,%".contains(&byte);
    if word.bytes().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// Whose hooks they are, as the command line of a hook says it.
pub(super) fn assistant_of(client: &Client) -> &'static str {
    client.name.strip_suffix("-hooks").unwrap_or(client.name)
}

/// The command of ours that a settings file of a client holds.
pub(super) fn command_in(client: &Client, text: &str) -> Option<String> {
    fn found(value: &Value) -> Option<String> {
        match value {
            Value::String(text) => text.trim_start().starts_with(HOOK).then(|| text.clone()),
            Value::Array(items) => items.iter().find_map(found),
            Value::Object(fields) => fields.values().find_map(found),
            Value::Null | Value::Bool(_) | Value::Number(_) => None,
        }
    }
    match client.place {
        SettingsLocation::Json(_) => {
            let hooks = (client.settings)(&To::nobody());
            let document = Document::json(text).ok()?;
            hooks
                .iter()
                .filter(|setting| setting.in_list)
                .find_map(|setting| found(&document.get(setting.path)?))
        }
        // One line of a block holds it, in JSON's form.
        SettingsLocation::Yaml(_) => {
            let line = text.lines().find(|line| line.contains(HOOK))?;
            let (_, rest) = line.split_once("command: ")?;
            serde_json::Deserializer::from_str(rest).into_iter::<String>().next()?.ok()
        }
        SettingsLocation::OwnFiles { executable: true, .. } => {
            let line = text.lines().find_map(|line| line.strip_prefix("exec "))?;
            Some(line.to_owned())
        }
        SettingsLocation::OwnFiles { .. } => found(&serde_json::from_str(text).ok()?),
        SettingsLocation::Toml(_) | SettingsLocation::Environment(_) => None,
    }
}

/// The same of pi's extension, whose words are a list.
pub(super) fn command_of_pi(text: &str) -> Option<String> {
    let line = text.lines().find_map(|line| line.trim_start().strip_prefix("const hook = "))?;
    let words: Vec<String> = serde_json::from_str(line.trim_end_matches(';')).ok()?;
    let words = words.iter().map(|word| quoted(word)).collect::<Vec<_>>();
    Some(format!("skillspan {}", words.join(" ")))
}

pub(super) fn cursor(to: &To<'_>) -> Vec<Setting> {
    let hook = || json!({"command": command("cursor", to), "timeout": TIMEOUT, "type": "command"});
    vec![
        set(&["version"], 1, ""),
        add(&["hooks", "sessionStart"], hook(), "that a session began, its directory and person"),
        add(&["hooks", "beforeSubmitPrompt"], hook(), "prompts"),
        add(&["hooks", "postToolUse"], hook(), "calls, inputs, outputs"),
        add(&["hooks", "postToolUseFailure"], hook(), "failures"),
        add(&["hooks", "afterAgentResponse"], hook(), "responses"),
        add(&["hooks", "stop"], hook(), "that a turn failed"),
        add(&["hooks", "sessionEnd"], hook(), "that a session ended"),
    ]
}

pub(super) fn claude(to: &To<'_>) -> Vec<Setting> {
    let hook =
        || json!({"hooks": [{"type": "command", "command": command("claude", to), "timeout": TIMEOUT}]});
    vec![
        add(&["hooks", "SessionStart"], hook(), "that a session began, its directory"),
        add(&["hooks", "UserPromptSubmit"], hook(), "prompts"),
        add(&["hooks", "PostToolUse"], hook(), "calls, inputs, outputs, names of skills"),
        add(&["hooks", "PostToolUseFailure"], hook(), "failures with their output"),
        add(&["hooks", "PermissionDenied"], hook(), "calls that a policy refused"),
        add(&["hooks", "Stop"], hook(), "responses"),
        add(&["hooks", "SubagentStop"], hook(), "what sub-agents answer"),
        add(&["hooks", "SessionEnd"], hook(), "that a session ended"),
    ]
}

pub(super) fn copilot(to: &To<'_>) -> String {
    let hook = json!([{"type": "command", "bash": command("copilot", to), "timeoutSec": TIMEOUT}]);
    let events = ["sessionStart", "userPromptSubmitted", "postToolUse", "errorOccurred", "sessionEnd"];
    let hooks: serde_json::Map<String, Value> =
        events.iter().map(|event| ((*event).to_owned(), hook.clone())).collect();
    format!("{:#}\n", json!({"version": 1, "hooks": hooks}))
}

pub(super) fn hermes(to: &To<'_>) -> Vec<Setting> {
    let events = [
        "on_session_start",
        "pre_llm_call",
        "post_tool_call",
        "post_approval_response",
        "post_llm_call",
        "post_api_request",
        "api_request_error",
        "on_session_finalize",
    ];
    let command = command("hermes", to);
    // JSON's strings are a part of YAML.
    let command = Value::from(command);
    let lines = events.map(|event| format!("  {event}: [{{command: {command}, timeout: {TIMEOUT}}}]\n"));
    vec![set(
        &["hooks"],
        format!("hooks:\n{}", lines.concat()),
        "prompts, calls, inputs, outputs, decisions, responses, the working directory",
    )]
}

pub(super) fn cline(to: &To<'_>) -> String {
    format!("#!/bin/sh\n# Written by skillspan connect.\nexec {}\n", command("cline", to))
}

/// Each event is a process of its own, and the agent waits for none of them but the last, which would
/// otherwise go with the agent.
pub(super) fn pi(to: &To<'_>) -> String {
    let arguments: Vec<String> =
        words("pi", to).into_iter().skip(1).map(|word| Value::from(word).to_string()).collect();
    format!(
        r#"// Written by skillspan connect.
import {{ spawn, spawnSync }} from "node:child_process";

export default function (pi) {{
  const events = [
    "session_start", "input", "tool_call",
    "tool_result", "message_end", "session_shutdown",
  ];
  for (const event of events) {{
    pi.on(event, (payload, ctx) => {{
      const isOther = payload.message?.role !== "assistant";
      if (event === "message_end" && isOther) return;
      const input = JSON.stringify({{
        event,
        session_id: ctx.sessionManager.getSessionId(),
        cwd: ctx.cwd,
        model: ctx.model?.id,
        payload,
      }});
      const stdio = ["pipe", "ignore", "ignore"];
      const hook = [{}];
      if (event === "session_shutdown") {{
        spawnSync("skillspan", hook, {{ input, stdio, timeout: 1000 }});
        return;
      }}
      const child = spawn("skillspan", hook, {{ stdio }});
      child.on("error", () => {{}});
      child.stdin.on("error", () => {{}});
      child.stdin.end(input);
    }});
  }}
}}
"#,
        arguments.join(", ")
    )
}
