//! What well-known rules of linters ask for, in a few words.
//!
//! From the documentation of the tools, never from what they printed. A rule that is not here is told by its name
//! alone.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Linters that bundle many rules and print their own name: it tells nobody what to write. From golangci-lint 2.
const BUNDLES: &[&str] = &["gocritic", "gosec", "govet", "revive", "staticcheck", "stylecheck"];

/// Whether a rule's name stands for many rules.
pub(in crate::skillify) fn is_bundle(rule: &str) -> bool {
    BUNDLES.contains(&rule)
}

/// Rule, and what code that keeps it does.
#[rustfmt::skip]
const MEANINGS: &[(&str, &str)] = &[
    // golangci-lint 2.
    ("bodyclose", "close the body of every HTTP response"),
    ("containedctx", "keep no context in a struct"),
    ("contextcheck", "hand the caller's context on"),
    ("dupl", "share a block instead of copying it"),
    ("errcheck", "check the error of every call"),
    ("errname", "name sentinel errors ErrX and error types XError"),
    ("errorlint", "compare errors with errors.Is and errors.As"),
    ("exhaustive", "name every value of an enumeration in a switch"),
    ("goconst", "make a string that is repeated a constant"),
    ("ireturn", "return concrete types, not interfaces"),
    ("nilerr", "do not return nil after a check that found an error"),
    ("nilnil", "return no nil value together with a nil error"),
    ("noctx", "give requests and commands a context"),
    ("nolintlint", "name the linter and a reason in every nolint"),
    ("paralleltest", "call t.Parallel in every test"),
    ("tparallel", "call t.Parallel on both levels of a test"),
    ("unparam", "take no parameter that is always the same"),
    ("usetesting", "use t.Context, t.TempDir and t.Setenv in tests"),
    ("wrapcheck", "wrap errors of other packages"),
    // ESLint 9 and typescript-eslint 8.
    ("eqeqeq", "compare with three signs"),
    ("no-console", "leave no console output"),
    ("no-undef", "use no name that is not declared"),
    ("no-unused-vars", "leave no variable unused"),
    ("prefer-const", "use const for what is not assigned again"),
    ("react-hooks/exhaustive-deps", "name every dependency of a hook"),
    ("@typescript-eslint/no-explicit-any", "use no any"),
    ("@typescript-eslint/no-floating-promises", "await every promise"),
    ("@typescript-eslint/no-unused-vars", "leave no variable unused"),
    // Biome 2.
    ("lint/correctness/noUnusedImports", "leave no import unused"),
    ("lint/correctness/noUnusedVariables", "leave no variable unused"),
    ("lint/correctness/useExhaustiveDependencies", "name every dependency of a hook"),
    ("lint/suspicious/noExplicitAny", "use no any"),
    ("assist/source/organizeImports", "keep imports sorted"),
    // Ruff 0.14, flake8 7.
    ("E501", "keep lines short"),
    ("E722", "name the exception that is caught"),
    ("F401", "leave no import unused"),
    ("F811", "define nothing twice"),
    ("F841", "leave no variable unused"),
    ("I001", "keep imports sorted"),
    // mypy 1.
    ("no-untyped-def", "annotate every function"),
    // clippy 1.93.
    ("clippy::needless-pass-by-value", "take by reference what is not consumed"),
    ("clippy::too-many-arguments", "take fewer arguments"),
    ("clippy::unwrap-used", "do not unwrap"),
    // markdownlint 0.40.
    ("MD040", "name the language of every code block"),
    // ShellCheck 0.9.
    ("SC2086", "quote variables"),
];

static BY_RULE: LazyLock<BTreeMap<&str, &str>> = LazyLock::new(|| MEANINGS.iter().copied().collect());

/// What a rule asks for, if it is a well-known one.
pub(in crate::skillify) fn meaning_of(rule: &str) -> Option<&'static str> {
    BY_RULE.get(rule).or_else(|| BY_RULE.get(rule.replace('_', "-").as_str())).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meaning_is_a_short_phrase_that_can_stand_in_brackets() {
        assert_eq!(BY_RULE.len(), MEANINGS.len(), "a rule stands twice");
        for (rule, meaning) in MEANINGS {
            let is_plain = !meaning.contains(['(', ')', '"', ';', ':', '`']);
            assert!(
                is_plain && meaning.len() <= 60 && meaning.starts_with(char::is_lowercase),
                "{rule}: {meaning}"
            );
        }
        assert_eq!(meaning_of("clippy::unwrap_used"), Some("do not unwrap"));
        assert_eq!(meaning_of("house/own-rule"), None);
    }
}
