//! What several observations together show: words, calls and sub-agents.

use skillspan::event::{Kind, SessionEvent, Status, Timestamp};
use skillspan::table::{Fact, ResolveOptions, resolve};

use crate::events::{START, event};

fn facts(events: &[SessionEvent]) -> Vec<Fact> {
    let sessions = resolve(events.to_vec(), &ResolveOptions { default_workspace: String::new() });
    sessions.into_iter().flat_map(|session| session.facts).collect()
}

fn members(events: &[SessionEvent], kind: Kind) -> Vec<String> {
    let of_kind = facts(events).into_iter().filter(|fact| fact.event.kind == kind);
    of_kind.map(|fact| fact.event_ids.join(" ")).collect()
}

/// An observation on `span` of the trace `t`.
fn on(id: &str, kind: Kind, span: &str, key: &str, seconds: i64) -> SessionEvent {
    SessionEvent {
        trace_id: "t".into(),
        span_id: span.into(),
        fact_key: key.into(),
        ..event(id, kind, seconds)
    }
}

#[test]
fn words_of_an_agent_are_those_that_its_model_calls_number() {
    let events = [
        on("agent", Kind::Prompt, "a", "go on", 0),
        on("chat", Kind::Prompt, "b", "go on#3", 1),
        on("retry", Kind::Prompt, "c", "go on#3", 2),
        on("later", Kind::Prompt, "d", "go on#4", 3),
        on("answer", Kind::Response, "b", "done#0", 2),
        on("repeated", Kind::Response, "a", "done", 4),
    ];
    assert_eq!(members(&events, Kind::Prompt), ["agent chat retry", "later"]);
    assert_eq!(members(&events, Kind::Response), ["answer repeated"]);
}

#[test]
fn a_prompt_that_only_an_agent_has_is_the_question_that_its_model_was_asked() {
    let agent = on("agent", Kind::Prompt, "a", "rates?", 0);
    let asked = on("chat", Kind::Prompt, "b", "Answer: rates?#0", 1);
    assert_eq!(members(&[agent.clone(), asked], Kind::Prompt), ["agent chat"]);
    assert_eq!(members(&[agent], Kind::Prompt), ["agent"]);
}

/// What the model of span `chat` calls, and the span of the tool that does not know the call's id.
fn stated(id: &str, call: &str, tool: &str, input: &str, seconds: i64) -> SessionEvent {
    SessionEvent { tool: tool.into(), input: input.into(), ..on(id, Kind::ToolCall, "chat", call, seconds) }
}

fn executed(span: &str, tool: &str, input: &str, seconds: i64) -> [SessionEvent; 2] {
    let of_tool = |kind| SessionEvent {
        tool: tool.into(),
        rank: 3,
        ..on(&format!("{span}-{kind}"), kind, span, span, seconds)
    };
    [
        SessionEvent { input: input.into(), ..of_tool(Kind::ToolCall) },
        SessionEvent {
            output: span.into(),
            status: Status::Ok,
            duration_us: 500_000,
            ..of_tool(Kind::ToolResult)
        },
    ]
}

