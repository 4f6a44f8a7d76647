//! Runs: what stands in the log of digests becomes a file of its own, in order, with an index beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use skillspan::event::{SessionEvent, Timestamp};
use skillspan::service::digests::{Digests, forget};
use skillspan::table::upkeep::Subject;
use skillspan::table::{Filter, Table};

use super::increments::{at_once, file, from_digests, halves, observations, one_by_one, opened, write};

/// Less than any group takes: whatever stands in the log becomes a run.
const AT_ONCE: u64 = 1;

async fn sealing(folder: &Path) -> Digests {
    opened(folder).await.sealed_at(AT_ONCE)
}

/// The files of digests with such an ending, by name.
fn files(folder: &Path, ending: &str) -> BTreeMap<String, PathBuf> {
    let files = std::fs::read_dir(folder.join("digests")).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|own| own == ending));
    files.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path)).collect()
}

fn bytes(files: &BTreeMap<String, PathBuf>) -> u64 {
    files.values().map(|path| std::fs::metadata(path).unwrap().len()).sum()
}

/// Observations in so many parts.
fn parts(count: usize) -> Vec<Vec<SessionEvent>> {
    let mut left = observations();
    let size = left.len().div_ceil(count);
    let mut parts = Vec::new();
    while !left.is_empty() {
        let rest = left.split_off(size.min(left.len()));
        parts.push(std::mem::replace(&mut left, rest));
    }
    parts
}

#[tokio::test]
async fn what_stands_in_the_log_becomes_a_run_and_a_start_reads_its_index() {
    let folder = tempfile::tempdir().unwrap();
    let table = Table::open(&folder.path().join("table")).unwrap();
    write(&table, 0, observations()).await;
    let mut digests = sealing(folder.path()).await;
    digests.update(&table).await.unwrap();
    let expected = at_once(observations());
    assert_eq!(from_digests(&digests), expected);
    let (runs, indexes) = (files(folder.path(), "run"), files(folder.path(), "index"));
    assert_eq!((runs.len(), indexes.len()), (1, 1), "{runs:?} {indexes:?}");
    assert!(bytes(&runs) > 4 * std::fs::metadata(file(folder.path()).unwrap()).unwrap().len());
    let sizes = digests.sizes();
    drop(digests);
    let read = table.bytes_read();
    let mut again = sealing(folder.path()).await;
    again.update(&table).await.unwrap();
    assert_eq!(table.bytes_read(), read, "nothing is read of the table");
    assert_eq!(from_digests(&again), expected);
    drop(again);

    // What does not read as it was written shows that nobody read it.
    let (_, run) = runs.first_key_value().unwrap();
    let whole = std::fs::read(run).unwrap();
    std::fs::write(run, vec![7; whole.len()]).unwrap();
    let mut again = sealing(folder.path()).await;
    assert_eq!(again.sizes(), sizes, "as the index tells");
    assert!(again.places().is_err());
    assert_eq!(one_by_one(&mut again, &table).await, expected, "made anew");
}

#[tokio::test]
async fn an_index_that_is_missing_or_damaged_is_made_of_its_run() {
    let folder = tempfile::tempdir().unwrap();
    let table = Table::open(&folder.path().join("table")).unwrap();
    let (first, second) = halves();
    write(&table, 0, first.clone()).await;
    sealing(folder.path()).await.update(&table).await.unwrap();
    let (_, index) = files(folder.path(), "index").pop_first().unwrap();
    let whole = std::fs::read(&index).unwrap();
    let read = table.bytes_read();
    for part in 0..20 {
        let mut bytes = whole.clone();
        let at = bytes.len() * part / 20;
        match part % 3 {
            0 => bytes.truncate(at),
            1 => bytes[at] ^= 1,
            _ => bytes[at] = !bytes[at],
        }
        std::fs::write(&index, bytes).unwrap();
        let mut digests = opened(folder.path()).await;
        digests.update(&table).await.unwrap();
        assert_eq!(from_digests(&digests), at_once(first.clone()), "part {part}");
    }
    assert_eq!(table.bytes_read(), read, "the run tells it");
    std::fs::remove_file(&index).unwrap();
    let mut digests = opened(folder.path()).await;
    write(&table, 1, second).await;
    digests.update(&table).await.unwrap();
    let (runs, indexes) = (files(folder.path(), "run"), files(folder.path(), "index"));
    assert_eq!(runs.len(), indexes.len(), "the next run writes it again");
    assert_eq!(from_digests(&digests), at_once(observations()));
}

