//! Families of commands: what kind of work a command does, whatever tool does it.

use super::command::Command;

/// What kind of work a command does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Family {
    /// Runs tests.
    Test,
    /// Looks for faults of style.
    Lint,
    /// Changes files so that they pass such a look.
    Format,
    /// Checks types.
    TypeCheck,
    /// Builds.
    Build,
    /// Installs what others made.
    Install,
    /// Works on the repository's history.
    VersionControl,
    /// Anything else.
    Other,
}

impl Family {
    /// The family of a command, by its words.
    pub(crate) fn of(command: &Command) -> Self {
        let verb = command.verb();
        if matches!(verb.first(), Some(&("git" | "gh" | "glab" | "hg" | "jj"))) {
            return Self::VersionControl;
        }
        let parts: Vec<String> = verb
            .iter()
            .flat_map(|word| word.split(|c: char| !c.is_alphanumeric()))
            .map(str::to_lowercase)
            .collect();
        let has = |known: &[&str]| parts.iter().any(|part| known.contains(&part.as_str()));
        let flag = |known: &[&str]| command.words().iter().any(|word| known.contains(&word.value.as_str()));
        let fixes = has(&["fix", "fmt", "format", "gofmt", "prettier", "black", "isort"])
            || flag(&["--fix", "--write", "-w"]);
        if fixes {
            return if flag(&["--check", "-c"]) { Self::Lint } else { Self::Format };
        }
        if parts.iter().any(|part| part.contains("test")) || has(&["jest", "vitest", "mocha", "rspec", "e2e"]) {
            return Self::Test;
        }
        if has(&["lint", "eslint", "clippy", "ruff", "flake8", "pylint", "biome", "golangci", "vet", "rubocop"]) {
            return Self::Lint;
        }
        if has(&["tsc", "typecheck", "mypy", "pyright", "types"]) {
            return Self::TypeCheck;
        }
        if has(&["install", "add", "i", "ci"]) && !has(&["make", "mise"]) {
            return Self::Install;
        }
        if has(&["build", "compile", "check"]) {
            return Self::Build;
        }
        Self::Other
    }

    /// Only tells whether something is well.
    pub(crate) const fn is_check(self) -> bool {
        matches!(self, Self::Test | Self::Lint | Self::TypeCheck | Self::Build)
    }
}
