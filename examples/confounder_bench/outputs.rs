//! What runners print: a pass, a failure, and failures of the kinds that a command repairs.

use crate::random::Random;
use crate::words::{STEMS, identifier};

/// Whose output it is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Runner {
    Pytest,
    Vitest,
    GoTest,
    CargoTest,
    Ruff,
    Eslint,
    GolangCi,
    Clippy,
    Mypy,
    Tsc,
    GoVet,
    CargoCheck,
}

/// The end of a failed run, as the program that started the runner words it.
pub(crate) fn starter(line: &str) -> String {
    let target = line.split_whitespace().nth(1).unwrap_or_default();
    let task = line.split_whitespace().nth(2).unwrap_or_default();
    match line.split_whitespace().next().unwrap_or_default() {
        "make" => format!("\nmake: *** [Makefile:{}: {target}] Error 1", 20 + line.len()),
        "just" => format!("\nerror: Recipe `{target}` failed on line {} with exit code 1", 10 + line.len()),
        "pnpm" => "\n ELIFECYCLE  Command failed with exit code 1.".to_owned(),
        "mise" => format!("\n[{task}] ERROR task failed"),
        _ => String::new(),
    }
}

/// A run in which all is well.
pub(crate) fn pass(random: &mut Random, runner: Runner) -> String {
    let (count, hundredths) = (random.between(12, 480), random.between(10, 98));
    let seconds = random.between(1, 40);
    match runner {
        Runner::Pytest => format!(
            "collected {count} items\n\ntests/test_{}.py ...... [100%]\n\n\
             ============================== {count} passed in {seconds}.{hundredths}s ==============================",
            random.pick::<&str>(&STEMS)
        ),
        Runner::Vitest => format!(
            " RUN  v3.2.4\n\n ✓ src/{}.test.ts ({count} tests) {hundredths}ms\n\n Test Files  9 passed (9)\n      \
             Tests  {count} passed ({count})\n   Duration  {seconds}.{hundredths}s",
            random.pick::<&str>(&STEMS)
        ),
        Runner::GoTest => {
            let stem = random.pick::<&str>(&STEMS);
            format!(
                "ok  \texample.com/acme/{stem}\t{seconds}.{hundredths}s\nok  \texample.com/acme/{stem}/store\t0.{hundredths}s"
            )
        }
        Runner::CargoTest => format!(
            "running {count} tests\n...\ntest result: ok. {count} passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; \
             finished in {seconds}.{hundredths}s"
        ),
        Runner::Ruff => "All checks passed!".to_owned(),
        Runner::Eslint => "\n✔ 0 problems (0 errors, 0 warnings)".to_owned(),
        Runner::GolangCi => "0 issues.".to_owned(),
        Runner::Clippy | Runner::CargoCheck => {
            format!(
                "    Checking acme-{} v0.4.0\n    Finished `dev` profile [unoptimized + debuginfo] target(s) in {seconds}.{hundredths}s",
                random.pick::<&str>(&STEMS)
            )
        }
        Runner::Mypy => format!("Success: no issues found in {count} source files"),
        Runner::Tsc => "Found 0 errors.".to_owned(),
        Runner::GoVet => "go vet: 0 issues.".to_owned(),
    }
}

