//! What sessions show of a predicate: each situation that they meet, whether it was followed, and what came of it.
//!
//! A case is one session: of each session the first case counts that was followed and the first that was not, as mining
//! counts them. Where nothing is expected, the first case of all counts.

use crate::event::{Status, Timestamp};
use crate::shell::command::Command;

use super::super::session::outcome::Outcome;
use super::super::session::search_result::Found;
use super::super::significance::Counts;
use super::ast::{Action, Ending, Event, Expected, Pattern, Predicate, Relation, Scope};
use super::matching::Compiled;
use super::track::{Beat, Happened, Track};

/// Whether a situation was followed by the action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Followed {
    /// The action was taken, or there is none to take.
    Yes,
    /// It was not.
    No,
    /// Nothing tells: it was tried, and not allowed.
    Unknown,
}

/// One situation that a session met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Whether it was followed.
    pub followed: Followed,
    /// Whether the expected result came; `None` if none is expected or the session does not show it.
    pub outcome: Option<bool>,
    /// The events that show it: of the situation, the action and the outcome.
    pub events: Vec<String>,
}

/// Which way a session speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// It took the action, and the expected result came.
    For,
    /// It did not; or it did, and what is expected did not come.
    Against,
    /// It did not take the action, and what is expected came all the same.
    WithoutFor,
    /// It did not take the action, and what is expected did not come.
    WithoutAgainst,
}

impl Side {
    /// The word for people and for output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::For => "for",
            Self::Against => "against",
            Self::WithoutFor => "without_for",
            Self::WithoutAgainst => "without_against",
        }
    }
}

/// A session that speaks for or against a predicate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Which way.
    pub side: Side,
    /// The session's place among those that were asked.
    pub place: usize,
    /// Tenant and id.
    pub tenant: String,
    /// Its id.
    pub session: String,
    /// Who, `""` if unknown.
    pub person: String,
    /// When it began.
    pub started_at: Timestamp,
    /// The events that show it, in the order of the session; none where nothing happened.
    pub events: Vec<String>,
}

/// What the sessions show of a predicate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Sessions by what they say: with and without the action, with and without the result.
    pub counts: Counts,
    /// Sessions in the situation whose result is unknown.
    pub unknown: u32,
    /// The sessions behind the counts, in their order. A session without the situation is here only if it took the action.
    pub shown: Vec<Shown>,
    /// How many sessions were asked.
    pub sessions: usize,
}

