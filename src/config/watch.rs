//! Reads the configuration again when one of its files has changed.
//!
//! Tokens are revoked and certificates renewed by changing files, those that `${file:…}` names and the
//! configuration itself. The environment of a running process cannot change.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{ConfigError, Given, Settings, Source, load_all};

/// Notices changes of configuration files and of the files that they refer to.
pub struct Watch<S> {
    given: Given,
    source: S,
    /// The files that the settings were made from, as they were before they were read: whoever changes one
    /// in that moment is noticed the next time. Nothing before the first look.
    seen: Option<BTreeMap<PathBuf, Option<[u8; 32]>>>,
}

/// Remembers which files were asked for.
struct Recording<'s> {
    source: &'s dyn Source,
    files: RefCell<BTreeMap<PathBuf, Option<[u8; 32]>>>,
}

impl Source for Recording<'_> {
    fn env(&self, name: &str) -> Option<String> {
        self.source.env(name)
    }

    fn file(&self, path: &str) -> std::io::Result<String> {
        let file = PathBuf::from(path);
        let before = fingerprint(&file);
        self.files.borrow_mut().entry(file).or_insert(before);
        self.source.file(path)
    }
}

impl<S: Source> Watch<S> {
    /// Watches `file`. The first check reads it, because the current settings were read a while ago.
    pub fn new(file: &Path, source: S) -> Self {
        Self::of(Given::file(file), source)
    }

    /// Watches all the files that the command line named.
    pub fn of(given: Given, source: S) -> Self {
        Self { given, source, seen: None }
    }

    /// The settings, if anything that they were made from has changed since the last call.
    pub fn changed(&mut self) -> Option<Result<Settings, ConfigError>> {
        let is_same = |(path, seen): (&PathBuf, &Option<[u8; 32]>)| fingerprint(path) == *seen;
        let same = self.seen.as_ref().is_some_and(|seen| seen.iter().all(is_same));
        (!same).then(|| self.load())
    }

    fn load(&mut self) -> Result<Settings, ConfigError> {
        let before: Vec<_> = self.given.files().map(|file| (file.to_owned(), fingerprint(file))).collect();
        let recording = Recording { source: &self.source, files: RefCell::default() };
        let settings = load_all(&self.given, &recording);
        let mut seen = recording.files.into_inner();
        if settings.is_err() {
            // It may not have come to all its files: those of before are watched too.
            for path in self.seen.take().into_iter().flat_map(BTreeMap::into_keys) {
                seen.entry(path).or_insert_with_key(|path| fingerprint(path));
            }
        }
        seen.extend(before);
        self.seen = Some(seen);
        settings
    }
}

fn fingerprint(path: &Path) -> Option<[u8; 32]> {
    std::fs::read(path).ok().map(|bytes| Sha256::digest(bytes).into())
}
