//! Outcomes: whether people were content.

use serde::{Deserialize, Serialize};

/// What became of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub enum Outcome {
    /// People were content.
    Accepted,
    /// They were not.
    Rejected,
    /// Nothing tells.
    #[default]
    Unknown,
}

impl Outcome {
    /// The word for evidence pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
        }
    }
}
