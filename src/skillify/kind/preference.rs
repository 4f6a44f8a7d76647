//! Preferences and refusals: a person says which of two commands is wanted here, or speaks against one.
//!
//! The person's words only choose between commands that were run: a correction names the command that runs next and speaks
//! against the one that ran before. Nobody keeps what was said.

use std::collections::{BTreeMap, BTreeSet};

use super::super::claim::Claim;
use super::super::evidence::segment_ref::{SegmentRef, Shown, session_of};
use super::super::session::action::Action;
use super::super::session::outcome::Outcome;
use super::super::template::Template;
use super::super::template::matcher::Matcher;
use crate::event::Status;
use crate::shell::command::Command;

/// A choice of a person: (the wanted command, the unwanted one).
pub(in crate::skillify) struct Choice<'w> {
    pub(in crate::skillify) prefer: &'w Command,
    pub(in crate::skillify) over: &'w Command,
    wanted: (usize, &'w Action),
    unwanted: &'w Action,
}

/// Every choice that a segment shows.
pub(in crate::skillify) fn choices<'w>(work: &SegmentRef<'w>) -> Vec<Choice<'w>> {
    let segment = work.segment;
    let choices = segment.choices.iter().filter_map(|(wanted, unwanted)| {
        let (wanted, (_, unwanted)) = (segment.action(*wanted)?, segment.action(*unwanted)?);
        let (prefer, over) = (wanted.1.command()?, unwanted.command()?);
        Some(Choice { prefer, over, wanted, unwanted })
    });
    choices.collect()
}

/// What the segment shows of the preference: the choice, or the unwanted command with good grace.
pub(in crate::skillify) fn shown<'w>(
    prefer: &Matcher<'_>,
    over: &Matcher<'_>,
    work: &SegmentRef<'w>,
) -> Option<Shown<'w>> {
    let choices = choices(work);
    let chose = |choice: &&Choice<'_>, wanted: &Matcher<'_>, unwanted: &Matcher<'_>| {
        wanted.matches(choice.prefer) && unwanted.matches(choice.over)
    };
    let choice = choices.iter().rfind(|choice| chose(choice, prefer, over));
    if let Some(Choice { wanted: (_, action), unwanted, .. }) = choice {
        let cited = [Some(*unwanted), Some(*action), None];
        return Some(Shown { outcome: action.outcome, cited });
    }
    // A person who chose the other way speaks against it.
    if let Some(Choice { wanted: (_, action), unwanted, .. }) =
        choices.iter().rfind(|choice| chose(choice, over, prefer))
    {
        let cited = [Some(*unwanted), Some(*action), None];
        return Some(Shown { outcome: Outcome::Rejected, cited });
    }
    let wanted = work.segment.actions().any(|(_, action)| prefer.is_run_by(action));
    let (_, action) =
        work.segment.actions().find(|(_, action)| action.status == Status::Ok && over.is_run_by(action))?;
    let accepted = !wanted && action.outcome == Outcome::Accepted;
    accepted.then(|| Shown::by(action, Outcome::Rejected))
}

/// The claim of choices that are alike, if templates can speak of them.
pub(in crate::skillify) fn claim(choices: &[&Choice<'_>]) -> Option<Claim> {
    let prefer = Template::of(&choices.iter().map(|choice| choice.prefer).collect::<Vec<_>>())?;
    let over = Template::of(&choices.iter().map(|choice| choice.over).collect::<Vec<_>>())?;
    Some(Claim::Prefer { prefer, over })
}

/// Every Prefer that the segments suggest, each once, in order.
pub(in crate::skillify) fn preferences(works: &[SegmentRef<'_>]) -> Vec<Claim> {
    let mut groups: BTreeMap<(&str, &str), Vec<Choice<'_>>> = BTreeMap::new();
    for choice in works.iter().flat_map(choices) {
        groups.entry((choice.prefer.token(), choice.over.token())).or_default().push(choice);
    }
    let claims = groups.values().filter_map(|group| claim(&group.iter().collect::<Vec<_>>()));
    claims.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The Avoids that the segments suggest: commands that people spoke against in two sessions.
pub(in crate::skillify) fn avoidances(works: &[SegmentRef<'_>]) -> Vec<Claim> {
    type Refused<'w> = (&'w Command, (&'w str, &'w str));
    let mut groups: BTreeMap<&str, Vec<Refused<'_>>> = BTreeMap::new();
    for work in works {
        for (_, action) in work.segment.actions().filter(|(_, action)| action.against) {
            if let Some(command) = action.command() {
                groups.entry(command.token()).or_default().push((command, session_of(work)));
            }
        }
    }
    let mut claims = BTreeSet::new();
    for group in groups.into_values() {
        let sessions: BTreeSet<_> = group.iter().map(|(_, session)| session).collect();
        if sessions.len() >= 2 {
            let commands: Vec<&Command> = group.iter().map(|(command, _)| *command).collect();
            claims.extend(Template::of(&commands).map(Claim::Avoid));
        }
    }
    claims.into_iter().collect()
}
