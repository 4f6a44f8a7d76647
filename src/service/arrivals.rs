//! Logs each session that begins to arrive: at most so many lines a minute, the rest as a number.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::field::{DisplayValue, display};

use super::ticks::Ticks;
use crate::event::visible_line;
use crate::receivers::{Arrival, Arrivals};

/// How soon a session is told.
const PERIOD: Duration = Duration::from_secs(1);
/// Lines a minute, all of which may come at once.
const A_MINUTE: u32 = 20;
const TICKS_A_MINUTE: u32 = 60;

/// What may be said now.
struct Budget {
    /// In parts of a line: each tick adds [`A_MINUTE`] of them, a line takes [`TICKS_A_MINUTE`].
    parts: u32,
    untold: u64,
    ticks: u32,
}

impl Budget {
    const FULL: u32 = A_MINUTE * TICKS_A_MINUTE;

    const fn new() -> Self {
        Self { parts: Self::FULL, untold: 0, ticks: 0 }
    }

    /// Those of `new` that are told now, and a number of others once a minute.
    fn spend(&mut self, mut new: Vec<Arrival>, more: u64) -> (Vec<Arrival>, u64) {
        self.parts = (self.parts + A_MINUTE).min(Self::FULL);
        let affordable = (self.parts / TICKS_A_MINUTE) as usize;
        self.untold += more + new.len().saturating_sub(affordable) as u64;
        new.truncate(affordable);
        self.parts -= u32::try_from(new.len()).unwrap_or(0) * TICKS_A_MINUTE;
        self.ticks = (self.ticks + 1) % TICKS_A_MINUTE;
        let untold = if self.ticks == 0 { std::mem::take(&mut self.untold) } else { 0 };
        (new, untold)
    }
}

/// Says what arrives until `stop`.
pub(super) async fn run(arrivals: Arrivals, stop: CancellationToken) {
    let mut ticks = Ticks::every(PERIOD, &stop);
    let mut budget = Budget::new();
    while ticks.next().await.is_some() {
        let (new, more) = arrivals.take();
        let (told, untold) = budget.spend(new, more);
        told.iter().for_each(say);
        if untold > 0 {
            tracing::info!(target: "skillspan::sessions", sessions = untold, "more new sessions");
        }
    }
    // What came since the last tick is not kept back.
    let (new, more) = arrivals.take();
    budget.spend(new, more).0.iter().for_each(say);
}

/// What is empty is left out of the line.
fn shown(text: &str) -> Option<DisplayValue<String>> {
    (!text.is_empty()).then(|| display(visible_line(text).to_string()))
}

fn say(arrival: &Arrival) {
    let Arrival { session, assistant, workspace, project } = arrival;
    let [workspace, project] = [workspace, project].map(|text| shown(text));
    let [session, assistant] = [session, assistant].map(|text| visible_line(text));
    tracing::info!(target: "skillspan::sessions", %session, %assistant, workspace, project, "new session");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_are_told_a_minute_and_the_others_are_counted() {
        let mut budget = Budget::new();
        let many = |count: usize| vec![Arrival::default(); count];
        assert_eq!(budget.spend(many(3), 0), (many(3), 0));
        assert_eq!(budget.spend(many(30), 7).0.len(), 17);
        let (mut told, mut counted) = (0, 0);
        for _ in 0..600 {
            let (named, more) = budget.spend(many(5), 0);
            told += named.len() as u64;
            counted += more;
        }
        assert!((195..=205).contains(&told), "{told} in ten minutes");
        assert_eq!(told + counted + budget.untold, 3_000 + 13 + 7, "none is lost");
        (0..60).for_each(|_| drop(budget.spend(Vec::new(), 0)));
        assert_eq!(budget.untold, 0);
    }
}
