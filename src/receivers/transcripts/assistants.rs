//! Where each assistant keeps its sessions, and which of the files there are sessions.

use std::fs;
use std::path::{Path, PathBuf};

use super::home::Home;
use crate::dialects::transcripts::Form;
use crate::dialects::{TRANSCRIPTS, Transcripts};

/// Where editors keep what belongs to a person, below the home.
const EDITORS: &[&str] = &[
    ".config/Code/User",
    ".config/Code - Insiders/User",
    ".config/VSCodium/User",
    ".config/Cursor/User",
    ".vscode-server/data/User",
    ".cursor-server/data/User",
    "Library/Application Support/Code/User",
    "Library/Application Support/Code - Insiders/User",
    "Library/Application Support/VSCodium/User",
    "Library/Application Support/Cursor/User",
];
/// The extensions: Cline and its forks.
const EXTENSIONS: [&str; 3] = ["saoudrizwan.claude-dev", "rooveterinaryinc.roo-cline", "kilocode.kilo-code"];
/// Folders of a folder that are looked through.
const MOST_FOLDERS: usize = 100_000;

/// The folders and files in which an assistant keeps its sessions.
pub fn roots(assistant: &Transcripts, home: &Home<'_>) -> Vec<PathBuf> {
    let of = |variable: &str, below_home: &str| {
        (home.variable)(variable).unwrap_or_else(|| home.folder.join(below_home))
    };
    let editors = || EDITORS.iter().map(|editor| home.folder.join(editor));
    match assistant.assistant {
        "claude" => vec![of("CLAUDE_CONFIG_DIR", ".claude").join("projects")],
        "codex" => {
            let codex = of("CODEX_HOME", ".codex");
            vec![codex.join("sessions"), codex.join("archived_sessions")]
        }
        "gemini" => vec![of("GEMINI_CLI_HOME", ".").join(".gemini/tmp")],
        "qwen" => vec![home.folder.join(".qwen/projects"), home.folder.join(".qwen/tmp")],
        "copilot" => vec![of("COPILOT_HOME", ".copilot").join("session-state")],
        "pi" => {
            let own = (home.variable)("PI_CODING_AGENT_SESSION_DIR");
            vec![own.unwrap_or_else(|| of("PI_CODING_AGENT_DIR", ".pi/agent").join("sessions"))]
        }
        "cline" => {
            let folders = editors().flat_map(|editor| {
                EXTENSIONS.map(|extension| editor.join("globalStorage").join(extension).join("tasks"))
            });
            folders.chain([home.folder.join(".cline/data/sessions")]).collect()
        }
        "opencode" => of_opencode(&of("XDG_DATA_HOME", ".local/share").join("opencode"), home),
        "hermes" => {
            let hermes = of("HERMES_HOME", ".hermes");
            let mut profiles = entries(&hermes.join("profiles"), |_| true);
            profiles.insert(0, hermes);
            profiles.iter().flat_map(|folder| [folder.join("state.db"), folder.join("sessions")]).collect()
        }
        "goose" => match (home.variable)("GOOSE_PATH_ROOT") {
            Some(root) => vec![root.join("data/sessions")],
            None => vec![
                of("XDG_DATA_HOME", ".local/share").join("goose/sessions"),
                home.folder.join("Library/Application Support/Block/goose/sessions"),
            ],
        },
        "openclaw" => {
            let agents = entries(&of("OPENCLAW_STATE_DIR", ".openclaw").join("agents"), |_| true);
            let places =
                |agent: &PathBuf| [agent.join("agent/openclaw-agent.sqlite"), agent.join("sessions")];
            agents.iter().flat_map(places).collect()
        }
        "cursor" => {
            let mut roots: Vec<PathBuf> =
                editors().map(|editor| editor.join("globalStorage/state.vscdb")).collect();
            roots.retain(|path| {
                path.components().any(|part| part.as_os_str() == "Cursor")
                    || path.starts_with(home.folder.join(".cursor-server"))
            });
            roots.push(home.folder.join(".cursor/chats"));
            let projects = entries(&home.folder.join(".cursor/projects"), |_| true);
            roots.extend(projects.iter().map(|project| project.join("agent-transcripts")));
            roots
        }
        "vscode" => {
            let folders = editors().flat_map(|editor| {
                let mut folders = entries(&editor.join("workspaceStorage"), |_| true);
                folders.iter_mut().for_each(|folder| folder.push("chatSessions"));
                folders.push(editor.join("globalStorage/emptyWindowChatSessions"));
                folders
            });
            folders.collect()
        }
        _ => Vec::new(),
    }
}

