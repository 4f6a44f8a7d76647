//! Takes a model's answers, their cost and its judgements of sameness into the state.

use std::collections::{BTreeMap, BTreeSet};

use super::Library;
use super::judgement::counts_anew;
use super::learned::Learned;
use super::state::{SameAs, Skill, Spending, State};
use crate::skillify::llm::Spent;
use crate::skillify::{Candidate, Claim};

impl Library {
    /// The answers that candidates of a place were worded with.
    pub fn answers(&self, place: &str) -> BTreeMap<String, String> {
        self.state.answers.get(place).cloned().unwrap_or_default()
    }

    /// What all workers spent on that UTC date, as far as they have published since.
    pub fn spent_on(&self, date: &str) -> Spent {
        let spending = self.state.spent.as_ref().filter(|spending| spending.date == date);
        spending.map(|spending| spending.spent).unwrap_or_default()
    }

    /// Whether publishing the candidate would write nothing: a skill says all of it, or people refused
    /// to have it said.
    pub fn has_settled(&self, candidate: &Candidate) -> bool {
        let read: Option<Vec<Claim>> = candidate.claims.iter().map(|claim| claim.claim.read_back()).collect();
        let Some(claims) = read else { return false };
        let settles = |skill: &Skill| {
            let is_anew = skill.stands() && counts_anew(&claims, skill);
            (skill.stands() || skill.refused) && !is_anew && claims.iter().all(|claim| skill.knows(claim))
        };
        let mut skills = self.state.skills.values();
        skills.any(|skill| skill.workspace == candidate.workspace && settles(skill))
    }
}

/// Brings the state up to the model's answers about a workspace.
pub(super) fn take_up(state: &mut State, workspace: &str, learned: &Learned, as_of: &str) {
    let known = state.answers.remove(&learned.place).unwrap_or_default();
    let first = |key: &String, answer: &String| known.get(key).unwrap_or(answer).clone();
    let answers: BTreeMap<String, String> =
        learned.answers.iter().map(|(key, answer)| (key.clone(), first(key, answer))).collect();
    if !answers.is_empty() {
        state.answers.insert(learned.place.clone(), answers);
    }
    for (date, spent) in &learned.spent {
        spend(state, date, *spent);
    }
    for [one, other] in &learned.same {
        propose_one_skill(state, workspace, one, other, as_of);
    }
}

/// Only the newest day is remembered.
fn spend(state: &mut State, date: &str, spent: Spent) {
    match &mut state.spent {
        Some(known) if known.date == date => known.spent.add(spent),
        Some(known) if known.date.as_str() > date => {}
        other => *other = Some(Spending { date: date.to_owned(), spent }),
    }
}

/// Proposes that the younger of two skills goes; once, whatever people say to it.
fn propose_one_skill(
    state: &mut State,
    workspace: &str,
    one: &BTreeSet<String>,
    other: &BTreeSet<String>,
    as_of: &str,
) {
    let standing = |claims: &BTreeSet<String>| {
        let mut skills = state.skills.iter().filter(|(_, skill)| skill.workspace == workspace);
        let says = |skill: &Skill| skill.stands() && claims.is_subset(&skill.content.claim_lines());
        skills
            .find(|(_, skill)| says(skill))
            .map(|(id, skill)| (skill.content.oldest().to_owned(), id.clone()))
    };
    let (Some(one), Some(other)) = (standing(one), standing(other)) else { return };
    let ((_, older), (_, younger)) = if one <= other { (one, other) } else { (other, one) };
    let Some(older_name) = state.skills.get(&older).map(|skill| skill.name.clone()) else { return };
    let Some(skill) = state.skills.get_mut(&younger).filter(|_| older != younger) else { return };
    if skill.same_as.is_none() {
        skill.same_as = Some(SameAs { skill: older, rejected: false });
        skill.note(as_of, format!("a model takes it for {older_name}; a person decides"));
    }
}
