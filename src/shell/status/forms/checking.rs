//! Linters, formatters and type checkers.

use super::super::super::family::Family;
use super::Says::{Closed, Failed, Hint, Passed};
use super::{Says, Tool};

const fn loud(runs: &'static [&'static str], forms: &'static [(Says, &'static str)]) -> Tool {
    Tool { runs, family: Family::Lint, is_quiet: false, forms }
}

const fn quiet(runs: &'static [&'static str], forms: &'static [(Says, &'static str)]) -> Tool {
    Tool { runs, family: Family::Lint, is_quiet: true, forms }
}

pub(super) const TOOLS: &[Tool] = &[
    // golangci-lint 1.5x (quiet) and 2.x.
    quiet(
        &["golangci-lint"],
        &[
            (Passed, r"^0 issues\.$"),
            (Failed, r"^[1-9][0-9]* issues:$"),
            (Failed, r"^level=error msg="),
            (Failed, r"^Error: (?:can't load config|unknown linters|build linters|unknown flag)"),
            (Hint, r"^\* [a-z0-9]+: [1-9][0-9]*$"),
            (Hint, r"^[\w./@-]+\.go:[0-9]+(?::[0-9]+)?: .*\([a-z0-9]+\)$"),
        ],
    ),
    // eslint 8 and 9.
    quiet(
        &["eslint", "standard", "xo"],
        &[
            (Passed, r"^✖ [0-9]+ problems? \(0 errors, [0-9]+ warnings?\)"),
            (Failed, r"^✖ [0-9]+ problems? \([1-9][0-9]* errors?, "),
            (Failed, r"^ESLint found too many warnings"),
            (Failed, r"^Oops! Something went wrong! :\("),
            (Hint, r"^ +[0-9]+:[0-9]+ +error  "),
        ],
    ),
    // biome 1.9 to 2.x: how many errors it found stands behind how many files it checked.
    loud(
        &["biome", "rome"],
        &[
            (
                Closed,
                r"^(?:Checked|Formatted) [0-9]+ files? in [0-9.]+ ?(?:s|ms|µs|us)\. (?:No fixes applied|Fixed [0-9]+ files?)\.",
            ),
            (Failed, r"^Found [1-9][0-9]* errors?\.$"),
            (Failed, r"^ +× Some (?:errors|warnings) were emitted while "),
            (Hint, r"^ +× "),
        ],
    ),
    // oxlint 1.x.
    loud(
        &["oxlint"],
        &[
            (Passed, r"^Found [0-9]+ warnings? and 0 errors\.$"),
            (Failed, r"^Found [0-9]+ warnings? and [1-9][0-9]* errors?\.$"),
        ],
    ),
    // ruff 0.4 to 0.14.
    loud(
        &["ruff"],
        &[
            (Passed, r"^All checks passed!$"),
            (Failed, r"^Found [1-9][0-9]* errors?\.$"),
            (Passed, r"^Found [0-9]+ errors? \([0-9]+ fixed, 0 remaining\)"),
            (Failed, r"^Found [0-9]+ errors? \([0-9]+ fixed, [1-9][0-9]* remaining\)"),
            (Closed, r"^[0-9]+ files? (?:already formatted|left unchanged|reformatted)"),
            (Failed, r"^[0-9]+ files? would be reformatted"),
        ],
    ),
    // flake8 7, pylint 3, pycodestyle 2.
    quiet(
        &["flake8", "pycodestyle", "pyflakes", "pylint"],
        &[(Failed, r"^\S+\.py:[0-9]+:[0-9]+: [A-Z]{1,3}[0-9]{3,4}:? ")],
    ),
    // prettier 3.
    loud(
        &["prettier"],
        &[
            (Passed, r"^All matched files use Prettier code style!$"),
            (Failed, r"^\[warn\] Code style issues (?:found|were found)? ?in "),
            (Failed, r"^\[error\] "),
        ],
    ),
    // black 24 to 25, isort 5.
    loud(
        &["black", "isort"],
        &[
            (Passed, r"^All done! "),
            (Failed, r"^Oh no! "),
            (Failed, r"^[0-9]+ files? would be reformatted"),
            (Failed, r"^ERROR: \S+ Imports are incorrectly sorted"),
        ],
    ),
    // rustfmt 1.8, gofmt 1.19.
    quiet(&["cargo fmt", "rustfmt", "gofmt -w", "goimports -w"], &[(Failed, r"^Diff in \S+:[0-9]+:?$")]),
    // rubocop 1.3x to 1.6x; what it corrected leaves the rest open.
    loud(
        &["rubocop", "standardrb"],
        &[
            (Passed, r"^[0-9]+ files? inspected, no offenses detected"),
            (
                Failed,
                r"^[0-9]+ files? inspected, [1-9][0-9]* offenses? detected(?:, [0-9]+ offenses? autocorrectable)?$",
            ),
        ],
    ),
    // markdownlint-cli2 0.22, stylelint 16.
    loud(
        &["markdownlint-cli2", "stylelint"],
        &[
            (Passed, r"^Summary: 0 error\(s\)$"),
            (Failed, r"^Summary: [1-9][0-9]* error\(s\)$"),
            (Failed, r"^✖ [0-9]+ problems? \([1-9][0-9]* errors?"),
        ],
    ),
    // shellcheck 0.9, markdownlint-cli 0.4x.
    quiet(
        &["shellcheck", "markdownlint", "hadolint", "yamllint"],
        &[
            (Failed, r"^In \S+ line [0-9]+:$"),
            (Failed, r"^\S+\.md:[0-9]+(?::[0-9]+)? (?:error )?MD[0-9]{3}/"),
        ],
    ),
    // pre-commit 4, prek 0.2, husky 9, lefthook 1.
    loud(
        &["pre-commit", "prek"],
        &[
            (Closed, r"^\S.*\.{3,}(?:Passed|\(no files to check\)Skipped)$"),
            (Failed, r"^\S.*\.{3,}Failed$"),
            (Failed, r"^- exit code: [1-9]"),
            (Failed, r"^- files were modified by this hook"),
        ],
    ),
    // mypy 1.x.
    Tool {
        runs: &["mypy", "dmypy"],
        family: Family::TypeCheck,
        is_quiet: false,
        forms: &[
            (Passed, r"^Success: no issues found in [0-9]+ source files?"),
            (Failed, r"^Found [1-9][0-9]* errors? in [0-9]+ files? \("),
            (Hint, r"^\S+\.pyi?:[0-9]+(?::[0-9]+)?: error: "),
        ],
    },
    // pyright 1.1, svelte-check 4.
    Tool {
        runs: &["pyright", "basedpyright", "svelte-check"],
        family: Family::TypeCheck,
        is_quiet: false,
        forms: &[
            (Passed, r"^0 errors, [0-9]+ warnings?"),
            (Failed, r"^[1-9][0-9]* errors?, [0-9]+ warnings?"),
            (Passed, r"^svelte-check found 0 errors"),
            (Failed, r"^svelte-check found [1-9]"),
        ],
    },
    // TypeScript 5 and 6.
    Tool {
        runs: &["tsc", "vue-tsc", "tsgo"],
        family: Family::TypeCheck,
        is_quiet: true,
        forms: &[
            (Failed, r"^(?:\S.*)?\.[cm]?[jt]sx?\([0-9]+,[0-9]+\): error TS[0-9]+: "),
            (Failed, r"^\S+:[0-9]+:[0-9]+ - error TS[0-9]+: "),
            (Failed, r"^error TS[0-9]+: "),
            (Failed, r"^Found [1-9][0-9]* errors?(?: in .*)?\.?$"),
            (Passed, r"Found 0 errors\. Watching for file changes"),
        ],
    },
];
