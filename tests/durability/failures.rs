//! A disk that fails and works again.

use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::time::Duration;

use skillspan::journal::{AppendError, Journal};

use crate::disk::TestDisk;
use crate::support::{SEGMENT_HEADER, config, open, read_all, segments};

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

#[tokio::test]
async fn blocks_that_cannot_be_read_do_not_keep_the_journal_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    let large = skillspan::journal::Config { segment_size: 64 << 10, ..config(folder.path()) };
    let journal = Journal::open(large.clone()).unwrap();
    for n in 0..20u8 {
        journal.append(vec![n; 1000]).await.unwrap();
    }
    drop(journal);
    let disk = TestDisk::default();
    // Within the ninth to the thirteenth record.
    disk.fail_reads_within(8192..12288);
    let journal = Journal::open_on(large.clone(), Arc::new(disk.clone())).unwrap();
    for _ in 0..5 {
        journal.read(1, usize::MAX).unwrap_err();
    }
    let found: Vec<u64> = read_all(&journal).into_iter().map(|(sequence, _)| sequence).collect();
    assert_eq!(found, (1..=7).chain(13..=20).collect::<Vec<_>>());
    assert!(journal.status().quarantined > 0);
    let next = journal.append(b"goes on".to_vec()).await.unwrap();
    assert!(next > 20);
    journal.advance(next).unwrap();
    let kept = crate::support::names(&folder.path().join("quarantine"));
    assert!(kept.contains(&"00000000000000000001.segment".to_owned()), "{kept:?}");
}

#[tokio::test]
async fn a_journal_whose_folder_is_deleted_refuses_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let journal = open(&path);
    journal.append(b"before".to_vec()).await.unwrap();
    std::fs::remove_dir_all(&path).unwrap();
    let error = journal.append(b"after".to_vec()).await.unwrap_err();
    assert!(error.to_string().contains("was deleted or replaced while in use; restart skillspan"), "{error}");
    assert!(!journal.status().writable);
    // Somebody else begins a journal there: nothing of ours gets into it.
    let theirs = open(&path);
    journal.append(b"still".to_vec()).await.unwrap_err();
    journal.advance(2).unwrap_err();
    assert!(read_all(&theirs).is_empty());
}

#[tokio::test]
async fn an_exported_segment_is_written_again_under_a_new_name() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let files = || {
        let inodes = segments(folder.path()).into_iter().map(|path| std::fs::metadata(path).unwrap().ino());
        inodes.collect::<Vec<_>>()
    };
    let mut seen = std::collections::BTreeSet::new();
    for round in 0..20u8 {
        let last = journal.append(vec![round; 3000]).await.unwrap();
        assert_eq!(journal.read(last, 1).unwrap()[0].payload, vec![round; 3000]);
        seen.extend(files());
        journal.advance(last + 1).unwrap();
    }
    assert!(seen.len() <= 3, "20 segments in {} files", seen.len());
    assert!(journal.status().bytes <= 4 * 4096, "{:?}", journal.status());
    drop(journal);
    let journal = open(folder.path());
    assert_eq!((journal.status().quarantined, journal.status().torn_bytes), (0, 0));
    assert_eq!(journal.append(b"next".to_vec()).await.unwrap(), 21);
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_no_damage_and_its_records_are_there_when_it_can_be() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    for payload in [vec![1; 3000], vec![2; 3000], vec![3; 3000]] {
        journal.append(payload).await.unwrap();
    }
    journal.advance(2).unwrap();
    drop(journal);
    let first = segments(folder.path()).remove(0);
    let first = first.file_name().unwrap().to_str().unwrap();
    for name in [first, "cursor"] {
        let disk = TestDisk::default();
        disk.close(name, std::io::ErrorKind::PermissionDenied);
        let refused = Journal::open_on(config(folder.path()), Arc::new(disk.clone())).unwrap_err();
        assert!(refused.to_string().contains(name), "{refused}");
        assert!(crate::support::names(&folder.path().join("quarantine")).is_empty());
        disk.heal();
        let journal = Journal::open_on(config(folder.path()), Arc::new(disk)).unwrap();
        assert_eq!((journal.cursor(), journal.status().quarantined), (2, 0));
        assert_eq!(read_all(&journal), [(2, vec![2; 3000]), (3, vec![3; 3000])]);
    }
}

#[tokio::test]
async fn a_segment_that_can_be_neither_read_nor_set_aside_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    for payload in [vec![1; 3000], vec![2; 3000], vec![3; 3000]] {
        journal.append(payload).await.unwrap();
    }
    drop(journal);
    // Without a cursor nothing but the segments tells where the journal ends, and the last one has no header.
    std::fs::remove_file(folder.path().join("cursor")).unwrap();
    let last = segments(folder.path()).pop().unwrap();
    let mut bytes = std::fs::read(&last).unwrap();
    bytes[..SEGMENT_HEADER].fill(0xaa);
    std::fs::write(&last, &bytes).unwrap();
    let disk = TestDisk::default();
    disk.refuse_renames_into("quarantine");
    let journal = Journal::open_on(config(folder.path()), Arc::new(disk)).unwrap();
    for payload in 0..4u8 {
        journal.append(vec![payload; 3000]).await.unwrap();
    }
    assert!(std::fs::read(&last).unwrap().starts_with(&bytes[..4096.min(bytes.len())]));
}
