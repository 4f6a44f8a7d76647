//! **Check from demands**: people have to ask for a check that sessions leave out.
//!
//! - Situation: a session edited files of a class and did not run the check since. Action and outcome: the next prompt
//!   names the check, and it runs.
//! - Proof: among sessions that run a check only after a further prompt, this one is named by the prompt more often than
//!   other checks are ([`stratified_tail`]).
//! - Null: which of the late runs were asked for, within a repository.

use std::collections::{BTreeMap, BTreeSet};

use super::super::claim::{Claim, SupportedClaim};
use super::super::evidence::timeline::Timeline;
use super::super::session::claimable::claimable;
use super::super::session::outcome::Outcome;
use super::super::session::work_tree::is_of_repository;
use super::super::significance::Counts;
use super::super::significance::stratified_tail;
use super::super::template::Template;
use super::check::breadth;
use super::files::classes;
use super::{Proposed, Sessions, Shuffle, Verdict, judged};
use crate::shell::command::Command;

/// A check that ran after a further prompt, and not since the last edit before it.
struct Late<'a> {
    session: usize,
    at: usize,
    command: &'a Command,
    asked: bool,
    /// The last edit before the prompt.
    edit: usize,
}

/// The checks that people point to.
pub(in super::super) fn demands(
    sessions: &Sessions<'_>,
    mut shuffle: Option<&mut Shuffle>,
) -> (Vec<Proposed>, Vec<(Proposed, Verdict)>) {
    let mut projects: BTreeMap<&str, Vec<Late<'_>>> = BTreeMap::new();
    for (session, timeline) in sessions.timelines.iter().enumerate() {
        projects.entry(timeline.project()).or_default().extend(of_session(session, timeline));
    }
    let (mut standing, mut fallen) = (Vec::new(), Vec::new());
    for (_, mut late) in projects {
        if let Some(shuffle) = shuffle.as_deref_mut() {
            shuffle.deal(&mut late, |one| &mut one.asked);
        }
        let mut checks: BTreeMap<&str, Vec<&Late<'_>>> = BTreeMap::new();
        late.iter().for_each(|one| checks.entry(one.command.identity()).or_default().push(one));
        let proposed = checks.into_values().filter_map(|of_check| propose(sessions, &late, &of_check));
        let (stand, fall) = judged(proposed.collect(), 0);
        standing.extend(stand);
        fallen.extend(fall);
    }
    (standing, fallen)
}

/// One run of each check that a session ran late: the one that a person asked for, else the first.
fn of_session<'a>(session: usize, timeline: &Timeline<'a>) -> Vec<Late<'a>> {
    let mut late: BTreeMap<&str, Late<'_>> = BTreeMap::new();
    let mut ran: BTreeMap<&str, usize> = BTreeMap::new();
    // The last edit, and its turn.
    let mut edited: Option<(usize, u32)> = None;
    // The last edit of an earlier turn.
    let mut before: Option<usize> = None;
    let mut turn = None;
    for (at, step) in timeline.steps.iter().enumerate() {
        if turn != Some(step.turn) {
            turn = Some(step.turn);
            before = edited.map(|(at, _)| at);
        }
        if step.action.edited().is_some_and(is_of_repository) {
            edited = Some((at, step.turn));
        }
        let Some(command) = claimable(step.action).filter(|command| command.family().is_check()) else {
            continue;
        };
        if step.action.refused {
            continue;
        }
        let last = ran.insert(command.identity(), at);
        let Some(edit) = before.filter(|edit| last.is_none_or(|last| last < *edit)) else { continue };
        let asked = step.action.asked;
        let one = Late { session, at, command, asked, edit };
        match late.get(command.identity()) {
            Some(known) if known.asked || !asked => {}
            _ => {
                late.insert(command.identity(), one);
            }
        }
    }
    late.into_values().collect()
}

fn propose(sessions: &Sessions<'_>, late: &[Late<'_>], of_check: &[&Late<'_>]) -> Option<Proposed> {
    let asked: Vec<&&Late<'_>> = of_check.iter().filter(|one| one.asked).collect();
    if asked.is_empty() {
        return None;
    }
    let name = asked.first()?.command.identity();
    let mut counts = Counts::default();
    late.iter().for_each(|one| counts.add(one.command.identity() == name, one.asked));
    let (mut support, mut against) = (Vec::new(), Vec::new());
    let mut shared: Option<BTreeSet<String>> = None;
    for one in of_check {
        let timeline = sessions.timelines.get(one.session)?;
        let outcome = if one.asked { Outcome::Accepted } else { Outcome::Rejected };
        let shown = timeline.evidence(sessions.works, &[one.edit, one.at], outcome);
        if one.asked {
            support.extend(shown);
            let own = edited_before(timeline, one.edit);
            shared = Some(match shared {
                None => own,
                Some(shared) => shared.intersection(&own).cloned().collect(),
            });
        } else {
            against.extend(shown);
        }
    }
    support.sort();
    against.sort();
    let class = shared?.into_iter().min_by_key(|class| (breadth(class), class.clone()))?;
    let commands: Vec<&Command> = asked.iter().map(|one| one.command).collect();
    let claim = SupportedClaim {
        claim: Claim::Asked { edited: Template::parse_path(&class), run: Template::of(&commands)? },
        failures: Vec::new(),
        counts,
        p_value: stratified_tail(&[counts]),
        support,
        against,
        place: 0,
        untreated: Vec::new(),
    };
    Some(Proposed { claim, treated: asked.iter().map(|one| one.session).collect() })
}

/// The classes of the files that a session had edited so far.
fn edited_before(timeline: &Timeline<'_>, last: usize) -> BTreeSet<String> {
    let steps = timeline.steps.iter().take(last + 1);
    let files = steps.filter_map(|step| step.action.edited()).filter(|path| is_of_repository(path));
    files.flat_map(classes).collect()
}
