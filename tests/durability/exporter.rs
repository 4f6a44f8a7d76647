//! From the journal to the table: each accepted event once, whatever happens in between.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use object_store::local::LocalFileSystem;
use skillspan::event::{EventBatch, Kind, Owner, SessionEvent, Timestamp, encode_batch};
use skillspan::exporters::parquet::{Config, ExporterHandle, ParquetExporter, Stopped};
use skillspan::journal::{Journal, OpenError};
use skillspan::table::{FileIdentity, FileInfo, Filter, Table};
use tokio_util::sync::CancellationToken;

use crate::disk::TestDisk;
use crate::support::{config as journal_config, names, open, segments};

const NEVER: Duration = Duration::from_secs(3600);

fn patient() -> Config {
    Config { rows: usize::MAX, bytes: u64::MAX, age: NEVER, on_session_end: false, drain_timeout: NEVER }
}

fn owner(tenant: &str) -> Owner {
    Owner { tenant: tenant.to_owned(), workspace: "main".to_owned() }
}

/// A request with one event a name.
fn request(tenant: &str, kind: Kind, event_ids: &[&str]) -> Vec<u8> {
    let ingested_at = Timestamp::parse_rfc3339("2026-11-22T23:59:59Z").unwrap();
    let event = |id: &&str| SessionEvent {
        event_id: (*id).to_owned(),
        kind,
        timestamp: ingested_at,
        ingested_at,
        tenant: tenant.to_owned(),
        ..SessionEvent::default()
    };
    encode_batch(EventBatch {
        owner: owner(tenant),
        ingested_at,
        events: event_ids.iter().map(event).collect(),
        ..EventBatch::default()
    })
}

async fn append(journal: &Journal, tenant: &str, event_ids: &[&str]) -> u64 {
    journal.append(request(tenant, Kind::Prompt, event_ids)).await.unwrap()
}

/// Exports everything that is in the journal; answers what was left.
async fn drain(journal: &Journal, table: &Path, config: Config) -> u64 {
    let shutdown = CancellationToken::new();
    shutdown.cancel();
    let table = Table::open(table).unwrap();
    ParquetExporter::new(journal.clone(), table, config).run(shutdown).await
}

async fn files(table: &Path) -> Vec<FileInfo> {
    let listing = Table::open(table).unwrap().files(&Filter::default()).await.unwrap();
    assert!(listing.damaged.is_empty());
    listing.files
}

/// The event ids in the table. Fails if one of them is stored twice.
async fn event_ids(table: &Path) -> Vec<String> {
    let scan = Table::open(table).unwrap().scan(&Filter::default()).await.unwrap();
    assert!(scan.damaged.is_empty());
    let rows: u64 = files(table).await.iter().map(|file| file.rows).sum();
    assert_eq!(rows, scan.events.len() as u64, "an event is stored twice");
    let mut ids: Vec<_> = scan.events.into_iter().map(|event| event.event_id).collect();
    ids.sort();
    ids
}

/// Runs an exporter while `body` runs, then shuts it down.
async fn while_running<T>(
    journal: &Journal,
    table: &Path,
    config: Config,
    body: impl AsyncFnOnce(ExporterHandle) -> T,
) -> T {
    let shutdown = CancellationToken::new();
    let exporter = ParquetExporter::new(journal.clone(), Table::open(table).unwrap(), config);
    let handle = exporter.handle();
    let running = tokio::spawn(exporter.run(shutdown.clone()));
    let output = body(handle).await;
    shutdown.cancel();
    running.await.unwrap();
    output
}

async fn until(condition: impl Fn() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting).await.expect("it happens");
}

/// Drains the journal and drops everything at the first failure, like a process that dies of it.
async fn drained_before_failing(journal: Journal, table: Table) -> Option<u64> {
    let exporter = ParquetExporter::new(journal, table, patient());
    let handle = exporter.handle();
    let shutdown = CancellationToken::new();
    shutdown.cancel();
    tokio::select! {
        left = exporter.run(shutdown) => Some(left),
        () = until(|| handle.status().failing.is_some()) => None,
    }
}

