//! **Flaky**: a check passes and fails on the same tree.
//!
//! - Situation: a check ran, and ran again in the same turn in the same words, with nothing but reading in between.
//!   Outcome: one run passed and the other failed. A session does not count if any other command ran between two runs on the
//!   same tree: that command may be the cause.
//! - Filters count as words: `go test -run A` says nothing about `go test -run B`.
//! - Proof: binomial against the rate at which other checks of the repository do the same.
//! - Null: which run ended how, among the runs of one family and repository.

use std::collections::{BTreeMap, BTreeSet};

use super::super::claim::{Claim, SupportedClaim};
use super::super::evidence::timeline::Timeline;
use super::super::session::claimable::claimable;
use super::super::session::outcome::Outcome;
use super::super::significance::Counts;
use super::super::significance::{PRIOR_RATE, binomial_tail, shrunk};
use super::super::template::Template;
use super::{Proposed, Sessions, Verdict, judged, number};
use crate::event::Status;
use crate::shell::command::Command;
use crate::shell::signature;

/// What one session shows of a check that ran twice on the same tree.
struct Case<'a> {
    session: usize,
    /// The two runs that tell, as places among the session's steps.
    runs: [usize; 2],
    command: &'a Command,
    is_flaky: bool,
}

/// The checks of a repository, by what makes two runs runs of the same command.
type Checks<'a> = BTreeMap<&'a str, Vec<Case<'a>>>;

/// The checks that pass and fail on the same tree.
pub(in super::super) fn flaky_ones(sessions: &Sessions<'_>) -> (Vec<Proposed>, Vec<(Proposed, Verdict)>) {
    let mut projects: BTreeMap<&str, Checks<'_>> = BTreeMap::new();
    for (session, timeline) in sessions.timelines.iter().enumerate() {
        for case in of_session(session, timeline) {
            let checks = projects.entry(timeline.project()).or_default();
            checks.entry(case.command.identity()).or_default().push(case);
        }
    }
    let (mut standing, mut fallen) = (Vec::new(), Vec::new());
    for checks in projects.into_values() {
        let (stand, fall) = judged(of_project(sessions, &checks), 0);
        standing.extend(stand);
        fallen.extend(fall);
    }
    (standing, fallen)
}

/// A case for each check that the session ran twice on the same tree: a pair that ended differently, else the first.
fn of_session<'a>(session: usize, timeline: &Timeline<'a>) -> Vec<Case<'a>> {
    let mut last: BTreeMap<(&str, String), usize> = BTreeMap::new();
    let mut cases: BTreeMap<&str, Case<'a>> = BTreeMap::new();
    let mut tried: BTreeSet<&str> = BTreeSet::new();
    for (at, step) in timeline.steps.iter().enumerate() {
        let action = step.action;
        let Some(command) = claimable(action).filter(|command| command.is_check()) else { continue };
        let never_began = action.signature.as_deref().is_some_and(signature::says_the_program_is_missing);
        if action.refused || action.status == Status::Unknown || step.is_rejected || never_began {
            continue;
        }
        let Some(before) = last.insert((&action.agent, command.text()), at) else { continue };
        match between(timeline, before, at) {
            Between::Nothing => {}
            // An attempt in between may take effect later, whatever it printed.
            Between::Something => {
                tried.insert(command.identity());
                continue;
            }
            Between::Work => continue,
        }
        let is_flaky = timeline.step(before).is_some_and(|earlier| earlier.action.status != action.status);
        let is_news = cases.get(command.identity()).is_none_or(|known| is_flaky && !known.is_flaky);
        if is_news {
            cases.insert(command.identity(), Case { session, runs: [before, at], command, is_flaky });
        }
    }
    cases.retain(|name, _| !tried.contains(name));
    cases.into_values().collect()
}

/// What stands between two runs.
enum Between {
    /// Nothing but reading, which no digest keeps.
    Nothing,
    /// A command.
    Something,
    /// Another tree, or a person's word.
    Work,
}

fn between(timeline: &Timeline<'_>, from: usize, to: usize) -> Between {
    let (Some(first), Some(second)) = (timeline.step(from), timeline.step(to)) else { return Between::Work };
    if first.work != second.work || first.turn != second.turn || first.changes != second.changes {
        return Between::Work;
    }
    if from + 1 == to { Between::Nothing } else { Between::Something }
}

fn of_project(sessions: &Sessions<'_>, checks: &Checks<'_>) -> Vec<Proposed> {
    let flaky = |cases: &[Case<'_>]| number(cases.iter().filter(|case| case.is_flaky).count());
    let all =
        checks.values().fold((0, 0), |(with, all), cases| (with + flaky(cases), all + number(cases.len())));
    let mut proposed = Vec::new();
    for cases in checks.values() {
        let own = (flaky(cases), number(cases.len()));
        if own.0 > 0 {
            let others = (all.0.saturating_sub(own.0), all.1.saturating_sub(own.1));
            proposed.extend(propose(sessions, cases, shrunk(others, PRIOR_RATE)));
        }
    }
    proposed
}

fn propose(sessions: &Sessions<'_>, cases: &[Case<'_>], rate: f64) -> Option<Proposed> {
    let (mut support, mut against) = (Vec::new(), Vec::new());
    for case in cases {
        let timeline = sessions.timelines.get(case.session)?;
        let (side, outcome) =
            if case.is_flaky { (&mut support, Outcome::Accepted) } else { (&mut against, Outcome::Rejected) };
        side.extend(timeline.evidence(sessions.works, &case.runs, outcome));
    }
    support.sort();
    against.sort();
    let flaky = cases.iter().filter(|case| case.is_flaky);
    let commands: Vec<&Command> = flaky.clone().map(|case| case.command).collect();
    let counts = Counts {
        treated_with: number(commands.len()),
        treated_without: number(cases.len() - commands.len()),
        ..Counts::default()
    };
    let claim = SupportedClaim {
        claim: Claim::Flaky { run: Template::of(&commands)? },
        failures: Vec::new(),
        counts,
        p_value: binomial_tail(counts.treated_with, counts.treated(), rate),
        support,
        against,
        place: 0,
        untreated: Vec::new(),
    };
    Some(Proposed { claim, treated: flaky.map(|case| case.session).collect() })
}
