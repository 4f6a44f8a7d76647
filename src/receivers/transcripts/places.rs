//! Where the files of each assistant are, and which there are.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::assistants::{assistant_of, form_of, roots};
use super::database::Database;
use super::exports::ExportFile;
use super::home::Home;
use super::modified::modified;
use crate::dialects::Transcripts;
use crate::dialects::transcripts::{Form, Place, percent_decoded};
use crate::event::Timestamp;

/// Folders within folders that are looked into.
const MAX_DEPTH: usize = 8;
/// Files of one assistant; more are another program's.
const MAX_FILES: usize = 200_000;
/// What an archived file is compressed with.
const COMPRESSED: &str = ".zst";

/// Why a file that belongs to no assistant is left out.
pub const NEITHER: &str = "it is neither an assistant's session nor an export that is known; say --assistant";

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
    /// The database that it is of, once that is open ([`sessions_of`]).
    pub database: Option<Arc<Mutex<Database>>>,
    /// Its id in that database.
    pub session: String,
    /// A number that changes when the database has more of the session.
    pub rows: u64,
    /// Its folder, where that stands elsewhere.
    pub folder: String,
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
    /// The key under which the file is remembered: its path, or the database's path and the session's id.
    pub fn key(&self) -> PathBuf {
        match &self.database {
            Some(_) => key_in(&self.path, &self.session),
            None => self.path.clone(),
        }
    }

    /// A number that changes when the file has grown.
    pub fn extent(&self) -> u64 {
        if self.database.is_some() { self.rows } else { self.size }
    }

    /// What its path tells about its session.
    pub fn place(&self) -> Place {
        if !self.session.is_empty() {
            let (name, cwd) = (self.session.clone(), self.folder.clone());
            return Place { name, cwd, written: self.modified, ..Place::default() };
        }
        let folder = self.path.parent();
        let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
        let own = name(&self.path).unwrap_or_default();
        // Gemini CLI and VS Code say in a file of their own which project a folder is of.
        let project = |name: &str| text_of(&folder.and_then(Path::parent)?.join(name));
        let cwd = match self.assistant.assistant {
            "vscode" => {
                folder.and_then(Path::parent).and_then(|it| folder_of_workspace(&it.join("workspace.json")))
            }
            _ => project(".project_root"),
        };
        let cwd = cwd.unwrap_or_default();
        Place {
            name: own.split('.').next().unwrap_or_default().to_owned(),
            folder: folder.and_then(name).unwrap_or_default(),
            cwd: cwd.trim().to_owned(),
            written: self.modified,
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

/// Under what a session of a database is remembered.
pub fn key_in(database: &Path, session: &str) -> PathBuf {
    let mut key = database.as_os_str().to_owned();
    key.push("#");
    key.push(session);
    PathBuf::from(key)
}

/// The folder that an editor's `workspace.json` names.
pub(super) fn folder_of_workspace(path: &Path) -> Option<String> {
    let workspace: serde_json::Value = serde_json::from_str(&text_of(path)?).ok()?;
    let folder = workspace.get("folder")?.as_str()?.strip_prefix("file://")?;
    Some(percent_decoded(folder))
}

/// A short file's text.
fn text_of(path: &Path) -> Option<String> {
    const SHORT: u64 = 4096;
    let is_short = fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() <= SHORT);
    is_short.then(|| fs::read_to_string(path).ok()).flatten()
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

/// The sessions of a file: those of a database, which is opened for it, else the one that it is.
///
/// # Errors
///
/// The database cannot be read.
pub fn sessions_of(file: TranscriptFile) -> io::Result<Vec<TranscriptFile>> {
    if file.form != Form::Rows {
        return Ok(vec![file]);
    }
    let database = Database::open(&file.path, file.assistant.assistant)?;
    let units = database.units()?;
    let database = Arc::new(Mutex::new(database));
    // Each session has an equal share of the file's size, for the list and for the progress of an import.
    let share = file.size / (units.len() as u64).max(1);
    // A database of one session has its folder's name.
    let own = file.path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
    let sessions = units.into_iter().map(|unit| TranscriptFile {
        size: share,
        modified: if unit.modified.is_unset() { file.modified } else { unit.modified },
        database: Some(Arc::clone(&database)),
        session: if unit.id.is_empty() { own.clone() } else { unit.id },
        rows: unit.rows,
        folder: unit.folder,
        ..file.clone()
    });
    Ok(sessions.collect())
}

/// Leaves out files that a database has as well: one that an older version left, or the shorter of two.
pub fn without_doubles(sessions: &mut Vec<TranscriptFile>) {
    let id = |session: &TranscriptFile| (session.assistant.assistant, session.place().name);
    let of_databases: BTreeSet<(&str, String)> =
        sessions.iter().filter(|session| session.database.is_some()).map(id).collect();
    if !of_databases.is_empty() {
        sessions.retain(|session| session.database.is_some() || !of_databases.contains(&id(session)));
    }
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
    if let Some(metadata) = fs::metadata(root).ok().filter(fs::Metadata::is_file) {
        listing.files.extend(file(root, assistant, &metadata));
        return;
    }
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
    let assistant = assistant.or_else(|| assistant_of(path))?;
    let form = form_of(assistant, path, plain)?;
    let is_database = form == Form::Rows;
    let log = fs::metadata(format!("{}-wal", path.display())).ok().filter(|_| is_database);
    let sizes = log.as_ref().map_or(0, fs::Metadata::len);
    let changed = log.as_ref().map(modified);
    (!is_database || !is_compressed).then(|| TranscriptFile {
        assistant,
        path: path.to_owned(),
        size: metadata.len() + sizes,
        modified: modified(metadata).max(changed.unwrap_or_default()),
        form,
        is_compressed,
        database: None,
        session: String::new(),
        rows: 0,
        folder: String::new(),
    })
}
