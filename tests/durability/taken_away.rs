//! Files of a journal that others remove, replace or cut while it is open.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use skillspan::journal::{AppendError, Journal};

use crate::support::{config, names, open, read_all, segments};

/// What somebody does to the segment that is being written.
type Interference = fn(&Path);

const INTERFERENCES: [(&str, Interference); 5] = [
    ("removed", |path| fs::remove_file(path).unwrap()),
    ("moved away", |path| fs::rename(path, path.with_extension("elsewhere")).unwrap()),
    ("replaced", |path| {
        fs::copy(path, path.with_extension("new")).unwrap();
        fs::rename(path.with_extension("new"), path).unwrap();
    }),
    ("replaced by a folder", |path| {
        fs::remove_file(path).unwrap();
        fs::create_dir(path).unwrap();
    }),
    ("cut", |path| fs::File::options().write(true).open(path).unwrap().set_len(200).unwrap()),
];

async fn until(journal: &Journal, holds: impl Fn(&Journal) -> bool) {
    let waiting = async {
        while !holds(journal) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting).await.expect("the journal looks by itself");
}

#[tokio::test]
async fn nothing_is_acknowledged_into_a_segment_that_was_taken_away_and_what_was_lost_is_counted() {
    for (what, interfere) in INTERFERENCES {
        let folder = tempfile::tempdir().unwrap();
        let journal = open(folder.path());
        for number in 0..10 {
            journal.append(format!("before {number} {}", "x".repeat(100)).into_bytes()).await.unwrap();
        }
        journal.advance(4).unwrap();
        interfere(segments(folder.path()).last().unwrap());
        // Refused, or in a new segment: whoever was told that it is there finds it.
        let mut acknowledged = Vec::new();
        for number in 0..10 {
            let payload = format!("after {number}").into_bytes();
            match journal.append(payload.clone()).await {
                Ok(sequence) => acknowledged.push((sequence, payload)),
                Err(error) => assert!(matches!(error, AppendError::Disk { .. }), "{what}: {error}"),
            }
        }
        assert!(acknowledged.len() >= 8, "{what}: it goes on");
        until(&journal, |journal| journal.status().writable).await;
        let after = |all: Vec<(u64, Vec<u8>)>| -> Vec<(u64, Vec<u8>)> {
            all.into_iter().filter(|(_, payload)| payload.starts_with(b"after")).collect()
        };
        let seen = read_all(&journal);
        let kept = seen.iter().filter(|(_, payload)| payload.starts_with(b"before")).count() as u64;
        assert_eq!(after(seen), acknowledged, "{what}");
        assert_eq!(journal.status().lost + kept, 7, "{what}: {:?}", journal.status());
        // The exporter gets on.
        journal.advance(*journal.durable_end().borrow()).unwrap();
        drop(journal);
        let journal = open(folder.path());
        assert_eq!(read_all(&journal), [], "{what}");
        journal.append(b"in the end".to_vec()).await.unwrap();
        assert_eq!(read_all(&journal).len(), 1, "{what}");
    }
}

#[tokio::test]
async fn a_journal_without_requests_notices_within_a_moment() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    journal.append(b"lost".to_vec()).await.unwrap();
    fs::remove_file(&segments(folder.path())[0]).unwrap();
    let read = |journal: &Journal| journal.read(1, 1000).is_ok_and(|records| records.is_empty());
    until(&journal, |journal| read(journal) && journal.status().lost == 1).await;
    assert!(journal.status().writable, "a new segment can be begun");
    assert_eq!(read_all(&journal), []);
    assert_eq!(journal.append(b"after".to_vec()).await.unwrap(), 2);
    assert_eq!(read_all(&journal), [(2, b"after".to_vec())]);
}

#[tokio::test]
async fn whoever_asks_a_journal_to_look_is_told_of_what_happened_a_moment_ago() {
    for (what, interfere) in INTERFERENCES {
        let folder = tempfile::tempdir().unwrap();
        let journal = open(folder.path());
        journal.append(format!("lost {}", "x".repeat(200)).into_bytes()).await.unwrap();
        interfere(&segments(folder.path())[0]);
        journal.look().await.unwrap();
        // What is cut is found when it is read.
        let taken_away = u64::from(what != "cut");
        assert_eq!((journal.status().lost, journal.status().taken_away), (0, taken_away), "{what}");
        assert_eq!(read_all(&journal), [], "{what}");
        assert_eq!((journal.status().lost, journal.status().taken_away), (1, 0), "{what}");
    }
}