/// A run that fails because the code is wrong; only an edit helps.
pub(crate) fn fail(random: &mut Random, runner: Runner, path: &str) -> String {
    let (line, count) = (random.between(4, 320), random.between(12, 480));
    let (left, right) = (random.below(90), random.between(100, 190));
    let (name, hundredths) = (identifier(random), random.between(10, 98));
    match runner {
        Runner::Pytest => format!(
            "collected {count} items\n\n=================================== FAILURES ===================================\n\
             E       assert {left} == {right}\n{path}:{line}: AssertionError\n=========================== short test summary info ============================\n\
             FAILED tests/test_{name}.py::test_{name} - assert {left} == {right}\n\
             ========================= 1 failed, {count} passed in 3.{hundredths}s ========================="
        ),
        Runner::Vitest => format!(
            " RUN  v3.2.4\n\n ❯ {path} ({count} tests | 1 failed)\n   × {name}\n     → expected {left} to be {right}\n\n FAIL  {path} > {name}\n\
             AssertionError: expected {left} to be {right}\n\n Test Files  1 failed | 8 passed (9)\n      Tests  1 failed | {count} passed"
        ),
        Runner::GoTest => format!(
            "--- FAIL: Test_{name} (0.{hundredths}s)\n    {path}:{line}: got {left}, want {right}\nFAIL\nFAIL\texample.com/acme/{name}\t0.{hundredths}s\nFAIL"
        ),
        Runner::CargoTest => format!(
            "running {count} tests\n\nfailures:\n\n---- {name} stdout ----\nthread '{name}' panicked at {path}:{line}:9:\n\
             assertion `left == right` failed\n  left: {left}\n right: {right}\n\ntest result: FAILED. {count} passed; 1 failed; 0 ignored; 0 measured; 0 filtered out"
        ),
        Runner::Ruff => format!(
            "{path}:{line}:5: F841 Local variable `{name}` is assigned to but never used\nFound 1 error."
        ),
        Runner::Eslint => format!(
            "\n{path}\n  {line}:11  error  '{name}' is assigned a value but never used  @typescript-eslint/no-unused-vars\n\n✖ 1 problem (1 error, 0 warnings)"
        ),
        Runner::GolangCi => format!(
            "{path}:{line}:14: Error return value of `{name}.Close` is not checked (errcheck)\n1 issues:\n* errcheck: 1"
        ),
        Runner::Clippy => format!(
            "error: unused variable: `{name}`\n  --> {path}:{line}:9\n\nerror: could not compile `acme` (lib) due to 1 previous error"
        ),
        Runner::Mypy => format!(
            "{path}:{line}: error: Argument 1 to \"{name}\" has incompatible type \"str\"; expected \"int\"  [arg-type]\nFound 1 error in 1 file (checked {count} source files)"
        ),
        Runner::Tsc => format!(
            "{path}({line},7): error TS2345: Argument of type 'string' is not assignable to parameter of type '{name}'.\nFound 1 error."
        ),
        Runner::GoVet => format!("{path}:{line}:9: undefined: {name}"),
        Runner::CargoCheck => format!(
            "error[E0308]: mismatched types\n  --> {path}:{line}:18\n   | expected `{name}`, found `u32`\n\nerror: could not compile `acme` (lib) due to 1 previous error"
        ),
    }
}

impl Runner {
    /// The rule that [`fail`] names, where it names one that is more than an error of the compiler.
    pub(crate) const fn rule(self) -> Option<&'static str> {
        match self {
            Self::Ruff => Some("F841"),
            Self::Eslint => Some("@typescript-eslint/no-unused-vars"),
            Self::GolangCi => Some("errcheck"),
            Self::Mypy => Some("arg-type"),
            Self::Tsc => Some("TS2345"),
            _ => None,
        }
    }
}

/// A run that fails with `error` for a cause outside the code that the session edits.
pub(crate) fn broken(random: &mut Random, runner: Runner, error: &str) -> String {
    let (count, hundredths) = (random.between(2, 9), random.between(10, 98));
    let name = identifier(random);
    match runner {
        Runner::Pytest => format!(
            "collected {count} items\n\n==================================== ERRORS ====================================\nE   {error}\n\
             =========================== short test summary info ============================\nERROR tests/test_{name}.py\n\
             ============================== {count} errors in 1.{hundredths}s ==============================="
        ),
        Runner::Vitest => format!(
            " RUN  v3.2.4\n\n FAIL  src/{name}.test.ts\nError: {error}\n\n Test Files  {count} failed (9)\n      Tests  {count} failed"
        ),
        Runner::GoTest => format!(
            "--- FAIL: Test_{name} (0.{hundredths}s)\n    setup: {error}\nFAIL\nFAIL\texample.com/acme/{name}\t0.{hundredths}s\nFAIL"
        ),
        Runner::CargoTest => format!(
            "running {count} tests\n\nfailures:\n\n---- {name} stdout ----\nError: {error}\n\n\
             test result: FAILED. 0 passed; {count} failed; 0 ignored; 0 measured; 0 filtered out"
        ),
        Runner::Ruff | Runner::Eslint | Runner::GolangCi | Runner::Clippy => error.to_owned(),
        Runner::Mypy => format!("{error}\nFound {count} errors in 1 file"),
        Runner::Tsc => format!("{error}\nFound {count} errors."),
        Runner::GoVet | Runner::CargoCheck => format!("{error}\nerror: build failed"),
    }
}

/// A line that a program logs in a test that passes.
pub(crate) fn logged(random: &mut Random) -> String {
    let name = identifier(random);
    random
        .pick(&[
            format!("[{name}] error: queue is full, dropping the oldest entry"),
            format!("ERROR {name}: upstream answered 503 (expected by this test)"),
            format!("error: {name} rejected the payload\n    at handler (lib/{name}:41)"),
        ])
        .clone()
}
