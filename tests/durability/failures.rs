//! A disk that fails and works again.

use std::sync::Arc;
use std::time::Duration;

use skillspan::journal::{AppendError, Journal};

use crate::disk::TestDisk;
use crate::support::{config, open, read_all, segments};

async fn until_writable(journal: &Journal) {
    let writable = async {
        while !journal.status().writable {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), writable).await.expect("the journal recovers by itself");
}

#[tokio::test]
async fn a_segment_whose_sync_failed_is_never_written_again_and_nothing_acknowledged_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let disk = TestDisk::default();
    let journal = Journal::open_on(config(folder.path()), Arc::new(disk.clone())).unwrap();
    journal.append(b"before".to_vec()).await.unwrap();
    let failed = segments(folder.path()).remove(0);

    // A segment is opened for writing under its temporary name.
    disk.fail_syncs_of(".tmp");
    let error = journal.append(b"during".to_vec()).await.unwrap_err();
    assert!(matches!(error, AppendError::Disk { .. }), "{error}");
    let status = journal.status();
    assert!(!status.writable);
    assert!(status.disk_error.unwrap().contains("the disk does not sync"));
    assert!(journal.append(b"still".to_vec()).await.is_err());
    assert_eq!(read_all(&journal), [(1, b"before".to_vec())]);

    disk.heal();
    assert_eq!(journal.append(b"after".to_vec()).await.unwrap(), 2);
    assert!(journal.status().writable);
    assert_eq!(segments(folder.path()).len(), 2);
    assert_eq!(disk.writes_after_failed_sync(&failed.with_extension("tmp")), 0);

    let acknowledged = [(1, b"before".to_vec()), (2, b"after".to_vec())];
    assert_eq!(read_all(&journal), acknowledged);
    drop(journal);
    // What the failed segment holds beyond its durable end does not come back.
    let journal = open(folder.path());
    assert_eq!(read_all(&journal), acknowledged);
    assert_eq!(journal.status().quarantined, 0);
}

#[tokio::test]
async fn readiness_comes_back_without_a_restart_and_without_a_request() {
    let folder = tempfile::tempdir().unwrap();
    let disk = TestDisk::default();
    let journal = Journal::open_on(config(folder.path()), Arc::new(disk.clone())).unwrap();
    disk.fail_syncs_of(".tmp");
    journal.append(b"lost".to_vec()).await.unwrap_err();
    assert!(!journal.status().writable);
    disk.heal();
    until_writable(&journal).await;
    assert_eq!(journal.append(b"kept".to_vec()).await.unwrap(), 1);
}

#[tokio::test]
async fn a_cursor_that_cannot_be_written_does_not_move() {
    let folder = tempfile::tempdir().unwrap();
    let disk = TestDisk::default();
    let journal = Journal::open_on(config(folder.path()), Arc::new(disk.clone())).unwrap();
    journal.append(b"record".to_vec()).await.unwrap();
    disk.fail_syncs_of("cursor.tmp");
    journal.advance(2).unwrap_err();
    assert_eq!(journal.cursor(), 1);
    drop(journal);
    let journal = open(folder.path());
    assert_eq!(journal.cursor(), 1);
    journal.advance(3).expect_err("beyond the end");
    journal.advance(2).unwrap();
}
