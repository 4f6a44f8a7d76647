//! Verification: whether the events of a session show a claim.

use super::super::claim::{Claim, SupportedClaim};
use super::super::evidence::segment_ref::{SegmentRef, Shown};
use super::super::kind::preference;
use super::super::session::action::Action;
use super::super::session::outcome::Outcome;
use super::super::template::Template;
use super::super::template::matcher::Matcher;
use crate::event::Status;

/// Looks for the claim in the given segments.
pub(in crate::skillify) fn support<'w, 'a: 'w>(
    claim: &Claim,
    works: impl IntoIterator<Item = &'w SegmentRef<'a>>,
) -> SupportedClaim {
    let (mut support, mut against) = (Vec::new(), Vec::new());
    let warns = matches!(claim, Claim::Avoid(_));
    let looked_for = Looked::of(claim);
    for work in works {
        let shown = match &looked_for {
            Looked::Run(command) => run(command, work),
            Looked::Edit(file) => edit(file, work),
            Looked::Avoid(command) => avoid(command, work),
            Looked::Prefer(prefer, over) => preference::shown(prefer, over, work),
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
    /// What is proved by counts: see [`super::super::kind`].
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

fn run<'w>(command: &Matcher<'_>, work: &SegmentRef<'w>) -> Option<Shown<'w>> {
    let mut shown = None;
    for (_, action) in work.segment.actions().filter(|(_, action)| command.is_run_by(action)) {
        match action.status {
            _ if action.refused => shown = Some(Shown::by(action, Outcome::Rejected)),
            Status::Ok => shown = Some(Shown::by(action, action.outcome)),
            Status::Error | Status::Unknown => {}
        }
    }
    shown
}

/// The last edit of the file.
fn edit<'w>(file: &Template, work: &SegmentRef<'w>) -> Option<Shown<'w>> {
    let edits = |action: &Action| action.edited().is_some_and(|path| file.matches_path(path));
    let (_, action) = work.segment.actions().rfind(|(_, action)| edits(action))?;
    Some(Shown::by(action, action.outcome))
}

/// Whether people spoke against the command here, which once is enough for; or ran it and were content.
fn avoid<'w>(command: &Matcher<'_>, work: &SegmentRef<'w>) -> Option<Shown<'w>> {
    let mut shown = None;
    for (_, action) in work.segment.actions().filter(|(_, action)| command.is_run_by(action)) {
        if action.against {
            return Some(Shown::by(action, Outcome::Rejected));
        }
        if !action.refused && action.status == Status::Ok {
            shown = Some(Shown::by(action, action.outcome));
        }
    }
    shown.filter(|shown| shown.outcome == Outcome::Accepted)
}
