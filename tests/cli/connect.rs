//! `connect` changes the named settings of an assistant's file and nothing else, and takes them back.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::{outcome, skillspan};

/// A home directory with one file in it.
struct Home(TempDir);

impl Home {
    fn with(path: &str, content: &str) -> Self {
        let home = Self(TempDir::new().unwrap());
        let file = home.file(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
        home
    }

    fn file(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.file(path)).unwrap()
    }

    /// Exit code and what was said, wherever.
    fn connect(&self, arguments: &[&str]) -> (i32, String) {
        let mut command = skillspan();
        command.arg("connect").args(arguments).env("HOME", self.0.path());
        let (code, out, err) = outcome(&mut command);
        (code, out + &err)
    }

    fn is_alone(&self, path: &str) -> bool {
        let folder = self.file(path);
        let entries = fs::read_dir(folder.parent().unwrap()).unwrap().count();
        entries == 1 && Path::exists(&folder)
    }
}

const CLAUDE: &str = ".claude/settings.json";
const CODEX: &str = ".codex/config.toml";

const CLAUDE_BEFORE: &str = "{\n    // mine\n    \"permissions\": {\"deny\": [\"Bash(rm:*)\"]},\n    \"env\": {\n        \"EDITOR\": \"vi\"\n    },\n    \"model\": \"opus\"\n}\n";
const HERMES_BEFORE: &str = "# mine\nmodel: gpt-5.5   # the good one\nplugins:\n  enabled: []\n";
const CODEX_BEFORE: &str = "# mine\nmodel = \"gpt-5.5\"   # the good one\n\n[otel]\nenvironment = \"prod\"\n\n[mcp_servers.a]\ncommand = \"a\"\n";

#[test]
fn writing_keeps_everything_else_and_removing_gives_back_every_byte() {
    for (client, path, before, ours) in [
        ("claude-code", CLAUDE, CLAUDE_BEFORE, "\"OTEL_LOG_USER_PROMPTS\": \"1\""),
        ("codex", CODEX, CODEX_BEFORE, "log_user_prompt = true"),
        ("gemini-cli", ".gemini/settings.json", "{\"ui\":{\"theme\":\"x\"}}\n", "\"logPrompts\": true"),
        ("cursor", ".cursor/hooks.json", "{\"version\":1}\n", "skillspan hook cursor"),
        ("claude-hooks", CLAUDE, CLAUDE_BEFORE, "skillspan hook claude"),
        (
            "hermes-hooks",
            ".hermes/config.yaml",
            HERMES_BEFORE,
            "post_llm_call: [{command: \"skillspan hook hermes\"",
        ),
    ] {
        let home = Home::with(path, before);
        let (code, said) = home.connect(&[client, "--write"]);
        assert_eq!(code, 0, "{said}");
        let after = home.read(path);
        assert!(after.contains(ours), "{client}: {after}");
        for mine in before.lines().filter(|line| line.contains("mine") || line.contains("good one")) {
            assert!(after.contains(mine), "{client}: {mine}");
        }
        let (code, said) = home.connect(&[client, "--write"]);
        assert_eq!((code, home.read(path)), (0, after), "a second time changes nothing: {said}");
        assert_eq!(home.connect(&[client, "--remove"]).0, 0);
        assert_eq!(home.read(path), before, "{client}");
        assert!(home.is_alone(path), "{client}: no copy is left");
    }
}

#[test]
fn what_its_owner_changed_since_stays() {
    let home = Home::with(CLAUDE, CLAUDE_BEFORE);
    assert_eq!(home.connect(&["claude-code", "--write"]).0, 0);
    let edited = home
        .read(CLAUDE)
        .replace("\"opus\"", "\"sonnet\"")
        .replace("\"OTEL_LOG_TOOL_DETAILS\": \"1\"", "\"OTEL_LOG_TOOL_DETAILS\": \"0\"");
    fs::write(home.file(CLAUDE), edited).unwrap();
    assert_eq!(home.connect(&["claude-code", "--remove"]).0, 0);
    let after = home.read(CLAUDE);
    assert!(
        after.contains("\"sonnet\"") && after.contains("// mine") && after.contains("\"EDITOR\": \"vi\""),
        "{after}"
    );
    assert!(after.contains("\"OTEL_LOG_TOOL_DETAILS\": \"0\""), "{after}");
    assert!(!after.contains("CLAUDE_CODE_ENABLE_TELEMETRY"), "{after}");
}

