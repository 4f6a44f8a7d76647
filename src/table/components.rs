//! Connected components: which rows must be resolved together.
//!
//! [`super::resolve`] puts rows into one session because they carry one session id, belong to one
//! trace, or show one conversation's history. Rows that no chain of such ties connects have no
//! influence on each other: resolving them apart gives the same sessions as resolving them together.
//! A group is all rows that a chain connects.
//!
//! Keys of ties are 64-bit hashes. Two keys that collide join two unrelated groups, which costs memory and changes no
//! session.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::{Deserialize, Serialize};

use super::upkeep::Tombstone;
use crate::event::{Kind, SessionEvent};

/// Tenants and values, ascending, each once. Of most groups there is one, and there are as many groups as
/// sessions: a set would take ten times the memory.
pub(super) type Keys = Box<[(String, String)]>;

/// What ties the rows of one group to others, and by which they are found again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinKeys {
    /// (tenant, session id) as rows carry them.
    pub sessions: Keys,
    /// (tenant, trace id).
    pub traces: Keys,
    /// (tenant, hash of a conversation).
    pub histories: Keys,
    /// (tenant, event id) of rows with neither session nor trace.
    pub alone: Keys,
    /// The earliest date on which one of its rows was ingested, as `2026-11-22`.
    pub since: String,
}

impl JoinKeys {
    /// Those of rows.
    pub(super) fn of(events: &[SessionEvent]) -> Self {
        let since = events.iter().map(|event| event.ingested_at).min();
        let mut sets: [BTreeSet<(String, String)>; 4] = Default::default();
        events.iter().for_each(|event| add_keys(&mut sets, event));
        let [sessions, traces, histories, alone] = sets.map(|set| set.into_iter().collect());
        Self {
            sessions,
            traces,
            histories,
            alone,
            since: since.map(|first| first.date()).unwrap_or_default(),
        }
    }

    fn hashes(&self) -> impl Iterator<Item = u64> + '_ {
        let of = |kind: JoinKey, set: &'_ Keys| -> Vec<u64> {
            set.iter().map(|(tenant, value)| hash(kind, tenant, value)).collect()
        };
        of(JoinKey::Session, &self.sessions)
            .into_iter()
            .chain(of(JoinKey::Trace, &self.traces))
            .chain(of(JoinKey::History, &self.histories))
            .chain(of(JoinKey::Alone, &self.alone))
    }
}

/// What tells whether a row joins a group: the hashes of its join keys. A reader keeps one for each group that it knows,
/// so it takes a tenth of what [`JoinKeys`] take.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HashedJoinKeys {
    hashes: Box<[u64]>,
    /// [`JoinKeys::since`] as a number: 20261122.
    since: u32,
}

impl From<&JoinKeys> for HashedJoinKeys {
    fn from(join_keys: &JoinKeys) -> Self {
        Self { hashes: join_keys.hashes().collect(), since: number_of(&join_keys.since) }
    }
}

impl HashedJoinKeys {
    /// Whether a row was ingested before a date, as `2026-11-22`.
    pub(super) fn is_older_than(&self, date: &str) -> bool {
        self.since < number_of(date)
    }
}

/// A date as a number that is greater for a later one; 0 for none.
fn number_of(date: &str) -> u32 {
    let digits = date.bytes().filter(u8::is_ascii_digit).take(8);
    digits.fold(0, |number, digit| number * 10 + u32::from(digit - b'0'))
}

/// Which groups tombstones may cover.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Covered {
    /// Rows that are erased one by one, or with a person, may be of any group.
    any: bool,
    hashes: BTreeSet<u64>,
}

impl Covered {
    /// Those of tombstones.
    pub fn by<'t>(tombstones: impl IntoIterator<Item = &'t Tombstone>) -> Self {
        let mut covered = Self::default();
        for tombstone in tombstones {
            covered.any |= tombstone.user_id.is_some() || !tombstone.event_ids.is_empty();
            let of = |tie| move |id: &String| hash(tie, &tombstone.tenant, id);
            covered.hashes.extend(tombstone.session_ids.iter().map(of(JoinKey::Session)));
            covered.hashes.extend(tombstone.trace_ids.iter().map(of(JoinKey::Trace)));
        }
        covered
    }

    /// Whether every group may have a row that is erased.
    pub fn covers_any(&self) -> bool {
        self.any
    }

    /// Whether a row of the group may be erased.
    pub fn may_cover(&self, join_keys: &HashedJoinKeys) -> bool {
        self.any || !self.hashes.is_empty() && join_keys.hashes.iter().any(|hash| self.hashes.contains(hash))
    }
}

