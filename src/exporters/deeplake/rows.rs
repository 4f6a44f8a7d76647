//! From a session to the rows of its complete turns.
//!
//! A turn is **complete** when it is finished and nothing of it has come for `settle` (several exporters of a client
//! deliver in any order), or when its session was quiet for `idle`. It is finished when the next prompt stands, the
//! session has ended, or its last word is a response with no tool call left open. A call that is open waits for its
//! result, whatever completes its turn, until the session is quiet or ended. Every fact is a row of its own, with an
//! id made of the fact alone. So facts that come after their turn was complete become rows too, and no row is ever
//! written twice or changed.
//!
//! | fact | row |
//! |---|---|
//! | prompt to the main agent | `user_message` |
//! | tool call with its result | one `tool_call` |
//! | response, a sub-agent's too | `assistant_message` |
//! | everything else | none: the reference has no rows for it |

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sha2::{Digest, Sha256};
use uuid::Builder;

use super::config::Config;
use super::message::{Assistant, Context, Said};
use super::storable::storable;
use crate::event::{Decision, Kind, SessionEvent, Timestamp};
use crate::table::{Session, Turn};

/// What `plugin_version` says of our rows.
const VERSION: &str = concat!("skillspan ", env!("CARGO_PKG_VERSION"));
/// What the reference writes where no project is known, and we where no person is.
const UNKNOWN: &str = "unknown";

/// A row of the sessions table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// A UUID.
    pub(super) id: String,
    pub(super) path: String,
    /// JSON.
    pub(super) message: String,
    pub(super) author: String,
    pub(super) project: String,
    pub(super) description: &'static str,
    pub(super) agent: String,
    pub(super) version: String,
    /// ISO 8601 with milliseconds.
    pub(super) time: String,
    /// The session, for messages about rows that the service refuses.
    pub(super) session: String,
}

impl Row {
    /// The last segment of the path.
    pub(super) fn filename(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// About what it takes in a statement, in bytes.
    pub(super) fn size(&self) -> usize {
        const REST: usize = 300;
        self.message.len() + 2 * self.path.len() + self.author.len() + self.project.len() + REST
    }
}

/// What of a session is to be written now.
#[derive(Debug, Default)]
pub(super) struct Due {
    /// The rows of its complete turns, in order.
    pub(super) rows: Vec<Row>,
    /// When the first of the other turns may be complete; `None`: all are.
    pub(super) look_again: Option<Timestamp>,
}

/// How the rows are named, and when a turn is complete.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    org_name: String,
    workspace: String,
    settle: Duration,
    idle: Duration,
}

impl From<&Config> for Rules {
    fn from(config: &Config) -> Self {
        Self {
            org_name: config.org_name.clone(),
            workspace: config.service.workspace.clone(),
            settle: config.settle,
            idle: config.idle,
        }
    }
}

impl Due {
    /// Look again at this time or before.
    fn at(&mut self, time: Timestamp) {
        self.look_again = Some(self.look_again.map_or(time, |known| known.min(time)));
    }
}

impl Rules {
    /// What of the session is to be written at `now`.
    pub(super) fn due(&self, session: &Session, now: Timestamp) -> Due {
        let writer = SessionRows::new(self, session);
        let turns: Vec<Turn<'_>> = session.turns().collect();
        let quiet_at = self.quiet_at(session);
        let mut due = Due::default();
        for (at, turn) in turns.iter().enumerate() {
            let complete_at = self.complete_at(session, turn, turns.get(at + 1), &writer);
            if complete_at <= now {
                due.rows.extend(writer.of_turn(turn, session.ended || quiet_at <= now));
                if quiet_at > now && !session.ended && writer.has_open_call(turn) {
                    due.at(quiet_at);
                }
            } else {
                due.at(complete_at);
            }
        }
        due
    }

    /// When the session will have been quiet for long enough.
    fn quiet_at(&self, session: &Session) -> Timestamp {
        session.last_event_at.max(session.last_ingested_at).saturating_add(self.idle)
    }

