//! Observations merged into facts and cut into turns: no more than comparing with the truth needs.

use std::collections::BTreeMap;

use skillspan::event::{Decision, Kind, SessionEvent, Status};

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

/// The facts of every session, by session id. What carries none belongs to its trace's session.
pub(crate) fn sessions(events: &[SessionEvent]) -> BTreeMap<String, Facts> {
    let with_both = events.iter().filter(|event| !event.session_id.is_empty() && !event.trace_id.is_empty());
    let of_trace: BTreeMap<&str, &str> =
        with_both.map(|event| (event.trace_id.as_str(), event.session_id.as_str())).collect();
    let mut groups: BTreeMap<(String, Kind, String), Vec<&SessionEvent>> = BTreeMap::new();
    for event in events {
        let by_trace = || of_trace.get(event.trace_id.as_str()).copied().unwrap_or(event.trace_id.as_str());
        let session = if event.session_id.is_empty() { by_trace() } else { event.session_id.as_str() };
        let key = if event.fact_key.is_empty() { &event.event_id } else { &event.fact_key };
        groups.entry((session.to_owned(), event.kind, key.clone())).or_default().push(event);
    }
    let mut sessions: BTreeMap<String, Facts> = BTreeMap::new();
    for ((session, ..), observations) in groups {
        sessions.entry(session).or_default().push(merged(observations));
    }
    for facts in sessions.values_mut() {
        facts.sort_by(|a, b| (a.timestamp, a.seq, &a.event_id).cmp(&(b.timestamp, b.seq, &b.event_id)));
    }
    sessions
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

fn call(facts: &[SessionEvent], call: &SessionEvent) -> Call {
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

/// Column by column, the non-empty value of the highest rank; the earliest time.
fn merged(mut observations: Vec<&SessionEvent>) -> SessionEvent {
    observations.sort_by_key(|event| std::cmp::Reverse(event.rank));
    let text = |field: fn(&SessionEvent) -> &String| {
        let mut values = observations.iter().map(|event| field(event));
        values.find(|value| !value.is_empty()).cloned().unwrap_or_default()
    };
    let status = observations.iter().map(|event| event.status).find(|status| *status != Status::Unknown);
    SessionEvent {
        agent: text(|event| &event.agent),
        project: text(|event| &event.project),
        user_id: text(|event| &event.user_id),
        model: text(|event| &event.model),
        tool: text(|event| &event.tool),
        text: text(|event| &event.text),
        input: text(|event| &event.input),
        output: text(|event| &event.output),
        status: status.unwrap_or_default(),
        timestamp: observations.iter().map(|event| event.timestamp).min().unwrap_or_default(),
        seq: observations.iter().map(|event| event.seq).max().unwrap_or_default(),
        input_tokens: observations.iter().map(|event| event.input_tokens).max().unwrap_or_default(),
        ..observations[0].clone()
    }
}
