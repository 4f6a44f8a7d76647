//! Why a model did not answer.

/// The client cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client for the model cannot be made: {0}")]
pub struct ClientError(#[from] reqwest::Error);

/// Why a question has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failure {
    /// A limit of the run or the day would have been passed.
    Budget,
    /// Too many questions before it had no answer.
    Breaker,
    /// The server did not answer in time, or the connection broke.
    Network,
    /// 401 or 403.
    Credentials,
    /// 404: the model or the server does not exist.
    NotFound,
    /// 429, after all retries.
    RateLimited,
    /// 5xx (529 among them), after all retries.
    Server,
    /// Another status.
    Status,
    /// Status 200, and nothing that could be read.
    Unreadable,
    /// The model refused.
    Refused,
    /// The answer was cut at its length limit.
    CutOff,
}

impl Failure {
    /// The value of the metric's `reason` label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Budget => "budget",
            Self::Breaker => "breaker",
            Self::Network => "network",
            Self::Credentials => "credentials",
            Self::NotFound => "not_found",
            Self::RateLimited => "rate_limited",
            Self::Server => "server",
            Self::Status => "status",
            Self::Unreadable => "unreadable",
            Self::Refused => "refused",
            Self::CutOff => "cut_off",
        }
    }

    /// Whether every other question would end the same way.
    pub(in crate::skillify) const fn is_final_for_all(self) -> bool {
        matches!(self, Self::Credentials | Self::NotFound)
    }

    pub(in crate::skillify) const fn may_pass(self) -> bool {
        matches!(self, Self::Network | Self::RateLimited | Self::Server)
    }

    /// Whether the failure is about the server, not about the question.
    pub(super) const fn is_the_servers(self) -> bool {
        self.may_pass() || matches!(self, Self::Status | Self::Unreadable)
    }

    /// Whether the same question would end the same way the next time, and be paid for again.
    pub(super) const fn is_final(self) -> bool {
        matches!(self, Self::Refused | Self::CutOff)
    }
}
