//! Any bytes as a file of the table: its footer and its rows are read, or it is named as damaged.
#![no_main]

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use skillspan::table::{Filter, Table};

struct Fixture {
    runtime: tokio::runtime::Runtime,
    table: Table,
    file: PathBuf,
    _folder: tempfile::TempDir,
}

static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    // The decoder's panics are caught where they happen and make a file a damaged one; the fuzzer's own
    // hook would end the process at the first of them.
    std::panic::set_hook(Box::new(|_| {}));
    let folder = tempfile::tempdir_in("/dev/shm").expect("a folder");
    let table = Table::open(folder.path()).expect("a table");
    let day = folder.path().join("v1/owner_tenant=default/owner_workspace=default/ingest_date=2026-11-22");
    fs::create_dir_all(&day).expect("a folder");
    let file = day.join("6d1f9b6c7c5e4a51a2f2f4a3d8a8c0de-1-3-0.parquet");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    Fixture { runtime, table, file, _folder: folder }
});

fuzz_target!(|bytes: &[u8]| {
    let Fixture { runtime, table, file, .. } = &*FIXTURE;
    fs::write(file, bytes).expect("a file");
    let listing = runtime.block_on(table.files(&Filter::default())).expect("a listing");
    assert_eq!(listing.files.len() + listing.damaged.len(), 1);
    let scan = runtime.block_on(table.scan(&Filter::default())).expect("a scan");
    assert!(scan.damaged.len() <= 1);
});
