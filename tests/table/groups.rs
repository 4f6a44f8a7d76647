//! Whole sessions are read in little memory, however large the files are that hold them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use object_store::memory::InMemory;
use skillspan::event::{Kind, SessionEvent};
use skillspan::table::{Cursor, FileIdentity, Filter, ResolveOptions, Session, Table};

use crate::events::{event, identity};

const ROWS_OF_A_SESSION: usize = 50;
const SESSIONS_OF_A_FILE: usize = 200;

/// The rows of a file's sessions in the order in which they happen: those of all sessions alternate.
fn rows(file: usize) -> Vec<SessionEvent> {
    let at = |number: usize| {
        let session = number % SESSIONS_OF_A_FILE;
        SessionEvent {
            session_id: format!("{file}-{session:04}"),
            text: "some words ".repeat(100),
            ..event(&format!("{file}-{number}"), Kind::Prompt, i64::try_from(number).unwrap())
        }
    };
    (0..SESSIONS_OF_A_FILE * ROWS_OF_A_SESSION).map(at).collect()
}

async fn table_of(files: Vec<Vec<SessionEvent>>) -> Table {
    let table = Table::open_store(Arc::new(InMemory::new()), "memory").await.unwrap();
    for (at, rows) in (100_u64..).zip(files) {
        let named = FileIdentity { first: at, last: at, batch_id: format!("{at}"), ..identity() };
        let _ = table.write(&named, rows).await.unwrap();
    }
    table
}

#[tokio::test]
async fn no_more_is_in_memory_than_a_few_rows_and_sessions_that_go_on_in_another_file() {
    let (first, mut second) = (rows(0), rows(1));
    // One session goes on in the second file.
    let goes_on = SessionEvent { session_id: "0-0007".into(), ..second[0].clone() };
    second.push(SessionEvent { event_id: "the end".into(), ..goes_on });
    let whole: usize = first.iter().chain(&second).map(SessionEvent::size_in_memory).sum();
    let of_one_session =
        first.iter().take(ROWS_OF_A_SESSION).map(SessionEvent::size_in_memory).sum::<usize>();
    let table = table_of(vec![first, second]).await;

    let standing = table.standing(&Cursor::default()).await.unwrap();
    let mut groups = table.new_groups(standing, &[], &BTreeSet::new()).await.unwrap();
    let (mut most_held, mut most_given) = (0, 0);
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    while let Some(complete) = groups.next().await.unwrap() {
        most_held = most_held.max(groups.bytes_held());
        let given = complete.iter().flat_map(|group| &group.events).map(SessionEvent::size_in_memory).sum();
        most_given = most_given.max(given);
        for group in complete {
            found.insert(group.events[0].session_id.clone(), group.events.len());
        }
    }
    assert_eq!(found.len(), 2 * SESSIONS_OF_A_FILE);
    assert_eq!(found.get("0-0007"), Some(&(ROWS_OF_A_SESSION + 1)), "the session that goes on is whole");
    assert!(found.iter().all(|(id, rows)| id == "0-0007" || *rows == ROWS_OF_A_SESSION), "{found:?}");
    assert!(most_held <= 3 * of_one_session, "{most_held} bytes are held, a session has {of_one_session}");
    assert!(most_given * 15 < whole, "{most_given} of {whole} bytes were handed over at once");
    let (_, damaged) = groups.finish();
    assert!(damaged.is_empty(), "{damaged:?}");
}

/// Sessions of three sizes whose rows lie in both files: small ones, larger ones and one that is larger than half of
/// what may be held.
fn spread(file: usize) -> Vec<SessionEvent> {
    let at = |number: usize| {
        let id = match number % 10 {
            0..3 => format!("small-{:03}", number % 60),
            3..6 => format!("larger-{:03}", number % 9),
            _ => "huge".to_owned(),
        };
        SessionEvent {
            session_id: id,
            text: "some words ".repeat(50),
            ..event(
                &format!("{file}-{number:05}"),
                Kind::Prompt,
                i64::try_from(file * 10_000 + number).unwrap(),
            )
        }
    };
    (0..4_000).map(at).collect()
}

