//! Error signatures: the only thing that a tool's output contributes.
//!
//! A signature comes from a closed list of phrases that operating systems and tools print, or is the
//! bare name of an error type or constant. No sentence of an output is ever kept.
//!
//! Of several, the one is taken that stands in a line which tells an error, nearest to the end, and of
//! those in one line the one that says most.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use regex::Regex;

/// Phrases that name a fault wherever they stand; of two in one line the earlier of this list is taken.
const PHRASES: &[&str] = &[
    "command timed out after",
    "exceeded the timeout of",
    "exceeding timeout",
    "is not a git command",
    "not a git repository",
    "unrecognized subcommand",
    "unknown shorthand flag",
    "unknown command",
    "unknown flag",
    "unknown option",
    "unknown skill",
    "no such command",
    "no such option",
    "invalid choice",
    "unrecognized arguments",
    "unrecognized option",
    "unexpected argument",
    "executable file not found",
    "command not found",
    "missing script",
    "script not found",
    "does not contain recipe",
    "no rule to make target",
    "no module named",
    "cannot find module",
    "module not found",
    "cannot find package",
    "no required module provides",
    "no matching distribution found",
    "could not find a version that satisfies",
    "no matches found",
    "file or directory not found",
    "matched no packages",
    "no tests found",
    "no tests ran",
    "cannot connect to the docker daemon",
    "port is already allocated",
    "address already in use",
    "connection refused",
    "connection reset",
    "could not resolve host",
    "could not connect",
    "not found: 404",
    "http 404",
    "already used by worktree",
    "is already checked out at",
    "non-fast-forward",
    "did not match any file(s) known to git",
    "local changes to the following files would be overwritten",
    "has no upstream branch",
    "nothing to commit",
    "database is locked",
    "could not get lock",
    "resource temporarily unavailable",
    "relation does not exist",
    "table does not exist",
    "no space left on device",
    "out of memory",
    "segmentation fault",
    "undefined reference",
    "permission denied",
    "authentication failed",
    "not logged in",
    "unauthorized",
    "is not running",
    "no such file or directory",
    "would reformat",
    "formatter would have printed",
    "code style issues found",
    "not properly formatted",
    "timed out",
    "lockfile",
    "already exists",
];

/// Phrases that name a fault only in a line that tells an error, and as words of their own.
const WEAK_PHRASES: &[&str] = &["undefined:", "undeclared name", "pathspec", "conflict", "lock"];

/// How clients say that a command did not come to an end in time: Claude Code 2, Codex 0.9x, Gemini CLI 0.2x, opencode 1.
/// What a test prints of a deadline of its own is another thing.
const OUT_OF_TIME: &[&str] = &["command timed out after", "exceeded the timeout of", "exceeding timeout"];

/// Whether a signature says that the client ended the command because it took too long.
pub(crate) fn says_it_took_too_long(signature: &str) -> bool {
    OUT_OF_TIME.contains(&signature)
}

/// How an output says that the program itself is not there, whatever else is missing.
const NO_PROGRAM: &str = "no such program";

static SEARCH: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let phrases = PHRASES.iter().chain(WEAK_PHRASES);
    AhoCorasick::builder().ascii_case_insensitive(true).build(phrases).ok()
});

static NAMED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\b(?:E[A-Z]{4,15}|(?:[A-Z][a-z]{1,14}){1,4}(?:Error|Exception))\b").ok());

/// Words in capitals that are no constants of errors.
const NO_CONSTANTS: &[&str] = &[
    "EMPTY", "ENABLED", "ENTER", "ERROR", "ERRORS", "EVENT", "EVENTS", "EXAMPLE", "EXCEPT", "EXISTS",
    "EXPECTED",
];

/// Lines by which a shell or an interpreter says that the program or script itself is not there. Seen:
/// bash 5, dash, zsh 5, Python 3, node 20, env of coreutils 9.
static PROGRAM: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let lines = [
        r"(?:/\S+/)?(?:ba|da|k)?sh: (?:(?:line )?[0-9]+: )?\S+: (?:No such file or directory|not found|cannot execute.*)",
        r"(?:zsh|\(eval\)):(?:[0-9]+:)? ?no such file or directory: \S+",
        r"python[0-9.]*: can't open file .*",
        r"(?:env|timeout|nohup): (?:failed to run command )?['‘`]?[^'’\s]+['’]?: No such file or directory",
    ];
    Regex::new(&format!("(?m:^(?:{})\\r?$)", lines.join("|"))).ok()
});

/// So much of an output's start is searched.
const START: usize = 4 * 1024;

/// So much of an output's end is searched.
const END: usize = 16 * 1024;

/// The signature of a failure's output.
pub(crate) fn of(output: &str) -> Option<String> {
    let end = output.get(output.ceil_char_boundary(output.len().saturating_sub(END))..).unwrap_or_default();
    let start =
        output.get(..output.floor_char_boundary(START.min(output.len() - end.len()))).unwrap_or_default();
    of_part(end).or_else(|| of_part(start)).map(str::to_owned)
}

fn of_part(text: &str) -> Option<&str> {
    if PROGRAM.as_ref().is_some_and(|regex| regex.is_match(text)) {
        return Some(NO_PROGRAM);
    }
    of_phrases(text).or_else(|| {
        let names = NAMED.as_ref()?.find_iter(text).map(|name| name.as_str());
        names.filter(|name| !NO_CONSTANTS.contains(name)).last()
    })
}

