//! Where the files of each assistant are, and which there are.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::exports::ExportFile;
use crate::dialects::transcripts::{Form, Place};
use crate::dialects::{TRANSCRIPTS, Transcripts};
use crate::event::Timestamp;

/// Folders within folders that are looked into.
const MAX_DEPTH: usize = 8;
/// Files of one assistant; more are another program's.
const MAX_FILES: usize = 200_000;
/// What an archived file is compressed with.
const COMPRESSED: &str = ".zst";

/// Why a file is left out that is nobody's.
pub const NEITHER: &str = "it is neither an assistant's session nor an export that is known; say --assistant";

/// Where editors keep what extensions store, below the home.
const EDITORS: &[&str] = &[
    ".config/Code/User/globalStorage",
    ".config/Code - Insiders/User/globalStorage",
    ".config/VSCodium/User/globalStorage",
    ".config/Cursor/User/globalStorage",
    ".vscode-server/data/User/globalStorage",
    ".cursor-server/data/User/globalStorage",
    "Library/Application Support/Code/User/globalStorage",
    "Library/Application Support/Cursor/User/globalStorage",
];
/// Cline and what came of it.
const EXTENSIONS: [&str; 3] = ["saoudrizwan.claude-dev", "rooveterinaryinc.roo-cline", "kilocode.kilo-code"];

/// A person's home, and what their environment says of where assistants keep their files.
pub struct Home<'h> {
    /// `~`
    pub folder: &'h Path,
    /// A variable that is set.
    pub variable: &'h dyn Fn(&str) -> Option<PathBuf>,
}

/// A file of sessions.
#[derive(Debug, Clone)]
pub struct TranscriptFile {
    /// Whose it is.
    pub assistant: &'static Transcripts,
    /// Where it is.
    pub path: PathBuf,
    /// Its size in bytes, as it is.
    pub size: u64,
    /// When it was changed last.
    pub modified: Timestamp,
    /// How its values stand in it.
    pub form: Form,
    /// It is compressed with zstd.
    pub is_compressed: bool,
}

/// The files of an assistant, and what could not be looked at.
#[derive(Debug, Default)]
pub struct Listing {
    /// In the order of their paths.
    pub files: Vec<TranscriptFile>,
    /// What is no assistant's and may be an export.
    pub others: Vec<ExportFile>,
    /// Paths that were left out, and why.
    pub left: Vec<(PathBuf, String)>,
}

impl TranscriptFile {
    /// What its place tells of it.
    pub fn place(&self) -> Place {
        let folder = self.path.parent();
        let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
        let own = name(&self.path).unwrap_or_default();
        // Gemini CLI says in a file of its own which project a folder is of.
        let project = folder.and_then(Path::parent).map(|project| project.join(".project_root"));
        let cwd = project.and_then(|path| text_of(&path)).unwrap_or_default();
        Place {
            name: own.split('.').next().unwrap_or_default().to_owned(),
            folder: folder.and_then(name).unwrap_or_default(),
            cwd: cwd.trim().to_owned(),
        }
    }

    /// Whether it holds a session of its own, and not a part of one: a sub-agent's is its parent's.
    pub fn is_session(&self) -> bool {
        let place = self.place();
        match self.assistant.assistant {
            "claude" => !place.name.starts_with("agent-"),
            "gemini" => place.folder == "chats",
            _ => true,
        }
    }
}

/// A short file's text.
fn text_of(path: &Path) -> Option<String> {
    const SHORT: u64 = 4096;
    let is_short = fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() <= SHORT);
    is_short.then(|| fs::read_to_string(path).ok()).flatten()
}

/// The folders in which an assistant keeps its sessions.
pub fn roots(assistant: &Transcripts, home: &Home<'_>) -> Vec<PathBuf> {
    let of = |variable: &str, below_home: &str| {
        (home.variable)(variable).unwrap_or_else(|| home.folder.join(below_home))
    };
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
            let editors = EDITORS.iter().map(|editor| home.folder.join(editor));
            let folders =
                editors.flat_map(|editor| EXTENSIONS.map(|extension| editor.join(extension).join("tasks")));
            folders.collect()
        }
        _ => Vec::new(),
    }
}

/// The files of an assistant on this machine.
pub fn files_of(assistant: &'static Transcripts, home: &Home<'_>) -> Listing {
    let mut listing = Listing::default();
    for root in roots(assistant, home) {
        walk(&root, Some(assistant), &mut listing);
    }
    tidy(&mut listing);
    listing
}