#[tokio::test]
async fn a_bounded_reading_gives_the_same_groups_but_for_the_rest_of_one_that_is_too_large() {
    const BYTES: usize = 2 << 20;
    let table = table_of(vec![spread(0), spread(1)]).await;
    let read = async |bytes: Option<usize>| {
        let standing = table.standing(&Cursor::default()).await.unwrap();
        let groups = table.new_groups(standing, &[], &BTreeSet::new()).await.unwrap();
        let mut groups = match bytes {
            Some(bytes) => groups.within(bytes),
            None => groups,
        };
        let (mut most_held, mut most_given) = (0, 0);
        let mut found: BTreeMap<String, (Vec<SessionEvent>, usize)> = BTreeMap::new();
        while let Some(complete) = groups.next().await.unwrap() {
            most_held = most_held.max(groups.bytes_held());
            let given = complete.iter().flat_map(|group| &group.events).map(SessionEvent::size_in_memory);
            most_given = most_given.max(given.sum::<usize>());
            for group in complete {
                let id = group.events[0].session_id.clone();
                assert!(found.insert(id, (group.events, group.left_out)).is_none(), "it is given twice");
            }
        }
        assert!(groups.finish().1.is_empty());
        (found, most_held, most_given)
    };
    let (whole, held_whole, _) = read(None).await;
    assert!(held_whole > 3 * BYTES, "{held_whole} bytes are no large table");
    let (bounded, most_held, most_given) = read(Some(BYTES)).await;
    let a_batch = BYTES / 2;
    assert!(most_held <= BYTES + a_batch, "{most_held} bytes were held");
    assert!(most_given <= BYTES + a_batch, "{most_given} bytes were given at once");
    assert_eq!(bounded.keys().collect::<Vec<_>>(), whole.keys().collect::<Vec<_>>());
    for (id, (events, left_out)) in &bounded {
        let (all, _) = &whole[id];
        assert_eq!(events.len() + left_out, all.len(), "{id}");
        assert!(*events == all[..events.len()], "{id}: other rows");
        assert_eq!(*left_out > 0, id == "huge", "{id}: {left_out}");
    }
    assert!(read(Some(BYTES)).await.0 == bounded, "the same each time");
}

#[tokio::test]
async fn of_a_session_that_is_too_large_the_first_rows_are_read() {
    let table = table_of(vec![spread(0), spread(1)]).await;
    let (filter, options) = (Filter::default(), ResolveOptions::default());
    let whole = table.sessions_called("huge", &filter, &options).await.unwrap();
    let within =
        async |bytes: usize| table.sessions_called_within("huge", &filter, &options, bytes).await.unwrap();
    let all = within(1 << 30).await;
    assert!(!all.is_cut && all.sessions == whole.sessions);
    let cut = within(1 << 20).await;
    let [first] = cut.sessions.as_slice() else { panic!("{} sessions", cut.sessions.len()) };
    assert!(cut.is_cut && !whole.is_cut);
    let ids = |session: &Session| -> Vec<String> {
        let ids: BTreeSet<&String> = session.facts.iter().flat_map(|fact| &fact.event_ids).collect();
        ids.into_iter().cloned().collect()
    };
    let (shown, all) = (ids(first), ids(&whole.sessions[0]));
    assert!(shown.len() > 300 && shown.len() * 2 < all.len(), "{} of {} rows", shown.len(), all.len());
    assert!(shown == all[..shown.len()], "other rows than the first");
    assert!(within(1 << 20).await.sessions == cut.sessions, "the same each time");
    assert!(within(1 << 30).await.sessions.len() == 1);
}

/// So many sessions of the same size whose rows lie in all files that none of them is complete before the last.
fn alternating(file: usize) -> Vec<SessionEvent> {
    let at = |number: usize| SessionEvent {
        session_id: format!("long-{:03}", number % 100),
        text: "some words ".repeat(50),
        ..event(&format!("{file}-{number:05}"), Kind::Prompt, i64::try_from(file * 10_000 + number).unwrap())
    };
    (0..1_000).map(at).collect()
}

#[tokio::test]
async fn files_are_read_again_a_few_times_however_many_sessions_go_on_in_all_of_them() {
    const BYTES: usize = 64 << 10;
    let table = table_of((0..5).map(alternating).collect()).await;
    let whole = table.standing(&Cursor::default()).await.unwrap();
    let mut once = table.new_groups(whole, &[], &BTreeSet::new()).await.unwrap();
    let before = table.bytes_read();
    while once.next().await.unwrap().is_some() {}
    let bytes_once = table.bytes_read() - before;

    let standing = table.standing(&Cursor::default()).await.unwrap();
    let mut groups = table.new_groups(standing, &[], &BTreeSet::new()).await.unwrap().within(BYTES);
    let before = table.bytes_read();
    let mut found = BTreeMap::new();
    while let Some(complete) = groups.next().await.unwrap() {
        for group in complete {
            let rows = (group.events.len(), group.left_out);
            assert!(found.insert(group.events[0].session_id.clone(), rows).is_none(), "it is given twice");
        }
    }
    let again = (table.bytes_read() - before) / bytes_once;
    assert_eq!(found.len(), 100);
    for (id, (given, left_out)) in &found {
        assert_eq!(given + left_out, 50, "{id}");
        assert!(*given >= 5, "{id}: {given}");
    }
    assert!(found.values().any(|(_, left_out)| *left_out > 0), "they are as large as is meant");
    assert!(again <= 20, "the files were read {again} times");
}
