//! Verification: what the events show of a claim, and whether a text says no more than its claims.

use super::action::{Action, What};
use super::claim::{Claim, Evidence, Line, SupportedClaim, Wording};
use super::digest::{Digest, SegmentDigest};
use super::outcome::Outcome;
use super::segment::repairable;
use super::template::Template;
use super::{instead, prefer, repair};
use crate::event::Status;

/// A segment of a session.
#[derive(Debug, Clone, Copy)]
pub(super) struct Work<'a> {
    pub(super) session: &'a Digest,
    pub(super) segment: &'a SegmentDigest,
    /// Whether a correction speaks of some actions more than of others.
    pub(super) blames: bool,
}

impl Work<'_> {
    /// What became of a turn.
    pub(super) fn outcome(&self, turn: usize) -> Outcome {
        self.segment.turns.get(turn).map_or(Outcome::Unknown, |turn| turn.outcome)
    }

    /// What became of an action whose effect the events themselves show: that the whole work was
    /// scored badly says nothing against it.
    pub(super) fn outcome_of_effect(&self, turn: usize, action: &Action) -> Outcome {
        let outcome = self.outcome_of(turn, action);
        let only_scored = self.segment.turns.get(turn).is_some_and(|turn| turn.only_scored_badly);
        if outcome == Outcome::Rejected && only_scored { Outcome::Unknown } else { outcome }
    }

    /// What became of an action.
    pub(super) fn outcome_of(&self, turn: usize, action: &Action) -> Outcome {
        if self.blames { action.outcome } else { self.outcome(turn) }
    }
}

/// Looks for the claim in the given segments.
///
/// A repair with an edit beside it proves nothing alone: it counts only where another accepted
/// segment shows that the repair works without any.
pub(super) fn support<'w, 'a: 'w>(
    claim: &Claim,
    works: impl IntoIterator<Item = &'w Work<'a>>,
) -> SupportedClaim {
    let shown: Vec<(&Work<'_>, Shown<'_>)> = works
        .into_iter()
        .filter_map(|work| {
            let shown = match claim {
                Claim::Run(command) => run(command, work),
                Claim::Fix { command, repair } => fix(command, repair, work),
                Claim::Edit(file) => edit(file, work),
                Claim::Instead { run, failed } => instead::shown(run, failed, work),
                Claim::Avoid(command) => avoid(command, work),
                Claim::Prefer { prefer, over } => prefer::shown(prefer, over, work),
            };
            shown.map(|shown| (work, shown))
        })
        .collect();
    let proved = shown.iter().any(|(_, shown)| shown.outcome == Outcome::Accepted && !shown.edited);
    let mut support = Vec::new();
    let mut against = Vec::new();
    let warns = matches!(claim, Claim::Avoid(_));
    for (work, shown) in shown {
        match shown.outcome {
            Outcome::Rejected if warns => support.push(evidence(work, shown)),
            Outcome::Accepted if warns => against.push(evidence(work, shown)),
            Outcome::Accepted if proved => support.push(evidence(work, shown)),
            Outcome::Rejected => against.push(evidence(work, shown)),
            Outcome::Accepted | Outcome::Unknown => {}
        }
    }
    support.sort();
    against.sort();
    SupportedClaim { claim: claim.clone(), support, against }
}

fn evidence(work: &Work<'_>, shown: Shown<'_>) -> Evidence {
    let session = work.session;
    let Shown { outcome, cited, .. } = shown;
    let mut events: Vec<String> =
        cited.into_iter().flatten().flat_map(|action| action.events.to_vec()).collect();
    events.sort();
    events.dedup();
    Evidence {
        started_at: work.segment.started_at,
        segment: work.segment.id.clone(),
        tenant: session.tenant.clone(),
        session: session.session.clone(),
        events,
        assistant: session.assistant.clone(),
        project: session.project.clone(),
        person: session.person.clone(),
        outcome,
    }
}

/// What one segment shows of a claim.
pub(super) struct Shown<'w> {
    pub(super) outcome: Outcome,
    /// The actions whose events show it.
    pub(super) cited: [Option<&'w Action>; 3],
    /// A file was edited between failure and success: the edit may be what helped.
    pub(super) edited: bool,
}

impl<'w> Shown<'w> {
    pub(super) fn by(action: &'w Action, outcome: Outcome) -> Self {
        Self { outcome, cited: [Some(action), None, None], edited: false }
    }
}

pub(super) fn is_run_of(action: &Action, template: &Template) -> bool {
    action.command().is_some_and(|command| template.matches(command))
}

