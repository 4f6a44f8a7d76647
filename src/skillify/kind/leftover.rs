//! **Leftover**: checks fail in files that nobody edits, until those are removed.
//!
//! - Situation: a check, or the commit that runs it, failed and named a path. Action: the session removed that path.
//!   Outcome: the next check or commit passed. No session of the repository edits a file below the folder.
//! - Proof: binomial. Among sessions that removed something in this way, those that removed it in this folder are compared
//!   with the folder's share of all paths that sessions look at.
//! - Null: which path was removed, among all that were looked at, within a repository.

use std::collections::{BTreeMap, BTreeSet};

use super::super::claim::{Claim, SupportedClaim};
use super::super::evidence::segment_ref::session_of;
use super::super::evidence::timeline::Timeline;
use super::super::session::action::{Action, What};
use super::super::session::event_ids::EventIds;
use super::super::session::outcome::Outcome;
use super::super::session::printed_scripts::is_commit;
use super::super::session::search_result::Found;
use super::super::significance::Counts;
use super::super::significance::{PRIOR_RATE, binomial_tail, shrunk};
use super::super::template::Template;
use super::{Proposed, Sessions, Shuffle, Verdict, judged, number};
use crate::event::Status;

/// A path that a session looked at, or removed because a check failed there.
struct Seen<'a> {
    session: usize,
    path: &'a str,
    /// The events of the call that removed it.
    removed: Option<&'a EventIds>,
}

/// What is left over in which folders.
pub(in super::super) fn leftovers(
    sessions: &Sessions<'_>,
    mut shuffle: Option<&mut Shuffle>,
) -> (Vec<Proposed>, Vec<(Proposed, Verdict)>) {
    let (mut standing, mut fallen) = (Vec::new(), Vec::new());
    for (project, mut seen) in by_project(sessions) {
        if seen.iter().all(|one| one.removed.is_none()) {
            continue;
        }
        if let Some(shuffle) = shuffle.as_deref_mut() {
            shuffle.deal(&mut seen, |one| &mut one.path);
        }
        let (stand, fall) = judged(of_project(sessions, project, &seen).into_iter().collect(), 0);
        standing.extend(stand);
        fallen.extend(fall);
    }
    (standing, fallen)
}

fn by_project<'a>(sessions: &Sessions<'a>) -> BTreeMap<&'a str, Vec<Seen<'a>>> {
    let places = sessions.places();
    let mut projects: BTreeMap<&str, Vec<Seen<'_>>> = BTreeMap::new();
    for work in sessions.works {
        let Some(session) = places.get(&session_of(work)).copied() else { continue };
        let seen = projects.entry(&work.session.project).or_default();
        seen.extend(work.segment.looks.iter().filter_map(|look| match &look.found {
            Found::LeftOver(path) => Some(Seen { session, path, removed: Some(&look.events) }),
            Found::Present(path) | Found::Missing(path) => Some(Seen { session, path, removed: None }),
            _ => None,
        }));
    }
    projects
}

/// The folder below the root in which most sessions removed something; of several that hold as much the narrowest.
fn of_project(sessions: &Sessions<'_>, project: &str, seen: &[Seen<'_>]) -> Option<Proposed> {
    let mut folders: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for one in seen.iter().filter(|one| one.removed.is_some()) {
        let above = std::iter::successors(Some(one.path), |path| path.rsplit_once('/').map(|(up, _)| up));
        above.filter(|folder| folder.contains('/')).for_each(|folder| {
            folders.entry(folder).or_default().insert(one.session);
        });
    }
    let removing = seen.iter().filter(|one| one.removed.is_some()).map(|one| one.session);
    let removing = number(removing.collect::<BTreeSet<usize>>().len());
    let (folder, by) = folders.into_iter().max_by_key(|(folder, by)| (by.len(), folder.len()))?;
    let own = |timeline: &&Timeline<'_>| timeline.project() == project;
    let mut steps = sessions.timelines.iter().filter(own).flat_map(|timeline| &timeline.steps);
    if steps.any(|step| step.action.edited().is_some_and(|path| is_below(folder, path))) {
        return None;
    }
    let (mut support, mut against, mut treated) = (Vec::new(), Vec::new(), Vec::new());
    let mut counts = Counts::default();
    for session in by {
        let timeline = sessions.timelines.get(session)?;
        let removed = seen.iter().filter(|one| one.session == session && is_below(folder, one.path));
        let Some((steps, passed)) = removed.filter_map(|one| ended(timeline, one.removed?)).next() else {
            continue;
        };
        counts.add(true, passed);
        treated.push(session);
        let (side, outcome) =
            if passed { (&mut support, Outcome::Accepted) } else { (&mut against, Outcome::Rejected) };
        side.extend(timeline.evidence(sessions.works, &steps, outcome));
    }
    support.sort();
    against.sort();
    let below = seen.iter().filter(|one| is_below(folder, one.path)).count();
    let rate = shrunk((number(below), number(seen.len())), PRIOR_RATE);
    let claim = SupportedClaim {
        claim: Claim::Leftover {
            folder: Template::parse_path(folder),
            remove: Template::parse(&format!("rm -rf {folder}/{{name}}"))?,
        },
        failures: Vec::new(),
        counts,
        p_value: binomial_tail(counts.treated_with, removing.max(counts.treated()), rate),
        support,
        against,
        place: 0,
        untreated: Vec::new(),
    };
    Some(Proposed { claim, treated })
}

fn is_below(folder: &str, path: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The check that failed before the removal, the removal, and the first check after it whose end is known; and whether
/// that passed.
fn ended(timeline: &Timeline<'_>, removed: &EventIds) -> Option<(Vec<usize>, bool)> {
    let at = timeline.steps.iter().position(|step| step.action.events == *removed)?;
    let checks = |at: &usize| timeline.step(*at).is_some_and(|step| is_check(step.action));
    let failed = (0..at).rev().find(checks)?;
    let status = |at: usize| timeline.step(at).map_or(Status::Unknown, |step| step.action.status);
    let told = (at + 1..timeline.steps.len()).filter(checks).find(|at| status(*at) != Status::Unknown)?;
    Some((vec![failed, at, told], status(told) == Status::Ok))
}

/// Whether it checks something, or makes a commit, which may do so.
fn is_check(action: &Action) -> bool {
    match &action.what {
        What::Command(command) => command.is_check() || is_commit(command),
        What::Opaque(token) | What::Unsaid(token) => token == "git commit",
        _ => false,
    }
}
