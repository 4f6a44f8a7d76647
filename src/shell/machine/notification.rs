//! What a notification says of a command that ended in the background.

use super::within;
use crate::event::Status;

/// How something ended that was started in the background.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ending {
    /// The call that started it, `""` if the client does not say.
    pub(crate) call: String,
    /// The name that the client gave it, `""` if it does not say.
    pub(crate) task: String,
    /// How it ended.
    pub(crate) status: Status,
    /// In the client's words.
    pub(crate) said: String,
}

/// The end of the element.
const CLOSE: &str = "-notification>";

/// The endings that a text of notifications tells.
pub(super) fn endings(text: &str) -> Vec<Ending> {
    text.split_inclusive(CLOSE).filter_map(ending).collect()
}

fn ending(text: &str) -> Option<Ending> {
    let named = |names: &[&str]| names.iter().find_map(|name| within(text, name)).unwrap_or_default();
    let call = named(&["tool-use-id", "tool_use_id", "call-id", "call_id"]);
    let task = named(&["task-id", "task_id", "shell-id", "bash_id", "agent-id", "session_id"]);
    if call.is_empty() && task.is_empty() {
        return None;
    }
    let said = named(&["summary", "message", "result"]);
    let stated = named(&["status"]);
    if stated.eq_ignore_ascii_case("running") || stated.eq_ignore_ascii_case("pending") {
        return None;
    }
    let code = named(&["exit-code", "exit_code"]).parse::<i64>().ok().or_else(|| exit_code(said));
    let status = match (code, stated.to_ascii_lowercase().as_str()) {
        (Some(0), _) => Status::Ok,
        (Some(_), _) | (None, "failed" | "error" | "errored") => Status::Error,
        (None, "completed") if said.contains(" failed") => Status::Error,
        (None, "completed" | "success") => Status::Ok,
        (None, _) => Status::Unknown,
    };
    Some(Ending { call: call.to_owned(), task: task.to_owned(), status, said: said.to_owned() })
}

/// The number that a summary names: `failed with exit code 2`, `completed (exit code 0)`.
fn exit_code(summary: &str) -> Option<i64> {
    // A command may speak of exit codes itself; the client's words stand behind it.
    let (_, rest) = summary.rsplit_once("exit code ")?;
    let end = rest.find(|char: char| !char.is_ascii_digit() && char != '-').unwrap_or(rest.len());
    rest.get(..end)?.parse().ok()
}
