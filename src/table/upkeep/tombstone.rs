//! What is erased.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::event::{AsRow, Row, SessionEvent};

/// An erasure of one tenant, for ever: it also covers rows that arrive later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// Its name.
    pub id: String,
    /// When it was put, in microseconds since the epoch.
    pub created_at: i64,
    /// The tenant.
    pub tenant: String,
    /// The person whose rows are covered that were ingested before it was put, and those of files whose facts are
    /// older than it: somebody may import a file again that lay there.
    pub user_id: Option<String>,
    /// The sessions, by the id that rows carry.
    pub session_ids: BTreeSet<String>,
    /// The traces of which every row without a session id is covered.
    pub trace_ids: BTreeSet<String>,
    /// The observations that nothing else covers.
    pub event_ids: BTreeSet<String>,
}

impl Tombstone {
    /// Whether an observation is erased.
    pub fn covers(&self, event: &SessionEvent) -> bool {
        self.covers_row(&event.as_row())
    }

    pub(super) fn covers_row(&self, row: &Row<'_>) -> bool {
        if row.tenant != self.tenant {
            return false;
        }
        let of_session = match row.session_id.is_empty() {
            true => self.trace_ids.contains(row.trace_id),
            false => self.session_ids.contains(row.session_id),
        };
        let of_person = || {
            let same = self.user_id.as_ref().is_some_and(|user| *user == row.user_id);
            let known_since = if row.is_of_a_file() { row.timestamp } else { row.ingested_at };
            same && known_since.as_micros() <= self.created_at
        };
        of_session || self.event_ids.contains(row.event_id) || of_person()
    }

    /// Whether it is of the session that readers name so.
    pub(super) fn names_session(&self, id: &str) -> bool {
        // A client may name a session as readers name one without a name.
        self.session_ids.contains(id)
            || id.strip_prefix("trace:").is_some_and(|trace| self.trace_ids.contains(trace))
            || id.strip_prefix("event:").is_some_and(|event| self.event_ids.contains(event))
    }

    /// Whether others cover all that it does.
    pub(super) fn is_within(&self, others: &[Self]) -> bool {
        let of_tenant = || others.iter().filter(|other| other.tenant == self.tenant);
        let held = |ids: &BTreeSet<String>, of: fn(&Self) -> &BTreeSet<String>| {
            ids.iter().all(|id| of_tenant().any(|other| of(other).contains(id)))
        };
        self.user_id.as_ref().is_none_or(|user| of_tenant().any(|other| other.user_id.as_ref() == Some(user)))
            && held(&self.session_ids, |other| &other.session_ids)
            && held(&self.trace_ids, |other| &other.trace_ids)
            && held(&self.event_ids, |other| &other.event_ids)
    }

    /// Covers the sessions, traces and observations of another one of the same tenant as well.
    pub(super) fn absorb(&mut self, other: &Self) {
        self.session_ids.extend(other.session_ids.iter().cloned());
        self.trace_ids.extend(other.trace_ids.iter().cloned());
        self.event_ids.extend(other.event_ids.iter().cloned());
    }
}
