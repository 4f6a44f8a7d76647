//! What a sessions pipeline does with the events of a request, between mapping and its journal.

use std::collections::BTreeSet;

use crate::event::{SessionEvent, Withdrawal};
use crate::journal::Journal;
use crate::processors::sampling::Choice;
use crate::processors::{Processor, Sampling, Sent};

use super::arrivals::Arriving;
use super::payload::Payload;
use super::{Lease, Refusal};

/// What a sessions pipeline does with the events of a request.
pub struct Pipeline {
    /// What part of the sessions it stores; `None`: all.
    pub sampling: Option<Sampling>,
    /// Its steps between mapping and the journal, in order.
    pub processors: Vec<Box<dyn Processor>>,
    /// Where its events become durable.
    pub journal: Journal,
}

/// What becomes of a request in one pipeline.
pub(super) struct Way {
    pub(super) payload: Payload,
    /// The sessions that are stored of it.
    pub(super) arriving: Arriving,
    held: Vec<Held>,
    /// Pays for them.
    for_held: Lease,
    /// Sessions that are forgotten although they did not say so: by their ids and their traces.
    forgotten: BTreeSet<(String, String)>,
    /// Events that processors took out.
    pub(super) filtered: u64,
    /// Events of sessions that are not stored.
    pub(super) sampled: u64,
}

/// Processed events of which only a later record of the request may tell whether they are stored.
struct Held {
    events: Vec<SessionEvent>,
    /// The first of them as the client sent it, its names alone.
    named: SessionEvent,
}

impl Way {
    pub(super) fn new(payload: Payload, for_held: Lease) -> Self {
        Self {
            payload,
            arriving: Arriving::default(),
            held: Vec::new(),
            for_held,
            forgotten: BTreeSet::new(),
            filtered: 0,
            sampled: 0,
        }
    }
}

impl Pipeline {
    /// The events of one record, as its processors leave them.
    pub(super) fn store(
        &self,
        mut events: Vec<SessionEvent>,
        sent: &Sent<'_>,
        way: &mut Way,
    ) -> Result<(), Refusal> {
        let undecided = self.sample(&mut events, way);
        self.process(&mut events, sent, way);
        events.into_iter().try_for_each(|event| way.push(event))?;
        if let Some(named) = undecided.first().map(names_of) {
            let mut events = undecided;
            self.process(&mut events, sent, way);
            way.for_held.grow(events.iter().map(SessionEvent::size_in_memory).sum())?;
            way.held.push(Held { events, named });
        }
        Ok(())
    }

    /// Removes the events of sessions that sampling drops, and returns those whose session is not decided yet.
    fn sample(&self, events: &mut Vec<SessionEvent>, way: &mut Way) -> Vec<SessionEvent> {
        let Some(sampling) = &self.sampling else { return Vec::new() };
        let mut undecided = Vec::new();
        for event in std::mem::take(events) {
            match sampling.choose(&event) {
                Choice::Keep => events.push(event),
                Choice::Later => undecided.push(event),
                choice => way.leave_out(choice, &event, 1),
            }
        }
        undecided
    }

    /// At the end of the request: what was held is stored or not.
    pub(super) fn settle(&self, way: &mut Way) -> Result<(), Refusal> {
        let Some(sampling) = &self.sampling else { return Ok(()) };
        for Held { events, named } in std::mem::take(&mut way.held) {
            match sampling.settle(&named) {
                Choice::Keep => events.into_iter().try_for_each(|event| way.push(event))?,
                choice => way.leave_out(choice, &named, events.len() as u64),
            }
        }
        Ok(())
    }

    fn process(&self, events: &mut Vec<SessionEvent>, sent: &Sent<'_>, way: &mut Way) {
        for processor in &self.processors {
            let forgotten = events.iter().filter(|event| processor.forgets(event, sent));
            way.forgotten.extend(forgotten.map(|event| (event.session_id.clone(), event.trace_id.clone())));
            let before = events.len();
            processor.process(events, sent);
            way.filtered += before.saturating_sub(events.len()) as u64;
        }
        own_workspace(events, sent);
    }

    /// The events of one record as they would be stored, whichever share of the sessions is sampled.
    pub(super) fn processed(&self, mut events: Vec<SessionEvent>, sent: &Sent<'_>) -> Vec<SessionEvent> {
        self.processors.iter().for_each(|processor| processor.process(&mut events, sent));
        own_workspace(&mut events, sent);
        events
    }

    /// The sessions that are forgotten, as the rows of the table name them: `opted_out` and those that
    /// processors left out.
    pub(super) fn withdrawals(
        &self,
        opted_out: &BTreeSet<(String, String)>,
        way: &mut Way,
    ) -> BTreeSet<Withdrawal> {
        let forgotten = std::mem::take(&mut way.forgotten);
        let mut named: Vec<SessionEvent> = opted_out
            .union(&forgotten)
            .filter(|(session_id, trace_id)| !session_id.is_empty() || !trace_id.is_empty())
            .cloned()
            .map(|(session_id, trace_id)| SessionEvent { session_id, trace_id, ..SessionEvent::default() })
            .collect();
        self.processors.iter().for_each(|processor| processor.rename(&mut named));
        let withdrawals = named.into_iter();
        withdrawals
            .map(|SessionEvent { session_id, trace_id, .. }| Withdrawal { session_id, trace_id })
            .collect()
    }
}

impl Way {
    fn push(&mut self, event: SessionEvent) -> Result<(), Refusal> {
        self.arriving.note(&event);
        self.payload.push(event)
    }

    fn leave_out(&mut self, choice: Choice, event: &SessionEvent, count: u64) {
        self.sampled += count;
        if choice == Choice::Forget {
            self.forgotten.insert((event.session_id.clone(), event.trace_id.clone()));
        }
    }
}

/// The credential's, whatever a processor took from the payload; that stays an attribute.
fn own_workspace(events: &mut [SessionEvent], sent: &Sent<'_>) {
    if let Some(workspace) = sent.workspace {
        events.iter_mut().for_each(|event| workspace.clone_into(&mut event.workspace));
    }
}

/// What a client calls an event's session and trace.
fn names_of(event: &SessionEvent) -> SessionEvent {
    SessionEvent {
        event_id: event.event_id.clone(),
        tenant: event.tenant.clone(),
        session_id: event.session_id.clone(),
        trace_id: event.trace_id.clone(),
        ..SessionEvent::default()
    }
}
