//! What every record of one client says under the same names.

use crate::event::{Kind, SessionEvent};

use super::record::Record;

/// Under which names a client says what each of its events has; no names: it does not say it.
pub(super) struct Client {
    /// The assistant, as events name it.
    pub(super) name: &'static str,
    pub(super) session: &'static [&'static str],
    pub(super) turn: &'static [&'static str],
    pub(super) user: &'static [&'static str],
    pub(super) version: &'static [&'static str],
    pub(super) model: &'static [&'static str],
    /// What its records say again and no event needs.
    pub(super) repetitions: &'static [&'static str],
}

impl Client {
    /// An event of the given kind with the fields that every record of the client has.
    pub(super) fn event(&self, record: &Record<'_>, kind: Kind, rank: i64) -> SessionEvent {
        record.ignore(self.repetitions);
        let text = |names| record.text(names).unwrap_or_default();
        SessionEvent {
            kind,
            rank,
            session_id: text(self.session),
            turn_id: text(self.turn),
            user_id: record.person(self.user),
            assistant: self.name.to_owned(),
            assistant_version: text(self.version),
            model: text(self.model),
            ..SessionEvent::default()
        }
    }
}
