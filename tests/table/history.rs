//! Sessions without ids, joined by the conversation that their traces show.

use std::sync::Arc;

use object_store::memory::InMemory;
use proptest::prelude::*;
use proptest::sample::select;
use skillspan::event::{Kind, SessionEvent};
use skillspan::table::{FileIdentity, Filter, ResolveOptions, Session, SessionSource, Table, resolve};

use crate::events::{any_observation, event};

fn sessions(events: &[SessionEvent]) -> Vec<Session> {
    resolve(events.to_vec(), &ResolveOptions { default_workspace: String::new() })
}

/// The traces of each session, sorted.
fn traces(events: &[SessionEvent]) -> Vec<String> {
    let mut all: Vec<_> = sessions(events)
        .iter()
        .map(|session| {
            let mut traces: Vec<_> = session.facts.iter().map(|fact| fact.event.trace_id.clone()).collect();
            traces.dedup();
            format!("{}: {}", session.id, traces.join(" "))
        })
        .collect();
    all.sort();
    all
}

/// A turn in a trace of its own: asked at `seconds`, answered a second later.
fn turn(trace: &str, before: &str, after: &str, seconds: i64) -> [SessionEvent; 2] {
    [(Kind::Prompt, seconds), (Kind::Response, seconds + 1)].map(|(kind, seconds)| SessionEvent {
        trace_id: trace.into(),
        service: "svc".into(),
        history_before: before.into(),
        history_after: after.into(),
        ..event(&format!("{trace}-{kind}"), kind, seconds)
    })
}

#[test]
fn a_trace_continues_the_session_whose_conversation_it_begins_with() {
    let events = [turn("a", "", "1", 0), turn("b", "1", "2", 10), turn("c", "2", "3", 20)].concat();
    assert_eq!(traces(&events), ["trace:a: a b c"]);
    assert_eq!(sessions(&events)[0].source, SessionSource::History);
}

#[test]
fn the_empty_conversation_is_never_continued() {
    let events = [turn("a", "", "", 0), turn("b", "", "1", 10), turn("c", "", "1", 20)].concat();
    assert_eq!(traces(&events), ["trace:a: a", "trace:b: b", "trace:c: c"]);
}

#[test]
fn conversations_that_are_equal_so_far_stay_two() {
    let events =
        [turn("a", "", "1", 0), turn("x", "", "1", 5), turn("b", "1", "2", 10), turn("y", "1", "3", 15)]
            .concat();
    assert_eq!(traces(&events), ["trace:a: a y", "trace:x: x b"], "the nearest in time, and each once");
    let third = [events, turn("z", "1", "4", 20).to_vec()].concat();
    assert!(traces(&third).contains(&"trace:z: z".to_owned()), "nobody is left to continue");
}

#[test]
fn nothing_continues_what_is_not_over_or_anothers() {
    let foreign =
        |turn: [SessionEvent; 2]| turn.map(|event| SessionEvent { tenant: "other".into(), ..event });
    let elsewhere =
        |turn: [SessionEvent; 2]| turn.map(|event| SessionEvent { service: "web".into(), ..event });
    for other in [turn("b", "1", "2", 0), foreign(turn("b", "1", "2", 9)), elsewhere(turn("b", "1", "2", 9))]
    {
        let events = [turn("a", "", "1", 0), other].concat();
        assert_eq!(sessions(&events).len(), 2, "{events:?}");
    }
}

#[test]
fn half_an_answer_is_no_beginning() {
    let mut in_the_loop = turn("b", "1", "2", 10);
    in_the_loop[0].kind = Kind::ToolCall;
    assert_eq!(sessions(&[turn("a", "", "1", 0), in_the_loop].concat()).len(), 2);
    let same_again = [turn("a", "", "1", 0), turn("a2", "1", "2", 2)]
        .map(|turn| turn.map(|event| SessionEvent { trace_id: "a".into(), ..event }));
    let again = [turn("b", "", "1", 10), turn("b2", "1", "2", 12)]
        .map(|turn| turn.map(|event| SessionEvent { trace_id: "b".into(), ..event }));
    let events = [same_again.concat(), again.concat()].concat();
    assert_eq!(traces(&events), ["trace:a: a", "trace:b: b"], "its own first turn, not another's");
}

