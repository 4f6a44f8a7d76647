//! What of an output and of an edit tells most: the lines that say what failed, and the lines that are new.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::super::session::edits::written;

/// So many lines of an output are shown.
const MOST_LINES: usize = 3;
/// A shorter line says that something failed, and not what.
const SHORTEST_LINE: usize = 8;
/// Of an output's lines so many are read, from its begin and from its end.
const MOST_READ: usize = 1_000;

/// Words that name a cause.
const CAUSES: [&str; 16] = [
    "not found",
    "no such",
    "refused",
    "denied",
    "unknown",
    "unrecognized",
    "cannot",
    "can't",
    "could not",
    "undefined",
    "missing",
    "invalid",
    "expected",
    "not allowed",
    "does not",
    "must ",
];
/// Words that say that something failed.
const FAILURES: [&str; 4] = ["error", "fail", "panic", "fatal"];
/// Lines that say only that a failure was reported.
const REPORTS: [&str; 7] = [
    "task failed",
    "exit code",
    "exit status",
    "exited with",
    "command failed",
    "lifecycle script",
    "problems found",
];

/// How lines begin that tell of what passed.
const PASSED: [&str; 5] = ["ok ", "ok\t", "PASS", "--- PASS", "✓"];

/// A place in a file, or a rule's name at the end.
static PLACE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"[\w/-]+\.[a-z]{1,5}[:(]\d+").ok());
static RULE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"\([a-z][\w/-]{2,}\)$|\b(?:TS|E|MD|F)\d{3,5}\b|\b[a-z]+/[a-z]\w+[A-Z]\w*\b").ok()
});

/// The lines of an output that tell what failed, in their order; else its last ones.
pub(super) fn telling_lines(output: &str) -> Vec<&str> {
    let all: Vec<&str> = output.lines().map(bare).filter(|line| !line.is_empty()).collect();
    let from_the_end = all.len().saturating_sub(MOST_READ).max(MOST_READ.min(all.len()));
    let read = all.iter().take(MOST_READ).chain(all.iter().skip(from_the_end));
    let mut seen = BTreeSet::new();
    let mut ranked: Vec<(i32, usize, &str)> = Vec::new();
    for (at, line) in read.enumerate() {
        let worth = worth_of(line);
        if line.chars().count() >= SHORTEST_LINE && worth > 0 && seen.insert(*line) {
            ranked.push((-worth, at, line));
        }
    }
    ranked.sort_unstable();
    ranked.truncate(MOST_LINES);
    // Where nothing names a cause, the end is the nearest to one.
    if ranked.iter().all(|(worth, ..)| *worth > -2) {
        let from = all.len().saturating_sub(MOST_LINES);
        let last = all.iter().enumerate().skip(from).filter(|(_, line)| worth_of(line) >= 0);
        let last: Vec<(i32, usize, &str)> = last.map(|(at, line)| (0, at, *line)).collect();
        if !last.is_empty() {
            return last.into_iter().map(|(.., line)| line).collect();
        }
    }
    ranked.sort_by_key(|(_, at, _)| *at);
    if ranked.is_empty() {
        all.last().copied().into_iter().collect()
    } else {
        ranked.into_iter().map(|(.., line)| line).collect()
    }
}

/// A line without what a client or a frame puts around it.
fn bare(line: &str) -> &str {
    let line = line.trim().trim_matches(|char: char| "━─═│".contains(char) || char.is_whitespace());
    line.strip_prefix("<tool_use_error>").unwrap_or(line).trim_end_matches("</tool_use_error>")
}

fn worth_of(line: &str) -> i32 {
    let lower = line.to_lowercase();
    // The code around a place says no more than the place.
    let number = line.trim_start_matches(|char: char| char.is_ascii_digit());
    if number.len() < line.len() && number.trim_start().starts_with('|') {
        return -1;
    }
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let is = |form: &Option<Regex>| form.as_ref().is_some_and(|form| form.is_match(line));
    if has(&REPORTS) || PASSED.iter().any(|word| line.starts_with(word)) {
        return -1;
    }
    3 * i32::from(is(&RULE))
        + 2 * i32::from(is(&PLACE))
        + 2 * i32::from(has(&CAUSES))
        + i32::from(has(&FAILURES))
}

/// What an edit writes that was not there: without the lines that it replaces, imports and comments.
pub(super) fn new_lines(input: &str) -> String {
    let fields: Option<Value> = serde_json::from_str(input).ok();
    let old = fields.as_ref().map(replaced).unwrap_or_default();
    let old: BTreeSet<&str> = old.lines().map(str::trim).collect();
    let text = written(fields.as_ref(), input);
    // A line of a list of imports.
    let is_of_imports = |line: &str| line.starts_with('"') && line.ends_with('"') && line.contains('/');
    let is_new = |line: &&str| {
        let opens = |words: &[&str]| words.iter().any(|word| line.starts_with(word));
        !line.is_empty()
            && !old.contains(line)
            && line.chars().any(char::is_alphanumeric)
            && !opens(&["import ", "from ", "package ", "use ", "#include", "//", "# ", "/*", "* "])
            && !is_of_imports(line)
    };
    text.lines().map(str::trim).filter(is_new).collect::<Vec<_>>().join("\n")
}

/// The old and the new text of an edit.
pub(super) fn old_and_new(input: &str) -> (String, String) {
    let fields: Option<Value> = serde_json::from_str(input).ok();
    (fields.as_ref().map(replaced).unwrap_or_default(), written(fields.as_ref(), input))
}

/// What an edit replaces.
fn replaced(fields: &Value) -> String {
    const REPLACED: [&str; 4] = ["old_string", "old_str", "old_text", "oldString"];
    let own = |fields: &Value| REPLACED.iter().find_map(|key| fields.get(*key)?.as_str().map(str::to_owned));
    let edits = fields.get("edits").and_then(Value::as_array).into_iter().flatten().filter_map(own);
    own(fields).into_iter().chain(edits).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_that_name_a_cause_are_told_and_reports_of_it_are_not() {
        let output = "[lint] $ golangci-lint run ./...\na/b.go:12:9: Error return value of `f` is not checked (errcheck)\n\tf()\n1 issues:\n* errcheck: 1\n[lint] ERROR task failed";
        assert_eq!(
            telling_lines(output)[0],
            "a/b.go:12:9: Error return value of `f` is not checked (errcheck)"
        );
        assert!(!telling_lines(output).contains(&"[lint] ERROR task failed"));
        let output = "Running 12 checks\nok 1\nok 2\nthe database of the shop is away";
        assert_eq!(telling_lines(output).last(), Some(&"the database of the shop is away"));
        assert_eq!(telling_lines("Exit code 1"), ["Exit code 1"]);
        assert!(telling_lines("").is_empty());
        let many = (0..5_000).map(|at| format!("line {at}")).collect::<Vec<_>>().join("\n")
            + "\nsrc/a.ts:3 TS2345 is no number";
        assert_eq!(telling_lines(&many), ["src/a.ts:3 TS2345 is no number"]);
    }

    #[test]
    fn what_an_edit_replaces_is_not_new() {
        let edit = serde_json::json!({ "file_path": "a.go", "old_string": "f()\nreturn nil", "new_string": "import \"x\"\nif err := f(); err != nil {\n\treturn err\n}\nreturn nil" });
        assert_eq!(new_lines(&edit.to_string()), "if err := f(); err != nil {\nreturn err");
        assert_eq!(new_lines("no patch"), "");
    }
}
