//! `SECURITY.md` promises nothing without a test: each line of its tables names the files that hold it, they and the
//! tests in them are there, and `cargo security` runs those that are binaries of tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn page() -> String {
    fs::read_to_string(root().join("SECURITY.md")).unwrap()
}

/// The lines of the table of what is protected.
fn promises(page: &str) -> Vec<&str> {
    rows(page, "\n## What is protected\n")
}

/// The lines of the table of attacks.
fn attacks(page: &str) -> Vec<&str> {
    rows(page, "\n### Attacks, and the tests that play them\n")
}

/// The lines of the table below a heading.
fn rows<'p>(page: &'p str, heading: &str) -> Vec<&'p str> {
    let begins = page.split_once(heading).unwrap().1;
    let ends = begins.split_once("\n### ").unwrap().0;
    ends.lines().filter(|line| line.starts_with("| ")).skip(1).collect()
}

/// The files and folders that a text names.
fn named(text: &str) -> BTreeSet<String> {
    let path = Regex::new(r"`((?:tests|src|fuzz)/[A-Za-z0-9_/.-]+|deny\.toml)(?:::[a-z0-9_]+)?`").unwrap();
    path.captures_iter(text).map(|found| found[1].to_owned()).collect()
}

/// Whether it has tests, or is what a tool checks.
fn holds_something(path: &Path) -> bool {
    if path.is_dir() {
        return fs::read_dir(path).unwrap().any(|entry| holds_something(&entry.unwrap().path()));
    }
    let text = fs::read_to_string(path).unwrap_or_default();
    let is_test = ["#[test]", "#[tokio::test]", "#[tokio::test(", "proptest!", "fuzz_target!"];
    path.ends_with("deny.toml") || is_test.iter().any(|mark| text.contains(mark))
}

#[test]
fn every_promise_names_what_holds_it_and_that_is_there() {
    let page = page();
    let promises = promises(&page);
    assert!(promises.len() > 20, "the table is read: {promises:#?}");
    for promise in &promises {
        let named = named(promise);
        let holding = named.iter().filter(|path| holds_something(&root().join(path)));
        assert!(holding.count() > 0, "nothing holds: {promise}");
    }
    let missing: Vec<_> = named(&page).into_iter().filter(|path| !root().join(path).exists()).collect();
    assert!(missing.is_empty(), "named and not there: {missing:?}");
}

#[test]
fn every_attack_names_tests_that_are_there() {
    let page = page();
    let attacks = attacks(&page);
    assert!(attacks.len() >= 10, "the table is read: {attacks:#?}");
    let test = Regex::new(r"`((?:tests|src)/[A-Za-z0-9_/.-]+)::([a-z0-9_]+)`").unwrap();
    for attack in attacks {
        let tests: Vec<_> = test.captures_iter(attack).collect();
        assert!(!tests.is_empty(), "nothing plays: {attack}");
        for found in tests {
            let text = fs::read_to_string(root().join(&found[1])).unwrap_or_default();
            let name = Regex::new(&format!(
                r"(?:#\[(?:tokio::)?test[^\]]*\](?:\s*#\[[^\]]*\])*\s*(?:///[^\n]*\n\s*)*)(?:async )?fn {}\b",
                &found[2]
            ));
            assert!(name.unwrap().is_match(&text), "{} has no test {}", &found[1], &found[2]);
        }
    }
}

#[test]
fn one_command_runs_every_test_that_the_page_names() {
    let page = page();
    let settings = fs::read_to_string(root().join(".cargo/config.toml")).unwrap();
    let alias = settings.lines().find(|line| line.starts_with("security = ")).unwrap();
    let words: Vec<&str> = alias.split(['"', ' ']).collect();
    let runs: BTreeSet<&str> =
        words.windows(2).filter(|pair| pair[0] == "--test").map(|pair| pair[1]).collect();
    let tests: BTreeSet<String> = promises(&page).into_iter().chain(attacks(&page)).flat_map(named).collect();
    let binaries: BTreeSet<&str> =
        tests.iter().filter_map(|path| path.strip_prefix("tests/")?.split('/').next()).collect();
    let binaries: BTreeSet<&str> = binaries.into_iter().filter(|name| *name != "fixtures").collect();
    assert_eq!(runs, binaries);
    assert!(words.contains(&"--lib"), "tests beside the code are named too: {alias}");
}
