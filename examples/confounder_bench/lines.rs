//! Shell lines, read roughly: their parts, which of them are checks, and how a check ended.
//!
//! This is the measuring stick of `rates.rs` alone, for recorded and planted sessions alike.

use std::sync::LazyLock;

use regex::Regex;

/// What joins a part to the next.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Joint {
    And,
    Or,
    Then,
    Pipe,
}

/// One command of a line, and what follows it.
pub(crate) struct Part {
    pub(crate) text: String,
    pub(crate) before: Option<Joint>,
    pub(crate) after: Option<Joint>,
}

/// The parts of a line; quotes are left whole, what stands in a here-document is left out.
pub(crate) fn parts(line: &str) -> Vec<Part> {
    let line = line.split("<<").next().unwrap_or_default();
    let mut parts: Vec<Part> = Vec::new();
    let (mut text, mut quote, mut before) = (String::new(), None, None);
    let mut chars = line.chars().peekable();
    while let Some(char) = chars.next() {
        if quote.is_some() {
            quote = quote.filter(|quote| *quote != char);
            text.push(char);
            continue;
        }
        let joint = match char {
            '"' | '\'' => {
                quote = Some(char);
                None
            }
            '&' if chars.peek() == Some(&'&') => chars.next().map(|_| Joint::And),
            '|' if chars.peek() == Some(&'|') => chars.next().map(|_| Joint::Or),
            '|' => Some(Joint::Pipe),
            ';' | '\n' => Some(Joint::Then),
            _ => None,
        };
        if joint.is_none() {
            text.push(char);
            continue;
        }
        parts.push(Part { text: text.trim().to_owned(), before, after: joint });
        text.clear();
        before = joint;
    }
    parts.push(Part { text: text.trim().to_owned(), before, after: None });
    parts
}

macro_rules! pattern {
    ($name:ident, $text:expr) => {
        static $name: LazyLock<Regex> = LazyLock::new(|| Regex::new($text).unwrap());
    };
}

pattern!(REDIRECTION, r"\s*\d?>(&\d|\s*/dev/null)");
pattern!(SETTING, r"^[A-Za-z_]+=");
pattern!(
    CHECK,
    r"\b(tests?|pytest|jest|vitest|lint|eslint|golangci-lint|ruff|vet|clippy|typecheck|tsc|mypy|check)\b|^(go build|cargo build|make build)\b"
);
pattern!(OTHER, r"^(git|gh|ls|cat|grep|rg|sed|find|head|tail|echo|cd|mkdir|rm|cp|mv|wc|which|curl|awk)\b");
pattern!(FIXER, r":fix|--fix|--write|\bfmt\b|format");
pattern!(FILTER, r"\s+(-run|-k|-t|--grep)[ =]\S+|\s+-(v|x|q|race|count=\d+)\b");
pattern!(NOTHING_FAILED, r"\b0 (failed|failures|fail|issues|problems|errors)\b");
pattern!(
    FAILED,
    r"(?m)^--- FAIL|^FAIL\b|^=+ .*\b[1-9]\d* failed|\b[1-9]\d* fail(ed|ures?)?\b|^[1-9]\d* issues?\b|\b[1-9]\d* problems?\b|task failed|error TS\d+|Found [1-9]\d* errors?|test result: FAILED|^make: \*\*\* |Command failed|exited with code [1-9]|: undefined:|\[build failed\]|^panic:|ELIFECYCLE|could not compile|error: Recipe|\b[1-9]\d* errors? in "
);
pattern!(
    PASSED,
    r"(?m)\b0 fail(ed|ures)?\b|^0 issues|\b[1-9]\d* passed\b|^ok\s|^DONE [1-9]\d* tests|test result: ok|No fixes applied\.\s*$|Found 0 errors|0 problems|All checks passed|no issues found|^    Finished"
);
pattern!(CUTS, r"^(head|tail|grep|rg)\b");
pattern!(WRAPPER, r"^(rtk|time|sudo|env|timeout|mise exec --|direnv exec \.|tk) ");

/// A part without redirections, settings and wrappers; whether it had a setting, and a wrapper.
pub(crate) fn clean(part: &str) -> (String, bool, bool) {
    let mut text = REDIRECTION.replace_all(part, "").trim().to_owned();
    let (mut setting, mut wrapper) = (false, false);
    loop {
        if let Some(found) = WRAPPER.find(&text) {
            text = text[found.end()..].to_owned();
            wrapper = true;
        } else if SETTING.is_match(&text) {
            text = text.split_once(' ').map(|(_, rest)| rest.to_owned()).unwrap_or_default();
            setting = true;
        } else {
            return (text, setting, wrapper);
        }
    }
}

/// The family of a check; `None` for what is none.
pub(crate) fn family(command: &str) -> Option<&'static str> {
    let command =
        ["test ", "lint ", "err "].iter().find_map(|word| command.strip_prefix(word)).unwrap_or(command);
    if OTHER.is_match(command) || !CHECK.is_match(command) || FIXER.is_match(command) {
        return None;
    }
    let has = |words: &[&str]| words.iter().any(|word| command.contains(word));
    Some(match () {
        () if has(&["lint", "ruff", "vet", "clippy"]) => "lint",
        () if has(&["typecheck", "tsc", "mypy", "cargo check"]) => "types",
        () if has(&["test", "jest", "vitest"]) => "test",
        () => "build",
    })
}

/// What makes two runs runs of one check.
pub(crate) fn key(command: &str) -> String {
    FILTER.replace_all(command, "").trim().to_owned()
}

/// How a check ended: `None` if its output was cut before it says so.
pub(crate) fn passed(error: bool, output: &str, cut: bool) -> Option<bool> {
    let without = NOTHING_FAILED.replace_all(output, "none");
    if error || FAILED.is_match(&without) {
        return Some(false);
    }
    (!cut || PASSED.is_match(output)).then_some(true)
}

/// Whether a part of a pipe cuts what the parts before it printed.
pub(crate) fn cuts(part: &str) -> bool {
    CUTS.is_match(part)
}
