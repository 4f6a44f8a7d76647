//! When a workspace is due: what was mined last time, and what is new since.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::digests::Indexed;
use crate::event::Timestamp;

/// What mining has seen of a workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Mark {
    turns: u64,
    sessions: usize,
    /// Hashes of the closed sessions, each with the time of its last event, ascending. A session that goes on and
    /// closes again has another hash.
    closed: Box<[u64]>,
}

impl Mark {
    /// What there is to be seen now.
    pub(super) fn of<'d>(
        sessions: impl IntoIterator<Item = &'d &'d Indexed>,
        now: Timestamp,
        idle: Duration,
    ) -> Self {
        let one = |session: &&Indexed| {
            let closed = session.is_closed(now, idle).then(|| session.last());
            (session.session, u64::from(session.prompts), closed)
        };
        Self::of_sessions(sessions.into_iter().map(one))
    }

    /// Of sessions: their number, their turns and, if they are closed, the time of the last of them.
    fn of_sessions(sessions: impl Iterator<Item = (u64, u64, Option<Timestamp>)>) -> Self {
        let (mut turns, mut count, mut closed) = (0, 0, Vec::new());
        for (session, prompts, last) in sessions {
            turns += prompts;
            count += 1;
            closed.extend(last.map(|last| hash_of(session, last)));
        }
        closed.sort_unstable();
        closed.dedup();
        Self { turns, sessions: count, closed: closed.into() }
    }

    /// Whether a session has closed since `mined`, or is gone, or there are `every_turns` more turns. What
    /// was erased or is no longer kept must neither show for longer than that, nor hide what came in its
    /// place.
    pub(super) fn is_due_after(&self, mined: &Self, every_turns: u64) -> bool {
        self.closed.iter().any(|closed| mined.closed.binary_search(closed).is_err())
            || self.sessions < mined.sessions
            || self.turns.saturating_sub(mined.turns) >= every_turns
    }
}

fn hash_of(session: u64, last: Timestamp) -> u64 {
    let mut hasher = DefaultHasher::new();
    (session, last.as_micros()).hash(&mut hasher);
    hasher.finish()
}

/// How many workspaces are due and not mined yet, by pipeline. What scales workers reads it.
#[derive(Debug, Default)]
pub(super) struct DueCounts(Mutex<BTreeMap<String, u64>>);

impl DueCounts {
    pub(super) fn set(&self, pipeline: &str, due: usize) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.insert(pipeline.to_owned(), u64::try_from(due).unwrap_or(u64::MAX));
    }

    pub(super) fn all(&self) -> Vec<(String, u64)> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter().map(|(pipeline, due)| (pipeline.clone(), *due)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY_TURNS: u64 = 20;

    /// Of sessions: their name, their turns and, if they are closed, the minute of the last of them.
    fn mark(sessions: &[(&str, u64, Option<i64>)]) -> Mark {
        let minutes = |minute: i64| Timestamp::from_micros(minute * 60_000_000);
        let one = |(session, turns, closed): &(&str, u64, Option<i64>)| {
            (session.bytes().map(u64::from).sum(), *turns, closed.map(minutes))
        };
        Mark::of_sessions(sessions.iter().map(one))
    }

    #[test]
    fn a_workspace_is_due_when_a_session_closed_or_enough_was_asked() {
        let mined = mark(&[("a", 3, Some(10)), ("b", 1, None)]);
        let is_due = |sessions: &[_]| mark(sessions).is_due_after(&mined, EVERY_TURNS);
        assert!(!is_due(&[("a", 3, Some(10)), ("b", 1, None)]), "nothing new");
        assert!(is_due(&[("a", 3, Some(10)), ("b", 1, Some(40))]), "b closed");
        assert!(!is_due(&[("a", 3, Some(10)), ("b", 20, None)]), "19 turns more");
        assert!(is_due(&[("a", 3, Some(10)), ("b", 21, None)]), "20 turns more");
        assert!(mined.is_due_after(&Mark::default(), EVERY_TURNS), "never mined");
        assert!(!mark(&[("b", 1, None)]).is_due_after(&Mark::default(), EVERY_TURNS), "open, and short");
    }

    #[test]
    fn a_session_that_goes_on_makes_it_due_when_it_closes_again() {
        let mined = mark(&[("a", 3, Some(10))]);
        let goes_on = mark(&[("a", 4, None)]);
        assert!(!goes_on.is_due_after(&mined, EVERY_TURNS));
        assert!(mark(&[("a", 4, Some(50))]).is_due_after(&mined, EVERY_TURNS));
    }

    #[test]
    fn what_is_gone_makes_it_due_and_hides_nothing_that_came_in_its_place() {
        let mined = mark(&[("a", 30, Some(10)), ("b", 30, Some(20)), ("c", 30, Some(30))]);
        let without_two = mark(&[("c", 30, Some(30))]);
        assert!(without_two.is_due_after(&mined, EVERY_TURNS));
        let with_another = mark(&[("c", 30, Some(30)), ("d", 1, Some(40)), ("e", 1, None)]);
        assert!(with_another.is_due_after(&mined, EVERY_TURNS));
    }
}
