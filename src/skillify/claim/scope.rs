//! For whom a skill is.

use serde::{Deserialize, Serialize};

/// For whom a skill is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// Everybody in the workspace.
    Workspace,
    /// Work in one repository.
    Project(String),
    /// One person; never published to a shared target.
    Person(String),
}

impl Scope {
    /// The value of `skillspan-scope`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Workspace => "workspace",
            Self::Project(_) => "project",
            Self::Person(_) => "person",
        }
    }
}
