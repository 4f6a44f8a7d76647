//! Sessions: which observations belong together, and what a session then says.

use std::time::Duration;

use proptest::prelude::*;
use skillspan::event::{Kind, SessionEvent, Timestamp};
use skillspan::table::{ResolveOptions, Session, SessionSource, resolve};

use crate::events::{START, any_observation, event};

fn sessions(events: &[SessionEvent]) -> Vec<Session> {
    resolve(events.to_vec(), &ResolveOptions { default_workspace: "fallback".into() })
}

/// Each session as `id: event ids of its facts`, sorted.
fn members(events: &[SessionEvent]) -> Vec<String> {
    let mut members: Vec<_> = sessions(events)
        .iter()
        .map(|session| {
            let mut ids: Vec<_> = session.facts.iter().flat_map(|fact| fact.event_ids.clone()).collect();
            ids.sort();
            format!("{}: {}", session.id, ids.join(" "))
        })
        .collect();
    members.sort();
    members
}

/// An observation on `span` (a child of `parent`) of `trace`.
fn on(id: &str, session: &str, trace: &str, span: &str, parent: &str) -> SessionEvent {
    SessionEvent {
        session_id: session.into(),
        trace_id: trace.into(),
        span_id: span.into(),
        parent_span_id: parent.into(),
        ..event(id, Kind::ToolCall, 0)
    }
}

#[test]
fn rows_without_an_id_join_the_one_session_of_their_trace() {
    let events = [
        on("1", "s", "t", "root", ""),
        on("2", "", "t", "child", "root"),
        on("3", "", "t", "orphan", "unseen"),
        on("4", "s", "u", "other", ""),
        on("5", "", "u", "", ""),
    ];
    assert_eq!(members(&events), ["s: 1 2 3 4 5"]);
    assert_eq!(sessions(&events)[0].source, SessionSource::Attribute);
}

#[test]
fn in_a_trace_of_two_sessions_the_nearest_ancestor_span_decides() {
    let events = [
        on("1", "outer", "t", "root", ""),
        on("2", "", "t", "a", "root"),
        on("3", "inner", "t", "b", "a"),
        on("4", "", "t", "c", "b"),
        on("5", "", "t", "d", "c"),
        on("6", "", "t", "b", ""),
        on("7", "", "t", "lost", "unseen"),
        // A log record on a span does not know the span's parent.
        on("8", "", "t", "a", ""),
    ];
    assert_eq!(members(&events), ["inner: 3 4 5 6", "outer: 1 2 8", "trace:t: 7"]);
}

#[test]
fn spans_that_are_each_others_parents_end_the_search() {
    let events = [
        on("1", "x", "t", "r", ""),
        on("2", "y", "t", "q", ""),
        on("3", "", "t", "a", "b"),
        on("4", "", "t", "b", "a"),
    ];
    assert_eq!(members(&events), ["trace:t: 3 4", "x: 1", "y: 2"]);
}

#[test]
fn a_trace_without_ids_is_a_session_and_a_row_without_a_trace_too() {
    let events = [
        on("1", "", "t", "a", ""),
        on("2", "", "t", "b", "a"),
        on("3", "", "", "", ""),
        event("4", Kind::Prompt, 0),
    ];
    assert_eq!(members(&events), ["event:3: 3", "event:4: 4", "trace:t: 1 2"]);
    let sources: Vec<_> = sessions(&events).iter().map(|session| session.source.as_str()).collect();
    assert_eq!(sources, ["none", "none", "trace"]);
}

#[test]
fn a_client_that_names_its_session_after_its_trace_has_one_session() {
    let events = [on("1", "", "t", "a", ""), on("2", "trace:t", "", "", "")];
    assert_eq!(members(&events), ["trace:t: 1 2"]);
    assert_eq!(sessions(&events)[0].source, SessionSource::Attribute);
}

#[test]
fn tenants_do_not_meet_in_a_session_or_a_trace() {
    let foreign = |event| SessionEvent { tenant: "other".into(), ..event };
    let events =
        [on("1", "s", "t", "a", ""), foreign(on("2", "s", "u", "a", "")), foreign(on("3", "", "t", "a", ""))];
    assert_eq!(members(&events), ["s: 1", "s: 2", "trace:t: 3"]);
}

