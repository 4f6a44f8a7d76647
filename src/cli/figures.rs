//! What is counted of a session, for its head and for listings.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::{Decision, Kind, SessionEvent, Status};
use crate::table::Session;

/// What is counted of a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Figures {
    /// Facts by their kind.
    pub(super) events: BTreeMap<Kind, usize>,
    /// Prompts to the main agent.
    pub(super) prompts: usize,
    /// Tool calls.
    pub(super) calls: usize,
    /// Results of calls that failed.
    pub(super) failed: usize,
    /// Calls that a person or a policy refused.
    pub(super) refused: usize,
    /// How often a person stopped the assistant.
    pub(super) interrupts: usize,
    /// Errors of the agent or of its model.
    pub(super) errors: usize,
    /// Tokens read by models, as far as clients say.
    pub(super) input_tokens: i64,
    /// Tokens written by models, as far as clients say.
    pub(super) output_tokens: i64,
    /// The models that answered.
    pub(super) models: BTreeSet<String>,
    /// The names of sub-agents.
    pub(super) agents: BTreeSet<String>,
    /// The assistant's version, the last one.
    pub(super) assistant_version: String,
    /// The working directory, the last one.
    pub(super) cwd: String,
}

impl Figures {
    pub(super) fn of(session: &Session) -> Self {
        let facts = || session.facts.iter().map(|fact| &fact.event);
        let of = |kind: Kind| facts().filter(move |event| event.kind == kind);
        let rejected = || of(Kind::Decision).filter(|event| event.decision == Decision::Reject);
        let tokens = |column: fn(&SessionEvent) -> i64| facts().map(column).filter(|count| *count > 0).sum();
        let names = |column: fn(&SessionEvent) -> &String| {
            facts().map(column).filter(|name| !name.is_empty()).cloned().collect()
        };
        let last = |column: fn(&SessionEvent) -> &String| {
            let mut values = session.facts.iter().rev().map(|fact| column(&fact.event));
            values.find(|value| !value.is_empty()).cloned().unwrap_or_default()
        };
        Self {
            events: session.counts(),
            prompts: session.turns().filter(|turn| turn.prompt().is_some()).count(),
            calls: of(Kind::ToolCall).count(),
            failed: of(Kind::ToolResult).filter(|event| session.status_of(event) == Status::Error).count(),
            refused: rejected().filter(|event| !is_interrupt(event)).count(),
            interrupts: rejected().filter(|event| is_interrupt(event)).count(),
            errors: of(Kind::Error).count(),
            input_tokens: tokens(|event| event.input_tokens),
            output_tokens: tokens(|event| event.output_tokens),
            models: names(|event| &event.model),
            agents: names(|event| &event.agent),
            assistant_version: last(|event| &event.assistant_version),
            cwd: last(|event| &event.cwd),
        }
    }
}

/// Whether a decision stops the assistant and is about no call.
pub(super) fn is_interrupt(event: &SessionEvent) -> bool {
    event.kind == Kind::Decision && event.decision_source == "user_abort" && event.tool_call_id.is_empty()
}
