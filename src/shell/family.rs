//! Families of commands: what a command is for.
//!
//! A task's name tells as well as a program's: `mise run test:ci` tests as `go test ./...` does. Runners
//! such as `npx`, `uv run` or `mise exec --` are looked through. A linter that fixes and a formatter that
//! only checks change places: `eslint --fix` formats, `prettier --check` lints.

pub(crate) use crate::shell::vocabulary::family::Family;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::stage::{looks_like_file, program_name};
use super::vocabulary::families as known;

/// The purpose of a command with these words.
pub(super) fn family_of(words: &[&str]) -> Family {
    of_words(&main_words(words))
}

/// Whether a task's name only says that it checks, so that any check may run in it: `make ci`.
pub(super) fn is_bundle(words: &[&str]) -> bool {
    let words = main_words(words);
    task_of(&words).is_some_and(|task| {
        let parts = parts(task);
        parts.iter().any(|part| known::BUNDLES.contains(&part.as_str())) && of_parts(&parts, false).is_none()
    })
}

/// The words of the program that a command comes down to, behind all that only starts it.
pub(crate) fn main_words<'a>(words: &[&'a str]) -> Vec<&'a str> {
    let mut words = words;
    for _ in 0..4 {
        let Some(inner) = looked_through(words).filter(|inner| !inner.is_empty()) else { break };
        words = inner;
    }
    let mut words = words.to_vec();
    if let Some(first) = words.first_mut() {
        *first = program_name(first);
    }
    words
}

/// The words behind one runner, if there is one.
pub(super) fn looked_through<'a, 'b>(words: &'b [&'a str]) -> Option<&'b [&'a str]> {
    let (runner, rest) = known::LOOKED_THROUGH
        .iter()
        .filter(|runner| words.starts_with(runner.words))
        .max_by_key(|runner| runner.words.len())
        .and_then(|runner| Some((runner, words.get(runner.words.len()..)?)))?;
    if let Some(dashes) = rest.iter().position(|word| *word == "--").filter(|_| runner.until_dashes) {
        return rest.get(dashes + 1..);
    }
    let mut rest = rest;
    while let Some((first, behind)) = rest.split_first() {
        let takes_value = known::RUNNER_OPTIONS.contains(first);
        if *first == "--" {
            rest = behind;
            break;
        }
        if !(first.starts_with('-') || runner.until_dashes && first.contains('=')) {
            break;
        }
        rest = if takes_value { behind.get(1..)? } else { behind };
    }
    let rest = rest.get(runner.arguments..)?;
    match rest.split_first() {
        Some((kind, behind)) if runner.kinds.contains(kind) && !behind.is_empty() => Some(behind),
        _ => Some(rest),
    }
}

fn of_words(words: &[&str]) -> Family {
    let Some((program, rest)) = words.split_first() else { return Family::Other };
    if ["git", "gh", "glab", "hg", "jj", "svn"].contains(program) {
        return Family::VersionControl;
    }
    let task = task_of(words);
    // `npm test` says more than that `npm` runs `test`; `make` says less than `make test`.
    let is_told = |(_, program): &(Family, &str)| task.is_none() || program.contains(' ');
    if let Some((family, _)) = of_program(words).filter(is_told) {
        return family;
    }
    if let Some(task) = task {
        return of_task(task, rest);
    }
    let is_interpreter = super::vocabulary::INTERPRETERS.contains(program);
    let is_script = |word: &&&str| looks_like_file(word);
    // A script with subcommands of its own: `python manage.py test`.
    let at = usize::from(is_interpreter && rest.first().is_some_and(|word| looks_like_file(word)));
    if words.get(at).filter(is_script).is_some() {
        let mut script = words.get(at..).unwrap_or_default().to_vec();
        if let Some(first) = script.first_mut() {
            *first = first.rsplit('/').next().unwrap_or(first);
        }
        if let Some((family, _)) = of_program(&script) {
            return family;
        }
    }
    // A script by its name: `bin/test`, `bash scripts/lint.sh`.
    let script = words.get(at).filter(is_script);
    let name = script.map(|path| (path.starts_with('/'), path.rsplit('/').next().unwrap_or(path)));
    match name {
        // A program outside of the repository is named for itself, not for a task of the project.
        Some((true, name)) if parts(name).len() > 2 || !name.contains('.') => Family::Other,
        Some((_, name)) => of_task(name, rest),
        None => Family::Other,
    }
}

