//! Statuses of lines whose output says more or less than their exit status.

use super::super::command::commands;
use super::*;
use crate::event::Status::{Error, Ok, Unknown};

fn of(line: &str, reported: Status, output: &str) -> Vec<Status> {
    statuses(&commands(line), reported, output)
}

#[test]
fn a_failed_list_blames_only_what_must_have_failed() {
    assert_eq!(of("cd a && make b", Error, "")[1], Error);
    assert_eq!(of("make a && make b", Error, ""), [Unknown, Unknown]);
    assert_eq!(of("make a && make b", Ok, ""), [Ok, Ok]);
    assert_eq!(of("make a; make b", Ok, ""), [Unknown, Ok]);
    assert_eq!(of("make a | tail", Ok, ""), [Unknown]);
}

#[test]
fn a_chain_fails_where_its_output_says() {
    let mise = "[fmt] $ gofmt -w .\n[lint] $ golangci-lint run ./...\n[lint] ERROR task failed\n1 issues:\n";
    assert_eq!(of("mise run fmt && mise run lint && mise run test", Error, mise), [Ok, Error, Unknown]);
    assert_eq!(of("npm run lint && npm test", Error, "Tests:       1 failed, 2 total"), [Ok, Error]);
    assert_eq!(of("mise run lint && ./deploy.sh", Error, "0 issues.\nno such host"), [Ok, Error]);
    assert_eq!(of("make a && cp x y", Error, "cp: cannot stat 'x'"), [Ok, Error]);
    assert_eq!(of("make a && make b", Error, "make: *** [Makefile:2: b] Error 1"), [Ok, Error]);
    let script = "error: script \"lint\" exited with code 1";
    assert_eq!(of("bun run lint && bun run test", Error, script), [Error, Unknown]);
}

#[test]
fn what_stands_behind_a_failure_did_not_run() {
    let go = "# a/b\na/b/c.go:7:1: syntax error: x\n";
    assert_eq!(of("go build ./... && go test ./... | tail", Error, go), [Error, Unknown]);
    let cd = "(eval):cd:1: no such file or directory: a";
    assert_eq!(of("cd a && go test ./...", Error, cd), [Error, Unknown]);
}

#[test]
fn totals_outrank_words_and_masked_status() {
    let bun = "error: boom\n\n 12 pass\n 0 fail\nRan 12 tests across 1 files. [1.00s]\n";
    assert_eq!(of("bun test | tail -5", Ok, bun), [Ok]);
    assert_eq!(of("bun run test 2>&1 | grep fail", Ok, " 0 fail\n"), [Ok]);
    assert_eq!(of("bun run test 2>&1 | grep fail", Ok, " 2 fail\n"), [Error]);
    assert_eq!(of("mise run lint", Ok, "12 issues:\n* errcheck: 12\n"), [Error]);
    assert_eq!(of("mise run lint", Ok, "[lint] ERROR task failed\n"), [Error]);
    assert_eq!(of("mise run lint && mise run test | tail -3", Ok, "ok  \ta/b\t1.2s\n"), [Ok, Ok]);
    assert_eq!(of("git commit -m x", Ok, " 2 fail\n[main abcdef1] x\n"), [Ok]);
}

#[test]
fn what_is_not_shown_proves_no_pass() {
    let go = "ok  \ta/b\t1.2s\nok  \ta/c\t1.2s\n";
    assert_eq!(of("go test ./... | tail -2", Ok, go), [Ok]);
    assert_eq!(of("go test ./... | head -2", Ok, go), [Unknown]);
    assert_eq!(of("go test ./... | head -20", Ok, go), [Ok]);
    assert_eq!(of("go test ./... | grep ok", Ok, go), [Unknown]);
    assert_eq!(of("go test ./... | tail -2", Ok, "FAIL\ta/c\t1.2s\nok  \ta/d\t1s\n"), [Error]);
    assert_eq!(of("go test ./... | tail", Ok, "ok  \ta/b\t1.2s\n[output truncated]\n"), [Unknown]);
    assert_eq!(of("mise run lint | grep error", Ok, ""), [Unknown]);
    assert_eq!(of("tsc --noEmit | tail -5", Ok, ""), [Ok]);
    assert_eq!(of("bun run typecheck 2>&1 | tail -5", Ok, "$ tsc --noEmit\n"), [Ok]);
    assert_eq!(of("go build ./... 2>/dev/null | head", Ok, ""), [Unknown]);
}

#[test]
fn a_masked_status_is_the_outputs() {
    for line in ["npm test || true", "npm test; echo done", "npm test &", "for a in 1 2; do npm test; done"] {
        assert_eq!(
            of(line, Ok, "Tests:       1 failed, 2 total")[0..],
            of(line, Ok, "Tests:       1 failed, 2 total")[..]
        );
        let status = |output: &str| {
            let listed = commands(line);
            let index = listed.iter().position(|listed| !listed.command.is_trivial()).unwrap();
            statuses(&listed, Ok, output)[index]
        };
        assert_eq!(status("Tests:       1 failed, 2 total"), Error, "{line}");
        assert_eq!(status("Tests:       2 passed, 2 total"), Ok, "{line}");
        assert_eq!(status("what"), Unknown, "{line}");
    }
}

#[test]
fn a_line_tells_of_itself() {
    assert_eq!(of("make a; echo \"exit: $?\"", Ok, "x\nexit: 2")[0], Error);
    assert_eq!(of("make a; echo \"exit: $?\"", Ok, "x\nexit: 0")[0], Ok);
    assert_eq!(of("make a | tail; echo ${PIPESTATUS[0]}", Ok, "x\n1")[0], Error);
    assert_eq!(of("make a | tail; echo $?", Ok, "x\n0")[0], Unknown);
    assert_eq!(of("make a && echo good || echo bad", Ok, "x\nbad")[0], Error);
    assert_eq!(of("make a && echo good; ls", Ok, "x\ngood\ny")[0], Ok);
    assert_eq!(of("make a || echo bad", Ok, "x")[0], Ok);
}

#[test]
fn what_was_not_run_or_still_runs_is_unknown() {
    for output in [
        "The user doesn't want to proceed with this tool use.",
        "Command running in background with ID: b1",
        "<tool_use_error>Sibling tool call errored</tool_use_error>",
    ] {
        assert_eq!(of("make a", Error, output), [Unknown], "{output}");
        assert_eq!(of("make a", Ok, output), [Unknown], "{output}");
    }
}

proptest::proptest! {
    #[test]
    fn any_line_and_output_give_a_status_for_each_command(
        line in "[a-z$ ;&|()'\"<>\\n-]{0,60}", output in ".{0,200}"
    ) {
        let listed = commands(&line);
        for reported in [Ok, Error, Unknown] {
            proptest::prop_assert_eq!(statuses(&listed, reported, &output).len(), listed.len());
        }
        let _ = (is_still_running(&output), refusal::refusal(&output));
    }
}
