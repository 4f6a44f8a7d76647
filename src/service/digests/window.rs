//! Which sessions of a workspace are mined, and in which blocks the older ones are read.
//!
//! Sessions are ordered by their last event and cut into blocks. A block takes at most a quarter of the memory of a
//! workspace. The sessions beside a cut decide where it is. So new sessions and retention leave other blocks as they are, and
//! what those showed need not be mined again. The newest blocks that fit are the window.

use std::time::Duration;

use super::Indexed;
use super::packed::Key;
use crate::event::Timestamp;

/// How much of a workspace is mined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Bytes of digests at most.
    pub bytes: u64,
    /// Events at most, if that is less.
    pub events: Option<u64>,
    /// No sessions that ended so long before the newest one, as far as blocks allow.
    pub age: Option<Duration>,
}

/// Blocks are so much of a window.
const SHARE: u64 = 4;

/// The sessions from a first one to before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    first: Option<Key>,
    end: Option<Key>,
}

impl Block {
    pub(super) fn holds(self, key: Key) -> bool {
        self.first.is_none_or(|first| first <= key) && self.end.is_none_or(|end| key < end)
    }
}

/// The window of a workspace, and what is older in blocks, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cuts {
    pub(super) window: Block,
    pub(super) older: Vec<Block>,
}

/// What a block or a window holds.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    bytes: u64,
    events: u64,
}

impl Size {
    fn with(self, session: &Indexed) -> Self {
        Self { bytes: self.bytes + u64::from(session.bytes), events: self.events + session.events() }
    }

    fn and(self, other: Self) -> Self {
        Self { bytes: self.bytes + other.bytes, events: self.events + other.events }
    }
}

impl Window {
    fn holds(&self, size: Size) -> bool {
        size.bytes <= self.bytes && self.events.is_none_or(|most| size.events <= most)
    }

    /// What a block may hold.
    fn share(&self) -> Self {
        Self {
            bytes: self.bytes / SHARE,
            events: self.events.map(|events| events / SHARE),
            age: self.age.map(|age| age / 4),
        }
    }

    /// Whether a session begins another block though the one before it has room.
    fn begins(&self, session: &Indexed, before: Size, first: Key) -> bool {
        // One of about so many sessions as half a block holds; right behind another one it does not.
        let is_cut = |size: u64, most: u64, before: u64| {
            let usual = (most / 2).max(1);
            before >= usual / 2 && session.session % usual < size
        };
        is_cut(u64::from(session.bytes), self.bytes, before.bytes)
            || self.events.is_some_and(|most| is_cut(session.events(), most, before.events))
            || self.age.is_some_and(|age| {
                let span = |(at, _): Key| at.div_euclid(micros(age).max(1));
                span(session.key()) != span(first)
            })
    }

    /// Where the sessions of a workspace are cut; `None` if all of them are mined.
    pub(super) fn cut(&self, sessions: &[&Indexed]) -> Option<Cuts> {
        let all = sessions.iter().fold(Size::default(), |size, session| size.with(session));
        let newest = sessions.iter().map(|session| session.key().0).max()?;
        let since = self.age.map(|age| newest.saturating_sub(micros(age)));
        let is_all_new = since.is_none_or(|since| sessions.iter().all(|session| session.key().0 >= since));
        if self.holds(all) && is_all_new {
            return None;
        }
        let blocks = self.blocks(sessions);
        let mut size = Size::default();
        let fits = blocks.iter().rev().take_while(|(_, last, of_block)| {
            size = size.and(*of_block);
            self.holds(size) && since.is_none_or(|since| *last >= since)
        });
        // The newest block is mined whatever it takes.
        let older = blocks.len().saturating_sub(fits.count().max(1));
        let first = blocks.get(older).filter(|_| older > 0).map(|(first, ..)| *first)?;
        let starts: Vec<Key> = blocks.iter().skip(1).take(older).map(|(first, ..)| *first).collect();
        let from = std::iter::once(None).chain(starts.iter().copied().map(Some));
        let older = from.zip(&starts).map(|(first, end)| Block { first, end: Some(*end) }).collect();
        Some(Cuts { window: Block { first: Some(first), end: None }, older })
    }

    /// The blocks: first key, time of the last event, and size.
    fn blocks(&self, sessions: &[&Indexed]) -> Vec<(Key, i64, Size)> {
        let mut sessions = sessions.to_vec();
        sessions.sort_unstable_by_key(|session| session.key());
        let most = self.share();
        let mut blocks: Vec<(Key, i64, Size)> = Vec::new();
        for session in sessions {
            let alone = Size::default().with(session);
            match blocks.last_mut() {
                Some((first, last, size))
                    if most.holds(size.with(session)) && !most.begins(session, *size, *first) =>
                {
                    *last = session.key().0;
                    *size = size.and(alone);
                }
                _ => blocks.push((session.key(), session.key().0, alone)),
            }
        }
        blocks
    }
}

fn micros(age: Duration) -> i64 {
    i64::try_from(age.as_micros()).unwrap_or(i64::MAX)
}

/// When the last event of the first session of a block was.
pub(super) fn since(block: Block) -> Timestamp {
    Timestamp::from_micros(block.first.map_or(0, |(at, _)| at))
}
