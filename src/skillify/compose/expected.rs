//! What a claim is expected to save: how often its trouble comes, what following it changes, and what that costs.
//!
//! - **How often**: [`super::super::adherence`] counts, in the newer half of the repository's sessions, those that met the
//!   situation and did not do what the claim says. If none of them shows anything, the claim's own counts decide.
//! - **What it changes**: the share that ends well of those that followed it, less that of the others. If either is
//!   unknown, [`USUAL_EFFECT`].
//! - **What it costs**: a number of calls by kind ([`cost`]): medians of recorded sessions of two teams. A person's
//!   correction counts as six calls.
//!
//! The figures rank claims and skills. They prove nothing: counts and tests do.

use std::collections::{BTreeMap, BTreeSet};

use super::super::adherence::{Later, Recently, Watched};
use super::super::claim::{Claim, SupportedClaim};
use super::super::digest::Digest;
use super::super::evidence::segment_ref::SegmentRef;
use super::super::session::action::Action;
use super::super::template::Template;

/// So many of a repository's newest sessions are looked at, at most.
const MOST_SESSIONS: usize = 2_000;

/// What following a claim changes where nobody knows.
const USUAL_EFFECT: f64 = 0.5;

impl Recently {
    /// What the claim's trouble cost sessions, in calls.
    #[allow(clippy::cast_precision_loss, reason = "numbers of sessions")]
    pub fn lost(claim: &Claim, later: &Later) -> f64 {
        troubled(claim, later) as f64 * cost(claim)
    }
}

/// A session of the newer half, with what was done in it.
type Newer<'a> = (&'a Digest, Vec<&'a Action>);

/// The newer halves of the sessions of each repository.
pub(in crate::skillify) struct Recent<'a> {
    projects: BTreeMap<&'a str, (String, Vec<Newer<'a>>)>,
    /// All sessions of each.
    all: BTreeMap<&'a str, usize>,
}

impl<'a> Recent<'a> {
    pub(in crate::skillify) fn of(works: &[SegmentRef<'a>]) -> Self {
        let mut projects: BTreeMap<&str, BTreeMap<usize, &Digest>> = BTreeMap::new();
        for work in works {
            let session = work.session;
            for project in BTreeSet::from(["", session.project.as_str()]) {
                let of_project = projects.entry(project).or_default();
                of_project.insert(std::ptr::from_ref(session).addr(), session);
            }
        }
        let all = projects.iter().map(|(project, sessions)| (*project, sessions.len())).collect();
        let newer = |sessions: BTreeMap<usize, &'a Digest>| {
            let mut sessions: Vec<&Digest> = sessions.into_values().collect();
            sessions.sort_by_key(|digest| {
                (digest.started_at, &digest.tenant, &digest.session, digest.tool_calls)
            });
            let half = (sessions.len() / 2).max(sessions.len().saturating_sub(MOST_SESSIONS));
            // All of a day: then it depends on no order.
            let since = sessions.get(half).map(|digest| digest.started_at.date()).unwrap_or_default();
            let first = sessions.partition_point(|digest| digest.started_at.date() < since);
            let actions = |digest: &&'a Digest| (*digest, digest.all_actions().collect());
            let newer = sessions.get(first..).unwrap_or_default().iter().rev().take(MOST_SESSIONS);
            (since, newer.map(actions).collect())
        };
        let projects = projects.into_iter().map(|(project, sessions)| (project, newer(sessions))).collect();
        Self { projects, all }
    }

    /// What the newer half of its repository's sessions shows of a claim.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded, and not below 0")]
    pub(in crate::skillify) fn shows(&self, claim: &SupportedClaim, steps: &[&Template]) -> Option<Recently> {
        let (since, sessions) = self.projects.get(super::project(claim).as_str())?;
        let watched = Watched { claim: &claim.claim, failures: &claim.failures, steps };
        let mut later = Later::default();
        let seen = sessions.iter().filter_map(|(digest, actions)| watched.seen_among(digest, actions));
        seen.for_each(|seen| later.add(seen));
        let sessions = u64::try_from(sessions.len()).unwrap_or(u64::MAX);
        let mut recently = Recently { since: since.clone(), sessions, later, saves: 0 };
        recently.saves = (self.saves(claim, &recently) * 1000.0).round() as u64;
        Some(recently)
    }