/// Three requests of two tenants; one more is appended after the crash.
async fn crash_and_restart(journal_folder: &Path, table: &Path, operations: usize) -> bool {
    let disk = TestDisk::default();
    let journal = Journal::open_on(journal_config(journal_folder), Arc::new(disk.clone())).unwrap();
    append(&journal, "a", &["a1", "a2"]).await;
    append(&journal, "b", &["b1"]).await;
    append(&journal, "a", &["a3"]).await;
    // So large that the exported records stand in a segment that is done with.
    append(&journal, "a", &[&"x".repeat(3000)]).await;
    let store = LocalFileSystem::new_with_prefix(table).unwrap();
    let failing = Table::open_on(table, Arc::new(disk.clone()), Arc::new(store)).unwrap();
    disk.crash_after(operations);
    let crashed = drained_before_failing(journal, failing).await.is_none();
    until(|| !matches!(Journal::open(journal_config(journal_folder)), Err(OpenError::Locked { .. }))).await;

    let journal = open(journal_folder);
    append(&journal, "b", &["b2"]).await;
    // Another configuration than before: a plan that is repeated must not care.
    let hasty = Config { rows: 1, ..patient() };
    assert_eq!(drain(&journal, table, hasty).await, 0);
    assert_eq!(journal.plan().unwrap(), None);
    crashed
}

#[tokio::test]
async fn a_crash_at_any_step_of_an_export_gives_each_event_exactly_once() {
    let mut crashes = 0;
    for operations in 0.. {
        let journal = tempfile::tempdir().unwrap();
        let table = tempfile::tempdir().unwrap();
        let crashed = crash_and_restart(journal.path(), table.path(), operations).await;
        let mut ids = event_ids(table.path()).await;
        assert_eq!(ids.pop(), Some("x".repeat(3000)), "after {operations}");
        assert_eq!(ids, ["a1", "a2", "a3", "b1", "b2"], "after {operations}");
        if !crashed {
            break;
        }
        crashes += 1;
    }
    // Plan, two files and cursor: create, write, sync, rename, sync of the folder each, and the folders
    // of the files; then the plan is removed.
    assert!(crashes >= 30, "{crashes} crashes");
}

#[tokio::test]
async fn a_crash_between_two_files_of_a_plan_repeats_that_plan_and_no_other() {
    let journal_folder = tempfile::tempdir().unwrap();
    let table = tempfile::tempdir().unwrap();
    let journal = open(journal_folder.path());
    append(&journal, "a", &["a1"]).await;
    append(&journal, "b", &["b1"]).await;
    // A file where the second tenant's folder has to be.
    let obstacle = table.path().join("v1/owner_tenant=b");
    fs::create_dir_all(obstacle.parent().unwrap()).unwrap();
    fs::write(&obstacle, b"").unwrap();
    assert_eq!(drained_before_failing(journal.clone(), Table::open(table.path()).unwrap()).await, None);
    let plan = journal.plan().unwrap().expect("the plan stays");
    assert_eq!(journal.cursor(), 1);
    fs::remove_file(&obstacle).unwrap();

    append(&journal, "a", &["a2"]).await;
    assert_eq!(drain(&journal, table.path(), patient()).await, 0);
    assert_eq!(event_ids(table.path()).await, ["a1", "a2", "b1"]);
    let of_plan = files(table.path()).await;
    let of_plan = of_plan.iter().filter(|file| file.identity.batch_id == plan.batch_id);
    assert_eq!(of_plan.count(), 2);
}

