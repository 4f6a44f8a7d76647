//! What older sessions showed beside what the mined ones show.

use std::borrow::Borrow;
use std::collections::BTreeSet;

use super::super::claim::shortfall::Shortfall;
use super::super::claim::{Claim, SupportedClaim};
use super::super::digest::Digest;
use super::draft::{Held, Unworded};
use super::older::{Older, Remembered, joined, last, name_few, people, still_told};
use super::score;
use super::workspace::{Config, Workspace, person_of, with_workspace};

impl Older {
    /// What these sessions show by themselves.
    pub fn of<D: Borrow<Digest>>(workspace: &str, digests: &[D], config: &Config<'_>) -> Self {
        let config = Config { older: None, ..*config };
        let mut older = with_workspace(workspace, digests, &config, |mining, _| mining.remembered());
        older.sessions = digests.len();
        for digest in digests.iter().map(Borrow::borrow) {
            older.fetched.extend(digest.fetched().cloned());
            older.tools.extend(digest.tools());
            older.people.insert(person_of(digest, &config).0.to_owned());
            for (skill, date) in &digest.loaded {
                last(&mut older.uses, skill, date);
            }
        }
        older.people.remove("");
        older
    }
}

impl Workspace<'_> {
    pub(super) fn remembered(&self) -> Older {
        let (standing, held) = self.counted();
        let (procedures, _) = self.procedures(&standing);
        let stand = standing.into_iter().map(|claim| (claim, Vec::new()));
        let claims = stand.chain(held).map(Remembered::of).map(Remembered::with_few_named).collect();
        let skills = procedures.into_iter().map(|draft| self.finish(draft)).chain(self.rules());
        let is_told = |skill: &Unworded| {
            let waits = |lack: &Shortfall| matches!(lack, Shortfall::Enough(_) | Shortfall::Rule);
            skill.shortfalls.iter().all(|lack| waits(lack) || matches!(lack, Shortfall::Review(_)))
        };
        let mut skills: Vec<Unworded> = skills.filter(is_told).collect();
        skills.iter_mut().flat_map(|skill| &mut skill.material.claims).for_each(name_few);
        Older { claims, skills, ..Older::default() }
    }

    /// The claims with what older sessions showed.
    pub(in crate::skillify) fn with_remembered(
        &self,
        standing: Vec<SupportedClaim>,
        held: Vec<Held>,
    ) -> (Vec<SupportedClaim>, Vec<Held>) {
        let Some(older) = self.older else { return (standing, held) };
        let newer: Vec<Held> = standing.into_iter().map(|claim| (claim, Vec::new())).chain(held).collect();
        let lacking: Vec<Vec<Shortfall>> = newer.iter().map(|(_, lacks)| lacks.clone()).collect();
        let known: BTreeSet<&Claim> = older.claims.iter().map(|one| &one.claim.claim).collect();
        let joined = joined(newer.into_iter().map(Remembered::of).collect(), &older.claims);
        let (mut standing, mut held) = (Vec::new(), Vec::new());
        for (at, Remembered { claim, lacks }) in joined.into_iter().enumerate() {
            let lacks = match lacking.get(at) {
                // Only the window shows it.
                Some(lacks) if !known.contains(&claim.claim) => lacks.clone(),
                _ if lacks.is_empty() => self.lacks_still(&claim),
                _ => lacks,
            };
            if lacks.is_empty() { standing.push(claim) } else { held.push((claim, lacks)) }
        }
        (standing, held)
    }

    /// The procedures and rules that older sessions showed and that none of the candidates tells.
    pub(in crate::skillify) fn remembered_skills(&self, candidates: &[Unworded]) -> Vec<Unworded> {
        let older = self.older.map(|older| older.skills.as_slice()).unwrap_or_default();
        let mut told = Vec::new();
        for mut skill in still_told(older, candidates).into_iter().cloned() {
            let claims = || skill.material.claims.iter();
            if claims().any(|claim| self.known.objection_to(&claim.claim).is_some()) {
                continue;
            }
            let review = self.review(claims().map(|claim| &claim.claim));
            let people = people(claims().flat_map(|claim| &claim.support));
            let is_rule = claims().any(|claim| !claim.claim.is_step());
            skill.shortfalls.retain(|lack| matches!(lack, Shortfall::Rule));
            skill.shortfalls.extend(review);
            if !is_rule && !self.rule.are_enough(people, self.known_people) {
                skill.shortfalls.push(Shortfall::People { found: people, needed: self.rule.people });
            }
            told.push(skill);
        }
        told
    }

    /// What a claim lacks that its counts prove, by all that is known.
    fn lacks_still(&self, claim: &SupportedClaim) -> Vec<Shortfall> {
        if !matches!(claim.claim, Claim::Prefer { .. } | Claim::Avoid(_)) {
            return self.shortfalls(claim);
        }
        let mut lacks = score::shortfalls(claim, self.rule, self.known_people);
        lacks.extend(self.review([&claim.claim]));
        lacks
    }
}
