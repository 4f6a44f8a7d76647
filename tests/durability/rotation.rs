//! Segments that begin and go while others write and export.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use skillspan::journal::Journal;

use crate::disk::TestDisk;
use crate::support::{SEGMENT_HEADER, config, open, read_all, segments};

/// Leaves the segment that begins with `first` without a record, as a kill between its beginning and its
/// first record does.
fn begin_segment(folder: &Path, first: u64) {
    let mut bytes = fs::read(segments(folder).pop().unwrap()).unwrap();
    bytes.truncate(SEGMENT_HEADER);
    for copy in bytes.chunks_exact_mut(SEGMENT_HEADER / 2) {
        let (checked, crc) = copy.split_at_mut(60);
        checked[32..40].copy_from_slice(&first.to_le_bytes());
        crc.copy_from_slice(&crc32c::crc32c(checked).to_le_bytes());
    }
    fs::write(folder.join(format!("{first:020}.segment")), bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_segment_that_goes_takes_none_with_it_that_begins_in_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    journal.append(b"before".to_vec()).await.unwrap();
    drop(journal);
    begin_segment(folder.path(), 2);

    let disk = TestDisk::default();
    let journal = Journal::open_on(config(folder.path()), Arc::new(disk.clone())).unwrap();
    disk.hold_name(&format!("{:020}.segment", 2));
    let exporter = journal.clone();
    let exported = tokio::task::spawn_blocking(move || exporter.advance(2));
    disk.wait_for_held_name();
    let client = journal.clone();
    let appended = tokio::spawn(async move { client.append(b"after".to_vec()).await });
    // Time enough to begin the segment anew, for who does not wait.
    tokio::time::sleep(Duration::from_millis(300)).await;
    disk.release_name();
    exported.await.unwrap().unwrap();
    assert_eq!(appended.await.unwrap().unwrap(), 2);

    let acknowledged = [(2, b"after".to_vec())];
    assert_eq!(read_all(&journal), acknowledged);
    drop(journal);
    assert_eq!(read_all(&open(folder.path())), acknowledged);
}
