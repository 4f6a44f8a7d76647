//! Periodic work of the service.

use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

/// Ticks, the first of them at once. Work that takes longer than the period delays the next one.
#[derive(Debug)]
pub(super) struct Ticks {
    interval: Interval,
    stop: CancellationToken,
}

impl Ticks {
    /// One every `period`, which is not zero, until `stop`.
    pub(super) fn every(period: Duration, stop: &CancellationToken) -> Self {
        let mut interval = tokio::time::interval(period);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { interval, stop: stop.clone() }
    }

    /// The next one, or `None` once they are stopped.
    pub(super) async fn next(&mut self) -> Option<()> {
        let tick = self.stop.run_until_cancelled(self.interval.tick()).await;
        tick.map(|_| ())
    }
}
