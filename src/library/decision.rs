//! What a person may decide, and why it cannot be carried out.

use super::TenantError;

/// What a person wants of a skill, by name or id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Put the proposal in place.
    Approve,
    /// Drop the proposal; it is not made again.
    Reject,
    /// Bring back a skill that was deleted, withdrawn or retired. One that was rejected as a proposal waits again.
    Restore,
    /// Take away what stands; it does not come back by itself.
    Withdraw,
}

/// A decision that cannot be carried out.
#[derive(Debug, thiserror::Error)]
pub enum DecisionError {
    /// No such skill.
    #[error("no skill {0:?} here")]
    NoSkill(String),
    /// Nothing to decide.
    #[error("{0:?} has no proposal")]
    NoProposal(String),
    /// It was never published.
    #[error("{0:?} waits for a person to agree; `skillspan skills approve {0}` publishes it")]
    Waits(String),
    /// It stands.
    #[error("{0:?} is neither deleted nor retired")]
    Stands(String),
    /// Its text changed since the proposal was made.
    #[error("{0:?} was edited after the proposal was made; the next run makes a new one")]
    Outdated(String),
    /// It does not stand.
    #[error("{0:?} is not published: there is nothing to withdraw")]
    StandsNot(String),
    /// It is no skill but facts in a file of people.
    #[error("{0:?} is no skill: delete the block in the file, and it stays out")]
    Block(String),
    /// It waits.
    #[error("{0:?} waits for a person to agree; `skillspan skills reject {0}` drops it")]
    StillWaits(String),
    /// An old version did not remember its text.
    #[error("the text of {0:?} is no longer kept; take its folder from the repository's history")]
    Forgotten(String),
    /// Something stands where the file would be.
    #[error("{0}; move it away first")]
    InTheWay(String),
    /// It is no SKILL.md of this skill.
    #[error("the edited text of {name:?} is no SKILL.md of it: {fault}")]
    Text {
        /// The skill's name.
        name: String,
        /// What is wrong with the text.
        fault: TextFault,
    },
    /// Not a decision but findings: they are of the wrong tenant.
    #[error(transparent)]
    Tenant(#[from] TenantError),
}

/// Why a text is no SKILL.md of a skill.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextFault {
    /// There is nothing.
    #[error("it is empty")]
    Empty,
    /// It has more than 64 KiB.
    #[error("it has {0} bytes; 65536 are the most")]
    Long(usize),
    /// It has no front matter.
    #[error("it begins with no front matter: put a line `---`, the line `name: {0}` and a line `---` first")]
    NoFrontMatter(String),
    /// Its front matter names no skill.
    #[error("its front matter has no line `name: {0}`")]
    NoName(String),
    /// Its front matter names another.
    #[error("its front matter names `{found}`: a skill keeps its name, so write `name: {name}`")]
    OtherName {
        /// The name that stands there.
        found: String,
        /// The skill's own.
        name: String,
    },
}

/// What a person says beside a decision.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remark {
    /// Why, for the history and the commit; may be empty.
    pub reason: String,
    /// The SKILL.md that is to stand in place of the proposed one: a person's text from then on.
    pub text: Option<String>,
    /// When, RFC 3339; may be empty.
    pub at: String,
    /// The person's name, for readers who may see people; may be empty.
    pub by: String,
}
