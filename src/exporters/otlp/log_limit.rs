//! Limits how often the log repeats a message.

use std::time::{Duration, Instant};

/// The same is said so seldom.
const PAUSE: Duration = Duration::from_secs(60);

/// A message that is logged at most once a minute.
#[derive(Debug, Default)]
pub(super) struct Seldom {
    said_at: Option<Instant>,
    unsaid: u64,
}

impl Seldom {
    /// Whether it is to be said now, and how often it was not since the last time.
    pub(super) fn say(&mut self) -> Option<u64> {
        self.say_at(Instant::now())
    }

    fn say_at(&mut self, now: Instant) -> Option<u64> {
        if self.said_at.is_some_and(|at| now.duration_since(at) < PAUSE) {
            self.unsaid += 1;
            return None;
        }
        self.said_at = Some(now);
        Some(std::mem::take(&mut self.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_said_is_counted() {
        let (mut seldom, began) = (Seldom::default(), Instant::now());
        assert_eq!(seldom.say_at(began), Some(0));
        assert_eq!((1..50).filter_map(|at| seldom.say_at(began + Duration::from_secs(at))).count(), 0);
        assert_eq!(seldom.say_at(began + PAUSE), Some(49));
        assert_eq!(seldom.say_at(began + 2 * PAUSE), Some(0));
    }
}
