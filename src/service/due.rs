//! When a workspace is due: what was mined last time, and what is new since.

use std::collections::BTreeSet;
use std::time::Duration;

use super::digests::Packed;
use crate::event::Timestamp;

/// What mining has seen of a workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Mark {
    turns: u64,
    sessions: usize,
    /// The sessions of which nothing more was expected, each with the time of the last of it: one that goes
    /// on and closes again is another one.
    closed: BTreeSet<(String, Timestamp)>,
}

impl Mark {
    /// What there is to be seen now.
    pub(super) fn of<'d>(
        digests: impl IntoIterator<Item = &'d Packed>,
        now: Timestamp,
        idle: Duration,
    ) -> Self {
        let mut mark = Self::default();
        for digest in digests {
            mark.add(digest.session(), digest.prompts(), digest.is_closed(now, idle).then(|| digest.last()));
        }
        mark
    }

    /// Whether a session has closed since `mined`, or is gone, or there are `every_turns` more turns. What
    /// was erased or is no longer kept must neither show for longer than that, nor hide what came in its
    /// place.
    pub(super) fn is_due_after(&self, mined: &Self, every_turns: u64) -> bool {
        !self.closed.is_subset(&mined.closed)
            || self.sessions < mined.sessions
            || self.turns.saturating_sub(mined.turns) >= every_turns
    }

    fn add(&mut self, session: &str, turns: u64, closed: Option<Timestamp>) {
        self.turns += turns;
        self.sessions += 1;
        self.closed.extend(closed.map(|last| (session.to_owned(), last)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY_TURNS: u64 = 20;

    /// Of sessions: their name, their turns and, if they are closed, the minute of the last of them.
    fn mark(sessions: &[(&str, u64, Option<i64>)]) -> Mark {
        let mut mark = Mark::default();
        for (session, turns, closed) in sessions {
            mark.add(session, *turns, closed.map(|minute| Timestamp::from_micros(minute * 60_000_000)));
        }
        mark
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
