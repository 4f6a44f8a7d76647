//! The index of the digests. For each group and each session it says what joins it, when its workspace is due, and where
//! its digests are.
//!
//! A worker keeps it in memory for every session, so its size matters: 72 bytes a group, 8 a join key and 40 a session;
//! names of workspaces are kept once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::super::workspace_key::WorkspaceKey;
use super::KeptGroup;
use super::byte_range::Span;
use super::packed::{Key, Packed};
use crate::event::Timestamp;
use crate::library::session_number;
use crate::table::{HashedJoinKeys, sessions};

/// The groups, by a number that no other group ever had.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Ascending.
    groups: Vec<IndexedGroup>,
    pub(super) next: u64,
    places: Vec<WorkspaceKey>,
    numbers: BTreeMap<WorkspaceKey, u32>,
}

/// A group.
#[derive(Debug)]
pub(super) struct IndexedGroup {
    pub(super) number: u64,
    pub(super) join_keys: HashedJoinKeys,
    pub(super) at: At,
    pub(super) sessions: Box<[Indexed]>,
}

/// A group that is to be added.
pub(super) struct NewGroup {
    pub(super) number: u64,
    join_keys: HashedJoinKeys,
    at: At,
    sessions: Vec<(WorkspaceKey, Indexed)>,
}

impl NewGroup {
    /// A group whose entry is at a place.
    pub(super) fn of(number: u64, group: &KeptGroup, at: At) -> Self {
        let indexed = |digest: &Packed| {
            let session = Indexed {
                session: session_number(digest.tenant(), digest.session()),
                last_event_at: digest.last_event_at(),
                last_ingested_at: digest.last_ingested_at(),
                place: 0,
                bytes: u32::try_from(digest.size()).unwrap_or(u32::MAX),
                prompts: u32::try_from(digest.prompts()).unwrap_or(u32::MAX),
                events: u32::try_from(digest.events()).unwrap_or(u32::MAX).min(!ENDED)
                    | if digest.ended() { ENDED } else { 0 },
            };
            (digest.place(), session)
        };
        let sessions = group.digests.iter().map(indexed).collect();
        Self { number, join_keys: HashedJoinKeys::from(&group.join_keys), at, sessions }
    }

    /// A group as it was in an index with these places; `None` where a session is of none of them.
    pub(super) fn again(
        number: u64,
        join_keys: HashedJoinKeys,
        at: At,
        sessions: &[Indexed],
        places: &[WorkspaceKey],
    ) -> Option<Self> {
        let placed = |session: &Indexed| Some((places.get(session.place as usize)?.clone(), *session));
        let sessions = sessions.iter().map(placed).collect::<Option<_>>()?;
        Some(Self { number, join_keys, at, sessions })
    }
}

/// Where the entry of a group is.
#[derive(Debug, Clone)]
pub(super) enum At {
    /// In the file.
    File(Span),
    /// In memory, as it is written, where no file takes it.
    Memory(Arc<[u8]>),
}

/// A session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::service) struct Indexed {
    /// [`session_number`].
    pub(in crate::service) session: u64,
    last_event_at: i64,
    last_ingested_at: i64,
    place: u32,
    /// The bytes of its digest.
    pub(in crate::service) bytes: u32,
    /// Prompts of the main agent.
    pub(in crate::service) prompts: u32,
    /// How many there are, and [`ENDED`].
    events: u32,
}

/// The client said that the session ended.
const ENDED: u32 = 1 << 31;

impl Indexed {
    /// When the last of it came.
    pub(in crate::service) fn last(&self) -> Timestamp {
        Timestamp::from_micros(self.last_event_at.max(self.last_ingested_at))
    }

    /// [`crate::skillify::Digest::is_closed`].
    pub(in crate::service) fn is_closed(&self, now: Timestamp, idle: Duration) -> bool {
        let (event, ingested) = self.times();
        sessions::is_closed(self.has_ended(), event, ingested, now, idle)
    }

    /// [`crate::skillify::Digest::closes_at`].
    pub(in crate::service) fn closes_at(&self, idle: Duration) -> Timestamp {
        let (event, ingested) = self.times();
        sessions::closes_at(self.has_ended(), event, ingested, idle)
    }

    /// How many events it has.
    pub(super) fn events(&self) -> u64 {
        u64::from(self.events & !ENDED)
    }

    /// Where it stands among the sessions of its workspace.
    pub(super) fn key(&self) -> Key {
        (self.last_event_at, self.session)
    }

    fn has_ended(&self) -> bool {
        self.events & ENDED != 0
    }

    fn times(&self) -> (Timestamp, Timestamp) {
        (Timestamp::from_micros(self.last_event_at), Timestamp::from_micros(self.last_ingested_at))
    }
}

