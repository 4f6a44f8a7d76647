//! Sessions as readers see them.

use crate::event::{SessionEvent, Timestamp};

/// One session, resolved and merged.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// The tenant that the credential decided.
    pub tenant: String,
    /// The client's session id, or `trace:<trace id>` for what carries none.
    pub id: String,
    /// How the id was found.
    pub source: SessionSource,
    /// The workspace that most of its observations name, else the configured default.
    pub workspace: String,
    /// The repository that most of its observations name, `""` if none.
    pub project: String,
    /// The person that most of its observations name, `""` if none.
    pub user_id: String,
    /// The assistant, else the service, that most of its observations name.
    pub assistant: String,
    /// The earliest event time.
    pub started_at: Timestamp,
    /// The latest event time, clipped to an hour after its ingestion.
    pub last_event_at: Timestamp,
    /// When its latest observation was accepted.
    pub last_ingested_at: Timestamp,
    /// Whether the client said that it ended.
    pub ended: bool,
    /// Its facts by (timestamp, seq, event id).
    pub facts: Vec<Fact>,
}

/// One fact: its observations, merged.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// The merged observation. Its `event_id` is the least of [`Fact::event_ids`]; its `session_id`
    /// and `workspace` are the resolved ones.
    pub event: SessionEvent,
    /// The observations it was merged from, ascending.
    pub event_ids: Vec<String>,
}

/// How a reader found a session's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SessionSource {
    /// Its records carry the id.
    Attribute,
    /// Nothing carried an id; the trace stands for the session.
    Trace,
}