/// Adds the keys of a row to the sets of sessions, traces, histories and what is alone.
fn add_keys(sets: &mut [BTreeSet<(String, String)>; 4], event: &SessionEvent) {
    let [sessions, traces, histories, alone] = sets;
    for (kind, value) in keys(&Row::of(event)) {
        let set = match kind {
            JoinKey::Session => &mut *sessions,
            JoinKey::Trace => &mut *traces,
            JoinKey::History => &mut *histories,
            JoinKey::Alone => &mut *alone,
        };
        // Most rows of a group have the ties that it has already.
        let is = |(tenant, known): &(String, String)| known == value && *tenant == event.tenant;
        if !set.first().is_some_and(is) && !set.last().is_some_and(is) {
            set.insert((event.tenant.clone(), value.to_owned()));
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum JoinKey {
    Session,
    Trace,
    History,
    Alone,
}

/// The columns of a row that tie it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) tenant: &'a str,
    pub(super) event_id: &'a str,
    pub(super) session_id: &'a str,
    pub(super) trace_id: &'a str,
    pub(super) history_before: &'a str,
    pub(super) history_after: &'a str,
    pub(super) kind: Kind,
}

impl<'a> Row<'a> {
    fn of(event: &'a SessionEvent) -> Self {
        Self {
            tenant: &event.tenant,
            event_id: &event.event_id,
            session_id: &event.session_id,
            trace_id: &event.trace_id,
            history_before: &event.history_before,
            history_after: &event.history_after,
            kind: event.kind,
        }
    }
}

fn keys<'a>(row: &Row<'a>) -> impl Iterator<Item = (JoinKey, &'a str)> + use<'a> {
    let has_history = !row.trace_id.is_empty() && !row.history_after.is_empty();
    let history = match row.kind {
        Kind::Prompt if has_history => row.history_before,
        Kind::Response if has_history => row.history_after,
        _ => "",
    };
    let alone = row.session_id.is_empty() && row.trace_id.is_empty();
    let join_keys = [
        (JoinKey::Session, row.session_id),
        (JoinKey::Trace, row.trace_id),
        (JoinKey::History, history),
        (JoinKey::Alone, if alone { row.event_id } else { "" }),
    ];
    join_keys.into_iter().filter(|(_, value)| !value.is_empty())
}

/// Changes when the hashes of join keys do. They are kept on disk, and the standard library promises no hash that
/// stays: what is kept under another sign is made anew.
pub fn hash_sign() -> u64 {
    hash(JoinKey::Session, "tenant", "value")
}

fn hash(tie: JoinKey, tenant: &str, value: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (tie, tenant, value).hash(&mut hasher);
    hasher.finish()
}

/// The hashes of a row's join keys; unused places are `None`.
pub(super) type Hashes = [Option<u64>; 3];

/// The hashes of a row's join keys.
pub(super) fn hashes_of(row: &Row<'_>) -> Hashes {
    let mut hashes = [None; 3];
    for (place, (tie, value)) in hashes.iter_mut().zip(keys(row)) {
        *place = Some(hash(tie, row.tenant, value));
    }
    hashes
}

/// The hashes of an observation's join keys.
pub(super) fn hashes_of_event(event: &SessionEvent) -> Hashes {
    hashes_of(&Row::of(event))
}

/// Which ties a chain connects: a forest of keys.
#[derive(Debug, Default)]
pub(super) struct Forest {
    of_key: BTreeMap<u64, usize>,
    parents: Vec<usize>,
    /// How many rows have each key, by the key's node.
    rows: Vec<usize>,
}

impl Forest {
    /// Joins the keys of this many rows.
    pub(super) fn add_rows(&mut self, hashes: &Hashes, count: usize) {
        let root = self.join(hashes.iter().copied().flatten());
        if let Some(rows) = root.and_then(|root| self.rows.get_mut(root)) {
            *rows += count;
        }
    }

    /// Joins the keys of a group that is known.
    pub(super) fn add_known(&mut self, join_keys: &HashedJoinKeys) {
        self.join(join_keys.hashes.iter().copied());
    }

    /// Whether a row that was added joins a group that is known.
    pub(super) fn meets(&self, join_keys: &HashedJoinKeys) -> bool {
        !self.of_key.is_empty() && join_keys.hashes.iter().any(|key| self.of_key.contains_key(key))
    }

    /// The group of a row, as a number; `None` for a row that was never added.
    pub(super) fn group_of(&mut self, hashes: &Hashes) -> Option<usize> {
        let node = hashes.iter().flatten().find_map(|key| self.of_key.get(key).copied())?;
        Some(self.root(node))
    }

    /// The group of what is known, as a number.
    pub(super) fn group_of_known(&mut self, join_keys: &HashedJoinKeys) -> Option<usize> {
        let node = join_keys.hashes.iter().find_map(|key| self.of_key.get(key).copied())?;
        Some(self.root(node))
    }

    /// How many rows of a group were added.
    pub(super) fn rows_of(&self, group: usize) -> usize {
        self.rows.get(group).copied().unwrap_or_default()
    }

    fn join(&mut self, keys: impl Iterator<Item = u64>) -> Option<usize> {
        let mut first = None;
        for key in keys {
            let node = self.node(key);
            let root = self.root(node);
            first = Some(match first {
                Some(other) if other != root => self.merge(other, root),
                _ => root,
            });
        }
        first
    }

    fn node(&mut self, key: u64) -> usize {
        let next = self.parents.len();
        let node = *self.of_key.entry(key).or_insert(next);
        if node == next {
            self.parents.push(next);
            self.rows.push(0);
        }
        node
    }

    fn merge(&mut self, a: usize, b: usize) -> usize {
        let (home, guest) = (a.min(b), a.max(b));
        if let Some(parent) = self.parents.get_mut(guest) {
            *parent = home;
        }
        let guests = self.rows_of(guest);
        if let Some(rows) = self.rows.get_mut(home) {
            *rows += guests;
        }
        home
    }

    fn root(&mut self, node: usize) -> usize {
        let mut root = node;
        while let Some(parent) = self.parents.get(root).copied().filter(|parent| *parent != root) {
            root = parent;
        }
        let mut at = node;
        while at != root {
            let Some(parent) = self.parents.get_mut(at) else { break };
            at = std::mem::replace(parent, root);
        }
        root
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row<'a>(session: &'a str, trace: &'a str) -> Row<'a> {
        Row {
            tenant: "acme",
            event_id: "e",
            session_id: session,
            trace_id: trace,
            history_before: "",
            history_after: "",
            kind: Kind::ToolCall,
        }
    }

    #[test]
    fn a_chain_of_ties_makes_one_group_and_counts_its_rows() {
        let mut forest = Forest::default();
        forest.add_rows(&hashes_of(&row("s1", "t1")), 1);
        forest.add_rows(&hashes_of(&row("s2", "t2")), 1);
        forest.add_rows(&hashes_of(&row("s3", "t3")), 1);
        forest.add_rows(&hashes_of(&row("s1", "t2")), 1);
        let group = |forest: &mut Forest, session| forest.group_of(&hashes_of(&row(session, ""))).unwrap();
        let (first, second, third) =
            (group(&mut forest, "s1"), group(&mut forest, "s2"), group(&mut forest, "s3"));
        assert_eq!(first, second);
        assert_ne!(first, third);
        assert_eq!((forest.rows_of(first), forest.rows_of(third)), (3, 1));
    }

    #[test]
    fn a_row_with_neither_session_nor_trace_is_tied_by_itself() {
        let mut forest = Forest::default();
        let mut other = row("", "");
        other.event_id = "f";
        forest.add_rows(&hashes_of(&row("", "")), 1);
        forest.add_rows(&hashes_of(&other), 1);
        assert_ne!(forest.group_of(&hashes_of(&row("", ""))), forest.group_of(&hashes_of(&other)));
    }
}
