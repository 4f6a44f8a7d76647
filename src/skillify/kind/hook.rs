//! **Hook**: a commit runs a check by itself.
//!
//! - Situation: a commit is made. Outcome: it prints the script that a check of the repository prints, so a hook runs
//!   that check.
//! - A script belongs to a check that prints it in three of four sessions, and in at least three. If several checks do, it
//!   belongs to the one that prints the fewest other scripts, since a check that prints more runs more; then to the one
//!   that prints it most often.
//! - *Prevent* says which check stops most commits. Among commits that reached a check, those made after the check ran on
//!   the same tree fail at it less often than the others, and at least three sessions failed at it. A hook ends at the first
//!   failure, so the last script that a failed commit prints is the one that failed.
//! - Proof: binomial against the rate at which other commands of the repository print the script. At least a third of the
//!   commits that print any script must print it.
//! - Null: which run printed which scripts, within a repository.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::super::claim::{COMMIT, Claim, Evidence, SupportedClaim};
use super::super::evidence::segment_ref::SegmentRef;
use super::super::evidence::timeline::{Step, Timeline};
use super::super::session::action::{Action, What};
use super::super::session::claimable::claimable;
use super::super::session::event_ids::EventIds;
use super::super::session::outcome::Outcome;
use super::super::significance::Counts;
use super::super::significance::{PRIOR_RATE, binomial_tail, shrunk, stratified_tail};
use super::super::template::Template;
use super::{FEWEST_TREATED, Proposed, Sessions, Shuffle, Verdict, judged, number};
use crate::event::Status;
use crate::shell::command::Command;

/// A run that printed scripts: of a check, or of a commit.
struct Printed<'a> {
    session: usize,
    /// Its place in the session.
    at: usize,
    failed: bool,
    work: &'a SegmentRef<'a>,
    /// `None`: a commit.
    check: Option<&'a Command>,
    events: &'a EventIds,
    scripts: &'a [String],
}

/// The checks that commits run, and what is not proved to be one.
pub(in super::super) fn hooks(
    sessions: &Sessions<'_>,
    mut shuffle: Option<&mut Shuffle>,
) -> (Vec<Proposed>, Vec<(Proposed, Verdict)>) {
    let mut projects: BTreeMap<&str, Vec<Printed<'_>>> = BTreeMap::new();
    for (session, timeline) in sessions.timelines.iter().enumerate() {
        let steps = timeline.steps.iter().enumerate();
        for (at, step) in steps.filter(|(_, step)| !step.action.scripts.is_empty()) {
            let (Some(work), Some(check)) = (sessions.works.get(step.work), check_of(step.action)) else {
                continue;
            };
            let (events, scripts) = (&step.action.events, &*step.action.scripts);
            let failed = step.action.status == Status::Error;
            let printed = Printed { session, at, failed, work, check, events, scripts };
            projects.entry(timeline.project()).or_default().push(printed);
        }
    }
    let (mut standing, mut fallen) = (Vec::new(), Vec::new());
    for mut printed in projects.into_values() {
        if let Some(shuffle) = shuffle.as_deref_mut() {
            shuffle.deal(&mut printed, |one| &mut one.scripts);
        }
        let owners = owners(&printed);
        let (stand, fall) = judged(of_project(&printed, &owners), 0);
        let run: BTreeSet<String> =
            stand.iter().filter_map(|one| one.claim.claim.about()).map(ToString::to_string).collect();
        standing.extend(stand);
        fallen.extend(fall);
        let (mut stand, fall) = judged(preventions(sessions, &printed, &owners), 0);
        stand.retain(|one| one.claim.claim.asks_for().is_some_and(|check| run.contains(&check.to_string())));
        standing.extend(stand);
        fallen.extend(fall);
    }
    (standing, fallen)
}

/// The check that ran, or that it was a commit; `None` of anything else.
fn check_of(action: &Action) -> Option<Option<&Command>> {
    if action.refused {
        return None;
    }
    match &action.what {
        What::Opaque(token) | What::Unsaid(token) => (token == "git commit").then_some(None),
        What::Command(command) if command.verb() == ["git", "commit"] => Some(None),
        What::Command(_) => claimable(action).filter(|command| command.is_check()).map(Some),
        _ => None,
    }
}

