//! A session as predicates read it: what happened, in order, with the texts that it is told by.
//!
//! A track borrows the texts of its session and keeps none. What a session did after it loaded a skill is left out, as
//! mining leaves it out: it shows what the skill says, not what people do.

use std::collections::{BTreeMap, BTreeSet};

use super::super::prompt::{self, Role};
use super::super::session::acceptance;
use super::super::session::action::Action;
use super::super::session::checkout::Checkout;
use super::super::session::endings::Endings;
use super::super::session::outcome::Outcome;
use super::super::session::search_result::Found;
use super::super::session::segment::{Segment, Turn, segments};
use super::super::session::work_tree::changes_the_tree;
use super::super::session::work_tree::is_of_repository;
use super::super::speech::{self, Statement};
use crate::event::{Kind, SessionEvent, Timestamp, person};
use crate::table::Session;

use super::ast::Class;

/// One session.
#[derive(Debug)]
pub struct Track<'a> {
    /// The session's tenant.
    pub tenant: &'a str,
    /// Its id.
    pub session: &'a str,
    /// Who did it, as people are counted; `""` if unknown.
    pub person: String,
    /// The repository, `""` if unknown.
    pub project: &'a str,
    /// The earliest event time.
    pub started_at: Timestamp,
    /// Where its repository lies.
    pub(in super::super) checkout: Checkout<'a>,
    /// What happened, in order.
    pub(in super::super) beats: Vec<Beat<'a>>,
    /// Pieces of work that were left out because a skill was loaded in them.
    pub left_out: usize,
}

/// One thing that happened.
#[derive(Debug)]
pub(in super::super) struct Beat<'a> {
    pub(in super::super) what: Happened<'a>,
    /// The events that show it, ascending; the first observation of them all decides its place.
    pub(in super::super) events: Vec<String>,
    /// The place of its first event among the session's: what one call does has one place.
    pub(in super::super) place: usize,
    /// The number of its piece of work.
    pub(in super::super) work: usize,
    /// The number of its prompt.
    pub(in super::super) turn: usize,
    /// How often the work tree was changed before it.
    pub(in super::super) changes: usize,
}

/// What happened.
#[derive(Debug)]
pub(in super::super) enum Happened<'a> {
    /// A person spoke.
    Prompt { text: &'a str, classes: Vec<Class>, outcome: Outcome },
    /// A person said what holds from then on.
    Statement(Statement),
    /// Something was learned of where things are.
    Look(Found),
    /// Something was done.
    Act {
        action: Box<Action>,
        /// The file that is edited, or was to be, from the root of the repository; `""` if none.
        path: String,
        input: &'a str,
        output: &'a str,
        outcome: Outcome,
        /// People corrected what it was done for.
        rejected: bool,
    },
}

impl<'a> Track<'a> {
    /// The track of a session.
    pub fn of(session: &'a Session) -> Self {
        let mut facts: Vec<&SessionEvent> = session.facts.iter().map(|fact| &fact.event).collect();
        facts.sort_by_key(|event| (event.timestamp, event.seq, &event.event_id));
        let by_id = facts.iter().enumerate().map(|(place, event)| (event.event_id.as_str(), (place, *event)));
        let mut track = Self {
            tenant: &session.tenant,
            session: &session.id,
            person: person::joined(&session.user_id, &session.assistant),
            project: &session.project,
            started_at: session.started_at,
            checkout: Checkout::of(session),
            beats: Vec::new(),
            left_out: 0,
        };
        let mut reading = Reading { by_id: by_id.collect(), checkout: track.checkout, turns: 0 };
        let segments = segments(session, &mut Endings::default());
        let said = speech::of_session(&segments);
        for (work, (segment, said)) in segments.iter().zip(said).enumerate() {
            if segment.loaded_a_skill() {
                track.left_out += 1;
                reading.turns += segment.turns.len();
                continue;
            }
            reading.add(work, segment, said, &mut track.beats);
        }
        let interrupts = facts.iter().enumerate().filter(|(_, event)| is_interrupt(event));
        for (place, event) in interrupts {
            let before = track.beats.iter().rfind(|beat| beat.place < place);
            let (work, turn) = before.map_or((0, 0), |beat| (beat.work, beat.turn));
            let what = Happened::Prompt {
                text: event.text.as_str(),
                classes: vec![Class::Interrupt],
                outcome: Outcome::Rejected,
            };
            let events = vec![event.event_id.clone()];
            track.beats.push(Beat { what, events, place, work, turn, changes: 0 });
        }
        track.in_order(&reading.checkout);
        track.drop_false_misses();
        track
    }

    /// What a session edits, reads or finds is there: a search that finds nothing below it says nothing of the path, and
    /// one that was to be read too early or is made later is not missing.
    fn drop_false_misses(&mut self) {
        let there = self.there();
        self.beats.retain(|beat| match &beat.what {
            Happened::Look(Found::Missing(path) | Found::InVain(path)) => !there.contains(path),
            _ => true,
        });
    }

    /// Every path of the repository that the session edits, reads or finds, and the folders that they lie in.
    pub(in super::super) fn there(&self) -> BTreeSet<String> {
        let mut there = BTreeSet::new();
        for beat in &self.beats {
            let path = match &beat.what {
                Happened::Look(Found::Present(path) | Found::Declared { file: path, .. }) => path.as_str(),
                _ => beat.edited().unwrap_or_default(),
            };
            let mut rest = path;
            while !rest.is_empty() && there.insert(rest.to_owned()) {
                rest = rest.rsplit_once('/').map_or("", |(folder, _)| folder);
            }
        }
        there
    }

