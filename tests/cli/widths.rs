//! Everything that people read fits a terminal of 80 columns, and one of 120.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::support::{Site, eventually, outcome, skillspan};

/// Addresses and paths are as long as they are: nobody wraps them.
fn is_whole(word: &str) -> bool {
    word.contains('/')
}

/// The lines that a terminal of so many columns breaks although they could have been shorter.
fn too_wide(text: &str, columns: usize) -> Vec<String> {
    let is_wide = |line: &&str| {
        let words: Vec<&str> = line.split(' ').filter(|word| !is_whole(word)).collect();
        words.join(" ").chars().count() > columns
    };
    text.lines().filter(is_wide).map(str::to_owned).collect()
}

fn run(arguments: &[String], columns: usize) -> (i32, String, String) {
    outcome(skillspan().args(arguments).env("COLUMNS", columns.to_string()))
}

/// Every command and subcommand, as its words, read from what `--help` lists.
fn commands() -> BTreeSet<Vec<String>> {
    let mut found = BTreeSet::from([Vec::new()]);
    let mut left: Vec<Vec<String>> = vec![Vec::new()];
    while let Some(command) = left.pop() {
        let (code, help, _) = run(&[command.clone(), vec!["--help".to_owned()]].concat(), 120);
        assert_eq!(code, 0, "{command:?}");
        let listed = help.split("Commands:\n").nth(1).unwrap_or_default();
        let names = listed.lines().take_while(|line| line.starts_with("  "));
        for name in names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help") {
            let command = [command.clone(), vec![name.to_owned()]].concat();
            assert!(found.insert(command.clone()), "{command:?} is listed twice");
            left.push(command);
        }
    }
    found
}

#[test]
fn every_help_fits() {
    let commands = commands();
    assert!(commands.len() > 30, "the reading is broken: {commands:?}");
    for command in commands {
        for columns in [80, 120] {
            let (_, help, _) = run(&[command.clone(), vec!["--help".to_owned()]].concat(), columns);
            assert_eq!(too_wide(&help, columns), Vec::<String>::new(), "{command:?} at {columns}");
            let blanks = help.lines().skip(1).filter(|line| line.trim_end() != *line);
            assert_eq!(blanks.count(), 0, "{command:?} leaves blanks at the end of a line");
        }
    }
}

#[test]
fn every_option_is_described() {
    for command in commands() {
        let (_, help, _) = run(&[command.clone(), vec!["--help".to_owned()]].concat(), 120);
        let options = help.lines().filter(|line| line.trim_start().starts_with('-'));
        for line in options {
            let (option, text) = line.trim().split_once("  ").unwrap_or((line, ""));
            assert!(!text.trim().is_empty(), "{command:?}: {option} says nothing");
        }
    }
}

fn fixture(name: &str) -> Vec<u8> {
    let folder = "captures/claude-code/s03-dbup-widgets-httpjson";
    std::fs::read(crate::support::fixtures().join(folder).join(name)).unwrap()
}

#[test]
fn every_main_output_fits() {
    let demo = tempfile::tempdir().unwrap();
    let out = demo.path().join("out");
    let (code, shown, stderr) = outcome(skillspan().env("COLUMNS", "80").arg("demo").arg("--out").arg(&out));
    assert_eq!(code, 0, "{stderr}");
    let last = shown.split("\n# Next\n").nth(1).unwrap();
    assert_eq!(too_wide(last, 80), Vec::<String>::new());
    let config: PathBuf = out.join("skillspan.yaml");

    let site = Site::new("a-workspace-with-a-rather-long-name-of-forty-characters");
    let running = site.start();
    assert_eq!(site.post("/v1/logs", "application/json", fixture("0002-logs.json")), 200);
    eventually("the notice", || site.log().contains("skillspan connect"));
    let notice = site.log();
    let notice: String =
        notice.lines().filter(|line| !line.contains(" INFO ")).map(|line| format!("{line}\n")).collect();
    assert_eq!(too_wide(&notice, 80), Vec::<String>::new(), "the start's notice");

    let mut seen = 0;
    for (configuration, arguments) in [
        (&site.config(), vec!["validate"]),
        (&site.config(), vec!["status"]),
        (&site.config(), vec!["sessions", "list"]),
        (&site.config(), vec!["sessions", "show", "ecf0032b"]),
        (&site.config(), vec!["report"]),
        (&config, vec!["report"]),
        (&config, vec!["status"]),
        (&config, vec!["sessions", "list"]),
        (&config, vec!["sessions", "show", "82c59fd8"]),
        (&config, vec!["skills", "list"]),
        (&config, vec!["skills", "history", "run-the-e2e-tests"]),
        (&config, vec!["deadletters", "list"]),
        (&config, vec!["components"]),
        (&config, vec!["schema"]),
    ] {
        for columns in [80, 120] {
            let mut all: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
            if !matches!(arguments[0], "components" | "schema") {
                all.extend(["--config".to_owned(), configuration.display().to_string()]);
            }
            let (code, shown, stderr) = run(&all, columns);
            assert_eq!(code, 0, "{arguments:?}: {stderr}");
            assert!(!shown.trim().is_empty(), "{arguments:?} says nothing");
            assert_eq!(too_wide(&shown, columns), Vec::<String>::new(), "{arguments:?} at {columns}");
            seen += 1;
        }
    }
    assert_eq!(seen, 28);
    assert_eq!(running.terminate(), Some(0));
}
