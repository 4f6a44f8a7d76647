//! What real runners print, and what is read from it.
//!
//! The outputs in `tests/fixtures/status` are whole outputs of tiny projects, made for this with bun 1.4,
//! cargo 1.93, go 1.19, node 20, Python 3.11, Ruby 3.1 and the tools of their registries. A row has how
//! the run ended, what is read where a pipe hides the exit status and shows all, and what is read where
//! only the last five lines are shown.

use super::super::command::commands;
use super::statuses;
use crate::event::Status::{self, Error, Ok, Unknown};

type Row = (&'static str, &'static str, Status, Status, Status, &'static str);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("biome-fail", "npx biome check", Error, Error, Error, include_str!("../../../tests/fixtures/status/biome-fail.txt")),
    ("biome-fix", "npx biome check --write", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/biome-fix.txt")),
    ("biome-lint-pass", "npx biome lint", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/biome-lint-pass.txt")),
    ("biome-pass", "npx biome check", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/biome-pass.txt")),
    ("black-fail", "black --check a.py", Error, Error, Error, include_str!("../../../tests/fixtures/status/black-fail.txt")),
    ("black-pass", "black --check b.py", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/black-pass.txt")),
    ("bun-run-fail", "bun run bad", Error, Error, Error, include_str!("../../../tests/fixtures/status/bun-run-fail.txt")),
    ("bun-run-missing", "bun run nope", Error, Error, Error, include_str!("../../../tests/fixtures/status/bun-run-missing.txt")),
    ("bun-test-fail", "bun test", Error, Error, Error, include_str!("../../../tests/fixtures/status/bun-test-fail.txt")),
    ("bun-test-none", "bun test nowhere", Error, Error, Unknown, include_str!("../../../tests/fixtures/status/bun-test-none.txt")),
    ("bun-test-pass", "bun test", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/bun-test-pass.txt")),
    ("bun-typecheck-fail", "bun run typecheck", Error, Error, Error, include_str!("../../../tests/fixtures/status/bun-typecheck-fail.txt")),
    ("cargo-build-fail", "cargo build", Error, Error, Error, include_str!("../../../tests/fixtures/status/cargo-build-fail.txt")),
    ("cargo-build-pass", "cargo build", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/cargo-build-pass.txt")),
    ("cargo-clippy-fail", "cargo clippy -- -D warnings", Error, Error, Error, include_str!("../../../tests/fixtures/status/cargo-clippy-fail.txt")),
    ("cargo-clippy-pass", "cargo clippy", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/cargo-clippy-pass.txt")),
    ("cargo-clippy-warn", "cargo clippy", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/cargo-clippy-warn.txt")),
    ("cargo-fmt-fail", "cargo fmt --check", Error, Error, Unknown, include_str!("../../../tests/fixtures/status/cargo-fmt-fail.txt")),
    ("cargo-fmt-pass", "cargo fmt --check", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/cargo-fmt-pass.txt")),
    ("cargo-test-buildfail", "cargo test", Error, Error, Error, include_str!("../../../tests/fixtures/status/cargo-test-buildfail.txt")),
    ("cargo-test-fail", "cargo test", Error, Error, Error, include_str!("../../../tests/fixtures/status/cargo-test-fail.txt")),
    ("cargo-test-pass", "cargo test", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/cargo-test-pass.txt")),
    ("cargo-unknown", "cargo nope", Error, Error, Unknown, include_str!("../../../tests/fixtures/status/cargo-unknown.txt")),
    ("django-fail", "python manage.py test", Error, Error, Error, include_str!("../../../tests/fixtures/status/django-fail.txt")),
    ("django-pass", "python manage.py test", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/django-pass.txt")),
    ("eslint-fail", "npx eslint bad.js", Error, Error, Error, include_str!("../../../tests/fixtures/status/eslint-fail.txt")),
    ("eslint-pass", "npx eslint good.js", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/eslint-pass.txt")),
    ("eslint-warn", "npx eslint warn.js", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/eslint-warn.txt")),
    ("flake8-fail", "flake8 a.py", Error, Error, Error, include_str!("../../../tests/fixtures/status/flake8-fail.txt")),
    ("flake8-pass", "flake8 b.py", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/flake8-pass.txt")),
    ("git-commit-hook", "git commit -am y", Error, Unknown, Unknown, include_str!("../../../tests/fixtures/status/git-commit-hook.txt")),
    ("git-commit-nothing", "git commit -m two", Error, Error, Error, include_str!("../../../tests/fixtures/status/git-commit-nothing.txt")),
    ("git-commit-pass", "git commit -m one", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/git-commit-pass.txt")),
    ("git-pathspec", "git checkout nope", Error, Error, Error, include_str!("../../../tests/fixtures/status/git-pathspec.txt")),
    ("git-push-noupstream", "git push", Error, Error, Unknown, include_str!("../../../tests/fixtures/status/git-push-noupstream.txt")),
    ("git-push-pass", "git push -u origin HEAD", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/git-push-pass.txt")),
    ("git-push-rejected", "git push", Error, Error, Error, include_str!("../../../tests/fixtures/status/git-push-rejected.txt")),
    ("git-unknown", "git statsu", Error, Error, Error, include_str!("../../../tests/fixtures/status/git-unknown.txt")),
    ("go-build-fail", "go build ./...", Error, Error, Error, include_str!("../../../tests/fixtures/status/go-build-fail.txt")),
    ("go-build-pass", "go build ./...", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/go-build-pass.txt")),
    ("go-test-buildfail", "go test ./...", Error, Error, Error, include_str!("../../../tests/fixtures/status/go-test-buildfail.txt")),
    ("go-test-fail", "go test ./...", Error, Error, Error, include_str!("../../../tests/fixtures/status/go-test-fail.txt")),
    ("go-test-fail-v", "go test -v ./...", Error, Error, Error, include_str!("../../../tests/fixtures/status/go-test-fail-v.txt")),
    ("go-test-nopkg", "go test ./zzz", Error, Error, Error, include_str!("../../../tests/fixtures/status/go-test-nopkg.txt")),
    ("go-test-pass", "go test ./a", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/go-test-pass.txt")),
    ("go-test-pass-v", "go test -v ./a", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/go-test-pass-v.txt")),
    ("go-vet-fail", "go vet ./...", Error, Error, Error, include_str!("../../../tests/fixtures/status/go-vet-fail.txt")),
    ("go-vet-fail2", "go vet ./...", Error, Error, Error, include_str!("../../../tests/fixtures/status/go-vet-fail2.txt")),
    ("go-vet-pass", "go vet ./...", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/go-vet-pass.txt")),
    ("gofmt-l", "gofmt -l .", Ok, Unknown, Unknown, include_str!("../../../tests/fixtures/status/gofmt-l.txt")),
    ("jest-fail", "npm test", Error, Error, Error, include_str!("../../../tests/fixtures/status/jest-fail.txt")),
    ("jest-none", "npx jest nothere", Error, Error, Unknown, include_str!("../../../tests/fixtures/status/jest-none.txt")),
    ("jest-pass", "npx jest", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/jest-pass.txt")),
    ("just-fail", "just test", Error, Error, Error, include_str!("../../../tests/fixtures/status/just-fail.txt")),
    ("just-missing", "just nope", Error, Error, Error, include_str!("../../../tests/fixtures/status/just-missing.txt")),
    ("just-pass", "just ok", Ok, Unknown, Unknown, include_str!("../../../tests/fixtures/status/just-pass.txt")),
    ("make-fail", "make test", Error, Error, Error, include_str!("../../../tests/fixtures/status/make-fail.txt")),
    ("make-notarget", "make nope", Error, Error, Error, include_str!("../../../tests/fixtures/status/make-notarget.txt")),
    ("make-pass", "make ok", Ok, Unknown, Unknown, include_str!("../../../tests/fixtures/status/make-pass.txt")),
    ("make-sub-fail", "make sub", Error, Error, Error, include_str!("../../../tests/fixtures/status/make-sub-fail.txt")),
    ("markdownlint-fail", "npx markdownlint-cli2 a.md", Error, Error, Error, include_str!("../../../tests/fixtures/status/markdownlint-fail.txt")),
    ("markdownlint-pass", "npx markdownlint-cli2 b.md", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/markdownlint-pass.txt")),
    ("minitest-fail", "rake test", Error, Error, Error, include_str!("../../../tests/fixtures/status/minitest-fail.txt")),
    ("minitest-pass", "rake test", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/minitest-pass.txt")),
    ("mise-fail", "mise run lint", Error, Error, Error, include_str!("../../../tests/fixtures/status/mise-fail.txt")),
    ("mise-missing", "mise run nope", Error, Error, Error, include_str!("../../../tests/fixtures/status/mise-missing.txt")),
    ("mise-pass", "mise run fmt", Ok, Unknown, Unknown, include_str!("../../../tests/fixtures/status/mise-pass.txt")),
    ("mocha-fail", "npx mocha", Error, Error, Unknown, include_str!("../../../tests/fixtures/status/mocha-fail.txt")),
    ("mocha-pass", "npx mocha", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/mocha-pass.txt")),
    ("mypy-fail", "mypy a.py", Error, Error, Error, include_str!("../../../tests/fixtures/status/mypy-fail.txt")),
    ("mypy-pass", "mypy b.py", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/mypy-pass.txt")),
    ("node-crash", "node thr.js", Error, Error, Error, include_str!("../../../tests/fixtures/status/node-crash.txt")),
    ("node-missing", "node nope.js", Error, Error, Error, include_str!("../../../tests/fixtures/status/node-missing.txt")),
    ("node-test-fail", "node --test", Error, Error, Error, include_str!("../../../tests/fixtures/status/node-test-fail.txt")),
    ("node-test-pass", "node --test", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/node-test-pass.txt")),
    ("node-test-spec-fail", "node --test --test-reporter=spec", Error, Error, Unknown, include_str!("../../../tests/fixtures/status/node-test-spec-fail.txt")),
    ("npm-lint-fail", "npm run lint", Error, Error, Error, include_str!("../../../tests/fixtures/status/npm-lint-fail.txt")),
    ("npm-run-fail", "npm run bad", Error, Unknown, Unknown, include_str!("../../../tests/fixtures/status/npm-run-fail.txt")),
    ("npm-run-missing", "npm run nope", Error, Error, Error, include_str!("../../../tests/fixtures/status/npm-run-missing.txt")),
    ("oxlint-fail", "npx oxlint", Error, Error, Error, include_str!("../../../tests/fixtures/status/oxlint-fail.txt")),
    ("oxlint-fail2", "npx oxlint", Error, Error, Error, include_str!("../../../tests/fixtures/status/oxlint-fail2.txt")),
    ("oxlint-pass", "npx oxlint", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/oxlint-pass.txt")),
    ("precommit-fail", "pre-commit run --all-files", Error, Error, Error, include_str!("../../../tests/fixtures/status/precommit-fail.txt")),
    ("precommit-pass", "pre-commit run good --all-files", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/precommit-pass.txt")),
    ("prettier-fail", "npx prettier --check bad.js", Error, Error, Error, include_str!("../../../tests/fixtures/status/prettier-fail.txt")),
    ("prettier-pass", "npx prettier --check good.js", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/prettier-pass.txt")),
    ("prettier-write", "npx prettier --write warn.js", Ok, Unknown, Unknown, include_str!("../../../tests/fixtures/status/prettier-write.txt")),
    ("pytest-error", "pytest", Error, Error, Error, include_str!("../../../tests/fixtures/status/pytest-error.txt")),
    ("pytest-fail", "python -m pytest", Error, Error, Error, include_str!("../../../tests/fixtures/status/pytest-fail.txt")),
    ("pytest-fail-q", "uv run pytest -q", Error, Error, Error, include_str!("../../../tests/fixtures/status/pytest-fail-q.txt")),
    ("pytest-missing-file", "pytest tests/nope.py", Error, Error, Error, include_str!("../../../tests/fixtures/status/pytest-missing-file.txt")),
    ("pytest-none", "pytest -k nothing", Error, Error, Error, include_str!("../../../tests/fixtures/status/pytest-none.txt")),
    ("pytest-pass", "pytest tests", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/pytest-pass.txt")),
    ("pytest-pass-q", "pytest -q tests", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/pytest-pass-q.txt")),
    ("pytest-usage", "pytest --nope", Error, Error, Error, include_str!("../../../tests/fixtures/status/pytest-usage.txt")),
    ("python-crash", "python c.py", Error, Error, Error, include_str!("../../../tests/fixtures/status/python-crash.txt")),
    ("python-missing", "python nope.py", Error, Error, Error, include_str!("../../../tests/fixtures/status/python-missing.txt")),
    ("rspec-fail", "bundle exec rspec", Error, Error, Error, include_str!("../../../tests/fixtures/status/rspec-fail.txt")),
    ("rspec-pass", "bundle exec rspec", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/rspec-pass.txt")),
    ("rubocop-fail", "rubocop", Error, Error, Error, include_str!("../../../tests/fixtures/status/rubocop-fail.txt")),
    ("rubocop-pass", "rubocop", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/rubocop-pass.txt")),
    ("ruff-fail", "ruff check a.py", Error, Error, Error, include_str!("../../../tests/fixtures/status/ruff-fail.txt")),
    ("ruff-fix", "ruff check --fix a.py", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/ruff-fix.txt")),
    ("ruff-format-fail", "ruff format --check a.py", Error, Error, Error, include_str!("../../../tests/fixtures/status/ruff-format-fail.txt")),
    ("ruff-format-pass", "ruff format --check b.py", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/ruff-format-pass.txt")),
    ("ruff-pass", "ruff check b.py", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/ruff-pass.txt")),
    ("tox-fail", "tox", Error, Error, Error, include_str!("../../../tests/fixtures/status/tox-fail.txt")),
    ("tox-pass", "tox -e a", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/tox-pass.txt")),
    ("tsc-fail", "npx tsc --noEmit", Error, Error, Error, include_str!("../../../tests/fixtures/status/tsc-fail.txt")),
    ("tsc-pass", "npx tsc --noEmit", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/tsc-pass.txt")),
    ("tsc-pretty-fail", "npx tsc --noEmit --pretty", Error, Error, Error, include_str!("../../../tests/fixtures/status/tsc-pretty-fail.txt")),
    ("unittest-fail", "python -m unittest", Error, Error, Error, include_str!("../../../tests/fixtures/status/unittest-fail.txt")),
    ("unittest-pass", "python -m unittest", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/unittest-pass.txt")),
    ("vitest-fail", "npm test", Error, Error, Error, include_str!("../../../tests/fixtures/status/vitest-fail.txt")),
    ("vitest-none", "npx vitest run nowhere", Error, Error, Error, include_str!("../../../tests/fixtures/status/vitest-none.txt")),
    ("vitest-pass", "npx vitest run", Ok, Ok, Ok, include_str!("../../../tests/fixtures/status/vitest-pass.txt")),
];

fn read(line: &str, reported: Status, output: &str) -> Status {
    statuses(&commands(line), reported, output).pop().unwrap()
}

#[test]
fn a_runner_is_read_as_it_ended() {
    for (name, line, ended, whole, end, output) in ROWS {
        assert_eq!(read(line, *ended, output), *ended, "{name}");
        assert_eq!(read(&format!("{line} 2>&1 | cat"), Ok, output), *whole, "{name} whole");
        let lines: Vec<&str> = output.trim_end_matches('\n').split('\n').collect();
        let last = lines[lines.len().saturating_sub(5)..].join("\n");
        assert_eq!(read(&format!("{line} 2>&1 | tail -5"), Ok, &last), *end, "{name} end");
    }
}

#[test]
fn what_is_hidden_is_never_read_as_its_opposite() {
    let mut wrong = Vec::new();
    for (name, line, ended, _, _, output) in ROWS {
        let lines: Vec<&str> = output.trim_end_matches('\n').split('\n').collect();
        for most in 1..lines.len() {
            let start = lines[..most].join("\n");
            let end = lines[lines.len() - most..].join("\n");
            for (filter, shown) in [("head", start), ("tail", end)] {
                let status = read(&format!("{line} 2>&1 | {filter} -{most}"), Ok, &shown);
                if status != Unknown && status != *ended {
                    wrong.push(format!("{name} {filter} -{most}: {status:?}"));
                }
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}
