//! Erasure from bodies that wait.
//!
//! A record belongs to the erased subject if one of its events does. A record that no dialect knows becomes no event;
//! it belongs to the subject if it is of an erased trace, or if one of its texts is the name of the erased session or
//! person.

use crate::dialects::{Dialects, Outcome, Record};
use crate::event::SessionEvent;
use crate::forward::{Body, Entry, retain};
use crate::receivers::{MemoryLimit, Sender};

use super::convert::read_again;

/// The body without the records of which `covers` says that they are erased, and, of those that became no event,
/// without those that say one of `names`; `None` if no record is left, or if it cannot be read.
pub fn without(
    entry: Entry,
    dialects: &Dialects,
    covers: &dyn Fn(&SessionEvent) -> bool,
    names: &[&str],
) -> Option<Entry> {
    let reader = Reader { entry: &entry, dialects, covers };
    let mut keep = |alone: Body, says: &dyn Fn(&[&str]) -> bool| match reader.look(&alone) {
        Found::Erased => false,
        Found::Event => true,
        Found::Nothing => !says(names),
    };
    let body = retain(entry.signal, &entry.body, &mut keep).ok()??;
    Some(Entry { body, ..entry })
}

struct Reader<'e> {
    entry: &'e Entry,
    dialects: &'e Dialects,
    covers: &'e dyn Fn(&SessionEvent) -> bool,
}

/// What is known of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    Nothing,
    Event,
    Erased,
}

impl Reader<'_> {
    /// What a request with one record is.
    fn look(&self, alone: &Body) -> Found {
        let mut found = Found::Nothing;
        let mut lease = MemoryLimit::new(usize::MAX).lease();
        // What cannot be read became no event.
        let _ = read_again(self.entry.signal, alone, &mut lease, &mut |record| {
            found = found.max(self.look_at(record));
        });
        found
    }

    fn look_at(&self, record: &Record<'_>) -> Found {
        let Entry { owner, ingested_at, person, .. } = self.entry;
        let events = match self.dialects.map(record, owner, *ingested_at) {
            Outcome::Mapped(mut events) => {
                if !person.is_empty() {
                    let sender = Sender::Named(person.clone());
                    for event in &mut events {
                        sender.settle(event);
                    }
                }
                events
            }
            Outcome::Dropped { .. } | Outcome::Unrecognised => Vec::new(),
        };
        if events.is_empty() {
            let unknown = SessionEvent {
                tenant: owner.tenant.clone(),
                trace_id: record.trace_id(),
                user_id: person.clone(),
                ingested_at: *ingested_at,
                ..SessionEvent::default()
            };
            return if (self.covers)(&unknown) { Found::Erased } else { Found::Nothing };
        }
        if events.iter().any(self.covers) { Found::Erased } else { Found::Event }
    }
}
