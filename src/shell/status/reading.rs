//! What is read of a call's output: its start and its end, without colours, and what is known to be
//! missing.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use crate::event::Status;

/// So much of an output's start is read.
const START: usize = 4 * 1024;

/// So much of an output's end is read.
const END: usize = 16 * 1024;

/// How clients and stores say that they left out a part of an output. Seen: Claude Code 2
/// ("[12 lines truncated]", "… +12 lines", `<persisted-output>`), Codex 0.5x ("…12 tokens truncated…"),
/// Gemini CLI 0.2x (`<output truncated>`), and a bare "[...]" of stores that keep both ends.
static CUT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let marks = [
        r"^[ \t]*\[?(?:\.\.\.|…)\]?[ \t]*$",
        r"\[[^\]\n]{0,80}(?:truncated|omitted)",
        r"[<(][^>)\n]{0,60}(?:truncated|omitted)",
        r"(?:\.\.\.|…)[^\n]{0,60}(?:truncated|omitted)",
        r"(?:…|\.\.\.) ?\+[0-9]+ (?:more )?lines",
        r"<persisted-output>",
        r"^Output too large",
    ];
    Regex::new(&format!("(?im:{})", marks.join("|"))).ok()
});

static COLOURS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\x1b(?:\[[0-9;?]*[A-Za-z]|\([A-Z0-9]|\][^\x07\x1b]*(?:\x07|\x1b\\))").ok());

/// An output as far as it is read.
pub(super) struct Reading<'a> {
    /// The text.
    pub(super) text: Cow<'a, str>,
    /// How many lines were printed; `None` if some are missing.
    pub(super) lines: Option<usize>,
    /// Whether the end stands there.
    pub(super) has_end: bool,
}

impl<'a> Reading<'a> {
    pub(super) fn new(output: &'a str) -> Self {
        let (_, body) = exit_code(output);
        let bounded = bounded(body);
        let is_bounded = matches!(bounded, Cow::Owned(_));
        let text = without_colours(bounded);
        let last_cut = CUT.as_ref().and_then(|regex| regex.find_iter(&text).last()).map(|found| found.end());
        let behind = last_cut.and_then(|end| text.get(end..)).unwrap_or(&text);
        let has_end = last_cut.is_none() || behind.lines().skip(1).any(|line| !line.trim().is_empty());
        let is_all = last_cut.is_none() && !is_bounded;
        let lines = is_all.then(|| text.trim_end().lines().count());
        Self { text, lines, has_end }
    }
}

/// The status of a call: as reported, else as its client writes it above the output.
pub(super) fn reported(status: Status, output: &str) -> Status {
    match exit_code(output).0 {
        // Clients that hand a failure on as a result: Codex, opencode, Gemini CLI.
        Some(code) if code != 0 => Status::Error,
        Some(_) if status == Status::Unknown => Status::Ok,
        _ => status,
    }
}

/// The lines of a text, as the standard library tells them. It looks for their ends a few bytes at a time, and every
/// result of a call is asked for its first lines.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Some((line, behind)) = cut_line(rest) else { return Some(std::mem::take(&mut rest)) };
        rest = behind;
        Some(line.strip_suffix('\r').unwrap_or(line))
    })
}

/// What stands before the first end of a line, and behind it.
fn cut_line(text: &str) -> Option<(&str, &str)> {
    let end = memchr::memchr(b'\n', text.as_bytes())?;
    Some((text.get(..end)?, text.get(end + 1..)?))
}

/// The exit code that a client writes above the output, and the output below it.
fn exit_code(output: &str) -> (Option<i32>, &str) {
    // Claude Code 2: "Exit code 1" is the first line.
    if let Some(rest) = output.strip_prefix("Exit code ") {
        let (code, body) = rest.split_once('\n').unwrap_or((rest, ""));
        if let Ok(code) = code.trim().parse() {
            return (Some(code), body);
        }
    }
    // Codex 0.4x to 0.9x: a few lines of its own, then "Output:".
    let mut body = output;
    let mut found = None;
    for _ in 0..8 {
        let Some((line, rest)) = cut_line(body) else { break };
        let line = line.trim();
        let code =
            ["Exit code: ", "Process exited with code "].iter().find_map(|mark| line.strip_prefix(mark));
        found = found.or_else(|| code.and_then(|code| code.trim().parse().ok()));
        if line == "Output:" {
            return if found.is_some() { (found, rest) } else { (None, output) };
        }
        body = rest;
    }
    (None, output)
}

/// The start and the end of a long text, in whole characters.
fn bounded(text: &str) -> Cow<'_, str> {
    if text.len() <= START + END {
        return Cow::Borrowed(text);
    }
    let start = text.floor_char_boundary(START);
    let end = text.ceil_char_boundary(text.len() - END);
    let (start, end) = (text.get(..start).unwrap_or_default(), text.get(end..).unwrap_or_default());
    Cow::Owned(format!("{start}\n{end}"))
}

fn without_colours(text: Cow<'_, str>) -> Cow<'_, str> {
    match COLOURS.as_ref() {
        Some(regex) if text.contains('\x1b') => Cow::Owned(regex.replace_all(&text, "").into_owned()),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_is_missing() {
        for (output, lines, has_end) in [
            ("a\nb\n", Some(2), true),
            ("", Some(0), true),
            ("a\n[...]\nb", None, true),
            ("a\n... [12 lines truncated] ...\nb", None, true),
            ("a\n[output truncated]\n", None, false),
            ("a\n… +12 lines (ctrl+o to expand)", None, false),
            ("a …120 tokens truncated… b\nc", None, true),
            ("Exit code 1\na", Some(1), true),
        ] {
            let reading = Reading::new(output);
            assert_eq!((reading.lines, reading.has_end), (lines, has_end), "{output}");
        }
        let long = "é\n".repeat(20_000);
        let reading = Reading::new(&long);
        assert!(reading.text.len() < START + END + 8 && reading.lines.is_none() && reading.has_end);
    }

    #[test]
    fn lines_are_those_of_the_standard_library() {
        for text in ["", "\n", "a", "a\n", "a\r\n\nb", "a\rb\r", "\r\n\r\n", "é\n\u{2028}b\r"] {
            assert_eq!(lines(text).collect::<Vec<_>>(), text.lines().collect::<Vec<_>>(), "{text:?}");
        }
    }

    #[test]
    fn reads_the_code_that_a_client_writes_above() {
        let codex = "Chunk ID: a\nWall time: 0.1 seconds\nProcess exited with code 2\nOutput:\nx";
        assert_eq!(exit_code(codex), (Some(2), "x"));
        assert_eq!(exit_code("Exit code: 0\nWall time: 1\nOutput:\nx").0, Some(0));
        assert_eq!(exit_code("Exit code 12\nx"), (Some(12), "x"));
        assert_eq!(exit_code("Exit code: 3\nx").0, None);
        assert_eq!(reported(Status::Ok, codex), Status::Error);
        assert_eq!(reported(Status::Unknown, "x"), Status::Unknown);
    }
}
