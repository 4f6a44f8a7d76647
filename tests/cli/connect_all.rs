//! `connect --all`: every assistant that is here, each in one way, and back again to the last byte.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::{outcome, skillspan};

/// A machine: a home, and a folder of programs.
pub(crate) struct Machine(TempDir);

impl Machine {
    pub(crate) fn with(programs: &[&str], folders: &[&str]) -> Self {
        let machine = Self(TempDir::new().unwrap());
        fs::create_dir_all(machine.home()).unwrap();
        let bin = machine.0.path().join("bin");
        fs::create_dir(&bin).unwrap();
        for program in programs {
            let file = bin.join(program);
            fs::write(&file, "#!/bin/sh\n").unwrap();
            fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
        }
        for folder in folders {
            fs::create_dir_all(machine.home().join(folder)).unwrap();
        }
        machine
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.0.path().join("home")
    }

    pub(crate) fn write(&self, path: &str, content: &str) {
        let file = self.home().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.home().join(path)).unwrap_or_default()
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> (i32, String) {
        self.run_with(arguments, &[])
    }

    pub(crate) fn run_with(&self, arguments: &[&str], variables: &[(String, String)]) -> (i32, String) {
        let mut command = skillspan();
        let own = Path::new(env!("CARGO_BIN_EXE_skillspan")).parent().unwrap().display().to_string();
        let path = format!("{}:{own}:/usr/bin:/bin", self.0.path().join("bin").display());
        command.args(arguments).env("HOME", self.home()).env("PATH", path).current_dir(self.home());
        command.envs(variables.iter().cloned());
        let (code, out, err) = outcome(&mut command);
        (code, out + &err)
    }

    /// Every file and folder of the home, with its content and mode.
    pub(crate) fn tree(&self) -> BTreeMap<PathBuf, Option<(Vec<u8>, u32)>> {
        let mut tree = BTreeMap::new();
        let mut folders = vec![self.home()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    tree.insert(path.clone(), None);
                    folders.push(path);
                } else {
                    let mode = fs::metadata(&path).unwrap().permissions().mode();
                    tree.insert(path.clone(), Some((fs::read(&path).unwrap(), mode)));
                }
            }
        }
        tree
    }
}

const CLAUDE: &str = ".claude/settings.json";
const MINE: &str = "{\n  // mine\n  \"model\": \"opus\",\n  \"hooks\": {\"Stop\": [{\"hooks\": [{\"type\": \"command\", \"command\": \"./mine\"}]}]}\n}\n";
const PROGRAMS: &[&str] =
    &["claude", "codex", "gemini", "qwen", "copilot", "opencode", "hermes", "cline", "pi"];

#[test]
fn all_that_is_here_is_connected_and_every_byte_and_folder_comes_back() {
    let machine = Machine::with(PROGRAMS, &[".cursor", ".cline"]);
    machine.write(CLAUDE, MINE);
    machine.write(".codex/config.toml", "model = \"x\"\n");
    machine.write(".gemini/.env", "GEMINI_API_KEY=k\n");
    let before = machine.tree();
    let (code, said) = machine.run(&["connect", "--all"]);
    assert_eq!(code, 0, "{said}");
    let line = |name: &str, said: &str| {
        said.lines()
            .find(|line| line.starts_with(name))
            .unwrap_or_else(|| panic!("{name}: {said}"))
            .to_owned()
    };
    for title in [
        "Claude Code",
        "Codex",
        "Gemini CLI",
        "Qwen Code",
        "GitHub Copilot",
        "OpenCode",
        "Hermes",
        "Cursor",
        "Cline",
        "pi",
    ] {
        assert!(line(title, &said).contains("not connected"), "{said}");
    }
    assert!(!said.contains("OpenClaw"), "what is not here is not named: {said}");
    assert_eq!(machine.tree(), before, "looking writes nothing");

    let whose =
        ["--user", "ana@example.com", "--workspace", "my shop", "--token", "a-token-of-enough-length"];
    let team = ["connect", "--all", "--write", "--endpoint", "https://team.example.com:4318"];
    let (code, said) = machine.run(&[&team[..], &whose[..]].concat());
    assert_eq!(code, 0, "{said}");
    assert!(!said.contains("enough-length"), "a token is never printed: {said}");
    let claude = machine.read(CLAUDE);
    assert!(
        claude.contains("CLAUDE_CODE_ENABLE_TELEMETRY") && !claude.contains("skillspan hook"),
        "{claude}"
    );
    for (path, holds) in [
        (".codex/.env", "OTEL_RESOURCE_ATTRIBUTES=\"workspace=my shop,enduser.id=ana@example.com\""),
        (".codex/config.toml", "Bearer a-token-of-enough-length"),
        (".gemini/.env", "OTEL_RESOURCE_ATTRIBUTES=workspace=my%20shop,enduser.id=ana@example.com"),
        (".gemini/.env", "Authorization=Bearer a-token-of-enough-length"),
        (".qwen/.env", "Authorization=Bearer a-token-of-enough-length"),
        (".copilot/hooks/skillspan.json", "skillspan hook copilot"),
        (".hermes/config.yaml", "skillspan hook hermes"),
        (".cursor/hooks.json", "skillspan hook cursor"),
        (".pi/agent/extensions/skillspan.ts", "ana@example.com"),
    ] {
        assert!(machine.read(path).contains(holds), "{path}: {}", machine.read(path));
    }
    assert!(said.contains("OTEL_EXPORTER_OTLP_ENDPOINT=https://team.example.com:4318"), "OpenCode's: {said}");
    let (code, said) = machine.run(&["connect", "--all"]);
    assert!(code == 0 && !said.contains("not connected"), "{said}");
    let connected = machine.tree();
    assert_eq!(machine.run(&[&team[..], &whose[..]].concat()).0, 0);
    assert_eq!(machine.tree(), connected, "a second time changes nothing");

    let (code, said) = machine.run(&["connect", "--all", "--remove"]);
    assert_eq!(code, 0, "{said}");
    let modes = |tree: BTreeMap<PathBuf, Option<(Vec<u8>, u32)>>| -> BTreeMap<PathBuf, Option<Vec<u8>>> {
        tree.into_iter().map(|(path, file)| (path, file.map(|(bytes, _)| bytes))).collect()
    };
    assert_eq!(modes(machine.tree()), modes(before), "{said}");
    let (code, said) = machine.run(&["connect", "--all", "--remove"]);
    assert_eq!((code, said.as_str()), (0, "nothing is connected\n"));
}

