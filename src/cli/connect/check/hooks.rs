//! For assistants with hooks: the very command that is written runs, with an object as the assistant gives it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::Arrival;
use super::sample::{CAPTURE, SESSION, WORDS};
use crate::cli::connect::change::file_of;
use crate::cli::connect::client::{Client, SettingsLocation};
use crate::cli::connect::hooks::{command_in, command_of_pi};
use crate::cli::connect::store;
use crate::cli::hook::{CHECK, Outcome};

/// Runs it and reads what it says.
pub(super) fn send(client: &Client, named: Option<&Path>) -> Result<Arrival, String> {
    let path = file_of(client, named.map(Path::to_owned)).map_err(|failure| failure.to_string())?;
    let file: PathBuf = match client.place {
        SettingsLocation::OwnFiles { names, .. } => path.join(names.first().copied().unwrap_or_default()),
        _ => path,
    };
    let text = store::read(&file).map_err(|error| error.to_string())?.unwrap_or_default();
    let found = if client.name == "pi" { command_of_pi(&text) } else { command_in(client, &text) };
    let Some(command) = found else {
        return Err(format!(
            "{} runs no hook of ours; `skillspan connect {} --write`",
            file.display(),
            client.name
        ));
    };
    let outcome = run(&command, &object(client.name))?;
    match outcome {
        Outcome::LeftOut(reason) => Err(format!("this folder's sessions are left out: {reason}")),
        Outcome::Failed(reason) => Err(reason),
        Outcome::Arrived { url, checked } => {
            Ok(Arrival { url, checked, withheld: None, in_part: Vec::new(), note: format!("by `{command}`") })
        }
    }
}

fn run(command: &str, object: &Value) -> Result<Outcome, String> {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", command])
        .env(CHECK, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = shell.spawn().map_err(|error| format!("`{command}` cannot be run: {error}"))?;
    if let Some(mut input) = child.stdin.take() {
        // A command that does not want its input says so by its output.
        let _ = input.write_all(object.to_string().as_bytes());
    }
    let output = child.wait_with_output().map_err(|error| format!("`{command}`: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let said = text.lines().find_map(|line| serde_json::from_str(line).ok());
    said.ok_or_else(|| match output.status.code() {
        Some(127) => {
            "`skillspan` is not on the PATH, so no hook of the assistant runs; put it there".to_owned()
        }
        _ => format!(
            "`{command}` said nothing of the check; is an older skillspan on the PATH? {}",
            String::from_utf8_lossy(&output.stderr).trim()
        ),
    })
}

/// A prompt as the assistant gives it to its hooks.
fn object(client: &str) -> Value {
    let folder = std::env::current_dir().unwrap_or_default().display().to_string();
    let mut object = match client {
        "cursor" => json!({
            "hook_event_name": "beforeSubmitPrompt", "conversation_id": SESSION, "generation_id": "check",
            "prompt": WORDS, "workspace_roots": [folder],
        }),
        "cline" => json!({
            "userPromptSubmit": {"prompt": WORDS}, "taskId": SESSION, "workspaceRoots": [folder],
        }),
        "copilot-hooks" => json!({"sessionId": SESSION, "prompt": WORDS, "cwd": folder}),
        "hermes-hooks" => json!({
            "hook_event_name": "pre_llm_call", "session_id": SESSION, "cwd": folder,
            "extra": {"turn_id": "check", "user_message": WORDS},
        }),
        "pi" => json!({"event": "input", "session_id": SESSION, "cwd": folder, "payload": {"text": WORDS}}),
        _ => json!({
            "hook_event_name": "UserPromptSubmit", "session_id": SESSION, "prompt_id": "check",
            "prompt": WORDS, "cwd": folder,
        }),
    };
    if let Value::Object(fields) = &mut object {
        fields.insert(CAPTURE.to_owned(), Value::from("false"));
    }
    object
}
