//! Names of rules: which rule a linter or compiler says was broken.
//!
//! Only the bare name is taken, in the place where its tool prints it. No sentence of an output is kept.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

/// Where tools print the name of a rule, as the first group of a line's form.
static RULES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let forms = [
        // TypeScript 5.
        r"\berror (TS[0-9]{4,5}): ",
        // rustc 1.93.
        r"^error\[(E[0-9]{4})\]: ",
        // clippy 1.93: `-D clippy::ptr-arg` or `#[warn(clippy::ptr_arg)]`.
        r"(clippy::[a-z][a-z0-9_-]{2,50})",
        // golangci-lint 2: the linter at the line's end.
        r"^[\w./@-]+\.go:[0-9]+(?::[0-9]+)?: .*\(([a-z][a-z0-9]{1,30})\)$",
        // golangci-lint 2: its totals.
        r"^\* ([a-z][a-z0-9]{1,30}): [1-9][0-9]*$",
        // ruff 0.14, flake8 7, pycodestyle 2, pylint 3.
        r"^\S+\.pyi?:[0-9]+:[0-9]+: ([A-Z]{1,4}[0-9]{3,4}):? ",
        // ruff 0.14, in its full form.
        r"^([A-Z]{1,4}[0-9]{3,4}) (?:\[\*\] )?\S",
        // mypy 1.
        r"^\S+\.pyi?:[0-9]+(?::[0-9]+)?: error: .*\[([a-z][a-z-]{2,40})\]$",
        // eslint 9: two spaces, then the rule at the line's end.
        r"^ +[0-9]+:[0-9]+ +error .* {2}((?:@?[a-z][a-z0-9-]*/)*[a-z][a-z0-9-]{2,50})$",
        // biome 2.
        r"\b((?:lint|assist)/[a-z0-9A-Z]+/[a-zA-Z0-9]{3,50})\b",
        // oxlint 1: `eslint(no-debugger)`.
        r"× ([a-z-]+\([a-z-]{3,50}\))",
        // rubocop 1.
        r"^\S+\.rb:[0-9]+:[0-9]+: [CWEFR]: (?:\[Correctable\] )?([A-Z][A-Za-z]+/[A-Za-z/]{3,50}):",
        // markdownlint 0.40, shellcheck 0.9.
        r"\b(MD[0-9]{3})/",
        r"\b(SC[0-9]{4})\b",
    ];
    forms.iter().filter_map(|form| Regex::new(&format!("(?m){form}")).ok()).collect()
});

/// So much of an output's end is read.
const END: usize = 16 * 1024;

/// Whether a name says no more than that the code does not compile: golangci-lint's `typecheck`, rustc's errors, and
/// TypeScript's errors of syntax.
fn only_does_not_compile(name: &str) -> bool {
    let is_number = |rest: &str| rest.len() == 3 && rest.chars().all(|char| char.is_ascii_digit());
    name == "typecheck"
        || name.strip_prefix("E0").is_some_and(is_number)
        || name.strip_prefix("TS1").is_some_and(is_number)
}

/// The names of the rules that an output says were broken, each once.
pub(crate) fn rule_codes(output: &str) -> Vec<String> {
    let start = output.ceil_char_boundary(output.len().saturating_sub(END));
    let text = output.get(start..).unwrap_or_default();
    let names = RULES.iter().flat_map(|form| form.captures_iter(text));
    let names: BTreeSet<&str> =
        names.filter_map(|captures| captures.get(1)).map(|name| name.as_str()).collect();
    names.into_iter().filter(|name| !only_does_not_compile(name)).map(str::to_owned).collect()
}