/// Of each script the check that it belongs to.
type Owners<'a> = BTreeMap<&'a str, &'a Command>;

fn is_of(one: &Printed<'_>, name: &str) -> bool {
    one.check.is_some_and(|check| check.identity() == name)
}

fn owners<'a>(printed: &[Printed<'a>]) -> Owners<'a> {
    let mut checks: BTreeMap<&str, &Command> = BTreeMap::new();
    for command in printed.iter().filter_map(|one| one.check) {
        checks.entry(command.identity()).or_insert(command);
    }
    // By script: how many scripts its check prints, in how many sessions it prints this one, and the check.
    let mut owners: BTreeMap<&str, (Reverse<usize>, usize, &Command)> = BTreeMap::new();
    for (name, check) in checks {
        let own: Vec<&Printed<'_>> = printed.iter().filter(|one| is_of(one, name)).collect();
        let usual = usual_scripts(&own);
        for (script, times) in &usual {
            let owner = (Reverse(usual.len()), *times, check);
            if owners.get(script).is_none_or(|known| {
                (owner.0, owner.1, owner.2.identity()) > (known.0, known.1, known.2.identity())
            }) {
                owners.insert(script, owner);
            }
        }
    }
    owners.into_iter().map(|(script, (.., check))| (script, check)).collect()
}

