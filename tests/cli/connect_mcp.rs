//! `connect --mcp`: an assistant is told of the server and when to ask it, and every byte comes back.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::connect_all::Machine;

/// Assistant, its file, what was in it, and what stands there then.
const TOLD: &[(&str, &str, &str, &str)] = &[
    (
        "claude-code",
        ".claude.json",
        "{\n  // mine\n  \"numStartups\": 7,\n  \"mcpServers\": {\"mine\": {\"command\": \"x\"}}\n}\n",
        "\"skillspan\"",
    ),
    (
        "codex",
        ".codex/config.toml",
        "# mine\nmodel = \"x\"   # the good one\n\n[mcp_servers.mine]\ncommand = \"x\"\n",
        "args = [\"mcp\"]",
    ),
    ("cursor", ".cursor/mcp.json", "{\"mcpServers\": {}}\n", "\"mcp\""),
    ("gemini-cli", ".gemini/settings.json", "{\"ui\": {\"theme\": \"x\"}}\n", "\"mcpServers\""),
    ("opencode", ".config/opencode/opencode.json", "{\"theme\": \"x\"}\n", "\"local\""),
];
const SKILL: &str = "ask-what-the-team-learned/SKILL.md";
const FOLDERS: &[&str] = &[".claude/skills", ".agents/skills", ".cursor/skills"];

fn machine() -> Machine {
    Machine::with(&["claude", "codex", "gemini", "opencode"], &[".cursor"])
}

#[test]
fn one_is_told_and_every_byte_comes_back() {
    for (name, path, before, ours) in TOLD {
        let machine = machine();
        machine.write(path, before);
        let tree = machine.tree();
        let (code, shown) = machine.run(&["connect", name, "--mcp"]);
        assert!(code == 0 && shown.contains(path), "{name}: {shown}");
        assert_eq!(machine.tree(), tree, "looking writes nothing");
        let (code, said) = machine.run(&["connect", name, "--mcp", "--write"]);
        assert_eq!(code, 0, "{name}: {said}");
        let text = machine.read(path);
        assert!(text.contains(ours) && text.contains("mcp"), "{name}: {text}");
        assert!(!before.contains("mine") || text.contains("mine"), "{name}: {text}");
        let skills = FOLDERS
            .iter()
            .filter(|folder| machine.read(&format!("{folder}/{SKILL}")).contains("search_skills"));
        assert_eq!(skills.count(), 1, "{name}");
        let written = machine.tree();
        assert_eq!(machine.run(&["connect", name, "--mcp", "--write"]).0, 0);
        assert_eq!(machine.tree(), written, "{name}: twice is once");
        let (code, said) = machine.run(&["connect", name, "--mcp", "--remove"]);
        assert_eq!(code, 0, "{name}: {said}");
        assert_eq!(machine.tree(), tree, "{name}");
    }
}

