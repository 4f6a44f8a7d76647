//! The rows that a reading holds until their groups are complete, and how many bytes of them there may be.

use std::collections::{BTreeMap, BTreeSet};

use super::part::Rows;
use super::read::Listed;
use crate::event::SessionEvent;

/// The rows of a group that is not complete.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) replaces: Vec<usize>,
    /// How many of its new rows were read.
    pub(super) read: usize,
    /// The rows that are not hidden, and the rows known before.
    pub(super) events: Vec<SessionEvent>,
    /// About how many bytes they take, or took. Counted where they are bounded.
    pub(super) bytes: usize,
    /// So many rows are left out, as the group is too large.
    pub(super) left_out: usize,
    /// What its rows are found by, once it was let go of.
    pub(super) let_go: Option<Keys>,
}

impl Held {
    /// Keeps a row, unless there are as many bytes as one group may have.
    pub(super) fn hold(&mut self, event: SessionEvent, most: usize) {
        if self.bytes > most {
            self.left_out += 1;
            return;
        }
        self.bytes += event.size_in_memory();
        if let Some(keys) = &mut self.let_go {
            keys.add(event);
        } else {
            self.events.push(event);
        }
    }
}

/// What rows of a group are found by in the files.
#[derive(Debug, Default)]
pub(super) struct Keys {
    sessions: BTreeSet<String>,
    traces: BTreeSet<String>,
    alone: BTreeSet<String>,
}

impl Keys {
    fn add(&mut self, event: SessionEvent) {
        if !event.session_id.is_empty() {
            if !self.sessions.contains(&event.session_id) {
                self.sessions.insert(event.session_id);
            }
        } else if !event.trace_id.is_empty() {
            if !self.traces.contains(&event.trace_id) {
                self.traces.insert(event.trace_id);
            }
        } else {
            self.alone.insert(event.event_id);
        }
    }

    /// The rows of all of them; `None` if there are none.
    pub(super) fn rows<'k>(all: impl Iterator<Item = &'k Self>) -> Option<Rows> {
        let mut sum = Self::default();
        for keys in all {
            sum.sessions.extend(keys.sessions.iter().cloned());
            sum.traces.extend(keys.traces.iter().cloned());
            sum.alone.extend(keys.alone.iter().cloned());
        }
        let rows = Rows::default()
            .one_of("session_id", &sum.sessions)
            .one_of("trace_id", &sum.traces)
            .one_of("event_id", &sum.alone);
        (!rows.0.is_empty()).then_some(rows)
    }
}

/// How many bytes of rows may be held.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) most: usize,
    /// So many are.
    pub(super) held: usize,
    /// The files of the reading.
    pub(super) files: Vec<Listed>,
    /// So many bytes each group may have that is read again, once that has begun.
    pub(super) share: Option<usize>,
}

/// The files are read again so often at most for the groups that were let go of. If these are so many that they need
/// more, each gets a share of what can be held, and the rest of its rows is left out.
const MOST_TURNS: usize = 16;

impl Bound {
    /// So many bytes one group may have.
    pub(super) const fn of_group(&self) -> usize {
        self.most / 2
    }

    /// The new bound for each of these groups, which are all larger, when they are read again.
    pub(super) fn of_group_again(&mut self, groups: usize) -> usize {
        let share = MOST_TURNS.saturating_mul(self.most) / groups.max(1);
        *self.share.get_or_insert(share.min(self.most / 2))
    }

    /// Keeps a row.
    pub(super) fn hold(&mut self, held: &mut Held, event: SessionEvent) {
        let before = held.bytes;
        held.hold(event, self.of_group());
        if held.let_go.is_none() {
            self.held += held.bytes - before;
        }
    }

    /// Lets go of the largest groups until no more is held than may be.
    pub(super) fn let_go(&mut self, groups: &mut BTreeMap<usize, Held>) {
        while self.held > self.most {
            let held = groups.values_mut().filter(|held| held.let_go.is_none() && held.replaces.is_empty());
            let Some(largest) = held.max_by_key(|held| held.bytes).filter(|held| held.bytes > 0) else {
                return;
            };
            let mut keys = Keys::default();
            std::mem::take(&mut largest.events).into_iter().for_each(|event| keys.add(event));
            largest.let_go = Some(keys);
            self.held -= largest.bytes.min(self.held);
        }
    }
}
