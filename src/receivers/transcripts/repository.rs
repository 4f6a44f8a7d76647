//! The repository of a folder, named by the URL of its `origin`, so that every clone has the same name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::dialects::project_of;

/// A repository, or a folder that is of none.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Repository {
    /// The URL of its `origin`; `""` if it has none or is none.
    pub url: String,
    /// How people know it: `host/owner/name`, else the folder.
    pub name: String,
}

/// The repositories of folders that were asked for.
#[derive(Debug, Default)]
pub(super) struct Repositories(BTreeMap<PathBuf, Repository>);

impl Repositories {
    /// The repository of a session in the folder `cwd`, whose file may name it.
    pub(super) fn of(&mut self, cwd: &str, url: &str) -> Repository {
        if !url.is_empty() {
            return Repository { url: url.to_owned(), name: project_of(url) };
        }
        let folder = PathBuf::from(cwd);
        if let Some(known) = self.0.get(&folder) {
            return known.clone();
        }
        let found = origin(&folder).map(|url| Repository { name: project_of(&url), url });
        let repository = found.unwrap_or_else(|| {
            let name = if cwd.is_empty() { "(no folder is named)".to_owned() } else { cwd.to_owned() };
            Repository { url: String::new(), name }
        });
        self.0.insert(folder, repository.clone());
        repository
    }
}

/// Whom git on this machine calls the author.
pub(super) fn git_user() -> Option<String> {
    let asked = Command::new("git")
        .args(["config", "--get", "user.email"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    Some(String::from_utf8(asked.stdout).ok()?.trim().to_owned())
}

/// What git says; a folder that is gone has none, and a machine without git neither.
fn origin(folder: &Path) -> Option<String> {
    if !folder.is_absolute() || !folder.is_dir() {
        return None;
    }
    let asked = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["config", "--get", "remote.origin.url"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let url = String::from_utf8(asked.stdout).ok()?.trim().to_owned();
    (asked.status.success() && !url.is_empty()).then_some(url)
}
