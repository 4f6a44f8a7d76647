//! Sessions as readers put them together, cut into turns for comparing them with the truth.

use std::collections::BTreeMap;

use skillspan::event::{Decision, Kind, SessionEvent};
use skillspan::table::{ResolveOptions, Session, resolve};

/// A main-agent prompt with what followed until the next.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    pub(crate) prompt: String,
    pub(crate) calls: Vec<Call>,
    /// The main agent's last response.
    pub(crate) response: String,
}

/// A tool call with what became of it.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) tool: String,
    pub(crate) agent: String,
    pub(crate) input: String,
    /// `ok`, `error`, `rejected`, or `""` if nothing is known.
    pub(crate) status: String,
    pub(crate) output: String,
}

/// One session's facts in order of time.
pub(crate) type Facts = Vec<SessionEvent>;

/// The facts of every session, by session id, as readers see them.
pub(crate) fn sessions(events: &[SessionEvent]) -> BTreeMap<String, Facts> {
    let options = ResolveOptions { default_workspace: "default".to_owned() };
    let facts = |session: Session| session.facts.into_iter().map(|fact| fact.event).collect();
    let resolved = resolve(events.to_vec(), &options).into_iter();
    resolved.map(|session| (session.id.clone(), facts(session))).collect()
}

/// The facts of events that are one session.
pub(crate) fn facts(events: &[SessionEvent]) -> Facts {
    let sessions = sessions(events);
    assert_eq!(sessions.len(), 1, "{:?}", sessions.keys());
    sessions.into_values().next().unwrap()
}

/// The turns of a session's main agent.
pub(crate) fn turns(facts: &[SessionEvent]) -> Vec<Turn> {
    let mut turns: Vec<Turn> = vec![];
    for fact in facts.iter().filter(|fact| fact.agent.is_empty()) {
        match (fact.kind, turns.last_mut()) {
            (Kind::Prompt, _) => turns.push(Turn { prompt: fact.text.clone(), ..Turn::default() }),
            (Kind::ToolCall, Some(turn)) => turn.calls.push(call(facts, fact)),
            (Kind::Response, Some(turn)) => turn.response.clone_from(&fact.text),
            (Kind::ToolCall | Kind::Response, None) => panic!("{} before any prompt: {fact:?}", fact.kind),
            _ => {}
        }
    }
    turns
}

/// The tool calls of agents other than the main one.
pub(crate) fn calls_of_sub_agents(facts: &[SessionEvent]) -> Vec<Call> {
    let calls = facts.iter().filter(|fact| fact.kind == Kind::ToolCall && !fact.agent.is_empty());
    calls.map(|fact| call(facts, fact)).collect()
}

/// The facts of one kind.
pub(crate) fn of_kind(facts: &[SessionEvent], kind: Kind) -> Vec<&SessionEvent> {
    facts.iter().filter(|fact| fact.kind == kind).collect()
}

/// A call with what became of it.
pub(crate) fn call(facts: &[SessionEvent], call: &SessionEvent) -> Call {
    let about =
        |kind| facts.iter().find(move |fact| fact.kind == kind && fact.tool_call_id == call.tool_call_id);
    let rejected = about(Kind::Decision).is_some_and(|decision| decision.decision == Decision::Reject);
    let result = about(Kind::ToolResult);
    assert!(!(rejected && result.is_some()), "a refused call has a result: {result:?}");
    Call {
        tool: call.tool.clone(),
        agent: call.agent.clone(),
        input: call.input.clone(),
        status: match result {
            _ if rejected => "rejected".to_owned(),
            Some(result) => result.status.as_str().to_owned(),
            None => String::new(),
        },
        output: result.map(|result| result.output.clone()).unwrap_or_default(),
    }
}