#[tokio::test]
async fn a_run_that_is_cut_lost_or_damaged_anywhere_costs_time_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let table = Table::open(&folder.path().join("table")).unwrap();
    write(&table, 0, observations()).await;
    let expected = at_once(observations());
    for part in 0..24 {
        forget(&folder.path().join("digests")).unwrap();
        let mut digests = sealing(folder.path()).await;
        digests.update(&table).await.unwrap();
        drop(digests);
        let (_, run) = files(folder.path(), "run").pop_first().unwrap();
        let mut bytes = std::fs::read(&run).unwrap();
        let at = bytes.len() * part / 24;
        match part % 4 {
            0 => bytes.truncate(at),
            1 => bytes[at] ^= 1,
            2 => bytes[at] = !bytes[at],
            _ => bytes.clear(),
        }
        std::fs::write(&run, bytes).unwrap();
        let mut digests = opened(folder.path()).await;
        digests.update(&table).await.unwrap();
        assert_eq!(one_by_one(&mut digests, &table).await, expected, "part {part}");
    }
}

#[tokio::test]
async fn runs_of_about_one_size_become_one_and_something_new_rewrites_little() {
    let folder = tempfile::tempdir().unwrap();
    let table = Table::open(&folder.path().join("table")).unwrap();
    let mut digests = sealing(folder.path()).await;
    let (mut seen, mut written, mut most) = (BTreeSet::new(), 0, 0);
    for (number, part) in parts(24).into_iter().enumerate() {
        write(&table, number, part).await;
        digests.update(&table).await.unwrap();
        let runs = files(folder.path(), "run");
        most = most.max(runs.len());
        written += bytes(&runs.clone().into_iter().filter(|(name, _)| seen.insert(name.clone())).collect());
        if number.is_multiple_of(5) {
            drop(digests);
            digests = sealing(folder.path()).await;
        }
    }
    let all = bytes(&files(folder.path(), "run"));
    assert_eq!(from_digests(&digests), at_once(observations()));
    assert!(most <= 12, "{most} runs at a time");
    // Of a group that goes on, earlier parts were written too.
    assert!(written < 8 * all, "{written} bytes were written for {all}");
    let (runs, indexes) = (files(folder.path(), "run"), files(folder.path(), "index"));
    assert_eq!(runs.len(), indexes.len());
}

#[tokio::test]
async fn what_an_interrupted_program_left_of_runs_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let table = Table::open(&folder.path().join("table")).unwrap();
    write(&table, 0, observations()).await;
    sealing(folder.path()).await.update(&table).await.unwrap();
    let (name, run) = files(folder.path(), "run").pop_first().unwrap();
    let stem = name.rsplit_once('-').unwrap().0;
    for left in ["77.run", "78.run.new", "78.index.new", "79.index"] {
        std::fs::copy(&run, run.with_file_name(format!("{stem}-{left}"))).unwrap();
    }
    let digests = opened(folder.path()).await;
    assert_eq!(from_digests(&digests), at_once(observations()));
    let left: Vec<_> = std::fs::read_dir(folder.path().join("digests")).unwrap().collect();
    assert_eq!(files(folder.path(), "run").into_keys().collect::<Vec<_>>(), [name]);
    assert_eq!((files(folder.path(), "new").len(), files(folder.path(), "index").len()), (0, 1), "{left:?}");
}

#[tokio::test]
async fn an_erasure_leaves_no_run() {
    let folder = tempfile::tempdir().unwrap();
    let table = Table::open(&folder.path().join("table")).unwrap();
    let (first, second) = halves();
    write(&table, 0, first).await;
    let mut digests = sealing(folder.path()).await;
    digests.update(&table).await.unwrap();
    forget(&folder.path().join("digests")).unwrap();
    assert!(files(folder.path(), "run").is_empty() && files(folder.path(), "index").is_empty());
    // What it knows it writes again.
    write(&table, 1, second).await;
    digests.update(&table).await.unwrap();
    assert!(!files(folder.path(), "run").is_empty());
    assert_eq!(from_digests(&opened(folder.path()).await), at_once(observations()));

    let session = Subject::Session("s01".into());
    let now = Timestamp::parse_rfc3339("2026-12-01T00:00:00Z").unwrap();
    assert_eq!(table.erase(&session, None, now).await.unwrap().sessions.len(), 1);
    digests.update(&table).await.unwrap();
    for path in files(folder.path(), "run").values().chain(&file(folder.path())) {
        let kept = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
        assert!(!kept.contains("s01-0"), "{}", path.display());
    }
    let left = table.scan(&Filter::default()).await.unwrap().events;
    assert_eq!(from_digests(&digests), at_once(left.clone()));
    drop(digests);
    assert_eq!(from_digests(&opened(folder.path()).await), at_once(left));
}