#[test]
fn observations_of_one_fact_meet_after_their_sessions_are_found() {
    let call = |id: &str, session: &str, kind, seconds| SessionEvent {
        fact_key: "call_1".into(),
        session_id: session.into(),
        trace_id: "t".into(),
        ..event(id, kind, seconds)
    };
    let events = [
        SessionEvent { tool: "Bash".into(), ..call("b", "s", Kind::ToolCall, 1) },
        SessionEvent { input: "ls".into(), ..call("a", "", Kind::ToolCall, 2) },
        call("c", "", Kind::ToolResult, 3),
        event("d", Kind::ToolCall, 0),
    ];
    let all = sessions(&events);
    let session = all.iter().find(|session| session.id == "s").unwrap();
    let facts: Vec<_> =
        session.facts.iter().map(|fact| (fact.event.kind, fact.event_ids.join(" "))).collect();
    assert_eq!(facts, [(Kind::ToolCall, "a b".to_owned()), (Kind::ToolResult, "c".to_owned())]);
    let fact = &session.facts[0].event;
    assert_eq!((fact.tool.as_str(), fact.input.as_str(), fact.event_id.as_str()), ("Bash", "ls", "a"));
    assert_eq!((fact.session_id.as_str(), fact.workspace.as_str()), ("s", "fallback"));
}

#[test]
fn observations_without_a_key_are_facts_of_their_own_and_count_once() {
    let events = [event("1", Kind::Error, 0), event("2", Kind::Error, 0), event("1", Kind::Error, 0)]
        .map(|event| SessionEvent { session_id: "s".into(), ..event });
    assert_eq!(sessions(&events)[0].facts.len(), 2);
}

#[test]
fn facts_stand_in_the_order_of_time_seq_and_id() {
    let row = |id: &str, seconds, seq| SessionEvent {
        session_id: "s".into(),
        seq,
        ..event(id, Kind::ToolCall, seconds)
    };
    let events = [row("d", 1, 2), row("c", 1, 2), row("e", 1, 1), row("a", 2, 0), row("b", 0, 9)];
    let all = sessions(&events);
    let ids: Vec<_> = all[0].facts.iter().map(|fact| fact.event.event_id.as_str()).collect();
    assert_eq!(ids, ["b", "e", "c", "d", "a"]);
}

#[test]
fn a_session_is_described_by_what_most_of_its_observations_name() {
    let row = |id: &str, workspace: &str, assistant: &str, service: &str| SessionEvent {
        session_id: "s".into(),
        workspace: workspace.into(),
        project: workspace.into(),
        user_id: workspace.into(),
        assistant: assistant.into(),
        service: service.into(),
        ..event(id, Kind::ToolCall, 0)
    };
    let events = [
        row("1", "b", "", "svc"),
        row("2", "b", "", "svc"),
        row("3", "a", "", "svc"),
        row("4", "a", "codex", "svc"),
        row("5", "", "", "svc"),
        row("6", "", "", "svc"),
        row("7", "", "", "svc"),
    ];
    let all = sessions(&events);
    let session = &all[0];
    assert_eq!([&session.workspace, &session.project, &session.user_id], ["a", "a", "a"]);
    assert_eq!(session.assistant, "codex");
    let silent = sessions(&[row("1", "", "", "svc")]);
    let session = &silent[0];
    assert_eq!([&session.workspace, &session.project, &session.user_id], ["fallback", "", ""]);
    assert_eq!(session.assistant, "svc");
}

#[test]
fn a_time_far_ahead_is_clipped_to_an_hour_after_the_arrival() {
    let far = Timestamp::from_micros(START + 1_000_000_000_000_000);
    let events = [SessionEvent { timestamp: far, session_id: "s".into(), ..event("1", Kind::Prompt, 0) }];
    let all = sessions(&events);
    let clipped = Timestamp::from_micros(START + 3_600_000_000);
    assert_eq!((all[0].last_event_at, all[0].facts[0].event.timestamp), (clipped, clipped));
}

