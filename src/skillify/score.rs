//! The publish rule: how much evidence makes a candidate a skill.

use std::collections::BTreeSet;
use std::fmt;

use super::claim::{Evidence, SupportedClaim};

/// How much support a skill needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishRule {
    /// Distinct accepted sessions.
    pub sessions: usize,
    /// Distinct known people; not asked for where the workspace has at most one.
    pub people: usize,
}

impl Default for PublishRule {
    fn default() -> Self {
        Self { sessions: 2, people: 2 }
    }
}

/// Why a candidate is not published.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shortfall {
    /// Too few accepted sessions show it.
    Sessions {
        /// How many do.
        found: usize,
        /// How many are needed.
        needed: usize,
    },
    /// Too few known people did it.
    People {
        /// How many did.
        found: usize,
        /// How many are needed.
        needed: usize,
    },
    /// It was rejected too often.
    Rejected {
        /// Accepted sessions.
        accepted: usize,
        /// Rejected sessions.
        rejected: usize,
    },
    /// Nothing tells an assistant when to use it.
    NoTrigger,
    /// The guard found something that must not be published.
    Guarded(String),
}

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sessions { found, needed } => write!(f, "{found} of {needed} accepted sessions show it"),
            Self::People { found, needed } => write!(f, "{found} of {needed} known people did it"),
            Self::Rejected { accepted, rejected } => {
                write!(
                    f,
                    "{accepted} sessions accepted and {rejected} rejected it; twice as many must accept"
                )
            }
            Self::NoTrigger => f.write_str("the prompts share no word that says when to use it"),
            Self::Guarded(reason) => write!(f, "the guard found {reason}"),
        }
    }
}

/// What the main claim lacks; `known_people` is how many the workspace has.
pub(super) fn shortfalls(claim: &SupportedClaim, rule: PublishRule, known_people: usize) -> Vec<Shortfall> {
    let accepted = sessions(&claim.support).len();
    let rejected = sessions(&claim.against).len();
    let people: BTreeSet<&str> = claim
        .support
        .iter()
        .map(|evidence| evidence.person.as_str())
        .filter(|person| !person.is_empty())
        .collect();
    let mut shortfalls = Vec::new();
    if accepted < rule.sessions {
        shortfalls.push(Shortfall::Sessions { found: accepted, needed: rule.sessions });
    }
    if known_people > 1 && people.len() < rule.people {
        shortfalls.push(Shortfall::People { found: people.len(), needed: rule.people });
    }
    if accepted < 2 * rejected {
        shortfalls.push(Shortfall::Rejected { accepted, rejected });
    }
    shortfalls
}

fn sessions(evidence: &[Evidence]) -> BTreeSet<(&str, &str)> {
    evidence.iter().map(|evidence| (evidence.tenant.as_str(), evidence.session.as_str())).collect()
}
