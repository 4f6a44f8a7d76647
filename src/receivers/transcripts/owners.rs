//! Whose the sessions of a file are, asked once for all files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::consent::{Consent, consent};
use super::open::Glance;
use super::reading::Owner;
use super::repository::{Repositories, Repository, git_user};
use crate::event::person;

/// What was asked before: folders, repositories, git.
#[derive(Default)]
pub struct Owners {
    repositories: Repositories,
    consents: BTreeMap<PathBuf, Consent>,
    git_user: Option<String>,
}

/// What a person said for all files, before any folder is asked; `None`: nothing.
#[derive(Debug, Clone, Default)]
pub struct SaidOwner {
    /// Whose work it is.
    pub workspace: Option<String>,
    /// Who worked there.
    pub user: Option<String>,
}

impl Owners {
    /// Whose a file's sessions are, and the repository. The error is the file that leaves them out.
    pub fn of(
        &mut self,
        glance: &Glance,
        home: &Path,
        said: &SaidOwner,
    ) -> Result<(Owner, Repository), String> {
        let consent = consent(&glance.cwd, Some(home), &mut self.consents);
        if let Some(reason) = consent.refused_by {
            return Err(reason);
        }
        let (of_home, user_of_home) = consent.home;
        let workspace = first([said.workspace.clone(), consent.workspace, of_home]);
        let user = first([said.user.clone(), user_of_home]);
        let user = user.unwrap_or_else(|| self.git_user());
        let repository = self.repositories.of(&glance.cwd, &glance.repository);
        let owner = Owner {
            repository: repository.url.clone(),
            workspace: workspace.unwrap_or_default(),
            user: person::named(&user).unwrap_or_default(),
            redact: None,
        };
        Ok((owner, repository))
    }

    fn git_user(&mut self) -> String {
        self.git_user.get_or_insert_with(|| git_user().unwrap_or_default()).clone()
    }
}

fn first(said: impl IntoIterator<Item = Option<String>>) -> Option<String> {
    said.into_iter().flatten().find(|value| !value.trim().is_empty())
}