impl Index {
    /// Adds a group. [`Index::in_order`] puts them in order where numbers do not ascend.
    pub(super) fn add(&mut self, group: NewGroup) {
        let NewGroup { number, join_keys, at, sessions } = group;
        let placed =
            sessions.into_iter().map(|(place, session)| Indexed { place: self.number_of(place), ..session });
        let sessions = placed.collect();
        self.groups.push(IndexedGroup { number, join_keys, at, sessions });
        self.next = self.next.max(number + 1);
    }

    /// Takes groups out; `numbers` ascend. Says in which files they lie.
    pub(super) fn remove(&mut self, numbers: &[u64]) -> Vec<(u32, u64)> {
        let mut lay = Vec::new();
        if !numbers.is_empty() {
            self.groups.retain(|group| {
                let is_gone = numbers.binary_search(&group.number).is_ok();
                if let At::File(span) = group.at
                    && is_gone
                {
                    lay.push((span.file, group.number));
                }
                !is_gone
            });
        }
        lay
    }

    /// Keeps the first so many groups.
    pub(super) fn truncate(&mut self, groups: usize) {
        self.groups.truncate(groups);
    }

    /// Takes out the groups with these numbers; says which there were.
    pub(super) fn take_out(&mut self, numbers: &BTreeSet<u64>) -> Vec<u64> {
        let mut taken = Vec::new();
        self.groups.retain(|group| {
            let is_taken = numbers.contains(&group.number);
            if is_taken {
                taken.push(group.number);
            }
            !is_taken
        });
        taken
    }

    /// The same with ascending numbers.
    pub(super) fn in_order(mut self) -> Self {
        self.groups.sort_unstable_by_key(|group| group.number);
        self.groups.shrink_to_fit();
        self
    }

    /// The bytes of the entries that lie in each file.
    pub(super) fn bytes_by_file(&self) -> BTreeMap<u32, u64> {
        let mut bytes: BTreeMap<u32, u64> = BTreeMap::new();
        for group in &self.groups {
            if let At::File(span) = group.at {
                *bytes.entry(span.file).or_default() += u64::from(span.length);
            }
        }
        bytes
    }

    /// Takes entries to lie elsewhere, each given by where its group is in [`Index::groups`].
    pub(super) fn move_to(&mut self, moved: Vec<(usize, Span)>) {
        for (at, span) in moved {
            if let Some(group) = self.groups.get_mut(at) {
                group.at = At::File(span);
            }
        }
    }

    /// Tenants and workspaces, by the numbers that sessions have of them.
    pub(super) fn places(&self) -> &[WorkspaceKey] {
        &self.places
    }

    pub(super) fn len(&self) -> usize {
        self.groups.len()
    }

    pub(super) fn groups(&self) -> &[IndexedGroup] {
        &self.groups
    }

    /// The first place that a group is of: entries are put beside each other by it.
    pub(super) fn first_place(&self, group: &IndexedGroup) -> Option<&WorkspaceKey> {
        group.sessions.first().and_then(|session| self.place_of(session))
    }

    /// Where the entries are of groups that have such sessions.
    pub(super) fn entries_of(&self, wanted: impl Fn(&WorkspaceKey, Key) -> bool) -> Vec<At> {
        let has =
            |session: &Indexed| self.place_of(session).is_some_and(|place| wanted(place, session.key()));
        let groups = self.groups.iter().filter(|group| group.sessions.iter().any(has));
        groups.map(|group| group.at.clone()).collect()
    }

    /// The sessions of every place.
    pub(super) fn sessions(&self) -> BTreeMap<&WorkspaceKey, Vec<&Indexed>> {
        let mut by_number: Vec<Vec<&Indexed>> = vec![Vec::new(); self.places.len()];
        for session in self.groups.iter().flat_map(|group| &group.sessions) {
            if let Some(of_place) = by_number.get_mut(session.place as usize) {
                of_place.push(session);
            }
        }
        let places = self.places.iter().zip(by_number);
        places.filter(|(_, sessions)| !sessions.is_empty()).collect()
    }

    fn place_of(&self, session: &Indexed) -> Option<&WorkspaceKey> {
        self.places.get(session.place as usize)
    }

    fn number_of(&mut self, place: WorkspaceKey) -> u32 {
        if let Some(number) = self.numbers.get(&place) {
            return *number;
        }
        let number = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        self.places.push(place.clone());
        self.numbers.insert(place, number);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_takes_as_many_bytes_as_the_page_on_capacity_says() {
        assert_eq!((size_of::<IndexedGroup>(), size_of::<Indexed>()), (72, 40));
    }
}
