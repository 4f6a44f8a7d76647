//! The tokens of a record: which attributes count what, by client.

use super::Record;
use crate::event::tokens::{Counts, Tokens};

/// The names of a client's counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names {
    pub(super) input: &'static [&'static str],
    pub(super) output: &'static [&'static str],
    pub(super) cache_read: &'static [&'static str],
    pub(super) cache_write: &'static [&'static str],
    pub(super) reasoning: &'static [&'static str],
    pub(super) of_tools: &'static [&'static str],
    pub(super) total: &'static [&'static str],
    /// The client counts what is cached apart from the input.
    pub(super) cache_is_apart: bool,
}

impl Names {
    pub(super) const NONE: Self = Self {
        input: &[],
        output: &[],
        cache_read: &[],
        cache_write: &[],
        reasoning: &[],
        of_tools: &[],
        total: &[],
        cache_is_apart: false,
    };

    /// The counts as a reader of attributes finds them.
    pub(super) fn counts(&self, count: impl Fn(&'static [&'static str]) -> i64) -> Counts {
        Counts {
            input: count(self.input),
            output: count(self.output),
            cache_read: count(self.cache_read),
            cache_write: count(self.cache_write),
            reasoning: count(self.reasoning),
            of_tools: count(self.of_tools),
            total: count(self.total),
            cache_is_apart: self.cache_is_apart,
        }
    }

    /// What a record says, in our way of counting.
    pub(super) fn of(&self, record: &Record<'_>) -> Tokens {
        self.counts(|names| record.integer(names).unwrap_or_default()).whole()
    }
}