#[test]
fn all_that_are_here_are_told_beside_what_makes_them_send() {
    let machine = machine();
    for (_, path, before, _) in TOLD {
        machine.write(path, before);
    }
    let tree = machine.tree();
    assert_eq!(machine.run(&["connect", "--all", "--write", "--user", "ana@example.com"]).0, 0);
    let (code, said) = machine.run(&["connect", "--all", "--mcp", "--write"]);
    assert_eq!(code, 0, "{said}");
    for (name, ..) in TOLD {
        assert!(said.contains(&format!("{name}:")), "{said}");
    }
    // What is told of the server goes, what sends stays, and the skill stays as long as somebody loads it.
    let (code, said) = machine.run(&["connect", "codex", "--mcp", "--remove"]);
    assert_eq!(code, 0, "{said}");
    assert!(machine.read(".codex/config.toml").contains("log_user_prompt"));
    assert!(!machine.read(".codex/config.toml").contains("skillspan"));
    assert!(machine.read(&format!(".agents/skills/{SKILL}")).contains("search_skills"));
    let (code, said) = machine.run(&["connect", "--all", "--remove"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(machine.tree(), tree);
}

#[test]
fn a_team_is_asked_with_a_token_that_nobody_else_reads() {
    let machine = machine();
    machine.write("token", "a-read-token-of-enough-length\n");
    let token = machine.home().join("token").display().to_string();
    let console = "https://skillspan.example.com:4320";
    let team = ["--mcp", "--write", "--console", console, "--token-file", &token];
    for name in ["claude-code", "codex", "opencode"] {
        let (code, said) = machine.run(&[&["connect", name][..], &team[..]].concat());
        assert_eq!(code, 0, "{said}");
        let path = format!(".config/skillspan/tokens/mcp-{name}");
        assert_eq!(machine.read(&path), "a-read-token-of-enough-length\n");
        let mode = fs::metadata(machine.home().join(&path)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let text = machine.read(".claude.json");
    assert!(
        text.contains(console) && text.contains("tokens/mcp-claude-code") && !text.contains("a-read-token"),
        "{text}"
    );
    // Another console, without being told to replace anything: it is a command of ours.
    let (code, said) =
        machine.run(&["connect", "codex", "--mcp", "--write", "--console", "http://127.0.0.1:9"]);
    assert_eq!(code, 0, "{said}");
    assert!(machine.read(".codex/config.toml").contains("http://127.0.0.1:9"));
    for name in ["claude-code", "codex", "opencode"] {
        let (code, said) = machine.run(&["connect", name, "--mcp", "--remove"]);
        assert_eq!(code, 0, "{said}");
        assert_eq!(machine.read(&format!(".config/skillspan/tokens/mcp-{name}")), "");
    }
    assert!(!machine.read(".codex/config.toml").contains("skillspan"));
}

#[test]
fn what_a_person_made_of_it_stays() {
    let machine = machine();
    machine.write(".cursor/mcp.json", "{\"mcpServers\": {\"skillspan\": {\"command\": \"mine\"}}}\n");
    let (code, said) = machine.run(&["connect", "cursor", "--mcp", "--write"]);
    assert!(code == 1 && said.contains("--replace"), "{said}");
    let skill = format!(".claude/skills/{SKILL}");
    assert_eq!(machine.run(&["connect", "claude-code", "--mcp", "--write"]).0, 0);
    machine.write(&skill, "mine\n");
    let (_, said) = machine.run(&["connect", "claude-code", "--mcp", "--write"]);
    assert!(said.contains("stays as it is"), "{said}");
    let (code, said) = machine.run(&["connect", "claude-code", "--mcp", "--remove"]);
    assert!(code == 0 && said.contains("was changed and stays"), "{said}");
    assert_eq!(machine.read(&skill), "mine\n");
    let (code, said) = machine.run(&["connect", "pi", "--mcp", "--write"]);
    assert!(code == 64 && said.contains("claude-code"), "{said}");
}

/// The one server of a file in TOML.
fn as_json(toml: &str) -> Value {
    let document: toml_edit::DocumentMut = toml.parse().unwrap();
    let entry = document["mcp_servers"]["skillspan"].as_table().unwrap();
    let words = entry["args"].as_array().unwrap().iter().map(|word| word.as_str().unwrap());
    assert_eq!(entry.len(), 2);
    let entry = json!({ "command": entry["command"].as_str().unwrap(), "args": words.collect::<Vec<_>>() });
    json!({ "mcp_servers": { "skillspan": entry } })
}

/// What stands there is what the documentation of each assistant asks for, to the last member (read on
/// 30 November 2026; OpenCode 1.18.33 and Claude Code were asked themselves).
#[test]
fn each_entry_has_the_shape_that_its_assistant_reads() {
    let words = json!(["mcp", "--console", "http://127.0.0.1:4320"]);
    let stdio = json!({ "type": "stdio", "command": "skillspan", "args": words });
    let untyped = json!({ "command": "skillspan", "args": words });
    let whole = json!(["skillspan", "mcp", "--console", "http://127.0.0.1:4320"]);
    let shapes = [
        ("claude-code", ".claude.json", "/mcpServers/skillspan", stdio.clone()),
        ("cursor", ".cursor/mcp.json", "/mcpServers/skillspan", stdio),
        ("gemini-cli", ".gemini/settings.json", "/mcpServers/skillspan", untyped.clone()),
        ("codex", ".codex/config.toml", "/mcp_servers/skillspan", untyped),
        (
            "opencode",
            ".config/opencode/opencode.json",
            "/mcp/skillspan",
            json!({ "type": "local", "command": whole, "enabled": true }),
        ),
    ];
    let machine = machine();
    // A file of OpenCode 2's own form keeps its servers.
    machine.write(
        ".config/opencode/opencode.json",
        "{\"mcp\": {\"servers\": {\"mine\": {\"type\": \"local\", \"command\": [\"x\"]}}}}\n",
    );
    for (name, path, place, shape) in shapes {
        let write = ["connect", name, "--mcp", "--write", "--console", "http://127.0.0.1:4320"];
        let (code, said) = machine.run(&write);
        assert_eq!(code, 0, "{name}: {said}");
        let text = machine.read(path);
        let written: Value = match path.ends_with(".toml") {
            true => as_json(&text),
            false => serde_json::from_str(&text).unwrap(),
        };
        assert_eq!(written.pointer(place), Some(&shape), "{name}: {text}");
        if name == "opencode" {
            assert_eq!(written["mcp"]["servers"]["mine"]["command"], json!(["x"]), "{text}");
        }
    }
}

/// What `skillspan mcp` would end with at once is not written.
#[test]
fn what_could_not_ask_is_not_written() {
    let machine = machine();
    machine.write(".claude.json", "{\"mcpServers\": {}}\n");
    machine.write("token", "a-read-token-of-enough-length\n");
    let token = machine.home().join("token").display().to_string();
    let tree = machine.tree();
    for (console, with_token, says) in [
        ("http://console.example.com:4320", true, "would cross the network in clear text"),
        ("https://console.example.com:4320", false, "asks for a token"),
        ("ftp://x", true, "is no address"),
        ("http://u:p@127.0.0.1:1", false, "is no address"),
        ("http://127.0.0.1:1/path?q", false, "is no address"),
        ("http://127.0.0.1:1?q", false, "is no address"),
        ("console.example.com", true, "is no address"),
    ] {
        for who in ["claude-code", "--all"] {
            let mut words = vec!["connect", who, "--mcp", "--write", "--replace", "--console", console];
            if with_token {
                words.extend(["--token-file", &token]);
            }
            let (code, said) = machine.run(&words);
            assert!(code == 64 && said.contains(says), "{console}: {said}");
            assert_eq!(machine.tree(), tree, "{console}");
        }
    }
}

/// An assistant finds the program, wherever it lies.
#[test]
fn a_program_that_is_on_no_path_is_written_with_its_own() {
    let machine = machine();
    let bin = machine.home().parent().unwrap().join("bin").display().to_string();
    let elsewhere = [("PATH".to_owned(), format!("{bin}:/usr/bin:/bin"))];
    let own = env!("CARGO_BIN_EXE_skillspan");
    for (name, path, _, _) in TOLD {
        let words = ["connect", name, "--mcp", "--write"];
        let (code, said) = machine.run_with(&words, &elsewhere);
        assert!(code == 0 && said.contains("is not on the PATH") && said.contains(own), "{name}: {said}");
        assert!(machine.read(path).contains(own), "{name}: {}", machine.read(path));
        // It is ours still: written again once it is on the PATH, and taken away.
        let (code, said) = machine.run(&words);
        assert_eq!(code, 0, "{name}: {said}");
        assert!(!machine.read(path).contains(own), "{name}: {}", machine.read(path));
        assert_eq!(machine.run_with(&words, &elsewhere).0, 0, "{name}");
        assert_eq!(machine.run(&["connect", name, "--mcp", "--remove"]).0, 0, "{name}");
        assert!(!machine.read(path).contains("skillspan"), "{name}: {}", machine.read(path));
    }
}

/// A file keeps its name, its mark and its ends of lines.
#[test]
fn a_file_keeps_its_form() {
    let machine = machine();
    let toml = "# mine\r\nmodel = \"x\"\r\n";
    let json = "\u{feff}{\n  \"ui\": {\"theme\": \"x\"}\n}\n";
    let jsonc = "{\n  // mine\n  \"theme\": \"x\",\n}\n";
    machine.write(".codex/config.toml", toml);
    machine.write(".gemini/settings.json", json);
    machine.write(".config/opencode/opencode.jsonc", jsonc);
    let tree = machine.tree();
    for name in ["codex", "gemini-cli", "opencode"] {
        let (code, said) = machine.run(&["connect", name, "--mcp", "--write"]);
        assert_eq!(code, 0, "{name}: {said}");
    }
    let written = machine.read(".codex/config.toml");
    assert!(
        written.starts_with(toml) && written.matches('\n').count() == written.matches("\r\n").count(),
        "{written:?}"
    );
    let written = machine.read(".gemini/settings.json");
    assert!(written.starts_with("\u{feff}{") && written.contains("mcpServers"), "{written:?}");
    assert_eq!(machine.read(".config/opencode/opencode.json"), "", "no second file");
    assert!(machine.read(".config/opencode/opencode.jsonc").contains("// mine"));
    for name in ["codex", "gemini-cli", "opencode"] {
        assert_eq!(machine.run(&["connect", name, "--mcp", "--remove"]).0, 0, "{name}");
    }
    assert_eq!(machine.tree(), tree);
}
