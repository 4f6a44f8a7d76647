//! Events and identities to write.

use proptest::collection::btree_map;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;
use skillspan::event::{Attributes, Decision, Kind, Owner, SessionEvent, Status, Timestamp};
use skillspan::table::FileIdentity;

/// 2026-11-22T09:30:00Z, in microseconds.
pub(crate) const START: i64 = 1_795_339_800_000_000;

/// The identity of a file of the default owner.
pub(crate) fn identity() -> FileIdentity {
    FileIdentity {
        owner: Owner::default(),
        ingest_date: "2026-11-22".into(),
        journal_id: "0b5f".into(),
        batch_id: "9c1d".into(),
        first: 1,
        last: 12,
        part: 0,
    }
}

/// An event that has nothing but an id, a kind and a time: `START` plus `seconds`.
pub(crate) fn event(id: &str, kind: Kind, seconds: i64) -> SessionEvent {
    let time = Timestamp::from_micros(START + seconds * 1_000_000);
    SessionEvent {
        event_id: id.into(),
        kind,
        timestamp: time,
        ingested_at: time,
        tenant: "default".into(),
        ..SessionEvent::default()
    }
}

/// An event that has a value of its own in every column.
pub(crate) fn full_event(id: &str) -> SessionEvent {
    let attributes: Attributes = [
        ("nested".to_owned(), json!({"list": [1, 2.5, null, "x"], "empty": {}})),
        ("quote\"and\0nul".to_owned(), json!("ünï\u{1F980}")),
    ]
    .into();
    SessionEvent {
        event_id: id.into(),
        fact_key: "fact".into(),
        rank: -3,
        session_id: "session".into(),
        turn_id: "turn".into(),
        seq: i64::MAX,
        kind: Kind::ToolResult,
        timestamp: Timestamp::from_micros(START),
        ingested_at: Timestamp::from_micros(START + 1),
        duration_us: 2,
        tenant: "tenant".into(),
        workspace: "workspace".into(),
        is_confined: false,
        project: "github.com/acme/shop".into(),
        cwd: "/home/ada/shop".into(),
        user_id: "ada@acme.example".into(),
        service: "service".into(),
        assistant: "claude-code".into(),
        assistant_version: "2.1.0".into(),
        agent: "explorer".into(),
        model: "model".into(),
        tool: "Bash".into(),
        tool_call_id: "call".into(),
        text: "text".into(),
        input: r#"{"command":"ls"}"#.into(),
        output: "output".into(),
        status: Status::Error,
        decision: Decision::Reject,
        decision_source: "user".into(),
        score: Some(-0.5),
        skill: "skill".into(),
        input_tokens: 3,
        output_tokens: 4,
        trace_id: "aa".repeat(16),
        span_id: "bb".repeat(8),
        parent_span_id: "cc".repeat(8),
        history_before: "0123456789abcdef".into(),
        history_after: "fedcba9876543210".into(),
        dialect: "genai".into(),
        truncated: true,
        attributes,
    }
}

/// Observations that often share ids, keys, spans and times, and seldom texts.
pub(crate) fn any_observation() -> impl Strategy<Value = SessionEvent> {
    let ids = (
        "[a-f]{2}",
        one_of(&["", "s1", "s2"]),
        one_of(&["", "t1", "t2"]),
        one_of(&["", "a", "b", "c"]),
        one_of(&["", "a", "b", "c", "unseen"]),
        one_of(&["", "f1", "f2"]),
    );
    let values = (
        select(vec![Kind::SessionEnd, Kind::Prompt, Kind::ToolCall, Kind::ToolResult]),
        (0..3_i64, 0..3_i64, 0..5_i64, 0..5_i64),
        one_of(&["", "x", "y", "longer"]),
        select(vec![Status::Unknown, Status::Ok, Status::Error]),
        option::of(select(vec![-1.0, 0.0, 1.0])),
        any::<bool>(),
        btree_map(one_of(&["k", "l"]), select(vec![json!(null), json!(1), json!("one")]), 0..3),
    );
    (ids, values).prop_map(|(ids, values)| {
        let (event_id, session_id, trace_id, span_id, parent_span_id, fact_key) = ids;
        let (kind, (rank, seq, seconds, delay), text, status, score, truncated, attributes) = values;
        let ingested_at = Timestamp::from_micros(START + delay * 1_000_000);
        SessionEvent {
            session_id,
            trace_id,
            span_id,
            parent_span_id,
            fact_key,
            rank,
            seq,
            ingested_at,
            workspace: text.clone(),
            agent: text.clone(),
            input: text.clone(),
            text,
            status,
            score,
            truncated,
            attributes,
            ..event(&event_id, kind, seconds)
        }
    })
}

fn one_of(values: &[&str]) -> impl Strategy<Value = String> + use<> {
    select(values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>())
}
