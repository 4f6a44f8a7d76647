//! Shell tools: the command line in a tool call, whatever assistant made it.

use serde_json::Value;

/// The words of a tool's name: `run_shell_command` and `RunShellCommand` alike.
pub(crate) fn name_words(tool: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut previous_lower = false;
    for char in tool.chars() {
        let boundary = !char.is_alphanumeric() || (char.is_uppercase() && previous_lower);
        if boundary {
            words.push(String::new());
        }
        if char.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(char.to_lowercase());
        }
        previous_lower = char.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

const SHELL_WORDS: &[&str] = &[
    "bash",
    "cmd",
    "command",
    "console",
    "exec",
    "execute",
    "powershell",
    "process",
    "sh",
    "shell",
    "terminal",
    "zsh",
];
const COMMAND_KEYS: &[&str] =
    &["command", "cmd", "script", "full_command", "commandLine", "command_line", "commands"];

/// Whether a tool of a name of such words runs command lines.
pub(crate) fn is_shell(words: &[String]) -> bool {
    let is = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
    is(SHELL_WORDS) && !is(&["edit", "editor"])
}

/// The command line of a shell tool's call, whatever assistant it is of; `None` for any other tool.
pub fn command_line(tool: &str, input: &str) -> Option<String> {
    if is_shell(&name_words(tool)) { line_in(input) } else { None }
}

/// The command line in the input of a shell tool's call.
pub(crate) fn line_in(input: &str) -> Option<String> {
    let Ok(value) = serde_json::from_str::<Value>(input) else {
        return (!input.trim().is_empty() && !input.trim_start().starts_with('{')).then(|| input.to_owned());
    };
    match &value {
        Value::Object(fields) => COMMAND_KEYS.iter().find_map(|key| fields.get(*key)).and_then(line_of),
        other => line_of(other),
    }
}

/// A command line given as text or as a list of arguments.
fn line_of(value: &Value) -> Option<String> {
    match value {
        Value::String(line) if !line.trim().is_empty() => Some(line.clone()),
        Value::Array(words) => {
            let words: Vec<String> = words.iter().filter_map(Value::as_str).map(quoted).collect();
            (!words.is_empty()).then(|| words.join(" "))
        }
        _ => None,
    }
}

/// A word as a shell would have to read it.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |char: char| char.is_alphanumeric() || "-_./:=@%+,".contains(char);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::command::commands;

    #[test]
    fn finds_the_command_line_of_every_shell_tool() {
        for (tool, input) in [
            ("Bash", r#"{"command":"make a","description":"x"}"#),
            ("shell", r#"{"command":["bash","-lc","make a"]}"#),
            ("exec_command", r#"{"cmd":"make a"}"#),
            ("run_shell_command", "{\n \"command\": \"make a\"}"),
            ("execute_command", r#"{"command":"make a"}"#),
            ("runInTerminal", r#"{"script":"make a"}"#),
            ("bash", "make a"),
        ] {
            let line = command_line(tool, input).unwrap_or_default();
            let texts: Vec<String> = commands(&line).iter().map(|listed| listed.command.text()).collect();
            assert_eq!(texts, ["make a"], "{tool}");
        }
        assert_eq!(command_line("str_replace_based_edit_tool", r#"{"command":"view"}"#), None);
        assert_eq!(command_line("read_file", r#"{"path":"a"}"#), None);
    }
}
