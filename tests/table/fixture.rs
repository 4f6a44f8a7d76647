//! `tests/fixtures/table-v1`: a table as the first version wrote it, which every later version must read.
//! The files are never changed. A new format gets a folder of its own, and this one stays.

use std::fs;
use std::path::{Path, PathBuf};

use skillspan::event::{Kind, Owner, SessionEvent};
use skillspan::table::upkeep::Subject;
use skillspan::table::{FileIdentity, Filter, OpenError, Table};
use tempfile::TempDir;

use crate::events::{START, event, full_event, identity};

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/table-v1")
}

/// The rows that were written: one with a value in every column, and one of each kind.
fn rows() -> Vec<SessionEvent> {
    let texts = ["", "line one\nline two", "ünï \u{1F980}", "nul \0", "{\"json\": [1, 2.5, null]}"];
    let of_kind = |(number, kind): (usize, &Kind)| SessionEvent {
        session_id: format!("session-{}", number % 3),
        text: texts[number % texts.len()].to_owned(),
        input: texts[(number + 1) % texts.len()].to_owned(),
        output: texts[(number + 2) % texts.len()].to_owned(),
        score: (*kind == Kind::Feedback).then_some(0.5),
        trace_id: format!("{number:032x}"),
        user_id: ["ada", "bob"][number % 2].to_owned(),
        ..event(&format!("{number:032x}"), *kind, i64::try_from(number).unwrap())
    };
    let mut rows: Vec<_> = Kind::ALL.iter().enumerate().map(of_kind).collect();
    rows.push(full_event(&"f".repeat(32)));
    rows
}

/// Writes the fixture anew. Only ever run when the first version was made:
/// `cargo test --test table writes_the_fixture -- --ignored`
#[tokio::test]
#[ignore = "the fixture is written once"]
async fn writes_the_fixture() {
    let table = Table::open(&fixture()).unwrap();
    let rows = rows();
    let owner = Owner { tenant: "acme".into(), workspace: "shop & co".into() };
    let of_owner = FileIdentity { owner, ..identity() };
    let _ = table.write(&identity(), rows[..6].to_vec()).await.unwrap();
    let _ = table.write(&of_owner, rows[6..].to_vec()).await.unwrap();
}

#[tokio::test]
async fn a_table_of_format_1_is_read_for_ever() {
    let table = Table::open_read_only(&fixture()).unwrap();
    let scan = table.scan(&Filter::default()).await.unwrap();
    assert!(scan.damaged.is_empty(), "{:?}", scan.damaged);
    let mut expected = rows();
    // The folder says whose they are, whatever these rows of long ago call it.
    Owner { tenant: "acme".into(), workspace: "shop & co".into() }.confine(&mut expected[6..]);
    expected.sort_by(|a, b| a.event_id.cmp(&b.event_id));
    assert_eq!(scan.events, expected);
    let listing = table.files(&Filter::default()).await.unwrap();
    let paths: Vec<_> = listing.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "v1/owner_tenant=acme/owner_workspace=shop%20%26%20co/ingest_date=2026-11-22/0b5f-1-12-0.parquet",
            "v1/owner_tenant=default/owner_workspace=default/ingest_date=2026-11-22/0b5f-1-12-0.parquet",
        ]
    );
}

#[tokio::test]
async fn a_table_of_format_1_is_written_to_compacted_and_erased_from() {
    let copy = TempDir::new().unwrap();
    copy_folder(&fixture(), copy.path());
    let table = Table::open(copy.path()).unwrap();
    let next_week = skillspan::event::Timestamp::from_micros(START + 7 * 86_400_000_000);
    assert_eq!(table.compact(next_week).await.unwrap().days, 2);
    let erased = table.erase(&Subject::User("ada".into()), None, next_week).await.unwrap();
    assert!(!erased.sessions.is_empty() && erased.damaged.is_empty());
    let left = table.scan(&Filter::default()).await.unwrap().events;
    assert!(left.iter().all(|event| event.user_id != "ada"));
    assert!(left.iter().any(|event| event.event_id == "f".repeat(32)));
}

#[test]
fn a_table_of_a_newer_format_is_refused_by_name() {
    let copy = TempDir::new().unwrap();
    copy_folder(&fixture(), copy.path());
    fs::write(copy.path().join("table.json"), "{\"format\":2}\n").unwrap();
    let error = Table::open_read_only(copy.path()).unwrap_err();
    assert!(matches!(error, OpenError::NewerFormat { found: 2, .. }), "{error}");
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
