//! **Behind a pipe**: a check fails, and its call reports success.
//!
//! - Situation: a check failed, as its output says. Action: a filter stood behind it (`make lint | tail`). Outcome: the
//!   call ended with the filter's exit status, and so reported no failure. A command line that cannot work at all (no such
//!   program, subcommand or task) is no failure of the check.
//! - Proof: binomial against the rate at which failures without a filter go unreported in this repository, since some tools
//!   never report one. Three sessions must show such a failure, and four of five of those in which the check failed behind
//!   a filter. A claim counts the failures of its own check and names the filters that hid them.
//! - A check that never ran without a filter is left out if another of its family that did has the claim: it may be a part
//!   of that.
//! - Null: which failures were reported, among the failed checks of a repository.

use std::collections::{BTreeMap, BTreeSet};

use super::super::claim::{Claim, SupportedClaim};
use super::super::session::claimable::claimable;
use super::super::session::outcome::Outcome;
use super::super::significance::Counts;
use super::super::significance::{PRIOR_RATE, binomial_tail, shrunk};
use super::super::template::Template;
use super::{FEWEST_TREATED, Proposed, Sessions, Shuffle, Verdict, judged, number};
use crate::event::Status;
use crate::shell::command::Command;
use crate::shell::family::Family;
use crate::shell::signature::says_nothing_ran;

/// The most checks of a repository that are named: those with the most hidden failures.
const MOST_CHECKS: usize = 4;

/// The checks of one repository.
#[derive(Default)]
struct Checks<'a> {
    failed: Vec<Failed<'a>>,
    /// Those that ran without a filter at some time, by identity.
    bare: BTreeSet<&'a str>,
}

/// A check that failed.
struct Failed<'a> {
    session: usize,
    at: usize,
    command: &'a Command,
    piped: bool,
    /// The filter's program.
    filter: &'a str,
    hid: bool,
}

/// The checks whose failures pipes hide, and those of which that is not proved.
pub(in super::super) fn pipes(
    sessions: &Sessions<'_>,
    mut shuffle: Option<&mut Shuffle>,
) -> (Vec<Proposed>, Vec<(Proposed, Verdict)>) {
    let (mut standing, mut fallen) = (Vec::new(), Vec::new());
    for (_, Checks { mut failed, bare }) in by_project(sessions) {
        if let Some(shuffle) = shuffle.as_deref_mut() {
            shuffle.deal(&mut failed, |one| &mut one.hid);
        }
        let (mut stand, fall) = judged(of_project(sessions, &failed, &bare), 0);
        stand.sort_by(|a, b| {
            let with = |one: &Proposed| one.claim.counts.treated_with;
            with(b).cmp(&with(a)).then_with(|| a.claim.claim.cmp(&b.claim.claim))
        });
        stand.truncate(MOST_CHECKS);
        standing.extend(stand);
        fallen.extend(fall);
    }
    (standing, fallen)
}

/// The checks of each repository.
fn by_project<'a>(sessions: &Sessions<'a>) -> BTreeMap<&'a str, Checks<'a>> {
    let mut projects: BTreeMap<&str, Checks<'_>> = BTreeMap::new();
    for (session, timeline) in sessions.timelines.iter().enumerate() {
        for (at, step) in timeline.steps.iter().enumerate() {
            let action = step.action;
            let Some(command) = claimable(action).filter(|command| command.is_check()) else { continue };
            if action.refused || action.signature.as_deref().is_some_and(says_nothing_ran) {
                continue;
            }
            let checks = projects.entry(timeline.project()).or_default();
            if !action.piped {
                checks.bare.insert(command.identity());
            }
            if action.status == Status::Error {
                let (piped, filter, hid) = (action.piped, &*action.filter, action.hid);
                checks.failed.push(Failed { session, at, command, piped, filter, hid });
            }
        }
    }
    projects
}

