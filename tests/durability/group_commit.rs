//! One sync for many, and never an answer before it.

use std::sync::Arc;

use futures_util::future::join_all;
use skillspan::journal::{Durability, Journal};

use crate::disk::TestDisk;
use crate::support::{config, read_all};

#[tokio::test]
async fn an_append_is_answered_and_readable_only_after_its_sync() {
    let folder = tempfile::tempdir().unwrap();
    let disk = TestDisk::default();
    let journal = Journal::open_on(config(folder.path()), Arc::new(disk.clone())).unwrap();
    let first = journal.append(b"first".to_vec()).await.unwrap();

    disk.hold_syncs();
    let waiting = tokio::spawn({
        let journal = journal.clone();
        async move { journal.append(b"second".to_vec()).await }
    });
    tokio::task::spawn_blocking({
        let disk = disk.clone();
        move || disk.wait_for_held_sync()
    })
    .await
    .unwrap();
    assert!(!waiting.is_finished());
    assert_eq!(*journal.durable_end().borrow(), first + 1);
    assert_eq!(read_all(&journal), [(first, b"first".to_vec())]);

    disk.release();
    assert_eq!(waiting.await.unwrap().unwrap(), first + 1);
    assert_eq!(*journal.durable_end().borrow(), first + 2);
    assert_eq!(read_all(&journal).len(), 2);
}

#[tokio::test]
async fn appends_that_come_while_a_sync_runs_share_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let disk = TestDisk::default();
    let journal = Journal::open_on(config(folder.path()), Arc::new(disk.clone())).unwrap();
    journal.append(b"begins the segment".to_vec()).await.unwrap();
    let before = journal.status().syncs.count;

    disk.hold_syncs();
    let leader = tokio::spawn({
        let journal = journal.clone();
        async move { journal.append(b"leader".to_vec()).await }
    });
    tokio::task::spawn_blocking({
        let disk = disk.clone();
        move || disk.wait_for_held_sync()
    })
    .await
    .unwrap();
    let followers = join_all((0..50u8).map(|n| journal.append(vec![n])));
    // The first poll queues every follower; only then is the sync released.
    let (sequences, ()) = tokio::join!(biased; followers, async { disk.release() });
    let mut sequences: Vec<_> = sequences.into_iter().map(Result::unwrap).collect();
    sequences.push(leader.await.unwrap().unwrap());
    sequences.sort();
    assert_eq!(sequences, (2..53).collect::<Vec<_>>());
    assert_eq!(journal.status().syncs.count - before, 2);
}

#[tokio::test]
async fn without_fsync_an_append_waits_for_no_sync() {
    let folder = tempfile::tempdir().unwrap();
    let disk = TestDisk::default();
    let config = skillspan::journal::Config { durability: Durability::Os, ..config(folder.path()) };
    let journal = Journal::open_on(config, Arc::new(disk.clone())).unwrap();
    journal.append(b"begins the segment".to_vec()).await.unwrap();
    disk.hold_syncs();
    journal.append(b"handed to the operating system".to_vec()).await.unwrap();
    assert_eq!(read_all(&journal).len(), 2);
    disk.release();
}
