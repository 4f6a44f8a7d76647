//! `skillspan skills test`: lessons of people, held against the sessions.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::captures::{claude_code, post};
use crate::support::{Site, outcome, skillspan};

/// A site whose table has the captured sessions of Claude Code.
fn site() -> Site {
    let site = Site::new("shop");
    let running = site.start();
    claude_code().iter().for_each(|body| post(&site, body));
    assert_eq!(running.terminate(), Some(0));
    site
}

fn write(site: &Site, name: &str, text: &str) -> PathBuf {
    let path = site.path(name);
    fs::write(&path, text).unwrap();
    path
}

fn test(site: &Site, arguments: &[&str], columns: usize) -> (i32, String, String) {
    let mut command = skillspan();
    command.args(["skills", "test"]).args(arguments).arg("--config").arg(site.config());
    outcome(command.env("COLUMNS", columns.to_string()))
}

const REPAIR: &str =
    "after fail \"make test-integration\" run \"make db-up\" expect clean pass \"make test-integration\"";

#[test]
fn a_lesson_is_held_against_the_sessions_line_by_line() {
    let site = site();
    let lesson = write(
        &site,
        "lesson.txt",
        &format!("version 2\n# the database\n{REPAIR}\n\nafter edit \"*.zig\" run \"zig test\"\n"),
    );
    let lesson = lesson.display().to_string();
    let (code, said, stderr) = test(&site, &[&lesson], 80);
    assert_eq!(code, 0, "{said}{stderr}");
    assert!(said.contains(&format!("{lesson}:3\n")) && said.contains(&format!("{lesson}:5\n")), "{said}");
    assert!(said.contains("for, 0 against") && said.contains("  for"), "{said}");
    assert!(said.contains("  no session met it\n"), "{said}");
    let wide: Vec<&str> =
        said.lines().filter(|line| line.chars().count() > 80 && !line.contains('/')).collect();
    assert_eq!(wide, Vec::<&str>::new());

    let (code, said, stderr) = test(&site, &[&lesson, "--json"], 80);
    assert_eq!(code, 0, "{stderr}");
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!((lines[0]["line"].as_u64(), lines[0]["predicate"].as_str()), (Some(3), Some(REPAIR)));
    let for_it = lines[0]["for"].as_u64().unwrap();
    assert!(for_it >= 2, "{said}");
    let shown: Vec<&Value> =
        lines[0]["shown"].as_array().unwrap().iter().filter(|shown| shown["side"] == "for").collect();
    assert_eq!(shown.len() as u64, for_it);
    // The events that it names are events of that session.
    let session = shown[0]["session"].as_str().unwrap();
    let known = site.session(session).to_string();
    for event in shown[0]["events"].as_array().unwrap() {
        assert!(known.contains(event.as_str().unwrap()), "{event} is none of {session}");
    }
}

#[test]
fn a_lesson_that_sessions_contradict_ends_with_a_failure() {
    let site = site();
    let wrong =
        "after fail \"make test-integration\" run \"make db-up\" expect fail \"make test-integration\"";
    let page = format!("---\nname: x\ndescription: y\n---\n# X\n\n```predicates\n{REPAIR}\n{wrong}\n```\n");
    let page = write(&site, "SKILL.md", &page).display().to_string();
    let (code, said, stderr) = test(&site, &[&page], 80);
    assert_eq!(code, 1, "{said}");
    assert!(stderr.contains("1 predicate with more sessions against than for"), "{stderr}");
    let good = write(&site, "good.txt", REPAIR).display().to_string();
    assert_eq!(test(&site, &[&good], 80).0, 0);
    let (code, _, stderr) = test(&site, &[&good, "--least", "1000"], 80);
    assert_eq!(code, 1);
    assert!(stderr.contains("1 predicate with fewer than 1000 sessions for"), "{stderr}");
    let (code, _, stderr) = test(&site, &[&good, "--workspace", "nowhere"], 80);
    assert_eq!(code, 1);
    assert!(stderr.contains("no session to hold it against"), "{stderr}");
}

#[test]
fn what_is_wrong_with_a_lesson_is_said_as_a_compiler_says_it() {
    let site = Site::new("shop");
    let wrong = "after edti \"src/a.py\" run \"make test\"\nafter edit \"a.py\" run \"make test\"\nbefore run \"x\"\n";
    let lesson = write(&site, "lesson.txt", wrong).display().to_string();
    let (code, said, stderr) = test(&site, &[&lesson], 80);
    assert_eq!((code, said.as_str()), (64, ""), "{stderr}");
    assert!(stderr.contains(&format!("{lesson}:1:7: ")), "{stderr}");
    assert!(stderr.contains("`edti`; did you mean `edit`?") || stderr.contains("did you mean"), "{stderr}");
    assert!(stderr.contains("    after edti \"src/a.py\" run \"make test\"\n          ^"), "{stderr}");
    assert!(stderr.contains(&format!("{lesson}:3:15: ")), "{stderr}");
    let (code, _, stderr) = test(&site, &["/nowhere/lesson.txt"], 80);
    assert_eq!(code, 64);
    assert!(stderr.contains("/nowhere/lesson.txt"), "{stderr}");
    let (code, _, stderr) = test(&site, &[], 80);
    assert_eq!(code, 64);
    assert!(stderr.contains("<FILES>"), "{stderr}");
}