/// The files at a path that a person named: it, or what is below it. Whose they are, their places tell where
/// nobody says it.
pub fn files_at(path: &Path, assistant: Option<&'static Transcripts>) -> Listing {
    let mut listing = Listing::default();
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => match file(path, assistant, &metadata) {
            Some(file) => listing.files.push(file),
            None => match ExportFile::of(path, &metadata) {
                Some(export) => listing.others.push(export),
                None => listing.left.push((path.to_owned(), NEITHER.to_owned())),
            },
        },
        Ok(_) => walk(path, assistant, &mut listing),
        Err(error) => listing.left.push((path.to_owned(), error.to_string())),
    }
    tidy(&mut listing);
    listing
}

/// A file that is there plain and compressed is there once.
fn tidy(listing: &mut Listing) {
    let plain: BTreeSet<PathBuf> =
        listing.files.iter().filter(|file| !file.is_compressed).map(|file| file.path.clone()).collect();
    listing.files.retain(|file| !file.is_compressed || !plain.contains(&file.path.with_extension("")));
    listing.files.sort_by(|a, b| a.path.cmp(&b.path));
}

fn walk(root: &Path, assistant: Option<&'static Transcripts>, listing: &mut Listing) {
    let canonical = match fs::canonicalize(root) {
        Ok(canonical) => canonical,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return,
        Err(error) => {
            listing.left.push((root.to_owned(), error.to_string()));
            return;
        }
    };
    let mut seen = BTreeMap::from([(canonical.clone(), ())]);
    let mut folders = vec![(root.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                listing.left.push((folder, error.to_string()));
                continue;
            }
        };
        for entry in entries.flatten() {
            let path = entry.path();
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_symlink() {
                match fs::canonicalize(&path) {
                    Ok(target) if target.starts_with(&canonical) => {
                        if seen.insert(target, ()).is_some() {
                            continue;
                        }
                    }
                    Ok(_) => {
                        listing.left.push((path, "it is a link that leads out of the folder".to_owned()));
                        continue;
                    }
                    Err(error) => {
                        listing.left.push((path, error.to_string()));
                        continue;
                    }
                }
            }
            let Ok(metadata) = fs::metadata(&path) else { continue };
            if metadata.is_dir() {
                let is_new = fs::canonicalize(&path)
                    .is_ok_and(|it| kind.is_symlink() || seen.insert(it, ()).is_none());
                if is_new && depth < MAX_DEPTH {
                    folders.push((path, depth + 1));
                }
            } else if metadata.is_file() && listing.files.len() < MAX_FILES {
                listing.files.extend(file(&path, assistant, &metadata));
                if assistant.is_none() && assistant_of(&path).is_none() {
                    listing.others.extend(ExportFile::of(&path, &metadata));
                }
            }
        }
    }
}

/// The file, if it is one of an assistant's sessions.
fn file(
    path: &Path,
    assistant: Option<&'static Transcripts>,
    metadata: &fs::Metadata,
) -> Option<TranscriptFile> {
    let name = path.file_name()?.to_string_lossy();
    let (plain, is_compressed) = match name.strip_suffix(COMPRESSED) {
        Some(plain) => (plain, true),
        None => (&*name, false),
    };
    let form = match plain.rsplit_once('.')?.1 {
        "jsonl" => Form::Lines,
        "json" => Form::Whole,
        _ => return None,
    };
    let assistant = assistant.or_else(|| assistant_of(path))?;
    let folders = || path.components().filter_map(|part| part.as_os_str().to_str());
    let is_session = match assistant.assistant {
        "claude" => form == Form::Lines && !folders().any(|part| part == "tool-results"),
        "codex" => plain.starts_with("rollout-"),
        "gemini" | "qwen" => folders().any(|part| part == "chats"),
        "copilot" => {
            plain == "events.jsonl" || path.parent().is_some_and(|folder| folder.ends_with("session-state"))
        }
        "pi" => form == Form::Lines,
        "cline" => plain == "api_conversation_history.json",
        _ => true,
    };
    is_session.then(|| TranscriptFile {
        assistant,
        path: path.to_owned(),
        size: metadata.len(),
        modified: modified(metadata),
        form,
        is_compressed,
    })
}

/// When a file was changed last.
pub(super) fn modified(metadata: &fs::Metadata) -> Timestamp {
    let since = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let micros = since.and_then(|since| i64::try_from(since.as_micros()).ok()).unwrap_or_default();
    Timestamp::from_micros(micros)
}

/// Whose file a path is, by the folders in which assistants keep theirs.
fn assistant_of(path: &Path) -> Option<&'static Transcripts> {
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
        "cline" => EXTENSIONS.iter().any(|extension| of(extension)),
        _ => false,
    })
}
