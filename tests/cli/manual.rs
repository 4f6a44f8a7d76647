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

/// `connect cl<TAB>`: the names are those that the command takes.
#[test]
fn shells_complete_assistants() {
    let (_, listed, _) = outcome(skillspan().arg("connect"));
    let clients: Vec<&str> = listed
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split("  ").next())
        .collect();
    assert!(clients.contains(&"claude-code") && clients.contains(&"claude-hooks"), "{clients:?}");
    for shell in ["bash", "zsh", "fish"] {
        let (_, script, _) = outcome(skillspan().args(["completions", shell]));
        for name in clients.iter().chain(&["goose", "vscode"]) {
            assert!(script.contains(name), "{shell} lacks {name}");
        }
    }
    let (_, fish, _) = outcome(skillspan().args(["completions", "fish"]));
    let after = |command: &str| {
        let begin = format!("-n \"__fish_skillspan_using_subcommand {command}\" -f -a \"");
        let line = fish
            .lines()
            .find_map(|line| line.split_once(&begin))
            .unwrap_or_else(|| panic!("{command}: {fish}"));
        line.1.trim_end_matches('"').split(' ').map(str::to_owned).collect::<Vec<String>>()
    };
    assert_eq!(after("completions"), ["bash", "zsh", "fish"]);
    assert!(after("help").contains(&"connect".to_owned()));
    assert_eq!(after("connect"), clients);
}

/// A shell that reads the script offers them.
#[test]
fn bash_completes_an_assistant() {
    let folder = tempfile::tempdir().unwrap();
    let (_, script, _) = outcome(skillspan().args(["completions", "bash"]));
    let file = folder.path().join("skillspan.bash");
    fs::write(&file, script).unwrap();
    let asks = "source \"$1\"; COMP_WORDS=(skillspan connect cl); COMP_CWORD=2; \
                _skillspan skillspan cl connect; echo \"${COMPREPLY[@]}\"";
    let mut bash = std::process::Command::new("bash");
    let (code, offered, stderr) = outcome(bash.args(["-c", asks, "bash"]).arg(&file));
    assert_eq!(code, 0, "{stderr}");
    assert!(offered.contains("claude-code") && offered.contains("cline"), "{offered}");
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