fn of_project(printed: &[Printed<'_>], owners: &Owners<'_>) -> Vec<Proposed> {
    let sessions = |wanted: &dyn Fn(&&Printed<'_>) -> bool| -> BTreeSet<usize> {
        printed.iter().filter(wanted).map(|one| one.session).collect()
    };
    let commits = sessions(&|one| one.check.is_none()).len();
    let mut proposed: BTreeMap<&str, Proposed> = BTreeMap::new();
    for (script, check) in owners {
        let name = check.identity();
        let shows = |one: &&Printed<'_>| one.scripts.iter().any(|own| own == script);
        let others = sessions(&|one| one.check.is_some() && !is_of(one, name));
        let shown = sessions(&|one| one.check.is_some() && !is_of(one, name) && shows(one));
        let rate = shrunk((number(shown.len()), number(others.len())), PRIOR_RATE);
        let by: Vec<&Printed<'_>> = printed.iter().filter(|one| one.check.is_none() && shows(one)).collect();
        let Some(mut one) = propose(check, &by, commits, rate) else { continue };
        one.claim.place = usual_place(&by, script);
        let is_more = |known: &Proposed| one.claim.counts.treated_with > known.claim.counts.treated_with;
        if proposed.get(name).is_none_or(is_more) {
            proposed.insert(name, one);
        }
    }
    proposed.into_values().collect()
}

/// Where a script stands among those that commits print, in tenths: hooks run their checks in one order.
fn usual_place(by: &[&Printed<'_>], script: &str) -> u32 {
    let places = by.iter().filter_map(|one| one.scripts.iter().position(|own| own == script));
    let places: Vec<usize> = places.collect();
    number(places.iter().sum::<usize>() * 10 / places.len().max(1))
}

/// The checks at which commits fail that they did not run on before.
fn preventions(sessions: &Sessions<'_>, printed: &[Printed<'_>], owners: &Owners<'_>) -> Vec<Proposed> {
    let checks: BTreeMap<&str, &Command> = owners.values().map(|check| (check.identity(), *check)).collect();
    let commits = || printed.iter().filter(|one| one.check.is_none());
    let of = |script: &String| owners.get(script.as_str()).map(|check| check.identity());
    let proposed = checks.into_iter().filter_map(|(name, check)| {
        // One commit of each session that reached the check; a failed one first.
        let mut cases: BTreeMap<usize, (&Printed<'_>, bool)> = BTreeMap::new();
        for commit in commits().filter(|one| one.scripts.iter().any(|script| of(script) == Some(name))) {
            let ended = commit.failed && commit.scripts.last().and_then(of) == Some(name);
            let known = cases.entry(commit.session).or_insert((commit, ended));
            if ended && !known.1 {
                *known = (commit, ended);
            }
        }
        prevention(sessions, check, &cases)
    });
    proposed.collect()
}

fn prevention(
    sessions: &Sessions<'_>,
    check: &Command,
    cases: &BTreeMap<usize, (&Printed<'_>, bool)>,
) -> Option<Proposed> {
    let mut counts = Counts::default();
    let (mut support, mut against, mut untreated, mut treated) = (vec![], vec![], vec![], vec![]);
    for (session, (commit, ended)) in cases {
        let timeline = sessions.timelines.get(*session)?;
        let ran = ran_before(timeline, check, commit.at);
        counts.add(ran.is_some(), !ended);
        let outcome = if *ended { Outcome::Rejected } else { Outcome::Accepted };
        let steps: Vec<usize> = ran.into_iter().chain([commit.at]).collect();
        let side = match (ran, ended) {
            (None, _) => &mut untreated,
            (Some(_), false) => &mut support,
            (Some(_), true) => &mut against,
        };
        side.extend(timeline.evidence(sessions.works, &steps, outcome));
        treated.extend(ran.map(|_| *session));
    }
    let fails = |with: u32, without: u32| f64::from(without) / f64::from((with + without).max(1));
    let (with, without) = (
        fails(counts.treated_with, counts.treated_without),
        fails(counts.untreated_with, counts.untreated_without),
    );
    let is_rare = counts.untreated_without < FEWEST_TREATED.max(counts.treated_without + 1);
    if is_rare || with * 2.0 > without {
        return None;
    }
    for side in [&mut support, &mut against, &mut untreated] {
        side.sort();
    }
    untreated.sort_by_key(|evidence| evidence.outcome != Outcome::Rejected);
    untreated.truncate(3);
    let commit = Template::parse(COMMIT)?;
    let claim = SupportedClaim {
        claim: Claim::Prevent { command: commit, first: Template::of(&[check])? },
        failures: Vec::new(),
        counts,
        p_value: stratified_tail(&[counts]),
        support,
        against,
        place: 0,
        untreated,
    };
    Some(Proposed { claim, treated })
}

/// The last run of a check before a step, on the tree as it is there.
fn ran_before(timeline: &Timeline<'_>, check: &Command, at: usize) -> Option<usize> {
    let changes = timeline.step(at)?.changes;
    let is_it = |step: &Step<'_>| {
        let ran = claimable(step.action).is_some_and(|own| own.identity() == check.identity());
        ran && !step.action.refused && step.changes == changes
    };
    timeline.steps.get(..at)?.iter().rposition(is_it)
}

/// The scripts that the runs of one check print in three of four sessions, and in how many.
fn usual_scripts<'a>(own: &[&Printed<'a>]) -> Vec<(&'a str, usize)> {
    let all = own.iter().map(|one| one.session).collect::<BTreeSet<_>>().len();
    let mut sessions: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for one in own {
        one.scripts.iter().for_each(|script| {
            sessions.entry(script).or_default().insert(one.session);
        });
    }
    let times = sessions.into_iter().map(|(script, sessions)| (script, sessions.len()));
    times.filter(|(_, times)| *times >= FEWEST_TREATED as usize && times * 4 >= all * 3).collect()
}

fn propose(check: &Command, by: &[&Printed<'_>], commits: usize, rate: f64) -> Option<Proposed> {
    let mut first: BTreeMap<usize, &Printed<'_>> = BTreeMap::new();
    for one in by {
        first.entry(one.session).or_insert(one);
    }
    if first.is_empty() || first.len() * 3 < commits {
        return None;
    }
    let shown = |one: &&Printed<'_>| one.work.evidence_of(one.events.to_vec(), Outcome::Accepted);
    let mut support: Vec<Evidence> = first.values().map(shown).collect();
    support.sort();
    let counts = Counts {
        treated_with: number(first.len()),
        treated_without: number(commits.saturating_sub(first.len())),
        ..Counts::default()
    };
    let claim = SupportedClaim {
        claim: Claim::Hook { run: Template::of(&[check])? },
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
