//! Shells complete, and `man` shows, every command that `--help` lists and no other.

use std::collections::BTreeSet;
use std::fs;

use crate::support::{outcome, skillspan};

/// What `--help` lists.
fn listed() -> BTreeSet<String> {
    let (code, help, _) = outcome(skillspan().arg("--help"));
    assert_eq!(code, 0);
    let lines = help.split("Commands:\n").nth(1).unwrap().lines().take_while(|line| line.starts_with("  "));
    let names = lines.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn shells_complete_every_command_that_is_listed_and_no_other() {
    let listed = listed();
    assert!(listed.len() > 20, "{listed:?}");
    for shell in ["bash", "zsh", "fish"] {
        let (code, script, stderr) = outcome(skillspan().args(["completions", shell]));
        assert_eq!(code, 0, "{stderr}");
        for name in &listed {
            assert!(script.contains(name.as_str()), "{shell} lacks {name}");
        }
        assert!(!script.contains("git-credential"), "{shell} offers what people do not call");
    }
    let (code, _, stderr) = outcome(skillspan().args(["completions", "csh"]));
    assert_eq!(code, 64);
    assert!(stderr.contains("bash, zsh, fish"), "{stderr}");
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("share/man1");
    let (code, said, stderr) = outcome(skillspan().arg("man").arg("--into").arg(&pages));
    assert_eq!(code, 0, "{stderr}");
    assert!(said.contains("man -l"), "{said}");
    let made: BTreeSet<String> = fs::read_dir(&pages)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for name in listed() {
        assert!(made.contains(&format!("skillspan-{name}.1")), "{name}: {made:?}");
    }
    assert!(!made.iter().any(|name| name.contains("git-credential")), "{made:?}");
    let (code, page, _) = outcome(skillspan().arg("man"));
    assert_eq!(code, 0);
    assert_eq!(page, fs::read_to_string(pages.join("skillspan.1")).unwrap());
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let (code, _, stderr) = outcome(skillspan().arg("man").arg("--into").arg(file.join("below")));
    assert_eq!(code, 1);
    assert!(stderr.contains("cannot create") && stderr.contains("below"), "{stderr}");
}
