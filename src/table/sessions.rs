//! Sessions as readers see them, and what can be asked of one.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::event::{Kind, SessionEvent, Timestamp};

/// One session, resolved and merged.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// The tenant that the credential decided.
    pub tenant: String,
    /// The client's session id; `trace:<trace id>` for a trace that carries none, and
    /// `event:<event id>` for an observation that has no trace either.
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

/// What a listing says of a session: all but its facts, which are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// See [`Session::tenant`].
    pub tenant: String,
    /// See [`Session::id`].
    pub id: String,
    /// See [`Session::source`].
    pub source: SessionSource,
    /// See [`Session::workspace`].
    pub workspace: String,
    /// See [`Session::project`].
    pub project: String,
    /// See [`Session::user_id`].
    pub user_id: String,
    /// See [`Session::assistant`].
    pub assistant: String,
    /// See [`Session::started_at`].
    pub started_at: Timestamp,
    /// See [`Session::last_event_at`].
    pub last_event_at: Timestamp,
    /// See [`Session::last_ingested_at`].
    pub last_ingested_at: Timestamp,
    /// See [`Session::ended`].
    pub ended: bool,
    /// How many facts of each kind it has; never empty.
    pub facts: BTreeMap<Kind, usize>,
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

/// How a reader found a session's id, the surest way first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SessionSource {
    /// Its records carry the id.
    Attribute,
    /// Its traces carry no id and are joined by the conversation that they show.
    History,
    /// Nothing carried an id; the trace stands for the session.
    Trace,
    /// Its one observation has neither an id nor a trace and stands alone.
    None,
}

impl SessionSource {
    /// The name for people and for output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Attribute => "attribute",
            Self::History => "history",
            Self::Trace => "trace",
            Self::None => "none",
        }
    }
}

/// A prompt to the main agent and all that follows until the next one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Turn<'a> {
    /// The turn's facts in their order, the prompt first; never empty.
    pub facts: &'a [Fact],
}

impl<'a> Turn<'a> {
    /// The prompt. `None` for what a session shows before its first prompt, which is all of it
    /// where a client sends no prompts.
    pub fn prompt(&self) -> Option<&'a Fact> {
        self.facts.first().filter(|fact| fact.is_main_prompt())
    }
}

impl Fact {
    /// Whether this is a prompt to the main agent and no sub-agent's task.
    pub fn is_main_prompt(&self) -> bool {
        self.event.kind == Kind::Prompt && self.event.agent.is_empty()
    }
}

/// How long a session must have been quiet to be closed, even one that has ended: the last rows of
/// several exporters arrive in any order.
const QUIET: Duration = Duration::from_secs(60);

impl Session {
    /// The session's turns. Every fact is in exactly one.
    pub fn turns(&self) -> impl Iterator<Item = Turn<'_>> {
        self.facts.chunk_by(|_, next| !next.is_main_prompt()).map(|facts| Turn { facts })
    }

    /// The session without its facts, which are counted.
    pub fn summary(&self) -> Summary {
        let mut facts = BTreeMap::new();
        for fact in &self.facts {
            *facts.entry(fact.event.kind).or_default() += 1;
        }
        Summary {
            tenant: self.tenant.clone(),
            id: self.id.clone(),
            source: self.source,
            workspace: self.workspace.clone(),
            project: self.project.clone(),
            user_id: self.user_id.clone(),
            assistant: self.assistant.clone(),
            started_at: self.started_at,
            last_event_at: self.last_event_at,
            last_ingested_at: self.last_ingested_at,
            ended: self.ended,
            facts,
        }
    }

    /// Whether nothing more is expected of the session: it ended, or was `idle` for long enough,
    /// and no row came for a minute. A late row opens it again.
    pub fn is_closed(&self, now: Timestamp, idle: Duration) -> bool {
        is_closed(self.ended, self.last_event_at, self.last_ingested_at, now, idle)
    }
}

/// [`Session::is_closed`] of what is known of a session.
pub fn is_closed(
    ended: bool,
    last_event_at: Timestamp,
    last_ingested_at: Timestamp,
    now: Timestamp,
    idle: Duration,
) -> bool {
    let is_idle = now.since(last_event_at.max(last_ingested_at)) >= idle;
    (ended || is_idle) && now.since(last_ingested_at) >= QUIET
}
