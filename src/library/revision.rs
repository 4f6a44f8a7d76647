//! The next text of a skill: bounded edits of its present one.

use std::collections::BTreeSet;

use super::content::{ClaimRecord, Content};
use super::judgement::Sessions;
use super::state::Skill;
use super::subset::{claims, worded};
use crate::skillify::{Candidate, Claim, SupportedClaim};

/// A skill, and the run's candidate for it.
pub(super) struct Revision<'a> {
    pub(super) known: &'a Skill,
    pub(super) candidate: Option<&'a Candidate>,
    /// Claims of the candidate that the skill takes over.
    pub(super) new: &'a BTreeSet<Claim>,
    /// Claims of the skill that it makes no longer.
    pub(super) against: &'a BTreeSet<Claim>,
    pub(super) sessions: &'a Sessions<'a>,
}

/// What the skill says next; `None` if nothing is left of it: no claim, or of a procedure not its main step.
///
/// The candidate's own text where it says exactly that; else a text made of the claims; else, where the
/// events behind a claim are no longer there, the text as it stands with sentences added and removed. What
/// an older version published is always said anew.
pub(super) fn revise(revision: &Revision<'_>) -> Option<Content> {
    let Revision { known, candidate, new, against, sessions } = revision;
    let kept: BTreeSet<Claim> = known.content.claim_set().difference(against).cloned().collect();
    let wanted: BTreeSet<Claim> = kept.union(new).cloned().collect();
    let main = known.content.claims.first().map(|main| &main.claim);
    let main_step_falls = main.is_some_and(|main| main.is_step() && against.contains(main));
    if wanted.is_empty() || (main_step_falls && new.is_empty()) {
        return None;
    }
    if let Some(candidate) = candidate.filter(|candidate| claims(candidate) == wanted) {
        return Some(Content::of(candidate, Some(&known.content)));
    }
    let is_old = known.is_of_an_older_kind();
    let recalled = |claim: &Claim| known.content.claim(claim).filter(|_| is_old).map(ClaimRecord::recalled);
    let said: Option<Vec<SupportedClaim>> = ordered(known, *candidate, &wanted)
        .iter()
        .map(|claim| sessions.claim(claim).cloned().or_else(|| recalled(claim)))
        .collect();
    if let Some(said) = said {
        return Some(reworded(known, *candidate, said));
    }
    let remaining = known.content.without(against);
    Some(candidate.map_or_else(|| remaining.clone(), |candidate| remaining.extended(candidate, new)))
}

/// A text with these claims. What it says of requests stays, since requests are no claims.
fn reworded(known: &Skill, candidate: Option<&Candidate>, claims: Vec<SupportedClaim>) -> Content {
    let when_to_use = known.content.body.iter().flat_map(|body| &body.when_to_use);
    let wording = worded(&claims, when_to_use);
    let scope = candidate.map(|candidate| candidate.scope.clone());
    let reworded = Candidate {
        workspace: known.workspace.clone(),
        rank: candidate.map_or(0, |candidate| candidate.rank),
        scope: scope.clone().unwrap_or(crate::skillify::Scope::Workspace),
        wording,
        claims,
        dropped: Vec::new(),
        recently: candidate.map(|candidate| candidate.recently.clone()).unwrap_or_default(),
        page: None,
        shortfalls: Vec::new(),
    };
    let mut content = Content::of(&reworded, Some(&known.content));
    if scope.is_none() {
        content.scope.clone_from(&known.content.scope);
        content.project.clone_from(&known.content.project);
    }
    content
}

/// The claims in the candidate's order, the skill's own behind.
fn ordered(known: &Skill, candidate: Option<&Candidate>, wanted: &BTreeSet<Claim>) -> Vec<Claim> {
    let theirs = candidate.into_iter().flat_map(|candidate| &candidate.claims).map(|claim| &claim.claim);
    let own = known.content.claims.iter().map(|record| &record.claim);
    let mut ordered: Vec<Claim> = Vec::new();
    for claim in theirs.chain(own).filter(|claim| wanted.contains(claim)) {
        if !ordered.contains(claim) {
            ordered.push(claim.clone());
        }
    }
    ordered
}

/// The content as its claims alone word it, without its own words and without requests.
pub(super) fn said_by(content: &Content, workspace: &str) -> Content {
    let claims: Vec<SupportedClaim> = content.claims.iter().map(ClaimRecord::recalled).collect();
    let anew = Candidate {
        workspace: workspace.to_owned(),
        rank: 0,
        scope: crate::skillify::Scope::Workspace,
        wording: worded(&claims, []),
        claims,
        dropped: Vec::new(),
        recently: Vec::new(),
        page: None,
        shortfalls: Vec::new(),
    };
    let (scope, project) = (content.scope.clone(), content.project.clone());
    Content { scope, project, ..Content::of(&anew, Some(content)) }
}
