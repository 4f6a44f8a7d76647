//! The publish rule: how much evidence makes a candidate a skill.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::claim::{Claim, Evidence, SupportedClaim};
use super::guard;
use crate::event::counted;
use crate::shell::{Class, Classes};

/// How much support a skill needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishRule {
    /// Distinct accepted sessions.
    pub sessions: usize,
    /// Distinct known people.
    pub people: usize,
    /// Skills of one repository at most: the most useful ones.
    pub skills: usize,
    /// Whether one person is enough where the workspace knows at most one: on one's own machine.
    pub alone: bool,
    /// What a skill may say without a person who agrees.
    pub allow: Classes,
    /// Whether only people count whom a credential names.
    pub verified: bool,
    /// What becomes of rules that people state.
    pub rules: Rules,
}

/// What becomes of rules that people state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rules {
    /// A person is asked about each.
    #[default]
    Review,
    /// Nobody looks for any.
    Off,
}

impl PublishRule {
    /// Whether so many people are enough of so many that the workspace knows.
    pub(super) const fn are_enough(&self, people: usize, known: usize) -> bool {
        (self.alone && !self.verified && known <= 1) || people >= self.people
    }
}

impl Default for PublishRule {
    fn default() -> Self {
        Self {
            sessions: 2,
            people: 2,
            skills: 7,
            alone: true,
            allow: Classes::default(),
            verified: false,
            rules: Rules::Review,
        }
    }
}

/// Why a candidate is not published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// As much is probable by chance.
    Chance,
    /// A stronger claim explains its cases.
    Explained,
    /// Another claim says the opposite, as well proved.
    Contradicted,
    /// The repository has so many skills that are worth more.
    Enough(usize),
    /// What is left of it belongs to every work.
    Trivial,
    /// One command among everyday work says too little.
    Everyday,
    /// It has so many steps that it is a large change and no procedure.
    Long(usize),
    /// No sessions did it as a whole: its steps are alternatives.
    Apart,
    /// It has only failed of late.
    Failing,
    /// Nothing tells an assistant when to use it.
    NoTrigger,
    /// Most sessions also ran this program and subcommand in a way that no step can say.
    Unsaid(String),
    /// The guard found something that must not be published.
    Guarded(String),
    /// It does what a person has to agree to first: each class with what gave it.
    Review(BTreeMap<Class, String>),
    /// It is a rule that people stated: nothing but a person's word makes one.
    Rule,
    /// A model wrote it.
    Authored,
    /// People said so on too few days.
    Days {
        /// On how many.
        found: usize,
        /// How many are needed.
        needed: usize,
    },
    /// People took it back.
    Withdrawn,
}

impl Shortfall {
    /// [`Shortfall::Unsaid`], of which nothing is shown that the guard finds.
    pub(super) fn unsaid(token: String) -> Self {
        if guard::objection(&token).is_none() { Self::Unsaid(token) } else { Self::Unsaid("…".to_owned()) }
    }
}

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sessions { found, needed } => write!(f, "{found} of {needed} accepted sessions show it"),
            Self::People { found, needed } => write!(f, "{found} of {needed} known people did it"),
            Self::Rejected { accepted, rejected } => {
                let accepted = counted(*accepted, "session", "sessions");
                write!(f, "{accepted} accepted and {rejected} rejected it; twice as many must accept")
            }
            Self::Chance => f.write_str("in a workspace of this size as much happens by chance"),
            Self::Explained => f.write_str("a stronger claim explains its cases"),
            Self::Contradicted => f.write_str("another claim says the opposite, as well proved"),
            Self::Enough(most) => {
                write!(f, "this repository has {} of more worth", counted(*most, "skill", "skills"))
            }
            Self::Trivial => f.write_str("what is left of it are checks and everyday commands"),
            Self::Everyday => f.write_str("one command among everyday work may be there by accident"),
            Self::Long(steps) => write!(f, "{steps} steps are a large change, not a procedure"),
            Self::Apart => f.write_str("too few sessions did it together with the other steps"),
            Self::Failing => f.write_str("in the newest sessions it only failed"),
            Self::NoTrigger => f.write_str("the prompts share no word that says when to use it"),
            Self::Unsaid(token) => {
                write!(f, "most sessions also ran `{token}` in a way that no step can say")
            }
            Self::Guarded(reason) => write!(f, "the guard found {reason}"),
            Self::Authored => f.write_str("a person has to agree to what a model wrote"),
            Self::Rule => f.write_str("a person has to agree to a rule that people stated"),
            Self::Days { found, needed } => write!(f, "people said so on {found} of {needed} days"),
            Self::Withdrawn => f.write_str("people took it back"),
            Self::Review(classes) => {
                f.write_str("a person has to agree to what it may do: ")?;
                let told: Vec<String> =
                    classes.iter().map(|(class, why)| format!("{} ({why})", class.as_str())).collect();
                f.write_str(&told.join(", "))
            }
        }
    }
}

/// What the main claim lacks; `known_people` is how many the workspace has.
pub(super) fn shortfalls(claim: &SupportedClaim, rule: PublishRule, known_people: usize) -> Vec<Shortfall> {
    let accepted = sessions(&claim.support);
    let rejected = sessions(&claim.against);
    let people = people(&claim.support);
    let mut shortfalls = Vec::new();
    if accepted < rule.sessions {
        shortfalls.push(Shortfall::Sessions { found: accepted, needed: rule.sessions });
    }
    let said_in_words = matches!(claim.claim, Claim::Prefer { .. });
    if !rule.are_enough(people, known_people) || (said_in_words && people < rule.people) {
        shortfalls.push(Shortfall::People { found: people, needed: rule.people });
    }
    if accepted < 2 * rejected {
        shortfalls.push(Shortfall::Rejected { accepted, rejected });
    }
    shortfalls
}

/// How many sessions there are.
fn sessions<'e>(evidence: impl IntoIterator<Item = &'e Evidence>) -> usize {
    distinct(evidence.into_iter().map(|evidence| (evidence.session.as_str(), evidence.tenant.as_str())))
}

/// How many known people there are.
fn people<'e>(evidence: impl IntoIterator<Item = &'e Evidence>) -> usize {
    let people = evidence.into_iter().map(|evidence| evidence.person.as_str());
    distinct(people.filter(|person| !person.is_empty()))
}

/// How many different ones there are.
pub(super) fn distinct<T: Ord>(items: impl Iterator<Item = T>) -> usize {
    let mut items: Vec<T> = items.collect();
    items.sort_unstable();
    items.dedup();
    items.len()
}
