//! The files that keep digests: damaged, lost, forgotten, shared, grown.

use std::io::Write;
use std::path::Path;

use skillspan::service::digests::forget;
use skillspan::skillify::DIGEST_VERSION;
use skillspan::table::Table;

use super::increments::{at_once, file, from_digests, halves, kept, observations, one_by_one, opened, write};

/// A file of digests with its entries changed, each with its checksum.
fn with_entries_changed(bytes: &[u8], change: impl Fn(usize, &mut [u8])) -> Vec<u8> {
    let (mut left, mut changed) = (bytes, Vec::new());
    for number in 0.. {
        let Some((length, rest)) = left.split_first_chunk::<4>() else { break };
        let (entry, rest) = rest.split_at(4).1.split_at(u32::from_le_bytes(*length) as usize);
        let mut entry = entry.to_vec();
        change(number, &mut entry);
        changed.extend(length);
        changed.extend(crc32c::crc32c(&entry).to_le_bytes());
        changed.extend(entry);
        left = rest;
    }
    changed
}

#[tokio::test]
async fn a_file_of_digests_that_is_cut_or_damaged_anywhere_costs_time_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let table = Table::open(&folder.path().join("table")).unwrap();
    let events = observations();
    let expected = at_once(events.clone());
    write(&table, 0, events).await;
    opened(folder.path()).await.update(&table).await.unwrap();
    let path = file(folder.path()).unwrap();
    let whole = std::fs::read(&path).unwrap();
    for part in 0..40 {
        let mut bytes = whole.clone();
        let at = bytes.len() * part / 40;
        match part % 4 {
            0 => bytes.truncate(at),
            // Still text, and still the same length.
            1 => bytes[at] ^= 1,
            _ => bytes[at] = 0xff,
        }
        std::fs::write(&path, bytes).unwrap();
        let mut digests = opened(folder.path()).await;
        digests.update(&table).await.unwrap();
        assert_eq!(from_digests(&digests), expected, "part {part}");
    }
}

/// Writes something else over a file, which stays the same file.
fn overwrite(path: &Path) {
    let length = std::fs::metadata(path).unwrap().len() as usize;
    std::fs::OpenOptions::new().write(true).open(path).unwrap().write_all(&vec![7; length]).unwrap();
}

/// A process that has read the file finds out when it reads digests.
#[tokio::test]
async fn what_a_disk_loses_under_a_process_is_made_anew_and_in_the_end_kept_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let table = Table::open(&folder.path().join("table")).unwrap();
    let (first, second) = halves();
    write(&table, 0, first.clone()).await;
    let mut digests = opened(folder.path()).await;
    digests.update(&table).await.unwrap();
    let expected = at_once(first);
    for _ in 0..3 {
        if let Some(path) = file(folder.path()) {
            overwrite(&path);
        }
        assert_eq!(one_by_one(&mut digests, &table).await, expected);
    }
    assert_eq!(file(folder.path()), None, "a disk that does so twice is used no more");
    write(&table, 1, second).await;
    digests.update(&table).await.unwrap();
    assert_eq!(from_digests(&digests), at_once(observations()));
}

/// The groups that new rows join are looked up in the file.
#[tokio::test]
async fn what_a_disk_loses_of_a_group_that_goes_on_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let table = Table::open(&folder.path().join("table")).unwrap();
    let (first, second) = halves();
    write(&table, 0, first).await;
    let mut digests = opened(folder.path()).await;
    digests.update(&table).await.unwrap();
    overwrite(&file(folder.path()).unwrap());
    write(&table, 1, second).await;
    digests.update(&table).await.unwrap();
    assert_eq!(from_digests(&digests), at_once(observations()));
    drop(digests);
    assert_eq!(from_digests(&opened(folder.path()).await), at_once(observations()));
}

/// What comes in costs what it takes itself; only when as much is out of date as stands is the file written anew.
#[tokio::test]
async fn something_new_is_appended_and_what_is_there_is_not_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let table = Table::open(&folder.path().join("table")).unwrap();
    let mut events = observations();
    let late = events.split_off(events.len() - 10);
    write(&table, 0, events).await;
    let mut digests = opened(folder.path()).await;
    digests.update(&table).await.unwrap();
    let before = std::fs::read(file(folder.path()).unwrap()).unwrap();
    write(&table, 1, late).await;
    digests.update(&table).await.unwrap();
    let after = std::fs::read(file(folder.path()).unwrap()).unwrap();
    assert!(after.len() < 2 * before.len(), "{} and {} bytes", before.len(), after.len());
    assert!(after.starts_with(&before));
}

#[tokio::test]
async fn digests_of_another_version_are_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let table = Table::open(&folder.path().join("table")).unwrap();
    write(&table, 0, observations()).await;
    opened(folder.path()).await.update(&table).await.unwrap();
    let path = file(folder.path()).unwrap();
    let bytes = with_entries_changed(&std::fs::read(&path).unwrap(), |number, entry| {
        if number == 0 {
            // Its kind, the version of digests and the program's.
            assert_eq!((entry[0], entry[3]), (0, env!("CARGO_PKG_VERSION").len() as u8));
            // A number of two bytes: how digests are packed, and their own version.
            let version = u32::from(entry[1] & 0x7f) + (u32::from(entry[2]) << 7);
            assert_eq!(version % 1_000, DIGEST_VERSION);
            entry[1] += 1;
        }
        // An older program knew the commands under other names.
        while let Some(at) = entry.windows(5).position(|part| part == b"db-up") {
            entry[at..at + 5].copy_from_slice(b"db-on");
        }
    });
    std::fs::write(path, bytes).unwrap();
    let mut digests = opened(folder.path()).await;
    digests.update(&table).await.unwrap();
    assert_eq!(from_digests(&digests), at_once(observations()));
}

#[tokio::test]
async fn digests_can_be_forgotten_beside_the_process_that_keeps_them() {
    let folder = tempfile::tempdir().unwrap();
    let table = Table::open(&folder.path().join("table")).unwrap();
    let mut events = observations();
    let late = events.split_off(events.len() - 10);
    write(&table, 0, events).await;
    let mut digests = opened(folder.path()).await;
    digests.update(&table).await.unwrap();
    assert_eq!(forget(&folder.path().join("digests")).unwrap(), 1);
    assert_eq!(kept(folder.path()), None);
    // What it knows it writes whole, for nothing is there to append to.
    write(&table, 1, late).await;
    digests.update(&table).await.unwrap();
    drop(digests);
    assert_eq!(from_digests(&opened(folder.path()).await), at_once(observations()));
}

#[tokio::test]
async fn of_two_processes_one_keeps_digests_and_both_have_them() {
    let folder = tempfile::tempdir().unwrap();
    let table = Table::open(&folder.path().join("table")).unwrap();
    write(&table, 0, observations()).await;
    let mut one = opened(folder.path()).await;
    one.update(&table).await.unwrap();
    let before = kept(folder.path()).unwrap();
    let mut other = opened(folder.path()).await;
    other.update(&table).await.unwrap();
    assert_eq!(from_digests(&one), from_digests(&other));
    assert_eq!(kept(folder.path()).unwrap(), before);
}
