//! `doctor`: set-ups that are broken, each in one way, each named with what to do about it.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::connect_all::Machine;
use crate::support::{Running, Site};

/// A machine with one assistant, and a site whose data lies in its home.
struct Place {
    machine: Machine,
    site: Site,
    running: Option<Running>,
}

impl Place {
    fn new() -> Self {
        let (machine, site) = (Machine::with(&["claude"], &[]), Site::new("default"));
        let port = site.free_port();
        let console = format!("  console: {{ endpoint: 127.0.0.1:{port} }}\n  sessions_table:");
        site.edit_config(&[("  sessions_table:", &console)]);
        Self { machine, site, running: None }
    }

    /// Running, and with an assistant that sends there.
    fn running() -> Self {
        let mut place = Self::new();
        place.start();
        place.connect(&["claude-code"]);
        place
    }

    fn start(&mut self) {
        self.running = Some(self.site.start_with(&[("HOME", &self.machine.home())]));
    }

    fn connect(&self, words: &[&str]) {
        let endpoint = format!("http://127.0.0.1:{}", self.site.http);
        let more = ["--write", "--endpoint", &endpoint];
        let (code, said) = self.machine.run(&[&["connect"], words, &more[..]].concat());
        assert_eq!(code, 0, "{said}");
    }

    fn run(&self, words: &[&str]) -> (i32, String) {
        let config = self.site.config().display().to_string();
        self.machine.run(&[&["doctor", "--config", &config], words].concat())
    }

    /// Does what is told, to the letter.
    fn follow(&self, told: &str) {
        let words = told.split('`').nth(1).unwrap().strip_prefix("skillspan ").unwrap();
        let (code, said) = self.machine.run(&words.split(' ').collect::<Vec<_>>());
        assert_eq!(code, 0, "{words}: {said}");
    }

    /// What is found of an area: level, what and what to do.
    fn of(&self, area: &str) -> Vec<(String, String, String)> {
        let (_, said) = self.run(&["--json"]);
        let (json, _) = said.split_once("\nerror: ").unwrap_or((&said, ""));
        let report: Value = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {said}"));
        let findings = report["findings"].as_array().unwrap().iter();
        let text = |finding: &Value, field: &str| finding[field].as_str().unwrap().to_owned();
        findings
            .filter(|finding| finding["area"] == area)
            .map(|finding| (text(finding, "level"), text(finding, "what"), text(finding, "todo")))
            .collect()
    }

    /// The findings that are broken.
    fn broken(&self) -> Vec<Value> {
        let (code, said) = self.run(&["--json"]);
        let (json, _) = said.split_once("\nerror: ").unwrap_or((&said, ""));
        let report: Value = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {said}"));
        let findings = report["findings"].as_array().unwrap().iter();
        let broken: Vec<Value> = findings.filter(|finding| finding["level"] == "broken").cloned().collect();
        assert_eq!(report["broken"], broken.len());
        assert_eq!(code, i32::from(!broken.is_empty()), "{said}");
        broken
    }

    /// What to do about the first broken thing of this area.
    fn todo_of(&self, area: &str) -> String {
        let broken = self.broken();
        let finding = broken.iter().find(|finding| finding["area"] == area).expect(area);
        finding["todo"].as_str().unwrap().to_owned()
    }

