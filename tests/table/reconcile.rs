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

/// A turn of a trace of its own in which a model calls `call_0`, a tool executes it and the next request
/// repeats both; the ids begin with the trace's name.
fn turn_with_call_0(trace: &str, from: i64, input: &str, output: &str) -> Vec<SessionEvent> {
    let at = |id: &str, kind, span: &str, key: &str, second| SessionEvent {
        trace_id: trace.into(),
        session_id: "s".into(),
        ..on(&format!("{trace}-{id}"), kind, span, key, from + second)
    };
    let call = |id: &str, span: &str, rank, second| SessionEvent {
        tool: "shell".into(),
        input: input.into(),
        rank,
        ..at(id, Kind::ToolCall, span, "call_0", second)
    };
    let result = |id: &str, span: &str, rank, second| SessionEvent {
        output: output.into(),
        rank,
        ..at(id, Kind::ToolResult, span, "call_0", second)
    };
    vec![
        SessionEvent { text: "go".into(), ..at("prompt", Kind::Prompt, "chat", &format!("{trace}:go#0"), 0) },
        call("made", "chat", 2, 2),
        call("executed", "tool", 3, 3),
        result("executed-result", "tool", 3, 4),
        call("repeated", "again", 1, 5),
        result("repeated-result", "again", 1, 5),
    ]
}

fn calls_with_results(events: &[SessionEvent]) -> Vec<(String, String)> {
    let facts = facts(events);
    let of_kind = |kind| facts.iter().filter(move |fact| fact.event.kind == kind);
    of_kind(Kind::ToolCall)
        .map(|call| {
            let is_its = |fact: &&Fact| fact.event.tool_call_id == call.event.tool_call_id;
            let results: Vec<_> = of_kind(Kind::ToolResult).filter(is_its).collect();
            assert_eq!(results.len(), 1, "{call:?}");
            (call.event.input.clone(), results[0].event.output.clone())
        })
        .collect()
}

#[test]
fn calls_of_different_turns_that_share_an_id_are_different_calls() {
    let of = |text: &str, other: &str| (text.to_owned(), other.to_owned());
    let told = [of("ls", "a.rs"), of("make", "ok"), of("git push", "done")];
    let in_traces = |traces: [&str; 3]| {
        let [first, second, third] = traces;
        let mut events = turn_with_call_0(first, 0, "ls", "a.rs");
        events.extend(turn_with_call_0(second, 10, "make", "ok"));
        events.extend(turn_with_call_0(third, 20, "git push", "done"));
        events
    };
    let mut events = in_traces(["t", "u", "v"]);
    assert_eq!(calls_with_results(&events), told);
    events.reverse();
    assert_eq!(calls_with_results(&events), told, "in any order");
    // Without content, a tool's span is all that there is.
    let spans: Vec<_> = events.into_iter().filter(|event| event.span_id == "tool").collect();
    assert_eq!(calls_with_results(&spans), told);
}

#[test]
fn calls_of_several_turns_in_one_trace_that_share_an_id_are_different_calls() {
    let mut events = turn_with_call_0("t", 0, "ls", "a.rs");
    for mut event in turn_with_call_0("t", 10, "make", "ok") {
        event.event_id.push_str("-second");
        event.span_id.push_str("-second");
        event.fact_key = event.fact_key.replace("#0", "#1");
        events.push(event);
    }
    let told = calls_with_results(&events);
    assert_eq!(told, [("ls".to_owned(), "a.rs".to_owned()), ("make".to_owned(), "ok".to_owned())]);
}

#[test]
fn a_call_that_is_executed_in_a_later_turn_is_the_call_that_was_made() {
    let mut events: Vec<_> = turn_with_call_0("t", 0, "rm", "gone")
        .into_iter()
        .filter(|event| ["t-prompt", "t-made"].contains(&event.event_id.as_str()))
        .collect();
    let later = turn_with_call_0("u", 10, "rm", "gone").into_iter();
    events.extend(later.filter(|event| event.event_id != "u-made"));
    assert_eq!(calls_with_results(&events), [("rm".to_owned(), "gone".to_owned())]);
}
