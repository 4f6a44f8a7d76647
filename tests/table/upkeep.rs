//! Compaction, retention and erasure, interrupted everywhere and beside others at work.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use object_store::ObjectStore;
use object_store::memory::InMemory;
use skillspan::event::{Kind, Owner, SessionEvent, Timestamp};
use skillspan::table::upkeep::{Subject, UpkeepError};
use skillspan::table::{Cursor, FileIdentity, Filter, ResolveOptions, Table, Written};
use tokio::sync::OnceCell;

use crate::events::{START, event};
use crate::failpoints::{Failpoint, Interrupted};
use crate::summaries::summary;

/// The files of each date; two are enough for all that can happen between files.
const FILES: u64 = 2;

const CLOSED: &str = "2026-11-20";
const YESTERDAY: &str = "2026-11-21";
const TODAY: &str = "2026-11-22";

fn now() -> Timestamp {
    Timestamp::from_micros(START)
}

async fn open(store: Arc<dyn ObjectStore>) -> Table {
    Table::open_store(store, "the test's store").await.unwrap()
}

/// The plan of the file `number` of a date.
fn plan(date: &str, number: u64) -> FileIdentity {
    FileIdentity {
        ingest_date: date.into(),
        batch_id: format!("batch-{date}-{number}"),
        first: number * 10,
        last: number * 10 + 9,
        ..crate::events::identity()
    }
}

/// Rows of two sessions and of a trace that belongs to the first without saying so, by two people; the
/// last row of a file is also the first of the next.
fn rows(date: &str, number: u64) -> Vec<SessionEvent> {
    let row = |index: u64| {
        let id = format!("{date}/{:03}", number * 4 + index);
        let mut event = event(&id, Kind::ToolCall, i64::try_from(number * 4 + index).unwrap());
        let of_ada = (number * 4 + index).is_multiple_of(2);
        event.session_id = if of_ada { "ada's" } else { "bob's" }.into();
        event.user_id = if of_ada { "ada" } else { "bob" }.into();
        event.text = format!("text of {id}");
        if of_ada && index == 2 {
            // Only its trace tells whose it is.
            event.session_id.clear();
            event.user_id.clear();
        }
        event.trace_id = if of_ada { "aaaa" } else { "bbbb" }.into();
        event
    };
    (0..5).map(row).collect()
}

async fn fill(table: &Table) {
    for date in [CLOSED, YESTERDAY, TODAY] {
        for number in 0..FILES {
            let written = table.write(&plan(date, number), rows(date, number)).await.unwrap();
            assert!(matches!(written, Written::Created { .. }));
        }
    }
}

/// A store with a full table; each is its own.
async fn filled() -> Arc<dyn ObjectStore> {
    static FILLED: OnceCell<InMemory> = OnceCell::const_new();
    let fill = || async {
        let store = Arc::new(InMemory::new());
        fill(&open(Arc::clone(&store) as _).await).await;
        store.fork()
    };
    Arc::new(FILLED.get_or_init(fill).await.fork())
}

fn expected() -> BTreeSet<String> {
    let all =
        [CLOSED, YESTERDAY, TODAY].into_iter().flat_map(|date| (0..FILES).flat_map(move |n| rows(date, n)));
    all.map(|event| event.event_id).collect()
}

fn expected_of_bob() -> BTreeSet<String> {
    let all =
        [CLOSED, YESTERDAY, TODAY].into_iter().flat_map(|date| (0..FILES).flat_map(move |n| rows(date, n)));
    all.filter(|event| event.user_id == "bob").map(|event| event.event_id).collect()
}

async fn read(table: &Table) -> BTreeSet<String> {
    let scan = table.scan(&Filter::default()).await.unwrap();
    assert!(scan.damaged.is_empty(), "{:?}", scan.damaged);
    scan.events.into_iter().map(|event| event.event_id).collect()
}

/// How many rows there are in the files of a date, each as often as it is stored.
async fn stored(table: &Table, date: &str) -> u64 {
    let listing = table.files(&Filter::default()).await.unwrap();
    listing.files.iter().filter(|file| file.identity.ingest_date == date).map(|file| file.rows).sum()
}

