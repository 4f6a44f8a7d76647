//! Which folders each assistant loads skills from.
//!
//! Tried with each client (`docs/guide/clients.md`): `.agents/skills` is read by all but Claude Code, Hermes and OpenClaw, so
//! one copy serves them, and none of them finds a skill twice.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::cli::connect::{ASSISTANTS, Assistant};
use crate::cli::folders::home;

/// Name, folder of a person below the home directory, folder of a project.
const PLACES: &[[&str; 3]] = &[
    ["claude-code", ".claude/skills", ".claude/skills"],
    ["codex", ".agents/skills", ".agents/skills"],
    ["gemini-cli", ".agents/skills", ".agents/skills"],
    ["qwen", ".agents/skills", ".agents/skills"],
    ["copilot", ".agents/skills", ".agents/skills"],
    ["opencode", ".agents/skills", ".agents/skills"],
    ["openclaw", ".openclaw/skills", "skills"],
    ["hermes", ".hermes/skills", ""],
    ["cursor", ".cursor/skills", ".cursor/skills"],
    ["cline", ".agents/skills", ".agents/skills"],
    ["pi", ".agents/skills", ".agents/skills"],
];

pub(super) fn names() -> Vec<&'static str> {
    ASSISTANTS.iter().map(|assistant| assistant.name).collect()
}

/// The folders for these assistants, each with those that load it.
pub(super) fn folders(
    assistants: &[&'static Assistant],
    project: Option<&Path>,
) -> BTreeMap<PathBuf, Vec<&'static str>> {
    let mut folders: BTreeMap<PathBuf, Vec<&'static str>> = BTreeMap::new();
    for assistant in assistants {
        let place = PLACES.iter().find(|[name, ..]| *name == assistant.name);
        let Some([name, of_person, of_project]) = place else { continue };
        let folder = match project {
            Some(_) if of_project.is_empty() => None,
            Some(project) => Some(project.join(of_project)),
            None => home().map(|home| home.join(of_person)),
        };
        if let Some(folder) = folder {
            folders.entry(folder).or_default().push(name);
        }
    }
    folders
}
