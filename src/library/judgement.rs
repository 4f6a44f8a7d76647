//! What the sessions of a run say about a skill that is published: still true, contradicted, unseen.

use std::collections::{BTreeMap, BTreeSet};

use super::Findings;
use super::content::{Content, situation};
use super::identity::same_situation;
use super::state::Skill;
use crate::skillify::{Candidate, Evidence, Shortfall, SupportedClaim};

/// So many sessions against a claim, all newer than every session for it, contradict it.
const CONTRADICTING_SESSIONS: usize = 2;

/// A skill that no session has met for so many days is retired.
const LIFETIME_DAYS: i64 = 180;

/// A retired skill's folder stays for so many days: installers do not delete what vanishes, so people
/// have to be able to fetch the version that says so.
const NOTICE_DAYS: i64 = 7;

/// Everything that the run's candidates, published or not, say for and against each claim.
pub(super) struct Sessions<'a> {
    findings: &'a Findings,
    claims: BTreeMap<String, &'a SupportedClaim>,
    as_of: String,
}

impl<'a> Sessions<'a> {
    pub(super) fn of(findings: &'a Findings) -> Self {
        let mut claims: BTreeMap<String, &SupportedClaim> = BTreeMap::new();
        let guarded = |candidate: &&Candidate| {
            candidate.shortfalls.iter().any(|shortfall| matches!(shortfall, Shortfall::Guarded(_)))
        };
        let candidates = findings.candidates.iter().filter(|candidate| !guarded(candidate));
        for claim in candidates.flat_map(|candidate| &candidate.claims) {
            let known = claims.entry(claim.claim.to_string()).or_insert(claim);
            if claim.support.len() + claim.against.len() > known.support.len() + known.against.len() {
                *known = claim;
            }
        }
        Self { findings, claims, as_of: findings.as_of.date() }
    }

    pub(super) fn as_of(&self) -> &str {
        &self.as_of
    }

    /// What this run's sessions say of the claim.
    pub(super) fn claim(&self, claim: &str) -> Option<&'a SupportedClaim> {
        self.claims.get(claim).copied()
    }

    /// The claims of the skill that newer sessions speak against.
    pub(super) fn contradicted(&self, skill: &Skill) -> BTreeSet<String> {
        let records = skill.content.claims.iter().filter(|record| {
            let newest = self.newest_for(&record.claim, record.newest());
            let against = self.claim(&record.claim).map(|claim| claim.against.as_slice()).unwrap_or_default();
            sessions(against.iter().filter(|evidence| *evidence.started_at.date() > *newest))
                >= CONTRADICTING_SESSIONS
        });
        records.map(|record| record.claim.clone()).collect()
    }

    /// Whether the candidate does in the skill's situation something else, and all of it since the
    /// skill was last seen to work there.
    pub(super) fn replaces(&self, candidate: &Candidate, skill: &Skill) -> bool {
        let disagrees = candidate.claims.iter().all(|claim| !skill.knows(&claim.claim.to_string()));
        let oldest = candidate.evidence().iter().map(|evidence| evidence.started_at.date()).min();
        disagrees
            && same_situation(skill, candidate)
            && oldest.is_some_and(|oldest| {
                skill
                    .content
                    .claims
                    .iter()
                    .filter(|record| replaced(record.situation(), candidate))
                    .all(|record| *oldest > *self.newest_for(&record.claim, record.newest()))
            })
    }

    /// The claims of the skill that such a candidate takes the place of.
    pub(super) fn replaced_by(candidate: &Candidate, skill: &Skill) -> BTreeSet<String> {
        let records = skill.content.claims.iter().filter(|record| replaced(record.situation(), candidate));
        records.map(|record| record.claim.clone()).collect()
    }

    /// Whether neither its work was done nor the skill loaded in its lifetime.
    pub(super) fn is_unseen(&self, skill: &Skill) -> bool {
        let content: &Content = &skill.content;
        let done = content.claims.iter().map(|record| self.newest_for(&record.claim, record.newest()));
        let used = self.findings.uses.get(&skill.name).cloned();
        let last = done.chain(used).max().unwrap_or_default();
        days_between(&last, &self.as_of).is_some_and(|days| days > LIFETIME_DAYS)
    }

    /// Whether the notice that a skill is retired has stood long enough.
    pub(super) fn notice_is_over(&self, announced: &str) -> bool {
        days_between(announced, &self.as_of).is_some_and(|days| days >= NOTICE_DAYS)
    }

    /// Whether enough sessions since then support one of the claims.
    pub(super) fn supported_since(&self, claims: &Content, date: &str) -> bool {
        let support = claims.claims.iter().filter_map(|record| self.claim(&record.claim));
        let newer =
            support.flat_map(|claim| &claim.support).filter(|evidence| *evidence.started_at.date() > *date);
        sessions(newer) >= CONTRADICTING_SESSIONS
    }

    fn newest_for(&self, claim: &str, remembered: &str) -> String {
        let support = self.claim(claim).map(|claim| claim.support.as_slice()).unwrap_or_default();
        let newest = support.iter().map(|evidence| evidence.started_at.date()).max().unwrap_or_default();
        newest.max(remembered.to_owned())
    }
}

fn replaced(ours: Option<&str>, candidate: &Candidate) -> bool {
    ours.is_some_and(|ours| {
        candidate.claims.iter().any(|claim| situation(&claim.claim).as_deref() == Some(ours))
    })
}

fn sessions<'e>(evidence: impl Iterator<Item = &'e Evidence>) -> usize {
    evidence
        .map(|evidence| (evidence.tenant.as_str(), evidence.session.as_str()))
        .collect::<BTreeSet<_>>()
        .len()
}

/// `None` where one of them is no date.
fn days_between(from: &str, to: &str) -> Option<i64> {
    let from: jiff::civil::Date = from.parse().ok()?;
    let to: jiff::civil::Date = to.parse().ok()?;
    Some(i64::from(from.until(to).ok()?.get_days()))
}