/// Looks for a predicate in sessions.
pub fn evaluate(predicate: &Predicate, tracks: &[Track<'_>]) -> Verdict {
    let compiled = Compiled::of(predicate);
    let mut verdict = Verdict { sessions: tracks.len(), ..Verdict::default() };
    for (place, track) in tracks.iter().enumerate() {
        let cases = compiled.cases(track);
        if cases.is_empty() {
            compiled.without_situation(track, place, &mut verdict);
            continue;
        }
        let mut sides = sides(predicate, &cases);
        verdict.unknown += u32::from(sides.is_empty());
        sides.sort_by_key(|(side, _)| *side);
        for (side, events) in sides {
            verdict.note(side, place, track, events);
        }
    }
    verdict
}

/// Every situation that a session met, in order.
pub fn cases(predicate: &Predicate, track: &Track<'_>) -> Vec<Case> {
    Compiled::of(predicate).cases(track)
}

/// What a session says, by its first cases.
fn sides(predicate: &Predicate, cases: &[Case]) -> Vec<(Side, Vec<String>)> {
    let events = |case: &Case| case.events.clone();
    if predicate.expected.is_none() {
        let first = cases.iter().find(|case| case.followed != Followed::Unknown);
        let side = |case: &Case| if case.followed == Followed::Yes { Side::For } else { Side::Against };
        return first.map(|case| (side(case), events(case))).into_iter().collect();
    }
    let first = |followed: Followed| {
        cases.iter().find_map(|case| {
            let came = case.outcome.filter(|_| case.followed == followed)?;
            Some((came, events(case)))
        })
    };
    let with =
        first(Followed::Yes).map(|(came, events)| (if came { Side::For } else { Side::Against }, events));
    let without = first(Followed::No)
        .map(|(came, events)| (if came { Side::WithoutFor } else { Side::WithoutAgainst }, events));
    with.into_iter().chain(without).collect()
}

impl Verdict {
    fn note(&mut self, side: Side, place: usize, track: &Track<'_>, events: Vec<String>) {
        let count = match side {
            Side::For => &mut self.counts.treated_with,
            Side::Against => &mut self.counts.treated_without,
            Side::WithoutFor => &mut self.counts.untreated_with,
            Side::WithoutAgainst => &mut self.counts.untreated_without,
        };
        *count += 1;
        if events.is_empty() {
            return;
        }
        self.shown.push(Shown {
            side,
            place,
            tenant: track.tenant.to_owned(),
            session: track.session.to_owned(),
            person: track.person.clone(),
            started_at: track.started_at,
            events,
        });
    }
}

/// The beats of a session that are looked at, and the first one after them.
type Range = std::ops::Range<usize>;

impl Compiled<'_> {
    /// A session that did not meet the situation: where nothing is expected, it may have taken the action.
    fn without_situation(&self, track: &Track<'_>, place: usize, verdict: &mut Verdict) {
        let Predicate { action: Some(Action::Steps(steps)), expected: None, .. } = self.predicate else {
            return;
        };
        let all = 0..track.beats.len();
        match self.steps(steps, track, all, None, None) {
            Some(found) => verdict.note(Side::WithoutFor, place, track, events(track, &found)),
            None => verdict.note(Side::WithoutAgainst, place, track, Vec::new()),
        }
    }

    pub(super) fn cases(&self, track: &Track<'_>) -> Vec<Case> {
        let situations = track.beats.iter().enumerate();
        let situations = situations.filter(|(_, beat)| self.meets(&self.predicate.situation, beat, None));
        situations.map(|(at, beat)| self.case(track, at, beat)).collect()
    }

    fn case(&self, track: &Track<'_>, at: usize, beat: &Beat<'_>) -> Case {
        let predicate = self.predicate;
        let scope = scope(predicate.scope, track, at);
        let named = match &predicate.expected {
            Some(Expected::Ends { command: Some(command), .. }) => Some(command),
            _ => None,
        };
        // Until the run that tells: what comes later did not make it pass.
        let told = match predicate.relation {
            Relation::After => named.and_then(|named| self.next_run(named, track, at + 1..scope.end)),
            Relation::Before => named.and_then(|named| self.next_run(named, track, at..scope.end)),
            Relation::With => None,
        };
        let range = match predicate.relation {
            Relation::After => at + 1..told.unwrap_or(scope.end),
            Relation::Before => scope.start..at,
            Relation::With => scope.clone(),
        };
        let (followed, found) = self.followed(track, at, beat, range);
        let told = match (named, predicate.relation) {
            (Some(named), Relation::With) => {
                let from = found.last().map_or(at, |last| last + 1);
                self.next_run(named, track, from..scope.end)
            }
            (Some(_), _) => told,
            (None, _) => match (&predicate.action, followed) {
                (None, _) => Some(at),
                (Some(Action::No(_)), _) => Some(at),
                (Some(_), Followed::Yes) => found.last().copied(),
                _ => None,
            },
        };
        let outcome = told.and_then(|told| self.came(track, at, told));
        let mut shown = vec![at];
        shown.extend(found);
        shown.extend(told.filter(|_| outcome.is_some()));
        Case { followed, outcome, events: events(track, &shown) }
    }

    /// Whether the action was taken in a range, and where.
    fn followed(
        &self,
        track: &Track<'_>,
        at: usize,
        beat: &Beat<'_>,
        range: Range,
    ) -> (Followed, Vec<usize>) {
        match &self.predicate.action {
            None => (Followed::Yes, Vec::new()),
            Some(Action::No(event)) => {
                match self.steps(std::slice::from_ref(event), track, range, None, None) {
                    Some(found) => (Followed::No, found),
                    None => (Followed::Yes, Vec::new()),
                }
            }
            Some(Action::Steps(steps)) => {
                let of = match (&self.predicate.situation, beat.edited()) {
                    (Event::Edit { ending: Ending::Any, path, .. }, Some(file)) => {
                        Some((path.as_str(), file))
                    }
                    _ => None,
                };
                // What one call does has no order to learn.
                let apart = of.map(|_| beat.place);
                match self.steps(steps, track, range.clone(), of, apart) {
                    Some(found) => (Followed::Yes, found.into_iter().filter(|own| *own != at).collect()),
                    None if self.was_refused(steps, track, range) => (Followed::Unknown, Vec::new()),
                    None => (Followed::No, Vec::new()),
                }
            }
        }
    }

    /// Where the steps stand in a range, in order, none of them in the call that stands `apart`.
    fn steps(
        &self,
        steps: &[Event],
        track: &Track<'_>,
        range: Range,
        of: Option<(&str, &str)>,
        apart: Option<usize>,
    ) -> Option<Vec<usize>> {
        let mut from = range.start;
        let mut found = Vec::with_capacity(steps.len());
        for step in steps {
            let beats = track.beats.get(from..range.end)?;
            let is_it = |beat: &Beat<'_>| Some(beat.place) != apart && self.meets(step, beat, of);
            let at = from + beats.iter().position(is_it)?;
            found.push(at);
            from = at + 1;
        }
        Some(found)
    }

    /// Whether a step was tried, and a person did not allow it.
    fn was_refused(&self, steps: &[Event], track: &Track<'_>, range: Range) -> bool {
        let beats = track.beats.get(range).unwrap_or_default();
        steps.iter().any(|step| {
            let Event::Run { command, .. } = step else { return false };
            beats.iter().any(|beat| match &beat.what {
                Happened::Act { action, .. } => {
                    action.refused && action.run().is_some_and(|run| self.runs(command, run))
                }
                _ => false,
            })
        })
    }

    /// The next run of a command that tells how it ends.
    fn next_run(&self, command: &Pattern, track: &Track<'_>, range: Range) -> Option<usize> {
        let from = range.start;
        let tells = |beat: &Beat<'_>| match &beat.what {
            Happened::Act { action, .. } => {
                !action.refused
                    && action.status != Status::Unknown
                    && action.run().is_some_and(|run| self.runs(command, run))
            }
            _ => false,
        };
        track.beats.get(range)?.iter().position(tells).map(|place| from + place)
    }

    /// Whether what is expected came.
    pub(super) fn came(&self, track: &Track<'_>, at: usize, told: usize) -> Option<bool> {
        let beat = track.beats.get(told)?;
        match (self.predicate.expected.as_ref()?, &beat.what) {
            (
                Expected::Ends { passes, clean, saying, .. },
                Happened::Act { action, output, rejected, .. },
            ) => {
                let situation = track.beats.get(at)?;
                let is_dirty = situation.changes != beat.changes || situation.work != beat.work;
                if action.refused || (*clean && is_dirty) {
                    return None;
                }
                let says = self.is_told(beat, saying, output);
                match action.status {
                    Status::Unknown => None,
                    Status::Ok => Some(*passes && says && !rejected),
                    Status::Error if *passes => self.is_over(situation, beat, output),
                    Status::Error => Some(says),
                }
            }
            (Expected::Accept, _) => match beat.outcome() {
                Outcome::Accepted => Some(true),
                Outcome::Rejected => Some(false),
                Outcome::Unknown => None,
            },
            (Expected::Refuse, Happened::Act { action, outcome, .. }) => {
                let is_done = action.status == Status::Ok || action.edited().is_some();
                let is_content = is_done && *outcome == Outcome::Accepted;
                if action.refused || action.against { Some(true) } else { is_content.then_some(false) }
            }
            (Expected::Found(path), Happened::Look(found)) => match found {
                Found::Declared { file, .. } | Found::Present(file) => Some(self.is_file(path, file)),
                Found::Missing(_) | Found::InVain(_) => Some(false),
                _ => None,
            },
            (Expected::Missing, Happened::Look(found)) => {
                Some(matches!(found, Found::Missing(_) | Found::InVain(_)))
            }
            _ => None,
        }
    }
}

