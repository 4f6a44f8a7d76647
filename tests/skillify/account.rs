//! What a session cost, and why.

use skillspan::event::Status;
use skillspan::skillify::account::{Account, End, How, Place};

use crate::sessions::session;

fn ends(account: &Account) -> Vec<(&str, &str, u64, End)> {
    account.failures.iter().map(|one| (one.kind, one.what.as_str(), one.failed, one.end)).collect()
}

#[test]
fn calls_are_counted_from_the_first_failure_to_the_pass() {
    let session = session("a")
        .prompt("mend the basket")
        .fails("cargo test")
        .edit("src/basket.rs")
        .fails("cargo test")
        .ok("cargo test")
        .ok("cargo test")
        .build();
    assert_eq!(ends(&Account::of(&session)), [("tests", "cargo test", 2, End::Passed(3))]);
}

#[test]
fn another_command_does_not_end_a_failure_and_each_failure_ends_by_itself() {
    let session = session("b")
        .prompt("mend the basket")
        .fails("cargo test")
        .fails("cargo clippy")
        .ok("cargo clippy")
        .ok("cargo test -p other")
        .fails("git push")
        .build();
    assert_eq!(
        ends(&Account::of(&session)),
        [
            ("tests", "cargo test", 1, End::Open),
            ("lint", "cargo clippy", 1, End::Passed(1)),
            ("git and its hosts", "git push", 1, End::Open),
        ]
    );
}

#[test]
fn edits_and_looks_that_fail_are_not_waited_for() {
    let edit = r#"{"file_path": "src/a.rs"}"#;
    let session = session("c")
        .prompt("mend the basket")
        .tool("Edit", edit, Status::Error, "String to replace not found")
        .tool("Read", edit, Status::Error, "File does not exist.")
        .tool("Edit", edit, Status::Ok, "")
        .build();
    let account = Account::of(&session);
    assert_eq!(
        ends(&account),
        [("editing", "Edit", 1, End::Once), ("reading and searching", "Read", 1, End::Once)]
    );
    assert_eq!(account.places, [Place::Missing("src/a.rs".to_owned())]);
}

#[test]
fn what_people_were_against_is_told_by_the_act_alone() {
    let session = session("d")
        .prompt("publish it")
        .refused("git push --force origin release/1.2")
        .prompt("no, that is wrong, ask Jo before you do that")
        .edit("docs/guide.md")
        .prompt("no, not the guide, the changelog")
        .edit("CHANGELOG.md")
        .build();
    let objections = Account::of(&session).objections;
    let told: Vec<(&str, How)> = objections.iter().map(|one| (one.act.as_str(), one.how)).collect();
    assert!(told.contains(&("run git push", How::Refused)), "{told:?}");
    assert!(told.contains(&("edit *.md in docs", How::Corrected)), "{told:?}");
    assert!(told.iter().all(|(act, _)| !act.contains("Jo") && !act.contains("release")), "{told:?}");
}

#[test]
fn a_line_of_several_commands_is_refused_once() {
    let session = session("e").prompt("go").refused("make clean && make install && git push").build();
    assert_eq!(Account::of(&session).objections.len(), 1);
}

#[test]
fn long_pauses_are_no_work() {
    let mut session = session("f").prompt("go").ok("ls").ok("make").build();
    assert_eq!(Account::of(&session).active.as_secs(), 4);
    for fact in session.facts.iter_mut().skip(3) {
        let late = std::time::Duration::from_secs(3_600);
        fact.event.timestamp = fact.event.timestamp.saturating_add(late);
    }
    assert_eq!(Account::of(&session).active.as_secs(), 3);
}
