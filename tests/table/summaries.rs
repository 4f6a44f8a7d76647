//! A listing says of each session what the session itself says, however its rows are spread over files.

use std::sync::Arc;

use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use skillspan::event::{Kind, SessionEvent, Timestamp};
use skillspan::table::upkeep::Subject;
use skillspan::table::{FileIdentity, Filter, ResolveOptions, Session, Summary, Table, resolve};

use crate::events::{START, any_observation, event, identity};

const DAYS: [&str; 2] = ["2026-11-21", "2026-11-22"];

/// A row, the day it was ingested on and the file of that day.
type Placed = (SessionEvent, usize, usize);

/// Rows in whose sessions everything is to be reconciled: histories, upserts, sub-agents, calls that are
/// known by what they were given.
fn any_row() -> impl Strategy<Value = SessionEvent> {
    let keys =
        ["", "f", "f#1", "f#2", "say@m", "say#1@m", "other@m", "call@1", "call@2", "id-1", "id-2", "a", "b"];
    let kinds = vec![
        Kind::Prompt,
        Kind::Prompt,
        Kind::Response,
        Kind::ToolCall,
        Kind::ToolCall,
        Kind::ToolResult,
        Kind::Decision,
        Kind::SessionEnd,
    ];
    let columns = (
        select(keys.to_vec()),
        select(kinds),
        select(vec!["", "", "claude-code"]),
        select(vec!["", "Read", "Write"]),
        select(vec!["", "{\"path\":1}", "{\"path\":2}", "words"]),
        select(vec!["", "", "h1", "h2", "h3"]),
        select(vec!["", "h1", "h2", "h3"]),
        select(vec!["default", "default", "other"]),
        0..4_i64,
    );
    (any_observation(), columns).prop_map(|(observation, columns)| {
        let (fact_key, kind, assistant, tool, input, before, after, tenant, seconds) = columns;
        let SessionEvent { event_id, session_id, trace_id, .. } = &observation;
        SessionEvent {
            // What has one id is one record, so its session and its trace are the same.
            event_id: format!("{:.1}-{tenant}-{session_id}-{trace_id}", event_id),
            fact_key: fact_key.to_owned(),
            kind,
            assistant: assistant.to_owned(),
            tool: tool.to_owned(),
            input: input.to_owned(),
            history_before: before.to_owned(),
            history_after: after.to_owned(),
            tenant: tenant.to_owned(),
            user_id: tool.to_owned(),
            duration_us: seconds * 1_000_000,
            ..observation
        }
    })
}

async fn table_of(rows: Vec<Placed>) -> Table {
    let table = Table::open_store(Arc::new(InMemory::new()), "memory").await.unwrap();
    for (at, day) in DAYS.iter().enumerate() {
        for file in 0..3 {
            let of_file = rows.iter().filter(|(_, of_day, of_file)| (*of_day, *of_file) == (at, file));
            let events: Vec<_> = of_file.map(|(event, ..)| event.clone()).collect();
            if !events.is_empty() {
                let _ = table.write(&named(day, file), events).await.unwrap();
            }
        }
    }
    table
}

fn named(day: &str, file: usize) -> FileIdentity {
    FileIdentity { ingest_date: day.to_owned(), part: u32::try_from(file).unwrap(), ..identity() }
}

fn options() -> ResolveOptions {
    ResolveOptions { default_workspace: "fallback".to_owned() }
}

fn since(day: &str) -> Filter {
    Filter { since: Some(day.to_owned()), ..Filter::default() }
}

async fn listed(table: &Table, filter: &Filter) -> Vec<Summary> {
    let found = table.summaries(filter, &options(), |_| true).await.unwrap();
    assert!(found.damaged.is_empty(), "{:?}", found.damaged);
    found.sessions
}

pub(crate) fn summary(session: &Session) -> Summary {
    session.clone().with_facts(session.counts())
}

async fn of_resolved_sessions(table: &Table, filter: &Filter) -> Vec<Summary> {
    let rows = table.scan(filter).await.unwrap().events;
    resolve(rows, &options()).iter().map(summary).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_listing_is_the_summaries_of_the_resolved_sessions(
        rows in prop::collection::vec((any_row(), 0..2_usize, 0..3_usize), 0..50),
        repeated in prop::collection::vec((any::<prop::sample::Index>(), 0..2_usize, 0..3_usize), 0..6),
        erased in option::of(select(vec!["s1", "s2"])),
        is_compacted in any::<bool>(),
    ) {
        let again = |(at, day, file): &(prop::sample::Index, usize, usize)| {
            (!rows.is_empty()).then(|| (at.get(&rows).0.clone(), *day, *file))
        };
        let again: Vec<Placed> = repeated.iter().filter_map(again).collect();
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let table = table_of(rows.iter().cloned().chain(again).collect()).await;
            let next_week = Timestamp::from_micros(START + 7 * 86_400_000_000);
            if let Some(session) = erased {
                let _ = table.erase(&Subject::Session(session.to_owned()), None, next_week).await.unwrap();
            }
            if is_compacted {
                let _ = table.compact(next_week).await.unwrap();
            }
            for filter in [Filter::default(), since(DAYS[1])] {
                prop_assert_eq!(
                    listed(&table, &filter).await,
                    of_resolved_sessions(&table, &filter).await
                );
            }
            Ok(())
        })?;
    }
}

