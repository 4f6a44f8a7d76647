//! **Slow**: a check runs into the time limit.
//!
//! - Situation: a session runs a check. Outcome: its call says that it timed out. It never finishes in this repository.
//! - The claim says what finishes if two sessions ran the same command with something added, and it finished.
//! - Proof: binomial against the rate at which other checks of the repository time out.
//! - Null: which run ended how, among the runs of one family and repository.

use std::collections::{BTreeMap, BTreeSet};

use super::super::claim::{Claim, SupportedClaim};
use super::super::session::claimable::claimable;
use super::super::session::outcome::Outcome;
use super::super::significance::Counts;
use super::super::significance::{PRIOR_RATE, binomial_tail, shrunk};
use super::super::template::Template;
use super::{Proposed, Sessions, Verdict, judged, number};
use crate::event::Status;
use crate::shell::command::Command;
use crate::shell::signature;

/// A run whose end is known.
struct Run<'a> {
    session: usize,
    at: usize,
    command: &'a Command,
    timed_out: bool,
}

/// The checks that run into the time limit.
pub(in super::super) fn slow_ones(sessions: &Sessions<'_>) -> (Vec<Proposed>, Vec<(Proposed, Verdict)>) {
    let mut projects: BTreeMap<&str, BTreeMap<&str, Vec<Run<'_>>>> = BTreeMap::new();
    for (session, timeline) in sessions.timelines.iter().enumerate() {
        for (at, step) in timeline.steps.iter().enumerate() {
            let action = step.action;
            let Some(command) = claimable(action).filter(|command| command.is_check()) else { continue };
            if action.refused || action.status == Status::Unknown {
                continue;
            }
            let timed_out = action.status == Status::Error
                && action.signature.as_deref().is_some_and(signature::says_it_took_too_long);
            let of_project = projects.entry(timeline.project()).or_default();
            of_project.entry(command.identity()).or_default().push(Run { session, at, command, timed_out });
        }
    }
    let (mut standing, mut fallen) = (Vec::new(), Vec::new());
    for runs in projects.into_values() {
        let (stand, fall) = judged(of_project(sessions, &runs), 0);
        standing.extend(stand);
        fallen.extend(fall);
    }
    (standing, fallen)
}

fn of_project(sessions: &Sessions<'_>, runs: &BTreeMap<&str, Vec<Run<'_>>>) -> Vec<Proposed> {
    let sessions_of = |runs: &[Run<'_>], timed_out: bool| -> BTreeSet<usize> {
        runs.iter().filter(|run| run.timed_out == timed_out).map(|run| run.session).collect()
    };
    let (mut all, mut late) = (0, 0);
    for of_check in runs.values() {
        let timed_out = sessions_of(of_check, true);
        late += timed_out.len();
        all += timed_out.union(&sessions_of(of_check, false)).count();
    }
    let mut proposed = Vec::new();
    for of_check in runs.values().filter(|runs| runs.iter().all(|run| run.timed_out)) {
        let own = sessions_of(of_check, true).len();
        let rate = shrunk((number(late - own), number(all - own)), PRIOR_RATE);
        proposed.extend(propose(sessions, runs, of_check, rate));
    }
    proposed
}

fn propose(
    sessions: &Sessions<'_>,
    runs: &BTreeMap<&str, Vec<Run<'_>>>,
    of_check: &[Run<'_>],
    rate: f64,
) -> Option<Proposed> {
    let mut first: BTreeMap<usize, &Run<'_>> = BTreeMap::new();
    of_check.iter().for_each(|run| {
        first.entry(run.session).or_insert(run);
    });
    let mut support = Vec::new();
    for run in first.values() {
        let timeline = sessions.timelines.get(run.session)?;
        support.extend(timeline.evidence(sessions.works, &[run.at], Outcome::Accepted));
    }
    support.sort();
    let command = of_check.first()?.command;
    let counts = Counts { treated_with: number(first.len()), ..Counts::default() };
    let commands: Vec<&Command> = of_check.iter().map(|run| run.command).collect();
    let claim = SupportedClaim {
        claim: Claim::Slow { run: Template::of(&commands)?, instead: narrowed(runs, command) },
        failures: Vec::new(),
        counts,
        p_value: binomial_tail(counts.treated_with, counts.treated(), rate),
        support,
        against: Vec::new(),
        place: 0,
        untreated: Vec::new(),
    };
    Some(Proposed { claim, treated: first.into_keys().collect() })
}

/// The command with something added that came to an end in two sessions each time.
fn narrowed(runs: &BTreeMap<&str, Vec<Run<'_>>>, command: &Command) -> Option<Template> {
    let words = command.whole_words();
    let is_part = |other: &Command| {
        let theirs = other.whole_words();
        let mut rest = theirs.iter();
        theirs.len() > words.len()
            && other.setting() == command.setting()
            && words.iter().all(|word| rest.any(|other| other == word))
    };
    let mut ended: BTreeMap<usize, &Command> = BTreeMap::new();
    for of_check in runs.values() {
        let Some(first) = of_check.first().filter(|run| is_part(run.command)) else { continue };
        if of_check.iter().any(|run| run.timed_out) {
            continue;
        }
        of_check.iter().for_each(|run| {
            ended.entry(run.session).or_insert(first.command);
        });
    }
    if ended.len() < 2 {
        return None;
    }
    // A placeholder alone says too little: what is added has to be seen.
    Template::of(&ended.into_values().collect::<Vec<_>>()).filter(Template::is_literal)
}
