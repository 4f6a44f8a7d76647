//! Full, too large, in use, closed.

use skillspan::journal::{AppendError, Config, Journal, OpenError};

use crate::support::{config, names, open, read_all, segments};

fn small(folder: &std::path::Path) -> Config {
    Config { max_size: 8192, ..config(folder) }
}

#[tokio::test]
async fn a_full_journal_refuses_and_accepts_again_once_records_are_exported() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(small(folder.path())).unwrap();
    let mut accepted = Vec::new();
    for round in 1..=3 {
        let last = loop {
            match journal.append(vec![7; 1000]).await {
                Ok(sequence) => accepted.push(sequence),
                Err(AppendError::Full { max_size: 8192 }) => break *accepted.last().unwrap(),
                Err(error) => panic!("{error}"),
            }
        };
        let status = journal.status();
        assert!(status.bytes <= 8192 && status.writable, "round {round}: {status:?}");
        assert!(read_all(&journal).len() >= 6, "round {round}: room is used");
        journal.advance(last + 1).unwrap();
        assert_eq!(journal.status().behind, 0);
    }
    assert_eq!(accepted, (1..=accepted.len() as u64).collect::<Vec<_>>());
}

#[tokio::test]
async fn segments_go_only_when_wholly_exported() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    for _ in 0..9 {
        journal.append(vec![7; 1000]).await.unwrap();
    }
    // Three records a segment.
    assert_eq!(segments(folder.path()).len(), 3);
    journal.advance(3).unwrap();
    assert_eq!(segments(folder.path()).len(), 3);
    journal.advance(4).unwrap();
    assert_eq!(segments(folder.path()).len(), 2);
    journal.advance(10).unwrap();
    assert_eq!(segments(folder.path()).len(), 1, "the one being written stays");
    drop(journal);
    let journal = open(folder.path());
    assert_eq!(segments(folder.path()).len(), 0);
    assert_eq!(journal.append(b"next".to_vec()).await.unwrap(), 10);
}

#[tokio::test]
async fn a_sequence_is_not_used_again_after_its_segment_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    for expected in 1..=3 {
        let journal = open(folder.path());
        assert_eq!(journal.append(b"record".to_vec()).await.unwrap(), expected);
        journal.advance(expected + 1).unwrap();
        drop(journal);
        drop(open(folder.path()));
        assert!(segments(folder.path()).is_empty());
    }
}

#[tokio::test]
async fn a_sequence_that_a_plan_names_is_not_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let id = journal.id().to_owned();
    let plan = skillspan::journal::Plan { batch_id: "batch".into(), first: 1, last: 41, files: Vec::new() };
    journal.write_plan(&plan).unwrap();
    drop(journal);
    let journal = open(folder.path());
    assert_eq!(journal.id(), id);
    assert_eq!(journal.plan().unwrap(), Some(plan));
    assert_eq!(journal.append(b"record".to_vec()).await.unwrap(), 42);
}

#[tokio::test]
async fn a_record_that_fits_no_segment_is_refused_and_the_largest_that_fits_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let Err(AppendError::TooLarge { size: 5000, limit }) = journal.append(vec![0; 5000]).await else {
        panic!("5000 bytes do not fit 4096");
    };
    assert!(matches!(journal.append(vec![1; limit + 1]).await, Err(AppendError::TooLarge { .. })));
    let largest = vec![1; limit];
    journal.append(largest.clone()).await.unwrap();
    journal.append(b"the next segment".to_vec()).await.unwrap();
    assert_eq!(journal.read(1, 1).unwrap()[0].payload, largest);
    assert_eq!(read_all(&journal).len(), 2);
}

#[test]
fn a_journal_in_use_is_refused_and_free_again_when_it_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let error = Journal::open(config(folder.path())).unwrap_err();
    assert!(matches!(error, OpenError::Locked { .. }), "{error}");
    drop(journal);
    open(folder.path());
}

#[test]
fn sizes_that_hold_no_record_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (segment_size, max_size) in [(100, 1 << 20), (8192, 4096), (1 << 40, 1 << 50)] {
        let config = Config { segment_size, max_size, ..config(folder.path()) };
        assert!(matches!(Journal::open(config), Err(OpenError::Sizes { .. })), "{segment_size} {max_size}");
    }
    assert!(names(folder.path()).is_empty());
}

#[cfg(unix)]
#[test]
fn the_folder_is_closed_to_others() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/journal");
    drop(open(&path));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn closing_waits_for_what_is_queued_and_refuses_what_comes_later() {
    let folder = tempfile::tempdir().unwrap();
    let disk = crate::disk::TestDisk::default();
    let journal = Journal::open_on(config(folder.path()), std::sync::Arc::new(disk.clone())).unwrap();
    disk.hold_syncs();
    let queued = tokio::spawn({
        let journal = journal.clone();
        async move { journal.append(b"queued".to_vec()).await }
    });
    let closing = tokio::task::spawn_blocking({
        let (journal, disk) = (journal.clone(), disk.clone());
        move || {
            disk.wait_for_held_sync();
            disk.release();
            journal.close();
        }
    });
    assert_eq!(queued.await.unwrap().unwrap(), 1);
    closing.await.unwrap();
    assert!(matches!(journal.append(b"late".to_vec()).await, Err(AppendError::Closed)));
    assert_eq!(read_all(&journal).len(), 1);
    journal.advance(2).unwrap();
}