/// Its database, one for each of its channels; and the tree of files from before.
fn of_opencode(data: &Path, home: &Home<'_>) -> Vec<PathBuf> {
    let mut roots = entries(data, is_of_opencode);
    // Its name, or its whole path.
    if let Some(own) = (home.variable)("OPENCODE_DB") {
        let own = data.join(own);
        if !roots.contains(&own) {
            roots.push(own);
        }
    }
    roots.push(data.join("storage/session"));
    roots
}

fn is_of_opencode(name: &str) -> bool {
    name.starts_with("opencode") && name.ends_with(".db")
}

/// The wanted entries of a folder, by name; none if the folder does not exist.
fn entries(folder: &Path, is_wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let entries = entries.flatten().filter(|entry| is_wanted(&entry.file_name().to_string_lossy()));
    let mut entries: Vec<PathBuf> = entries.take(MOST_FOLDERS).map(|entry| entry.path()).collect();
    entries.sort();
    entries
}

/// How the values stand in a file of an assistant, by its name without what it is compressed with; `None`, if it is
/// none of its sessions.
pub(super) fn form_of(assistant: &Transcripts, path: &Path, plain: &str) -> Option<Form> {
    let ending = plain.rsplit_once('.').map(|(_, ending)| ending)?;
    let of_ending = match ending {
        "jsonl" => Some(Form::Lines),
        "json" => Some(Form::Whole),
        _ => None,
    };
    let folders = || path.components().filter_map(|part| part.as_os_str().to_str());
    let is_in = |folder: &str| folders().any(|part| part == folder);
    match assistant.assistant {
        "claude" => of_ending.filter(|form| *form == Form::Lines && !is_in("tool-results")),
        "codex" => of_ending.filter(|_| plain.starts_with("rollout-")),
        "gemini" => of_ending.filter(|_| is_in("chats")),
        "qwen" => of_ending.filter(|form| is_in("chats") || *form == Form::Lines && is_in("subagents")),
        "copilot" => of_ending.filter(|_| {
            plain == "events.jsonl" || path.parent().is_some_and(|folder| folder.ends_with("session-state"))
        }),
        "pi" => of_ending.filter(|form| *form == Form::Lines),
        "cline" => of_ending
            .filter(|_| plain == "api_conversation_history.json" || plain.ends_with(".messages.json")),
        "opencode" if ending == "db" => Some(Form::Rows),
        "opencode" => {
            let is_session =
                is_in("storage") && plain.starts_with("ses_") && !is_in("message") && !is_in("part");
            let form = if is_session { Form::Tree } else { Form::Whole };
            // What `opencode export` wrote lies anywhere.
            of_ending
                .filter(|form| *form == Form::Whole)
                .filter(|_| is_session || !is_in("storage"))
                .map(|_| form)
        }
        "hermes" if plain == "state.db" => Some(Form::Rows),
        "hermes" => of_ending
            .filter(|_| is_in("sessions") && plain != "sessions.json" && !plain.starts_with("request_dump_")),
        "goose" if plain == "sessions.db" => Some(Form::Rows),
        "goose" => of_ending.filter(|form| *form == Form::Lines),
        "openclaw" if plain == "openclaw-agent.sqlite" => Some(Form::Rows),
        "openclaw" => of_ending.filter(|form| *form == Form::Lines && !plain.contains(".trajectory.")),
        "cursor" if plain == "state.vscdb" || plain == "store.db" => Some(Form::Rows),
        "cursor" => of_ending.filter(|form| *form == Form::Lines),
        "vscode" => of_ending.filter(|_| is_in("chatSessions") || is_in("emptyWindowChatSessions")),
        _ => of_ending,
    }
}

/// Whose file a path is, by the folders in which assistants keep theirs.
pub(super) fn assistant_of(path: &Path) -> Option<&'static Transcripts> {
    let path = fs::canonicalize(path).ok()?;
    let parts: Vec<&str> = path.components().filter_map(|part| part.as_os_str().to_str()).collect();
    let name = parts.last().copied().unwrap_or_default();
    let of = |folder: &str| parts.contains(&folder);
    TRANSCRIPTS.iter().find(|known| match known.assistant {
        "claude" => of(".claude"),
        "codex" => of(".codex") || name.starts_with("rollout-"),
        "gemini" => of(".gemini"),
        "qwen" => of(".qwen"),
        "copilot" => of(".copilot"),
        "pi" => of(".pi"),
        "cline" => of(".cline") || EXTENSIONS.iter().any(|extension| of(extension)),
        "opencode" => of("opencode") || is_of_opencode(name),
        "hermes" => of(".hermes"),
        "goose" => of("goose"),
        "openclaw" => of(".openclaw"),
        "cursor" => of(".cursor") || name == "state.vscdb",
        "vscode" => of("chatSessions") || of("emptyWindowChatSessions"),
        _ => false,
    })
}