#[test]
fn sessions_are_sorted_by_tenant_workspace_start_and_id() {
    let row = |id: &str, tenant: &str, workspace: &str, seconds| SessionEvent {
        tenant: tenant.into(),
        workspace: workspace.into(),
        session_id: id.into(),
        ..event(id, Kind::Prompt, seconds)
    };
    let events = [
        row("1", "b", "a", 0),
        row("3", "a", "b", 0),
        row("2", "a", "a", 1),
        row("4", "a", "a", 0),
        row("5", "a", "a", 0),
    ];
    let all = sessions(&events);
    assert_eq!(all.iter().map(|session| session.id.as_str()).collect::<Vec<_>>(), ["4", "5", "2", "3", "1"]);
}

#[test]
fn a_turn_is_a_main_prompt_and_all_that_follows_until_the_next() {
    let row = |id: &str, kind, agent: &str, seconds| SessionEvent {
        session_id: "s".into(),
        agent: agent.into(),
        ..event(id, kind, seconds)
    };
    let events = [
        row("1", Kind::SessionStart, "", 0),
        row("2", Kind::Prompt, "", 1),
        row("3", Kind::Prompt, "explorer", 2),
        row("4", Kind::ToolCall, "explorer", 3),
        row("5", Kind::Prompt, "", 4),
    ];
    let all = sessions(&events);
    let turns: Vec<_> = all[0]
        .turns()
        .map(|turn| {
            let ids: String = turn.facts.iter().map(|fact| fact.event.event_id.as_str()).collect();
            (turn.prompt().map(|fact| fact.event.event_id.as_str()), ids)
        })
        .collect();
    assert_eq!(turns, [(None, "1".to_owned()), (Some("2"), "234".to_owned()), (Some("5"), "5".to_owned())]);
}

#[test]
fn a_session_closes_a_quiet_minute_after_its_end_or_when_it_was_idle_and_a_late_row_opens_it() {
    let at = |seconds: i64| Timestamp::from_micros(START + seconds * 1_000_000);
    let idle = Duration::from_secs(600);
    let row = |id: &str, kind, seconds| SessionEvent { session_id: "s".into(), ..event(id, kind, seconds) };
    let mut events = vec![row("1", Kind::Prompt, 0)];
    let is_closed = |events: &[SessionEvent], now| {
        let session = sessions(events).remove(0);
        let closes_at = session.closes_at(idle);
        assert!(session.is_closed(closes_at, idle), "who waits until then finds it closed");
        assert!(!session.is_closed(closes_at.saturating_sub(Duration::from_micros(1)), idle));
        session.is_closed(at(now), idle)
    };
    assert!(!is_closed(&events, 599));
    assert!(is_closed(&events, 600));
    events.push(row("2", Kind::SessionEnd, 100));
    assert!(!is_closed(&events, 159));
    assert!(is_closed(&events, 160));
    events.push(SessionEvent { ingested_at: at(200), ..row("3", Kind::ToolCall, 50) });
    assert!(!is_closed(&events, 259));
    assert!(is_closed(&events, 260));
    assert!(!sessions(&events)[0].is_closed(at(0), Duration::ZERO));
}

proptest! {
    #[test]
    fn the_order_and_repetition_of_events_change_nothing(
        (events, shuffled) in prop::collection::vec(any_observation(), 0..20).prop_flat_map(|events| {
            let repeated: Vec<_> = events.iter().chain(&events).cloned().collect();
            (Just(events), Just(repeated).prop_shuffle())
        }),
    ) {
        prop_assert_eq!(sessions(&events), sessions(&shuffled));
    }

    #[test]
    fn no_observation_is_lost_or_stands_in_two_sessions(
        events in prop::collection::vec(any_observation(), 0..20),
    ) {
        let mut given: Vec<_> = events.iter().map(|event| event.event_id.clone()).collect();
        given.sort();
        given.dedup();
        let all = sessions(&events);
        let facts = all.iter().flat_map(|session| &session.facts);
        let mut found: Vec<_> = facts.flat_map(|fact| fact.event_ids.clone()).collect();
        found.sort();
        prop_assert_eq!(found, given);
    }
}
