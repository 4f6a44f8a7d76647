//! Commands that are not over when their call is: a later call ends them, or a notification.

use std::borrow::Cow;

use serde_json::Value;

use super::super::tool::name_words;
use super::code::{self, Form};
use super::reading::{self, lines};
use crate::event::Status;

/// How clients say that a command goes on, each with what stands before the name it has then.
const RUNNING: &[&str] = &[
    // Claude Code 2.
    "Command running in background with ID: ",
    "Command was manually backgrounded by user with ID: ",
    "Command exceeded timeout and was moved to background with ID: ",
    // Codex 0.5x and later.
    "Process running with session ID ",
    // Gemini CLI 0.2x.
    "Command moved to background (PID: ",
    // VS Code's terminal tool.
    "Command is running in terminal with ID=",
    // Copilot CLI 1.
    "<command started in background with shellId: ",
    "<command started in detached background with shellId: ",
    "<command with shellId: ",
    "<command with sessionId: ",
    // Amp, Kimi and others, from their documentation.
    "Started background process with ID: ",
    "Background task started with ID: ",
];

/// How such a line may begin.
const FIRST: [char; 6] = ['<', 'A', 'B', 'C', 'P', 'S'];

/// How clients say so without a name.
const RUNNING_UNNAMED: &[&str] = &[
    // Cline 3.
    "Command is still running in the user's terminal.",
    // Cursor 2.
    "Command is running in the background",
    // Gemini CLI and Qwen Code.
    "Command is running in background",
];

/// Tools that look after a command which another call started.
const POLLS: &[&str] = &[
    // Codex.
    "write_stdin",
    // Claude Code.
    "AgentOutputTool",
    "BashOutput",
    "KillBash",
    "KillShell",
    "TaskOutput",
    "TaskStop",
    // Copilot CLI and VS Code.
    "get_terminal_output",
    "kill_terminal",
    "list_bash",
    "list_powershell",
    "read_bash",
    "read_powershell",
    "stop_bash",
    "stop_powershell",
    "write_bash",
    "write_powershell",
    "await_terminal",
    // Gemini CLI and Qwen Code.
    "list_background_processes",
    "read_background_output",
    "task_stop",
    // Hermes, opencode and others.
    "bash_output",
    "kill_shell",
    "process",
    "shell_output",
];

/// Where a call names the command that it looks after.
const NAMES: &[&str] = &[
    "session_id",
    "sessionId",
    "task_id",
    "taskId",
    "bash_id",
    "shell_id",
    "shellId",
    "terminal_id",
    "terminalId",
    "process_id",
    "processId",
    "pid",
    "id",
];

/// The arguments by which a call asks that its command go on in the background.
const IN_BACKGROUND: &[&str] =
    &["run_in_background", "is_background", "isBackground", "background", "detach"];
const MODES: &[&str] = &["async", "background", "detached"];

/// How clients say at the end of an output that a command is over.
const ENDED: &[Form] = &[
    Form { before: "completed with exit code", header_end: None, opens_line: false },
    Form { before: "exited with exit code", header_end: None, opens_line: false },
    Form { before: "Exit Code:", header_end: None, opens_line: true },
];
const ENDED_IN_JSON: &[&str] =
    &["/exit_code", "/exitCode", "/returncode", "/metadata/exit_code", "/metadata/exit", "/task/exitCode"];

/// The beginning of the line that Copilot adds after the output so far.
const BEHIND: &str = "<command with ";

/// So far from the start such a line is looked for.
const LINES: usize = 8;

/// Whether an output says that the command goes on.
pub(crate) fn is_still_running(output: &str) -> bool {
    background_id(output).is_some()
        || lines(output).take(LINES).any(|line| RUNNING_UNNAMED.iter().any(|mark| line.starts_with(mark)))
}

