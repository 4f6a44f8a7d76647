//! Tests of what prompts start, correct and continue.

use super::*;

fn after(prompt: &str, open_failure: bool) -> Role {
    let before = Before {
        prompt: "Run the tests",
        open_failure,
        targets: ["db-reset"].into(),
        commands: Vec::new(),
        telling: OnceCell::new(),
    };
    role(prompt, &before)
}

#[test]
fn a_correction_is_told_by_its_words_or_by_what_it_corrects() {
    for prompt in [
        "No, keep the import.",
        "Actually, use the other target",
        "That's wrong",
        "You forgot the database",
        "Wait, not like that",
        "You have to use `make db-up`, not `db-reset`.",
    ] {
        assert_eq!(after(prompt, false), Role::Correction, "{prompt}");
    }
    for prompt in
        ["You have to run `just up` first, then run it again.", "Start the database first", "Run the tests"]
    {
        assert_eq!(after(prompt, true), Role::Correction, "{prompt}");
    }
}

#[test]
fn new_work_is_no_correction() {
    for prompt in [
        "Now add a login page",
        "First run the linter, then release",
        "No problem, now deploy it",
        "Node 22 please",
        "",
    ] {
        assert_eq!(after(prompt, false), Role::New, "{prompt}");
    }
    for prompt in ["thanks!", "Yes, go ahead", "continue", "Run the tests"] {
        assert_eq!(after(prompt, false), Role::Continuation, "{prompt}");
    }
}