    /// The one broken thing says what, and what to do.
    fn names(&self, area: &str, what: &str, todo: &str) {
        let broken = self.broken();
        let is_it = |finding: &Value| {
            let has = |field: &str, text: &str| finding[field].as_str().unwrap().contains(text);
            finding["area"] == area && has("what", what) && has("todo", todo)
        };
        assert!(broken.iter().any(is_it), "{area}, {what}, {todo}: {broken:#?}");
        assert_eq!(broken.len(), 1, "one thing is broken: {broken:#?}");
    }
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

#[test]
fn nothing_is_broken_where_all_is_well() {
    let place = Place::running();
    assert_eq!(place.broken(), Vec::<Value>::new());
    let (code, said) = place.run(&[]);
    assert_eq!(code, 0, "{said}");
    for ok in
        ["configuration", "service", "folders", "disk", "secrets", "clock", "console", "claude-code", "PATH"]
    {
        assert!(said.lines().any(|line| line.starts_with("ok") && line.contains(ok)), "{ok}: {said}");
    }
    let before = place.machine.tree();
    place.run(&[]);
    assert_eq!(place.machine.tree(), before, "it changes nothing");
}

#[test]
fn a_configuration_that_is_wrong() {
    let place = Place::new();
    place.site.edit_config(&[("exporters:", "exprters:")]);
    let broken = place.broken();
    let finding = broken.iter().find(|finding| finding["area"] == "configuration").expect("it is named");
    assert!(finding["what"].as_str().unwrap().contains("exprters"), "{finding}");
    assert!(finding["todo"].as_str().unwrap().contains("skillspan validate"), "{finding}");
}

#[test]
fn no_process_runs() {
    let place = Place::new();
    let run = format!("`skillspan run --config {}` starts it", place.site.config().display());
    place.names("service", "no skillspan answers", &run);
}

#[test]
fn another_process_has_a_port() {
    let place = Place::new();
    let _other = TcpListener::bind(("127.0.0.1", place.site.http)).unwrap();
    let broken = place.broken();
    let port = broken.iter().find(|finding| finding["area"] == "ports").expect("it is named");
    let (what, todo) = (port["what"].as_str().unwrap(), port["todo"].as_str().unwrap());
    assert!(
        what.contains(&format!("127.0.0.1:{}", place.site.http)) && what.contains("receivers.otlp"),
        "{what}"
    );
    assert!(todo.contains("ss -ltnp") && todo.contains(&place.site.http.to_string()), "{todo}");
}

#[test]
fn another_process_has_the_consoles_port() {
    let mut place = Place::new();
    let port = place.site.free_port();
    place.start();
    let _other = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let config = fs::read_to_string(place.site.config()).unwrap();
    let begin =
        config.find("console: { endpoint: 127.0.0.1:").unwrap() + "console: { endpoint: 127.0.0.1:".len();
    let end = begin + config[begin..].find(' ').unwrap();
    fs::write(place.site.config(), format!("{}{port}{}", &config[..begin], &config[end..])).unwrap();
    place.names("console", "nothing answers at", "extensions.console.endpoint");
}

#[test]
fn others_can_read_the_sessions() {
    let place = Place::running();
    mode(&place.site.path("sessions"), 0o755);
    place.names("folders", "other users can read", "chmod 700");
}

#[test]
fn a_file_stands_where_a_folder_belongs() {
    let place = Place::new();
    fs::write(place.site.path("journal"), "").unwrap();
    let broken = place.broken();
    let finding = broken.iter().find(|finding| finding["area"] == "folders").expect("it is named");
    assert!(
        finding["what"].as_str().unwrap().contains("stands where the folder of the journal belongs"),
        "{finding}"
    );
    assert!(finding["todo"].as_str().unwrap().contains("service.journal.path"), "{finding}");
}

#[test]
fn others_can_read_the_consoles_secret() {
    let place = Place::running();
    let secret = place.machine.home().join(".local/share/skillspan/console/secret");
    mode(&secret, 0o644);
    let broken = place.broken();
    for (area, todo) in [("secrets", "chmod 600"), ("console", "remove the file")] {
        let finding = broken.iter().find(|finding| finding["area"] == area).expect(area);
        assert!(finding["todo"].as_str().unwrap().contains(todo), "{finding}");
    }
    // One that is not there is made by the next start, and so is its folder.
    let restart = "restart `skillspan run`, which makes a new one";
    fs::remove_file(&secret).unwrap();
    assert!(place.todo_of("console").contains(restart));
    fs::remove_dir_all(secret.parent().unwrap()).unwrap();
    assert!(place.todo_of("console").contains(restart));
}

#[test]
fn the_clock_went_back() {
    let place = Place::running();
    let secret = place.machine.home().join(".local/share/skillspan/console/secret");
    let later = SystemTime::now() + Duration::from_secs(2 * 24 * 3600);
    File::options().append(true).open(secret).unwrap().set_modified(later).unwrap();
    place.names("clock", "which is later", "timedatectl");
}

#[test]
fn an_assistant_keeps_what_is_said_to_itself() {
    let place = Place::running();
    let settings = place.machine.read(".claude/settings.json");
    let silent = settings.replace("\"OTEL_LOG_USER_PROMPTS\": \"1\"", "\"OTEL_LOG_USER_PROMPTS\": \"0\"");
    assert_ne!(silent, settings);
    place.machine.write(".claude/settings.json", &silent);
    let again = format!(
        "`skillspan connect claude-code --write --replace --endpoint http://127.0.0.1:{}`",
        place.site.http
    );
    place.names("claude-code", "it sends no prompts", &again);
    place.follow(&again);
    assert_eq!(place.broken(), Vec::<Value>::new(), "the remedy helps");
}

#[test]
fn the_settings_of_an_assistant_cannot_be_read() {
    let place = Place::running();
    place.machine.write(".claude/settings.json", "{ \"env\": ");
    place.names(
        "claude-code",
        ".claude/settings.json: it is not valid JSON",
        "skillspan connect claude-code --check",
    );
}

#[test]
fn an_assistant_shows_a_token_that_nobody_knows() {
    let mut place = Place::new();
    let auth = "  auth: { tokens: [{ id: ana, secret: a-token-of-enough-length, tenant: acme }] }\n  sessions_table:";
    place.site.edit_config(&[("  sessions_table:", auth)]);
    place.start();
    place.connect(&["claude-code", "--token", "another-token-of-enough-length"]);
    place.names("claude-code", "does not know the token", "extensions.auth");
}

#[test]
fn an_assistant_sends_where_nobody_listens() {
    let place = Place::running();
    let port = place.site.free_port();
    let endpoint = format!("http://127.0.0.1:{port}");
    let (code, said) =
        place.machine.run(&["connect", "claude-code", "--write", "--replace", "--endpoint", &endpoint]);
    assert_eq!(code, 0, "{said}");
    place.names("claude-code", "nothing listens", "start `skillspan run` there");
}

#[test]
fn an_assistant_is_connected_twice() {
    let place = Place::running();
    let (code, said) = place.machine.run(&["connect", "claude-hooks", "--write"]);
    assert_eq!(code, 1, "{said}");
    let hook =
        "{\"hooks\": [{\"type\": \"command\", \"command\": \"skillspan hook claude\", \"timeout\": 10}]}";
    let settings = place.machine.read(".claude/settings.json");
    let events = ["SessionStart", "UserPromptSubmit", "PostToolUse", "Stop"];
    let hooks: Vec<String> = events.iter().map(|event| format!("\"{event}\": [{hook}]")).collect();
    let both = settings.replacen('{', &format!("{{\"hooks\": {{{}}},", hooks.join(", ")), 1);
    place.machine.write(".claude/settings.json", &both);
    place.names("claude-code", "connected 2 times", "`skillspan connect claude-hooks --remove`");
}

#[test]
fn hooks_find_no_skillspan() {
    let mut place = Place::new();
    place.start();
    place.connect(&["claude-hooks"]);
    let config = place.site.config().display().to_string();
    let bin = place.machine.home().parent().unwrap().join("bin").display().to_string();
    let path = [("PATH".to_owned(), format!("{bin}:/usr/bin:/bin"))];
    let (code, said) = place.machine.run_with(&["doctor", "--config", &config], &path);
    assert_eq!(code, 1, "{said}");
    let at = said.find("`skillspan` is not on it").expect(&said);
    assert!(said[at..].contains("to do: put it there"), "{said}");
}

#[test]
fn what_hooks_left_waits() {
    let mut place = Place::new();
    let endpoint = format!("http://127.0.0.1:{}", place.site.free_port());
    let event = "{\"hook_event_name\":\"UserPromptSubmit\",\"session_id\":\"s\",\"prompt\":\"x\"}";
    let mut command = crate::support::skillspan();
    command.args(["hook", "claude", "--endpoint", &endpoint]).env("HOME", place.machine.home());
    assert!(crate::support::give(command, event).wait().unwrap().success());
    place.start();
    let broken = place.broken();
    let finding = broken.iter().find(|finding| finding["what"].as_str().unwrap().contains("of hooks wait"));
    let finding = finding.unwrap_or_else(|| panic!("{broken:#?}"));
    assert!(!finding["todo"].as_str().unwrap().is_empty(), "{finding}");
}

#[test]
fn a_journal_may_grow_beyond_its_disk() {
    let place = Place::running();
    place.site.edit_config(&[("max_size: 64MiB", "max_size: 4000TiB")]);
    let (code, said) = place.run(&[]);
    assert_eq!(code, 0, "it is worth a note: {said}");
    let note = said.lines().find(|line| line.starts_with("note") && line.contains("the journal may become"));
    assert!(note.is_some() && said.contains("service.journal.max_size"), "{said}");
}

#[test]
fn an_upgrade_is_looked_for_where_somebody_says_and_nowhere_else() {
    let machine = Machine::with(&[], &[]);
    let (code, said) = machine.run(&["upgrade", "--check"]);
    assert!(code == 0 && said.contains("nobody was asked"), "{said}");
    machine.write("index.json", "{\"tag_name\": \"v99.0.0\"}");
    let before = machine.tree();
    let index = machine.home().join("index.json").display().to_string();
    let (code, said) = machine.run(&["upgrade", "--check", "--from", &index]);
    assert!(code == 0 && said.contains("99.0.0 is newer"), "{said}");
    let (code, said) = machine.run(&["upgrade", "--check", "--from", "http://releases.example.com/latest"]);
    assert!(code == 64 && said.contains("https://"), "{said}");
    let (code, said) = machine.run(&["upgrade", "--check", "--from", &format!("file://{index}")]);
    assert!(code == 0 && said.contains("99.0.0 is newer"), "{said}");
    // What has no end is read up to the bound.
    let (code, said) = machine.run(&["upgrade", "--check", "--from", "/dev/zero"]);
    assert!(code == 1 && said.contains("too long to be an index"), "{said}");
    machine.write("none.json", "{}");
    let none = machine.home().join("none.json").display().to_string();
    let (code, said) = machine.run(&["upgrade", "--check", "--from", &none]);
    assert!(code == 1 && said.contains("names no `version`"), "{said}");
    assert_eq!(machine.run(&["upgrade"]).0, 64);
    fs::remove_file(none).unwrap();
    assert_eq!(machine.tree(), before);
}

#[test]
fn the_remedy_knows_the_address_and_helps() {
    let mut place = Place::new();
    place.start();
    let of = place.of("claude-code");
    let [(level, what, todo)] = of.as_slice() else { panic!("{of:?}") };
    assert!(level == "note" && what.contains("not connected"), "{what}");
    assert!(todo.contains(&format!("--endpoint http://127.0.0.1:{}", place.site.http)), "{todo}");
    place.follow(todo);
    assert_eq!(place.broken(), Vec::<Value>::new());
    assert_eq!(place.of("claude-code")[0].0, "ok");
    // What is switched off by hand is written anew by --replace alone, and that is what is told.
    let settings = place.machine.read(".claude/settings.json");
    let off = settings
        .replace("\"CLAUDE_CODE_ENABLE_TELEMETRY\": \"1\"", "\"CLAUDE_CODE_ENABLE_TELEMETRY\": \"0\"");
    assert_ne!(off, settings);
    place.machine.write(".claude/settings.json", &off);
    let (level, what, todo) = place.of("claude-code").remove(0);
    assert!(level == "note" && what.contains("not connected"), "{what}");
    place.follow(&todo);
    assert_eq!(place.of("claude-code")[0].0, "ok");
}

#[test]
fn a_set_up_over_grpc_by_hand_is_not_broken() {
    let mut place = Place::new();
    place.start();
    let grpc = place.site.grpc;
    let env = [
        ("CLAUDE_CODE_ENABLE_TELEMETRY", "1".to_owned()),
        ("OTEL_LOGS_EXPORTER", "otlp".to_owned()),
        ("OTEL_TRACES_EXPORTER", "otlp".to_owned()),
        ("CLAUDE_CODE_ENHANCED_TELEMETRY_BETA", "1".to_owned()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc".to_owned()),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://127.0.0.1:{grpc}")),
        ("OTEL_LOG_USER_PROMPTS", "1".to_owned()),
        ("OTEL_LOG_ASSISTANT_RESPONSES", "1".to_owned()),
        ("OTEL_LOG_TOOL_DETAILS", "1".to_owned()),
        ("OTEL_LOG_TOOL_CONTENT", "1".to_owned()),
        ("OTEL_METRICS_INCLUDE_REPOSITORY", "1".to_owned()),
    ];
    let env: serde_json::Map<String, Value> =
        env.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    place.machine.write(".claude/settings.json", &serde_json::json!({ "env": env }).to_string());
    let found = place.of("claude-code");
    assert!(
        found[0].0 == "ok" && found[0].1.contains(&format!("arrives at http://127.0.0.1:{grpc}")),
        "{found:?}"
    );
}