#[test]
fn one_assistant_is_connected_in_one_way() {
    let machine = Machine::with(&["claude"], &[]);
    assert_eq!(machine.run(&["connect", "claude-code", "--write"]).0, 0);
    let before = machine.tree();
    let (code, said) = machine.run(&["connect", "claude-hooks", "--write"]);
    assert_eq!((code, machine.tree()), (1, before), "{said}");
    assert!(said.contains("`claude-code` already") && said.contains("--replace"), "{said}");
    let (code, said) = machine.run(&["connect", "claude-hooks", "--write", "--replace"]);
    assert_eq!(code, 0, "{said}");
    let written = machine.read(CLAUDE);
    assert!(
        written.contains("skillspan hook claude") && !written.contains("OTEL_LOGS_EXPORTER"),
        "{written}"
    );
    // The way that somebody chose stays.
    assert_eq!(machine.run(&["connect", "--all", "--write"]).0, 0);
    assert!(!machine.read(CLAUDE).contains("OTEL_LOGS_EXPORTER"), "{}", machine.read(CLAUDE));
    let (_, said) = machine.run(&["connect", "claude-code", "--write"]);
    assert!(said.contains("`claude-hooks` already"), "{said}");
    assert_eq!(machine.run(&["connect", "--all", "--remove"]).0, 0);
    assert_eq!(machine.tree(), BTreeMap::new());
}

#[test]
fn what_was_connected_twice_is_connected_once() {
    let machine = Machine::with(&["claude"], &[]);
    machine.write(CLAUDE, MINE);
    let file = machine.home().join(CLAUDE).display().to_string();
    assert_eq!(machine.run(&["connect", "claude-code", "--write"]).0, 0);
    // A file that is named is the person's business.
    assert_eq!(machine.run(&["connect", "claude-hooks", "--write", "--file", &file]).0, 0);
    let (_, said) = machine.run(&["connect", "--all"]);
    assert!(said.contains("connected 2 times"), "{said}");
    let (code, said) = machine.run(&["connect", "--all", "--write"]);
    assert_eq!(code, 0, "{said}");
    let written = machine.read(CLAUDE);
    assert!(written.contains("OTEL_LOGS_EXPORTER") && !written.contains("skillspan hook"), "{written}");
    assert_eq!(machine.run(&["connect", "--all", "--remove"]).0, 0);
    assert_eq!(machine.read(CLAUDE), MINE);
    assert_eq!(fs::read_dir(machine.home().join(".claude")).unwrap().count(), 1, "no copy is left");
}

