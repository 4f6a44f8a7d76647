//! **Rule of the tools**: a check rejects new code again and again by one of its rules.
//!
//! - Situation: a check fails and names a rule. Action: the session edits files. Outcome: the check runs again and no longer
//!   names it. What was broken before the session began, and stays so, is not counted.
//! - Support: three sessions, and one in ten of those whose run of the check failed. No chance is computed:
//!   the claim says what the tool printed.

use std::collections::{BTreeMap, BTreeSet};

use super::super::claim::{Claim, SupportedClaim};
use super::super::evidence::Counts;
use super::super::evidence::timeline::Timeline;
use super::super::outcome::Outcome;
use super::super::segment::claimable;
use super::super::template::Template;
use super::{FEWEST_TREATED, Proposed, Sessions, Verdict};
use crate::event::Status;
use crate::shell::command::Command;

/// A rule is told if so many of the sessions in which the check failed broke it: one in ten.
const SHARE: u32 = 10;
/// So many rules of one check are told.
const MOST_RULES: usize = 6;

/// A rule that one session broke.
#[derive(Clone, Copy)]
struct Broken<'a> {
    session: usize,
    command: &'a Command,
    failed: usize,
    /// The run that no longer names it.
    passed: Option<usize>,
}

/// The rules that checks reject most.
pub(in super::super) fn rejections(sessions: &Sessions<'_>) -> (Vec<Proposed>, Vec<(Proposed, Verdict)>) {
    let mut broken: BTreeMap<(&str, &str), Vec<Broken<'_>>> = BTreeMap::new();
    let mut failing: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for (session, timeline) in sessions.timelines.iter().enumerate() {
        for (rule, one) in of_session(session, timeline) {
            failing.entry(timeline.project()).or_default().insert(session);
            broken.entry((timeline.project(), rule)).or_default().push(one);
        }
    }
    let (mut standing, mut fallen): (Vec<Proposed>, Vec<(Proposed, Verdict)>) = (Vec::new(), Vec::new());
    let mut told: BTreeMap<(&str, Template), usize> = BTreeMap::new();
    let mut rules: Vec<((&str, &str), Vec<Broken<'_>>)> = broken.into_iter().collect();
    rules.sort_by_key(|(_, by)| std::cmp::Reverse(by.iter().filter(|one| one.passed.is_some()).count()));
    for ((project, rule), by) in rules {
        let Some(proposed) = propose(sessions, rule, &by) else { continue };
        let failed = failing.get(project).map_or(0, BTreeSet::len);
        let with = proposed.claim.counts.treated_with;
        if with < FEWEST_TREATED {
            fallen.push((proposed, Verdict::Few));
            continue;
        }
        if with * SHARE < u32::try_from(failed).unwrap_or(u32::MAX) {
            continue;
        }
        let Claim::Rejects { run, .. } = &proposed.claim.claim else { continue };
        let told = told.entry((project, run.clone())).or_default();
        *told += 1;
        if *told <= MOST_RULES {
            standing.push(proposed);
        }
    }
    (standing, fallen)
}

/// Of each rule that a session broke, the first time.
fn of_session<'a>(session: usize, timeline: &Timeline<'a>) -> BTreeMap<&'a str, Broken<'a>> {
    let mut broken: BTreeMap<&str, Broken<'_>> = BTreeMap::new();
    for (at, step) in timeline.steps.iter().enumerate() {
        let Some(command) = claimable(step.action) else { continue };
        let rules = &step.action.rules;
        for one in broken.values_mut().filter(|one| one.passed.is_none()) {
            let changed = timeline.step(one.failed).is_some_and(|failed| failed.changes < step.changes);
            let same = one.command.family() == command.family();
            if !same || !changed {
                continue;
            }
            let Some(rule) = timeline.step(one.failed).map(|failed| &failed.action.rules) else { continue };
            let is_named = |known: &String| rules.contains(known);
            let tells = step.action.status == Status::Ok
                || (step.action.status == Status::Error && !rules.is_empty() && !rule.iter().any(is_named));
            if tells {
                one.passed = Some(at);
            }
        }
        for rule in rules {
            broken.entry(rule).or_insert(Broken { session, command, failed: at, passed: None });
        }
    }
    broken
}

fn propose(sessions: &Sessions<'_>, rule: &str, by: &[Broken<'_>]) -> Option<Proposed> {
    let mut commands: BTreeMap<&str, Vec<&Command>> = BTreeMap::new();
    for one in by {
        commands.entry(one.command.identity()).or_default().push(one.command);
    }
    let (_, runs) = commands.into_iter().max_by_key(|(_, runs)| runs.len())?;
    let (mut support, mut against, mut treated) = (Vec::new(), Vec::new(), Vec::new());
    let mut counts = Counts::default();
    for one in by {
        let timeline = sessions.timelines.get(one.session)?;
        let steps: Vec<usize> = std::iter::once(one.failed).chain(one.passed).collect();
        let outcome = if one.passed.is_some() { Outcome::Accepted } else { Outcome::Rejected };
        let side = if one.passed.is_some() { &mut support } else { &mut against };
        side.extend(timeline.evidence(sessions.works, &steps, outcome));
        counts.add(true, one.passed.is_some());
        treated.extend(one.passed.map(|_| one.session));
    }
    support.sort();
    against.sort();
    let claim = SupportedClaim {
        claim: Claim::Rejects { run: Template::of(&runs)?, rule: rule.to_owned() },
        failures: Vec::new(),
        counts,
        chance: 0.0,
        support,
        against,
        place: 0,
        untreated: Vec::new(),
    };
    Some(Proposed { claim, treated })
}
