//! Logs what was received and not stored, once a minute at most.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::ticks::Ticks;
use crate::receivers::Losses;

const PERIOD: Duration = Duration::from_secs(60);

/// Says what is lost until `stop`.
pub(super) async fn run(losses: Losses, stop: CancellationToken) {
    let mut ticks = Ticks::every(PERIOD, &stop);
    let mut said = BTreeMap::new();
    while ticks.next().await.is_some() {
        let known = losses.since_start();
        for ((dialect, reason), count) in news(&said, &known) {
            tracing::warn!(
                dialect,
                reason,
                count,
                "what was received could not be used; see docs/operate/operations.md"
            );
        }
        said = known;
    }
}

/// What was lost since it was said last.
fn news(
    said: &BTreeMap<(&'static str, &'static str), u64>,
    known: &BTreeMap<(&'static str, &'static str), u64>,
) -> Vec<((&'static str, &'static str), u64)> {
    let since = |key: &_, count: u64| count.saturating_sub(said.get(key).copied().unwrap_or_default());
    let new = known.iter().map(|(key, count)| (*key, since(key, *count)));
    new.filter(|(_, count)| *count > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_new_is_said() {
        let known = BTreeMap::from([(("genai", "unplaced_result"), 3), (("", "unknown_member"), 1)]);
        assert_eq!(news(&BTreeMap::new(), &known).len(), 2);
        let said = BTreeMap::from([(("genai", "unplaced_result"), 2), (("", "unknown_member"), 1)]);
        assert_eq!(news(&said, &known), [(("genai", "unplaced_result"), 1)]);
        assert_eq!(news(&known, &known), []);
    }
}
