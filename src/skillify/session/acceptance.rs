//! Outcomes: whether people were content with a turn. Unknown stays unknown.
//!
//! A correction is about what was done last, or about what it names. If the work then ends well, the rest of the corrected
//! turn is neither accepted nor rejected.
//!
//! Signs against a turn: an interrupt, a correcting next prompt, a negative score, a failing end, a refusal with nothing
//! after it. Signs for it: the last check or a command that had failed passes, a delivery, thanks, a positive score, consent
//! ("ok"), a next prompt about something else.

use std::collections::BTreeSet;

use super::super::prompt::{self, Role};
use super::action::Action;
use super::outcome::Outcome;
use super::segment::{Segment, Turn};
use crate::event::Status;

/// What became of one action of a turn, given the outcomes of all turns.
pub(in crate::skillify) fn of_action(
    segment: &Segment<'_>,
    outcomes: &[Outcome],
    turn: usize,
    action: &Action,
) -> Outcome {
    let of = |turn: usize| outcomes.get(turn).copied().unwrap_or(Outcome::Unknown);
    let own = of(turn);
    if own != Outcome::Rejected {
        return own;
    }
    let Some(spared) = spared(segment, turn) else { return own };
    let redeems = |(later, turn): (usize, &Turn<'_>)| {
        of(later) != Outcome::Rejected && turn.actions.iter().any(|action| action.token().is_some())
    };
    let redeemed = segment.turns.iter().enumerate().skip(turn + 1).any(redeems);
    if redeemed && spared(action) { Outcome::Unknown } else { own }
}

/// Which actions of a turn its correction does not speak of; `None` if it was not just corrected.
fn spared<'s>(segment: &'s Segment<'_>, turn: usize) -> Option<impl Fn(&Action) -> bool + 's> {
    let own = segment.turns.get(turn)?;
    let correction = segment.turns.get(turn + 1).filter(|next| next.role == Role::Correction)?;
    if own.interrupted || own.scores.iter().any(|score| *score < 0.0) {
        return None;
    }
    let tells = |action: &&Action| action.token().is_some();
    let last = own.actions.iter().rev().find(tells);
    let said = correction.prompt.map_or("", |prompt| prompt.text.as_str());
    Some(move |action: &Action| {
        let is_last = last.is_some_and(|last| std::ptr::eq(last, action));
        !is_last && !action.command().is_some_and(|command| prompt::names(said, command))
    })
}

/// The outcome of each turn of a segment.
pub(in crate::skillify) fn outcomes(segment: &Segment<'_>) -> Vec<Outcome> {
    let mut failed = BTreeSet::new();
    (0..segment.turns.len()).map(|index| outcome(segment, index, &mut failed)).collect()
}

/// `failed` holds the commands that failed in this turn or an earlier one.
fn outcome<'a>(segment: &'a Segment<'_>, index: usize, failed: &mut BTreeSet<Vec<&'a str>>) -> Outcome {
    let Some(turn) = segment.turns.get(index) else { return Outcome::Unknown };
    let shown = last_check(turn, failed);
    let next = segment.turns.get(index + 1);
    let against = turn.interrupted
        || next.is_some_and(|next| next.role == Role::Correction)
        || turn.scores.iter().any(|score| *score < 0.0);
    if against {
        return Outcome::Rejected;
    }
    let thanked = next.and_then(|next| next.prompt).is_some_and(|prompt| prompt::is_thanks(&prompt.text));
    if thanked || turn.scores.iter().any(|score| *score > 0.0) {
        return Outcome::Accepted;
    }
    match shown {
        Status::Error => return Outcome::Rejected,
        Status::Ok => return Outcome::Accepted,
        Status::Unknown => {}
    }
    let last = turn.actions.iter().rfind(|action| action.token().is_some());
    if last.is_some_and(|last| last.refused) {
        return Outcome::Rejected;
    }
    let consented = next.and_then(|next| next.prompt).is_some_and(|prompt| prompt::is_consent(&prompt.text));
    let moved_on = next.is_none() && segment.moved_on;
    if consented || moved_on { Outcome::Accepted } else { Outcome::Unknown }
}

/// How the last command ended that tells: a check, a delivery, one that had failed, or a failure that
/// no other command came after.
fn last_check<'a>(turn: &'a Turn<'_>, failed: &mut BTreeSet<Vec<&'a str>>) -> Status {
    let mut shown = Status::Unknown;
    let mut by_a_check = false;
    for action in &turn.actions {
        let Some(command) = action.run().filter(|command| !command.is_trivial()) else { continue };
        match action.status {
            Status::Error => {
                failed.insert(command.core());
                shown = Status::Error;
                by_a_check = command.is_check();
            }
            Status::Ok if command.is_check() || command.is_delivery() || failed.contains(&command.core()) => {
                shown = Status::Ok;
            }
            Status::Ok if shown == Status::Error && !by_a_check => shown = Status::Unknown,
            Status::Ok | Status::Unknown => {}
        }
    }
    shown
}