/// Whether an action ran what a template says that can fail and be repaired.
pub(super) fn is_try_of(action: &Action, template: &Template) -> bool {
    repairable(action).is_some_and(|command| template.matches(command))
}

fn run<'w>(template: &Template, work: &Work<'w>) -> Option<Shown<'w>> {
    let mut shown = None;
    for (turn, action) in work.segment.actions().filter(|(_, action)| is_run_of(action, template)) {
        match action.status {
            _ if action.refused => shown = Some(Shown::by(action, Outcome::Rejected)),
            Status::Ok => shown = Some(Shown::by(action, work.outcome_of(turn, action))),
            Status::Error | Status::Unknown => {}
        }
    }
    shown
}

/// The last edit of the file.
fn edit<'w>(file: &Template, work: &Work<'w>) -> Option<Shown<'w>> {
    let edits = |action: &Action| action.edited().is_some_and(|path| file.matches_path(path));
    let (turn, action) = work.segment.actions().rfind(|(_, action)| edits(action))?;
    Some(Shown::by(action, work.outcome_of(turn, action)))
}

/// Whether people refused the command here: once is enough.
fn avoid<'w>(command: &Template, work: &Work<'w>) -> Option<Shown<'w>> {
    let mut shown = None;
    for (turn, action) in work.segment.actions().filter(|(_, action)| is_run_of(action, command)) {
        let outcome = if action.refused { Outcome::Rejected } else { work.outcome_of(turn, action) };
        if outcome == Outcome::Rejected {
            return Some(Shown::by(action, outcome));
        }
        shown = Some(Shown::by(action, outcome));
    }
    shown
}

/// The last time that the repair was followed by a run of the command that passed.
fn fix<'w>(command: &Template, repair: &Template, work: &Work<'w>) -> Option<Shown<'w>> {
    let actions: Vec<(usize, &Action)> = work.segment.actions().collect();
    let tries = actions.iter().enumerate().filter(|(_, (_, action))| is_try_of(action, command));
    let tries: Vec<(usize, &str)> = tries.map(|(at, (_, action))| (at, action.agent.as_str())).collect();
    let mut shown = None;
    for (at, (_, action)) in actions.iter().enumerate().filter(|(_, (_, action))| is_run_of(action, repair)) {
        if action.refused {
            if !tries.is_empty() {
                shown = Some(Shown::by(action, Outcome::Rejected));
            }
            continue;
        }
        if action.status == Status::Error {
            continue;
        }
        let own = tries.iter().filter(|(_, agent)| *agent == action.agent);
        let runs: Vec<usize> = own.map(|(at, _)| *at).collect();
        let Some(help) = repair::help(&actions, &runs, at) else { continue };
        let Some((turn, passed)) = actions.get(help.passed) else { continue };
        let failed = help.failed.and_then(|place| actions.get(place)).map(|(_, failed)| *failed);
        shown = Some(Shown {
            outcome: work.outcome_of_effect(*turn, passed),
            cited: [failed, Some(action), Some(passed)],
            edited: failed.is_some_and(|failed| edited_between(&actions, failed, passed)),
        });
    }
    shown
}

/// Whether a file was edited between two actions: then the edit may be what made the difference.
fn edited_between(actions: &[(usize, &Action)], from: &Action, to: &Action) -> bool {
    actions
        .iter()
        .skip_while(|(_, action)| !std::ptr::eq(*action, from))
        .take_while(|(_, action)| !std::ptr::eq(*action, to))
        .any(|(_, action)| matches!(action.what, What::Edit(_)) && !action.refused)
}

/// Whether every line cites claims, and every command in the text is one that a claim speaks of.
pub(super) fn says_only_its_claims(wording: &Wording, claims: &[SupportedClaim]) -> bool {
    let codes: Vec<String> = claims.iter().flat_map(|claim| claim.claim.codes()).collect();
    let lines = || wording.steps.iter().chain(&wording.if_it_fails).chain(&wording.avoid);
    let cites =
        |line: &Line| !line.claims.is_empty() && line.claims.iter().all(|claim| *claim < claims.len());
    lines().all(cites)
        && texts(wording).all(|text| {
            text.matches('`').count() % 2 == 0
                && text.split('`').skip(1).step_by(2).all(|code| codes.iter().any(|known| known == code))
        })
}

/// Every text of a wording.
pub(super) fn texts(wording: &Wording) -> impl Iterator<Item = &str> {
    let lines = wording.steps.iter().chain(&wording.if_it_fails).chain(&wording.avoid);
    [&wording.name, &wording.title, &wording.description]
        .into_iter()
        .chain(&wording.when_to_use)
        .chain(lines.map(|line| &line.text))
        .map(String::as_str)
}