#[test]
fn a_file_that_cannot_be_read_stays_untouched() {
    for (client, path, broken) in [
        ("claude-code", CLAUDE, "{\"env\": "),
        ("codex", CODEX, "[otel\nx"),
        ("claude-code", CLAUDE, "[]"),
        ("hermes-hooks", ".hermes/config.yaml", "model: \"x\n  y: ["),
        ("hermes-hooks", ".hermes/config.yaml", "{model: x}\n"),
        ("cursor", ".cursor/hooks.json", "{\"hooks\": \"mine\"}"),
    ] {
        let home = Home::with(path, broken);
        let switches: &[&str] = if broken.contains("mine") { &["--write"] } else { &["--write", "--remove"] };
        for switch in switches {
            let (code, said) = home.connect(&[client, switch]);
            assert_eq!(code, 1, "{said}");
            assert!(said.contains("was left as it is"), "{said}");
            assert_eq!(home.read(path), broken);
            assert!(home.is_alone(path));
        }
    }
}

#[test]
fn a_value_that_somebody_chose_is_not_replaced_unasked_and_comes_back() {
    let before = "{\"env\": {\"OTEL_EXPORTER_OTLP_ENDPOINT\": \"http://elsewhere:4318\"}}\n";
    let home = Home::with(CLAUDE, before);
    let (code, said) = home.connect(&["claude-code", "--write"]);
    assert_eq!((code, home.read(CLAUDE).as_str()), (1, before));
    assert!(said.contains("env.OTEL_EXPORTER_OTLP_ENDPOINT"), "{said}");
    assert_eq!(home.connect(&["claude-code", "--write", "--replace"]).0, 0);
    assert!(home.read(CLAUDE).contains("http://127.0.0.1:4318"));
    assert_eq!(home.connect(&["claude-code", "--remove"]).0, 0);
    assert_eq!(home.read(CLAUDE), before);
}

#[test]
fn a_file_that_was_not_there_is_made_and_goes_again() {
    let home = Home(TempDir::new().unwrap());
    assert_eq!(home.connect(&["codex", "--write", "--endpoint", "http://collector:4318/"]).0, 0);
    let written: toml_edit::DocumentMut = home.read(CODEX).parse().unwrap();
    let endpoint = &written["otel"]["exporter"]["otlp-http"]["endpoint"];
    assert_eq!(endpoint.as_str(), Some("http://collector:4318/v1/logs"));
    let (code, said) = home.connect(&["codex", "--remove", "--endpoint", "http://collector:4318"]);
    assert_eq!(code, 0, "{said}");
    assert!(!home.file(CODEX).exists());
}

#[test]
fn every_assistant_shows_its_block_and_how_to_leave_a_session_out() {
    let home = Home(TempDir::new().unwrap());
    let (_, listed) = home.connect(&[]);
    let names: Vec<&str> = listed.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names.len(), 17, "{names:?}");
    for name in names {
        let (code, said) = home.connect(&[name, "--endpoint", "http://collector:4318"]);
        assert_eq!(code, 0, "{said}");
        assert!(said.contains("To leave a session out:"), "{said}");
        assert!(
            said.contains("collector:4318") || said.contains("skillspan hook") || name == "opencode",
            "{said}"
        );
    }
    assert_eq!(fs::read_dir(home.0.path()).unwrap().count(), 0, "showing writes nothing");
}

#[test]
fn a_mistake_on_the_command_line_says_what_would_do() {
    let home = Home(TempDir::new().unwrap());
    let (code, said) = home.connect(&["clod"]);
    assert_eq!(code, 64);
    assert!(said.contains("claude-code"), "{said}");
    let (code, said) = home.connect(&["codex", "--endpoint", "localhost:4318"]);
    assert_eq!(code, 64);
    assert!(said.contains("http://"), "{said}");
    let (code, said) = home.connect(&["copilot", "--write"]);
    assert_eq!(code, 64);
    assert!(said.contains("--file"), "{said}");
}

