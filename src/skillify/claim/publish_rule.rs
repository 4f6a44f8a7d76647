//! The publish rule: how much evidence makes a candidate a skill.

use serde::Deserialize;

use crate::shell::Classes;

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
    /// The classes of commands that a skill may state without a person's agreement.
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
    /// Whether this many people are enough, given how many the workspace has.
    pub(in crate::skillify) const fn are_enough(&self, people: usize, known: usize) -> bool {
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
