//! Preferences: a person says which of two commands is wanted here.
//!
//! The person's words only choose between commands that were run: a correction that names the command
//! that is then run, and speaks against the one that ran before it. What was said is never kept.

use super::action::Action;
use super::claim::Claim;
use super::command::Command;
use super::outcome::Outcome;
use super::prompt::{self, Role};
use super::segment::claimable;
use super::template::Template;
use super::verify::{Shown, Work, is_run_of};
use crate::event::Status;

/// A choice that a person made: (what is wanted, what is not).
pub(super) struct Choice<'w> {
    pub(super) prefer: &'w Command,
    pub(super) over: &'w Command,
    wanted: (usize, &'w Action),
    unwanted: &'w Action,
}

/// Every choice that a segment shows.
pub(super) fn choices<'w>(work: &'w Work<'_>) -> Vec<Choice<'w>> {
    let turns = &work.segment.turns;
    let mut found = Vec::new();
    for (at, turn) in turns.iter().enumerate().filter(|(_, turn)| turn.role == Role::Correction) {
        let said = turn.prompt.map_or("", |prompt| prompt.text.as_str());
        let before = || at.checked_sub(1).and_then(|before| turns.get(before)).into_iter();
        for unwanted in before().flat_map(|turn| &turn.actions) {
            let Some(over) = claimable(unwanted) else { continue };
            let wanted = turn.actions.iter().find_map(|action| {
                let command = claimable(action).filter(|_| action.status == Status::Ok)?;
                prompt::chooses(said, command, over).then_some((action, command))
            });
            if let Some((action, prefer)) = wanted {
                found.push(Choice { prefer, over, wanted: (at, action), unwanted });
            }
        }
    }
    found
}

/// What the segment shows of the preference: the choice, or the unwanted command with good grace.
pub(super) fn shown(prefer: &Template, over: &Template, work: &Work<'_>) -> Option<Shown> {
    let choice =
        choices(work).into_iter().rfind(|choice| prefer.matches(choice.prefer) && over.matches(choice.over));
    if let Some(Choice { wanted: (turn, action), unwanted, .. }) = choice {
        let events = unwanted.events.iter().chain(&action.events).cloned().collect();
        return Some(Shown { outcome: work.outcome_of(turn, action), events, edited: false });
    }
    let wanted = work.segment.actions().any(|(_, action)| is_run_of(action, prefer));
    let (turn, action) =
        work.segment.actions().find(|(_, action)| action.status == Status::Ok && is_run_of(action, over))?;
    let accepted = !wanted && work.outcome_of(turn, action) == Outcome::Accepted;
    accepted.then(|| Shown::by(action, Outcome::Rejected))
}

/// The claim of choices that are alike, if templates can speak of them.
pub(super) fn claim(choices: &[&Choice<'_>]) -> Option<Claim> {
    let prefer = Template::of(&choices.iter().map(|choice| choice.prefer).collect::<Vec<_>>())?;
    let over = Template::of(&choices.iter().map(|choice| choice.over).collect::<Vec<_>>())?;
    Some(Claim::Prefer { prefer, over })
}
