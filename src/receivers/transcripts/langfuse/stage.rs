//! Which lists are asked for, and how each is paged.

use std::time::Duration;

use super::place::{Next, Round};
use crate::event::Timestamp;
/// The older lists, and scores, have no larger pages.
const OLDER_LIMIT: u32 = 100;
/// No page is made smaller.
pub(super) const LEAST_LIMIT: u32 = 5;
/// A trace may have begun so long before what happened in it.
const LONGEST_TRACE: Duration = Duration::from_secs(24 * 60 * 60);
/// Without them, the newer list has neither texts nor the names of models.
const FIELDS: &str = "core,basic,time,io,metadata,model,usage,trace_context";

/// A list of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Observations,
    OlderTraces,
    OlderObservations,
    Scores,
}

/// The stages of a current server, and those of an older one.
const STAGES: &[Stage] = &[Stage::Observations, Stage::Scores];
const OLDER_STAGES: &[Stage] = &[Stage::OlderTraces, Stage::OlderObservations, Stage::Scores];

impl Stage {
    /// The list that a round is at; `None`: it is over.
    pub(super) fn of(round: &Round) -> Option<Self> {
        let stages = if round.is_older { OLDER_STAGES } else { STAGES };
        stages.get(round.stage).copied()
    }

    /// Its path below `/api/public/`.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Observations => "v2/observations",
            Self::OlderTraces => "traces",
            Self::OlderObservations => "observations",
            Self::Scores => "v2/scores",
        }
    }

    /// Pages are found by a cursor, and not by their numbers.
    pub(super) const fn has_cursor(self) -> bool {
        matches!(self, Self::Observations)
    }

    /// A server without it has the rest all the same.
    pub(super) const fn may_be_absent(self) -> bool {
        matches!(self, Self::Scores)
    }

    /// What is asked for the next page.
    pub(super) fn query(self, round: &Round) -> Vec<(&'static str, String)> {
        let (from, to) = (Timestamp::from_micros(round.from), Timestamp::from_micros(round.to));
        let (after, before) = match self {
            Self::Observations | Self::OlderObservations => ("fromStartTime", "toStartTime"),
            Self::OlderTraces | Self::Scores => ("fromTimestamp", "toTimestamp"),
        };
        let from = if self == Self::OlderTraces { from.saturating_sub(LONGEST_TRACE) } else { from };
        let limit = self.limit(round);
        let mut query = vec![
            (after, from.to_iso_millis()),
            // Times are cut to milliseconds, and this one is not part of it.
            (before, to.saturating_add(Duration::from_millis(1)).to_iso_millis()),
            ("limit", limit.to_string()),
        ];
        match self {
            Self::Observations => query.push(("fields", FIELDS.to_owned())),
            Self::OlderTraces => query.push(("fields", "core,io".to_owned())),
            Self::OlderObservations | Self::Scores => {}
        }
        match &round.next {
            Next::Cursor(cursor) => query.push(("cursor", cursor.clone())),
            Next::Page(page) => query.push(("page", page.to_string())),
            Next::First if self.has_cursor() => {}
            Next::First => query.push(("page", "1".to_owned())),
        }
        query
    }

    /// How many rows a page has.
    pub(super) fn limit(self, round: &Round) -> u32 {
        if self.has_cursor() { round.limit } else { round.limit.min(OLDER_LIMIT) }
    }
}
