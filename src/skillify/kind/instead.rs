//! **Instead**: a command cannot work here, and another did its work.
//!
//! - Situation: a command fails with an error that says that it cannot work as it is written: the program,
//!   subcommand, flag, script or skill does not exist. It never passes in this repository.
//! - Action: within the same turn, before any file is edited, another command does its work: the same words
//!   without a wrapper, with a flag or word exchanged, on the same files, or of the same family.
//! - Outcome: that command passes, or it is a check that found something.
//! - Proof: binomial against the rate at which such a command passes by itself.
//! - Null: which run passed and how the others failed, among the runs of one family and repository.

use std::collections::{BTreeMap, BTreeSet};

use super::super::claim::{Claim, SupportedClaim};
use super::super::evidence::timeline::Timeline;
use super::super::session::claimable::repairable;
use super::super::session::outcome::Outcome;
use super::super::significance::Counts;
use super::super::significance::{base_rate, binomial_tail};
use super::super::template::Template;
use super::comparable::{self, Pair};
use super::variant::added;
use super::{Proposed, Sessions, Verdict, judged, number, program_of};
use crate::event::Status;
use crate::shell::command::Command;
use crate::shell::family::Family;
use crate::shell::flag::{is_flag, is_manner};
use crate::shell::signature;

/// So many steps after a failure its replacement is looked for.
const MOST_STEPS: usize = 8;

/// Words of many commands that say nothing of what one is about.
const COMMON_WORDS: &[&str] = &[
    "build", "check", "cargo", "command", "commit", "docker", "exec", "install", "lint", "list", "make",
    "origin", "push", "python", "python3", "pytest", "start", "status", "test", "tests", "update",
];

/// How two commands do the same work, the surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Relation {
    /// The same words without the first ones, which wrap them.
    Unwrapped(usize),
    /// The same words and something added.
    Varied,
    /// The same words but for one or two.
    Exchanged,
    /// The same files.
    SameFiles,
    /// Another program for the same kind of work.
    SameFamily,
    /// The word that both are about.
    SameWord,
}

/// A command that could not work, and the one that came for it.
#[derive(Clone, Copy)]
struct Case<'a> {
    session: usize,
    failed: (usize, &'a Command),
    by: (usize, &'a Command),
    relation: Relation,
    worked: bool,
}

impl<'a> Pair<'a> for Case<'a> {
    fn one(&self) -> &'a Command {
        self.failed.1
    }

    fn other(&self) -> &'a Command {
        self.by.1
    }

    fn session(&self) -> usize {
        self.session
    }
}

/// The replacements that stand, and those that do not.
pub(in super::super) fn replacements(sessions: &Sessions<'_>) -> (Vec<Proposed>, Vec<(Proposed, Verdict)>) {
    let timelines = &sessions.timelines;
    let mut cases: Vec<Case<'_>> = Vec::new();
    for (session, timeline) in timelines.iter().enumerate() {
        cases.extend(of_session(session, timeline));
    }
    let mut by_project: BTreeMap<&str, Vec<Case<'_>>> = BTreeMap::new();
    for case in cases {
        let project = timelines.get(case.session).map_or("", |timeline| timeline.project());
        by_project.entry(project).or_default().push(case);
    }
    let proposed = by_project.into_iter().flat_map(|(project, cases)| of_project(sessions, project, cases));
    judged(proposed.collect(), 0)
}

fn is_missing(signature: Option<&str>) -> bool {
    signature.is_some_and(signature::says_a_tool_is_missing)
}

fn of_session<'a>(session: usize, timeline: &Timeline<'a>) -> Vec<Case<'a>> {
    let mut found = Vec::new();
    for (at, step) in timeline.steps.iter().enumerate() {
        if step.action.status != Status::Error || step.action.refused {
            continue;
        }
        let cannot_work = is_missing(step.action.signature.as_deref());
        let Some(failed) = repairable(step.action) else { continue };
        let later = timeline.steps.iter().enumerate().skip(at + 1).take(MOST_STEPS);
        let later = later.take_while(|(_, later)| later.turn == step.turn && later.changes == step.changes);
        let mut best: Option<Case<'_>> = None;
        for (place, later) in later {
            let Some(by) = repairable(later.action).filter(|_| !later.action.refused) else { continue };
            if by.text() == failed.text() {
                break;
            }
            let relation = if cannot_work { relation(failed, by) } else { varied(failed, by) };
            let Some(relation) = relation else {
                // Anything else that ran may be what made the difference.
                if !cannot_work && !by.family().is_check() {
                    break;
                }
                continue;
            };
            // A runner that says what it did not find has run.
            let signature = later.action.signature.as_deref();
            let missing = signature.is_some_and(signature::says_the_program_is_missing)
                || (is_missing(signature) && signature == step.action.signature.as_deref());
            let ran = by.family().is_check() && later.action.status == Status::Error && !missing;
            let worked = later.action.status == Status::Ok || ran;
            if best.is_none_or(|best| {
                (!best.worked && worked) || (best.worked == worked && relation < best.relation)
            }) {
                best = Some(Case { session, failed: (at, failed), by: (place, by), relation, worked });
            }
        }
        found.extend(best);
    }
    found
}

