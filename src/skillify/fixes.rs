//! Fixes of one command that the same sessions show: one draft.

use std::collections::{BTreeMap, BTreeSet};

use super::candidate::{Draft, Workspace, reason};
use super::claim::SupportedClaim;
use super::propose::{self, Fix};
use super::score::{self, Shortfall};
use super::template::Template;

/// A Fix with its evidence.
struct Found {
    fix: Fix,
    claim: SupportedClaim,
    /// The numbers of the sessions that support it, ascending.
    sessions: Vec<u32>,
}

/// Repairs that the same sessions needed.
struct Together {
    draft: Draft,
    /// Of each of its claims.
    sessions: Vec<Vec<u32>>,
}

impl Together {
    /// Whether three in four sessions that the repair helped since somebody first ran this ran it as well:
    /// what some did without is no part of the repair, what has become necessary is.
    fn needs(&self, claim: &SupportedClaim) -> bool {
        let (Some(main), Some(first)) = (self.draft.claims.first(), claim.support.first()) else {
            return false;
        };
        let since = main.support.iter().filter(|evidence| evidence.started_at >= first.started_at);
        let since: BTreeSet<(&str, &str)> =
            since.map(|evidence| (evidence.tenant.as_str(), evidence.session.as_str())).collect();
        let did = since.intersection(&claim.sessions()).count();
        did > 0 && did * 4 >= since.len() * 3
    }
}

/// The drafts of what repairs each command.
pub(super) fn drafts(workspace: &Workspace<'_>) -> Vec<Draft> {
    let mut by_command: BTreeMap<Template, Vec<Found>> = BTreeMap::new();
    for fix in propose::fixes(workspace.works) {
        let claim = workspace.support(&fix.claim);
        let sessions = sessions(workspace, &claim);
        by_command.entry(fix.command.clone()).or_default().push(Found { fix, claim, sessions });
    }
    by_command.into_values().flat_map(|found| of_one_command(workspace, found)).collect()
}

/// The numbers of the sessions that support a claim, ascending.
fn sessions(workspace: &Workspace<'_>, claim: &SupportedClaim) -> Vec<u32> {
    let works = workspace.terms.works();
    let supporting = claim.support.iter().filter_map(|evidence| works.get(workspace.at(evidence)?));
    let mut sessions: Vec<u32> = supporting.map(|terms| terms.session).collect();
    sessions.sort_unstable();
    sessions.dedup();
    sessions
}

/// Joins repairs that the same sessions needed; leaves out what chance put beside them.
fn of_one_command(workspace: &Workspace<'_>, mut found: Vec<Found>) -> Vec<Draft> {
    found.sort_by(|a, b| b.sessions.len().cmp(&a.sessions.len()).then_with(|| a.fix.claim.cmp(&b.fix.claim)));
    let mut joined: Vec<Together> = Vec::new();
    for Found { fix, claim, sessions } in found {
        let shortfalls = score::shortfalls(&claim, workspace.rule, workspace.known_people);
        let leader = joined.iter_mut().find(|Together { draft, sessions: theirs }| {
            draft.shortfalls.is_empty() && theirs.iter().any(|theirs| overlaps(theirs, &sessions))
        });
        match leader {
            Some(leader) if shortfalls.is_empty() && leader.needs(&claim) => {
                leader.draft.claims.push(claim);
                leader.sessions.push(sessions);
            }
            Some(leader) if shortfalls.is_empty() => {
                leader.draft.dropped.push(reason(&fix.claim, &[Shortfall::Needless]));
            }
            Some(leader) => leader.draft.dropped.push(reason(&fix.claim, &shortfalls)),
            None => {
                let draft = Draft { claims: vec![claim], dropped: Vec::new(), shortfalls };
                joined.push(Together { draft, sessions: vec![sessions] });
            }
        }
    }
    let mut drafts: Vec<Draft> = joined.into_iter().map(|together| together.draft).collect();
    for draft in &mut drafts {
        draft.claims.sort_by_cached_key(|claim| place(workspace, claim));
    }
    drafts
}

/// Where the repair of a claim stands among the commands of its oldest evidence.
fn place(workspace: &Workspace<'_>, claim: &SupportedClaim) -> (usize, String) {
    let position = || {
        let oldest = claim.support.first()?;
        let work = workspace.works.get(workspace.at(oldest)?)?;
        let repair = claim.claim.templates().first().copied()?.clone();
        let runs = |command| repair.matches(command);
        work.segment.actions().position(|(_, action)| action.command().is_some_and(runs))
    };
    (position().unwrap_or(usize::MAX), claim.claim.to_string())
}

/// Whether half of the sessions of the smaller side, both ascending, are on the other side as well.
fn overlaps(a: &[u32], b: &[u32]) -> bool {
    let fewer = a.len().min(b.len());
    fewer > 0 && common(a, b) * 2 >= fewer
}

/// How many sessions are in both, both ascending.
fn common(a: &[u32], b: &[u32]) -> usize {
    a.iter().filter(|session| b.binary_search(session).is_ok()).count()
}