    /// How many calls a session saves on average that is told the claim.
    fn saves(&self, claim: &SupportedClaim, recently: &Recently) -> f64 {
        let of_all = self.all.get(super::project(claim).as_str()).copied().unwrap_or(1);
        let known = Some(recently).filter(|recently| recently.later.met() > 0);
        let troubled = match known {
            Some(recently) => share(troubled(&claim.claim, &recently.later), recently.sessions),
            None => share(u64::from(had_trouble(claim)), u64::try_from(of_all).unwrap_or(u64::MAX)),
        };
        troubled * effect(&claim.claim, known.map(|recently| &recently.later)) * cost(&claim.claim)
    }
}

/// The savings of claims by their own counts over so many sessions, in thousandths of a call each.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded, and not below 0")]
pub(in crate::skillify) fn by_counts(claims: &[SupportedClaim], sessions: usize) -> u32 {
    let sessions = u64::try_from(sessions).unwrap_or(u64::MAX);
    let saves = |claim: &SupportedClaim| {
        share(u64::from(had_trouble(claim)), sessions) * effect(&claim.claim, None) * cost(&claim.claim)
    };
    (claims.iter().map(saves).sum::<f64>() * 1000.0).round() as u32
}

/// A share, drawn a little away from nothing and from all.
#[allow(clippy::cast_precision_loss, reason = "numbers of sessions")]
fn share(part: u64, whole: u64) -> f64 {
    (part as f64 + 0.5) / (whole.max(part) as f64 + 1.0)
}

/// The sessions that had the trouble which a claim saves.
const fn troubled(claim: &Claim, later: &Later) -> u64 {
    match claim {
        // Most runs behind a filter pass, and most checks pass without what prevents their failure.
        Claim::Piped { .. } | Claim::Prevent { .. } => later.broken_ill,
        // Who did the work had to find out how.
        Claim::Run(_) | Claim::Edit(_) => later.met(),
        _ => later.broken,
    }
}

/// The same by the claim's own counts.
const fn had_trouble(claim: &SupportedClaim) -> u32 {
    let counts = &claim.counts;
    match claim.claim {
        Claim::Check { .. } | Claim::Together { .. } => counts.treated_without,
        Claim::Snippet { .. } | Claim::Prevent { .. } => counts.untreated_without,
        _ => counts.treated_with,
    }
}

/// What following a claim changes.
fn effect(claim: &Claim, later: Option<&Later>) -> f64 {
    let ends = matches!(claim, Claim::Repair { .. } | Claim::Prevent { .. } | Claim::Instead { .. });
    let Some(later) = later.filter(|_| ends) else { return USUAL_EFFECT };
    if later.broken_well + later.broken_ill == 0 || later.followed_well + later.followed_ill == 0 {
        return USUAL_EFFECT;
    }
    let followed = share(later.followed_well, later.followed_well + later.followed_ill);
    let broken = share(later.broken_well, later.broken_well + later.broken_ill);
    (followed - broken).max(0.1)
}

/// How many calls the trouble costs that a claim saves.
const fn cost(claim: &Claim) -> f64 {
    match claim {
        Claim::Edit(_) => 0.5,
        Claim::Run(_)
        | Claim::Declared { .. }
        | Claim::NoFlag { .. }
        | Claim::NoSkill { .. }
        | Claim::Hook { .. } => 1.0,
        Claim::Instead { .. } | Claim::Missing { .. } | Claim::Piped { .. } => 2.0,
        Claim::Repair { .. }
        | Claim::Prevent { .. }
        | Claim::Check { .. }
        | Claim::Together { .. }
        | Claim::Flaky { .. }
        | Claim::Lesson { .. }
        | Claim::Leftover { .. }
        | Claim::Snippet { .. } => 3.0,
        Claim::Rejects { .. } | Claim::Changes { .. } => 4.0,
        Claim::Asked { .. } | Claim::Prefer { .. } | Claim::Avoid(_) | Claim::Rule { .. } => 6.0,
        Claim::Slow { .. } => 10.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_breaks_saves_little_and_never_nothing() {
        assert!(share(0, 100) < share(1, 100) && share(0, 100) > 0.0 && share(100, 100) < 1.0);
        let run = Template::parse("make lint").unwrap_or_else(|| Template::parse_path("make"));
        let repair = Claim::Repair { command: run.clone(), repair: run };
        let helps = Later { followed: 9, followed_well: 9, broken: 9, broken_ill: 9, ..Later::default() };
        let idle = Later { followed: 9, followed_well: 9, broken: 9, broken_well: 9, ..Later::default() };
        assert!(effect(&repair, Some(&helps)) > 0.8 && effect(&repair, Some(&idle)) < 0.2);
    }
}
