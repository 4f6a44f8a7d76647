//! The publish rule: how much evidence makes a candidate a skill.

use super::super::claim::publish_rule::PublishRule;
use super::super::claim::shortfall::Shortfall;
use super::super::claim::{Claim, Evidence, SupportedClaim};
use super::super::significance::distinct;

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
