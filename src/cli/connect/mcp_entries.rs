//! Where each assistant keeps its list of MCP servers, and our entry in it.

use serde_json::{Value, json};

use super::assistants::on_path;
use super::client::SettingsLocation;
use super::command::MCP;
use super::settings::{Setting, set};

/// Where an assistant is told of servers, and where it loads skills.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) assistant: &'static str,
    pub(super) place: SettingsLocation,
    pub(super) settings: fn(&str, &[String]) -> Vec<Setting>,
    /// Below the home directory.
    pub(super) skills: &'static str,
}

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        assistant: "claude-code",
        place: SettingsLocation::Json(".claude.json"),
        settings: typed,
        skills: ".claude/skills",
    },
    Entry {
        assistant: "codex",
        place: SettingsLocation::Toml(".codex/config.toml"),
        settings: codex,
        skills: ".agents/skills",
    },
    Entry {
        assistant: "cursor",
        place: SettingsLocation::Json(".cursor/mcp.json"),
        settings: typed,
        skills: ".cursor/skills",
    },
    Entry {
        assistant: "gemini-cli",
        place: SettingsLocation::Json(".gemini/settings.json"),
        settings: named,
        skills: ".agents/skills",
    },
    Entry {
        assistant: "opencode",
        place: SettingsLocation::Json(".config/opencode/opencode.json"),
        settings: opencode,
        skills: ".agents/skills",
    },
];

/// The settings of an entry in the file at this place, if any.
pub(super) fn settings_in(place: SettingsLocation) -> Option<Vec<Setting>> {
    let entry = ENTRIES.iter().find(|entry| entry.place.below_home() == place.below_home())?;
    Some((entry.settings)(MCP[0], &[]))
}

/// The program as assistants are to start it, and what to know of that.
pub(super) fn program() -> (String, String) {
    let own = std::env::current_exe().ok().filter(|_| on_path(MCP[0]).is_none());
    match own.as_ref().and_then(|own| own.to_str()) {
        None => (MCP[0].to_owned(), "`skillspan` must be on their PATH.".to_owned()),
        Some(own) => (
            own.to_owned(),
            format!("`skillspan` is not on the PATH here, so they start {own}: it must stay there."),
        ),
    }
}

/// `mcp` and what follows it.
pub(super) fn arguments(more: &[String]) -> Value {
    let own = MCP.iter().skip(1).map(|word| (*word).to_owned());
    own.chain(more.iter().cloned()).collect::<Vec<String>>().into()
}

pub(super) fn named(program: &str, more: &[String]) -> Vec<Setting> {
    vec![
        set(&["mcpServers", "skillspan", "command"], program, ""),
        set(&["mcpServers", "skillspan", "args"], arguments(more), ""),
    ]
}

/// Claude Code and Cursor name how a server is spoken to.
fn typed(program: &str, more: &[String]) -> Vec<Setting> {
    let mut settings = vec![set(&["mcpServers", "skillspan", "type"], "stdio", "")];
    settings.extend(named(program, more));
    settings
}

pub(super) fn codex(program: &str, more: &[String]) -> Vec<Setting> {
    vec![
        set(&["mcp_servers", "skillspan", "command"], program, ""),
        set(&["mcp_servers", "skillspan", "args"], arguments(more), ""),
    ]
}

/// As OpenCode 1 has it. OpenCode 2 has servers in `mcp.servers`, and reads this as well: both read one file.
pub(super) fn opencode(program: &str, more: &[String]) -> Vec<Setting> {
    let words: Vec<String> =
        [program, MCP[1]].map(str::to_owned).into_iter().chain(more.iter().cloned()).collect();
    vec![
        set(&["mcp", "skillspan", "type"], "local", ""),
        set(&["mcp", "skillspan", "command"], json!(words), ""),
        set(&["mcp", "skillspan", "enabled"], true, ""),
    ]
}