/// Whether any file holds a row of ada's, whoever hides it.
async fn files_hold_ada(store: &Arc<dyn ObjectStore>) -> bool {
    use futures_util::TryStreamExt;
    use object_store::ObjectStoreExt;
    let listed: Vec<_> = store.list(None).try_collect().await.unwrap();
    for object in listed.iter().filter(|object| object.location.as_ref().ends_with(".parquet")) {
        let bytes = store.get(&object.location).await.unwrap().bytes().await.unwrap();
        let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
        for batch in reader.build().unwrap() {
            let batch = batch.unwrap();
            let traces: arrow_array::StringArray = batch.column_by_name("trace_id").unwrap().to_data().into();
            if traces.iter().flatten().any(|trace| trace == "aaaa") {
                return true;
            }
        }
    }
    false
}

/// Those who were killed have been dead for so long that nobody waits for them.
async fn ten_minutes_later(store: &Arc<dyn ObjectStore>) {
    use futures_util::TryStreamExt;
    use object_store::ObjectStoreExt;
    let announcements: Vec<_> = store.list(Some(&"upkeep/writing".into())).try_collect().await.unwrap();
    for object in announcements {
        store.delete(&object.location).await.unwrap();
    }
}

/// What a table goes through, on whatever store.
pub(crate) async fn life_of_a_table(name: &str, table: Table) {
    fill(&table).await;
    let before = table.changes(&Filter::default(), &Cursor::default()).await.unwrap();
    assert_eq!(before.events.len(), expected().len(), "{name}");

    let compacted = table.compact(now()).await.unwrap();
    assert_eq!((compacted.days, compacted.files_before, compacted.files_after), (1, FILES, 1), "{name}");
    assert_eq!(compacted.rows_dropped, FILES - 1, "{name}");
    assert_eq!(stored(&table, CLOSED).await, 4 * FILES + 1, "{name}");
    assert_eq!(stored(&table, YESTERDAY).await, 5 * FILES, "the last two dates are left alone, {name}");
    assert_eq!(read(&table).await, expected(), "{name}");
    let after = table.changes(&Filter::default(), &before.cursor).await.unwrap();
    assert!(after.events.is_empty(), "what was merged has been seen, {name}");
    assert_eq!(table.compact(now()).await.unwrap().days, 0, "{name}");

    // A plan that is carried out again finds its file replaced.
    let again = table.write(&plan(CLOSED, 0), rows(CLOSED, 0)).await.unwrap();
    assert_eq!(again, Written::Nothing, "{name}");

    let erased = table.erase(&Subject::User("ada".into()), None, now()).await.unwrap();
    assert_eq!(erased.sessions, [("default".to_owned(), "ada's".to_owned())].into(), "{name}");
    assert!(erased.damaged.is_empty() && erased.rows > 0, "{name}");
    assert_eq!(read(&table).await, expected_of_bob(), "{name}");
    assert_eq!(table.write(&plan(TODAY, 0), rows(TODAY, 0)).await.unwrap(), Written::Nothing, "{name}");
    let late = table.write(&plan(TODAY, 9), rows(TODAY, 9)).await.unwrap();
    assert!(matches!(late, Written::Created { .. }), "{name}");
    let bob: BTreeSet<String> = read(&table).await;
    assert!(bob.is_superset(&expected_of_bob()) && bob.len() == expected_of_bob().len() + 2, "{name}");
}

#[tokio::test]
async fn the_last_record_of_a_journal_is_known_after_its_file_was_replaced() {
    let table = open(Arc::new(InMemory::new())).await;
    for number in 0..FILES {
        table.write(&plan(CLOSED, number), rows(CLOSED, number)).await.unwrap();
    }
    let last = Some(plan(CLOSED, FILES - 1).last);
    let journal = plan(CLOSED, 0).journal_id;
    assert_eq!(table.last_record_of(&journal).await.unwrap(), last);
    assert_eq!(table.compact(now()).await.unwrap().files_after, 1);
    assert_eq!(table.last_record_of(&journal).await.unwrap(), last);
    assert_eq!(table.last_record_of("another journal").await.unwrap(), None);
}