    /// When the turn is complete if nothing more comes.
    fn complete_at(
        &self,
        session: &Session,
        turn: &Turn<'_>,
        next: Option<&Turn<'_>>,
        writer: &SessionRows<'_>,
    ) -> Timestamp {
        let quiet = self.quiet_at(session);
        let arrived =
            |turn: &Turn<'_>| turn.facts.iter().map(|fact| fact.event.ingested_at).max().unwrap_or_default();
        let settled = match next {
            Some(next) => {
                let prompted = next.facts.first().map(|fact| fact.event.ingested_at).unwrap_or_default();
                Some(arrived(turn).max(prompted))
            }
            None if session.ended || writer.is_answered(turn) => Some(session.last_ingested_at),
            None => None,
        };
        settled.map_or(quiet, |at| at.saturating_add(self.settle).min(quiet))
    }
}

/// Makes the rows of one session.
struct SessionRows<'s> {
    session: &'s Session,
    assistant: Assistant,
    path: String,
    author: String,
    cwd: &'s str,
    calls: BTreeMap<&'s str, &'s SessionEvent>,
    results: BTreeMap<&'s str, &'s SessionEvent>,
    /// The calls that a person or a policy did not allow.
    refused: BTreeSet<&'s str>,
}

impl<'s> SessionRows<'s> {
    fn new(rules: &Rules, session: &'s Session) -> Self {
        let by_call = |kind: Kind| {
            let events = session.facts.iter().map(|fact| &fact.event).filter(move |event| event.kind == kind);
            events.map(|event| (call_of(event), event)).collect::<BTreeMap<_, _>>()
        };
        let author = if session.user_id.is_empty() { UNKNOWN } else { session.user_id.as_str() };
        let (user, id) = (segment(author), segment(&session.id));
        let Rules { org_name, workspace, .. } = rules;
        let rejected = session.facts.iter().map(|fact| &fact.event);
        let rejected = rejected.filter(|event| event.decision == Decision::Reject);
        let mut directories = session.facts.iter().map(|fact| fact.event.cwd.as_str());
        Self {
            session,
            assistant: Assistant::named(&session.assistant),
            path: format!("/sessions/{user}/{user}_{}_{}_{id}.jsonl", segment(org_name), segment(workspace)),
            author: storable(author).into_owned(),
            cwd: directories.find(|cwd| !cwd.is_empty()).unwrap_or_default(),
            calls: by_call(Kind::ToolCall),
            results: by_call(Kind::ToolResult),
            refused: rejected.map(call_of).collect(),
        }
    }

    /// Whether the last word is the main agent's response and no tool call is open.
    fn is_answered(&self, turn: &Turn<'_>) -> bool {
        let events = turn.facts.iter().map(|fact| &fact.event);
        let mut words = events.rev().filter(|event| {
            matches!(event.kind, Kind::Prompt | Kind::ToolCall | Kind::ToolResult | Kind::Response)
        });
        let last = words.next();
        last.is_some_and(|last| last.kind == Kind::Response && last.agent.is_empty())
            && !self.has_open_call(turn)
    }

    fn has_open_call(&self, turn: &Turn<'_>) -> bool {
        turn.facts.iter().any(|fact| self.is_open_call(&fact.event))
    }

    /// Whether this is a call that has no result yet and was not refused.
    fn is_open_call(&self, event: &SessionEvent) -> bool {
        let is_unanswered = event.kind == Kind::ToolCall && !self.results.contains_key(call_of(event));
        is_unanswered && event.decision != Decision::Reject && !self.refused.contains(call_of(event))
    }

    /// The turn's rows; those of open calls wait for their result, `with_open_calls` excepted.
    fn of_turn(&self, turn: &Turn<'s>, with_open_calls: bool) -> impl Iterator<Item = Row> {
        let mut models = turn.facts.iter().map(|fact| fact.event.model.as_str());
        let model = models.find(|model| !model.is_empty()).unwrap_or_default();
        let events = turn.facts.iter().map(|fact| &fact.event);
        let wanted = events.filter(move |event| with_open_calls || !self.is_open_call(event));
        wanted.filter_map(move |event| self.of_event(event, model))
    }

