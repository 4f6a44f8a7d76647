//! **Prevention**: a check passes more often where another command ran before it.
//!
//! - Situation: a session runs a check for the first time since files changed. Action: the other command ran
//!   between, as the tree stands. Outcome: the check passes. One case a session and side.
//! - Candidates: commands that repair the check's failures, and those that format, before a check of style.
//! - Proof: exact test within repository and assistant ([`stratified_tail`]).
//! - Null: which run passed, among the runs of one family and repository.

use std::collections::{BTreeMap, BTreeSet};

use super::super::claim::{Claim, SupportedClaim};
use super::super::evidence::Counts;
use super::super::evidence::significance::stratified_tail;
use super::super::evidence::timeline::Timeline;
use super::super::matcher::Matcher;
use super::super::outcome::Outcome;
use super::super::segment::claimable;
use super::super::template::Template;
use super::{Proposed, Sessions, Verdict, judged};
use crate::event::Status;
use crate::shell::command::Command;
use crate::shell::family::Family;

/// A first run of a check as the tree stands.
struct Case {
    session: usize,
    /// The place of what ran before it, if it did.
    before: Option<usize>,
    run: usize,
    passed: bool,
}

/// What prevents failures and stands: of these pairs of a check and its repair, and of formatters before checks of
/// style.
pub(super) fn preventions(
    sessions: &Sessions<'_>,
    repaired: BTreeSet<(Template, Template)>,
) -> (Vec<Proposed>, Vec<(Proposed, Verdict)>) {
    let mut pairs = repaired;
    pairs.extend(styles(sessions));
    judged(pairs.iter().filter_map(|(check, first)| propose(sessions, check, first)).collect(), 0)
}

/// Every check of style with every formatter that sessions of its repository ran.
fn styles(sessions: &Sessions<'_>) -> BTreeSet<(Template, Template)> {
    type Ran<'c> = BTreeMap<&'c str, (BTreeSet<usize>, Vec<&'c Command>)>;
    let mut by_project: BTreeMap<&str, (Ran<'_>, Ran<'_>)> = BTreeMap::new();
    for (session, timeline) in sessions.timelines.iter().enumerate() {
        let (checks, formatters) = by_project.entry(timeline.project()).or_default();
        for command in timeline.steps.iter().filter_map(|step| claimable(step.action)) {
            let ran = match command.family() {
                Family::Lint => &mut *checks,
                Family::Format => &mut *formatters,
                _ => continue,
            };
            let (by, runs) = ran.entry(command.identity()).or_default();
            by.insert(session);
            runs.push(command);
        }
    }
    let mut pairs = BTreeSet::new();
    let usual = |ran: Ran<'_>| -> Vec<Template> {
        let often = ran.into_values().filter(|(by, _)| by.len() >= super::FEWEST_TREATED as usize);
        often.filter_map(|(_, runs)| Template::of(&runs)).collect()
    };
    for (checks, formatters) in by_project.into_values() {
        let formatters = usual(formatters);
        for check in usual(checks) {
            pairs.extend(formatters.iter().map(|first| (check.clone(), first.clone())));
        }
    }
    pairs
}

/// The claim with its counts; `None` where nothing speaks for it.
fn propose(sessions: &Sessions<'_>, check: &Template, first: &Template) -> Option<Proposed> {
    let mut strata: BTreeMap<(&str, &str), Counts> = BTreeMap::new();
    let mut counts = Counts::default();
    let (mut support, mut against, mut untreated, mut treated) = (vec![], vec![], vec![], vec![]);
    let mut ran: Vec<usize> =
        sessions.runs_of(check.program()?).iter().map(|(session, _)| *session).collect();
    ran.dedup();
    let (of_check, of_first) = (Matcher::of(check), Matcher::of(first));
    for session in ran {
        let timeline = sessions.timelines.get(session)?;
        for case in cases(session, timeline, &of_check, &of_first) {
            let key = (timeline.project(), timeline.work.session.assistant.as_str());
            strata.entry(key).or_default().add(case.before.is_some(), case.passed);
            counts.add(case.before.is_some(), case.passed);
            let steps: Vec<usize> = case.before.into_iter().chain([case.run]).collect();
            let outcome = if case.passed { Outcome::Accepted } else { Outcome::Rejected };
            let shown = timeline.evidence(sessions.works, &steps, outcome);
            match (case.before, case.passed) {
                (Some(_), true) => support.extend(shown),
                (Some(_), false) => against.extend(shown),
                (None, _) => untreated.extend(shown),
            }
            treated.extend(case.before.map(|_| case.session));
        }
    }
    if counts.treated_rate() <= counts.untreated_rate() {
        return None;
    }
    support.sort();
    against.sort();
    untreated.sort_by_key(|evidence| (evidence.outcome, evidence.clone()));
    let claim = SupportedClaim {
        claim: Claim::Prevent { command: check.clone(), first: first.clone() },
        failures: Vec::new(),
        counts,
        chance: stratified_tail(&strata.into_values().collect::<Vec<_>>()),
        support,
        against,
        place: 0,
        untreated,
    };
    Some(Proposed { claim, treated })
}

/// The first case of a session with the other command before the check, and the first without.
fn cases(session: usize, timeline: &Timeline<'_>, check: &Matcher<'_>, first: &Matcher<'_>) -> Vec<Case> {
    let mut found: BTreeMap<bool, Case> = BTreeMap::new();
    let mut last: Option<(u32, u32)> = None;
    let mut before: Option<(usize, (u32, u32))> = None;
    for (at, step) in timeline.steps.iter().enumerate().filter(|(_, step)| !step.action.refused) {
        let now = (step.turn, step.changes);
        if step.action.status == Status::Ok && first.is_run_by(step.action) {
            before = Some((at, now));
        }
        if step.action.status == Status::Unknown || !check.is_run_by(step.action) {
            continue;
        }
        let is_first = last.replace(now) != Some(now);
        if is_first {
            let before = before.filter(|(_, then)| *then == now).map(|(at, _)| at);
            let passed = step.action.status == Status::Ok;
            let case = Case { session, before, run: at, passed };
            found.entry(before.is_some()).or_insert(case);
        }
    }
    found.into_values().collect()
}
