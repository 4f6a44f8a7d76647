//! Refusals: calls that a person did not allow, and what they said instead.
//!
//! A refused call has no status: nothing was run. The texts are the clients' own; what the person said
//! stands behind them.

/// A person did not allow a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal<'a> {
    /// What the person said; `None` if nothing.
    pub(crate) words: Option<&'a str>,
}

/// How an output begins that stands in the place of a refused call's.
const REFUSED: &[&str] = &[
    // Claude Code 1 and 2.
    "The user doesn't want to proceed with this tool use",
    "The user doesn't want to take this action right now",
    "[Request interrupted by user for tool use]",
    "The user wants to clarify these questions",
    // Codex 0.2x to 0.9x.
    "exec command rejected by user",
    "patch rejected by user",
    "rejected by user",
    "aborted by user",
    "<turn_aborted>",
    // Gemini CLI 0.1x to 0.6x, Qwen Code 0.1x to 0.2x.
    "[Operation Cancelled] Reason: User did not allow tool call",
    "[Operation Cancelled] Reason: User denied execution",
    "[Operation Cancelled] Reason: Operation cancelled by user",
    "[Operation Cancelled] Reason: The tool had already completed; its output was discarded. User intentionally cancelled",
    "User did not allow tool call",
    // Cursor 1 and 2.
    "User rejected the command",
    "User chose to skip",
    "The user rejected this tool call",
    // Cline 3 and Roo Code 3.
    "The user denied this operation",
    // opencode 0.1x and 1.
    "The user rejected permission to use this specific tool call",
    // Copilot CLI 0.x.
    "The user rejected this tool call",
    "The tool call required approval from the user, but the user rejected it",
];

/// What stands between a client's text and the person's words; the longest first.
const SAID: &[&str] = &[
    // Claude Code 1 and 2.
    "To tell you how to proceed, the user said:",
    "the user said:",
    // Cline 3, Roo Code 3.
    "The user denied this operation and provided the following feedback:",
    "provided the following feedback:",
    // opencode 1.
    "with the following feedback:",
    // Cursor 2, Copilot CLI 0.x.
    "User feedback:",
    "The user provided the following feedback:",
];

/// What a client writes behind the person's words.
const BEHIND: &[&str] = &[
    // Claude Code 2.
    "\n\nNote: The user's next message may contain a correction or preference.",
    "</feedback>",
    "</turn_aborted>",
];

/// How an output begins if the client itself did not run the call: a rule forbids it, another call of the
/// same message failed, its arguments are wrong.
const NOT_RUN: &[&str] = &[
    // Claude Code 1 and 2.
    "<tool_use_error>",
    "Permission to use ",
    "Claude requested permissions to use ",
    // Codex 0.4x and later.
    "exec command rejected by policy",
    "This action was rejected due to unacceptable risk",
    "command rejected: ",
    // Gemini CLI 0.2x.
    "Tool execution denied by policy",
];

/// So far from the start a client's text is looked for.
const START: usize = 400;

/// The refusal that stands in the place of an output, if it is one.
pub(crate) fn refusal(output: &str) -> Option<Refusal<'_>> {
    let text = output.trim_start();
    let text = untimed(text.strip_prefix("Error: ").unwrap_or(text));
    REFUSED.iter().any(|start| text.starts_with(start)).then(|| Refusal { words: words(text) })
}

/// A text without the line that Codex 0.17x puts before what it says of a call that was stopped.
fn untimed(text: &str) -> &str {
    let behind = text.strip_prefix("Wall time: ").and_then(|rest| rest.split_once(" seconds\n"));
    match behind {
        Some((time, rest)) if time.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') => rest,
        _ => text,
    }
}

/// What a person said, of a text that a client reports as his decision: a sentence of the client's own is none of his.
pub(crate) fn persons_words(decision: &str) -> Option<&str> {
    match refusal(decision) {
        Some(refusal) => refusal.words,
        None => Some(decision.trim()).filter(|text| !text.is_empty()),
    }
}

/// The words of a person who refused a call.
pub(crate) fn words_of(output: &str) -> Option<String> {
    refusal(output)?.words.map(str::to_owned)
}

/// Whether nothing was run: a person or the client did not allow it.
pub(crate) fn was_not_run(output: &str) -> bool {
    let text = output.trim_start();
    NOT_RUN.iter().any(|start| text.starts_with(start)) || refusal(text).is_some()
}

fn words(text: &str) -> Option<&str> {
    let head = text.get(..text.floor_char_boundary(START)).unwrap_or(text);
    let said = SAID.iter().find_map(|mark| {
        let at = head.find(mark)?;
        text.get(at + mark.len()..)
    })?;
    let end = BEHIND.iter().filter_map(|mark| said.find(mark)).min().unwrap_or(said.len());
    let said = said.get(..end)?.trim();
    let said = said.strip_prefix("<feedback>").unwrap_or(said).trim();
    (!said.is_empty()).then_some(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hears_what_a_person_said_instead() {
        let claude = "The user doesn't want to proceed with this tool use. The tool use was rejected (eg. if \
                      it was a file edit, the new_string was NOT written to the file). ";
        let stop =
            format!("{claude}STOP what you are doing and wait for the user to tell you how to proceed.");
        let said = format!("{claude}To tell you how to proceed, the user said:\nuse pnpm here\nplease");
        for (output, words) in [
            (stop.as_str(), None),
            (said.as_str(), Some("use pnpm here\nplease")),
            ("exec command rejected by user", None),
            ("aborted by user after 3.2s", None),
            ("[Operation Cancelled] Reason: User did not allow tool call", None),
            (
                "The user denied this operation and provided the following feedback:\n<feedback>\nno\n</feedback>",
                Some("no"),
            ),
            ("User rejected the command", None),
            ("Wall time: 5.0 seconds\naborted by user", None),
            ("[Operation Cancelled] Reason: Operation cancelled by user", None),
        ] {
            assert_eq!(refusal(output), Some(Refusal { words }), "{output}");
            assert!(was_not_run(output));
        }
        for output in [
            "make: rejected by user",
            "",
            "1 passed. The user doesn't want to proceed",
            "Wall time: 5.0 seconds\nProcess exited with code 1\nOutput:\naborted by user",
        ] {
            assert_eq!(refusal(output), None);
        }
        assert_eq!(persons_words(&stop), None);
        assert_eq!(persons_words(&said), Some("use pnpm here\nplease"));
        assert_eq!(persons_words(" not now "), Some("not now"));
        assert_eq!(persons_words("The user wants to clarify these questions.\nThis means"), None);
        assert!(was_not_run("<tool_use_error>Sibling tool call errored</tool_use_error>"));
    }
}