/// The name that a command has which goes on, as the output tells it.
pub(crate) fn background_id(output: &str) -> Option<&str> {
    let name = |line: &'_ str| {
        // Most lines are a command's own.
        line.starts_with(FIRST).then_some(())?;
        let at =
            RUNNING.iter().find_map(|mark| line.strip_prefix(mark).map(|rest| line.len() - rest.len()))?;
        let rest = line.get(at..)?;
        let end = rest.find(|char: char| !(char.is_alphanumeric() || "-_".contains(char)));
        Some((at, at + end.unwrap_or(rest.len())))
    };
    let last = last_line(output).filter(|line| line.starts_with(BEHIND));
    lines(output).take(LINES).chain(last).find_map(|line| {
        let (start, end) = name(line.trim_start())?;
        line.trim_start().get(start..end).filter(|id| !id.is_empty())
    })
}

/// The line with which an output ends.
fn last_line(output: &str) -> Option<&str> {
    let output = output.trim_end();
    let begins = memchr::memrchr(b'\n', output.as_bytes()).map_or(0, |end| end + 1);
    output.get(begins..)
}

/// Whether a tool looks after a command that another call started.
pub(crate) fn is_poll(tool: &str) -> bool {
    POLLS.iter().any(|poll| tool.eq_ignore_ascii_case(poll))
}

/// Whether a call asks that its command go on in the background.
pub(crate) fn is_in_background(input: &str) -> bool {
    if !input.contains("ackground") && !input.contains("detach") && !input.contains("async") {
        return false;
    }
    let Ok(Value::Object(fields)) = serde_json::from_str::<Value>(input) else { return false };
    let is_set = |name: &&str| match fields.get(*name) {
        Some(Value::Bool(flag)) => *flag,
        Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
        _ => false,
    };
    IN_BACKGROUND.iter().any(is_set)
        || fields.get("mode").and_then(Value::as_str).is_some_and(|mode| MODES.contains(&mode))
}

/// The names of commands that a call looks after, as its input gives them.
pub(crate) fn named_by(input: &str) -> Vec<String> {
    let Ok(Value::Object(fields)) = serde_json::from_str::<Value>(input) else { return Vec::new() };
    let named = NAMES.iter().filter_map(|name| match fields.get(*name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    });
    named.filter(|name| !name.is_empty()).collect()
}

/// How a command ended, as the output of the call that looked after it tells; `None` if it does not.
pub(crate) fn ending(output: &str) -> Option<Status> {
    if is_still_running(output) || within(output, "status").is_some_and(|status| status == "running") {
        return None;
    }
    let of_code = |code: i64| if code == 0 { Status::Ok } else { Status::Error };
    if let Some(code) = within(output, "exit_code").and_then(|code| code.parse().ok()) {
        return Some(of_code(code));
    }
    match within(output, "status") {
        Some("completed" | "success") => return Some(Status::Ok),
        Some("failed" | "error") => return Some(Status::Error),
        _ => {}
    }
    let in_json = || {
        let json =
            output.trim_start().starts_with('{').then(|| serde_json::from_str::<Value>(output).ok())??;
        code::in_json(&json, ENDED_IN_JSON)
    };
    match reading::reported(Status::Unknown, output) {
        Status::Unknown => code::in_text(output, ENDED).or_else(in_json).map(of_code),
        status => Some(status),
    }
}

/// The content of an element near the start of an output.
fn within<'a>(output: &'a str, name: &str) -> Option<&'a str> {
    let head = output.get(..output.floor_char_boundary(2_048))?;
    let (_, rest) = head.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(content, _)| content.trim())
}

/// The output of a command before its call ended, without the client's remarks.
pub(crate) fn printed(output: &str) -> &str {
    if !is_still_running(output) {
        return output;
    }
    if let Some((_, body)) = output.split_once("\nOutput:\n") {
        return body;
    }
    if let Some(last) = last_line(output).filter(|line| line.starts_with(BEHIND))
        && let Some((body, _)) = output.rsplit_once(last)
    {
        return body;
    }
    // One line of the client's, the rest is the command's.
    output.split_once('\n').map_or("", |(_, body)| body)
}

