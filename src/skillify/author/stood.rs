//! Observations that stand.

use super::super::predicate::{Expected, Predicate, Verdict};

/// An observation that all sessions prove.
#[derive(Debug, Clone, PartialEq)]
pub struct Stood {
    /// What was asked.
    pub when: Predicate,
    /// What it is about.
    pub kind: String,
    /// The model's sentences, the shortest first.
    pub says: Vec<String>,
    /// What the sessions show.
    pub verdict: Verdict,
    /// How probable counts like these are by chance; 0 where people's words prove it, or its use.
    pub chance: f64,
    /// Of the later half of the sessions: how many followed it, how many did not.
    pub later: (u32, u32),
    /// The file that exists or the command that works instead.
    pub instead: Option<String>,
    /// Whether a third may have done otherwise: it says that it is usually so, or that the other of two files may need the same.
    pub loose: bool,
}

/// Whether people's words prove it, or refute it, and nothing else.
pub(in crate::skillify) fn is_by_words(when: &Predicate) -> bool {
    when.expected == Some(Expected::Refuse) || when.is_said()
}