/// Settings that keep everything back are broken, and those that keep a part back are told.
#[test]
fn settings_that_keep_back_are_told() {
    let place = Place::running();
    let settings = place.machine.read(".claude/settings.json");
    let (without, with) = (
        |name: &str| {
            let line = settings.lines().find(|line| line.contains(name)).unwrap();
            settings.replace(&format!("{line}\n"), "")
        },
        |name: &str, value: &str| {
            let line = settings.lines().find(|line| line.contains(name)).unwrap();
            let (key, _) = line.split_once(':').unwrap();
            settings.replace(line, &format!("{key}: \"{value}\","))
        },
    );
    for everything in [
        with("OTEL_LOGS_EXPORTER", "none"),
        without("OTEL_LOGS_EXPORTER"),
        settings.replace(
            "\"OTEL_LOGS_EXPORTER\"",
            "\"OTEL_SDK_DISABLED\": \"true\",\n    \"OTEL_LOGS_EXPORTER\"",
        ),
    ] {
        place.machine.write(".claude/settings.json", &everything);
        let found = place.of("claude-code");
        assert!(found[0].0 == "broken" && found[0].1.contains("nothing"), "{found:?}: {everything}");
        if !everything.contains("DISABLED") {
            place.follow(&found[0].2);
            assert_eq!(place.of("claude-code")[0].0, "ok", "the remedy helps");
        }
    }
    for (part, says) in [
        (with("OTEL_TRACES_EXPORTER", "none"), "OTEL_TRACES_EXPORTER"),
        (with("OTEL_LOG_TOOL_CONTENT", "0"), "outputs of tools"),
        (without("OTEL_LOG_TOOL_DETAILS"), "OTEL_LOG_TOOL_DETAILS"),
        (with("OTEL_LOG_ASSISTANT_RESPONSES", "0"), "responses"),
        (with("CLAUDE_CODE_ENHANCED_TELEMETRY_BETA", "0"), "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA"),
    ] {
        place.machine.write(".claude/settings.json", &part);
        let found = place.of("claude-code");
        assert!(
            found[0].0 == "note" && found[0].1.contains("keeps back") && found[0].1.contains(says),
            "{found:?}"
        );
        place.follow(&found[0].2);
        assert_eq!(place.of("claude-code")[0].0, "ok", "the remedy helps");
    }
}