#[test]
fn a_trace_without_an_id_joins_a_session_that_has_one() {
    let with_id = turn("a", "", "1", 0).map(|event| SessionEvent { session_id: "s".into(), ..event });
    let events = [with_id, turn("b", "1", "2", 10), turn("c", "2", "3", 20)].concat();
    assert_eq!(traces(&events), ["s: a b c"]);
    assert_eq!(sessions(&events)[0].source, SessionSource::Attribute);
    let its_own = turn("b", "1", "2", 10).map(|event| SessionEvent { session_id: "t".into(), ..event });
    assert_eq!(sessions(&[turn("a", "", "1", 0), its_own].concat()).len(), 2, "an id is never overruled");
}

#[test]
fn a_clock_of_milliseconds_does_not_part_a_session() {
    let mut first = turn("a", "", "1", 0);
    first[1].timestamp = skillspan::event::Timestamp::from_micros(first[1].timestamp.as_micros() + 700);
    let events = [first, turn("b", "1", "2", 1)].concat();
    assert_eq!(traces(&events), ["trace:a: a b"]);
}

/// Observations of few traces that often show equal conversations, words and calls.
fn any_of_a_framework() -> impl Strategy<Value = SessionEvent> {
    let kinds = vec![Kind::Prompt, Kind::Response, Kind::ToolCall, Kind::ToolResult];
    let histories = vec!["", "1", "2", "3"];
    let keys = vec!["", "k", "k#0", "k#1", "a", "b", "c"];
    let traces = vec!["t1", "t2", "t3"];
    let all = (select(kinds), select(histories.clone()), select(histories), select(keys), select(traces));
    (any_observation(), all, 0..3_i64).prop_map(|(event, (kind, before, after, key, trace), took)| {
        SessionEvent {
            kind,
            history_before: before.into(),
            history_after: after.into(),
            fact_key: key.into(),
            trace_id: trace.into(),
            agent: String::new(),
            tool: event.text.clone(),
            duration_us: took * 1_000_000,
            ..event
        }
    })
}

proptest! {
    #[test]
    fn the_order_and_repetition_of_a_frameworks_events_change_nothing(
        (events, shuffled) in prop::collection::vec(any_of_a_framework(), 0..24).prop_flat_map(|events| {
            let repeated: Vec<_> = events.iter().chain(&events).cloned().collect();
            (Just(events), Just(repeated).prop_shuffle())
        }),
    ) {
        let (mut ids, before) = (std::collections::BTreeSet::new(), events.len());
        let once: Vec<_> = events.into_iter().filter(|event| ids.insert(event.event_id.clone())).collect();
        prop_assume!(once.len() == before);
        prop_assert_eq!(sessions(&once), sessions(&shuffled));
    }
}

fn identity(batch: usize) -> FileIdentity {
    let first = u64::try_from(batch).unwrap();
    FileIdentity { first, last: first, batch_id: format!("{batch}"), ..crate::events::identity() }
}

/// A table of conversations whose turns lie in files of their own, and some that others have besides.
async fn table_of_conversations() -> (Table, Vec<SessionEvent>) {
    let mut files: Vec<Vec<SessionEvent>> = vec![Vec::new(); 3];
    for number in 0..40_i64 {
        let history = |turn: i64| if turn == 0 { String::new() } else { format!("{number}-{turn}") };
        for (at, file) in (0..).zip(&mut files) {
            let trace = format!("t{number}-{at}");
            let mut asked = turn(&trace, &history(at), &history(at + 1), 100 * at + number);
            // Every fourth is of a client that names its sessions.
            if number % 4 == 0 {
                asked.iter_mut().for_each(|event| event.session_id = format!("s{number}"));
            }
            file.extend(asked);
        }
    }
    let table = Table::open_store(Arc::new(InMemory::new()), "memory").await.unwrap();
    for (at, rows) in files.iter().enumerate() {
        let _ = table.write(&identity(at), rows.clone()).await.unwrap();
    }
    (table, files.concat())
}

#[tokio::test]
async fn a_session_is_looked_up_with_all_that_continues_it() {
    let (table, events) = table_of_conversations().await;
    let options = ResolveOptions { default_workspace: String::new() };
    let all = resolve(events, &options);
    assert_eq!(all.len(), 40, "a session for each conversation");
    for session in all {
        let found = table.sessions_called(&session.id, &Filter::default(), &options).await.unwrap();
        assert_eq!(found.sessions, [session]);
    }
}
