//! How often what a predicate expects comes anyway: in situations of the same kind that are not its own.

use crate::event::Status;
use crate::shell::command::Command;

use super::super::session::search_result::Found;
use super::ast::{Event, Predicate};
use super::matching::Compiled;
use super::track::{Beat, Happened, Track};

/// Sessions in which what is expected came at their first comparable situation, and all that had one: another run of the same
/// program, another look, another search, another prompt or edit.
pub(in super::super) fn base(predicate: &Predicate, tracks: &[Track<'_>]) -> (u32, u32) {
    let compiled = Compiled::of(predicate);
    let (mut came, mut all) = (0, 0);
    for track in tracks {
        let comparable = track.beats.iter().enumerate().filter(|(_, beat)| {
            is_comparable(&predicate.situation, beat) && !compiled.meets(&predicate.situation, beat, None)
        });
        let mut told = comparable.filter_map(|(at, _)| compiled.came(track, at, at));
        if let Some(outcome) = told.next() {
            all += 1;
            came += u32::from(outcome);
        }
    }
    (came, all)
}

fn is_comparable(situation: &Event, beat: &Beat<'_>) -> bool {
    match (situation, &beat.what) {
        (Event::Run { command, .. }, Happened::Act { action, .. }) => {
            let program = |command: &Command| command.words().first().map(|word| word.value.clone());
            let own = command.text.split_whitespace().find(|word| !word.contains('='));
            action.status != Status::Unknown
                && action.run().and_then(program).is_some_and(|program| Some(program.as_str()) == own)
        }
        (Event::Edit { .. }, Happened::Act { action, .. }) => action.edited().is_some(),
        (Event::Look { .. }, Happened::Look(found)) => {
            matches!(found, Found::Present(_) | Found::Missing(_) | Found::InVain(_))
        }
        (Event::Search { .. }, Happened::Look(Found::Declared { .. }))
        | (Event::Prompt { .. }, Happened::Prompt { .. }) => true,
        _ => false,
    }
}