#[tokio::test]
async fn a_failing_table_is_tried_until_it_works_and_the_status_says_why() {
    let journal_folder = tempfile::tempdir().unwrap();
    let table = tempfile::tempdir().unwrap();
    let journal = open(journal_folder.path());
    append(&journal, "a", &["a1"]).await;
    let obstacle = table.path().join("v1/owner_tenant=a");
    fs::create_dir_all(obstacle.parent().unwrap()).unwrap();
    fs::write(&obstacle, b"").unwrap();
    let hasty = Config { rows: 1, ..patient() };
    while_running(&journal, table.path(), hasty, async |handle| {
        until(|| handle.status().failing.is_some_and(|failing| failing.attempts >= 2)).await;
        let failing = handle.status().failing.unwrap();
        assert!(failing.error.contains("owner_tenant=a"), "{}", failing.error);
        assert_eq!(handle.status().behind, 1);
        fs::remove_file(&obstacle).unwrap();
        handle.flush().await.unwrap();
        until(|| handle.status().failing.is_none()).await;
    })
    .await;
    assert_eq!(event_ids(table.path()).await, ["a1"]);
}

#[tokio::test]
async fn what_lags_is_known_after_a_restart_too_while_a_plan_waits_for_its_table() {
    let journal_folder = tempfile::tempdir().unwrap();
    let table = tempfile::tempdir().unwrap();
    let journal = open(journal_folder.path());
    append(&journal, "a", &["a1", "a2"]).await;
    let obstacle = table.path().join("v1/owner_tenant=a");
    fs::create_dir_all(obstacle.parent().unwrap()).unwrap();
    fs::write(&obstacle, b"").unwrap();
    let hasty = Config { rows: 1, drain_timeout: Duration::ZERO, ..patient() };
    for life in ["the plan's first", "the one that finds it"] {
        while_running(&journal, table.path(), hasty.clone(), async |handle| {
            until(|| handle.status().failing.is_some()).await;
            let status = handle.status();
            assert_eq!((status.behind, status.pending_events), (1, 2), "{life}");
            assert!(status.oldest_pending.is_some(), "{life}");
        })
        .await;
    }
}

#[tokio::test]
async fn a_foreign_file_under_our_name_stops_the_export_and_is_not_overwritten() {
    let journal_folder = tempfile::tempdir().unwrap();
    let table_folder = tempfile::tempdir().unwrap();
    let journal = open(journal_folder.path());
    let sequence = append(&journal, "a", &["ours"]).await;
    let foreign = FileIdentity {
        owner: owner("a"),
        ingest_date: "2026-11-22".to_owned(),
        journal_id: journal.id().to_owned(),
        batch_id: "another batch".to_owned(),
        first: sequence,
        last: sequence,
        part: 0,
    };
    let table = Table::open(table_folder.path()).unwrap();
    let event = SessionEvent { event_id: "theirs".to_owned(), ..SessionEvent::default() };
    table.write(&foreign, vec![event]).await.unwrap();
    let hasty = Config { rows: 1, drain_timeout: Duration::ZERO, ..patient() };
    while_running(&journal, table_folder.path(), hasty, async |handle| {
        until(|| handle.status().failing.is_some()).await;
        let error = handle.status().failing.unwrap().error;
        assert!(error.contains("another batch"), "{error}");
        assert_eq!(handle.status().dead_letters, 0);
    })
    .await;
    assert_eq!(event_ids(table_folder.path()).await, ["theirs"]);
    assert_eq!(journal.cursor(), sequence);
}