    fn of_event(&self, event: &'s SessionEvent, model: &str) -> Option<Row> {
        let key = if event.fact_key.is_empty() { &event.event_id } else { &event.fact_key };
        match event.kind {
            Kind::Prompt if event.agent.is_empty() && !event.text.is_empty() => {
                Some(self.row(Said::Prompt(event), event.timestamp, key, model))
            }
            Kind::Response if !event.text.is_empty() => {
                Some(self.row(Said::Response(event), event.timestamp, key, model))
            }
            Kind::ToolCall => {
                let result = self.results.get(call_of(event)).copied();
                let time = result.map_or(event.timestamp, |result| result.timestamp.max(event.timestamp));
                Some(self.row(Said::Tool { call: Some(event), result }, time, call_of(event), model))
            }
            // With its call it is one row.
            Kind::ToolResult if self.calls.contains_key(call_of(event)) => None,
            Kind::ToolResult => {
                let said = Said::Tool { call: None, result: Some(event) };
                Some(self.row(said, event.timestamp, call_of(event), model))
            }
            _ => None,
        }
    }

    fn row(&self, said: Said<'_>, time: Timestamp, key: &str, model: &str) -> Row {
        let kind = match said {
            Said::Prompt(_) => "user_message",
            Said::Tool { .. } => "tool_call",
            Said::Response(_) => "assistant_message",
        };
        let id = stable_id(&["session row", &self.session.tenant, &self.session.id, kind, key]);
        let own = match said {
            Said::Prompt(event) | Said::Response(event) => event.cwd.as_str(),
            Said::Tool { call, result } => call.or(result).map_or("", |event| event.cwd.as_str()),
        };
        let cwd = if own.is_empty() { self.cwd } else { own };
        let context = Context { id: &id, session: self.session, time, cwd, model };
        let message = serde_json::Value::Object(self.assistant.message(said, context)).to_string();
        Row {
            path: self.path.clone(),
            message,
            author: self.author.clone(),
            project: project(cwd, &self.session.project).to_owned(),
            description: self.assistant.hook(said),
            agent: self.assistant.agent.clone(),
            version: VERSION.to_owned(),
            time: time.to_iso_millis(),
            session: self.session.id.clone(),
            id,
        }
    }
}

/// The same for a call, its result and its decision.
fn call_of(event: &SessionEvent) -> &str {
    let keys = [&event.tool_call_id, &event.fact_key, &event.event_id];
    keys.into_iter().find(|key| !key.is_empty()).map_or("", String::as_str)
}

