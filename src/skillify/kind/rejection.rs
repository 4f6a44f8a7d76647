//! **Rule of the tools**: a check rejects new code again and again by one of its rules.
//!
//! - Situation: a check fails and names a rule. Action: the session edits files. Outcome: the check runs again and no longer
//!   names the rule, because it was fixed or silenced. What was broken before the session and stays broken does not count.
//! - Support: three sessions, more than those that leave it broken; one in ten of those in which such a check named a rule;
//!   and one in twenty of those that ran such a check. No test is computed: the claim says what the tool printed.
//! - The line names every rule that most sessions broke. If most sessions, or a third of them, silence a rule with a
//!   comment, the line says that instead of what the rule asks for. If that holds for all rules of a check, there is no
//!   line. A linter that bundles many rules is not named: nobody would know what to write.

use std::collections::{BTreeMap, BTreeSet};

use super::super::claim::{Claim, SupportedClaim};
use super::super::evidence::timeline::Timeline;
use super::super::session::claimable::claimable;
use super::super::session::outcome::Outcome;
use super::super::significance::Counts;
use super::super::template::Template;
use super::rule_meaning::is_bundle;
use super::{FEWEST_TREATED, Proposed, Sessions, Verdict, number};
use crate::event::Status;
use crate::shell::command::Command;
use crate::shell::family::Family;
use crate::shell::rule_code::EVERY_RULE;

/// A lint rule is named if one in this many sessions, of those in which the check named a rule, broke it.
const SHARE: u32 = 10;
/// It must also be broken by one in this many of all sessions that ran the check. Rarer ones are known to all.
const SHARE_OF_ALL: u32 = 20;
/// What is noted of a rule that most sessions silence.
pub(in super::super) const SILENCED: &str = "silenced";
/// What is noted of a rule that a third of the sessions silence.
pub(in super::super) const PARTLY: &str = "partly silenced";
/// The most lint rules of one check that are named.
const MOST_RULES: usize = 4;

/// A rule that one session broke.
#[derive(Clone, Copy)]
struct Broken<'a> {
    session: usize,
    command: &'a Command,
    failed: usize,
    /// The run that no longer names it.
    passed: Option<usize>,
    /// The session told the tool to be silent of the rule.
    is_silenced: bool,
}

impl Broken<'_> {
    const fn is_fixed(&self) -> bool {
        self.passed.is_some()
    }

    const fn is_rewritten(&self) -> bool {
        self.is_fixed() && !self.is_silenced
    }
}

