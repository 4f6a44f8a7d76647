//! Choices: a person says which of two commands that were run is wanted.

use super::super::prompt::{self, Role};
use super::action::Action;
use super::claimable::claimable;
use super::segment::Segment;
use crate::event::Status;

/// The choices in a segment, as indices of its actions: (the wanted one, the unwanted one).
pub(in crate::skillify) fn chosen(segment: &Segment<'_>) -> Vec<(usize, usize)> {
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

/// The choices in people's refusals: the next run in the turn is the wanted one.
pub(super) fn in_refusals(actions: &[(usize, &Action)]) -> Vec<(usize, usize)> {
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
