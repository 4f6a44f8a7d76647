//! Sessions as readers see them, and what can be asked of one.

use std::collections::BTreeMap;
use std::time::Duration;

use super::trace::is_usage;
use crate::event::{Kind, SessionEvent, Status, Timestamp};
use crate::shell::status;

/// One session, resolved and merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session<F = Vec<Fact>> {
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
    /// Its facts by (timestamp, seq, event id), or a reader's extract of them.
    pub facts: F,
}

/// A session in a listing: how many facts of each kind it has ([`Session::counts`]).
pub type Summary = Session<BTreeMap<Kind, usize>>;

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
    /// Its only observation has neither an id nor a trace.
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

    /// The first fact of a kind that is about a call, wherever in the session: a result may come after the next
    /// prompt.
    pub fn of_call(&self, kind: Kind, call_id: &str) -> Option<&SessionEvent> {
        let is_it = |event: &&SessionEvent| {
            event.kind == kind && !call_id.is_empty() && event.tool_call_id == call_id
        };
        self.facts.iter().map(|fact| &fact.event).find(is_it)
    }

    /// How a result's command line ended: its status, and what its output says of the commands.
    pub fn status_of(&self, result: &SessionEvent) -> Status {
        let call = self.of_call(Kind::ToolCall, &result.tool_call_id);
        let input = call.map_or("", |call| call.input.as_str());
        status::of_line(&result.tool, input, result.status, &result.output)
    }

    /// How many facts of each kind it has; of prompts and answers, those of the person and the main agent.
    pub fn counts(&self) -> BTreeMap<Kind, usize> {
        let mut counts = BTreeMap::new();
        let counted = self.facts.iter().map(|fact| &fact.event).filter(|event| !is_usage(event));
        for event in counted.filter(|event| event.agent.is_empty() || !is_said(event.kind)) {
            *counts.entry(event.kind).or_default() += 1;
        }
        counts
    }
}

/// Whether facts of this kind are messages. Messages to and from sub-agents do not count for a person.
pub(super) const fn is_said(kind: Kind) -> bool {
    matches!(kind, Kind::Prompt | Kind::Response)
}

impl<F> Session<F> {
    /// The same session with other facts, or with an extract of them.
    #[must_use]
    pub fn with_facts<G>(self, facts: G) -> Session<G> {
        let Self { tenant, id, source, workspace, project, user_id, assistant, .. } = self;
        let Self { started_at, last_event_at, last_ingested_at, ended, .. } = self;
        Session {
            tenant,
            id,
            source,
            workspace,
            project,
            user_id,
            assistant,
            started_at,
            last_event_at,
            last_ingested_at,
            ended,
            facts,
        }
    }

    /// Whether nothing more is expected of the session: it ended, or was `idle` for long enough,
    /// and no row came for a minute. A late row opens it again.
    pub fn is_closed(&self, now: Timestamp, idle: Duration) -> bool {
        is_closed(self.ended, self.last_event_at, self.last_ingested_at, now, idle)
    }

    /// When it will be closed if no row comes.
    pub fn closes_at(&self, idle: Duration) -> Timestamp {
        closes_at(self.ended, self.last_event_at, self.last_ingested_at, idle)
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

/// [`Session::closes_at`] of what is known of a session.
pub fn closes_at(
    ended: bool,
    last_event_at: Timestamp,
    last_ingested_at: Timestamp,
    idle: Duration,
) -> Timestamp {
    let quiet = last_ingested_at.saturating_add(QUIET);
    let is_idle = last_event_at.max(last_ingested_at).saturating_add(idle);
    if ended { quiet } else { is_idle.max(quiet) }
}
