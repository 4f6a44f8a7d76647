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
    let names: Vec<&str> = listed.lines().map_while(|line| line.split_whitespace().next()).collect();
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
    let (code, said) = home.connect(&["cluade-code"]);
    assert!(code == 64 && said.contains("did you mean `claude-code`?"), "{said}");
    let (code, said) = home.connect(&["codex", "--endpoint", "localhost:4318"]);
    assert_eq!(code, 64);
    assert!(said.contains("http://"), "{said}");
    let (code, said) = home.connect(&["codex", "--endpoint", "https://team.example.com/v1/traces/"]);
    assert_eq!(code, 64);
    assert!(said.contains("--endpoint https://team.example.com\n"), "{said}");
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
        assert_eq!(fs::read_dir(home.0.path()).unwrap().count(), 0, "no folder is left");

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

const WHOSE: [&str; 4] = ["--workspace", "my shop", "--user", "ana@example.com"];
const TOKEN: &str = "a-token=of+enough/length";

/// The arguments that a shell would hand to the hook's command.
fn words(command: &str) -> Vec<String> {
    let output = std::process::Command::new("sh")
        .args(["-c", &format!("set -- {command}; printf '%s\\n' \"$@\"")])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn hooks_are_told_whose_sessions_they_are_in_every_form_of_settings() {
    for (client, path) in [
        ("claude-hooks", CLAUDE),
        ("cursor", ".cursor/hooks.json"),
        ("hermes-hooks", ".hermes/config.yaml"),
        ("cline", ".cline/hooks/TaskStart"),
        ("copilot-hooks", ".copilot/hooks/skillspan.json"),
        ("pi", ".pi/agent/extensions/skillspan.ts"),
    ] {
        let home = Home(TempDir::new().unwrap());
        let (code, said) = home.connect(&[&[client, "--write"], &WHOSE[..]].concat());
        assert_eq!(code, 0, "{said}");
        let written = home.read(path);
        assert!(written.contains("my shop") && written.contains("ana@example.com"), "{written}");
        let changed = [client, "--write", "--user", "it's me@example.com"];
        assert_eq!(home.connect(&changed).0, 0);
        let written = home.read(path);
        assert!(!written.contains("ana@example.com"), "{client}: one command, not two: {written}");
        assert!(written.contains("me@example.com"), "{written}");
        assert_eq!(home.connect(&[client, "--remove"]).0, 0);
        assert!(!home.file(path).exists(), "{client}");
    }
    let home = Home::with(".cursor/hooks.json", "{\"version\":1}\n");
    assert_eq!(home.connect(&[&["cursor", "--write"], &WHOSE[..]].concat()).0, 0);
    assert_eq!(home.connect(&["cursor", "--remove"]).0, 0);
    assert_eq!(home.read(".cursor/hooks.json"), "{\"version\":1}\n", "every byte, whoever was named");
}

#[test]
fn a_shell_reads_the_names_as_they_were_given() {
    let home = Home(TempDir::new().unwrap());
    let user = "it's $HOME `id` \"q\" \\ *@example.com";
    assert_eq!(home.connect(&["claude-hooks", "--write", "--workspace", "my shop", "--user", user]).0, 0);
    let written: serde_json::Value = serde_json::from_str(&home.read(CLAUDE)).unwrap();
    let command = written["hooks"]["Stop"][0]["hooks"][0]["command"].as_str().unwrap();
    let expected = ["skillspan", "hook", "claude", "--workspace", "my shop", "--user", user];
    assert_eq!(words(command), expected);
}

#[test]
fn settings_say_whose_sessions_are_where_they_have_a_place_and_else_a_person_is_told() {
    let home = Home::with(CLAUDE, CLAUDE_BEFORE);
    assert_eq!(home.connect(&[&["claude-code", "--write"], &WHOSE[..]].concat()).0, 0);
    let attributes = "\"OTEL_RESOURCE_ATTRIBUTES\": \"workspace=my%20shop,enduser.id=ana@example.com\"";
    assert!(home.read(CLAUDE).contains(attributes), "{}", home.read(CLAUDE));
    assert_eq!(home.connect(&["claude-code", "--write", "--user", "bo@example.com"]).0, 0, "ours may change");
    assert!(home.read(CLAUDE).contains("\"enduser.id=bo@example.com\""), "{}", home.read(CLAUDE));
    assert_eq!(home.connect(&["claude-code", "--remove"]).0, 0);
    assert_eq!(home.read(CLAUDE), CLAUDE_BEFORE, "whoever was named");

    for client in ["opencode", "openclaw"] {
        let (code, said) = home.connect(&[&[client, "--write"], &WHOSE[..]].concat());
        assert_eq!(code, 0, "{said}");
        assert!(
            said.contains("OTEL_RESOURCE_ATTRIBUTES=workspace=my%20shop,enduser.id=ana@example.com"),
            "{said}"
        );
    }
    // Some read a file of variables beside their settings.
    for (client, path, holds) in [
        ("codex", ".codex/.env", "\"workspace=my shop,enduser.id=ana@example.com\""),
        ("gemini-cli", ".gemini/.env", "workspace=my%20shop,enduser.id=ana@example.com"),
        ("qwen", ".qwen/.env", "workspace=my%20shop,enduser.id=ana@example.com"),
    ] {
        let home = Home::with(path, "MINE=1\n");
        let (code, said) = home.connect(&[&[client, "--write"], &WHOSE[..]].concat());
        assert_eq!(code, 0, "{said}");
        assert!(home.read(path).contains(holds), "{}", home.read(path));
        assert_eq!(home.connect(&[client, "--remove"]).0, 0);
        assert_eq!(home.read(path), "MINE=1\n", "{client}");
    }
    // What settings say of a variable, the shell cannot say otherwise.
    let (_, said) = home.connect(&[&["claude-code"], &WHOSE[..]].concat());
    let (leave_out, in_vain) = said.split_once("This does not leave it out:").unwrap();
    let way = "OTEL_RESOURCE_ATTRIBUTES=skillspan.capture=false claude";
    assert!(in_vain.contains(way) && !leave_out.contains(way), "{said}");
}

#[test]
fn a_name_that_is_none_is_refused() {
    let home = Home(TempDir::new().unwrap());
    for name in ["", " ", "--remove", "a\nb"] {
        let user = format!("--user={name}");
        assert_eq!(home.connect(&["claude-hooks", "--write", &user]).0, 64, "{name:?}");
    }
    assert_eq!(fs::read_dir(home.0.path()).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn a_token_is_where_its_owner_alone_reads_it_and_goes_again() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let team = ["--endpoint", "https://team.example.com", "--token", TOKEN];
    for (client, path, before, holds) in [
        ("claude-code", CLAUDE, CLAUDE_BEFORE, "Authorization=Bearer a-token=of+enough/length"),
        ("codex", CODEX, CODEX_BEFORE, "Bearer a-token=of+enough/length"),
        ("openclaw", ".openclaw/openclaw.json", "{}\n", "Bearer a-token=of+enough/length"),
        (
            "hermes",
            ".hermes/.env",
            "A=b\n",
            "OTEL_EXPORTER_OTLP_HEADERS=\"Authorization=Bearer a-token=of+enough/length\"",
        ),
    ] {
        let home = Home::with(path, before);
        fs::set_permissions(home.file(path), PermissionsExt::from_mode(0o644)).unwrap();
        let (code, said) = home.connect(&[&[client, "--write"], &team[..]].concat());
        assert_eq!(code, 0, "{said}");
        assert!(said.contains("who can read the token") && !said.contains("enough"), "{said}");
        assert!(home.read(path).contains(holds), "{}", home.read(path));
        assert_eq!(mode(&home.file(path)), 0o600, "{client}");
        assert_eq!(home.connect(&[client, "--remove", "--endpoint", "https://team.example.com"]).0, 0);
        assert_eq!(home.read(path), before, "{client}");
    }
    let home = Home(TempDir::new().unwrap());
    let file = home.file(".config/skillspan/tokens/claude-hooks");
    assert_eq!(home.connect(&[&["claude-hooks", "--write"], &team[..]].concat()).0, 0);
    assert_eq!((fs::read_to_string(&file).unwrap().trim(), mode(&file)), (TOKEN, 0o600));
    assert_eq!(mode(file.parent().unwrap()), 0o700);
    let written = home.read(CLAUDE);
    assert!(written.contains("--token-file") && !written.contains("enough"), "{written}");
    assert_eq!(home.connect(&["claude-hooks", "--remove"]).0, 0);
    assert!(!file.exists() && !home.file(CLAUDE).exists());
}

#[test]
fn a_token_stays_with_the_server_that_it_is_for() {
    let team = ["--endpoint", "https://team.example.com", "--token", TOKEN];
    for (client, path) in [
        ("claude-code", CLAUDE),
        ("codex", CODEX),
        ("openclaw", ".openclaw/openclaw.json"),
        ("hermes", ".hermes/.env"),
        ("gemini-cli", ".gemini/.env"),
        ("qwen", ".qwen/.env"),
    ] {
        let home = Home(TempDir::new().unwrap());
        assert_eq!(home.connect(&[&[client, "--write"], &team[..]].concat()).0, 0);
        assert!(home.read(path).contains("enough"), "{client}");
        // The same server once more, and another one.
        assert_eq!(home.connect(&[client, "--write", "--replace", team[0], team[1]]).0, 0);
        assert!(home.read(path).contains("enough"), "{client}: {}", home.read(path));
        let other = ["--write", "--replace", "--endpoint", "https://team.example.com.evil.example"];
        let (code, said) = home.connect(&[&[client], &other[..]].concat());
        assert_eq!(code, 0, "{said}");
        assert!(said.contains("took out the token"), "{client}: {said}");
        let left = home.file(path);
        assert!(!left.exists() || !home.read(path).contains("enough"), "{client}: {}", home.read(path));
    }
}

#[test]
fn a_token_that_goes_out_in_clear_text_is_warned_of() {
    let home = Home(TempDir::new().unwrap());
    for (endpoint, is_warned) in [
        ("http://team.example.com:4318", true),
        ("http://10.0.0.7:4318", true),
        ("https://team.example.com", false),
        ("http://127.0.0.1:4318", false),
        ("http://[::1]:4318", false),
        ("http://localhost:4318", false),
    ] {
        let (code, said) =
            home.connect(&["codex", "--write", "--replace", "--token", TOKEN, "--endpoint", endpoint]);
        assert_eq!((code, said.contains("is not encrypted")), (0, is_warned), "{endpoint}: {said}");
    }
}

#[test]
fn a_token_is_read_from_a_file_and_never_printed() {
    let home = Home::with("token", &format!("{TOKEN}\n"));
    let file = home.file("token");
    let from = ["--token-file", file.to_str().unwrap()];
    let (_, listed) = home.connect(&[]);
    for client in listed.lines().map_while(|line| line.split_whitespace().next()) {
        if client == "langfuse" {
            assert_eq!(home.connect(&[&[client], &from[..]].concat()).0, 64, "it needs a pair");
            continue;
        }
        let (code, said) = home.connect(&[&[client], &from[..]].concat());
        assert_eq!(code, 0, "{said}");
        assert!(!said.contains("enough"), "{said}");
        let told = ["TOKEN", "--token-file"].iter().any(|word| said.contains(word));
        assert!(told, "{client}: {said}");
    }
    for no_token in ["two words\n", "a,comma\n", "a$dollar\n", "a\"quote\n", "\n", "ü\n"] {
        fs::write(&file, no_token).unwrap();
        assert_eq!(home.connect(&[&["codex"], &from[..]].concat()).0, 64, "{no_token:?}");
    }
    fs::remove_file(&file).unwrap();
    assert_eq!(home.connect(&[&["codex"], &from[..]].concat()).0, 1);
}

#[test]
fn what_was_there_is_kept_and_what_was_not_is_called_new() {
    let home = Home(TempDir::new().unwrap());
    let (code, said) = home.connect(&["claude-code", "--write"]);
    assert!(code == 0 && said.contains("settings.json, a new file"), "{said}");
    assert!(!said.contains("before"), "there is nothing before it: {said}");
    let (code, said) = home.connect(&["claude-code", "--write", "--user", "ana"]);
    assert!(code == 0 && said.contains("which was new when skillspan first wrote it"), "{said}");
    let (code, said) = home.connect(&["claude-code", "--remove"]);
    assert!(code == 0 && said.contains("removed ") && said.contains("held nothing else"), "{said}");
    assert!(!home.file(CLAUDE).exists());
    let home = Home::with(CLAUDE, CLAUDE_BEFORE);
    let (code, said) = home.connect(&["claude-code", "--write"]);
    assert!(code == 0 && said.contains("as it was before: "), "{said}");
    assert_eq!(home.read(&format!("{CLAUDE}.before-skillspan")), CLAUDE_BEFORE);
    let (_, said) = home.connect(&["claude-code", "--remove"]);
    assert!(said.contains("took the settings out of "), "{said}");
}

#[test]
fn what_is_written_wrong_is_named_with_what_to_write() {
    let home = Home(TempDir::new().unwrap());
    for (arguments, code, says) in [
        (&["claude"][..], 64, "did you mean `claude-code` or `claude-hooks`?"),
        (&["gemini"], 64, "did you mean `gemini-cli`?"),
        (&["Codx"], 64, "did you mean `codex`?"),
        (&["emacs"], 64, "known are claude-code, codex"),
        (&["--write"], 64, "`skillspan connect` lists them"),
        (&["codex", "--endpoint", ""], 64, "`` is no address"),
        (&["codex", "--endpoint", "http://"], 64, "`http://` is no address"),
        (&["codex", "--endpoint", "collector:4318"], 64, "such as http://127.0.0.1:4318"),
        (&["codex", "--endpoint", "http://collector:99999"], 64, "is no address"),
        (&["codex", "--endpoint", "http://[::1]:4318"], 0, "http://[::1]:4318/v1/logs"),
        (&["codex", "--endpoint", "https://collector/prefix/"], 0, "https://collector/prefix/v1/logs"),
        (&["codex", "--user", " "], 64, "it is empty"),
        (&["codex", "--token-file", "/no/such/file"], 1, "/no/such/file"),
        (&["copilot", "--write"], 64, "`skillspan connect copilot` prints the lines"),
        (&["otel-js", "--check"], 1, "`skillspan connect otel-js` says how"),
    ] {
        let (found, said) = home.connect(arguments);
        assert!(found == code && said.contains(says), "{arguments:?}: {found} {said}");
    }
}
