//! Whether a session met a claim's situation, and did what it says.

use serde_json::{Value, json};
use skillspan::event::Status;
use skillspan::skillify::{Claim, Digest, Later, Seen, Watched};

use crate::sessions::{SessionBuilder, session};

fn seen(claim: &Value, session: SessionBuilder) -> Option<Seen> {
    let claim: Claim = serde_json::from_value(claim.clone()).unwrap();
    let steps: Vec<_> = claim.step().into_iter().collect();
    Watched { claim: &claim, failures: &[], steps: &steps }.seen_in(&Digest::of(&session.build()))
}

fn held(followed: bool, well: Option<bool>) -> Option<Seen> {
    Some(Seen { followed, well })
}

fn start() -> SessionBuilder {
    session("later").project("git.example.com/acme/shop").prompt("mend the basket")
}

#[test]
fn a_repair_is_followed_between_the_failure_and_the_pass() {
    let claim = json!({ "repair": { "command": "make itest", "repair": "make db-up" } });
    for (told, expected) in [
        (start().ok("make itest"), None),
        (start().fails("make itest").ok("make db-up").ok("make itest"), held(true, Some(true))),
        (start().fails("make itest").ok("make itest").ok("make db-up"), held(false, Some(true))),
        (start().ok("make db-up").fails("make itest"), held(false, Some(false))),
        (start().fails("make itest").ok("make db-up").fails("make itest"), held(true, Some(false))),
    ] {
        assert_eq!(seen(&claim, told), expected);
    }
}

#[test]
fn a_prevention_is_followed_before_the_first_run() {
    let claim = json!({ "prevent": { "command": "make lint", "first": "make fmt" } });
    assert_eq!(seen(&claim, start().ok("make fmt").ok("make lint")), held(true, Some(true)));
    assert_eq!(
        seen(&claim, start().fails("make lint").ok("make fmt").ok("make lint")),
        held(false, Some(false))
    );
    assert_eq!(seen(&claim, start().ok("make fmt")), None);
}

#[test]
fn of_two_commands_the_unwanted_one_breaks_the_claim() {
    for claim in [
        json!({ "instead": { "run": "bin/test a.py", "failed": "pytest a.py" } }),
        json!({ "prefer": { "prefer": "bin/test a.py", "over": "pytest a.py" } }),
    ] {
        assert_eq!(seen(&claim, start().ok("bin/test a.py")), held(true, Some(true)), "{claim}");
        assert_eq!(seen(&claim, start().fails("pytest a.py").ok("bin/test a.py")), held(false, Some(false)));
        assert_eq!(
            seen(&claim, start().refused("pytest a.py").ok("bin/test a.py")).map(|s| s.followed),
            Some(false)
        );
        assert_eq!(seen(&claim, start().ok("ls")), None);
    }
}

#[test]
fn a_check_belongs_after_the_edit() {
    let claim = json!({ "check": { "edited": "src/**/*.rs", "run": "cargo test" } });
    assert_eq!(seen(&claim, start().edit("src/a/b.rs").ok("cargo test")), held(true, Some(true)));
    assert_eq!(seen(&claim, start().ok("cargo test").edit("src/a/b.rs")), held(false, None));
    assert_eq!(seen(&claim, start().edit("docs/b.md").ok("cargo test")), None);
    let task = json!({ "check": { "edited": "cmd/*.go", "run": "mise run test" } });
    for (run, is_it) in [
        ("mise run test", true),
        ("mise run test -- -run TestCart", true),
        ("mise run testing -- -run TestCart", false),
        ("mise run lint", false),
    ] {
        let told = start().edit("cmd/cart.go").ok(run);
        assert_eq!(seen(&task, told), held(is_it, is_it.then_some(true)), "{run}");
    }
    let missing = start().edit("cmd/cart.go").tool(
        "Bash",
        r#"{"command": "mise run test"}"#,
        Status::Error,
        "bash: mise: command not found",
    );
    assert_eq!(seen(&task, missing), held(false, None), "what did not run checked nothing");
    let claim = json!({ "check": { "edited": "src/{name}.py", "run": "pytest tests/test_{name}.py" } });
    assert_eq!(
        seen(&claim, start().edit("src/tax.py").ok("pytest tests/test_tax.py")),
        held(true, Some(true))
    );
    let other = start().edit("src/tax.py").ok("pytest tests/test_cart.py");
    assert_eq!(seen(&claim, other), held(false, None), "the test of another file");
}

