//! Test runners.

use super::super::super::family::Family;
use super::Says::{Closed, Failed, Hint, Passed};
use super::{Says, Tool};

const fn tool(runs: &'static [&'static str], forms: &'static [(Says, &'static str)]) -> Tool {
    Tool { runs, family: Family::Test, is_quiet: false, forms }
}

pub(super) const TOOLS: &[Tool] = &[
    // cargo 1.93: one result for each binary, and it stops at the first that fails.
    tool(
        &["cargo test", "cargo t"],
        &[
            (Closed, r"^test result: ok\. [0-9]+ passed; 0 failed;"),
            (Failed, r"^test result: FAILED\. "),
            (Failed, r"^error: test failed, to rerun pass "),
            (Failed, r"^error: could not compile `"),
            (Failed, r"^error: [0-9]+ targets? failed:"),
            (Hint, r"^test \S+ \.\.\. FAILED$"),
            (Hint, r"^error\[E[0-9]{4}\]: "),
        ],
    ),
    // cargo-nextest 0.9.
    tool(
        &["cargo nextest"],
        &[
            (
                Passed,
                r"^ +Summary \[ *[0-9.]+s\] +[0-9]+ tests? run: [0-9]+ passed(?: \([^)\n]*\))?(?:, [0-9]+ skipped)?$",
            ),
            (Failed, r"^ +Summary \[ *[0-9.]+s\] .*[1-9][0-9]* (?:failed|timed out)"),
            (Failed, r"^error: (?:test run failed|could not compile `)"),
        ],
    ),
    // go 1.19 and 1.24: a run of several packages that failed ends with the line FAIL.
    tool(
        &["go test", "gotestsum"],
        &[
            (Closed, r"^ok  +\t?\S+[ \t]+(?:\(cached\)|[0-9.]+s)"),
            (Closed, r"^PASS$"),
            (Failed, r"^FAIL(?:$|\t\S+)"),
            (Failed, r"^panic: test timed out after "),
            (Failed, r"^stat \S+: directory not found$"),
            (Hint, r"^ *--- FAIL: "),
            (Hint, r"^(?:\./)?[\w./@-]+\.go:[0-9]+:[0-9]+: "),
            // gotestsum 1.12.
            (Passed, r"^DONE [0-9]+ tests(?:, [0-9]+ skipped)? in [0-9.]+s"),
            (Failed, r"^DONE (?:[0-9]+ runs, )?[0-9]+ tests.*[1-9][0-9]* (?:failures?|errors?)"),
        ],
    ),
    // pytest 7 to 9.
    tool(
        &["pytest", "py.test"],
        &[
            (
                Passed,
                r"^(?:=+ )?(?:[0-9]+ (?:passed|skipped|xfailed|xpassed), )*[0-9]+ (?:passed|xfailed|xpassed)(?:, [0-9]+ (?:skipped|deselected|xfailed|xpassed|warnings?|reruns?|subtests passed))* in [0-9.]+ ?s",
            ),
            (Failed, r"^(?:=+ )?[1-9][0-9]* (?:failed|errors?)\b.* in [0-9.]+ ?s"),
            (Failed, r"^(?:=+ )?[0-9]+ .*, [1-9][0-9]* (?:failed|errors?) in [0-9.]+ ?s"),
            (Failed, r"^(?:=+ )?(?:no tests ran|[0-9]+ deselected(?:, [0-9]+ warnings?)?) in [0-9.]+ ?s"),
            (Failed, r"^!+ .*(?:Interrupted: |stopping after |KeyboardInterrupt).* !+$"),
            (Failed, r"^ERROR: (?:usage: |file or directory not found: |not found: )"),
            (Hint, r"^FAILED \S+::"),
            (Hint, r"^ERROR \S+\.py"),
        ],
    ),
    // unittest of Python 3.11, Django 5's runner.
    tool(
        &["unittest", "manage.py test", "runtests.py", "nosetests", "django-admin test"],
        &[
            (Passed, r"^Ran [0-9]+ tests? in [0-9.]+s\r?\n\r?\nOK\b"),
            (Closed, r"^OK(?: \([a-z]+[a-z ]*=[0-9]+.*\))?$"),
            (Failed, r"^FAILED \((?:failures|errors|unexpected successes|skipped|expected failures)="),
            (Failed, r"^Ran 0 tests in [0-9.]+s\r?\n\r?\nNO TESTS RAN"),
            (Hint, r"^(?:FAIL|ERROR): \w+ \("),
        ],
    ),
    // sympy 1.12's own runner.
    tool(
        &["bin/test", "bin/doctest", "./bin/test", "./bin/doctest"],
        &[
            (
                Passed,
                r"^=+ tests finished: [0-9]+ passed(?:, [0-9]+ (?:skipped|expected to fail|expected to fail but passed))*, in ",
            ),
            (Failed, r"^=+ tests finished: .*[1-9][0-9]* (?:failed|exceptions)"),
            (Failed, r"^DO \*NOT\* COMMIT!"),
        ],
    ),
    // tox 4, nox 2024.
    tool(
        &["tox", "nox"],
        &[
            (Passed, r"^  congratulations :\)"),
            (Failed, r"^  evaluation failed :\("),
            (Failed, r"^ERROR: +\S+: commands? failed"),
            (Hint, r"^  \S+: FAIL "),
            (Closed, r"^nox > Session \S+ was successful"),
            (Failed, r"^nox > Session \S+ (?:failed|aborted)"),
        ],
    ),
    // jest 29 and 30.
    tool(
        &["jest"],
        &[
            (Passed, r"^Tests: +(?:[0-9]+ (?:skipped|todo), )*[0-9]+ passed, [0-9]+ total"),
            (Failed, r"^Tests: +[1-9][0-9]* failed, "),
            (Failed, r"^Test Suites: [1-9][0-9]* failed, "),
            (Failed, r"^No tests found, exiting with code 1"),
            (Failed, r"^Jest: .*coverage threshold .* not met"),
            (Hint, r"^FAIL \S+\.[cm]?[jt]sx?\b"),
            (Hint, r"^  ● .* › "),
        ],
    ),
    // vitest 1 to 4.
    tool(
        &["vitest"],
        &[
            (Passed, r"^ +Tests +[0-9]+ passed(?: \| [0-9]+ (?:skipped|todo|expected fail))* \([0-9]+\)"),
            (Failed, r"^ +(?:Test Files|Tests) +[1-9][0-9]* failed\b"),
            (Failed, r"^ +Errors +[1-9][0-9]* errors?"),
            (Failed, r"^No test (?:files )?found, exiting with code 1"),
            (Failed, r"^ERROR: Coverage for .* does not meet "),
            (Hint, r"^ FAIL +\S+\.[cm]?[jt]sx?\b"),
        ],
    ),
    // bun 1.2 to 1.4.
    tool(
        &["bun test"],
        &[
            (Passed, r"^ *0 fail$"),
            (Failed, r"^ *[1-9][0-9]* fail$"),
            (Failed, r"^ *[1-9][0-9]* errors?$"),
            (Failed, r"^The following filters did not match any test files"),
            (Hint, r"^\(fail\) "),
        ],
    ),
    // mocha 11 lists failures after passes.
    tool(&["mocha", "cypress"], &[(Closed, r"^ +[0-9]+ passing \("), (Failed, r"^ +[1-9][0-9]* failing$")]),
    // node 20 and 22, in both of its forms; TAP of others.
    tool(
        &["node --test", "tap", "ava"],
        &[
            (Passed, r"^(?:#|ℹ) fail 0$"),
            (Failed, r"^(?:#|ℹ) (?:fail|cancelled) [1-9]"),
            (Hint, r"^not ok [0-9]+ "),
            // ava 6.
            (Closed, r"^  [0-9]+ tests? passed$"),
            (Failed, r"^  [1-9][0-9]* tests? failed$"),
        ],
    ),
    // deno 2.
    tool(
        &["deno test"],
        &[
            (Passed, r"^ok \| [0-9]+ passed.* \| 0 failed"),
            (Failed, r"^FAILED \| [0-9]+ passed"),
            (Failed, r"^error: Test failed$"),
        ],
    ),
    // Playwright 1.5x.
    tool(
        &["playwright"],
        &[(Closed, r"^  [0-9]+ passed \([0-9.]+(?:ms|s|m)\)"), (Failed, r"^  [1-9][0-9]* failed$")],
    ),
    // rspec 3.12.
    tool(
        &["rspec"],
        &[
            (Passed, r"^[0-9]+ examples?, 0 failures(?:, [0-9]+ pending)?$"),
            (Failed, r"^[0-9]+ examples?, [1-9][0-9]* failures?"),
            (Failed, r"^[0-9]+ examples?, .*[1-9][0-9]* errors? occurred outside of examples"),
            (Hint, r"^rspec \./\S+:[0-9]+ "),
        ],
    ),
    // minitest 5, also behind `rails test`; test-unit 3.
    tool(
        &["rails test", "minitest", "rake test"],
        &[
            (Passed, r"^[0-9]+ (?:runs|tests), [0-9]+ assertions, 0 failures, 0 errors"),
            (Failed, r"^[0-9]+ (?:runs|tests), [0-9]+ assertions, (?:[1-9]|0 failures, [1-9])"),
        ],
    ),
    // PHPUnit 10, Pest 2.
    tool(
        &["phpunit", "pest", "artisan test"],
        &[
            (Passed, r"^OK \([0-9]+ tests?, [0-9]+ assertions?\)"),
            (Failed, r"^Tests: [0-9]+, Assertions: [0-9]+.*(?:Failures|Errors): [1-9]"),
            (Failed, r"^(?:FAILURES|ERRORS)!$"),
            (Passed, r"^  Tests: +(?:[0-9]+ [a-z]+, )*[0-9]+ passed \([0-9]+ assertions?\)"),
            (Failed, r"^  Tests: +[1-9][0-9]* failed"),
        ],
    ),
    // .NET 8: one line for each project.
    tool(
        &["dotnet test"],
        &[
            (Closed, r"^Passed! +- Failed: +0, "),
            (Failed, r"^Failed! +- Failed: +[1-9]"),
            (Closed, r"^Test Run Successful\."),
            (Failed, r"^Test Run Failed\."),
        ],
    ),
    // CTest 3.2x.
    tool(
        &["ctest"],
        &[
            (Passed, r"^100% tests passed, 0 tests failed out of [0-9]+"),
            (Failed, r"^[0-9]+% tests passed, [1-9][0-9]* tests failed out of [0-9]+"),
        ],
    ),
    // Swift 5, Xcode 15.
    tool(
        &["swift test", "xcodebuild"],
        &[
            (Closed, r"^\*\* TEST SUCCEEDED \*\*"),
            (Failed, r"^\*\* (?:TEST|BUILD) FAILED \*\*"),
            (Closed, r"^Test Suite 'All tests' passed"),
            (Failed, r"^Test Suite 'All tests' failed"),
        ],
    ),
    // ExUnit 1.15, Flutter 3.
    tool(
        &["mix test", "flutter test", "dart test"],
        &[
            (Passed, r"^(?:[0-9]+ (?:doctests?|properties|property), )*[0-9]+ tests?, 0 failures"),
            (Failed, r"^(?:[0-9]+ (?:doctests?|properties|property), )*[0-9]+ tests?, [1-9][0-9]* failures?"),
            (Closed, r"^[0-9:]+ \+[0-9]+.*: All tests passed!$"),
            (Failed, r"^[0-9:]+ \+[0-9]+.*: Some tests failed\.$"),
        ],
    ),
];