#[test]
fn the_journals_folder_is_deleted_under_a_process() {
    let mut place = Place::running();
    fs::remove_dir_all(place.site.path("journal")).unwrap();
    crate::support::eventually("it is noticed", || {
        place
            .broken()
            .iter()
            .any(|finding| finding["what"].as_str().unwrap().contains("was deleted or replaced"))
    });
    let (_, said) = place.run(&[]);
    assert!(said.contains("and restart skillspan") && !said.contains("it goes on by itself"), "{said}");
    assert!(!said.contains("\\u{"), "no bytes of the protocol: {said}");
    drop(place.running.take());
}

#[test]
fn an_assistant_sends_to_the_console() {
    let place = Place::running();
    let config = fs::read_to_string(place.site.config()).unwrap();
    let port = config.split("console: { endpoint: 127.0.0.1:").nth(1).unwrap().split(' ').next().unwrap();
    let endpoint = format!("http://127.0.0.1:{port}");
    let (code, said) =
        place.machine.run(&["connect", "claude-code", "--write", "--replace", "--endpoint", &endpoint]);
    assert_eq!(code, 0, "{said}");
    let (level, what, todo) = place.of("claude-code").remove(0);
    assert!(level == "broken" && what.contains("the console's port") && !what.contains("token"), "{what}");
    place.follow(&todo);
    assert_eq!(place.broken(), Vec::<Value>::new(), "the remedy helps");
}