#[test]
fn files_that_change_together() {
    let claim = json!({ "together": { "edited": "api.yaml", "also": "docs/api.md" } });
    assert_eq!(seen(&claim, start().edit("api.yaml").edit("docs/api.md")), held(true, None));
    assert_eq!(seen(&claim, start().edit("api.yaml")), held(false, None));
    assert_eq!(seen(&claim, start().edit("docs/api.md")), None);
}

#[test]
fn a_path_that_is_not_there_is_looked_for_or_not() {
    let claim = json!({ "missing": { "path": "src/commands" } });
    let gone = |path: &str| {
        let input = json!({ "file_path": path }).to_string();
        start().tool("Read", &input, Status::Error, "File does not exist.")
    };
    assert_eq!(seen(&claim, gone("src/commands/a.rs")), held(false, Some(true)));
    let there = r#"{"file_path": "src/commands/a.rs"}"#;
    assert_eq!(seen(&claim, start().tool("Read", there, Status::Ok, "1 fn")), held(true, Some(false)));
    assert_eq!(seen(&claim, gone("src/commands2/a.rs")), None);
}

#[test]
fn a_name_that_was_searched_for_was_not_known() {
    let claim = json!({ "declared": { "name": "CartState", "file": "src/cart.go" } });
    let search = |output: &str| {
        let input = json!({ "pattern": "CartState" }).to_string();
        start().tool("Grep", &input, Status::Ok, output)
    };
    assert_eq!(seen(&claim, search("src/cart.go:3:type CartState struct {")), held(false, Some(true)));
    assert_eq!(seen(&claim, search("src/till.go:3:type CartState struct {")), held(false, Some(false)));
    assert_eq!(seen(&claim, start().edit("src/cart.go")), held(true, None));
    assert_eq!(seen(&claim, start()), None);
}

#[test]
fn what_is_to_be_avoided_and_steps_of_a_procedure() {
    let claim = json!({ "avoid": "git push --force" });
    assert_eq!(seen(&claim, start().ok("git push --force")), held(false, None));
    assert_eq!(seen(&claim, start().ok("git push")), held(true, None));
    assert_eq!(seen(&claim, start().ok("make")), None);
    let step = json!({ "run": "make release" });
    assert_eq!(seen(&step, start().ok("make release")).map(|seen| seen.followed), Some(true));
    assert_eq!(seen(&step, start().ok("make")), None);
}

#[test]
fn sums_tell_met_followed_and_broken() {
    let mut later = Later::default();
    for (followed, well) in [(true, Some(true)), (true, None), (false, Some(false)), (false, Some(true))] {
        later.add(Seen { followed, well });
    }
    assert_eq!((later.met(), later.followed, later.broken), (4, 2, 2));
    assert_eq!((later.followed_well, later.broken_well, later.broken_ill), (1, 1, 1));
}

#[test]
fn a_wrapper_that_lacks_a_program_is_told_by_how_lines_begin() {
    let claim = json!({ "instead": { "run": "bun", "failed": "rtk bun" } });
    let both = start().fails("rtk bun run test").ok("bun run test");
    assert_eq!(seen(&claim, both), held(false, Some(false)));
    assert_eq!(seen(&claim, start().ok("bun run lint")), held(true, Some(true)));
    assert_eq!(seen(&claim, start().ok("rtk git status")), None);
}

