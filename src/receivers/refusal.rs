//! Why a request is not accepted.

use std::time::Duration;

/// Why a request was not accepted. Nothing of it was stored, or nothing that is promised to be.
///
/// Only [`Refusal::Unavailable`] and [`Refusal::TooMany`] ask the client to send the same again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The body cannot be read at all.
    #[error("{0}")]
    Malformed(String),
    /// No credential, or none that is known.
    #[error("{0}")]
    Unauthenticated(String),
    /// The tenant sends more than it may; the client is to send the same again, later.
    #[error("{reason}; try again in {}s", retry_after.as_secs())]
    TooMany {
        /// What there is too much of.
        reason: String,
        /// How long to wait.
        retry_after: Duration,
    },
    /// Requests of this origin are not taken.
    #[error("{0}")]
    Forbidden(String),
    /// The body did not arrive in time.
    #[error("the body did not arrive within {}s", waited.as_secs())]
    TooSlow {
        /// How long it was waited for.
        waited: Duration,
    },
    /// The request is larger than what is accepted at any time.
    #[error("{0}; send smaller batches")]
    TooLarge(String),
    /// A content type or a compression that is not spoken here.
    #[error("{0}")]
    Unsupported(String),
    /// It was forwarded from here before.
    #[error("{0}")]
    Circle(String),
    /// Not now; the client is to send the same again.
    #[error("{reason}; try again in {}s", retry_after.as_secs())]
    Unavailable {
        /// What is in the way.
        reason: String,
        /// How long to wait.
        retry_after: Duration,
    },
}

impl Refusal {
    /// How long the client is to wait before it sends the same again; `None`: never.
    pub(super) const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. } | Self::TooMany { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }

    /// Whether the same may be accepted at another time.
    pub const fn is_passing(&self) -> bool {
        !matches!(self, Self::Malformed(_) | Self::TooLarge(_) | Self::Unsupported(_) | Self::Circle(_))
    }

    /// Not now, for `reason`.
    pub(super) fn unavailable(reason: impl Into<String>) -> Self {
        Self::Unavailable { reason: reason.into(), retry_after: Duration::from_secs(5) }
    }
}