#[tokio::test]
async fn a_record_that_does_not_decode_goes_to_the_dead_letters_and_holds_up_nothing() {
    let journal_folder = tempfile::tempdir().unwrap();
    let table = tempfile::tempdir().unwrap();
    let journal = open(journal_folder.path());
    append(&journal, "a", &["a1"]).await;
    journal.append(b"\xffno event batch".to_vec()).await.unwrap();
    append(&journal, "a", &["a2"]).await;
    let status = while_running(&journal, table.path(), patient(), async |handle| {
        handle.flush().await.unwrap();
        handle.status()
    })
    .await;
    assert_eq!((status.dead_letters, status.rows, status.behind), (1, 2, 0));
    assert_eq!(event_ids(table.path()).await, ["a1", "a2"]);
    let letters = journal_folder.path().join("dead-letters");
    assert_eq!(names(&letters), ["00000000000000000002.reason.txt", "00000000000000000002.record"]);
    assert_eq!(fs::read(letters.join("00000000000000000002.record")).unwrap(), b"\xffno event batch");
    let reason = fs::read_to_string(letters.join("00000000000000000002.reason.txt")).unwrap();
    assert!(reason.starts_with("not an event batch"), "{reason}");

    // A journal of nothing else moves on too, and nothing is written for it.
    journal.append(b"\xffagain".to_vec()).await.unwrap();
    assert_eq!(drain(&journal, table.path(), patient()).await, 0);
    assert_eq!(files(table.path()).await.len(), 1);
}

#[tokio::test]
async fn a_flush_resolves_when_what_was_durable_is_in_the_table() {
    let journal_folder = tempfile::tempdir().unwrap();
    let table = tempfile::tempdir().unwrap();
    let journal = open(journal_folder.path());
    while_running(&journal, table.path(), patient(), async |handle| {
        handle.flush().await.unwrap();
        for round in ["first", "second"] {
            append(&journal, "a", &[round]).await;
            handle.flush().await.unwrap();
            assert!(event_ids(table.path()).await.contains(&round.to_owned()));
            assert_eq!(handle.status().behind, 0);
        }
    })
    .await;
}

#[tokio::test]
async fn a_flush_of_an_exporter_that_has_ended_says_so() {
    let journal_folder = tempfile::tempdir().unwrap();
    let table = tempfile::tempdir().unwrap();
    let journal = open(journal_folder.path());
    let handle = while_running(&journal, table.path(), patient(), async |handle| handle).await;
    append(&journal, "a", &["a1"]).await;
    assert_eq!(handle.flush().await, Err(Stopped));
}

#[tokio::test]
async fn rows_bytes_age_and_the_end_of_a_session_each_make_a_batch_due() {
    let due = [
        Config { rows: 2, ..patient() },
        Config { bytes: 10, ..patient() },
        Config { age: Duration::from_millis(1), ..patient() },
        Config { on_session_end: true, ..patient() },
    ];
    for config in due {
        let journal_folder = tempfile::tempdir().unwrap();
        let table = tempfile::tempdir().unwrap();
        let journal = open(journal_folder.path());
        while_running(&journal, table.path(), config, async |handle| {
            journal.append(request("a", Kind::SessionEnd, &["a1", "a2"])).await.unwrap();
            until(|| handle.status().behind == 0).await;
            assert_eq!(event_ids(table.path()).await, ["a1", "a2"]);
        })
        .await;
    }
}

