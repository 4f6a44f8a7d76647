//! What was installed: `~/.local/share/skillspan/installed.json`, held while a command changes it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use super::source::Source;
use crate::cli::folders::data_folder;
use crate::cli::{Failure, OrFail};

/// The form of the file; another one is not touched.
const VERSION: u32 = 1;

/// Every library that is installed.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Record {
    version: u32,
    pub(super) installs: Vec<Install>,
    #[serde(skip)]
    path: PathBuf,
    #[serde(skip)]
    _lock: Option<File>,
}

/// One library.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Install {
    pub(super) from: String,
    pub(super) branch: Option<String>,
    /// The folder of the project that it is for; for the person without.
    pub(super) project: Option<PathBuf>,
    pub(super) assistants: BTreeSet<String>,
    /// Folder → file below it → SHA-256 of what was put there.
    pub(super) folders: BTreeMap<PathBuf, BTreeMap<String, String>>,
    /// The commit that it came from, `""` for a folder.
    pub(super) revision: String,
    /// When the source was asked.
    pub(super) checked_at: String,
}

impl Record {
    /// The record, which nobody else changes until this one is dropped.
    pub(super) fn open() -> Result<Self, Failure> {
        let folder = data_folder()?;
        fs::create_dir_all(&folder).or_fail()?;
        let lock = File::options().create(true).append(true).open(folder.join("installed.lock")).or_fail()?;
        flock(&lock, FlockOperation::LockExclusive).map_err(io::Error::from).or_fail()?;
        Ok(Self { _lock: Some(lock), ..Self::look()? })
    }

    /// The record as it is.
    pub(super) fn look() -> Result<Self, Failure> {
        let path = data_folder()?.join("installed.json");
        let empty = || Self { version: VERSION, installs: Vec::new(), path: path.clone(), _lock: None };
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(empty()),
            Err(error) => return Err(error).with_context(|| path.display().to_string()).or_fail(),
        };
        let record: Self = serde_json::from_str(&text)
            .with_context(|| format!("{} cannot be read; move it away to begin anew", path.display()))
            .or_fail()?;
        if record.version != VERSION {
            return Err(Failure::Failed(anyhow!("{} is of another version of skillspan", path.display())));
        }
        Ok(Self { path, ..record })
    }

    /// The library's entry, a new one if there is none; to be put back.
    pub(super) fn take(&mut self, source: &Source, project: Option<&Path>) -> Install {
        let is_same = |install: &Install| {
            install.from == source.from
                && install.branch == source.branch
                && install.project.as_deref() == project
        };
        match self.installs.iter().position(is_same) {
            Some(index) => self.installs.remove(index),
            None => Install {
                from: source.from.clone(),
                branch: source.branch.clone(),
                project: project.map(Path::to_owned),
                ..Install::default()
            },
        }
    }

    /// Writes it, as a whole; one of nothing is removed.
    pub(super) fn save(&self) -> Result<(), Failure> {
        if self.installs.is_empty() {
            return match fs::remove_file(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).or_fail(),
                _ => Ok(()),
            };
        }
        let temporary = self.path.with_extension("tmp");
        fs::write(&temporary, serde_json::to_vec_pretty(self).or_fail()?).or_fail()?;
        fs::rename(&temporary, &self.path).or_fail()
    }
}