/// Somebody who exports elsewhere is not connected here, and keeps every setting.
#[test]
fn settings_of_others_are_not_taken_for_ours() {
    let machine = Machine::with(&["claude", "codex"], &[]);
    let theirs = "{\"env\": {\"OTEL_EXPORTER_OTLP_ENDPOINT\": \"https://elsewhere.example.com\", \"OTEL_LOGS_EXPORTER\": \"otlp\"}}\n";
    machine.write(CLAUDE, theirs);
    machine.write(
        ".codex/config.toml",
        "[otel.exporter.otlp-http]\nendpoint = \"https://elsewhere.example.com\"\n",
    );
    let before = machine.tree();
    let (code, said) = machine.run(&["connect", "--all", "--remove"]);
    assert_eq!((code, machine.tree()), (0, before.clone()), "{said}");
    assert_eq!(machine.run(&["connect", "codex", "--remove"]).0, 0);
    assert_eq!(machine.tree(), before);
    let (code, said) = machine.run(&["connect", "--all", "--write"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("left as it is") && said.contains("env.OTEL_EXPORTER_OTLP_ENDPOINT"), "{said}");
    assert_eq!(machine.read(CLAUDE), theirs);
}

#[test]
fn mistakes_are_named() {
    let machine = Machine::with(&[], &[]);
    let (code, said) = machine.run(&["connect", "--all", "--write"]);
    assert!(code == 0 && said.contains("no assistant was found"), "{said}");
    for wrong in
        [&["connect", "codex", "--all"][..], &["connect", "--write"], &["connect", "--all", "--file", "x"]]
    {
        let (code, said) = machine.run(wrong);
        assert_eq!(code, 64, "{wrong:?}: {said}");
    }
    machine.write(".codex/config.toml", "[otel\n");
    machine.write(".cursor/hooks.json", "{}");
    let (code, said) = machine.run(&["connect", "--all", "--write"]);
    assert!(code == 1 && said.contains("config.toml was left as it is"), "{said}");
    assert!(
        machine.read(".cursor/hooks.json").contains("skillspan hook cursor"),
        "the others are connected: {said}"
    );
}

#[test]
fn settings_that_are_no_text_keep_none_of_the_others_back() {
    let machine = Machine::with(&[], &[".claude", ".codex", ".cursor"]);
    let codex = machine.home().join(".codex/config.toml");
    fs::write(&codex, b"\xff\xfe").unwrap();
    for (way, state) in [("--write", "connected"), ("--check", "does not arrive"), ("--remove", "removed")] {
        let (code, said) = machine.run(&["connect", "--all", way]);
        assert_eq!(code, 1, "{way}: {said}");
        for name in ["claude-code", "cursor"] {
            let is_told = |line: &str| line.contains(name) && line.contains(state);
            assert!(said.lines().any(is_told), "{way} says nothing of {name}: {said}");
        }
        assert!(said.contains(&codex.display().to_string()), "{way}: {said}");
        let is_there = machine.read(".cursor/hooks.json").contains("skillspan hook cursor");
        assert_eq!(is_there, way != "--remove", "{way}: {said}");
    }
    assert_eq!(fs::read(codex).unwrap(), b"\xff\xfe");
}

/// Its settings alone send nothing: no file of its own names the address.
#[test]
fn what_needs_a_variable_is_connected_in_part_until_that_is_set() {
    let site = crate::support::Site::new("default");
    let _running = site.start();
    let endpoint = format!("http://127.0.0.1:{}", site.http);
    let machine = Machine::with(&["opencode", "claude"], &[]);
    let (code, said) = machine.run(&["connect", "--all", "--write", "--endpoint", &endpoint]);
    assert_eq!(code, 0, "{said}");
    let row = |said: &str, name: &str| said.lines().find(|line| line.contains(name)).unwrap().to_owned();
    assert!(
        row(&said, "OpenCode").contains("in part") && row(&said, "Claude Code").contains("connected"),
        "{said}"
    );
    assert!(said.contains(&format!("    OTEL_EXPORTER_OTLP_ENDPOINT={endpoint}\n")), "{said}");
    let (_, said) = machine.run(&["connect", "--all"]);
    assert!(row(&said, "OpenCode").contains("in part"), "{said}");
    // Of what is connected, everything arrives.
    let (code, said) = machine.run(&["connect", "--all", "--check"]);
    assert!(code == 0 && said.contains("connected in part: it sends nothing where"), "{said}");
    let (code, said) = machine.run(&["connect", "opencode", "--check"]);
    assert!(code == 1 && said.contains("does not arrive"), "{said}");
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), endpoint)];
    let (_, said) = machine.run_with(&["connect", "--all"], &variables);
    assert!(!said.contains("in part") && row(&said, "OpenCode").contains("connected"), "{said}");
    for words in [&["connect", "--all", "--check"][..], &["connect", "opencode", "--check"]] {
        let (code, said) = machine.run_with(words, &variables);
        assert!(code == 0 && said.contains("opencode      arrived at"), "{said}");
    }
}
