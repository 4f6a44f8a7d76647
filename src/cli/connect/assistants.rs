//! The assistants of this machine, and the way in which each is connected best.

use std::path::{Path, PathBuf};

use super::catalogue::CLIENTS;
use super::client::Client;
use crate::cli::folders::home;

/// An assistant, however it is connected.
#[derive(Debug)]
pub(in crate::cli) struct Assistant {
    /// Its name on the command line.
    pub(in crate::cli) name: &'static str,
    /// What it is.
    pub(in crate::cli) title: &'static str,
    /// What its program is called.
    programs: &'static [&'static str],
    /// The folders that it makes for itself, below the home directory.
    folders: &'static [&'static str],
    /// How it can be connected without a person's help, the best first.
    ways: &'static [&'static str],
}

const fn assistant(
    [name, title]: [&'static str; 2],
    programs: &'static [&'static str],
    folders: &'static [&'static str],
    ways: &'static [&'static str],
) -> Assistant {
    Assistant { name, title, programs, folders, ways }
}

/// Everything that is looked for. Telemetry comes before hooks where there are both: it has the model, the tokens
/// and who is logged in. Copilot's telemetry is a matter of its environment, which no file of its own sets.
pub(in crate::cli) const ASSISTANTS: &[Assistant] = &[
    assistant(["claude-code", "Claude Code"], &["claude"], &[".claude"], &["claude-code", "claude-hooks"]),
    assistant(["codex", "Codex"], &["codex"], &[".codex"], &["codex"]),
    assistant(["gemini-cli", "Gemini CLI"], &["gemini"], &[".gemini"], &["gemini-cli"]),
    assistant(["qwen", "Qwen Code"], &["qwen"], &[".qwen"], &["qwen"]),
    assistant(["copilot", "GitHub Copilot"], &["copilot"], &[".copilot"], &["copilot-hooks"]),
    assistant(["opencode", "OpenCode"], &["opencode"], &[".config/opencode"], &["opencode"]),
    assistant(["openclaw", "OpenClaw"], &["openclaw"], &[".openclaw"], &["openclaw"]),
    assistant(["hermes", "Hermes Agent"], &["hermes"], &[".hermes"], &["hermes-hooks", "hermes"]),
    assistant(["cursor", "Cursor"], &["cursor", "cursor-agent"], &[".cursor"], &["cursor"]),
    assistant(["cline", "Cline"], &["cline"], &[".cline"], &["cline"]),
    assistant(["pi", "pi"], &["pi"], &[".pi/agent"], &["pi"]),
];

impl Assistant {
    /// What tells that it is on this machine: its program or its folder.
    pub(in crate::cli) fn found(&self) -> Option<String> {
        let program = self.program();
        let home = home();
        let folder = || {
            let is_there = |folder: &&&str| home.as_ref().is_some_and(|home| home.join(folder).is_dir());
            self.folders.iter().find(is_there).map(|folder| format!("~/{folder}"))
        };
        program.map(|path| path.display().to_string()).or_else(folder)
    }

    /// Its program, if a shell would find it.
    pub(super) fn program(&self) -> Option<PathBuf> {
        self.programs.iter().find_map(|name| on_path(name))
    }

    /// The ways to connect it, the best first.
    pub(super) fn ways(&self) -> impl Iterator<Item = &'static Client> {
        self.ways.iter().filter_map(|name| CLIENTS.iter().find(|client| client.name == *name))
    }
}

/// Where a program is that a shell would find.
pub(in crate::cli) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| is_executable(file))
}

#[cfg(unix)]
fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(file).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(file: &Path) -> bool {
    file.is_file()
}