/// The whole output of a command: the part shown while it ran, and the part of the call that ended it.
pub(crate) fn joined<'a>(earlier: &str, last: &'a str) -> Cow<'a, str> {
    let earlier = earlier.trim_end_matches('\n');
    if earlier.is_empty() {
        return Cow::Borrowed(last);
    }
    // The header of the client's stays above.
    Cow::Owned(match last.split_once("\nOutput:\n") {
        Some((header, body)) => format!("{header}\nOutput:\n{earlier}\n{body}"),
        None => format!("{earlier}\n{last}"),
    })
}

/// Whether a tool runs commands, or looks after them.
pub(crate) fn runs_commands(tool: &str, input: &str) -> bool {
    is_poll(tool)
        || super::super::tool::command_line(tool, input).is_some()
        || input.is_empty() && super::super::tool::is_shell(&name_words(tool))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_says_behind_the_output_counts_too() {
        let lines = "a line\n".repeat(12);
        for form in ["shellId", "sessionId"] {
            let output =
                format!("{lines}<command with {form}: 3 is still running after 30 seconds. Use read_bash>");
            assert_eq!(background_id(&output), Some("3"));
            assert_eq!(printed(&output), lines);
        }
        assert_eq!(background_id(&format!("{lines}Command running in background with ID: 3")), None);
        let over =
            r#"{"retrieval_status":"success","task":{"status":"failed","output":"2 failed","exitCode":1}}"#;
        assert_eq!(ending(over), Some(Status::Error));
    }

    #[test]
    fn names_what_goes_on() {
        assert!(RUNNING.iter().all(|mark| mark.starts_with(FIRST)));
        for (output, id) in [
            ("Command running in background with ID: b1f2. Output is being written to: x", Some("b1f2")),
            ("Chunk ID: a\nWall time: 1\nProcess running with session ID 4711\nOutput:\n", Some("4711")),
            ("make: running", None),
        ] {
            assert_eq!(background_id(output), id);
            assert_eq!(is_still_running(output), id.is_some());
        }
        assert!(is_still_running("Command is still running in the user's terminal.\nx"));
    }

    #[test]
    fn reads_how_another_calls_command_ended() {
        for (output, ended) in [
            ("Chunk ID: a\nProcess exited with code 1\nOutput:\nx", Some(Status::Error)),
            ("Chunk ID: a\nProcess running with session ID 7\nOutput:\nx", None),
            (
                "<task_id>b1</task_id>\n<status>completed</status>\n<exit_code>0</exit_code>\n<output>x</output>",
                Some(Status::Ok),
            ),
            ("<status>completed</status>\n<exit_code>2</exit_code>", Some(Status::Error)),
            ("<status>failed</status>", Some(Status::Error)),
            ("<status>running</status>\n<output>Exit Code: 1</output>", None),
            ("done\n<shellId: 3 completed with exit code 4>", Some(Status::Error)),
            ("{\"output\":\"\",\"exit_code\":0}", Some(Status::Ok)),
            ("12 passed", None),
            ("", None),
        ] {
            assert_eq!(ending(output), ended, "{output}");
        }
    }

    #[test]
    fn knows_a_call_that_only_starts() {
        assert!(is_in_background(r#"{"command":"make","run_in_background":true}"#));
        assert!(is_in_background(r#"{"command":"make","mode":"async"}"#));
        assert!(!is_in_background(r#"{"command":"make","run_in_background":false}"#));
        assert!(!is_in_background(r#"{"command":"grep background a"}"#));
        assert_eq!(named_by(r#"{"session_id":501,"chars":""}"#), ["501"]);
    }

    #[test]
    fn what_was_printed_meanwhile_stays() {
        let first = "Chunk ID: a\nProcess running with session ID 7\nOutput:\n> test\n";
        let last = "Chunk ID: b\nProcess exited with code 1\nOutput:\nE\n";
        let all = joined(printed(first), last);
        assert_eq!(all, "Chunk ID: b\nProcess exited with code 1\nOutput:\n> test\nE\n");
        assert_eq!(ending(&all), Some(Status::Error));
        assert_eq!(printed("Command running in background with ID: b1. x\n"), "");
        assert_eq!(joined("", "x"), "x");
    }
}
