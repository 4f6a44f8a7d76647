//! The configuration again, when a file has changed that it was made from.
//!
//! Tokens are revoked and certificates renewed by changing files, those that `${file:…}` names and the
//! configuration itself. The environment of a running process cannot change.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{ConfigError, Settings, Source, load};

/// Notices changes of a configuration file and of the files that it refers to.
pub struct Watch<S> {
    file: PathBuf,
    source: S,
    seen: BTreeMap<PathBuf, Option<[u8; 32]>>,
}

/// Remembers which files were asked for.
struct Recording<'s> {
    source: &'s dyn Source,
    files: RefCell<Vec<PathBuf>>,
}

impl Source for Recording<'_> {
    fn env(&self, name: &str) -> Option<String> {
        self.source.env(name)
    }

    fn file(&self, path: &str) -> std::io::Result<String> {
        self.files.borrow_mut().push(PathBuf::from(path));
        self.source.file(path)
    }
}

impl<S: Source> Watch<S> {
    /// Watches `file` from what it holds now.
    pub fn new(file: &Path, source: S) -> Self {
        let mut watch = Self { file: file.to_owned(), source, seen: BTreeMap::new() };
        // What is wrong now was said at the start; only what it is made from matters.
        let _ = watch.load();
        watch
    }

    /// The settings, if anything that they were made from has changed since the last call.
    pub fn changed(&mut self) -> Option<Result<Settings, ConfigError>> {
        let same = self.seen.iter().all(|(path, seen)| fingerprint(path) == *seen);
        (!same).then(|| self.load())
    }

    fn load(&mut self) -> Result<Settings, ConfigError> {
        let before = fingerprint(&self.file);
        let recording = Recording { source: &self.source, files: RefCell::default() };
        let settings = load(Some(&self.file), &recording);
        let files = recording.files.into_inner();
        // What could not be loaded may not have come to all its files: those of before are watched too.
        let mut watched: Vec<PathBuf> = files;
        if settings.is_err() {
            watched.extend(self.seen.keys().filter(|path| **path != self.file).cloned());
        }
        self.seen = watched.into_iter().map(|path| (path.clone(), fingerprint(&path))).collect();
        self.seen.insert(self.file.clone(), before);
        settings
    }
}

fn fingerprint(path: &Path) -> Option<[u8; 32]> {
    std::fs::read(path).ok().map(|bytes| Sha256::digest(bytes).into())
}
