//! The exporter's settings.

use std::path::PathBuf;
use std::time::Duration;

use crate::event::Owner;
use crate::secret::Secret;

/// Where the service is and what opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The API's base URL, such as `https://api.deeplake.ai`.
    pub endpoint: String,
    /// The organisation's id.
    pub org: String,
    /// The workspace; also the name of the schema that its tables are in.
    pub workspace: String,
    /// The token.
    pub token: Secret,
    /// How long one request may take.
    pub timeout: Duration,
    /// How long after it was answered a write may still be missing from reads.
    pub read_lag: Duration,
    /// The pauses between attempts.
    pub pauses: Pauses,
}

/// The pauses between attempts: doubled from the first to the longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pauses {
    /// After the first failure.
    pub first: Duration,
    /// After many of what passes by itself.
    pub longest: Duration,
    /// After a failure that a person has to do something about.
    pub person: Duration,
}

impl Default for Pauses {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(500),
            longest: Duration::from_secs(60),
            person: Duration::from_secs(300),
        }
    }
}

impl Pauses {
    /// The pause after this many failures in a row; the first is number 0.
    pub(super) fn after(&self, failures: u32) -> Duration {
        self.first.saturating_mul(1 << failures.min(16)).min(self.longest)
    }
}

/// An exporter of sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The component's id, for messages and metrics.
    pub name: String,
    /// Where rows go.
    pub service: Service,
    /// The table there.
    pub sessions: String,
    /// The organisation's name, as paths of sessions bear it.
    pub org_name: String,
    /// Whose sessions go there; `None`: all of the table.
    pub from: Option<Owner>,
    /// The workspace of sessions that name none.
    pub default_workspace: String,
    /// The rows of one INSERT at most.
    pub rows: usize,
    /// Its bytes at most, but for a single row that is longer.
    pub bytes: usize,
    /// INSERTs under way at once.
    pub concurrency: usize,
    /// A turn that seems complete is, when nothing of it has come for so long.
    pub settle: Duration,
    /// A turn that nothing completes is complete when its session was quiet for so long.
    pub idle: Duration,
    /// How often the table is looked at.
    pub interval: Duration,
    /// The folder of the cursor.
    pub state: PathBuf,
}

/// A target of skills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkillsConfig {
    /// Where rows go.
    pub service: Service,
    /// The table of skills.
    pub skills: String,
    /// The table in which the library remembers.
    pub library: String,
}