impl Compiled<'_> {
    /// For a run that failed again: whether the failure of the situation is gone. It is gone if the linter names other
    /// findings. If it names none, nobody knows.
    fn is_over(&self, situation: &Beat<'_>, beat: &Beat<'_>, output: &str) -> Option<bool> {
        let Event::Run { ending: Ending::Fail, saying, .. } = &self.predicate.situation else {
            return Some(false);
        };
        let (Happened::Act { action: first, .. }, Happened::Act { action, .. }) =
            (&situation.what, &beat.what)
        else {
            return Some(false);
        };
        let same = first.run().map(Command::identity) == action.run().map(Command::identity);
        match () {
            () if saying.is_empty() || !same || self.is_told(beat, saying, output) => Some(false),
            () if first.rules.is_empty() => Some(false),
            () if action.rules.is_empty() => None,
            () => Some(true),
        }
    }
}

/// The beats of the turn, the work or the session that a beat belongs to.
fn scope(scope: Scope, track: &Track<'_>, at: usize) -> Range {
    let key = |beat: &Beat<'_>| match scope {
        Scope::Turn => (beat.work, beat.turn),
        Scope::Work => (beat.work, 0),
        Scope::Session => (0, 0),
    };
    let Some(own) = track.beats.get(at).map(key) else { return at..at };
    let before = track.beats.iter().take(at).rev().take_while(|beat| key(beat) == own).count();
    let after = track.beats.iter().skip(at).take_while(|beat| key(beat) == own).count();
    at - before..at + after
}

fn events(track: &Track<'_>, places: &[usize]) -> Vec<String> {
    let mut events: Vec<String> = Vec::new();
    for event in places.iter().filter_map(|at| track.beats.get(*at)).flat_map(|beat| &beat.events) {
        if !events.contains(event) {
            events.push(event.clone());
        }
    }
    events
}
