//! A workspace's toolchain: its commands, its layout of files, the runners behind them.

use crate::outputs::Runner;
use crate::random::Random;
use crate::words::{NOUNS, STEMS};

/// A language and its tools.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Language {
    Python,
    Node,
    Go,
    Rust,
}

pub(crate) const LANGUAGES: [Language; 4] = [Language::Python, Language::Node, Language::Go, Language::Rust];

/// A check: its line and who prints what it prints.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    pub(crate) line: String,
    pub(crate) runner: Runner,
}

/// How a workspace works.
#[derive(Clone)]
pub(crate) struct Style {
    pub(crate) language: Language,
    pub(crate) repository: &'static str,
    /// Starts a task: `make`, `just`, `mise run`, `pnpm`.
    starter: &'static str,
    pub(crate) areas: Vec<&'static str>,
    pub(crate) test: Check,
    pub(crate) lint: Check,
    pub(crate) types: Check,
    pub(crate) format: String,
    /// Put before commands at will.
    pub(crate) wrapper: Option<&'static str>,
    /// How often an assistant puts it there, and how often it changes the folder first.
    pub(crate) wrapped: f64,
    pub(crate) in_folder: f64,
    /// How often a session lints before it tests.
    pub(crate) lint_first: f64,
    /// How often passes of tests log errors.
    pub(crate) logs_errors: f64,
    /// How often an everyday check fails, and how often two run in one chain.
    pub(crate) fails: f64,
    pub(crate) chained: f64,
    /// How many sessions go on for long.
    pub(crate) long: f64,
    /// How often at most a session edits and checks in one piece of work.
    pub(crate) rounds: usize,
    /// How often there is an edit between a failed check and its rerun.
    pub(crate) edits_between: f64,
    /// The file that most sessions edit, and how many do.
    pub(crate) theme: String,
    pub(crate) themed: f64,
    nouns: Vec<&'static str>,
}

impl Style {
    pub(crate) fn draw(random: &mut Random, language: Language, number: usize) -> Self {
        let mut nouns = NOUNS.to_vec();
        random.shuffle(&mut nouns);
        let repository = nouns.pop().unwrap();
        let areas: Vec<&'static str> = nouns.split_off(nouns.len() - 6);
        let starter = match language {
            Language::Node => "pnpm",
            Language::Python => random.pick::<&str>(&["make", "just"]),
            Language::Go => random.pick::<&str>(&["make", "mise run"]),
            Language::Rust => random.pick::<&str>(&["just", "mise run"]),
        };
        let task = |name: &str| format!("{starter} {name}");
        let (test, types) = match language {
            Language::Python => {
                (("uv run pytest".to_owned(), Runner::Pytest), ("uv run mypy src".to_owned(), Runner::Mypy))
            }
            Language::Node => ((task("test"), Runner::Vitest), (task("typecheck"), Runner::Tsc)),
            Language::Go => ((task("test"), Runner::GoTest), ("go vet ./...".to_owned(), Runner::GoVet)),
            Language::Rust => {
                (("cargo test".to_owned(), Runner::CargoTest), ("cargo check".to_owned(), Runner::CargoCheck))
            }
        };
        let lint = match language {
            Language::Python => Runner::Ruff,
            Language::Node => Runner::Eslint,
            Language::Go => Runner::GolangCi,
            Language::Rust => Runner::Clippy,
        };
        let theme = match language {
            Language::Python => format!("src/{repository}/settings.py"),
            Language::Node => "src/styles/theme.css".to_owned(),
            Language::Go => "internal/config/config.go".to_owned(),
            Language::Rust => "crates/core/src/lib.rs".to_owned(),
        };
        // The recorded sessions differ as much: one team edits between nearly all reruns, one in
        // half of them; one logs errors in half of its passes, one never; one has a wrapper.
        let first = number.is_multiple_of(2);
        Self {
            language,
            repository,
            starter,
            areas,
            test: Check { line: test.0, runner: test.1 },
            lint: Check { line: task("lint"), runner: lint },
            types: Check { line: types.0, runner: types.1 },
            format: task(random.pick::<&str>(&["fmt", "format", "tidy"])),
            wrapper: (!first).then(|| *random.pick::<&str>(&["rtk", "mise exec --", "direnv exec ."])),
            wrapped: if first { 0.0 } else { 0.4 },
            in_folder: if first { 0.09 } else { 0.03 },
            lint_first: if first { 0.5 } else { 0.25 },
            logs_errors: if first { 0.02 } else { 0.48 },
            fails: if first { 0.2 } else { 0.32 },
            chained: if first { 0.4 } else { 0.2 },
            long: if first { 0.2 } else { 0.03 },
            rounds: if first { 4 } else { 1 },
            edits_between: if first { 0.97 } else { 0.7 },
            theme,
            themed: [0.22, 0.3, 0.6][number % 3],
            nouns,
        }
    }

    /// A word that nothing else in the workspace is named after.
    pub(crate) fn noun(&mut self) -> &'static str {
        self.nouns.pop().unwrap()
    }

    /// A task of the workspace; `-` in its name may be `:`.
    pub(crate) fn task(&self, name: &str) -> String {
        let name = if matches!(self.starter, "pnpm" | "mise run") {
            name.replacen('-', ":", 1)
        } else {
            name.to_owned()
        };
        format!("{} {name}", self.starter)
    }

    /// Whether a task's runner prints the script that it runs, marked as such.
    pub(crate) fn prints_scripts(&self) -> bool {
        matches!(self.starter, "pnpm" | "mise run")
    }

    /// What a task's runner prints before the script runs.
    pub(crate) fn echo(&self, line: &str, script: &str) -> String {
        let task = line.strip_prefix(self.starter).unwrap_or(line).trim();
        match self.starter {
            "pnpm" => format!("\n> {}@0.4.0 {task}\n> {script}\n\n", self.repository),
            "mise run" => format!("[{task}] $ {script}\n"),
            _ => format!("{script}\n"),
        }
    }

    pub(crate) fn source(&self, area: &str, stem: &str) -> String {
        match self.language {
            Language::Python => format!("src/{}/{area}/{stem}.py", self.repository),
            Language::Node => format!("src/{area}/{stem}.ts"),
            Language::Go => format!("internal/{area}/{stem}.go"),
            Language::Rust => format!("crates/{area}/src/{stem}.rs"),
        }
    }

    /// The suite of an area.
    pub(crate) fn suite(&self, area: &str) -> Check {
        let line = match self.language {
            Language::Python => format!("uv run pytest tests/{area}"),
            Language::Node => format!("pnpm vitest run src/{area}"),
            Language::Go => format!("go test ./internal/{area}/..."),
            Language::Rust => format!("cargo test -p {}-{area}", self.repository),
        };
        Check { line, runner: self.test.runner }
    }

    /// The suite of one file, where the language has such.
    pub(crate) fn file_suite(&self, area: &str, stem: &str) -> Option<Check> {
        let line = match self.language {
            Language::Python => format!("uv run pytest tests/{area}/test_{stem}.py"),
            Language::Node => format!("pnpm vitest run src/{area}/{stem}.test.ts"),
            Language::Go | Language::Rust => return None,
        };
        Some(Check { line, runner: self.test.runner })
    }

    pub(crate) fn stem(&self, random: &mut Random) -> &'static str {
        random.pick::<&str>(&STEMS)
    }

    /// A run of a task under the name of a test suite of its own.
    pub(crate) fn named_suite(&self, name: &str) -> Check {
        Check { line: self.task(&format!("test-{name}")), runner: self.test.runner }
    }
}
