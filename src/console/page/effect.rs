//! What sessions showed of a skill: before it was published, and later with it and without it.

use serde::Serialize;

use crate::console::chart;
use crate::library::{Listed, Side, WatchedSkill};

/// What one session cost on average, on one side.
#[derive(Debug, Serialize)]
pub(super) struct Measured {
    pub(super) side: &'static str,
    pub(super) sessions: u64,
    pub(super) failures: f64,
    pub(super) tool_calls: f64,
    pub(super) minutes: f64,
}

/// What the sessions of the last 30 days showed; until these are counted, what the last run of mining wrote.
pub(super) fn effect(watched: Option<&WatchedSkill>, skill: &Listed) -> Vec<Measured> {
    let (with, without) = ("later, with the skill", "later, without it");
    let sides = match (watched, &skill.effect) {
        (Some(seen), _) => {
            vec![("before it was published", seen.before), (with, seen.with), (without, seen.without)]
        }
        (None, Some(effect)) => vec![(with, effect.with), (without, effect.without)],
        (None, None) => Vec::new(),
    };
    if sides.iter().all(|(_, sums)| sums.sessions == 0) {
        return Vec::new();
    }
    sides.iter().map(|(side, sums)| Measured::of(side, sums)).collect()
}

/// A measure of a side, beside those of the others.
fn bar(all: &[Measured], side: &Measured, measure: impl Fn(&Measured) -> f64, class: &str) -> String {
    let tenths = |side: &Measured| (measure(side) * 10.0) as u64;
    let most = all.iter().map(tenths).max().unwrap_or_default();
    chart::bar(tenths(side), most, class)
}

impl Measured {
    pub(super) fn failures_bar(&self, all: &[Self]) -> String {
        bar(all, self, |side| side.failures, "bad")
    }

    pub(super) fn calls_bar(&self, all: &[Self]) -> String {
        bar(all, self, |side| side.tool_calls, "s1")
    }

    pub(super) fn minutes_bar(&self, all: &[Self]) -> String {
        bar(all, self, |side| side.minutes, "s2")
    }

    fn of(side: &'static str, sums: &Side) -> Self {
        Self {
            side,
            sessions: sums.sessions,
            failures: mean(sums.failures, sums.sessions),
            tool_calls: mean(sums.tool_calls, sums.sessions),
            minutes: mean(sums.seconds / 60, sums.sessions),
        }
    }
}

/// Tenths, rounded down.
#[expect(clippy::cast_precision_loss, reason = "it is shown with one digit")]
fn mean(sum: u64, count: u64) -> f64 {
    sum.saturating_mul(10).checked_div(count).map_or(0.0, |tenths| tenths as f64 / 10.0)
}
