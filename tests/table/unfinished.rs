//! What a process that was killed while it wrote leaves on a local disk.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use skillspan::event::{Kind, SessionEvent, Timestamp};
use skillspan::table::{FileIdentity, Filter, Table, Written};
use tempfile::TempDir;

use crate::events::{event, identity};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn new_table() -> (TempDir, Table) {
    let folder = TempDir::new().unwrap();
    let table = Table::open(folder.path()).unwrap();
    (folder, table)
}

fn rows(ids: &[&str]) -> Vec<SessionEvent> {
    ids.iter().map(|id| event(id, Kind::Prompt, 0)).collect()
}

/// Of the file at `path`, by a writer of this number.
fn unfinished(path: &Path, writer: u64) -> PathBuf {
    PathBuf::from(format!("{}#{writer}", path.display()))
}

/// The number of a writer that began then.
fn begun_at(time: Timestamp) -> u64 {
    u64::try_from(time.as_micros()).unwrap() << 12
}

#[tokio::test]
async fn a_file_that_readers_see_is_not_written_over() {
    let (folder, table) = new_table();
    assert!(matches!(table.write(&identity(), rows(&["1", "2"])).await.unwrap(), Written::Created { .. }));
    let path = folder.path().join(identity().path());
    // Killed between the two names of one file.
    fs::hard_link(&path, unfinished(&path, 1)).unwrap();
    let before = (fs::read(&path).unwrap(), fs::metadata(&path).unwrap().ino());
    // Another version encodes it differently, or some of it is erased by now.
    assert_eq!(table.write(&identity(), rows(&["1"])).await.unwrap(), Written::AlreadyThere);
    assert_eq!((fs::read(&path).unwrap(), fs::metadata(&path).unwrap().ino()), before);
    assert!(!unfinished(&path, 1).exists());
}

#[tokio::test]
async fn what_a_plan_left_goes_when_its_file_is_no_longer_wanted() {
    let (folder, table) = new_table();
    let closed = |part| FileIdentity { ingest_date: "2026-11-20".into(), part, ..identity() };
    for part in 0..2 {
        table.write(&closed(part), rows(&["1", "2"])).await.unwrap();
    }
    let path = folder.path().join(closed(0).path());
    fs::copy(&path, unfinished(&path, 1)).unwrap();
    table.compact(Timestamp::parse_rfc3339("2026-11-23T12:00:00Z").unwrap()).await.unwrap();
    assert_eq!(table.write(&closed(0), rows(&["1", "2"])).await.unwrap(), Written::Nothing);
    assert!(!unfinished(&path, 1).exists(), "rows that are erased later would stay in it");
}

#[tokio::test]
async fn what_upkeep_left_unfinished_a_day_ago_goes_and_what_is_at_work_stays() {
    let (folder, table) = new_table();
    let closed = FileIdentity { ingest_date: "2026-11-20".into(), ..identity() };
    table.write(&closed, rows(&["1"])).await.unwrap();
    let path = folder.path().join(closed.path());
    let now = Timestamp::now();
    let [old, at_work, exporters, of_no_number] = [
        unfinished(&path, begun_at(now.saturating_sub(2 * DAY))),
        unfinished(&path, begun_at(now)),
        unfinished(&path, 1),
        path.with_extension("parquet#of-a-person"),
    ];
    for left in [&old, &at_work, &exporters, &of_no_number] {
        fs::copy(&path, left).unwrap();
    }
    table.compact(Timestamp::parse_rfc3339("2026-11-23T12:00:00Z").unwrap()).await.unwrap();
    assert!(!old.exists());
    assert!(at_work.exists() && exporters.exists() && of_no_number.exists());
    assert_eq!(table.scan(&Filter::default()).await.unwrap().events.len(), 1);
}

#[tokio::test]
async fn nothing_of_a_day_that_is_no_longer_kept_stays() {
    let (folder, table) = new_table();
    let old = FileIdentity { ingest_date: "2020-01-01".into(), ..identity() };
    table.write(&old, rows(&["1"])).await.unwrap();
    let path = folder.path().join(old.path());
    for writer in [1, begun_at(Timestamp::now())] {
        fs::copy(&path, unfinished(&path, writer)).unwrap();
    }
    assert_eq!(table.with_retention(Some(5 * DAY)).retire_by_the_clock().await.unwrap().files, 1);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 0);
}