#[test]
fn environment_files_get_lines() {
    let home = Home::with(".hermes/.env", "OPENAI_API_KEY=k\n");
    assert_eq!(home.connect(&["hermes", "--write"]).0, 0);
    let written = home.read(".hermes/.env");
    assert!(written.starts_with("OPENAI_API_KEY=k\nHERMES_OTEL_ENABLED=true\n"), "{written}");
    assert_eq!(home.connect(&["hermes", "--remove"]).0, 0);
    assert_eq!(home.read(".hermes/.env"), "OPENAI_API_KEY=k\n");
}

#[test]
fn hooks_go_beside_other_hooks_and_come_out_again_whatever_the_address_was() {
    let path = ".cursor/hooks.json";
    let theirs =
        "{\n  \"version\": 1,\n  \"hooks\": {\n    \"stop\": [{\"command\": \"./theirs.sh\"}]\n  }\n}\n";
    let home = Home::with(path, theirs);
    assert_eq!(home.connect(&["cursor", "--write", "--endpoint", "http://collector:4318"]).0, 0);
    let written: serde_json::Value = serde_json::from_str(&home.read(path)).unwrap();
    assert_eq!(written["hooks"]["stop"][0]["command"], "./theirs.sh");
    assert_eq!(
        written["hooks"]["stop"][1]["command"],
        "skillspan hook cursor --endpoint http://collector:4318"
    );
    assert_eq!(home.connect(&["cursor", "--remove"]).0, 0);
    let left: serde_json::Value = serde_json::from_str(&home.read(path)).unwrap();
    assert_eq!(left, serde_json::from_str::<serde_json::Value>(theirs).unwrap());
}

#[test]
fn hooks_that_hermes_has_already_are_not_joined_by_guessing() {
    let before = "hooks:\n  pre_tool_call: [{command: mine}]\n";
    let home = Home::with(".hermes/config.yaml", before);
    let (code, said) = home.connect(&["hermes-hooks", "--write"]);
    assert_eq!((code, home.read(".hermes/config.yaml").as_str()), (1, before));
    assert!(said.contains("hooks"), "{said}");
}

#[test]
fn files_that_are_ours_alone_are_made_and_go_again_and_anothers_stays() {
    for (client, folder, file, holds) in [
        ("pi", ".pi/agent/extensions", "skillspan.ts", "spawn(\"skillspan\""),
        ("cline", ".cline/hooks", "PostToolUse", "exec skillspan hook cline"),
        ("copilot-hooks", ".copilot/hooks", "skillspan.json", "\"skillspan hook copilot"),
    ] {
        let home = Home(TempDir::new().unwrap());
        let endpoint = ["--endpoint", "http://collector:4318"];
        let (code, said) = home.connect(&[client, "--write", endpoint[0], endpoint[1]]);
        assert_eq!(code, 0, "{said}");
        let path = format!("{folder}/{file}");
        let written = home.read(&path);
        assert!(written.contains(holds) && written.contains("http://collector:4318"), "{written}");
        let (code, said) = home.connect(&[client, "--write", endpoint[0], endpoint[1]]);
        assert_eq!((code, said.contains("in place already")), (0, true), "{said}");
        assert_eq!(home.connect(&[client, "--remove"]).0, 0, "whatever the address was");
        assert_eq!(fs::read_dir(home.file(folder)).unwrap().count(), 0);

        let others = Home::with(&path, "another's\n");
        for switch in ["--write", "--remove"] {
            let (code, said) = others.connect(&[client, switch]);
            assert_eq!((code, others.read(&path).as_str()), (1, "another's\n"), "{said}");
        }
        assert!(others.is_alone(&path), "all of the files or none");
    }
}

#[cfg(unix)]
#[test]
fn what_cline_is_to_run_can_be_run() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home(TempDir::new().unwrap());
    assert_eq!(home.connect(&["cline", "--write"]).0, 0);
    for name in
        ["TaskStart", "UserPromptSubmit", "PostToolUse", "TaskComplete", "TaskError", "SessionShutdown"]
    {
        let mode = fs::metadata(home.file(".cline/hooks").join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o700, 0o700, "{name}");
    }
}