#[tokio::test]
async fn an_older_segment_that_is_gone_keeps_no_later_one_from_being_read() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let payload = |number: u64| format!("{number} {}", "x".repeat(900)).into_bytes();
    for number in 1..=20 {
        journal.append(payload(number)).await.unwrap();
    }
    let all = segments(folder.path());
    assert!(all.len() > 3, "{all:?}");
    fs::remove_file(&all[1]).unwrap();
    let read =
        |journal: &Journal| journal.read(1, 1 << 20).is_ok_and(|_| journal.status().segments < all.len());
    until(&journal, read).await;
    let seen = read_all(&journal);
    assert_eq!(seen.len() as u64 + journal.status().lost, 20);
    assert!(seen.iter().all(|(sequence, found)| *found == payload(*sequence)));
}

#[tokio::test]
async fn what_lies_in_the_place_of_a_segment_is_kept_for_a_person() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    journal.append(b"lost".to_vec()).await.unwrap();
    let path: PathBuf = segments(folder.path()).remove(0);
    fs::write(path.with_extension("new"), "somebody's").unwrap();
    fs::rename(path.with_extension("new"), &path).unwrap();
    until(&journal, |journal| journal.status().quarantined == 1).await;
    assert_eq!((read_all(&journal), journal.status().lost), (Vec::new(), 1));
    let kept = folder.path().join("quarantine").join(path.file_name().unwrap());
    assert_eq!(fs::read_to_string(kept).unwrap(), "somebody's");
}

#[tokio::test]
async fn a_folder_that_is_moved_away_and_back_is_refused_and_then_taken_again() {
    let folder = tempfile::tempdir().unwrap();
    let (path, away) = (folder.path().join("journal"), folder.path().join("away"));
    let journal = open(&path);
    journal.append(b"before".to_vec()).await.unwrap();
    fs::rename(&path, &away).unwrap();
    until(&journal, |journal| !journal.status().writable).await;
    let error = journal.append(b"nowhere".to_vec()).await.unwrap_err().to_string();
    assert!(error.contains("deleted or replaced"), "{error}");
    assert!(!path.exists());
    fs::rename(&away, &path).unwrap();
    until(&journal, |journal| journal.status().writable).await;
    journal.append(b"after".to_vec()).await.unwrap();
    assert_eq!(read_all(&journal).len(), 2);
    assert_eq!(journal.status().lost, 0);
}

/// The exporter reads ahead: what it has read is not lost, and not said to be.
#[tokio::test]
async fn what_was_read_before_its_file_went_and_exported_is_not_counted() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    for _ in 0..3 {
        journal.append(b"read".to_vec()).await.unwrap();
    }
    assert_eq!(read_all(&journal).len(), 3);
    fs::remove_file(&segments(folder.path())[0]).unwrap();
    until(&journal, |journal| journal.status().segments == 0).await;
    journal.advance(4).unwrap();
    assert_eq!((read_all(&journal), journal.status().lost), (Vec::new(), 0));
}

#[tokio::test]
async fn of_two_that_have_one_folder_as_its_lock_was_removed_the_first_writes_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    first.append(b"of the first".to_vec()).await.unwrap();
    first
        .write_plan(&skillspan::journal::Plan { batch_id: "b".into(), first: 1, last: 1, files: Vec::new() })
        .unwrap();
    fs::remove_file(folder.path().join("lock")).unwrap();
    let second = open(folder.path());
    until(&first, |journal| !journal.status().writable).await;
    assert!(first.append(b"lost".to_vec()).await.is_err());
    assert!(first.advance(2).is_err() && first.remove_plan().is_err());
    let sequence = second.append(b"of the second".to_vec()).await.unwrap();
    assert_eq!(read_all(&second), [(1, b"of the first".to_vec()), (sequence, b"of the second".to_vec())]);
    assert!(second.plan().unwrap().is_some());
}

