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

#[test]
fn what_clients_wrap_is_taken_out_and_other_angle_brackets_stay_words() {
    for (prompt, kept) in [
        ("plain", "plain"),
        ("<a>x</a>do it", "do it"),
        ("a <b-c d=\"1\">x</b-c> y", "a  y"),
        ("<a>one</a> and <a>two</a>", " and "),
        ("</a> before <a>", " /a> before  a>"),
        ("if x < 3 then <y", "if x   3 then  y"),
        ("<ä>ü</ä>ö", "ö"),
        ("<a><b></a></b>", " /b>"),
    ] {
        assert_eq!(visible(prompt), kept, "{prompt}");
    }
}

#[test]
fn a_prompt_of_angle_brackets_is_read_once() {
    // Looked behind again at each of them, these take minutes.
    let many = "<".repeat(1 << 20);
    assert_eq!(visible(&many).len(), many.len());
    let names: String = (0..100_000).map(|number| format!("<a{number}>")).collect();
    assert_eq!(visible(&names).matches('<').count(), 0);
}
