//! Where skills go, as the settings name it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::deeplake::{self, Skills};
use super::destination::Destination;
use super::filesystem::{self, Filesystem};
use super::git::{self, Git};
pub use super::update::{Report, Update};
use crate::library::{DecisionError, Library, Route};

/// Where skills go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Which skills go there.
    pub route: Route,
    /// There.
    pub place: TargetKind,
}

/// See [`Target`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetKind {
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

/// A destination whose errors are those of all kinds.
struct AnyKind<D>(D);

impl<D: Destination> Destination for AnyKind<D>
where
    Error: From<D::Error>,
{
    type Error = Error;

    fn check(&self) -> Result<(), Error> {
        Ok(self.0.check()?)
    }

    fn look(&self) -> Result<(), Error> {
        Ok(self.0.look()?)
    }

    fn load(&self) -> Result<Library, Error> {
        Ok(self.0.load()?)
    }

    fn plan(&self, update: &Update) -> Result<Report, Error> {
        Ok(self.0.plan(update)?)
    }

    fn publish(&self, update: &Update) -> Result<Report, Error> {
        Ok(self.0.publish(update)?)
    }
}

impl TargetKind {
    /// What carries skills there; it ends early with an error once `stop` is set.
    fn destination(&self, stop: Arc<AtomicBool>) -> Box<dyn Destination<Error = Error>> {
        match self {
            Self::Filesystem(config) => Box::new(AnyKind(Filesystem::new(config.clone()))),
            Self::Git(config) => Box::new(AnyKind(Git::new((**config).clone()).until(stop))),
            Self::Deeplake(config) => Box::new(AnyKind(Skills::new((**config).clone()).until(stop))),
        }
    }
}

impl Target {
    /// See [`Destination::check`].
    pub fn check(&self) -> Result<(), Error> {
        self.destination().check()
    }

    /// See [`Destination::look`].
    pub fn look(&self) -> Result<(), Error> {
        self.destination().look()
    }

    /// See [`Destination::load`].
    pub fn load(&self) -> Result<Library, Error> {
        self.destination().load()
    }

    /// What [`Target::publish`] would do. Writes nothing there.
    pub fn plan(&self, update: &Update) -> Result<Report, Error> {
        self.destination().plan(&self.routed(update))
    }

    /// Brings what of the update goes there. Blocks; ends early with an error once `stop` is set.
    pub fn publish(&self, update: &Update, stop: Arc<AtomicBool>) -> Result<Report, Error> {
        self.place.destination(stop).publish(&self.routed(update))
    }

    fn destination(&self) -> Box<dyn Destination<Error = Error>> {
        self.place.destination(Arc::default())
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
            TargetKind::Filesystem(config) => write!(f, "{}", config.path.display()),
            TargetKind::Git(config) => write!(f, "{} ({})", config.remote, config.branch),
            TargetKind::Deeplake(config) => {
                let deeplake::Service { endpoint, org, workspace, .. } = &config.service;
                write!(f, "{endpoint} {org}/{workspace} ({})", config.skills)
            }
        }
    }
}