#[test]
fn spans_of_tools_take_the_ids_of_the_calls_they_execute() {
    let words = on("words", Kind::Prompt, "chat", "p#0", 0);
    let parallel = [
        vec![words],
        vec![
            stated("1", "c1", "read", r#"{"path":"a"}"#, 1),
            stated("2", "c2", "read", r#"{"path":"b"}"#, 1),
        ],
        vec![stated("3", "c3", "read", r#"{"path":"c"}"#, 1), stated("4", "c4", "write", r#"{"x": 1}"#, 1)],
        executed("sb", "read", r#"{"path": "b"}"#, 2).to_vec(),
        executed("sa", "read", r#"{"path": "a"}"#, 3).to_vec(),
        executed("sc", "read", "c", 4).to_vec(),
        executed("sw", "WriteFile", r#"{"x":1}"#, 5).to_vec(),
    ]
    .concat();
    let all = facts(&parallel);
    let of = |kind| all.iter().filter(move |fact| fact.event.kind == kind);
    assert_eq!(of(Kind::ToolCall).count(), 4);
    let results: Vec<_> = of(Kind::ToolResult)
        .map(|fact| (fact.event.tool_call_id.as_str(), fact.event.output.as_str()))
        .collect();
    assert_eq!(results, [("c2", "sb"), ("c1", "sa"), ("c3", "sc"), ("c4", "sw")]);
}

#[test]
fn calls_that_were_never_executed_and_tools_that_no_model_called_stand_alone() {
    let events = [vec![stated("1", "c1", "read", "{}", 1)], executed("s", "write", "x", 2).to_vec()].concat();
    assert_eq!(members(&events, Kind::ToolCall), ["1", "s-tool_call"]);
    let of_assistant = |event| SessionEvent { assistant: "codex".into(), ..event };
    let same_tool =
        [vec![stated("1", "c1", "read", "{}", 1)], executed("s", "read", "{}", 2).to_vec()].concat();
    assert_eq!(members(&same_tool, Kind::ToolCall).len(), 1);
    let same_tool: Vec<_> = same_tool.into_iter().map(of_assistant).collect();
    assert_eq!(members(&same_tool, Kind::ToolCall).len(), 2, "an assistant's dialect knows its calls");
}

#[test]
fn what_happens_below_a_tool_is_a_sub_agents() {
    let below = |event: SessionEvent, parent: &str| SessionEvent { parent_span_id: parent.into(), ..event };
    let mut task = below(on("task", Kind::Prompt, "sub-chat", "question#0", 2), "no-event");
    task.timestamp = Timestamp::from_micros(START + 2_200_000);
    let mut events = executed("delegate", "research", "{}", 2).to_vec();
    events[1].timestamp = Timestamp::from_micros(START + 2_500_000);
    events.extend([
        on("question", Kind::Prompt, "chat", "question#0", 1),
        task,
        below(on("inner", Kind::ToolCall, "inner", "x", 2), "sub"),
        below(on("said", Kind::Response, "sub", "y#0", 2), "delegate"),
        on("answer", Kind::Response, "chat", "z#0", 3),
        on("next", Kind::Prompt, "chat", "next#0", 4),
    ]);
    let agents: Vec<_> =
        facts(&events).into_iter().map(|fact| (fact.event.event_id, fact.event.agent)).collect();
    let of = |id: &str| agents.iter().find(|(event, _)| event == id).map(|(_, agent)| agent.as_str());
    for id in ["task", "inner", "said"] {
        assert_eq!(of(id), Some("research"), "{id}");
    }
    for id in ["question", "answer", "next", "delegate-tool_call"] {
        assert_eq!(of(id), Some(""), "{id}");
    }
}

#[test]
fn spans_that_are_each_others_parents_end_the_search_for_a_sub_agents_tool() {
    let below = |event: SessionEvent, parent: &str| SessionEvent { parent_span_id: parent.into(), ..event };
    let mut events = executed("s", "write", "x", 2).to_vec();
    events.extend([
        below(on("1", Kind::Response, "a", "", 9), "b"),
        below(on("2", Kind::Response, "b", "", 9), "a"),
    ]);
    assert!(facts(&events).iter().all(|fact| fact.event.agent.is_empty()));
}

#[test]
fn within_a_millisecond_the_trace_that_began_first_comes_first() {
    let at = |id: &str, trace: &str, kind, micros| SessionEvent {
        trace_id: trace.into(),
        session_id: "s".into(),
        timestamp: Timestamp::from_micros(START + micros),
        ..event(id, kind, 0)
    };
    let events = [
        at("question", "t", Kind::Prompt, 0),
        at("answer", "t", Kind::Response, 5_700),
        at("next", "u", Kind::Prompt, 5_000),
    ];
    let ids: Vec<_> = facts(&events).into_iter().map(|fact| fact.event.event_id).collect();
    assert_eq!(ids, ["question", "answer", "next"]);
}
