//! **Prevention**: a check passes more often where another command ran before it.
//!
//! - Situation: a session runs a check for the first time since files changed. Action: the other command ran
//!   between, as the tree stands. Outcome: the check passes. One case a session and side.
//! - Candidates: commands that repair the check's failures, and those that format, before a check of style.
//! - Proof: exact test within repository and assistant ([`stratified_tail`]).
//! - Null: which run passed, among the runs of one family and repository.

use std::collections::{BTreeMap, BTreeSet};

use super::super::claim::{Claim, Evidence, SupportedClaim};
use super::super::evidence::timeline::Timeline;
use super::super::session::claimable::claimable;
use super::super::session::outcome::Outcome;
use super::super::significance::Counts;
use super::super::significance::stratified_tail;
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

/// Preventions that stand: of these pairs of a check and its repair, and of formatters before style checks.
pub(super) fn preventions(
    sessions: &Sessions<'_>,
    repaired: BTreeSet<(Template, Template)>,
) -> (Vec<Proposed>, Vec<(Proposed, Verdict)>) {
    let mut pairs = repaired;
    pairs.extend(styles(sessions));
    let runs = Runs::of(sessions, pairs.iter().flat_map(|(check, first)| [check, first]));
    judged(pairs.iter().filter_map(|(check, first)| propose(sessions, &runs, check, first)).collect(), 0)
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

/// Where templates were run: of each the sessions and steps, ascending.
struct Runs<'t>(BTreeMap<&'t Template, Vec<(usize, usize)>>);

impl<'t> Runs<'t> {
    fn of(sessions: &Sessions<'_>, templates: impl Iterator<Item = &'t Template>) -> Self {
        let mut runs: BTreeMap<&Template, Vec<(usize, usize)>> = BTreeMap::new();
        for template in templates {
            runs.entry(template).or_insert_with(|| runs_of(sessions, template));
        }
        Self(runs)
    }

    fn all(&self, template: &Template) -> &[(usize, usize)] {
        self.0.get(template).map_or(&[], Vec::as_slice)
    }

    /// Those of one session.
    fn within(&self, template: &Template, session: usize) -> &[(usize, usize)] {
        let all = self.all(template);
        let from = all.partition_point(|(of, _)| *of < session);
        let to = all.partition_point(|(of, _)| *of <= session);
        all.get(from..to).unwrap_or_default()
    }
}

fn runs_of(sessions: &Sessions<'_>, template: &Template) -> Vec<(usize, usize)> {
    let Some(program) = template.program() else { return Vec::new() };
    let runs =
        sessions.runs_of(program).iter().filter(|runs| !runs.is_tool && template.matches(runs.command));
    let mut places: Vec<(usize, usize)> = runs.flat_map(|runs| &runs.places).copied().collect();
    places.sort_unstable();
    places
}

/// The claim with its counts; `None` where nothing speaks for it.
fn propose(sessions: &Sessions<'_>, runs: &Runs<'_>, check: &Template, first: &Template) -> Option<Proposed> {
    let mut strata: BTreeMap<(&str, &str), Counts> = BTreeMap::new();
    let mut counts = Counts::default();
    let mut found = Vec::new();
    let mut ran: Vec<usize> = runs.all(check).iter().map(|(session, _)| *session).collect();
    ran.dedup();
    for session in ran {
        let timeline = sessions.timelines.get(session)?;
        for case in cases(session, timeline, runs.within(check, session), runs.within(first, session)) {
            let key = (timeline.project(), timeline.work.session.assistant.as_str());
            strata.entry(key).or_default().add(case.before.is_some(), case.passed);
            counts.add(case.before.is_some(), case.passed);
            found.push(case);
        }
    }
    if counts.treated_rate() <= counts.untreated_rate() {
        return None;
    }
    let show = |is_treated: bool, passed: bool, most: usize| -> Vec<Evidence> {
        let of_cell =
            found.iter().filter(|case| (case.before.is_some(), case.passed) == (is_treated, passed));
        let shown = of_cell.take(most).filter_map(|case| {
            let steps: Vec<usize> = case.before.into_iter().chain([case.run]).collect();
            let outcome = if case.passed { Outcome::Accepted } else { Outcome::Rejected };
            sessions.timelines.get(case.session)?.evidence(sessions.works, &steps, outcome)
        });
        let mut shown: Vec<Evidence> = shown.collect();
        shown.sort();
        shown
    };
    let untreated = [show(false, true, MOST_UNTREATED), show(false, false, MOST_UNTREATED)].concat();
    let claim = SupportedClaim {
        claim: Claim::Prevent { command: check.clone(), first: first.clone() },
        failures: Vec::new(),
        counts,
        p_value: stratified_tail(&strata.into_values().collect::<Vec<_>>()),
        support: show(true, true, usize::MAX),
        against: show(true, false, usize::MAX),
        place: 0,
        untreated,
    };
    let treated = found.iter().filter(|case| case.before.is_some()).map(|case| case.session).collect();
    Some(Proposed { claim, treated })
}

/// So many sessions of a cell without the action are shown.
const MOST_UNTREATED: usize = 3;

/// The first case of a session with the other command before the check, and the first without; given where each
/// of both was run.
fn cases(
    session: usize,
    timeline: &Timeline<'_>,
    checks: &[(usize, usize)],
    firsts: &[(usize, usize)],
) -> Vec<Case> {
    let mut found: BTreeMap<bool, Case> = BTreeMap::new();
    let mut last: Option<(u32, u32)> = None;
    for (_, at) in checks {
        let Some(step) = timeline.step(*at) else { continue };
        if step.action.refused || step.action.status == Status::Unknown {
            continue;
        }
        let now = (step.turn, step.changes);
        if last.replace(now) == Some(now) {
            continue;
        }
        let before = firsts.get(..firsts.partition_point(|(_, first)| first < at)).unwrap_or_default();
        let ran = before.iter().rev().find_map(|(_, first)| {
            let step = timeline
                .step(*first)
                .filter(|step| !step.action.refused && step.action.status == Status::Ok)?;
            Some((*first, (step.turn, step.changes)))
        });
        let before = ran.filter(|(_, then)| *then == now).map(|(first, _)| first);
        let passed = step.action.status == Status::Ok;
        found.entry(before.is_some()).or_insert(Case { session, before, run: *at, passed });
    }
    found.into_values().collect()
}