fn of_project(sessions: &Sessions<'_>, failed: &[Failed<'_>], bare: &BTreeSet<&str>) -> Vec<Proposed> {
    let mut plain: BTreeMap<usize, bool> = BTreeMap::new();
    for one in failed.iter().filter(|one| !one.piped) {
        *plain.entry(one.session).or_default() |= one.hid;
    }
    let seen = unpiped(&plain);
    if seen.untreated() < FEWEST_TREATED {
        return Vec::new();
    }
    let rate = shrunk((seen.untreated_with, seen.untreated()), PRIOR_RATE).max(seen.untreated_rate());
    let mut by_check: BTreeMap<&str, Vec<&Failed<'_>>> = BTreeMap::new();
    for one in failed.iter().filter(|one| one.piped) {
        by_check.entry(one.command.identity()).or_default().push(one);
    }
    let families: BTreeSet<Family> = by_check
        .iter()
        .filter(|(check, by)| bare.contains(*check) && hidden(by).len() >= FEWEST_TREATED as usize)
        .filter_map(|(_, by)| Some(by.first()?.command.family()))
        .filter(|family| family.is_check())
        .collect();
    let may_be_a_part = |check: &str, by: &[&Failed<'_>]| {
        !bare.contains(check) && by.first().is_some_and(|one| families.contains(&one.command.family()))
    };
    by_check.retain(|check, by| !may_be_a_part(check, by));
    let own = |check: &str| {
        let mut plain: BTreeMap<usize, bool> = BTreeMap::new();
        for one in failed.iter().filter(|one| !one.piped && one.command.identity() == check) {
            *plain.entry(one.session).or_default() |= one.hid;
        }
        unpiped(&plain)
    };
    by_check.into_iter().filter_map(|(check, by)| propose(sessions, &by, own(check), rate)).collect()
}

/// Of sessions in which checks failed without a filter, in how many that was not reported.
fn unpiped(plain: &BTreeMap<usize, bool>) -> Counts {
    let unreported = number(plain.values().filter(|hid| **hid).count());
    let untreated_without = number(plain.len()) - unreported;
    Counts { untreated_with: unreported, untreated_without, ..Counts::default() }
}

/// The filters that hid failures, those of most sessions first.
fn filters(by: &[&Failed<'_>]) -> Vec<String> {
    let mut sessions: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for one in by.iter().filter(|one| one.hid && !one.filter.is_empty()) {
        sessions.entry(one.filter).or_default().insert(one.session);
    }
    let mut filters: Vec<(usize, &str)> = sessions.into_iter().map(|(name, by)| (by.len(), name)).collect();
    filters.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    filters.into_iter().map(|(_, name)| name.to_owned()).collect()
}

/// The sessions in which a filter hid a failure.
fn hidden(by: &[&Failed<'_>]) -> BTreeSet<usize> {
    by.iter().filter(|one| one.hid).map(|one| one.session).collect()
}

fn propose(sessions: &Sessions<'_>, by: &[&Failed<'_>], mut counts: Counts, rate: f64) -> Option<Proposed> {
    let mut of_session: BTreeMap<usize, &Failed<'_>> = BTreeMap::new();
    for one in by {
        let known = of_session.entry(one.session).or_insert(one);
        if one.hid && !known.hid {
            *known = one;
        }
    }
    let (mut support, mut against) = (Vec::new(), Vec::new());
    for one in of_session.values() {
        counts.add(true, one.hid);
        let timeline = sessions.timelines.get(one.session)?;
        let outcome = if one.hid { Outcome::Accepted } else { Outcome::Rejected };
        let side = if one.hid { &mut support } else { &mut against };
        side.extend(timeline.evidence(sessions.works, &[one.at], outcome));
    }
    // A filter hides every failure, or it does not hide them.
    if counts.treated_with * 5 < counts.treated() * 4 {
        return None;
    }
    support.sort();
    against.sort();
    let commands: Vec<&Command> = by.iter().map(|one| one.command).collect();
    let claim = SupportedClaim {
        claim: Claim::Piped { run: Template::of(&commands)? },
        failures: filters(by),
        counts,
        p_value: binomial_tail(counts.treated_with, counts.treated(), rate),
        support,
        against,
        place: 0,
        untreated: Vec::new(),
    };
    Some(Proposed { claim, treated: hidden(by).into_iter().collect() })
}