/// A UUID that these parts always give, and no others.
pub(super) fn stable_id(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(hasher.finalize()).for_each(|(byte, hashed)| *byte = hashed);
    Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

/// The last folder of the working directory, as the reference names projects; else the repository's
/// name.
fn project<'a>(cwd: &'a str, repository: &'a str) -> &'a str {
    let last = |path: &'a str| path.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next();
    let names = [last(cwd), last(repository)];
    names.into_iter().flatten().find(|name| !name.is_empty()).unwrap_or(UNKNOWN)
}

/// A name within a path.
fn segment(name: &str) -> String {
    name.chars().map(|char| if char.is_control() || "/\\".contains(char) { '_' } else { char }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Fact, SessionSource};

    const SETTLE: i64 = 10;
    const IDLE: i64 = 1_800;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    /// A session of events that came a second after the other, from second 1 on.
    fn session(events: &[(Kind, &str)]) -> Session {
        let fact = |(index, (kind, call)): (usize, &(Kind, &str))| {
            let time = at(i64::try_from(index).unwrap() + 1);
            let event = SessionEvent {
                event_id: format!("e{index}"),
                kind: *kind,
                tool_call_id: (*call).to_owned(),
                text: "text".to_owned(),
                timestamp: time,
                ingested_at: time,
                ..SessionEvent::default()
            };
            Fact { event_ids: vec![event.event_id.clone()], event }
        };
        let facts: Vec<Fact> = events.iter().enumerate().map(fact).collect();
        let last = facts.last().unwrap().event.ingested_at;
        Session {
            tenant: "default".to_owned(),
            id: "s".to_owned(),
            source: SessionSource::Attribute,
            workspace: "shop".to_owned(),
            project: String::new(),
            user_id: String::new(),
            assistant: "claude-code".to_owned(),
            started_at: at(1),
            last_event_at: last,
            last_ingested_at: last,
            ended: events.iter().any(|(kind, _)| *kind == Kind::SessionEnd),
            facts,
        }
    }

    fn rules() -> Rules {
        let seconds = |seconds: i64| Duration::from_secs(u64::try_from(seconds).unwrap());
        let (org_name, workspace) = ("acme".to_owned(), "shop".to_owned());
        Rules { org_name, workspace, settle: seconds(SETTLE), idle: seconds(IDLE) }
    }

    /// (rows that are due, the second to look again) at a second.
    fn due(events: &[(Kind, &str)], second: i64) -> (usize, Option<i64>) {
        let due = rules().due(&session(events), at(second));
        (due.rows.len(), due.look_again.map(|time| time.as_micros() / 1_000_000))
    }

    const PROMPT: (Kind, &str) = (Kind::Prompt, "");
    const RESPONSE: (Kind, &str) = (Kind::Response, "");
    const CALL: (Kind, &str) = (Kind::ToolCall, "c");
    const RESULT: (Kind, &str) = (Kind::ToolResult, "c");

    #[test]
    fn a_response_completes_a_turn_when_nothing_more_comes_for_a_while() {
        let turn = [PROMPT, CALL, RESULT, RESPONSE];
        assert_eq!(due(&turn, 13), (0, Some(14)));
        assert_eq!(due(&turn, 14), (3, None));
    }

    #[test]
    fn a_turn_without_a_response_waits_for_the_session_to_be_quiet() {
        assert_eq!(due(&[PROMPT], 500), (0, Some(1 + IDLE)));
        assert_eq!(due(&[PROMPT], 1 + IDLE), (1, None));
        assert_eq!(due(&[PROMPT, CALL, RESULT], 500), (0, Some(3 + IDLE)));
        // Work went on after a first word.
        assert_eq!(due(&[PROMPT, RESPONSE, CALL], 500), (0, Some(3 + IDLE)));
    }

    #[test]
    fn the_next_prompt_and_the_end_complete_a_turn() {
        assert_eq!(due(&[PROMPT, CALL, RESULT, PROMPT], 13), (0, Some(14)));
        assert_eq!(due(&[PROMPT, CALL, RESULT, PROMPT], 14), (2, Some(4 + IDLE)));
        assert_eq!(due(&[PROMPT, (Kind::SessionEnd, "")], 12), (1, None));
    }

    #[test]
    fn an_open_call_waits_for_its_result_whatever_completes_its_turn() {
        let interrupted = [PROMPT, CALL, PROMPT, RESPONSE];
        assert_eq!(due(&interrupted, 14), (3, Some(4 + IDLE)));
        assert_eq!(due(&interrupted, 4 + IDLE), (4, None));
        let answered = [PROMPT, CALL, PROMPT, RESULT, RESPONSE];
        assert_eq!(due(&answered, 15), (4, None));
    }

    #[test]
    fn a_rows_id_is_made_of_its_fact_alone() {
        let ids = |events: &[(Kind, &str)]| {
            rules().due(&session(events), at(9_999)).rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
        };
        let (short, long) = (ids(&[PROMPT, CALL]), ids(&[PROMPT, CALL, RESULT, RESPONSE]));
        assert_eq!(short[..], long[..2], "also before its result is known");
        let distinct: BTreeSet<&String> = long.iter().collect();
        assert_eq!(distinct.len(), 3);
    }
}
