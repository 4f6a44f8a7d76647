//! Verification: what the events show of a claim, and whether a text says no more than its claims.

use super::action::Action;
use super::claim::{Claim, Evidence, Line, SupportedClaim, Wording};
use super::digest::{Digest, SegmentDigest};
use super::matcher::Matcher;
use super::outcome::Outcome;
use super::prefer;
use super::template::Template;
use crate::event::Status;

/// A segment of a session.
#[derive(Debug, Clone, Copy)]
pub(super) struct Work<'a> {
    pub(super) session: &'a Digest,
    /// Who did it, as people are counted; `""` for nobody.
    pub(super) person: &'a str,
    /// Whether a credential says so.
    pub(super) by_credential: bool,
    pub(super) segment: &'a SegmentDigest,
    /// Whether a correction speaks of some actions more than of others.
    pub(super) blames: bool,
}

impl Work<'_> {
    /// What became of a turn.
    pub(super) fn outcome(&self, turn: usize) -> Outcome {
        self.segment.turns.get(turn).map_or(Outcome::Unknown, |turn| turn.outcome)
    }

    /// The segment as evidence, shown by these actions.
    pub(super) fn evidence<'e>(
        &self,
        cited: impl IntoIterator<Item = &'e Action>,
        outcome: Outcome,
    ) -> Evidence {
        self.evidence_of(cited.into_iter().flat_map(|action| action.events.to_vec()).collect(), outcome)
    }

    /// The segment as evidence, shown by these events.
    pub(super) fn evidence_of(&self, mut events: Vec<String>, outcome: Outcome) -> Evidence {
        events.sort();
        events.dedup();
        let session = self.session;
        Evidence {
            started_at: self.segment.started_at,
            segment: self.segment.id.clone(),
            tenant: session.tenant.clone(),
            session: session.session.clone(),
            events,
            assistant: session.assistant.clone(),
            project: session.project.clone(),
            person: self.person.to_owned(),
            by_credential: self.by_credential,
            outcome,
        }
    }

    /// What became of an action.
    pub(super) fn outcome_of(&self, turn: usize, action: &Action) -> Outcome {
        if self.blames { action.outcome } else { self.outcome(turn) }
    }
}

/// Looks for the claim in the given segments.
pub(super) fn support<'w, 'a: 'w>(
    claim: &Claim,
    works: impl IntoIterator<Item = &'w Work<'a>>,
) -> SupportedClaim {
    let (mut support, mut against) = (Vec::new(), Vec::new());
    let warns = matches!(claim, Claim::Avoid(_));
    let looked_for = Looked::of(claim);
    for work in works {
        let shown = match &looked_for {
            Looked::Run(command) => run(command, work),
            Looked::Edit(file) => edit(file, work),
            Looked::Avoid(command) => avoid(command, work),
            Looked::Prefer(prefer, over) => prefer::shown(prefer, over, work),
            Looked::Nothing => None,
        };
        let Some(shown) = shown else { continue };
        match shown.outcome {
            Outcome::Rejected if warns => {
                support.push(work.evidence(shown.cited.into_iter().flatten(), shown.outcome))
            }
            Outcome::Accepted if warns => {
                against.push(work.evidence(shown.cited.into_iter().flatten(), shown.outcome))
            }
            Outcome::Accepted => {
                support.push(work.evidence(shown.cited.into_iter().flatten(), shown.outcome))
            }
            Outcome::Rejected => {
                against.push(work.evidence(shown.cited.into_iter().flatten(), shown.outcome))
            }
            Outcome::Unknown => {}
        }
    }
    support.sort();
    against.sort();
    SupportedClaim::judged(claim.clone(), support, against)
}

/// What is looked for in segments.
enum Looked<'c> {
    Run(Matcher<'c>),
    Edit(&'c Template),
    Avoid(Matcher<'c>),
    Prefer(Matcher<'c>, Matcher<'c>),
    /// What is proved by counts: see [`super::kind`].
    Nothing,
}

impl<'c> Looked<'c> {
    fn of(claim: &'c Claim) -> Self {
        match claim {
            Claim::Run(command) => Self::Run(Matcher::of(command)),
            Claim::Edit(file) => Self::Edit(file),
            Claim::Avoid(command) => Self::Avoid(Matcher::of(command)),
            Claim::Prefer { prefer, over } => Self::Prefer(Matcher::of(prefer), Matcher::of(over)),
            _ => Self::Nothing,
        }
    }
}

/// What one segment shows of a claim.
pub(super) struct Shown<'w> {
    pub(super) outcome: Outcome,
    /// The actions whose events show it.
    pub(super) cited: [Option<&'w Action>; 3],
}

impl<'w> Shown<'w> {
    pub(super) fn by(action: &'w Action, outcome: Outcome) -> Self {
        Self { outcome, cited: [Some(action), None, None] }
    }
}

fn run<'w>(command: &Matcher<'_>, work: &Work<'w>) -> Option<Shown<'w>> {
    let mut shown = None;
    for (turn, action) in work.segment.actions().filter(|(_, action)| command.is_run_by(action)) {
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

/// Whether people spoke against the command here, which once is enough for; or ran it and were content.
fn avoid<'w>(command: &Matcher<'_>, work: &Work<'w>) -> Option<Shown<'w>> {
    let mut shown = None;
    for (turn, action) in work.segment.actions().filter(|(_, action)| command.is_run_by(action)) {
        if action.against {
            return Some(Shown::by(action, Outcome::Rejected));
        }
        if !action.refused && action.status == Status::Ok {
            shown = Some(Shown::by(action, work.outcome_of(turn, action)));
        }
    }
    shown.filter(|shown| shown.outcome == Outcome::Accepted)
}

/// Whether every line cites claims, and every command in the text is one that a claim speaks of.
pub(super) fn says_only_its_claims(wording: &Wording, claims: &[SupportedClaim]) -> bool {
    let codes: Vec<String> = claims.iter().flat_map(|claim| claim.claim.codes()).collect();
    let lines = || wording.lines();
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
    let lines = wording.lines();
    [&wording.name, &wording.title, &wording.description]
        .into_iter()
        .chain(&wording.when_to_use)
        .chain(lines.map(|line| &line.text))
        .map(String::as_str)
}
