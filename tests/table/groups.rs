//! Whole sessions are read in little memory, however large the files are that hold them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use object_store::memory::InMemory;
use skillspan::event::{Kind, SessionEvent};
use skillspan::table::{Cursor, FileIdentity, Table};

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