#[tokio::test]
async fn a_rotation_and_an_export_leave_no_byte_of_what_was_appended() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    // So many that segments are used again.
    for number in 0..60 {
        let sequence =
            journal.append(format!("secret {number} {}", "x".repeat(400)).into_bytes()).await.unwrap();
        journal.advance(sequence).unwrap();
    }
    let holds_secret = || {
        names(folder.path()).iter().any(|name| {
            let bytes = fs::read(folder.path().join(name)).unwrap();
            memchr::memmem::find(&bytes, b"secret").is_some()
        })
    };
    assert!(holds_secret());
    journal.rotate().await.unwrap();
    journal.append(b"other".to_vec()).await.unwrap();
    journal.advance(61).unwrap();
    assert!(!holds_secret(), "{:?}", names(folder.path()));
    assert_eq!(read_all(&journal), [(61, b"other".to_vec())]);
}

/// What stands in the place of a spare file is written over: never through a link.
#[tokio::test]
async fn a_link_in_the_place_of_a_spare_file_leads_nowhere() {
    type Link = fn(&Path, &Path);
    let links: [(&str, Link); 3] = [
        ("a link", |target, spare| std::os::unix::fs::symlink(target, spare).unwrap()),
        ("a second name", |target, spare| fs::hard_link(target, spare).unwrap()),
        ("a folder", |_, spare| fs::create_dir(spare).unwrap()),
    ];
    for (what, link) in links {
        let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let theirs = outside.path().join("theirs");
        fs::write(&theirs, "theirs".repeat(100)).unwrap();
        let journal = open(folder.path());
        let payload = |number: u64| format!("{number} {}", "x".repeat(900)).into_bytes();
        for number in 1..=20 {
            journal.append(payload(number)).await.unwrap();
        }
        journal.advance(21).unwrap();
        let is_spare = |name: &String| name.ends_with(".spare");
        let spares: Vec<String> = names(folder.path()).into_iter().filter(is_spare).collect();
        assert!(!spares.is_empty(), "{what}");
        for spare in &spares {
            fs::remove_file(folder.path().join(spare)).unwrap();
            link(&theirs, &folder.path().join(spare));
        }
        let mut acknowledged = Vec::new();
        for number in 21..=60 {
            if let Ok(sequence) = journal.append(payload(number)).await {
                acknowledged.push((sequence, payload(number)));
            }
        }
        assert!(acknowledged.len() >= 36, "{what}: it goes on");
        assert_eq!(read_all(&journal), acknowledged, "{what}");
        assert_eq!(fs::read_to_string(&theirs).unwrap(), "theirs".repeat(100), "{what}");
        drop(journal);
        assert_eq!(read_all(&open(folder.path())), acknowledged, "{what}");
    }
}

#[tokio::test]
async fn a_link_under_the_name_of_a_file_that_is_to_be_written_leads_nowhere() {
    let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let theirs = outside.path().join("theirs");
    fs::write(&theirs, "theirs").unwrap();
    let journal = open(folder.path());
    journal.append(b"first".to_vec()).await.unwrap();
    for name in ["cursor.tmp", "00000000000000000002.tmp", "00000000000000000003.tmp"] {
        std::os::unix::fs::symlink(&theirs, folder.path().join(name)).unwrap();
    }
    journal.advance(2).unwrap();
    for _ in 0..10 {
        journal.append(vec![b'x'; 900]).await.unwrap();
    }
    assert_eq!(fs::read_to_string(&theirs).unwrap(), "theirs");
    let lock = folder.path().join("lock");
    drop(journal);
    fs::remove_file(&lock).unwrap();
    std::os::unix::fs::symlink(outside.path().join("new"), &lock).unwrap();
    assert!(Journal::open(config(folder.path())).is_err(), "a lock elsewhere locks nothing here");
    assert!(!outside.path().join("new").exists());
}

#[tokio::test]
async fn what_went_with_the_folder_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let journal = open(&path);
    for _ in 0..7 {
        journal.append(b"gone".to_vec()).await.unwrap();
    }
    journal.advance(4).unwrap();
    assert_eq!(journal.status().taken_away, 0);
    fs::remove_dir_all(&path).unwrap();
    assert_eq!(journal.status().taken_away, 4);
    until(&journal, |journal| !journal.status().writable).await;
}