#[tokio::test]
async fn many_sessions_that_end_at_once_do_not_make_a_file_each() {
    let journal_folder = tempfile::tempdir().unwrap();
    let table = tempfile::tempdir().unwrap();
    let journal = open(journal_folder.path());
    let config = Config { on_session_end: true, age: Duration::from_secs(20), ..patient() };
    while_running(&journal, table.path(), config, async |handle| {
        // The first end makes a file at once; the others wait for a tenth of the age, and share one.
        for n in 0..20 {
            journal.append(request("a", Kind::SessionEnd, &[&format!("{n:02}")])).await.unwrap();
            if n == 0 {
                until(|| handle.status().behind == 0).await;
            }
        }
        until(|| handle.status().behind == 0).await;
        assert_eq!(event_ids(table.path()).await.len(), 20);
        assert_eq!(files(table.path()).await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_batch_that_is_not_due_waits_in_the_journal_until_the_shutdown() {
    let journal_folder = tempfile::tempdir().unwrap();
    let table = tempfile::tempdir().unwrap();
    let journal = open(journal_folder.path());
    let ingested_at = Timestamp::parse_rfc3339("2026-11-22T23:59:59Z");
    let writer = journal.clone();
    while_running(&journal, table.path(), patient(), async |handle| {
        append(&writer, "a", &["a1"]).await;
        // The exporter has seen it, and leaves it where it is.
        until(|| handle.status().oldest_pending == ingested_at).await;
        assert_eq!(handle.status().behind, 1);
    })
    .await;
    assert_eq!(journal.status().behind, 0);
    assert_eq!(event_ids(table.path()).await, ["a1"]);
}

#[tokio::test]
async fn a_drain_that_runs_out_of_time_says_what_it_leaves_to_the_next_start() {
    let journal_folder = tempfile::tempdir().unwrap();
    let table = tempfile::tempdir().unwrap();
    let journal = open(journal_folder.path());
    append(&journal, "a", &["a1"]).await;
    append(&journal, "a", &["a2"]).await;
    let obstacle = table.path().join("v1/owner_tenant=a");
    fs::create_dir_all(obstacle.parent().unwrap()).unwrap();
    fs::write(&obstacle, b"").unwrap();
    let impatient = Config { drain_timeout: Duration::from_millis(20), ..patient() };
    assert_eq!(drain(&journal, table.path(), impatient).await, 2);
    fs::remove_file(&obstacle).unwrap();
    assert_eq!(drain(&journal, table.path(), patient()).await, 0);
    assert_eq!(event_ids(table.path()).await, ["a1", "a2"]);
}

#[tokio::test]
async fn a_backlog_is_exported_in_batches_no_larger_than_configured() {
    let journal_folder = tempfile::tempdir().unwrap();
    let table = tempfile::tempdir().unwrap();
    let journal = open(journal_folder.path());
    for n in 0..20 {
        append(&journal, "a", &[&format!("{n:02}")]).await;
    }
    assert_eq!(drain(&journal, table.path(), Config { rows: 8, ..patient() }).await, 0);
    let mut files = files(table.path()).await;
    files.sort_by_key(|file| file.identity.first);
    let rows: Vec<_> = files.into_iter().map(|file| file.rows).collect();
    assert_eq!(rows, [8, 8, 4]);
    assert_eq!(event_ids(table.path()).await.len(), 20);
}

#[tokio::test]
async fn what_was_just_written_is_taken_from_memory() {
    let (journal_folder, table) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let journal = open(journal_folder.path());
    let config = Config { bytes: 1 << 20, rows: 1, ..patient() };
    let exporter = ParquetExporter::new(journal.clone(), Table::open(table.path()).unwrap(), config);
    for ids in [["a1", "a2"], ["b1", "b2"], ["c1", "c2"]] {
        append(&journal, "a", &ids).await;
    }
    segments(journal_folder.path()).iter().for_each(|segment| fs::remove_file(segment).unwrap());
    let shutdown = CancellationToken::new();
    shutdown.cancel();
    assert_eq!(exporter.run(shutdown).await, 0);
    assert_eq!(event_ids(table.path()).await, ["a1", "a2", "b1", "b2", "c1", "c2"]);
}

#[tokio::test]
async fn what_has_no_room_in_memory_is_read_from_its_file() {
    let (journal_folder, table) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let journal = open(journal_folder.path());
    let one = request("a", Kind::Prompt, &["00"]).len() as u64;
    let config = Config { bytes: 2 * 5 * one, ..patient() };
    let ids: Vec<String> = (10..60).map(|number| number.to_string()).collect();
    while_running(&journal, table.path(), config, async |handle| {
        for ids in ids.chunks(10) {
            for id in ids {
                append(&journal, "a", &[id.as_str()]).await;
            }
            handle.flush().await.unwrap();
        }
    })
    .await;
    assert_eq!(event_ids(table.path()).await, ids);
}
