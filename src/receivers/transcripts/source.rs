//! Where a session's values come from: the lines of a file, the rows of a database, or a tree of small files.

use std::collections::VecDeque;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::bytes;
use super::database::{Database, Plan};
use super::lines::{Found, Piece, Values};
use super::modified::modified;
use super::places::TranscriptFile;
use crate::dialects::transcripts::Form;

/// Files of one session in a tree; more are another program's.
const MAX_TREE: usize = 200_000;

/// The values of a session, one after the other.
pub(super) enum Source {
    Lines(Values<Box<dyn Read>>),
    Rows(Arc<Mutex<Database>>, Plan),
    Tree(Tree),
}

impl Source {
    pub(super) fn open(file: &TranscriptFile) -> io::Result<Self> {
        if let Some(database) = &file.database {
            let plan = database.lock().unwrap_or_else(PoisonError::into_inner).plan(&file.session)?;
            return Ok(Self::Rows(Arc::clone(database), plan));
        }
        Ok(match file.form {
            Form::Tree => Self::Tree(Tree::of(&file.path)?),
            form => Self::Lines(Values::new(bytes::open(file)?, form)),
        })
    }

    pub(super) fn next_piece(&mut self) -> io::Result<Option<Piece>> {
        match self {
            Self::Lines(values) => values.next_piece(),
            Self::Rows(database, plan) => {
                database.lock().unwrap_or_else(PoisonError::into_inner).next_row(plan)
            }
            Self::Tree(tree) => Ok(tree.next_piece()),
        }
    }

    /// Whether what ends there was not read before, where it was read up to `known`.
    pub(super) fn is_new(&self, end: u64, known: Option<u64>) -> bool {
        match (self, known) {
            (_, None) => true,
            (Self::Lines(_), Some(known)) => end > known,
            // What was written in the same moment as the last that was read may not have been read.
            (_, Some(known)) => end >= known,
        }
    }
}

/// OpenCode's older form: `storage/session/<project>/<session>.json`, `storage/message/<session>/<message>.json`,
/// `storage/part/<message>/<part>.json`.
pub(super) struct Tree {
    storage: PathBuf,
    files: VecDeque<(&'static str, PathBuf)>,
}

impl Tree {
    fn of(session: &Path) -> io::Result<Self> {
        let nowhere = || io::Error::other("it does not lie in a folder of sessions");
        let storage = session.ancestors().nth(3).ok_or_else(nowhere)?.to_owned();
        let id = session.file_stem().ok_or_else(nowhere)?;
        let mut files = VecDeque::from([("session", session.to_owned())]);
        for message in files_in(&storage.join("message").join(id)) {
            let parts = message.file_stem().map(|id| storage.join("part").join(id));
            files.push_back(("message", message));
            let parts = parts.map(|folder| files_in(&folder)).unwrap_or_default();
            files.extend(parts.into_iter().map(|part| ("part", part)));
            if files.len() > MAX_TREE {
                return Err(io::Error::other("it has more files than a session has"));
            }
        }
        Ok(Self { storage, files })
    }

    fn next_piece(&mut self) -> Option<Piece> {
        let (what, path) = self.files.pop_front()?;
        let named = path.strip_prefix(&self.storage).unwrap_or(&path).to_string_lossy().into_owned();
        let end = fs::metadata(&path).map_or(0, |metadata| modified(&metadata).as_micros().unsigned_abs());
        let read =
            || -> io::Result<Option<Piece>> { Values::new(fs::File::open(&path)?, Form::Whole).next_piece() };
        let found = match read() {
            Ok(Some(Piece { found: Found::Value(data, is_cut), .. })) => {
                Found::Value(json!({ "row": what, "id": data.get("id"), "data": data }), is_cut)
            }
            Ok(Some(Piece { found: Found::Broken(why), .. })) => Found::Broken(why),
            Ok(Some(_)) => Found::Broken("it ends within a value"),
            Ok(None) => Found::Value(Value::Null, false),
            Err(_) => Found::Broken("it cannot be read"),
        };
        Some(Piece { table: named, line: 0, end, found })
    }
}

/// The files of JSON in a folder, by their names; none through links.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let is_file = |entry: &fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_file());
    let files = entries.flatten().filter(is_file).map(|entry| entry.path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|ending| ending == "json")).collect();
    files.sort();
    files
}
