//! Composition: claims that share a situation become one skill, as a person would cut them.
//!
//! A [`Topic`] is the situation: running the tests, passing the linter, a release. Claims about one topic in one
//! repository are one skill; a procedure is a skill of its own. Of the skills of a repository only the most
//! useful are kept ([`super::PublishRule::skills`]), and of the claims of a skill the strongest
//! ([`MOST_CLAIMS`]).
//!
//! | file | what it decides |
//! |---|---|
//! | `workspace.rs` | what mining knows of a workspace before it begins: the entry of a run |
//! | `candidate.rs` | the order of a run: kinds propose claims, claims become drafts, drafts become skills |
//! | `procedure.rs` | which steps of a cluster become a procedure |
//! | `verify.rs` | whether the events of a session show a claim |
//! | `coverage.rs` | what other claims say already |
//! | `personal.rs` | which claims only one person's sessions prove; none stands beside its opposite |
//! | `score.rs`, `expected.rs` | what a claim lacks by the publish rule; what it is expected to save |
//! | `trigger.rs` | which words of prompts say when to use a skill |
//! | `draft.rs` | a skill before it is judged, and how it is worded |
//! | `older.rs`, `remembered.rs` | what sessions before the window showed |

pub(super) mod candidate;
pub(super) mod coverage;
pub(super) mod draft;
pub(super) mod expected;
pub(super) mod older;
pub(super) mod personal;
pub(super) mod procedure;
pub(super) mod remembered;
pub(super) mod score;
pub(super) mod trigger;
pub(super) mod verify;
pub(super) mod workspace;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::claim::topic::Topic;
use super::claim::{COMMIT, Claim, SupportedClaim};
use super::word::sentences::one_sentence;
use crate::shell::command::single;
use crate::shell::family::Family;

/// A skill says no more than a person reads at once.
pub(super) const MOST_CLAIMS: usize = 15;

/// The repository of all evidence of a claim; `""` if there are several or none.
pub(super) fn project(claim: &SupportedClaim) -> String {
    let mut projects = claim.support.iter().map(|evidence| evidence.project.as_str());
    let first = projects.next().unwrap_or_default();
    if projects.all(|other| other == first) { first.to_owned() } else { String::new() }
}

/// The claims of each repository and topic, those of most `worth`, in the order of telling. A repository has about `most`
/// topics: where it would have more, small ones become one.
pub(super) fn composed(
    claims: Vec<SupportedClaim>,
    most: usize,
    worth: impl Fn(&SupportedClaim) -> u32,
) -> BTreeMap<(String, Topic), Vec<SupportedClaim>> {
    let mut skills: BTreeMap<(String, Topic), Vec<SupportedClaim>> = BTreeMap::new();
    for claim in claims {
        skills.entry((project(&claim), Topic::of(&claim.claim))).or_default().push(claim);
    }
    join_single_lines(&mut skills);
    join_small_ones(&mut skills, most.max(FEWEST_TOPICS));
    for claims in skills.values_mut() {
        if claims.len() > MOST_CLAIMS {
            claims.sort_by_cached_key(|claim| (Reverse(worth(claim)), claim.claim.clone()));
            claims.truncate(MOST_CLAIMS);
        }
        claims.sort_by_key(order);
    }
    skills
}

/// However many procedures a repository has, so many topics stand beside them.
const FEWEST_TOPICS: usize = 3;

/// Puts what one line says of a linter, of types or of a build beside the checks of the same repository: both are wanted
/// before and after a check runs.
fn join_single_lines(skills: &mut BTreeMap<(String, Topic), Vec<SupportedClaim>>) {
    let is_one = |((_, topic), claims): &(&(String, Topic), &Vec<SupportedClaim>)| {
        matches!(topic, Topic::Lint | Topic::Types | Topic::Build) && one_sentence(claims).is_some()
    };
    let single: Vec<(String, Topic)> = skills.iter().filter(is_one).map(|(key, _)| key.clone()).collect();
    for key in single {
        let checks = (key.0.clone(), Topic::Changes);
        if !skills.contains_key(&checks) {
            continue;
        }
        let claims = skills.remove(&key).unwrap_or_default();
        skills.entry(checks).or_default().extend(claims);
    }
}

/// Joins the smallest topics of a repository that has too many into one topic about commands.
fn join_small_ones(skills: &mut BTreeMap<(String, Topic), Vec<SupportedClaim>>, most: usize) {
    let projects: BTreeSet<String> = skills.keys().map(|(project, _)| project.clone()).collect();
    for project in projects {
        loop {
            let own: Vec<(usize, &Topic)> = skills
                .iter()
                .filter(|((of, _), _)| *of == project)
                .map(|((_, topic), claims)| (claims.len(), topic))
                .collect();
            let small = own.iter().filter(|(_, topic)| topic.may_join()).min();
            let Some((_, topic)) = small.filter(|_| own.len() > most) else { break };
            let key = (project.clone(), (*topic).clone());
            let claims = skills.remove(&key).unwrap_or_default();
            skills.entry((project.clone(), Topic::Commands)).or_default().extend(claims);
        }
    }
}

/// The order of lines: which tool to use, then what to do when, then remedies for failures.
const fn rank(claim: &Claim) -> u8 {
    match claim {
        Claim::Instead { .. } => 0,
        Claim::Prefer { .. } => 1,
        Claim::Run(_) | Claim::Edit(_) => 2,
        Claim::Check { .. } => 3,
        Claim::Prevent { .. } => 4,
        Claim::Repair { .. } => 5,
        Claim::Together { .. } => 6,
        Claim::Missing { .. } => 7,
        Claim::Declared { .. } => 8,
        Claim::NoFlag { .. } | Claim::NoSkill { .. } => 9,
        Claim::Asked { .. } | Claim::Leftover { .. } => 10,
        Claim::Changes { .. } => 11,
        Claim::Slow { .. } | Claim::Flaky { .. } | Claim::Snippet { .. } | Claim::Hook { .. } => 12,
        Claim::Piped { .. } => 13,
        Claim::Rejects { .. } => 14,
        Claim::Avoid(_) => 15,
        Claim::Rule { .. } => 16,
        Claim::Lesson { .. } => 17,
    }
}

/// Claims that one sentence says stand beside each other.
fn order(claim: &SupportedClaim) -> (u8, String, u32, String) {
    let (place, claim) = (claim.place, &claim.claim);
    match claim {
        Claim::Check { edited, run } => {
            let text = run.to_string();
            let family = single(&text).map_or(Family::Other, |command| command.family());
            let first = match family {
                Family::Format => 0,
                Family::Lint => 1,
                Family::TypeCheck => 2,
                Family::Build => 3,
                _ => 4,
            };
            (rank(claim), edited.to_string(), first, text)
        }
        Claim::Repair { command, repair } => (rank(claim), command.to_string(), place, repair.to_string()),
        Claim::Instead { run, failed } => (rank(claim), run.to_string(), 0, failed.to_string()),
        Claim::Declared { name, file } => (rank(claim), file.to_string(), 0, name.clone()),
        Claim::Rejects { run, rule } => (rank(claim), run.to_string(), place, rule.clone()),
        Claim::Hook { run } => (rank(claim), String::new(), place, run.to_string()),
        // Behind what the hook runs.
        Claim::Prevent { command, first } if command.to_string() == COMMIT => {
            (rank(&Claim::Hook { run: first.clone() }), COMMIT.to_owned(), place, first.to_string())
        }
        other => (rank(claim), other.to_string(), 0, String::new()),
    }
}
