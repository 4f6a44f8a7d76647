//! Merging: which value of several observations is the fact's.

use proptest::prelude::*;
use serde_json::json;
use skillspan::event::{Attributes, Decision, Kind, SessionEvent, Status, Timestamp};
use skillspan::table::Fact;

use crate::events::{START, any_observation, event, full_event};

fn merged(observations: &[SessionEvent]) -> SessionEvent {
    let fact = Fact::merge(observations.to_vec()).unwrap().event;
    let mut reversed = observations.to_vec();
    reversed.reverse();
    assert_eq!(fact, Fact::merge(reversed).unwrap().event);
    fact
}

fn call(id: &str, rank: i64) -> SessionEvent {
    SessionEvent { rank, fact_key: "call".into(), ..event(id, Kind::ToolCall, 0) }
}

#[test]
fn no_observation_is_no_fact_and_one_is_the_fact_itself() {
    assert_eq!(Fact::merge(vec![]), None);
    let only = full_event("1");
    let fact = Fact { event: only.clone(), event_ids: vec!["1".into()] };
    assert_eq!(Fact::merge(vec![only.clone()]), Some(fact.clone()));
    assert_eq!(Fact::merge(vec![only.clone(), only]), Some(fact));
}

#[test]
fn the_higher_rank_wins_even_with_the_shorter_text_unless_it_is_empty() {
    let low = SessionEvent { input: "a long input".into(), tool: "Bash".into(), ..call("1", 1) };
    let high = SessionEvent { input: "short".into(), ..call("2", 2) };
    let fact = merged(&[low, high]);
    assert_eq!((fact.input.as_str(), fact.tool.as_str(), fact.rank), ("short", "Bash", 2));
    assert_eq!(fact.event_id, "1");
}

#[test]
fn a_value_keeps_the_rank_it_was_observed_with() {
    let silent = call("1", 9);
    let low = SessionEvent { input: "the longest of them".into(), ..call("2", 1) };
    let middle = SessionEvent { input: "middle".into(), ..call("3", 5) };
    assert_eq!(merged(&[silent, low, middle]).input, "middle");
}

#[test]
fn within_a_rank_the_later_seq_wins_then_the_longer_text_then_the_greater() {
    let with = |id: &str, seq, text: &str| SessionEvent { seq, text: text.into(), ..call(id, 0) };
    assert_eq!(merged(&[with("1", 1, "long and old"), with("2", 2, "new")]).text, "new");
    assert_eq!(merged(&[with("1", 2, "long"), with("2", 2, "longer")]).text, "longer");
    assert_eq!(merged(&[with("1", 2, "b"), with("2", 2, "a")]).text, "b");
    assert_eq!(merged(&[with("1", 1, "kept"), with("2", 2, "")]).text, "kept");
}

#[test]
fn an_error_outweighs_a_success_of_its_rank_but_not_of_a_higher_one() {
    let with = |id: &str, rank, status| SessionEvent { status, ..call(id, rank) };
    assert_eq!(merged(&[with("1", 1, Status::Ok), with("2", 1, Status::Error)]).status, Status::Error);
    assert_eq!(merged(&[with("1", 2, Status::Ok), with("2", 1, Status::Error)]).status, Status::Ok);
    assert_eq!(merged(&[with("1", 2, Status::Unknown), with("2", 1, Status::Error)]).status, Status::Error);
}

#[test]
fn times_are_the_earliest_that_were_given_and_integers_the_greatest() {
    let time = Timestamp::from_micros;
    let one = SessionEvent { timestamp: time(START + 5), duration_us: 7, input_tokens: 1, ..call("1", 9) };
    let other = SessionEvent { timestamp: time(START), duration_us: 3, input_tokens: 2, ..call("2", 0) };
    let unset = SessionEvent { timestamp: Timestamp::EPOCH, ..call("3", 0) };
    let fact = merged(&[one, other, unset]);
    assert_eq!((fact.timestamp, fact.duration_us, fact.input_tokens), (time(START), 7, 2));
}

#[test]
fn truncated_follows_the_content_that_won() {
    let with = |id: &str, rank, input: &str, truncated| SessionEvent {
        input: input.into(),
        truncated,
        ..call(id, rank)
    };
    assert!(!merged(&[with("1", 1, "cut…", true), with("2", 1, "the whole input", false)]).truncated);
    assert!(merged(&[with("1", 2, "cut…", true), with("2", 1, "the whole input", false)]).truncated);
    assert!(!merged(&[with("1", 2, "", true), with("2", 1, "the whole input", false)]).truncated);
    assert!(merged(&[with("1", 2, "", true), with("2", 1, "", false)]).truncated);
}

#[test]
fn attributes_merge_key_by_key() {
    let with = |id: &str, rank, attributes: serde_json::Value| SessionEvent {
        attributes: serde_json::from_value::<Attributes>(attributes).unwrap(),
        ..call(id, rank)
    };
    let fact = merged(&[
        with("1", 1, json!({"low": 1, "both": "the long one", "null": 3})),
        with("2", 2, json!({"high": [2], "both": "x", "null": null})),
    ]);
    assert_eq!(json!(fact.attributes), json!({"low": 1, "high": [2], "both": "x", "null": 3}));
}

#[test]
fn the_ids_of_two_records_do_not_mix() {
    let with = |id: &str, span: &str, parent: &str| SessionEvent {
        trace_id: "t".into(),
        span_id: span.into(),
        parent_span_id: parent.into(),
        ..call(id, 0)
    };
    let fact = merged(&[with("1", "b", "a"), with("2", "a", "z")]);
    assert_eq!((fact.span_id.as_str(), fact.parent_span_id.as_str()), ("b", "a"));
}

#[test]
fn a_decision_and_a_score_fill_what_others_left_open() {
    let decided = SessionEvent { decision: Decision::Accept, score: Some(-1.0), ..call("1", 0) };
    let fact = merged(&[decided, call("2", 1)]);
    assert_eq!((fact.decision, fact.score), (Decision::Accept, Some(-1.0)));
    let decided = |id: &str, decision| SessionEvent { decision, ..call(id, 0) };
    let fact = merged(&[decided("1", Decision::Accept), decided("2", Decision::Reject)]);
    assert_eq!(fact.decision, Decision::Reject);
}

proptest! {
    #[test]
    fn order_and_repetition_do_not_matter(
        (observations, shuffled) in prop::collection::vec(any_observation(), 1..6).prop_flat_map(|observations| {
            let repeated: Vec<_> = observations.iter().chain(&observations).cloned().collect();
            (Just(observations), Just(repeated).prop_shuffle())
        }),
    ) {
        prop_assert_eq!(Fact::merge(observations), Fact::merge(shuffled));
    }

    #[test]
    fn what_an_observation_adds_nothing_to_stays(
        observations in prop::collection::vec(any_observation(), 1..6),
    ) {
        let fact = Fact::merge(observations.clone()).unwrap();
        let empty = SessionEvent { kind: Kind::SessionStart, rank: i64::MIN, ..SessionEvent::default() };
        let more = Fact::merge(observations.into_iter().chain([empty]).collect()).unwrap();
        let more = SessionEvent { event_id: fact.event.event_id.clone(), ..more.event };
        prop_assert_eq!(more, fact.event);
    }
}
