//! Whether this machine's clock can be trusted, because what retention removes does not come back.
//!
//! The clock is compared with a counter that nobody can set: the time since the machine started. While both advance
//! alike, the clock is steady. If the clock jumps, the old time continues by the counter until the jump has lasted
//! for [`BELIEVED_AFTER`]; by then somebody has set the clock right.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::event::Timestamp;

/// Clocks are set by so much without anyone noticing.
const TOLERANCE: Duration = Duration::from_secs(300);
/// So long a jump must last, or a steady clock be watched, to be believed.
pub(super) const BELIEVED_AFTER: Duration = Duration::from_secs(24 * 3600);

#[cfg(any(target_os = "linux", target_os = "android"))]
const COUNTER: ClockId = ClockId::Boottime;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const COUNTER: ClockId = ClockId::Monotonic;

/// What is known of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    /// The time to go by: never later than the clock.
    pub(super) now: Timestamp,
    /// How long the clock has been steady.
    pub(super) steady: Duration,
    /// How far it has jumped.
    pub(super) jump: Option<Jump>,
}

/// A jump of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jump {
    /// By how much.
    pub by: Duration,
    /// Into the future.
    pub ahead: bool,
}

impl std::fmt::Display for Jump {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let direction = if self.ahead { "ahead" } else { "back" };
        write!(f, "the clock jumped {direction} by {} s", self.by.as_secs())
    }
}

/// The clock, watched from some moment on.
#[derive(Debug)]
struct Watch {
    /// The time and the counter when they last were as they had to be.
    time: Timestamp,
    counter: Duration,
    steady_since: Duration,
    /// The jump that lasts, and the counter when it was seen first.
    jump: Option<(Jump, Duration)>,
}

impl Watch {
    fn new(time: Timestamp, counter: Duration) -> Self {
        Self { time, counter, steady_since: counter, jump: None }
    }

    fn look(&mut self, time: Timestamp, counter: Duration) -> Seen {
        let expected = self.time.saturating_add(counter.saturating_sub(self.counter));
        let (ahead, back) = (time.since(expected), expected.since(time));
        let by = ahead.max(back);
        if by <= TOLERANCE {
            if let Some((jump, _)) = self.jump.take() {
                tracing::warn!("{jump} and is back");
            }
            (self.time, self.counter) = (time, counter);
            return Seen { now: time, steady: counter.saturating_sub(self.steady_since), jump: None };
        }
        let jump = Jump { by, ahead: ahead > back };
        let since = match self.jump {
            Some((_, since)) => since,
            None => {
                tracing::warn!("{jump}; retention goes by the time before, and removes nothing for now");
                counter
            }
        };
        if counter.saturating_sub(since) >= BELIEVED_AFTER {
            tracing::warn!("{jump} a day ago and stayed there: it is believed");
            *self = Self { steady_since: since, ..Self::new(time, counter) };
            return Seen { now: time, steady: counter.saturating_sub(since), jump: None };
        }
        self.jump = Some((jump, since));
        Seen { now: time.min(expected), steady: Duration::ZERO, jump: Some(jump) }
    }
}

/// Looks at the clock; the first look of a process begins the watch.
pub(super) fn look() -> Seen {
    static WATCH: OnceLock<Mutex<Watch>> = OnceLock::new();
    let counter = clock_gettime(COUNTER);
    let nanos = u32::try_from(counter.tv_nsec).unwrap_or_default();
    let counter = Duration::new(u64::try_from(counter.tv_sec).unwrap_or_default(), nanos);
    let now = Timestamp::now();
    let watch = WATCH.get_or_init(|| Mutex::new(Watch::new(now, counter)));
    watch.lock().unwrap_or_else(PoisonError::into_inner).look(now, counter)
}

/// The jump of the clock that lasts, if one does.
pub fn jump() -> Option<Jump> {
    look().jump
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

    fn start() -> Timestamp {
        Timestamp::from_micros(1_795_339_800_000_000)
    }

    /// A watch, and a clock that is `offset` ahead of the true time, so long after the start.
    fn at(watch: &mut Watch, hours: u32, ahead: Duration) -> Seen {
        let passed = HOUR * hours;
        watch.look(start().saturating_add(passed).saturating_add(ahead), HOUR + passed)
    }

    #[test]
    fn a_jump_is_not_believed_until_it_lasted_a_day_and_is_forgotten_when_it_ends() {
        let mut watch = Watch::new(start(), HOUR);
        assert_eq!(at(&mut watch, 1, Duration::ZERO).steady, HOUR);
        let jumped = at(&mut watch, 2, YEAR);
        assert_eq!(jumped.now, start().saturating_add(HOUR * 2), "the time goes on");
        assert_eq!((jumped.steady, jumped.jump), (Duration::ZERO, Some(Jump { by: YEAR, ahead: true })));
        let back = at(&mut watch, 3, Duration::ZERO);
        assert_eq!((back.now, back.jump), (start().saturating_add(HOUR * 3), None));
        for hour in 4..28 {
            assert!(at(&mut watch, hour, YEAR).jump.is_some(), "at {hour}");
        }
        let believed = at(&mut watch, 28, YEAR);
        assert_eq!(believed.jump, None);
        assert_eq!(believed.now, start().saturating_add(HOUR * 28).saturating_add(YEAR));
    }

    #[test]
    fn a_clock_that_goes_back_is_gone_by_and_said() {
        let mut watch = Watch::new(start().saturating_add(YEAR), HOUR);
        let back = at(&mut watch, 1, Duration::ZERO);
        assert_eq!(back.now, start().saturating_add(HOUR));
        assert!(back.jump.is_some_and(|jump| !jump.ahead));
        assert_eq!(back.steady, Duration::ZERO);
    }

    #[test]
    fn a_clock_that_is_set_a_little_is_steady() {
        let mut watch = Watch::new(start(), HOUR);
        for hour in 1..40 {
            let seen = at(&mut watch, hour, Duration::from_secs(200) * hour);
            assert_eq!((seen.jump, seen.steady), (None, HOUR * hour));
        }
    }
}