#[tokio::test]
async fn a_compaction_killed_anywhere_loses_nothing_and_is_finished_by_the_next() {
    for at in 0.. {
        let store = filled().await;
        let interrupted = Interrupted::new(Arc::clone(&store), at, Failpoint::Killed);
        let outcome = open(Arc::clone(&interrupted) as _).await.compact(now()).await;
        assert_eq!(outcome.is_err(), interrupted.reached(), "at {at}");
        let table = open(store).await;
        assert_eq!(read(&table).await, expected(), "killed at {at}");
        table.compact(now()).await.unwrap();
        assert_eq!(read(&table).await, expected(), "killed at {at}, then finished");
        assert_eq!(stored(&table, CLOSED).await, 4 * FILES + 1, "nothing double after a kill at {at}");
        assert_eq!(table.write(&plan(CLOSED, 1), rows(CLOSED, 1)).await.unwrap(), Written::Nothing);
        if !interrupted.reached() {
            assert_eq!(at, 6, "a file between its announcement and the end of it, a record and two removals");
            break;
        }
    }
}

#[tokio::test]
async fn a_replacement_whose_answer_was_lost_stands_whatever_its_owner_is_called() {
    let owner = Owner { tenant: "acme & sons".into(), workspace: "team/shop 100%".into() };
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let table = open(Arc::clone(&store)).await;
    for number in 0..FILES {
        let plan = FileIdentity { owner: owner.clone(), ..plan(CLOSED, number) };
        table.write(&plan, rows(CLOSED, number)).await.unwrap();
    }
    let before = read(&table).await;
    let record = 1;
    let late = Interrupted::new(Arc::clone(&store), record, Failpoint::AnsweredTooLate);
    open(Arc::clone(&late) as _).await.compact(now()).await.unwrap();
    assert!(late.reached());
    assert_eq!(read(&table).await, before);
    table.compact(now()).await.unwrap();
    assert_eq!(read(&table).await, before);
    assert_eq!(table.paths(&Filter::default()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_erasure_killed_anywhere_hides_all_or_nothing_and_is_finished_by_the_next() {
    for at in 0.. {
        let store = filled().await;
        let interrupted = Interrupted::new(Arc::clone(&store), at, Failpoint::Killed);
        let begun = open(Arc::clone(&interrupted) as _).await;
        let subject = Subject::Session("ada's".into());
        assert_eq!(begun.erase(&subject, None, now()).await.is_err(), interrupted.reached(), "at {at}");
        ten_minutes_later(&store).await;
        let table = open(Arc::clone(&store)).await;
        let seen = read(&table).await;
        assert!(seen == expected() || seen == expected_of_bob(), "killed at {at}: {seen:?}");
        if seen == expected() {
            assert_eq!(at, 0, "the first thing that is written hides all of it");
            table.erase(&subject, None, now()).await.unwrap();
        }
        table.finish_erasures().await.unwrap();
        assert_eq!(read(&table).await, expected_of_bob(), "killed at {at}, then finished");
        let _ = table.write(&plan(CLOSED, 0), rows(CLOSED, 0)).await.unwrap();
        assert!(!files_hold_ada(&store).await, "a plan carried out again after a kill at {at}");
        if !interrupted.reached() {
            break;
        }
    }
}

#[tokio::test]
async fn what_the_collector_writes_while_files_are_replaced_stays() {
    for at in 0.. {
        let store = filled().await;
        let collector = open(Arc::clone(&store)).await;
        let writing: Failpoint = Failpoint::Meanwhile(Arc::new(move || {
            let table = collector.clone();
            async move {
                for date in [CLOSED, TODAY] {
                    let _ = table.write(&plan(date, 7), rows(date, 7)).await.unwrap();
                }
            }
            .boxed()
        }));
        let interrupted = Interrupted::new(Arc::clone(&store), at, writing);
        let table = open(Arc::clone(&interrupted) as _).await;
        table.compact(now()).await.unwrap();
        table.erase(&Subject::User("ada".into()), None, now()).await.unwrap();
        if !interrupted.reached() {
            break;
        }
        table.compact(now()).await.unwrap();
        let bob: BTreeSet<String> = [CLOSED, TODAY]
            .into_iter()
            .flat_map(|date| rows(date, 7))
            .filter(|event| event.user_id == "bob")
            .map(|event| event.event_id)
            .chain(expected_of_bob())
            .collect();
        assert_eq!(read(&table).await, bob, "written at {at}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_at_work_on_one_day_one_replaces_and_nothing_is_double_or_comes_back() {
    for at in 0.. {
        let store = filled().await;
        let other = open(Arc::clone(&store)).await;
        let meanwhile = Failpoint::Meanwhile(Arc::new(move || {
            let table = other.clone();
            async move {
                table.compact(now()).await.unwrap();
                let erased = table.erase(&Subject::Session("ada's".into()), None, now()).await;
                // The other one stands still meanwhile: it may be in the middle of a file.
                assert!(matches!(erased, Ok(_) | Err(UpkeepError::AtWork { .. })), "{erased:?}");
            }
            .boxed()
        }));
        let interrupted = Interrupted::new(Arc::clone(&store), at, meanwhile);
        let table = open(Arc::clone(&interrupted) as _).await;
        table.compact(now()).await.unwrap();
        if !interrupted.reached() {
            break;
        }
        let table = open(Arc::clone(&store)).await;
        table.finish_erasures().await.unwrap();
        table.compact(now()).await.unwrap();
        assert_eq!(read(&table).await, expected_of_bob(), "met at {at}");
        assert!(!files_hold_ada(&store).await, "met at {at}");
        assert_eq!(stored(&table, CLOSED).await, 2 * FILES, "met at {at}");
    }
}

#[tokio::test]
async fn readers_that_a_compaction_overtakes_anywhere_see_every_row_once() {
    let options = ResolveOptions { default_workspace: "shop".into() };
    for at in 0.. {
        let store = filled().await;
        let other = open(Arc::clone(&store)).await;
        let whole = skillspan::table::resolve(other.scan(&Filter::default()).await.unwrap().events, &options);
        let compacting = Failpoint::Meanwhile(Arc::new(move || {
            let table = other.clone();
            async move { drop(table.compact(now()).await.unwrap()) }.boxed()
        }));
        let interrupted = Interrupted::reading(Arc::clone(&store), at, compacting);
        let table = open(Arc::clone(&interrupted) as _).await;
        let listed = table.summaries(&Filter::default(), &options, |_| true).await.unwrap();
        assert_eq!(listed.sessions, whole.iter().map(summary).collect::<Vec<_>>(), "at {at}");
        assert_eq!(read(&table).await, expected(), "at {at}");
        if !interrupted.reached() {
            break;
        }
    }
}

#[tokio::test]
async fn retention_hides_a_day_at_once_loses_nothing_that_is_still_to_be_written_and_removes_it() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let table = open(Arc::clone(&store)).await;
    // The day may end meanwhile.
    let today = Timestamp::now();
    let day = |days: u64| today.saturating_sub(Duration::from_secs(days * 86_400)).date();
    for days in [0, 3, 10] {
        let written = table.write(&plan(&day(days), 0), rows(&day(days), 0)).await.unwrap();
        assert!(matches!(written, Written::Created { .. }));
    }
    let kept = table.clone().with_retention(Some(Duration::from_secs(5 * 86_400)));
    let expected: BTreeSet<String> =
        [0, 3].into_iter().flat_map(|days| rows(&day(days), 0)).map(|event| event.event_id).collect();
    assert_eq!(read(&kept).await, expected);
    // What was accepted is written whatever its age: only what is removed is counted.
    let late = kept.write(&plan(&day(10), 1), rows(&day(10), 1)).await.unwrap();
    assert!(matches!(late, Written::Created { .. }));
    assert_eq!(read(&kept).await, expected);
    for at in 0.. {
        let interrupted = Interrupted::new(Arc::clone(&store), at, Failpoint::Killed);
        let removing = open(Arc::clone(&interrupted) as _).await;
        let _ = removing.with_retention(Some(Duration::from_secs(5 * 86_400))).retire().await;
        assert_eq!(read(&kept).await, expected);
        if !interrupted.reached() {
            break;
        }
    }
    assert_eq!(read(&table).await, expected, "without a retention, what is gone is gone");
    assert_eq!(kept.retire().await.unwrap().files, 0);
}

/// The clock of a folder's table has nothing to be compared with but what the table holds.
#[tokio::test]
async fn retention_removes_nothing_by_a_clock_that_is_far_ahead_of_all_that_the_table_holds() {
    let day = |days: u64| Timestamp::now().saturating_sub(Duration::from_secs(days * 86_400)).date();
    let (files, retention) = ([370, 369, 368], Some(Duration::from_secs(30 * 86_400)));
    let folder = tempfile::TempDir::new().unwrap();
    let table = Table::open(folder.path()).unwrap().with_retention(retention);
    for days in files {
        table.write(&plan(&day(days), 0), rows(&day(days), 0)).await.unwrap();
    }
    let doubted = table.retire().await.unwrap();
    assert_eq!((doubted.files, doubted.bytes), (0, 0));
    let doubt = doubted.doubt.unwrap();
    assert!(doubt.contains("the clock says") && doubt.contains("--trust-clock"), "{doubt}");
    // While the clock is wrong, what arrives has its date: that is no witness.
    table.write(&plan(&day(0), 1), rows(&day(0), 1)).await.unwrap();
    assert!(table.retire().await.unwrap().doubt.is_some());
    // With days that lead to today, it is right.
    table.write(&plan(&day(4), 1), rows(&day(4), 1)).await.unwrap();
    let retired = table.retire().await.unwrap();
    assert_eq!((retired.files, retired.doubt), (3, None));
    assert!(retired.bytes > 0);
    table.write(&plan(&day(400), 2), rows(&day(400), 2)).await.unwrap();
    assert_eq!(table.retire_by_the_clock().await.unwrap().files, 1);
}

#[tokio::test]
async fn an_erasure_reaches_the_days_that_retention_hides_and_what_is_half_written() {
    let folder = tempfile::TempDir::new().unwrap();
    let table = Table::open(folder.path()).unwrap();
    fill(&table).await;
    let half = folder.path().join(format!("{}#1", plan(CLOSED, 0).path()));
    std::fs::copy(folder.path().join(plan(CLOSED, 0).path()), &half).unwrap();
    let alone = folder.path().join("v1/owner_tenant=default/owner_workspace=other/ingest_date=2026-11-20");
    std::fs::create_dir_all(&alone).unwrap();
    std::fs::copy(&half, alone.join("a-1-1-0.parquet#77")).unwrap();
    let kept = table.clone().with_retention(Some(Duration::from_secs(0)));
    let erased = kept.erase(&Subject::Session("ada's".into()), None, now()).await.unwrap();
    assert_eq!(erased.sessions.len(), 1);
    assert!(!half.exists() && !alone.join("a-1-1-0.parquet#77").exists());
    assert_eq!(read(&table).await, expected_of_bob());
    let store = object_store::local::LocalFileSystem::new_with_prefix(folder.path()).unwrap();
    assert!(!files_hold_ada(&(Arc::new(store) as Arc<dyn ObjectStore>)).await);
    // Who asks again is told that it is done.
    let again = kept.erase(&Subject::Session("ada's".into()), None, now()).await.unwrap();
    assert!(again.before && again.sessions.is_empty() && again.rows == 0);
    let never = kept.erase(&Subject::Session("nobody's".into()), None, now()).await.unwrap();
    assert!(!never.before);
}

#[tokio::test]
async fn what_an_earlier_version_said_to_be_erased_is_looked_at_again() {
    use object_store::ObjectStoreExt;
    let store = filled().await;
    let table = open(Arc::clone(&store)).await;
    let tombstone = r#"{"id":"old","created_at":0,"tenant":"default","user_id":null,"session_ids":["ada's"],
        "trace_ids":["aaaa"],"event_ids":[]}"#;
    store.put(&"upkeep/tombstones/old.json".into(), tombstone.into()).await.unwrap();
    store.put(&"upkeep/tombstones/old.done".into(), "".into()).await.unwrap();
    assert!(files_hold_ada(&store).await);
    assert!(table.finish_erasures().await.unwrap().rows > 0);
    assert!(!files_hold_ada(&store).await);
    assert_eq!(table.finish_erasures().await.unwrap().files, 0, "once");
}

/// In a folder the system says who lives.
#[tokio::test(start_paused = true)]
async fn an_erasure_in_a_folder_waits_for_a_writer_that_lives_and_for_no_dead_one() {
    let folder = tempfile::TempDir::new().unwrap();
    let table = Table::open(folder.path()).unwrap();
    fill(&table).await;
    let writing = folder.path().join("upkeep/writing");
    std::fs::write(writing.join("dead"), "").unwrap();
    let lives = std::fs::File::create(writing.join("lives")).unwrap();
    lives.lock().unwrap();
    let subject = Subject::Session("ada's".into());
    let error = table.erase(&subject, None, now()).await.unwrap_err().to_string();
    assert!(error.contains("upkeep/writing/lives") && error.contains("hidden already"), "{error}");
    assert_eq!(read(&table).await, expected_of_bob());
    drop(lives);
    assert!(table.erase(&subject, None, now()).await.unwrap().rows > 0);
    assert_eq!(std::fs::read_dir(&writing).unwrap().count(), 0);
}

#[tokio::test]
async fn a_damaged_file_is_left_where_it_is_and_keeps_no_other_from_being_merged() {
    use object_store::ObjectStoreExt;
    let store = filled().await;
    let table = open(Arc::clone(&store)).await;
    let damaged = plan(CLOSED, FILES - 1).path();
    store.put(&damaged.as_str().into(), "not a file".into()).await.unwrap();
    for _ in 0..2 {
        let compacted = table.compact(now()).await.unwrap();
        assert_eq!(compacted.damaged.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), [&damaged]);
    }
    assert_eq!(stored(&table, CLOSED).await, 4 * (FILES - 1) + 1);
    assert!(store.head(&damaged.as_str().into()).await.is_ok());
    let erased = table.erase(&Subject::User("ada".into()), None, now()).await.unwrap();
    assert_eq!(erased.damaged.len(), 1, "nobody can say what it holds");
}

#[tokio::test]
async fn a_late_row_of_an_erased_session_is_not_stored_and_another_tenants_is() {
    let table = open(filled().await).await;
    table.erase(&Subject::Session("ada's".into()), Some("default"), now()).await.unwrap();
    let late = |id: &str, tenant: &str, session: &str, trace: &str| SessionEvent {
        tenant: tenant.into(),
        session_id: session.into(),
        trace_id: trace.into(),
        ..event(id, Kind::Response, 1_000_000)
    };
    let events = vec![
        late("late", "default", "ada's", ""),
        late("late in the trace", "default", "", "aaaa"),
        late("another tenant's", "other", "ada's", "aaaa"),
        late("another session's", "default", "eve's", "cccc"),
    ];
    let _ = table.write(&plan(TODAY, 20), events).await.unwrap();
    let seen: BTreeSet<String> = read(&table).await.difference(&expected()).cloned().collect();
    assert_eq!(seen, ["another session's".to_owned(), "another tenant's".to_owned()].into());
    for nobody in
        [Subject::User("nobody".into()), Subject::User(String::new()), Subject::Session(String::new())]
    {
        let nothing = table.erase(&nobody, None, now()).await.unwrap();
        assert!(nothing.sessions.is_empty() && nothing.tombstones.is_empty(), "{nobody:?}");
    }
}

/// A client goes on with an erased session in a trace that nobody knew: rows that name the session tell whose it is.
#[tokio::test]
async fn a_trace_in_which_an_erased_session_goes_on_is_its_own() {
    let table = open(filled().await).await;
    table.erase(&Subject::Session("ada's".into()), Some("default"), now()).await.unwrap();
    let in_trace = |id: &str, tenant: &str, session: &str, trace: &str| SessionEvent {
        tenant: tenant.into(),
        session_id: session.into(),
        trace_id: trace.into(),
        ..event(id, Kind::Response, 1_000_000)
    };
    let goes_on = [
        in_trace("named", "default", "ada's", "new1"),
        in_trace("shared", "default", "ada's", "both"),
        in_trace("another's", "default", "eve's", "both"),
        in_trace("other tenant's", "other", "ada's", "new2"),
        in_trace("without a trace", "default", "ada's", ""),
    ];
    let learned = table.traces_of_erased(goes_on.iter()).await.unwrap();
    let named: Vec<_> =
        learned.iter().flat_map(|(tenant, all)| all.iter().map(move |one| (tenant, one))).collect();
    assert_eq!(named.len(), 1, "{named:?}");
    let (tenant, withdrawal) = named[0];
    assert_eq!((tenant.as_str(), withdrawal.trace_id.as_str()), ("default", "new1"));
    for (tenant, withdrawals) in &learned {
        table.withdraw(tenant, withdrawals, now()).await.unwrap();
    }
    assert!(table.traces_of_erased(goes_on.iter()).await.unwrap().is_empty(), "once");
    let late = vec![
        in_trace("late", "default", "", "new1"),
        in_trace("late in both", "default", "", "both"),
        in_trace("late of another tenant", "other", "", "new1"),
    ];
    let _ = table.write(&plan(TODAY, 21), late).await.unwrap();
    let seen: BTreeSet<String> = read(&table).await.difference(&expected()).cloned().collect();
    assert_eq!(seen, ["late in both".to_owned(), "late of another tenant".to_owned()].into());
}

#[tokio::test]
async fn a_session_that_calls_itself_as_readers_call_a_trace_can_be_erased() {
    let table = open(filled().await).await;
    for id in ["trace:x", "event:x"] {
        let own = SessionEvent {
            tenant: "default".into(),
            session_id: id.into(),
            ..event(&format!("row of {id}"), Kind::Prompt, 1_000_000)
        };
        let _ = table.write(&plan(TODAY, if id == "trace:x" { 22 } else { 23 }), vec![own]).await.unwrap();
        let erased = table.erase(&Subject::Session(id.into()), None, now()).await.unwrap();
        assert_eq!((erased.rows, erased.sessions.len()), (1, 1), "{id}");
        assert!(table.erase(&Subject::Session(id.into()), None, now()).await.unwrap().before, "{id}");
    }
    assert_eq!(read(&table).await, expected());
}

#[tokio::test]
async fn where_nothing_is_found_a_file_that_nobody_can_read_is_named() {
    use object_store::ObjectStoreExt;
    let store = filled().await;
    let damaged = plan(CLOSED, FILES - 1).path();
    store.put(&damaged.as_str().into(), "not a file".into()).await.unwrap();
    let table = open(store).await;
    let nothing = table.erase(&Subject::Session("nobody's".into()), None, now()).await.unwrap();
    assert!(nothing.sessions.is_empty() && !nothing.before);
    assert_eq!(nothing.damaged.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), [&damaged]);
}

#[tokio::test]
async fn a_session_is_read_by_its_id_its_beginning_or_its_trace_and_as_the_whole_table_shows_it() {
    let table = open(filled().await).await;
    table.compact(now()).await.unwrap();
    let options = ResolveOptions { default_workspace: "shop".into() };
    let scan = table.scan(&Filter::default()).await.unwrap();
    let whole = skillspan::table::resolve(scan.events, &options);
    for (asked, id) in [("ada's", "ada's"), ("bo", "bob's")] {
        let found = table.session(asked, &Filter::default(), &options).await.unwrap();
        let expected: Vec<_> = whole.iter().filter(|session| session.id == id).cloned().collect();
        assert_eq!(found.sessions, expected, "{asked}");
    }
    assert!(table.session("nobody's", &Filter::default(), &options).await.unwrap().sessions.is_empty());
    let listed = table.summaries(&Filter::default(), &options, |_| true).await.unwrap();
    assert_eq!(listed.sessions, whole.iter().map(summary).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_reader_of_one_session_reads_a_small_part_of_a_file() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let table = open(Arc::clone(&store)).await;
    let noise = |seed: u64| {
        (0..40).map(move |n| format!("{:x} ", (seed * 41 + n).wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    };
    let events: Vec<_> = (0..40_000_u64)
        .map(|number| SessionEvent {
            session_id: format!("session-{:04}", number / 50),
            trace_id: format!("trace-{:04}", number / 25),
            output: noise(number).collect(),
            ..event(&format!("{number:06}"), Kind::ToolResult, 0)
        })
        .collect();
    let Written::Created { bytes } = table.write(&plan(TODAY, 0), events).await.unwrap() else { panic!() };
    let options = ResolveOptions { default_workspace: "shop".into() };
    let found = table.session("session-0321", &Filter::default(), &options).await.unwrap();
    assert_eq!(found.sessions[0].facts.len(), 50);
    assert!(table.bytes_read() * 10 < bytes, "{} of {bytes}", table.bytes_read());

    let before = table.bytes_read();
    assert!(table.session("trace:nobody's", &Filter::default(), &options).await.unwrap().sessions.is_empty());
    assert!((table.bytes_read() - before) * 50 < bytes, "{} of {bytes}", table.bytes_read() - before);
    let before = table.bytes_read();
    let listed = table.summaries(&Filter::default(), &options, |_| true).await.unwrap();
    assert_eq!(listed.sessions.len(), 800);
    assert!((table.bytes_read() - before) * 5 < bytes, "{} of {bytes}", table.bytes_read() - before);
}

/// Rows of a day that together need several times what is merged at once: a session that alone does, and small ones
/// on both sides of it. Each file has some rows of the other.
fn many_bytes(file: u64) -> Vec<SessionEvent> {
    let row = |number: u64| {
        let id = format!("{:05}", file * 2_900 + number);
        let at = i64::try_from(file * 2_900 + number).unwrap();
        let mut event = event(&id, Kind::ToolResult, at % 700);
        event.session_id = match number % 4 {
            0 => format!("a-{:03}", at % 97),
            1 => format!("z-{:03}", at % 89),
            _ => "m".to_owned(),
        };
        event.output = format!("{id} ").repeat(4_000);
        event
    };
    (0..3_000).map(row).collect()
}

#[tokio::test]
async fn a_day_is_merged_in_shares_of_bounded_bytes_however_large_it_or_one_session_is() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let table = open(store).await;
    let all: Vec<SessionEvent> = (0..2).flat_map(many_bytes).collect();
    let whole: usize = all.iter().map(SessionEvent::size_in_memory).sum();
    for file in 0..2 {
        let _ = table.write(&plan(CLOSED, file), many_bytes(file)).await.unwrap();
    }
    let before = table.scan(&Filter::default()).await.unwrap().events;
    let compacted = table.compact(now()).await.unwrap();
    assert_eq!((compacted.days, compacted.files_before, compacted.rows_dropped), (1, 2, 100));
    assert!(compacted.most_bytes < 40 << 20, "{} bytes at once", compacted.most_bytes);
    assert!(whole > 3 * compacted.most_bytes, "{whole} bytes are no large day");
    assert!(compacted.files_after < 3, "{} files", compacted.files_after);
    assert_eq!(stored(&table, CLOSED).await, 5_900);
    assert!(table.scan(&Filter::default()).await.unwrap().events == before, "other rows");
    assert_eq!(table.compact(now()).await.unwrap().days, 0, "it is merged");
}