/// The rules that checks reject most.
pub(in super::super) fn rejections(sessions: &Sessions<'_>) -> (Vec<Proposed>, Vec<(Proposed, Verdict)>) {
    let mut broken: BTreeMap<(&str, &str), Vec<Broken<'_>>> = BTreeMap::new();
    let mut failing: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    let mut running: BTreeMap<(&str, Family), u32> = BTreeMap::new();
    for (session, timeline) in sessions.timelines.iter().enumerate() {
        for family in checks_of(timeline) {
            *running.entry((timeline.project(), family)).or_default() += 1;
        }
        for (rule, one) in of_session(session, timeline) {
            failing.entry(timeline.project()).or_default().insert(session);
            broken.entry((timeline.project(), rule)).or_default().push(one);
        }
    }
    let (mut standing, mut fallen): (Vec<Proposed>, Vec<(Proposed, Verdict)>) = (Vec::new(), Vec::new());
    let mut told: BTreeMap<(&str, Template), usize> = BTreeMap::new();
    let mut rules: Vec<((&str, &str), Vec<Broken<'_>>)> = broken.into_iter().collect();
    rules.sort_by_cached_key(|(_, by)| {
        let calls: usize = by.iter().map(|one| calls(sessions, one)).sum();
        std::cmp::Reverse((by.iter().filter(|one| one.is_fixed()).count(), calls))
    });
    for ((project, rule), by) in rules.into_iter().filter(|((_, rule), _)| !is_bundle(rule)) {
        let Some(mut proposed) = propose(sessions, rule, &by) else { continue };
        let failed = failing.get(project).map_or(0, BTreeSet::len);
        let family = by.first().map_or(Family::Other, |one| one.command.family());
        let ran = running.get(&(project, family)).copied().unwrap_or_default();
        let with = proposed.claim.counts.treated_with;
        if with < FEWEST_TREATED {
            fallen.push((proposed, Verdict::Few));
            continue;
        }
        let rewritten = number(by.iter().filter(|one| one.is_rewritten()).count());
        let note = match () {
            () if rewritten * 2 < with => Some(SILENCED),
            () if rewritten * 3 < with * 2 => Some(PARTLY),
            () => None,
        };
        proposed.claim.failures = note.into_iter().map(str::to_owned).collect();
        proposed.claim.counts.untreated_without = ran.saturating_sub(proposed.claim.counts.treated());
        let is_rare = with * SHARE < number(failed) || with * SHARE_OF_ALL < ran;
        if is_rare || with <= proposed.claim.counts.treated_without {
            continue;
        }
        let Claim::Rejects { run, .. } = &proposed.claim.claim else { continue };
        let told = told.entry((project, run.clone())).or_default();
        *told += 1;
        if *told <= MOST_RULES {
            standing.push(proposed);
        }
    }
    standing.sort_by(|a, b| {
        let with = |one: &Proposed| one.claim.counts.treated_with;
        with(b).cmp(&with(a)).then_with(|| a.claim.claim.cmp(&b.claim.claim))
    });
    let mut standing = without_idle_checks(standing);
    for (place, one) in standing.iter_mut().enumerate() {
        one.claim.place = number(place);
    }
    (standing, fallen)
}

/// The rules of checks for which sessions fix at least one rule. If all are silenced, nobody can write code that passes.
fn without_idle_checks(mut standing: Vec<Proposed>) -> Vec<Proposed> {
    let run = |one: &Proposed| one.claim.claim.about().cloned();
    let is_fixed = |one: &&Proposed| !one.claim.failures.iter().any(|note| note == SILENCED);
    let useful: BTreeSet<Option<Template>> = standing.iter().filter(is_fixed).map(run).collect();
    standing.retain(|one| useful.contains(&run(one)));
    standing
}

/// How many calls a session made from the failure until the check no longer named the rule.
fn calls(sessions: &Sessions<'_>, broken: &Broken<'_>) -> usize {
    let Some(timeline) = sessions.timelines.get(broken.session) else { return 0 };
    let last = broken.passed.unwrap_or(broken.failed);
    (broken.failed + 1..=last).filter(|at| !timeline.is_one_call(at - 1, *at)).count()
}

/// The families of the checks that a session ran.
fn checks_of(timeline: &Timeline<'_>) -> BTreeSet<Family> {
    let ran = timeline.steps.iter().filter_map(|step| claimable(step.action));
    ran.map(Command::family).filter(|family| family.is_check()).collect()
}

/// Of each rule that a session broke, the first time.
fn of_session<'a>(session: usize, timeline: &Timeline<'a>) -> BTreeMap<&'a str, Broken<'a>> {
    let mut broken: BTreeMap<&str, Broken<'_>> = BTreeMap::new();
    for (at, step) in timeline.steps.iter().enumerate() {
        let rules = &step.action.rules;
        if step.action.edited().is_some() {
            let silences = |rule: &str| rules.iter().any(|name| name == rule || name == EVERY_RULE);
            for (_, one) in broken.iter_mut().filter(|(rule, one)| one.passed.is_none() && silences(rule)) {
                one.is_silenced = true;
            }
            continue;
        }
        let Some(command) = claimable(step.action) else { continue };
        for (name, one) in broken.iter_mut().filter(|(_, one)| one.passed.is_none()) {
            let changed = timeline.step(one.failed).is_some_and(|failed| failed.changes < step.changes);
            let same = one.command.family() == command.family();
            if !same || !changed {
                continue;
            }
            let is_named = rules.iter().any(|rule| rule == name);
            let tells = step.action.status == Status::Ok
                || (step.action.status == Status::Error && !rules.is_empty() && !is_named);
            if tells {
                one.passed = Some(at);
            }
        }
        for rule in rules {
            broken.entry(rule).or_insert(Broken {
                session,
                command,
                failed: at,
                passed: None,
                is_silenced: false,
            });
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
        let outcome = if one.is_fixed() { Outcome::Accepted } else { Outcome::Rejected };
        let side = if one.is_fixed() { &mut support } else { &mut against };
        side.extend(timeline.evidence(sessions.works, &steps, outcome));
        counts.add(true, one.is_fixed());
        treated.extend(one.is_fixed().then_some(one.session));
    }
    support.sort();
    against.sort();
    let claim = SupportedClaim {
        claim: Claim::Rejects { run: Template::of(&runs)?, rule: rule.to_owned() },
        failures: Vec::new(),
        counts,
        p_value: 0.0,
        support,
        against,
        place: 0,
        untreated: Vec::new(),
    };
    Some(Proposed { claim, treated })
}
