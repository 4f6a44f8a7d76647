//! The items of a conversation as Codex keeps them.

use serde_json::Value;

use super::talk::{json_text, text, words};
use crate::dialects::codex::exit_code_of;
use crate::dialects::json;
use crate::event::Status;
use crate::shell::refusal::{refusal, was_not_run};

/// An item that says something.
pub(super) enum Item {
    /// A message in the user's role.
    User(String),
    /// What the assistant said.
    Assistant(String),
    /// A call, with the client's id of it.
    Call { id: String, tool: String, input: String },
    /// What came of a call.
    Output { id: String, output: String, status: Status },
}

/// How an output reads whose call the client's rules or its reviewer did not allow, and who that is.
const POLICIES: &[(&str, &str)] = &[
    ("rejected: ", "Config"),
    ("command rejected: ", "Config"),
    ("exec command rejected by policy", "Config"),
    ("This action was rejected due to unacceptable risk", "AutomatedReviewer"),
    ("rejected due to", "AutomatedReviewer"),
];

/// Behind a command that the client's rules did not allow.
const OF_A_COMMAND: &str = "` rejected: ";

/// The item, if it says something.
pub(super) fn item(item: &Value) -> Option<Item> {
    let content = || words(item.get("content").unwrap_or(&Value::Null));
    let said = |said: String| Some(said).filter(|said| !said.trim().is_empty());
    match text(item, "type") {
        "message" => match text(item, "role") {
            "user" => said(content()).map(Item::User),
            "assistant" => said(content()).map(Item::Assistant),
            _ => None,
        },
        "function_call" => call(item, tool_name(item), item.get("arguments")),
        "custom_tool_call" => call(item, tool_name(item), item.get("input")),
        "local_shell_call" => call(item, "local_shell".to_owned(), item.get("action")),
        "tool_search_call" => call(item, "tool_search".to_owned(), item.get("arguments")),
        "web_search_call" => call(item, "web_search".to_owned(), item.get("action")),
        "function_call_output" | "custom_tool_call_output" | "tool_search_output" => output(item),
        _ => None,
    }
}

/// The name under which telemetry has the tool.
fn tool_name(item: &Value) -> String {
    let (space, name) = (text(item, "namespace"), text(item, "name"));
    match space.strip_prefix("mcp__") {
        Some(server) => crate::dialects::mcp::name(server.trim_end_matches("__"), name),
        None => name.to_owned(),
    }
}

fn call(item: &Value, tool: String, input: Option<&Value>) -> Option<Item> {
    let id = [text(item, "call_id"), text(item, "id")].into_iter().find(|id| !id.is_empty())?;
    Some(Item::Call { id: id.to_owned(), tool, input: input.map(json_text).unwrap_or_default() })
}

fn output(item: &Value) -> Option<Item> {
    let id = text(item, "call_id");
    if id.is_empty() {
        return None;
    }
    let (value, success) = match item.get("output").unwrap_or(&Value::Null) {
        Value::Object(fields) => {
            (fields.get("content").unwrap_or(&Value::Null), fields.get("success").and_then(Value::as_bool))
        }
        value => (value, None),
    };
    let whole = words(value);
    let status = match (exit_code_of(&whole), success) {
        (Some(0), _) | (None, Some(true)) => Status::Ok,
        (Some(_), _) | (None, Some(false)) => Status::Error,
        (None, None) if was_not_run(&whole) || policy(&whole).is_some() => Status::Unknown,
        // An answer in free text: the client gives one for what it could not do as well.
        (None, None) if FAILED.iter().any(|words| whole.starts_with(words)) => Status::Error,
        (None, None) => Status::Ok,
    };
    Some(Item::Output { id: id.to_owned(), output: unwrapped(whole), status })
}

/// How an output without an exit code reads that is a failure.
const FAILED: &[&str] = &[
    "apply_patch verification failed",
    "failed to parse function arguments",
    "failed in sandbox",
    "execution error",
    "exec_command failed",
    "write_stdin failed",
    "unsupported call",
    "tool call error",
    "Error: ",
    "error: ",
];

/// The older clients wrap an output as JSON.
fn unwrapped(whole: String) -> String {
    if !whole.trim_start().starts_with('{') || !whole.contains("\"metadata\"") {
        return whole;
    }
    let parsed = json::parse(&whole).ok();
    let inner = parsed.filter(|value| value.get("metadata").is_some_and(Value::is_object));
    inner.and_then(|value| Some(value.get("output")?.as_str()?.to_owned())).unwrap_or(whole)
}

/// Who did not allow a call, if it was no person.
pub(super) fn policy(output: &str) -> Option<&'static str> {
    let text = output.trim_start();
    if refusal(text).is_some() {
        return None;
    }
    let first = text.lines().next().unwrap_or_default();
    // What was not allowed stands in front: "`make` rejected: …".
    let of_command = || first.starts_with('`') && first.contains(OF_A_COMMAND);
    let known = POLICIES.iter().find(|(words, _)| text.starts_with(words)).map(|(_, source)| *source);
    known.or_else(|| of_command().then_some("Config"))
}

/// How a call ended, as the client notes beside its output.
pub(super) fn ending(note: &Value) -> Status {
    if let Some(code) = note.get("exit_code").and_then(Value::as_i64) {
        return if code == 0 { Status::Ok } else { Status::Error };
    }
    if let Some(success) = note.get("success").and_then(Value::as_bool) {
        return if success { Status::Ok } else { Status::Error };
    }
    match note.get("result") {
        Some(Value::Object(result)) if result.contains_key("Err") => Status::Error,
        Some(Value::Object(result)) => {
            let failed = result.get("Ok").and_then(|ok| ok.get("isError").or_else(|| ok.get("is_error")));
            if failed.and_then(Value::as_bool) == Some(true) { Status::Error } else { Status::Ok }
        }
        _ => match text(note, "status") {
            "failed" => Status::Error,
            _ => Status::Unknown,
        },
    }
}

/// The directory in what the client tells its model of the environment.
pub(super) fn folder_in(said: &str) -> Option<String> {
    let tagged = said.split_once("<cwd>").and_then(|(_, rest)| rest.split_once("</cwd>"));
    let folder = tagged.map(|(folder, _)| folder.trim().to_owned());
    folder.filter(|folder| !folder.is_empty()).or_else(|| {
        crate::dialects::directory::after(said, &["Current working directory:", "current working directory:"])
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_command_that_the_rules_did_not_allow_was_not_run() {
        let of = |output: &str| {
            let value = json!({ "type": "function_call_output", "call_id": "c", "output": output });
            let Some(Item::Output { status, output, .. }) = item(&value) else { panic!("{output}") };
            (status, policy(&output))
        };
        assert_eq!(
            of("`/bin/bash -lc 'make'` rejected: blocked by policy"),
            (Status::Unknown, Some("Config"))
        );
        assert_eq!(of("rejected: blocked by policy"), (Status::Unknown, Some("Config")));
        assert_eq!(of("exec command rejected by user"), (Status::Unknown, None));
        assert_eq!(of("3 patches, 1 `x` rejected: see log"), (Status::Ok, None));
    }
}
