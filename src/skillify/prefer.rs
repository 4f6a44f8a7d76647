//! Preferences: a person says which of two commands is wanted here.
//!
//! The person's words only choose between commands that were run: a correction that names the command
//! that is then run, and speaks against the one that ran before it. What was said is never kept.

use super::action::Action;
use super::claim::Claim;
use super::matcher::Matcher;
use super::outcome::Outcome;
use super::prompt::{self, Role};
use super::segment::{Segment, claimable};
use super::template::Template;
use super::verify::{Shown, Work};
use crate::event::Status;
use crate::shell::command::Command;

/// A choice that a person made: (what is wanted, what is not).
pub(super) struct Choice<'w> {
    pub(super) prefer: &'w Command,
    pub(super) over: &'w Command,
    wanted: (usize, &'w Action),
    unwanted: &'w Action,
}

/// The choices that a segment shows, as places among its actions: what is wanted, and what is not.
pub(super) fn chosen(segment: &Segment<'_>) -> Vec<(usize, usize)> {
    let actions: Vec<(usize, &Action)> = segment.actions().collect();
    let of_turn = |wanted: usize| actions.iter().enumerate().filter(move |(_, (turn, _))| *turn == wanted);
    let mut found = in_refusals(&actions);
    for (at, turn) in segment.turns.iter().enumerate().filter(|(_, turn)| turn.role == Role::Correction) {
        let said = turn.prompt.map_or("", |prompt| prompt.text.as_str());
        let Some(before) = at.checked_sub(1) else { continue };
        for (unwanted, (_, action)) in of_turn(before) {
            let Some(over) = claimable(action) else { continue };
            let wanted = of_turn(at).find(|(_, (_, action))| {
                let command = claimable(action).filter(|_| action.status == Status::Ok);
                command.is_some_and(|command| prompt::chooses(said, command, over))
            });
            found.extend(wanted.map(|(wanted, _)| (wanted, unwanted)));
        }
    }
    found
}

/// The choices in what people said when they refused a call: what ran next in the turn is what they want.
fn in_refusals(actions: &[(usize, &Action)]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (unwanted, (turn, action)) in actions.iter().enumerate() {
        let Some((said, over)) = action.said.as_deref().zip(claimable(action)) else { continue };
        let later = actions.iter().enumerate().skip(unwanted + 1).take_while(|(_, (later, _))| later == turn);
        let wanted = later.filter(|(_, (_, later))| later.status == Status::Ok).find(|(_, (_, later))| {
            claimable(later).is_some_and(|command| prompt::chooses(said, command, over))
        });
        found.extend(wanted.map(|(wanted, _)| (wanted, unwanted)));
    }
    found
}

/// Every choice that a segment shows.
pub(super) fn choices<'w>(work: &Work<'w>) -> Vec<Choice<'w>> {
    let segment = work.segment;
    let choices = segment.choices.iter().filter_map(|(wanted, unwanted)| {
        let (wanted, (_, unwanted)) = (segment.action(*wanted)?, segment.action(*unwanted)?);
        let (prefer, over) = (wanted.1.command()?, unwanted.command()?);
        Some(Choice { prefer, over, wanted, unwanted })
    });
    choices.collect()
}

/// What the segment shows of the preference: the choice, or the unwanted command with good grace.
pub(super) fn shown<'w>(prefer: &Matcher<'_>, over: &Matcher<'_>, work: &Work<'w>) -> Option<Shown<'w>> {
    let choices = choices(work);
    let chose = |choice: &&Choice<'_>, wanted: &Matcher<'_>, unwanted: &Matcher<'_>| {
        wanted.matches(choice.prefer) && unwanted.matches(choice.over)
    };
    let choice = choices.iter().rfind(|choice| chose(choice, prefer, over));
    if let Some(Choice { wanted: (turn, action), unwanted, .. }) = choice {
        let cited = [Some(*unwanted), Some(*action), None];
        return Some(Shown { outcome: work.outcome_of(*turn, action), cited });
    }
    // A person who chose the other way speaks against it.
    if let Some(Choice { wanted: (_, action), unwanted, .. }) =
        choices.iter().rfind(|choice| chose(choice, over, prefer))
    {
        let cited = [Some(*unwanted), Some(*action), None];
        return Some(Shown { outcome: Outcome::Rejected, cited });
    }
    let wanted = work.segment.actions().any(|(_, action)| prefer.is_run_by(action));
    let (turn, action) =
        work.segment.actions().find(|(_, action)| action.status == Status::Ok && over.is_run_by(action))?;
    let accepted = !wanted && work.outcome_of(turn, action) == Outcome::Accepted;
    accepted.then(|| Shown::by(action, Outcome::Rejected))
}

/// The claim of choices that are alike, if templates can speak of them.
pub(super) fn claim(choices: &[&Choice<'_>]) -> Option<Claim> {
    let prefer = Template::of(&choices.iter().map(|choice| choice.prefer).collect::<Vec<_>>())?;
    let over = Template::of(&choices.iter().map(|choice| choice.over).collect::<Vec<_>>())?;
    Some(Claim::Prefer { prefer, over })
}
