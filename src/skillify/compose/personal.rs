//! Which claims go together: none beside its opposite. Claims that one person's sessions prove stay apart from those that
//! several people show.

use std::collections::{BTreeMap, BTreeSet};

use super::super::claim::scope::Scope;
use super::super::claim::shortfall::Shortfall;
use super::super::claim::topic::Topic;
use super::super::claim::{Claim, SupportedClaim};
use super::super::compose;
use super::draft::{Draft, Unworded};
use super::workspace::Workspace;

impl Workspace<'_> {
    /// Whether all that a claim lacks is a second person.
    pub(super) fn is_ones_own(&self, claim: &SupportedClaim, shortfalls: &[Shortfall]) -> bool {
        let is_lack = |shortfall: &Shortfall| matches!(shortfall, Shortfall::People { .. });
        let scope = || self.scope(std::slice::from_ref(claim));
        !shortfalls.is_empty() && shortfalls.iter().all(is_lack) && matches!(scope(), Scope::Person(_))
    }

    /// What the sessions of one person prove, composed to skills for each: a target of his own takes them.
    pub(in crate::skillify) fn ones_own(&self, held: Vec<(SupportedClaim, Vec<Shortfall>)>) -> Vec<Unworded> {
        let mut people: BTreeMap<String, (Vec<SupportedClaim>, Vec<Shortfall>)> = BTreeMap::new();
        for (claim, shortfalls) in held {
            let Scope::Person(person) = self.scope(std::slice::from_ref(&claim)) else { continue };
            let (claims, lacking) = people.entry(person).or_default();
            claims.push(claim);
            *lacking = shortfalls;
        }
        let mut own = Vec::new();
        for (claims, shortfalls) in people.into_values() {
            let mut contradicted = Vec::new();
            let claims = without_contradictions(claims, &mut contradicted);
            let worth = |claim: &SupportedClaim| self.expected(std::slice::from_ref(claim)).1;
            let skills = compose::composed(claims, self.rule.skills, worth).into_iter();
            let skills = skills.map(|((_, topic), claims)| (topic, claims, shortfalls.clone()));
            let alone = contradicted.into_iter();
            let alone = alone.map(|(claim, lacks)| (Topic::of(&claim.claim), vec![claim], lacks));
            own.extend(skills.chain(alone).map(|(topic, claims, shortfalls)| {
                self.finish(Draft { topic, claims, dropped: Vec::new(), shortfalls })
            }));
        }
        own
    }
}

/// The claims without pairs that contradict each other: of such a pair both go.
pub(super) fn without_contradictions(
    standing: Vec<SupportedClaim>,
    held: &mut Vec<(SupportedClaim, Vec<Shortfall>)>,
) -> Vec<SupportedClaim> {
    let opposite = |claim: &Claim| match claim {
        Claim::Repair { command, repair } => {
            Some(Claim::Repair { command: repair.clone(), repair: command.clone() })
        }
        Claim::Prevent { command, first } => {
            Some(Claim::Prevent { command: first.clone(), first: command.clone() })
        }
        Claim::Instead { run, failed } => Some(Claim::Instead { run: failed.clone(), failed: run.clone() }),
        Claim::Prefer { prefer, over } => Some(Claim::Prefer { prefer: over.clone(), over: prefer.clone() }),
        _ => None,
    };
    let said: BTreeSet<Claim> = standing.iter().map(|claim| claim.claim.clone()).collect();
    let (contradicted, kept): (Vec<_>, Vec<_>) = standing
        .into_iter()
        .partition(|claim| opposite(&claim.claim).is_some_and(|opposite| said.contains(&opposite)));
    held.extend(contradicted.into_iter().map(|claim| (claim, vec![Shortfall::Contradicted])));
    kept
}
