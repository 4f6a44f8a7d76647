//! **Hook**: a commit runs a check by itself.
//!
//! - Situation: a commit is made. Outcome: it prints the script that a check of the repository prints, so a hook runs
//!   that check.
//! - A script belongs to a check that prints it in three of four sessions, three at least: of several checks to the one that
//!   prints fewest others, for those that print more run more than this; then to the one that prints it most often.
//! - Proof: binomial against the rate at which other commands of the repository print it. A third of the commits that
//!   print any script must print it: hooks end at the first failure.
//! - Null: which run printed which scripts, within a repository.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::super::action::{Action, What};
use super::super::claim::{Claim, Evidence, SupportedClaim};
use super::super::event_ids::EventIds;
use super::super::evidence::Counts;
use super::super::evidence::significance::{PRIOR_RATE, binomial_tail, shrunk};
use super::super::outcome::Outcome;
use super::super::segment::claimable;
use super::super::template::Template;
use super::super::verify::Work;
use super::{FEWEST_TREATED, Proposed, Sessions, Shuffle, Verdict, judged, number};
use crate::shell::command::Command;

/// A run that printed scripts: of a check, or of a commit.
struct Printed<'a> {
    session: usize,
    work: &'a Work<'a>,
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
        for step in timeline.steps.iter().filter(|step| !step.action.scripts.is_empty()) {
            let (Some(work), Some(check)) = (sessions.works.get(step.work), check_of(step.action)) else {
                continue;
            };
            let (events, scripts) = (&step.action.events, &*step.action.scripts);
            let printed = Printed { session, work, check, events, scripts };
            projects.entry(timeline.project()).or_default().push(printed);
        }
    }
    let (mut standing, mut fallen) = (Vec::new(), Vec::new());
    for mut printed in projects.into_values() {
        if let Some(shuffle) = shuffle.as_deref_mut() {
            shuffle.deal(&mut printed, |one| &mut one.scripts);
        }
        let (stand, fall) = judged(of_project(&printed), 0);
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

fn of_project(printed: &[Printed<'_>]) -> Vec<Proposed> {
    let sessions = |wanted: &dyn Fn(&&Printed<'_>) -> bool| -> BTreeSet<usize> {
        printed.iter().filter(wanted).map(|one| one.session).collect()
    };
    let mut checks: BTreeMap<&str, &Command> = BTreeMap::new();
    for command in printed.iter().filter_map(|one| one.check) {
        checks.entry(command.identity()).or_insert(command);
    }
    let is_of = |one: &Printed<'_>, name: &str| one.check.is_some_and(|check| check.identity() == name);
    // By script: how many scripts its check prints, in how many sessions it prints this one, and its name.
    let mut owners: BTreeMap<&str, (Reverse<usize>, usize, &str)> = BTreeMap::new();
    for name in checks.keys().copied() {
        let own: Vec<&Printed<'_>> = printed.iter().filter(|one| is_of(one, name)).collect();
        let usual = usual_scripts(&own);
        for (script, times) in &usual {
            let owner = (Reverse(usual.len()), *times, name);
            if owners.get(script).is_none_or(|known| (owner.0, owner.1) > (known.0, known.1)) {
                owners.insert(script, owner);
            }
        }
    }
    let commits = sessions(&|one| one.check.is_none()).len();
    let mut proposed: BTreeMap<&str, Proposed> = BTreeMap::new();
    for (script, (_, _, name)) in owners {
        let shows = |one: &&Printed<'_>| one.scripts.iter().any(|own| own == script);
        let others = sessions(&|one| one.check.is_some() && !is_of(one, name));
        let shown = sessions(&|one| one.check.is_some() && !is_of(one, name) && shows(one));
        let rate = shrunk((number(shown.len()), number(others.len())), PRIOR_RATE);
        let by: Vec<&Printed<'_>> = printed.iter().filter(|one| one.check.is_none() && shows(one)).collect();
        let Some(one) = checks.get(name).and_then(|check| propose(check, &by, commits, rate)) else {
            continue;
        };
        let is_more = |known: &Proposed| one.claim.counts.treated_with > known.claim.counts.treated_with;
        if proposed.get(name).is_none_or(is_more) {
            proposed.insert(name, one);
        }
    }
    proposed.into_values().collect()
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
        chance: binomial_tail(counts.treated_with, counts.treated(), rate),
        support,
        against: Vec::new(),
        place: 0,
        untreated: Vec::new(),
    };
    Some(Proposed { claim, treated: first.into_keys().collect() })
}
