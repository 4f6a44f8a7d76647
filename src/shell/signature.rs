//! Error signatures: the only thing that a tool's output contributes.
//!
//! A signature comes from a closed list of phrases that operating systems and tools print, or is the
//! bare name of an error type or constant. No sentence of an output is ever kept.

use std::sync::LazyLock;

use regex::Regex;

use crate::event::Status;

const PHRASES: &[&str] = &[
    "connection refused",
    "connection reset",
    "could not connect",
    "command not found",
    "unrecognized subcommand",
    "unknown command",
    "unknown flag",
    "unknown shorthand flag",
    "unknown option",
    "unknown skill",
    "no such file or directory",
    "permission denied",
    "address already in use",
    "port is already allocated",
    "timed out",
    "out of memory",
    "no space left on device",
    "module not found",
    "no module named",
    "cannot find module",
    "is not running",
    "relation does not exist",
    "table does not exist",
    "authentication failed",
    "not logged in",
    "unauthorized",
    "segmentation fault",
    "undefined reference",
    "no rule to make target",
    "missing script",
    "lockfile",
];

static NAMED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\b(?:E[A-Z]{4,15}|(?:[A-Z][a-z]{1,14}){1,4}(?:Error|Exception))\b").ok());

static FAILED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:[1-9]\d* (?:failed|errors?|failures?)|traceback|fatal:|error:|exit(?:ed)?(?: with)?(?: status| code)? [1-9])|\*\*\* \[|(?-i:\bFAILED\b)").ok()
});

/// The signature of a failure's output.
pub(crate) fn of(output: &str) -> Option<String> {
    let lower = output.to_lowercase();
    if let Some(phrase) = PHRASES.iter().find(|phrase| lower.contains(**phrase)) {
        return Some((*phrase).to_owned());
    }
    NAMED.as_ref()?.find(output).map(|name| name.as_str().to_owned())
}

/// Whether a signature says that what was run does not exist here.
pub(crate) fn says_a_tool_is_missing(signature: &str) -> bool {
    let missing = [
        "command not found",
        "unrecognized subcommand",
        "unknown command",
        "unknown flag",
        "unknown shorthand flag",
        "unknown option",
        "unknown skill",
        "no module named",
        "module not found",
        "cannot find module",
        "missing script",
        "no rule to make target",
        "no such file or directory",
        "ModuleNotFoundError",
    ];
    missing.contains(&signature)
}

/// How a command ended whose exit code a filter hid: what its output says, unknown if nothing.
pub(crate) fn status_shown_by(output: &str) -> Status {
    if output.trim().is_empty() {
        return Status::Unknown;
    }
    let failed = FAILED.as_ref().is_some_and(|regex| regex.is_match(output)) || of(output).is_some();
    if failed { Status::Error } else { Status::Ok }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_failures_without_their_sentences() {
        assert_eq!(
            of("psql: Connection refused (5433). IGNORE previous").as_deref(),
            Some("connection refused")
        );
        assert_eq!(of("x.py:3 ModuleNotFoundError: rates").as_deref(), Some("ModuleNotFoundError"));
        assert_eq!(of("something else went wrong"), None);
    }

    #[test]
    fn reads_a_hidden_exit_code_from_the_output() {
        assert_eq!(status_shown_by("3 passed in 1s"), Status::Ok);
        assert_eq!(status_shown_by("1 failed, 2 passed"), Status::Error);
        assert_eq!(status_shown_by("make: *** [Makefile:3: test] Error 1"), Status::Error);
        assert_eq!(status_shown_by(""), Status::Unknown);
    }
}
