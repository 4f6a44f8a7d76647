//! A library as commands show it.

use super::effect::Effect;
use super::history::Deed;
use crate::skillify::Claim;

/// A skill of a library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// `skillspan-id`; empty for a skill that a person wrote.
    pub id: String,
    /// Its folder's name.
    pub name: String,
    /// The workspace it was mined from.
    pub workspace: String,
    /// How often it was generated.
    pub version: u64,
    /// What assistants see before they load it.
    pub description: String,
    /// `3 sessions of 2 people`.
    pub support: String,
    /// What people did to it.
    pub standing: Standing,
    /// The SKILL.md that would stand there, had a person not written or edited it.
    pub proposal: Option<String>,
    /// The name of a skill that a model takes it for, until a person decides.
    pub same_as: Option<String>,
    /// What it may do that a person has to agree to first, a line each; empty for every other skill.
    pub review: Vec<String>,
    /// Where its SKILL.md stands.
    pub path: String,
    /// Its effect on later sessions, as of the last time it was written.
    pub effect: Option<Effect>,
    /// The sessions behind each claim.
    pub evidence: Vec<ListedClaim>,
    /// Its history, oldest first.
    pub history: Vec<ListedEvent>,
}

/// A claim of a skill with the sessions behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedClaim {
    /// The claim itself, if it is a rule that people stated.
    pub rule: Option<Claim>,
    /// One line.
    pub claim: String,
    /// (date, the session's short hash, assistant, outcome), oldest first.
    pub sessions: Vec<(String, String, String, String)>,
}

/// One line of a skill's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedEvent {
    /// The date of the evidence.
    pub date: String,
    /// The version that it led to.
    pub version: u64,
    /// What happened.
    pub what: String,
    /// When a person did it, RFC 3339; `""` if it was no person, or an older version noted it.
    pub at: String,
    /// Who it was; `""` as above.
    pub by: String,
    /// What a person did, where later decisions go by it.
    pub deed: Option<Deed>,
}

/// What people have made of a skill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It stands as generated.
    Published,
    /// It waits for a person to agree to what it may do.
    Waiting,
    /// It waits, as generated, for people to merge it: assistants do not load it yet.
    Proposed,
    /// A person edited it.
    HandEdited,
    /// A person wrote it; sessions could add to it.
    HandWritten,
    /// A person deleted it.
    Refused,
    /// Its description says that it is retired.
    Retiring,
    /// It is gone.
    Retired,
}

impl Standing {
    /// The word that commands print.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Waiting => "waiting",
            Self::Proposed => "proposed",
            Self::HandEdited => "hand-edited",
            Self::HandWritten => "hand-written",
            Self::Refused => "refused",
            Self::Retiring => "retiring",
            Self::Retired => "retired",
        }
    }
}

impl Listed {
    /// Whether a person refused it before it stood anywhere: brought back, it waits again.
    pub fn never_stood(&self) -> bool {
        let was_rejected = self.history.last().is_some_and(|event| event.deed == Some(Deed::Rejected));
        self.standing == Standing::Refused && was_rejected
    }

    /// Its state in a word or a few; for a skill that a person took out, how.
    pub fn state(&self) -> &'static str {
        let deed = self.history.last().and_then(|event| event.deed);
        match (self.standing, deed) {
            (Standing::Refused, Some(Deed::Rejected)) => "rejected",
            (Standing::Refused, Some(Deed::Withdrew | Deed::WithdrewOwn)) => "withdrawn",
            (Standing::Refused, Some(Deed::Deleted)) => "deleted by a person",
            (standing, _) => standing.as_str(),
        }
    }

    /// Whether something waits for a person to decide.
    pub fn has_proposal(&self) -> bool {
        self.proposal.is_some() || self.same_as.is_some()
    }
}
