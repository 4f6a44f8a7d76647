//! Exit codes that clients state only within a tool's output.
//!
//! Several clients call a command a success because it could be started. What it came to stands in
//! the words that the client puts around the command's own output, each client in its own place, so
//! a dialect names the form that it knows and a program's own talk of exit codes is not believed.

use serde_json::Value;

/// Where a client states the exit code within the text of an output.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Form {
    /// The words before the number.
    pub(crate) before: &'static str,
    /// The line that begins the command's own output: only what stands before it is the client's.
    pub(crate) header_end: Option<&'static str>,
    /// Whether the words open a line, rather than stand somewhere within the last one.
    pub(crate) opens_line: bool,
}

/// The exit code that a text states in one of the given forms. A form without a header is looked
/// for from the end, where clients append it.
pub(crate) fn in_text(text: &str, forms: &[Form]) -> Option<i64> {
    forms.iter().find_map(|form| match form.header_end {
        Some(end) => text.lines().take_while(|line| line.trim() != end).find_map(|line| form.read(line)),
        None if form.opens_line => text.lines().rev().find_map(|line| form.read(line)),
        None => form.read(text.trim_end().lines().next_back()?),
    })
}

/// The integer at the end of one of the given paths of a JSON text.
pub(crate) fn in_json(json: &Value, paths: &[&str]) -> Option<i64> {
    paths.iter().find_map(|path| json.pointer(path)?.as_i64())
}

impl Form {
    fn read(&self, line: &str) -> Option<i64> {
        let rest = match self.opens_line {
            true => line.trim_start().strip_prefix(self.before)?,
            false => line.rsplit_once(self.before)?.1,
        };
        let rest = rest.trim_start();
        let is_number = |c: char| c.is_ascii_digit() || c == '-';
        let end = rest.find(|c| !is_number(c)).unwrap_or(rest.len());
        rest.get(..end)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: Form =
        Form { before: "Process exited with code", header_end: Some("Output:"), opens_line: true };
    const LINE: Form = Form { before: "Exit Code:", header_end: None, opens_line: true };
    const LAST: Form = Form { before: "completed with exit code", header_end: None, opens_line: false };

    #[test]
    fn a_code_is_read_where_the_client_states_it() {
        let header = "Chunk ID: 1\nProcess exited with code 2\nOutput:\nE";
        assert_eq!(in_text(header, &[HEADER]), Some(2));
        assert_eq!(in_text("Output: x\nExit Code: 1\nSignal: (none)", &[HEADER, LINE]), Some(1));
        assert_eq!(in_text("hi\n<shellId: 0 completed with exit code 130>", &[LAST]), Some(130));
        assert_eq!(in_text("Exit Code: -1", &[LINE]), Some(-1));
    }

    #[test]
    fn a_programs_own_words_are_not_believed() {
        let quoted = "Process exited with code 0\nOutput:\nProcess exited with code 9";
        assert_eq!(in_text(quoted, &[HEADER]), Some(0));
        assert_eq!(in_text("Output:\nProcess exited with code 9", &[HEADER]), None);
        assert_eq!(in_text("worker completed with exit code 3\ndone", &[LAST]), None);
        assert_eq!(in_text("Exit Code: (none)", &[LINE]), None);
        assert_eq!(in_text("", &[HEADER, LINE, LAST]), None);
    }
}
