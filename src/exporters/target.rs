//! What the exporters of skills have in common: what they are asked to do, and what they report.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::deeplake::{self, Skills};
use super::filesystem::{self, Filesystem};
use super::git::{self, Git};
use crate::library::{
    self, Bounds, Change, Changes, Decision, DecisionError, Findings, HeldBack, Library, Remark, Route,
};

/// What a target is asked to take up. The target works out the changes itself, on top of whatever
/// stands there when it writes.
#[derive(Debug, Clone)]
pub enum Update {
    /// What mining found.
    Findings(Vec<Findings>),
    /// What of it goes to a target, and how many new skills it may make.
    Routed(Vec<Findings>, Bounds),
    /// What a person decided.
    Decision {
        /// The skill's name or id.
        skill: String,
        /// What is wanted.
        decision: Decision,
        /// Today, as `2026-11-22`.
        as_of: String,
    },
    /// The same, with what the person says beside it.
    Saying {
        /// The skill's name or id.
        skill: String,
        /// What is wanted.
        decision: Decision,
        /// What is said.
        remark: Remark,
        /// Today, as `2026-11-22`.
        as_of: String,
    },
}

impl Update {
    /// What mining found, if that is what it brings.
    pub(super) fn findings(&self) -> &[Findings] {
        match self {
            Self::Findings(findings) | Self::Routed(findings, _) => findings,
            Self::Decision { .. } | Self::Saying { .. } => &[],
        }
    }

    /// What it changes in the library.
    pub(super) fn changes(&self, library: &Library) -> Result<Changes, DecisionError> {
        match self {
            Self::Findings(findings) => Ok(library::reconcile(library, findings)?),
            Self::Routed(findings, bounds) => Ok(library::reconcile_within(library, findings, *bounds)?),
            Self::Decision { skill, decision, as_of } => library::decide(library, skill, *decision, as_of),
            Self::Saying { skill, decision, remark, as_of } => {
                library::decide_saying(library, skill, *decision, remark, as_of)
            }
        }
    }
}

/// What one publish did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// What became of each skill, by name.
    pub skills: BTreeMap<String, Change>,
    /// How many files were written or removed, without the state.
    pub files_written: usize,
    /// The change of the tree as a unified diff.
    pub diff: String,
    /// New skills that were held back: what was found is to be brought again.
    pub held_back: Option<HeldBack>,
    /// The workspaces that they are of.
    pub waiting: BTreeSet<String>,
    /// What else people should know, a line each: where a proposal waits, that history was rewritten.
    pub notes: Vec<String>,
}

impl Report {
    pub(super) fn of(changes: &Changes, library: &Library) -> Self {
        Self {
            skills: changes.skills.clone(),
            files_written: changes.files.len() + changes.removed.len(),
            diff: changes.diff(library),
            held_back: changes.held_back,
            waiting: changes.waiting.clone(),
            notes: changes
                .notes
                .iter()
                .cloned()
                .chain(changes.held_back.iter().map(HeldBack::to_string))
                .collect(),
        }
    }

    /// The skills that such a change was made of.
    pub fn named(&self, wanted: Change) -> Vec<&str> {
        let skills = self.skills.iter().filter(|(_, change)| **change == wanted);
        skills.map(|(name, _)| name.as_str()).collect()
    }

    /// How many skills were written.
    pub fn changed(&self) -> usize {
        self.skills.values().filter(|change| change.is_written()).count()
    }
}

impl fmt::Display for Report {
    /// `created: a, b; unchanged: c`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = Change::ALL
            .into_iter()
            .map(|change| (change, self.named(change)))
            .filter(|(_, names)| !names.is_empty())
            .map(|(change, names)| format!("{}: {}", change.as_str(), names.join(", ")));
        let parts: Vec<String> = parts.chain(self.notes.iter().cloned()).collect();
        f.write_str(if parts.is_empty() { "no skill" } else { "" })?;
        f.write_str(&parts.join("; "))
    }
}

/// Where skills go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Which skills go there.
    pub route: Route,
    /// There.
    pub place: Place,
}

/// See [`Target`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A folder.
    Filesystem(filesystem::Config),
    /// A branch of a git repository.
    Git(Box<git::Config>),
    /// Tables of a Deeplake workspace.
    Deeplake(Box<deeplake::SkillsConfig>),
}

