//! How long syncs take: counts by duration.

use std::time::Duration;

/// The upper bounds of the counts, in microseconds.
const BOUNDS: [u64; 12] =
    [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 500_000, 1_000_000];

/// A histogram of the durations of syncs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyncTimes {
    /// How many there were.
    pub count: u64,
    /// How long they took together.
    pub total: Duration,
    /// How long the slowest of them took.
    pub slowest: Duration,
    /// By bound; what takes longer than the last one is in none.
    counts: [u64; BOUNDS.len()],
}

impl SyncTimes {
    pub(super) fn note(&mut self, took: Duration) {
        self.count += 1;
        self.total += took;
        self.slowest = self.slowest.max(took);
        let bounds = BOUNDS.iter().zip(&mut self.counts);
        let fitting = bounds.into_iter().find(|(bound, _)| took.as_micros() <= u128::from(**bound));
        if let Some((_, count)) = fitting {
            *count += 1;
        }
    }

    /// (upper bound in seconds, how many took no longer and longer than the bound before), ascending;
    /// the last bound is infinite.
    pub fn buckets(&self) -> impl Iterator<Item = (f64, u64)> {
        let slower = self.count - self.counts.iter().sum::<u64>();
        let bounded = BOUNDS.iter().zip(self.counts).map(|(bound, count)| (*bound as f64 / 1e6, count));
        bounded.chain([(f64::INFINITY, slower)])
    }
}