    fn in_order(&mut self, checkout: &Checkout<'_>) {
        self.beats.sort_by_key(|beat| beat.place);
        let mut changes = 0;
        for beat in &mut self.beats {
            beat.changes = changes;
            if let Happened::Act { action, outcome, .. } = &beat.what {
                let kept = action.digested(*outcome, checkout);
                changes += usize::from(kept.is_some_and(|kept| changes_the_tree(&kept)));
            }
        }
    }

    /// How many files of the repository it edited.
    pub(in super::super) fn edited(&self) -> usize {
        let paths = self.beats.iter().filter_map(Beat::edited);
        paths.filter(|path| is_of_repository(path)).collect::<BTreeSet<_>>().len()
    }
}

fn is_interrupt(event: &SessionEvent) -> bool {
    event.kind == Kind::Prompt && event.agent.is_empty() && prompt::is_interrupt(&event.text)
}

impl Beat<'_> {
    /// The file that was edited, if one was.
    pub(in super::super) fn edited(&self) -> Option<&str> {
        match &self.what {
            Happened::Act { action, path, .. } => action.edited().map(|_| path.as_str()),
            _ => None,
        }
    }

    /// What a person said: his prompt, or the words with which he refused a call.
    pub(in super::super) fn said(&self) -> Option<&str> {
        match &self.what {
            Happened::Prompt { text, .. } => Some(text),
            Happened::Act { action, .. } => action.said.as_deref(),
            Happened::Statement(_) | Happened::Look(_) => None,
        }
    }

    /// Its outcome.
    pub(in super::super) fn outcome(&self) -> Outcome {
        match &self.what {
            Happened::Prompt { outcome, .. } | Happened::Act { outcome, .. } => *outcome,
            Happened::Statement(_) | Happened::Look(_) => Outcome::Unknown,
        }
    }
}

struct Reading<'a> {
    by_id: BTreeMap<&'a str, (usize, &'a SessionEvent)>,
    checkout: Checkout<'a>,
    /// How many turns were read.
    turns: usize,
}

impl<'a> Reading<'a> {
    fn add(&mut self, work: usize, segment: &Segment<'a>, said: Vec<Statement>, beats: &mut Vec<Beat<'a>>) {
        let outcomes = acceptance::outcomes(segment);
        let from = self.turns;
        for (number, turn) in segment.turns.iter().enumerate() {
            let of_turn = outcomes.get(number).copied().unwrap_or_default();
            let corrected = segment.turns.get(number + 1).is_some_and(|next| next.role == Role::Correction);
            let corrected = corrected && !turn.interrupted;
            let mut add = |what, events: Vec<String>| {
                let place = self.place(&events);
                beats.push(Beat { what, events, place, work, turn: from + number, changes: 0 });
            };
            if let Some(event) = turn.prompt {
                let classes = classes(turn);
                let what = Happened::Prompt { text: event.text.as_str(), classes, outcome: of_turn };
                add(what, vec![event.event_id.clone()]);
            }
            for action in &turn.actions {
                let outcome = acceptance::of_action(segment, &outcomes, number, action);
                let events = action.events.to_vec();
                let (input, output) = self.texts(&events);
                let path = action.edits().map(|path| self.checkout.within(path).to_owned());
                let what = Happened::Act {
                    path: path.unwrap_or_default(),
                    input,
                    output,
                    outcome,
                    rejected: corrected && outcome == Outcome::Rejected,
                    action: Box::new(action.clone()),
                };
                add(what, events);
            }
            for look in &turn.looks {
                add(Happened::Look(look.found.clone()), look.events.to_vec());
            }
        }
        for statement in said {
            let events = vec![statement.event.clone()];
            let place = self.place(&events);
            let turn = beats.iter().rfind(|beat| beat.place <= place).map_or(from, |beat| beat.turn);
            beats.push(Beat { what: Happened::Statement(statement), events, place, work, turn, changes: 0 });
        }
        self.turns += segment.turns.len();
    }

    fn place(&self, events: &[String]) -> usize {
        let places = events.iter().filter_map(|id| self.by_id.get(id.as_str()));
        places.map(|(place, _)| *place).min().unwrap_or_default()
    }

    /// The input and the output of a call.
    fn texts(&self, events: &[String]) -> (&'a str, &'a str) {
        let events: Vec<&SessionEvent> =
            events.iter().filter_map(|id| self.by_id.get(id.as_str())).map(|(_, event)| *event).collect();
        let first = |field: fn(&SessionEvent) -> &String| {
            events.iter().map(|event| field(event).as_str()).find(|text| !text.is_empty())
        };
        (first(|event| &event.input).unwrap_or_default(), first(|event| &event.output).unwrap_or_default())
    }
}

fn classes(turn: &Turn<'_>) -> Vec<Class> {
    let text = turn.prompt.map_or("", |event| event.text.as_str());
    let role = match turn.role {
        Role::New => Class::Request,
        Role::Correction => Class::Correction,
        Role::Continuation => Class::Continuation,
    };
    let asks = prompt::visible(text).trim_end().trim_end_matches(['`', ')', '"']).ends_with('?');
    let mut classes = vec![role];
    classes.extend(asks.then_some(Class::Question));
    classes
}