/// Whether the second is the first with something added that can be a remedy.
fn varied(failed: &Command, by: &Command) -> Option<Relation> {
    added(by, failed).map(|_| Relation::Varied)
}

/// How the second does the work of the first, if it does.
fn relation(failed: &Command, by: &Command) -> Option<Relation> {
    let words = |command: &Command| -> Vec<String> {
        command.whole_words().into_iter().filter(|word| !is_manner(word)).map(str::to_owned).collect()
    };
    let (theirs, own) = (words(failed), words(by));
    if added(by, failed).is_some() {
        return Some(Relation::Varied);
    }
    for wrapper in 1..=2 {
        if theirs.len() > wrapper && theirs.get(wrapper..) == Some(&own) {
            return Some(Relation::Unwrapped(wrapper));
        }
        if own.len() > 1 && theirs.get(wrapper) == own.first() && theirs.get(wrapper + 1) == own.get(1) {
            return Some(Relation::Unwrapped(wrapper));
        }
    }
    if failed.core() == by.core() && failed.setting() == by.setting() && theirs.len() == own.len() {
        return (theirs != own).then_some(Relation::Exchanged);
    }
    if theirs.first() == own.first() && differing(&theirs, &own) <= 2 {
        return Some(Relation::Exchanged);
    }
    let files = |words: &[String]| -> BTreeSet<String> {
        let files = words.iter().skip(1).filter(|word| !is_flag(word) && word.contains(['/', '.']));
        files.cloned().collect()
    };
    if files(&theirs).intersection(&files(&own)).next().is_some() {
        return Some(Relation::SameFiles);
    }
    let kind = failed.family();
    let is_telling = matches!(kind, Family::Test | Family::Lint | Family::TypeCheck | Family::Format);
    if is_telling && kind == by.family() && theirs.first() != own.first() {
        return Some(Relation::SameFamily);
    }
    // `/commit` and `git commit`; `manage.py report` and `app report`.
    let about = |word: &&String| {
        let word = word.trim_start_matches('/');
        word.len() >= 4
            && !is_flag(word)
            && !COMMON_WORDS.contains(&word)
            && own.iter().any(|own| own.trim_start_matches('/') == word)
    };
    theirs.iter().find(about).map(|_| Relation::SameWord)
}

/// How many words stand in one of the lines alone, at most.
fn differing(one: &[String], other: &[String]) -> usize {
    let only = |a: &[String], b: &[String]| a.iter().filter(|word| !b.contains(word)).count();
    only(one, other).max(only(other, one))
}

fn of_project(sessions: &Sessions<'_>, project: &str, cases: Vec<Case<'_>>) -> Vec<Proposed> {
    let mut claims: BTreeMap<Claim, Vec<Case<'_>>> = BTreeMap::new();
    let mut unwrapped: BTreeMap<(Vec<String>, Vec<String>), Vec<Case<'_>>> = BTreeMap::new();
    let mut others = Vec::new();
    for case in cases {
        match case.relation {
            Relation::Unwrapped(wrapper) => {
                let word = |command: &Command, many: usize| -> Vec<String> {
                    command.whole_words().into_iter().take(many).map(str::to_owned).collect()
                };
                let key = (word(case.failed.1, wrapper + 1), word(case.by.1, 1));
                unwrapped.entry(key).or_default().push(case);
            }
            _ => others.push(case),
        }
    }
    for ((failed, run), part) in unwrapped {
        // One command is shown whole; of several, their common beginning.
        let mut runs: Vec<Vec<&str>> = part.iter().map(|case| case.failed.1.core()).collect();
        runs.sort_unstable();
        runs.dedup();
        if runs.len() == 1 {
            others.extend(part);
            continue;
        }
        let words = |words: &[String]| Template::of_words(words);
        if let Some((failed, run)) = words(&failed).zip(words(&run)) {
            claims.entry(Claim::Instead { run, failed }).or_default().extend(part);
        }
    }
    for part in comparable::wholes(others) {
        if let Some((failed, run)) = comparable::templates(&part)
            && failed != run
        {
            claims.entry(Claim::Instead { run, failed }).or_default().extend(part);
        }
    }
    let proposed = claims.into_iter().filter_map(|(claim, part)| propose(sessions, project, claim, &part));
    proposed.collect()
}

