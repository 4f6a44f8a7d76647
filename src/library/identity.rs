//! Which known skill a candidate is.
//!
//! Skills choose in order of age, each the candidate that shares most with it. So if a cluster splits, the larger part keeps
//! the skill; if clusters merge, the oldest skill stays. A deleted or retired skill takes a candidate only if most of the
//! candidate's lessons are its own.

use std::collections::{BTreeMap, BTreeSet};

use super::state::{Skill, State};
use crate::skillify::{Candidate, Template};

/// The candidate of each known skill of the workspace, by id; indices into `candidates`.
pub(super) fn assign(state: &State, workspace: &str, candidates: &[&Candidate]) -> BTreeMap<String, usize> {
    let mut skills: Vec<(&String, &Skill)> =
        state.skills.iter().filter(|(_, skill)| skill.workspace == workspace).collect();
    // Standing skills choose first: one that a person deleted takes no sessions from one that was kept.
    skills.sort_by_key(|(id, skill)| (!skill.stands(), skill.content.oldest().to_owned(), (*id).clone()));
    let mut taken = BTreeSet::new();
    let mut assigned = BTreeMap::new();
    for (id, skill) in skills {
        let best = candidates
            .iter()
            .enumerate()
            .filter(|(index, _)| !taken.contains(index))
            .filter_map(|(index, candidate)| Some((overlap(skill, candidate)?, index)))
            .max_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
        if let Some((_, index)) = best {
            taken.insert(index);
            assigned.insert(id.clone(), index);
        }
    }
    assigned
}

/// (claims, segments) that both have, if that is enough to be the same skill.
fn overlap(skill: &Skill, candidate: &Candidate) -> Option<(usize, usize)> {
    let claims = candidate.claims.iter().filter(|claim| skill.content.says(&claim.claim)).count();
    let segments: BTreeSet<&str> =
        candidate.evidence().into_iter().map(|evidence| evidence.segment.as_str()).collect();
    let remembered = skill.content.segments();
    let shared = segments.intersection(&remembered).count();
    let smaller = candidate.claims.len().min(skill.content.claims.len());
    let is_procedure = candidate.claims.first().is_some_and(|main| main.claim.is_step());
    let same_claims = claims > 0 && (shared > 0 || claims * 2 >= smaller);
    let same_work = shared > 0 && shared * 2 >= segments.len().max(remembered.len());
    let is_same = same_claims || (same_work && same_situation(skill, candidate));
    let is_mostly_its_own = skill.stands() || is_procedure || claims * 2 >= candidate.claims.len();
    (is_same && is_mostly_its_own).then_some((claims, shared))
}

/// Whether both speak of the failure of one command.
pub(super) fn same_situation(skill: &Skill, candidate: &Candidate) -> bool {
    let theirs: BTreeSet<&Template> =
        candidate.claims.iter().filter_map(|claim| claim.claim.situation()).collect();
    skill
        .content
        .claims
        .iter()
        .filter_map(|record| record.claim.situation())
        .any(|ours| theirs.contains(ours))
}