/// How code silences a rule, with the names of rules as the first group.
static SILENCERS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let forms = [
        r"//\s*nolint:([\w, -]+)",
        r"#\s*noqa:\s*([A-Z0-9, ]+)",
        r"(?:eslint|oxlint)-disable(?:-next-line|-line)?\s+([\w@/, -]+)",
        r"biome-ignore(?:-all|-start)?\s+([\w/]+)",
        r"#!?\[(?:allow|expect)\(([\w:, ]+)",
        r"type:\s*ignore\[([\w, -]+)\]",
        r"rubocop:disable\s+([\w/, ]+)",
        r"pylint:\s*disable=([\w, -]+)",
        r"shellcheck disable=([\w,]+)",
        r"markdownlint-disable(?:-next-line|-line)?\s+([\w ]+)",
    ];
    forms.iter().filter_map(|form| Regex::new(form).ok()).collect()
});

/// How code silences every rule at a place, at the end of a line.
static SILENCES_ALL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?m)//\s*nolint\b(?:\s|$)|#\s*noqa\s*$|@ts-(?:ignore|expect-error)|eslint-disable(?:-next-line|-line)?\s*$|#\s*type:\s*ignore\s*$").ok()
});

/// What [`silenced`] says of code that silences every rule.
pub(crate) const EVERY_RULE: &str = "*";

/// Code that silences more rules is no repair of any.
const MOST_SILENCED: usize = 16;

/// The names of the rules that code silences, each once.
pub(crate) fn silenced(code: &str) -> Vec<String> {
    let named = SILENCERS.iter().flat_map(|form| form.captures_iter(code)).filter_map(|found| found.get(1));
    let names = named.flat_map(|names| names.as_str().split([',', ' '])).filter(|name| !name.is_empty());
    let mut names: BTreeSet<&str> = names.collect();
    if SILENCES_ALL.as_ref().is_some_and(|form| form.is_match(code)) {
        names.insert(EVERY_RULE);
    }
    names.into_iter().take(MOST_SILENCED).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_names_of_rules_where_their_tools_print_them() {
        let fixture = |name: &str| -> &str {
            match name {
                "tsc" => include_str!("../../tests/fixtures/status/tsc-fail.txt"),
                "eslint" => include_str!("../../tests/fixtures/status/eslint-fail.txt"),
                "clippy" => include_str!("../../tests/fixtures/status/cargo-clippy-fail.txt"),
                "ruff" => include_str!("../../tests/fixtures/status/ruff-fail.txt"),
                "flake8" => include_str!("../../tests/fixtures/status/flake8-fail.txt"),
                "mypy" => include_str!("../../tests/fixtures/status/mypy-fail.txt"),
                "rubocop" => include_str!("../../tests/fixtures/status/rubocop-fail.txt"),
                _ => include_str!("../../tests/fixtures/status/markdownlint-fail.txt"),
            }
        };
        for (name, rule) in [
            ("tsc", "TS2322"),
            ("eslint", "no-undef"),
            ("clippy", "clippy::ptr-arg"),
            ("ruff", "F401"),
            ("flake8", "F401"),
            ("mypy", "return-value"),
            ("rubocop", "Style/FrozenStringLiteralComment"),
            ("markdownlint", "MD022"),
        ] {
            let codes = rule_codes(fixture(name));
            assert!(codes.iter().any(|code| code == rule), "{name}: {codes:?}");
        }
        let go = "a/b.go:1:2: Error return value is not checked (errcheck)\n1 issues:\n* errcheck: 1\n";
        assert_eq!(rule_codes(go), ["errcheck"]);
        let compiler = include_str!("../../tests/fixtures/status/cargo-build-fail.txt");
        assert_eq!(silenced("x() //nolint:errcheck,gosec // best effort"), ["errcheck", "gosec"]);
        assert_eq!(silenced("import os  # noqa: F401"), ["F401"]);
        assert_eq!(
            silenced("// biome-ignore lint/suspicious/noExplicitAny: given"),
            ["lint/suspicious/noExplicitAny"]
        );
        assert_eq!(silenced("// @ts-ignore"), [EVERY_RULE]);
        assert!(silenced("the linter found nothing").is_empty());
        assert!(rule_codes(compiler).is_empty() && rule_codes("* typecheck: 3\n").is_empty());
        assert!(rule_codes("IGNORE previous: (run this)").is_empty());
    }
}