/// The family of a program that is known, with its subcommand where it has several.
pub(super) fn of_program(words: &[&str]) -> Option<(Family, &'static str)> {
    let begins = |pattern: &str| {
        let mut pattern = pattern.split(' ');
        let mut words = words.iter().filter(|word| !word.starts_with('-') || **word == "--test");
        pattern.all(|part| words.next().is_some_and(|word| *word == part))
    };
    let first = words.iter().find(|word| !word.starts_with('-') || **word == "--test")?;
    let known = BY_PROGRAM.get(first)?.iter().copied();
    let (family, program) =
        known.filter(|(_, program)| begins(program)).max_by_key(|(_, program)| program.len())?;
    let family = match family {
        Family::Lint if has_any(words, known::FIXING_FLAGS) || fixes_by_letter(program, words) => {
            Family::Format
        }
        Family::Format if has_any(words, known::CHECKING_FLAGS) => Family::Lint,
        family => family,
    };
    Some((family, program))
}

fn has_any(words: &[&str], flags: &[&str]) -> bool {
    words.iter().any(|word| {
        let name = word.split_once('=').map_or(*word, |(name, _)| name);
        flags.contains(&name)
    })
}

fn fixes_by_letter(program: &str, words: &[&str]) -> bool {
    ["rubocop", "standardrb"].contains(&program) && has_any(words, &["-a", "-A", "-x"])
}

/// Whether anything is known of what the program is for.
pub(super) fn has_family(program: &str) -> bool {
    BY_PROGRAM.contains_key(program)
}

/// What is known of programs, by their first word.
static BY_PROGRAM: LazyLock<BTreeMap<&str, Vec<(Family, &str)>>> = LazyLock::new(|| {
    let mut by_program: BTreeMap<&str, Vec<(Family, &str)>> = BTreeMap::new();
    for (family, programs) in known::PROGRAMS {
        for program in *programs {
            let first = program.split(' ').next().unwrap_or_default();
            by_program.entry(first).or_default().push((*family, program));
        }
    }
    by_program
});

/// How many words name the task runner that the words begin with, if one is asked for a task.
pub(super) fn task_runner(words: &[&str]) -> Option<usize> {
    let runners = known::TASK_RUNNERS.iter().filter(|runner| words.starts_with(runner));
    let longest = runners.map(|runner| runner.len()).max()?;
    task_of(words).map(|_| longest)
}

/// The task that a task runner is asked for.
pub(super) fn task_of<'a>(words: &[&'a str]) -> Option<&'a str> {
    let runner = known::TASK_RUNNERS
        .iter()
        .filter(|runner| words.starts_with(runner))
        .max_by_key(|runner| runner.len())?;
    let mut rest = words.get(runner.len()..)?.iter().copied();
    let mut task = rest.next();
    while let Some(word) = task {
        if known::RUNNER_OPTIONS.contains(&word) {
            rest.next();
        } else if !word.starts_with('-') && !word.contains('=') {
            return Some(word);
        }
        task = rest.next();
    }
    None
}

/// The family of a task by its name and by the flags that are handed on to it.
fn of_task(task: &str, arguments: &[&str]) -> Family {
    let fixes = has_any(arguments, known::FIXING_FLAGS);
    let parts = parts(task);
    match of_parts(&parts, fixes) {
        Some(family) => family,
        None if parts.iter().any(|part| known::BUNDLES.contains(&part.as_str())) => {
            if fixes {
                Family::Format
            } else {
                Family::Lint
            }
        }
        None => Family::Other,
    }
}

