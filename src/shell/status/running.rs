//! Commands that are not over when their call is: a later call ends them.

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
];

/// How clients say so without a name.
const RUNNING_UNNAMED: &[&str] = &[
    // Cline 3.
    "Command is still running in the user's terminal.",
    // Cursor 2.
    "Command is running in the background",
];

/// So far from the start such a line is looked for.
const LINES: usize = 8;

/// Whether an output says that the command goes on.
pub(crate) fn is_still_running(output: &str) -> bool {
    background_id(output).is_some()
        || output.lines().take(LINES).any(|line| RUNNING_UNNAMED.iter().any(|mark| line.starts_with(mark)))
}

/// The name that a command has which goes on, as the output tells it.
pub(crate) fn background_id(output: &str) -> Option<&str> {
    let name = |line: &'_ str| {
        let at =
            RUNNING.iter().find_map(|mark| line.strip_prefix(mark).map(|rest| line.len() - rest.len()))?;
        let rest = line.get(at..)?;
        let end = rest.find(|char: char| !(char.is_alphanumeric() || "-_".contains(char)));
        Some((at, at + end.unwrap_or(rest.len())))
    };
    output.lines().take(LINES).find_map(|line| {
        let (start, end) = name(line.trim_start())?;
        line.trim_start().get(start..end).filter(|id| !id.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_goes_on() {
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
}