#[test]
fn what_an_assistant_is_told_to_ask_with_is_looked_at() {
    let place = Place::running();
    let config = fs::read_to_string(place.site.config()).unwrap();
    let port = config.split("console: { endpoint: 127.0.0.1:").nth(1).unwrap().split(' ').next().unwrap();
    let console = format!("http://127.0.0.1:{port}");
    let write = |more: &[&str]| {
        let (code, said) =
            place.machine.run(&[&["connect", "claude-code", "--mcp", "--write"], more].concat());
        assert_eq!(code, 0, "{said}");
    };
    write(&["--console", &console]);
    assert_eq!(place.broken(), Vec::<Value>::new());
    let good = place.machine.read(".claude.json");
    place.machine.write("token", "a-read-token-of-enough-length\n");
    let token = place.machine.home().join("token").display().to_string();
    write(&["--console", &console, "--token-file", &token]);
    assert_eq!(place.broken(), Vec::<Value>::new());
    fs::remove_file(place.machine.home().join(".config/skillspan/tokens/mcp-claude-code")).unwrap();
    place.names("claude-code", "cannot be read", "--mcp --write");
    let silent = format!("http://127.0.0.1:{}", place.site.free_port());
    for (broken, says) in [
        (good.replace("\"skillspan\",", "\"/nope/skillspan\","), "there is no program `/nope/skillspan`"),
        (good.replace(&console, &silent), "nothing listens at"),
        (good.replace(&console, "https://console.invalid:4320"), "asks for a token"),
        (good.replace(&console, "ftp://x"), "is no address"),
    ] {
        assert_ne!(broken, good, "{says}");
        place.machine.write(".claude.json", &broken);
        place.names("claude-code", says, &format!("--mcp --write --console {console}"));
    }
}

#[test]
fn versions_are_judged() {
    let place = Place::running();
    let program = place.machine.home().parent().unwrap().join("bin/claude");
    for (script, says) in [
        ("echo '0.2.9 (Claude Code)'", "older than 2.1.330"),
        ("exit 3", "ends with exit status: 3"),
        ("sleep 60", "does not say its version within"),
    ] {
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        let found = place.of("claude-code");
        assert!(
            found.iter().any(|(level, what, _)| level == "note" && what.contains(says)),
            "{says}: {found:?}"
        );
    }
}
