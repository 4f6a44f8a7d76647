//! Files: written once, read back whole, kept apart by owner.

use std::fs;
use std::path::{Path, PathBuf};

use skillspan::event::{Kind, Owner, SessionEvent, Status, Timestamp};
use skillspan::table::{Damage, FileIdentity, Filter, OpenError, Scan, Table, WriteError, Written, schema};
use tempfile::TempDir;

use crate::events::{event, full_event, identity};

fn new_table() -> (TempDir, Table) {
    let folder = TempDir::new().unwrap();
    let table = Table::open(folder.path()).unwrap();
    (folder, table)
}

async fn read_all(table: &Table) -> Vec<SessionEvent> {
    let Scan { events, damaged } = table.scan(&Filter::default()).await.unwrap();
    assert!(damaged.is_empty(), "{damaged:?}");
    events
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

#[tokio::test]
async fn every_column_survives_the_way_to_the_disk_and_back() {
    let (_folder, table) = new_table();
    let hostile = SessionEvent {
        text: "nul \0, ünï, \u{1F980}, \u{202E}rtl, \r\n".into(),
        input: "x".repeat(5 << 20),
        score: Some(0.0),
        timestamp: Timestamp::from_micros(i64::MIN),
        ..event("2", Kind::Prompt, 0)
    };
    let events = vec![full_event("1"), hostile, SessionEvent { event_id: "3".into(), ..Default::default() }];
    let written = table.write(&identity(), events.clone()).await.unwrap();
    assert!(matches!(written, Written::Created { bytes } if bytes > 0));
    assert_eq!(read_all(&table).await, events);
}

#[tokio::test]
async fn every_kind_and_status_survives() {
    let (_folder, table) = new_table();
    let statuses = [Status::Unknown, Status::Ok, Status::Error];
    let events: Vec<_> = Kind::ALL
        .iter()
        .zip(statuses.into_iter().cycle())
        .enumerate()
        .map(|(index, (kind, status))| SessionEvent { status, ..event(&format!("{index:02}"), *kind, 0) })
        .collect();
    let _ = table.write(&identity(), events.clone()).await.unwrap();
    assert_eq!(read_all(&table).await, events);
}

#[tokio::test]
async fn more_rows_than_one_record_batch_holds_survive() {
    let (_folder, table) = new_table();
    let events: Vec<_> = (0..20_000).map(|n| event(&format!("{n:05}"), Kind::ToolCall, n)).collect();
    let _ = table.write(&identity(), events.clone()).await.unwrap();
    assert_eq!(read_all(&table).await, events);
    let listing = table.files(&Filter::default()).await.unwrap();
    let [file] = listing.files.as_slice() else { panic!("{listing:?}") };
    assert_eq!((file.rows, &file.identity), (20_000, &identity()));
}

#[test]
fn the_schema_is_the_documented_one() {
    let columns: Vec<_> = schema()
        .fields()
        .iter()
        .map(|field| {
            let nullable = if field.is_nullable() { " nullable" } else { "" };
            format!("{} {}{nullable}", field.name(), field.data_type())
        })
        .collect();
    let documented = "event_id Utf8, fact_key Utf8, rank Int64, session_id Utf8, turn_id Utf8, seq Int64, \
        kind Utf8, timestamp Timestamp(µs, \"UTC\"), ingested_at Timestamp(µs, \"UTC\"), duration_us Int64, \
        tenant Utf8, workspace Utf8, project Utf8, cwd Utf8, user_id Utf8, service Utf8, assistant Utf8, \
        assistant_version Utf8, agent Utf8, model Utf8, tool Utf8, tool_call_id Utf8, text Utf8, input Utf8, \
        output Utf8, status Utf8, decision Utf8, decision_source Utf8, score Float64 nullable, skill Utf8, \
        input_tokens Int64, output_tokens Int64, trace_id Utf8, span_id Utf8, parent_span_id Utf8, \
        history_before Utf8, history_after Utf8, dialect Utf8, truncated Boolean, attributes Utf8";
    assert_eq!(columns.join(", "), documented);
}

#[tokio::test]
async fn the_same_events_in_any_order_give_the_same_bytes() {
    let mut bytes = Vec::new();
    for reversed in [false, true] {
        let (folder, table) = new_table();
        let mut events: Vec<_> = (0..100).map(|n| event(&format!("{n}"), Kind::Prompt, n % 7)).collect();
        if reversed {
            events.reverse();
        }
        let _ = table.write(&identity(), events).await.unwrap();
        bytes.push(fs::read(folder.path().join(identity().path())).unwrap());
    }
    assert!(bytes[0] == bytes[1]);
}

#[tokio::test]
async fn rows_stand_in_the_order_of_session_time_seq_and_id() {
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    let (folder, table) = new_table();
    let row = |id: &str, session: &str, seconds, seq| SessionEvent {
        session_id: session.into(),
        seq,
        ..event(id, Kind::Prompt, seconds)
    };
    let events = vec![
        row("a", "t", 0, 0),
        row("b", "s", 2, 0),
        row("d", "s", 1, 2),
        row("c", "s", 1, 2),
        row("e", "s", 1, 1),
    ];
    let _ = table.write(&identity(), events).await.unwrap();
    let file = fs::File::open(folder.path().join(identity().path())).unwrap();
    let batch =
        ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap().next().unwrap().unwrap();
    let ids: arrow_array::StringArray = batch.column(0).to_data().into();
    assert_eq!(ids.iter().flatten().collect::<String>(), "ecdba");
}

#[tokio::test]
async fn a_file_is_created_once_and_found_again_by_its_own_plan_only() {
    let (folder, table) = new_table();
    let events = vec![event("1", Kind::Prompt, 0)];
    let _ = table.write(&identity(), events.clone()).await.unwrap();
    let before = fs::read(folder.path().join(identity().path())).unwrap();
    assert_eq!(table.write(&identity(), events.clone()).await.unwrap(), Written::AlreadyThere);

    let other_plan = FileIdentity { batch_id: "another".into(), ..identity() };
    let error = table.write(&other_plan, events).await.unwrap_err();
    assert!(!error.is_transient());
    assert_eq!(
        error.to_string(),
        "v1/owner_tenant=default/owner_workspace=default/ingest_date=2026-11-22/0b5f-1-12-0.parquet is taken: \
         expected part 0 of batch another of journal 0b5f, records 1 to 12, of default/default, 2026-11-22, \
         found part 0 of batch 9c1d of journal 0b5f, records 1 to 12, of default/default, 2026-11-22; \
         nothing was overwritten"
    );
    assert!(fs::read(folder.path().join(identity().path())).unwrap() == before);
}

#[tokio::test]
async fn a_strangers_file_under_the_name_is_an_error_and_is_left_alone() {
    let (folder, table) = new_table();
    let path = folder.path().join(identity().path());
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    for content in ["", "x", "PAR1 not a table PAR1"] {
        fs::write(&path, content).unwrap();
        let error = table.write(&identity(), vec![event("1", Kind::Prompt, 0)]).await.unwrap_err();
        assert!(matches!(error, WriteError::Foreign { .. }), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
}

#[tokio::test]
async fn hostile_owners_stay_below_the_root_and_apart() {
    let long = "ü".repeat(300);
    let values = [
        "",
        ".",
        "..",
        "../x",
        "../../../etc",
        "a/b",
        "a",
        "%2e",
        "%2E%2E",
        "a\\b",
        "a\0b",
        "ünï \u{1F980}",
        &long,
    ];
    let outer = TempDir::new().unwrap();
    let root = outer.path().join("root");
    let table = Table::open(&root).unwrap();
    let owners: Vec<_> = values
        .iter()
        .flat_map(|tenant| values.iter().map(|workspace| (*tenant, *workspace)))
        .map(|(tenant, workspace)| Owner { tenant: tenant.to_owned(), workspace: workspace.to_owned() })
        .collect();
    for (index, owner) in owners.iter().enumerate() {
        let identity = FileIdentity { owner: owner.clone(), ..identity() };
        let written = table.write(&identity, vec![event(&index.to_string(), Kind::Prompt, 0)]).await.unwrap();
        assert!(matches!(written, Written::Created { .. }), "{owner:?}");
        assert!(root.join(identity.path()).is_file(), "{owner:?}");
    }
    for (index, owner) in owners.iter().enumerate() {
        let filter = Filter { owner: Some(owner.clone()), since: None };
        let scan = table.scan(&filter).await.unwrap();
        assert_eq!(scan.events.iter().map(|e| e.event_id.clone()).collect::<Vec<_>>(), [index.to_string()]);
    }
    assert_eq!(fs::read_dir(outer.path()).unwrap().count(), 1);
    let depths = files_below(&root.join("v1")).into_iter().map(|file| file.components().count());
    assert!(depths.eq(std::iter::repeat_n(root.components().count() + 5, owners.len())));
}

#[tokio::test]
async fn a_file_of_another_owner_in_the_folder_is_not_read_for_this_one() {
    let (folder, table) = new_table();
    let upper = FileIdentity { owner: Owner { tenant: "Acme".into(), ..Owner::default() }, ..identity() };
    let lower = Owner { tenant: "acme".into(), ..Owner::default() };
    let _ = table.write(&upper, vec![event("1", Kind::Prompt, 0)]).await.unwrap();
    let data = folder.path().join("v1");
    fs::rename(data.join("owner_tenant=Acme"), data.join("owner_tenant=acme")).unwrap();
    let filter = Filter { owner: Some(lower), since: None };
    assert!(table.scan(&filter).await.unwrap().events.is_empty());
    assert!(table.files(&filter).await.unwrap().files.is_empty());
}

#[tokio::test]
async fn a_filter_by_date_leaves_earlier_files_out() {
    let (_folder, table) = new_table();
    for (id, date) in [("1", "2026-11-21"), ("2", "2026-11-22"), ("3", "2026-11-23")] {
        let identity = FileIdentity { ingest_date: date.into(), ..identity() };
        let _ = table.write(&identity, vec![event(id, Kind::Prompt, 0)]).await.unwrap();
    }
    let filter = Filter { since: Some("2026-11-22".into()), ..Filter::default() };
    let ids = table.scan(&filter).await.unwrap().events.into_iter().map(|event| event.event_id);
    assert_eq!(ids.collect::<Vec<_>>(), ["2", "3"]);
}

#[tokio::test]
async fn an_observation_stored_twice_is_read_once_and_as_it_first_came() {
    let (_folder, table) = new_table();
    let first = event("1", Kind::Prompt, 0);
    let again = SessionEvent { ingested_at: Timestamp::from_micros(i64::MAX), ..first.clone() };
    for (part, event) in [again, first.clone()].into_iter().enumerate() {
        let identity = FileIdentity { part: u32::try_from(part).unwrap(), ..identity() };
        let _ = table.write(&identity, vec![event]).await.unwrap();
    }
    assert_eq!(read_all(&table).await, [first]);
}

#[tokio::test]
async fn a_damaged_file_is_named_and_keeps_no_other_from_being_read() {
    let (folder, table) = new_table();
    for part in 0..4 {
        let identity = FileIdentity { part, ..identity() };
        let _ = table.write(&identity, vec![event(&part.to_string(), Kind::Prompt, 0)]).await.unwrap();
    }
    let [cut, flipped, stranger, _whole] =
        [0, 1, 2, 3].map(|part| FileIdentity { part, ..identity() }.path());
    let damage = |path: &str, change: fn(&mut Vec<u8>)| {
        let path = folder.path().join(path);
        let mut bytes = fs::read(&path).unwrap();
        change(&mut bytes);
        fs::write(&path, bytes).unwrap();
    };
    damage(&cut, |bytes| bytes.truncate(bytes.len() - 1));
    damage(&flipped, |bytes| bytes[20] ^= 1);
    damage(&stranger, |bytes| *bytes = b"hello".to_vec());
    let scan = table.scan(&Filter::default()).await.unwrap();
    assert_eq!(scan.events, [event("3", Kind::Prompt, 0)]);
    let named: Vec<_> = scan.damaged.iter().map(|file| file.path.clone()).collect();
    assert_eq!(named, [cut.clone(), flipped, stranger]);
    assert!(matches!(scan.damaged[1].damage, Damage::Checksum));
    assert!(scan.damaged[0].to_string().starts_with(&format!("cannot read {cut}: ")));
}

#[tokio::test]
async fn a_byte_changed_anywhere_is_noticed_or_changes_nothing() {
    let (folder, table) = new_table();
    let events = vec![full_event("1"), event("2", Kind::Prompt, 0)];
    let _ = table.write(&identity(), events.clone()).await.unwrap();
    let path = folder.path().join(identity().path());
    let whole = fs::read(&path).unwrap();
    for position in (0..whole.len()).step_by(7) {
        let mut bytes = whole.clone();
        bytes[position] ^= 0x55;
        fs::write(&path, bytes).unwrap();
        let scan = table.scan(&Filter::default()).await.unwrap();
        assert!(scan.damaged.len() == 1 || scan.events == events, "byte {position}");
    }
}

#[tokio::test]
async fn what_is_being_written_and_what_is_no_table_file_is_not_read() {
    let (folder, table) = new_table();
    let _ = table.write(&identity(), vec![event("1", Kind::Prompt, 0)]).await.unwrap();
    let path = folder.path().join(identity().path());
    fs::copy(&path, path.with_extension("parquet#1")).unwrap();
    fs::write(path.with_file_name("_SUCCESS"), "").unwrap();
    assert_eq!(read_all(&table).await.len(), 1);
}

#[test]
fn a_new_folder_is_closed_to_other_users_and_opens_again() {
    use std::os::unix::fs::PermissionsExt;

    let outer = TempDir::new().unwrap();
    let folder = outer.path().join("deep/table");
    drop(Table::open(&folder).unwrap());
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::read_to_string(folder.join("table.json")).unwrap(), "{\"format\":1}\n");
    Table::open(&folder).unwrap();
    Table::open_read_only(&folder).unwrap();
}

#[test]
fn a_reader_creates_nothing_and_says_that_there_is_no_table() {
    let outer = TempDir::new().unwrap();
    for folder in [outer.path().join("missing"), outer.path().to_owned()] {
        let error = Table::open_read_only(&folder).unwrap_err();
        assert!(matches!(error, OpenError::NoTable { .. }), "{error}");
        assert!(error.to_string().contains(folder.to_str().unwrap()));
    }
    assert_eq!(fs::read_dir(outer.path()).unwrap().count(), 0);
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let outer = TempDir::new().unwrap();
    let file = outer.path().join("file");
    fs::write(&file, "").unwrap();
    for folder in [file.clone(), file.join("below")] {
        let error = Table::open(&folder).unwrap_err();
        assert!(matches!(error, OpenError::Create { .. }), "{error:?}");
        assert!(error.to_string().contains(folder.to_str().unwrap()));
    }
}

#[test]
fn a_newer_format_is_refused_by_name_and_a_broken_manifest_too() {
    let folder = TempDir::new().unwrap();
    let manifest = folder.path().join("table.json");
    fs::write(&manifest, r#"{"format": 2, "more": true}"#).unwrap();
    for opened in [Table::open(folder.path()), Table::open_read_only(folder.path())] {
        let error = opened.unwrap_err();
        assert!(matches!(error, OpenError::NewerFormat { found: 2, .. }), "{error:?}");
        assert!(error.to_string().contains("has format 2, this version of skillspan knows formats up to 1"));
    }
    fs::write(&manifest, "{").unwrap();
    assert!(matches!(Table::open(folder.path()), Err(OpenError::Malformed { .. })));
}