#[test]
fn flags_and_pipes_are_seen_where_the_program_ran() {
    let flag = json!({ "noflag": { "run": "cat -A" } });
    let unknown = start().run_with_output("cat -A a.ts", Status::Error, "cat: illegal option -- A\n");
    assert_eq!(seen(&flag, unknown), held(false, Some(false)));
    assert_eq!(seen(&flag, start().ok("cat -n a.ts")), held(true, None));
    assert_eq!(seen(&flag, start().ok("cat -A a.ts")), held(false, Some(true)), "it knows it now");
    assert_eq!(seen(&flag, start().ok("ls")), None);
    let pipe = json!({ "piped": { "run": "go test ./..." } });
    let red = "--- FAIL: TestTotal (0.00s)\nFAIL\nFAIL\tshop/till\t0.1s\nFAIL\n";
    let hidden = start().run_with_output("go test ./... | tail -5", Status::Ok, red);
    assert_eq!(seen(&pipe, hidden), held(false, Some(false)));
    assert_eq!(seen(&pipe, start().ok("go test ./...")), held(true, Some(true)));
    assert_eq!(seen(&pipe, start().ok("go vet ./...")), None);
}

#[test]
fn checks_that_people_point_to_take_long_change_their_minds_or_change_files() {
    let asked = json!({ "asked": { "edited": "src/**/*.rs", "run": "make ci" } });
    assert_eq!(seen(&asked, start().edit("src/a/b.rs").ok("make ci")), held(true, Some(true)));
    let pointed = start().edit("src/a/b.rs").response("Done.").prompt("make ci fails").fails("make ci");
    assert_eq!(seen(&asked, pointed), held(false, Some(false)));
    let slow = json!({ "slow": { "run": "make soak", "instead": "make smoke" } });
    assert_eq!(seen(&slow, start().fails("make soak").ok("make smoke")), held(false, Some(false)));
    assert_eq!(seen(&slow, start().ok("make smoke")), held(true, Some(true)));
    let flaky = json!({ "flaky": { "run": "make e2e" } });
    assert_eq!(seen(&flaky, start().fails("make e2e").ok("make e2e")), held(true, Some(true)));
    assert_eq!(seen(&flaky, start().fails("make e2e").edit("a.rs").ok("make e2e")), held(false, None));
    assert_eq!(seen(&flaky, start().ok("make e2e")), None);
    let hook = json!({ "hook": { "run": "make test" } });
    assert_eq!(seen(&hook, start().ok("make test").ok("git commit -m x")), held(false, None));
    let edited = start().ok("make test").edit("a.rs").ok("git commit -m x");
    assert_eq!(seen(&hook, edited), held(true, None));
    let changes = json!({ "changes": { "run": "make lint" } });
    let looked = start().edit("a.rs").ok("make lint").run_with_output("git status", Status::Ok, "nothing");
    assert_eq!(seen(&changes, looked), held(true, None));
    assert_eq!(seen(&changes, start().edit("a.rs").ok("make lint")), held(false, None));
}

#[test]
fn scripts_and_rules() {
    let claim =
        json!({ "snippet": { "program": "python", "error": "OperationalError", "code": "create_model" } });
    let run = |one: SessionBuilder, code: &str, status: Status| {
        let input = json!({ "file_path": "/w/try.py", "content": code }).to_string();
        let one = one.tool("Write", &input, Status::Ok, "created");
        one.run_with_output("python try.py", status, "OperationalError: no such table: cart")
    };
    let failed = || run(start(), "save_all()\n", Status::Error);
    assert_eq!(
        seen(&claim, run(failed(), "create_model()\nsave_all()\n", Status::Ok)),
        held(true, Some(true))
    );
    assert_eq!(seen(&claim, run(failed(), "open_all()\n", Status::Ok)), held(false, Some(true)));
    assert_eq!(seen(&claim, run(start(), "save_all()\n", Status::Ok)), None);
    let rule = json!({ "rule": { "want": "not", "act": "commit" } });
    let said = start().ok("git commit -m x").prompt("never commit unless I tell you to");
    let told = seen(&rule, said);
    assert!(told.is_none_or(|told| !told.followed), "{told:?}");
    assert_eq!(seen(&rule, start().ok("make")), None);
}