/// A target could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A folder.
    #[error(transparent)]
    Filesystem(#[from] filesystem::Error),
    /// A git repository.
    #[error(transparent)]
    Git(#[from] git::Error),
    /// A Deeplake workspace.
    #[error(transparent)]
    Deeplake(#[from] deeplake::SkillsError),
}

impl Error {
    /// Whether it is about whose the skills are.
    const fn is_of_tenants(&self) -> bool {
        matches!(
            self,
            Self::Filesystem(filesystem::Error::Decision(DecisionError::Tenant(_)))
                | Self::Git(git::Error::Decision(DecisionError::Tenant(_)))
                | Self::Deeplake(deeplake::SkillsError::Decision(DecisionError::Tenant(_)))
        )
    }

    /// A word for the kind of failure, the same for every failure of that kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Filesystem(filesystem::Error::Blocked { .. }) => "blocked",
            _ if self.is_of_tenants() => "tenant",
            Self::Filesystem(_) => "folder",
            Self::Git(error) => error.kind(),
            Self::Deeplake(error) => error.kind(),
        }
    }

    /// What a person can do about it.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Filesystem(filesystem::Error::Blocked { .. }) => {
                "put a plain file or folder where the message says, or choose another path; it is tried again by itself"
            }
            _ if self.is_of_tenants() => "name the tenant whose skills go there: route: { tenant: NAME }",
            Self::Filesystem(_) => {
                "make the folder writable and its files readable; it is tried again by itself"
            }
            Self::Git(error) => error.remedy(),
            Self::Deeplake(error) => error.remedy(),
        }
    }

    /// Whether it may be gone by itself the next time.
    pub const fn is_transient(&self) -> bool {
        match self {
            _ if self.is_of_tenants() => false,
            Self::Filesystem(_) => true,
            Self::Git(error) => error.is_transient(),
            Self::Deeplake(error) => error.is_transient(),
        }
    }
}

impl Target {
    /// Makes sure that the target can be written as far as this machine can tell.
    pub fn check(&self) -> Result<(), Error> {
        match &self.place {
            Place::Filesystem(config) => Ok(Filesystem::new(config.clone()).check()?),
            Place::Git(config) => Ok(Git::new((**config).clone()).check()?),
            Place::Deeplake(config) => Ok(Skills::new((**config).clone()).check()?),
        }
    }

    /// Whether something stands in the way there that this machine sees. Writes nothing, and asks no other.
    pub fn look(&self) -> Result<(), Error> {
        match &self.place {
            Place::Filesystem(config) => Ok(Filesystem::new(config.clone()).look()?),
            Place::Git(_) | Place::Deeplake(_) => Ok(()),
        }
    }

    /// Reads what stands there.
    pub fn load(&self) -> Result<Library, Error> {
        match &self.place {
            Place::Filesystem(config) => Ok(Filesystem::new(config.clone()).load()?),
            Place::Git(config) => Ok(Git::new((**config).clone()).load()?),
            Place::Deeplake(config) => Ok(Skills::new((**config).clone()).load()?),
        }
    }

    /// What [`Target::publish`] would do. Writes nothing there.
    pub fn plan(&self, update: &Update) -> Result<Report, Error> {
        let update = self.routed(update);
        match &self.place {
            Place::Filesystem(config) => Ok(Filesystem::new(config.clone()).plan(&update)?),
            Place::Git(config) => Ok(Git::new((**config).clone()).plan(&update)?),
            Place::Deeplake(config) => Ok(Skills::new((**config).clone()).plan(&update)?),
        }
    }

    /// Brings the update to the target. Blocks; ends early with an error once `stop` is set.
    pub fn publish(&self, update: &Update, stop: Arc<AtomicBool>) -> Result<Report, Error> {
        let update = self.routed(update);
        match &self.place {
            Place::Filesystem(config) => Ok(Filesystem::new(config.clone()).publish(&update)?),
            Place::Git(config) => Ok(Git::new((**config).clone()).until(stop).publish(&update)?),
            Place::Deeplake(config) => Ok(Skills::new((**config).clone()).until(stop).publish(&update)?),
        }
    }

    fn routed(&self, update: &Update) -> Update {
        match update {
            Update::Findings(findings) => Update::Routed(self.route.of(findings), self.route.bounds),
            Update::Routed(..) | Update::Decision { .. } | Update::Saying { .. } => update.clone(),
        }
    }
}

impl fmt::Display for Target {
    /// The folder, the remote and its branch, or the workspace and its table.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Filesystem(config) => write!(f, "{}", config.path.display()),
            Place::Git(config) => write!(f, "{} ({})", config.remote, config.branch),
            Place::Deeplake(config) => {
                let deeplake::Service { endpoint, org, workspace, .. } = &config.service;
                write!(f, "{endpoint} {org}/{workspace} ({})", config.skills)
            }
        }
    }
}