fn of_phrases(text: &str) -> Option<&'static str> {
    let found = SEARCH.as_ref()?.find_overlapping_iter(text).filter_map(|found| {
        let index = found.pattern().as_usize();
        let line = line_at(text, found.start());
        let tells = tells_an_error(line);
        let is_weak = index >= PHRASES.len();
        if is_weak && !(tells && is_word(text, found.start(), found.end())) {
            return None;
        }
        let line_start = line.as_ptr() as usize - text.as_ptr() as usize;
        Some(((!is_weak, tells, line_start, std::cmp::Reverse(index)), index))
    });
    let (_, index) = found.max()?;
    PHRASES.iter().chain(WEAK_PHRASES).nth(index).copied()
}

fn line_at(text: &str, at: usize) -> &str {
    let start = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
    let rest = text.get(start..).unwrap_or_default();
    rest.lines().next().unwrap_or_default()
}

/// Whether a line is one that a failing tool prints: it says so, or begins with a program's name.
fn tells_an_error(line: &str) -> bool {
    let head: &str = line.get(..line.floor_char_boundary(240)).unwrap_or(line);
    let says = [
        "error",
        "Error",
        "ERROR",
        "fatal",
        "FATAL",
        "CONFLICT",
        "panic",
        "failed",
        "FAILED",
        "Exception",
        "cannot",
    ];
    let name = head.split_once(": ").map(|(name, _)| name);
    let is_program = |name: &str| {
        !["debug", "help", "hint", "info", "note", "warning"].contains(&name.to_ascii_lowercase().as_str())
            && (2..=40).contains(&name.len())
            && name.chars().all(|char| char.is_ascii_alphanumeric() || "-_./:()[]".contains(char))
    };
    says.iter().any(|word| head.contains(word)) || name.is_some_and(is_program)
}

fn is_word(text: &str, start: usize, end: usize) -> bool {
    let before = text.get(..start).and_then(|text| text.chars().next_back());
    let after = text.get(end..).and_then(|text| text.chars().next());
    let is_part = |char: Option<char>| char.is_some_and(|char| char.is_alphanumeric() || char == '_');
    !is_part(before) && (!is_part(after) || text.get(start..end).is_some_and(|word| word.ends_with(':')))
}

/// Whether a signature says that the program, or what it was asked to do, is not there: nothing was run.
pub(crate) fn says_the_program_is_missing(signature: &str) -> bool {
    const NOTHING_RAN: &[&str] = &[
        "command not found",
        "executable file not found",
        "invalid choice",
        "is not a git command",
        "no such command",
        "no such option",
        NO_PROGRAM,
        "unexpected argument",
        "unknown command",
        "unknown flag",
        "unknown option",
        "unknown shorthand flag",
        "unknown skill",
        "unrecognized arguments",
        "unrecognized option",
        "unrecognized subcommand",
    ];
    NOTHING_RAN.contains(&signature)
}

/// Whether a signature says that nothing ran: not the program, and not the task that it was to run.
pub(crate) fn says_nothing_ran(signature: &str) -> bool {
    const NO_TASK: &[&str] =
        &["does not contain recipe", "missing script", "no rule to make target", "script not found"];
    says_the_program_is_missing(signature) || NO_TASK.contains(&signature)
}

/// Whether a signature says that the command cannot work here as it is written: its program, subcommand,
/// flag, script or skill does not exist.
pub(crate) fn says_a_tool_is_missing(signature: &str) -> bool {
    const NOT_FOUND: &[&str] = &[
        "ModuleNotFoundError",
        "cannot find module",
        "file or directory not found",
        "matched no packages",
        "module not found",
        "no module named",
        "no such file or directory",
        "no tests found",
        "no tests ran",
    ];
    says_nothing_ran(signature) || NOT_FOUND.contains(&signature)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_failures_without_their_sentences() {
        for (output, signature) in [
            ("psql: Connection refused (5433). IGNORE previous", Some("connection refused")),
            ("x.py:3 ModuleNotFoundError: rates", Some("ModuleNotFoundError")),
            ("something else went wrong", None),
            ("ERROR: it is so", None),
            ("error: unrecognized subcommand 'bun'\n\nUsage: rtk", Some("unrecognized subcommand")),
            ("git: 'x' is not a git command. See 'git --help'.", Some("is not a git command")),
            (
                "error: pathspec 'x' did not match any file(s) known to git",
                Some("did not match any file(s) known to git"),
            ),
            ("CONFLICT (content): Merge conflict in a.rs", Some("conflict")),
            ("a.go:1:2: undefined: x", Some("undefined:")),
            ("we lock the door; a conflict of blocks", None),
            ("sh: 1: foo: not found", Some("no such program")),
            ("bash: ./run.sh: No such file or directory", Some("no such program")),
            ("cat: a.txt: No such file or directory", Some("no such file or directory")),
            ("(eval):1: no such file or directory: ./x.sh", Some("no such program")),
        ] {
            assert_eq!(of(output).as_deref(), signature, "{output}");
        }
    }

    #[test]
    fn prefers_the_last_line_that_tells_an_error() {
        let output = "note: already exists\nerror: connection refused\nhint: timed out waiting, later\n";
        assert_eq!(of(output).as_deref(), Some("connection refused"));
        let output = "error: already exists\npsql: error: connection refused\n";
        assert_eq!(of(output).as_deref(), Some("connection refused"));
        let long = format!("error: connection refused\n{}", "x\n".repeat(40_000));
        assert_eq!(of(&long).as_deref(), Some("connection refused"));
    }

    #[test]
    fn tells_what_cannot_work_from_what_fails() {
        for output in
            ["error: Script not found \"x\"", "Error: unknown flag: --x", "bash: x: command not found"]
        {
            assert!(says_a_tool_is_missing(&of(output).unwrap()), "{output}");
        }
        assert!(!says_a_tool_is_missing(&of("psql: Connection refused").unwrap()));
    }
}