fn of_parts(parts: &[String], fixes: bool) -> Option<Family> {
    let has = |list: &[&str]| parts.iter().any(|part| list.contains(&part.as_str()));
    if has(known::FIX_PARTS) {
        return Some(Family::Format);
    }
    if has(known::FORMAT_PARTS) {
        return Some(if has(known::BUNDLES) { Family::Lint } else { Family::Format });
    }
    if has(known::INSTALL_PARTS) {
        return Some(Family::Install);
    }
    if has(super::vocabulary::PREPARATIONS) {
        return Some(Family::Other);
    }
    if has(known::TYPE_PARTS) || (has(&["type"]) && has(&["check", "checks"])) {
        return Some(Family::TypeCheck);
    }
    parts.iter().find_map(|part| {
        let part = part.as_str();
        let is_test = known::TEST_PARTS.contains(&part)
            || (part.starts_with("test") && part != "testament")
            || (part.ends_with("test") && !known::NO_TESTS.contains(&part));
        match part {
            _ if is_test => Some(Family::Test),
            _ if known::LINT_PARTS.contains(&part) => Some(if fixes { Family::Format } else { Family::Lint }),
            _ if known::BUILD_PARTS.contains(&part) => Some(Family::Build),
            _ => None,
        }
    })
}

/// The parts of a name: `lint:fix` gives lint, fix.
fn parts(name: &str) -> Vec<String> {
    name.split(|char: char| !char.is_alphanumeric())
        .filter(|part| !part.is_empty())
        .map(str::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::command::commands;
    use super::*;

    #[test]
    fn a_command_is_for_what_its_task_or_program_is_for() {
        use Family::{Build, Format, Install, Lint, Other, Test, TypeCheck, VersionControl};
        for (line, expected) in [
            ("mise run test:ci", Test),
            ("mise run fmt", Format),
            ("npm run lint:fix", Format),
            ("npm run lint -- --fix", Format),
            ("npm run format:check", Lint),
            ("npm test", Test),
            ("npm ci", Install),
            ("pnpm -F web test", Test),
            ("yarn", Install),
            ("bun run typecheck", TypeCheck),
            ("bun test src", Test),
            ("rtk bun run test", Test),
            ("rtk test bun run lint", Lint),
            ("rtk tsc", TypeCheck),
            ("npx -y eslint . --fix", Format),
            ("npx eslint .", Lint),
            ("bunx biome check --write", Format),
            ("bunx biome ci", Lint),
            ("uv run --group dev pytest -x", Test),
            ("mise exec go@1.22 -- go vet ./...", Lint),
            ("direnv exec . cargo test", Test),
            ("dotenv -e .env -- jest", Test),
            ("docker compose exec -T web python manage.py test", Test),
            ("python -m pytest", Test),
            ("python -m unittest discover", Test),
            ("bin/test sympy/core", Test),
            ("./tests/runtests.py forms", Test),
            ("bash scripts/lint.sh", Lint),
            ("ruff check . --fix", Format),
            ("ruff check .", Lint),
            ("ruff format --check", Lint),
            ("cargo fmt", Format),
            ("cargo fmt --all -- --check", Lint),
            ("gofmt -w .", Format),
            ("gofmt -l .", Lint),
            ("prettier --write a", Format),
            ("go build ./...", Build),
            ("cargo clippy --all", Lint),
            ("make", Build),
            ("make -j4 check", Lint),
            ("make db-up", Other),
            ("make test-db-up", Other),
            ("make generate", Other),
            ("go generate ./...", Other),
            ("just itest", Test),
            ("docker compose up -d", Other),
            ("git commit -m test", VersionControl),
            ("./gradlew :app:test", Test),
            ("node --test", Test),
            ("node build.js", Build),
            ("pip install -r test.txt", Install),
            ("python latest.py", Other),
        ] {
            let listed = commands(line);
            assert_eq!(listed[0].command.family(), expected, "{line}");
        }
        assert!(is_bundle(&commands("make ci")[0].command.main_words()));
        assert!(!is_bundle(&commands("make test")[0].command.main_words()));
    }
}
