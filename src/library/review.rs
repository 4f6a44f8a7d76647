//! Skills that wait for a person, because they do more than the configuration lets mining publish alone.
//!
//! They are in the state, not in the tree. `skillspan skills list` names them with what they may do, and a person approves or
//! rejects them. A rejected one is remembered like a deleted skill.

use std::collections::BTreeSet;

use super::amendments;
use super::content::Content;
use super::history::Deed;
use super::run::{Run, new_id, refused_claims, with_id};
use super::skill;
use super::state::{Skill, State, Waiting};
use super::{Change, Findings};
use crate::shell::{Class, Classes, class};
use crate::skillify::{Candidate, Claim, Shortfall};

/// So many skills of a workspace wait at most: nobody reads more.
const MOST: usize = 20;

/// Why a rule waits.
const STATED: &str = "rule: people stated it, and nothing but a person's word makes it one";

/// Why what a model wrote waits.
const AUTHORED: &str = "author: a model wrote it from what sessions show, and no count proves its words";

impl Waiting {
    /// The deed of a person who agrees: to the fact that the skill states, or to the risk of what it does.
    pub(super) fn agreed(&self) -> Deed {
        let asks_if_it_holds = |why: &String| why == STATED || why == AUTHORED;
        if !self.review.is_empty() && self.review.iter().all(asks_if_it_holds) {
            Deed::AgreedThatItHolds
        } else {
            Deed::Agreed
        }
    }

    /// The SKILL.md that it would have.
    pub(super) fn text(&self, id: &str) -> String {
        skill::skill_md(id, &self.skill).unwrap_or_default()
    }
}

/// Updates the waiting proposals of a workspace from the run's findings.
pub(super) fn take_up(run: &mut Run<'_>, findings: &Findings, has_fallen: impl Fn(&Candidate) -> bool) {
    let workspace = findings.workspace.as_str();
    drop_what_is_settled(&mut run.state, workspace);
    let proposed = findings.candidates.iter().filter(|candidate| candidate.is_proposed());
    for candidate in proposed {
        let claims: BTreeSet<&Claim> = candidate.claims.iter().map(|claim| &claim.claim).collect();
        let refused = refused_claims(run, workspace);
        let is_refused = claims.iter().any(|claim| refused.contains(*claim));
        if is_refused || is_settled(&run.state, workspace, &claims) || has_fallen(candidate) {
            continue;
        }
        let Some(candidate) = amendments::share_out(run, candidate) else { continue };
        put(run, workspace, &candidate);
    }
}

fn put(run: &mut Run<'_>, workspace: &str, candidate: &Candidate) {
    let claims: BTreeSet<&Claim> = candidate.claims.iter().map(|claim| &claim.claim).collect();
    let known = run.state.waiting.iter().find(|(_, waiting)| {
        waiting.skill.workspace == workspace
            && waiting.skill.content.claims.iter().any(|record| claims.contains(&record.claim))
    });
    let known = known.map(|(id, waiting)| (id.clone(), waiting.clone()));
    let review = review(candidate);
    let (id, waiting) = match known {
        Some((id, known)) => {
            let says_the_same = known.skill.content.claim_set().iter().collect::<BTreeSet<_>>() == claims;
            if says_the_same && known.review == review {
                run.changes.skills.entry(known.skill.name).or_insert(Change::Waiting);
                return;
            }
            let content = Content::of(candidate, Some(&known.skill.content));
            (id, Waiting { review, skill: Skill { content, ..known.skill } })
        }
        None => {
            let waits = run.state.waiting.values().filter(|waiting| waiting.skill.workspace == workspace);
            if waits.count() >= MOST {
                return;
            }
            let id = new_id(run, candidate);
            // It takes no name from a skill that stands or comes to stand.
            let name = with_id(&candidate.wording.name, &id);
            let mut skill = Skill::new(name, workspace, Content::of(candidate, None));
            skill.note(&run.as_of, "waits for a person to agree");
            (id, Waiting { review, skill })
        }
    };
    run.changes.skills.entry(waiting.skill.name.clone()).or_insert(Change::Waiting);
    run.state.waiting.insert(id, waiting);
}

/// The classes for which today's rules would let the published skill wait, if they do: mining finds that what it says
/// needs a person.
pub(super) fn held_back(findings: &Findings, known: &Skill) -> Option<String> {
    let says = |claim: &Claim| known.content.says(claim);
    let commands: Vec<_> = known
        .content
        .claims
        .iter()
        .filter_map(|record| record.claim.asks_for())
        .map(ToString::to_string)
        .collect();
    let proposed = findings.candidates.iter().filter(|candidate| {
        candidate.is_proposed()
            && candidate.workspace == known.workspace
            && candidate.claims.iter().any(|claim| says(&claim.claim))
    });
    for candidate in proposed {
        let classes: BTreeSet<Class> = reviewed(candidate).map(|(class, _)| *class).collect();
        let is_said = candidate.claims.iter().all(|claim| says(&claim.claim));
        let may = |command: &String| {
            class::judge(command).beyond(Classes::default()).any(|(class, _)| classes.contains(&class))
        };
        if is_said || commands.iter().any(may) {
            return Some(classes.iter().map(|class| class.as_str()).collect::<Vec<_>>().join(", "));
        }
    }
    None
}

fn reviewed(candidate: &Candidate) -> impl Iterator<Item = (&Class, &String)> {
    let classes = candidate.shortfalls.iter().filter_map(|shortfall| match shortfall {
        Shortfall::Review(classes) => Some(classes),
        _ => None,
    });
    classes.flatten()
}

fn review(candidate: &Candidate) -> Vec<String> {
    let classes = reviewed(candidate).map(|(class, why)| format!("{}: {why}", class.as_str()));
    let is_rule = candidate.shortfalls.contains(&Shortfall::Rule);
    let is_authored = candidate.shortfalls.contains(&Shortfall::Authored);
    let why = [is_rule.then_some(STATED), is_authored.then_some(AUTHORED)];
    why.into_iter().flatten().map(str::to_owned).chain(classes).collect()
}

/// Whether a skill of the workspace says the claims, or has decided not to.
fn is_settled(state: &State, workspace: &str, claims: &BTreeSet<&Claim>) -> bool {
    let mut skills = state.skills.values().filter(|skill| skill.workspace == workspace);
    skills.any(|skill| claims.iter().all(|claim| skill.knows(claim)))
}

/// What other skills have come to say waits no longer.
fn drop_what_is_settled(state: &mut State, workspace: &str) {
    let waiting = std::mem::take(&mut state.waiting);
    let kept = waiting.into_iter().filter(|(_, waiting)| {
        let claims = waiting.skill.content.claim_set();
        waiting.skill.workspace != workspace || !is_settled(state, workspace, &claims.iter().collect())
    });
    state.waiting = kept.collect();
}
