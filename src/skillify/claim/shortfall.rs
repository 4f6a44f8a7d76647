//! Why a candidate is not published.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::event::counted;
use crate::shell::Class;

/// What the guard finds where the words do not fit the form of a skill.
pub const UNFIT: &str = "a text that does not fit the format";

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
    /// Only steps are left that every kind of work has.
    Trivial,
    /// One command among everyday work says too little.
    Everyday,
    /// It has so many steps that it is a large change and no procedure.
    Long(usize),
    /// No sessions did it as a whole: its steps are alternatives.
    Apart,
    /// It has only failed recently.
    Failing,
    /// Nothing tells an assistant when to use it.
    NoTrigger,
    /// Most sessions also ran this program and subcommand in a way that no step can say.
    Unsaid(String),
    /// The guard found something that must not be published.
    Guarded(String),
    /// A person has to agree to it first: each class of command, with the word that caused it.
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
    /// Whether nothing but a person's word can make it up.
    pub const fn asks_a_person(&self) -> bool {
        matches!(self, Self::Review(_) | Self::Rule | Self::Authored)
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