/// A framework's tool span that does not know the call's id, and a message with another call. Only their
/// inputs tell that these are two.
fn calls_known_by_their_inputs() -> Vec<SessionEvent> {
    let of = |id: &str, kind: Kind, span: &str, key: &str, tool: &str, input: &str| SessionEvent {
        session_id: "s".to_owned(),
        trace_id: "t".to_owned(),
        span_id: span.to_owned(),
        fact_key: key.to_owned(),
        tool: tool.to_owned(),
        input: input.to_owned(),
        ..event(id, kind, 1)
    };
    vec![
        of("1", Kind::ToolCall, "tool-1", "tool-1", "read", "{\"path\":1}"),
        of("2", Kind::ToolResult, "tool-1", "tool-1", "read", ""),
        of("3", Kind::ToolCall, "model", "id-2", "another name", "{\"path\":2}"),
    ]
}

#[tokio::test]
async fn calls_that_only_their_inputs_tell_apart_are_counted_as_the_session_shows_them() {
    let rows = calls_known_by_their_inputs();
    let placed = rows.iter().enumerate().map(|(at, event)| (event.clone(), at % 2, at % 3)).collect();
    let table = table_of(placed).await;
    let [session] = &listed(&table, &Filter::default()).await[..] else { panic!("one session") };
    assert_eq!(session.facts[&Kind::ToolCall], 2);
    assert_eq!(of_resolved_sessions(&table, &Filter::default()).await, std::slice::from_ref(session));
}

#[tokio::test]
async fn of_two_rows_of_one_record_a_listing_takes_the_one_that_the_session_takes() {
    let of = |turn: &str, workspace: &str| SessionEvent {
        session_id: "s".to_owned(),
        turn_id: turn.to_owned(),
        workspace: workspace.to_owned(),
        ..event("1", Kind::Prompt, 1)
    };
    let table = table_of(vec![(of("1", "z"), 0, 0), (of("2", "y"), 0, 1)]).await;
    let found = listed(&table, &Filter::default()).await;
    assert_eq!(found, of_resolved_sessions(&table, &Filter::default()).await);
}

#[tokio::test]
async fn what_a_listing_does_not_want_is_left_out() {
    let of = |id: &str, session: &str| SessionEvent {
        session_id: session.to_owned(),
        ..event(id, Kind::Prompt, 1)
    };
    let table = table_of(vec![(of("1", "wanted"), 0, 0), (of("2", "other"), 0, 0)]).await;
    let found =
        table.summaries(&Filter::default(), &options(), |session| session.id == "wanted").await.unwrap();
    assert_eq!(found.sessions.iter().map(|session| session.id.as_str()).collect::<Vec<_>>(), ["wanted"]);
}

#[tokio::test]
async fn a_damaged_file_is_named_and_costs_a_listing_no_more_than_its_rows() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let table = Table::open_store(Arc::clone(&store), "memory").await.unwrap();
    let of = |id: &str, session: &str| SessionEvent {
        session_id: session.to_owned(),
        ..event(id, Kind::Prompt, 1)
    };
    let _ = table.write(&named(DAYS[0], 0), vec![of("1", "whole"), of("2", "torn")]).await.unwrap();
    let _ = table.write(&named(DAYS[1], 0), vec![of("3", "torn"), of("4", "lost")]).await.unwrap();
    let path = named(DAYS[1], 0).path();
    store.put(&path.as_str().into(), "not a file".into()).await.unwrap();
    let found = table.summaries(&Filter::default(), &options(), |_| true).await.unwrap();
    assert_eq!(found.damaged.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), [path]);
    let facts = |summary: &Summary| (summary.id.clone(), summary.facts[&Kind::Prompt]);
    let expected = [("torn".to_owned(), 1), ("whole".to_owned(), 1)];
    assert_eq!(found.sessions.iter().map(facts).collect::<Vec<_>>(), expected);
}
