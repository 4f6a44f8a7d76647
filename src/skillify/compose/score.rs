//! The publish rule: how much evidence makes a candidate a skill.

use serde::Deserialize;

use super::super::claim::{Claim, Evidence, SupportedClaim};
use super::shortfall::Shortfall;
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

/// What the main claim lacks; `known_people` is how many the workspace has.
pub(in crate::skillify) fn shortfalls(
    claim: &SupportedClaim,
    rule: PublishRule,
    known_people: usize,
) -> Vec<Shortfall> {
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
pub(in crate::skillify) fn distinct<T: Ord>(items: impl Iterator<Item = T>) -> usize {
    let mut items: Vec<T> = items.collect();
    items.sort_unstable();
    items.dedup();
    items.len()
}
