//! What is counted of a session, for its head and for listings.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::tokens::Tokens;
use crate::event::{Decision, Kind, SessionEvent, Status};
use crate::table::Session;

/// What is counted of a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    /// Facts by their kind.
    pub(crate) events: BTreeMap<Kind, usize>,
    /// Prompts to the main agent.
    pub(crate) prompts: usize,
    /// Tool calls.
    pub(crate) calls: usize,
    /// Results of calls that failed.
    pub(crate) failed: usize,
    /// Calls that a person or a policy refused.
    pub(crate) refused: usize,
    /// How often a person stopped the assistant.
    pub(crate) interrupts: usize,
    /// Errors of the agent or of its model.
    pub(crate) errors: usize,
    /// The tokens of each model's calls, where clients report them.
    pub(crate) tokens: BTreeMap<String, Tokens>,
    /// The models that answered.
    pub(crate) models: BTreeSet<String>,
    /// The names of sub-agents.
    pub(crate) agents: BTreeSet<String>,
    /// The assistant's version, the last one.
    pub(crate) assistant_version: String,
    /// The working directory, the last one.
    pub(crate) cwd: String,
}

impl Figures {
    pub(crate) fn of(session: &Session) -> Self {
        let facts = || session.facts.iter().map(|fact| &fact.event);
        let of = |kind: Kind| facts().filter(move |event| event.kind == kind);
        let rejected = || of(Kind::Decision).filter(|event| event.decision == Decision::Reject);
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
            tokens: tokens_by_model(session),
            models: names(|event| &event.model),
            agents: names(|event| &event.agent),
            assistant_version: last(|event| &event.assistant_version),
            cwd: last(|event| &event.cwd),
        }
    }
}

impl Figures {
    /// What all model calls cost.
    pub(crate) fn tokens(&self) -> Tokens {
        self.tokens.values().fold(Tokens::default(), |sum, tokens| sum.plus(*tokens))
    }
}

fn tokens_by_model(session: &Session) -> BTreeMap<String, Tokens> {
    let mut by_model = BTreeMap::<String, Tokens>::new();
    for event in session.facts.iter().map(|fact| &fact.event) {
        let tokens = Tokens::of(event);
        if !tokens.is_nothing() {
            let of_model = by_model.entry(event.model.clone()).or_default();
            *of_model = of_model.plus(tokens);
        }
    }
    by_model
}

/// Whether a decision stops the assistant and is about no call.
pub(crate) fn is_interrupt(event: &SessionEvent) -> bool {
    event.kind == Kind::Decision && event.decision_source == "user_abort" && event.tool_call_id.is_empty()
}