/// The claim with its counts; `None` if what cannot work has worked in the repository.
fn propose(sessions: &Sessions<'_>, project: &str, claim: Claim, part: &[Case<'_>]) -> Option<Proposed> {
    let Claim::Instead { failed, .. } = &claim else { return None };
    let plain = own_runs(sessions, project, failed, part);
    if plain.0 > 0 {
        return None;
    }
    let mut seen = BTreeSet::new();
    let firsts: Vec<&Case<'_>> = part.iter().filter(|case| seen.insert(case.session)).collect();
    let (mut support, mut against, mut failures) = (Vec::new(), Vec::new(), BTreeMap::new());
    // Who had something else do the work is counted there.
    let mut counts =
        Counts { untreated_without: plain.1.saturating_sub(number(firsts.len())), ..Counts::default() };
    for case in &firsts {
        let Some(timeline) = sessions.timelines.get(case.session) else { continue };
        counts.add(true, case.worked);
        let outcome = if case.worked { Outcome::Accepted } else { Outcome::Rejected };
        let shown = timeline.evidence(sessions.works, &[case.failed.0, case.by.0], outcome);
        if case.worked {
            support.extend(shown)
        } else {
            against.extend(shown)
        }
        let signature = timeline.step(case.failed.0).and_then(|step| step.action.signature.clone());
        signature.into_iter().for_each(|name| *failures.entry(name).or_insert(0_usize) += 1);
    }
    support.sort();
    against.sort();
    let rate = base_rate(plain, plain, (0, 0));
    let p_value = binomial_tail(counts.treated_with, counts.treated(), rate);
    let mut failures: Vec<(usize, String)> =
        failures.into_iter().map(|(name, times)| (times, name)).collect();
    failures.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let treated = firsts.iter().map(|case| case.session).collect();
    let failures = failures.into_iter().take(1).map(|(_, name)| name).collect();
    let claim = SupportedClaim {
        claim,
        failures,
        counts,
        p_value,
        support,
        against,
        place: 0,
        untreated: Vec::new(),
    };
    Some(Proposed { claim, treated })
}

/// Whether a failure says that the program is not there, whatever it is given.
fn is_of_the_program(signature: &str) -> bool {
    matches!(signature, "command not found" | "executable file not found" | "no module named")
}

/// Sessions in which the unchanged command passed, and those in which it only failed.
fn own_runs(sessions: &Sessions<'_>, project: &str, failed: &Template, part: &[Case<'_>]) -> (u32, u32) {
    let is_short = failed.begins_all(part.iter().map(|case| case.failed.1));
    let wrapped = |command: &Command| command.setting().wrapper.clone();
    let wrapper = part.first().and_then(|case| wrapped(case.failed.1));
    let is_missing = part.iter().all(|case| {
        let timeline = sessions.timelines.get(case.session);
        let failed = timeline.and_then(|timeline| timeline.step(case.failed.0));
        failed.is_some_and(|step| step.action.signature.as_deref().is_some_and(is_of_the_program))
    });
    let is_run = |command: &Command| {
        if is_missing && !is_short {
            return failed.runs_as(command) && wrapped(command) == wrapper;
        }
        if is_short {
            failed.begins(command)
        } else {
            failed.is_as_it_is(command) && wrapped(command) == wrapper
        }
    };
    let program = part.first().map_or("", |case| program_of(case.failed.1));
    let mut best: BTreeMap<usize, Status> = BTreeMap::new();
    let runs = sessions.runs_of(program).iter().filter(|runs| is_run(runs.command));
    for (session, at) in runs.flat_map(|runs| &runs.places) {
        let Some(timeline) = sessions.timelines.get(*session) else { continue };
        let step = timeline.step(*at).filter(|step| timeline.project() == project && !step.action.refused);
        if let Some(step) = step {
            let known = best.entry(*session).or_default();
            *known = known.at_best(step.action.status);
        }
    }
    let ended = |status| number(best.values().filter(|own| **own == status).count());
    (ended(Status::Ok), ended(Status::Error))
}
