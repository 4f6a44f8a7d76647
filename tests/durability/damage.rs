//! Opening folders that something happened to.

use std::fs;
use std::path::Path;

use skillspan::journal::{Config, Journal, OpenError};

use crate::support::{RECORD_HEADER, SEGMENT_HEADER, config, names, open, read_all, segments};

/// A journal of one segment with these payloads, closed.
async fn closed_journal(folder: &Path, payloads: &[&[u8]]) {
    let journal = open(folder);
    for payload in payloads {
        journal.append(payload.to_vec()).await.unwrap();
    }
}

fn copy(from: &Path, to: &Path) {
    for name in names(from) {
        if from.join(&name).is_file() {
            fs::copy(from.join(&name), to.join(&name)).unwrap();
        }
    }
}

#[tokio::test]
async fn a_log_torn_at_any_byte_keeps_every_whole_record_and_goes_on() {
    let payloads: [&[u8]; 3] = [b"one", b"2", b"three and some more"];
    let original = tempfile::tempdir().unwrap();
    closed_journal(original.path(), &payloads).await;
    let segment = segments(original.path()).remove(0);
    let whole = fs::read(&segment).unwrap();
    let end_of_records = SEGMENT_HEADER + payloads.iter().map(|p| RECORD_HEADER + p.len()).sum::<usize>();
    for length in 0..end_of_records + 2 * RECORD_HEADER {
        let folder = tempfile::tempdir().unwrap();
        copy(original.path(), folder.path());
        fs::write(folder.path().join(segment.file_name().unwrap()), &whole[..length]).unwrap();

        let mut end = SEGMENT_HEADER;
        let mut survivors: Vec<(u64, Vec<u8>)> = Vec::new();
        for (sequence, payload) in (1..).zip(payloads) {
            if end + RECORD_HEADER + payload.len() > length {
                break;
            }
            end += RECORD_HEADER + payload.len();
            survivors.push((sequence, payload.to_vec()));
        }
        let journal = open(folder.path());
        assert_eq!(read_all(&journal), survivors, "torn at {length}");
        // A few zeros are what the end of the records looks like, too.
        let rest = whole.get(end..length).unwrap_or_default();
        let torn = if rest.iter().all(|byte| *byte == 0) { 0 } else { rest.len() };
        assert_eq!(journal.status().torn_bytes as usize, torn, "torn at {length}");
        let next = journal.append(b"goes on".to_vec()).await.unwrap();
        assert_eq!(next, survivors.len() as u64 + 1, "torn at {length}");
        survivors.push((next, b"goes on".to_vec()));
        drop(journal);
        let journal = open(folder.path());
        assert_eq!(read_all(&journal), survivors, "torn at {length}, opened again");
        assert_eq!(journal.status().torn_bytes, 0);
    }
}

#[tokio::test]
async fn a_damaged_record_is_set_aside_and_those_after_it_survive() {
    let folder = tempfile::tempdir().unwrap();
    closed_journal(folder.path(), &[b"first", b"second", b"third"]).await;
    let segment = segments(folder.path()).remove(0);
    let mut bytes = fs::read(&segment).unwrap();
    let second = SEGMENT_HEADER + RECORD_HEADER + 5;
    bytes[second + RECORD_HEADER] ^= 0xff;
    fs::write(&segment, &bytes).unwrap();

    for opening in 1..=2 {
        let journal = open(folder.path());
        let survivors = [(1, b"first".to_vec()), (3, b"third".to_vec())];
        assert_eq!(read_all(&journal), survivors, "opening {opening}");
        assert_eq!(journal.status().quarantined, 1, "opening {opening}");
        let quarantine = folder.path().join("quarantine");
        assert_eq!(names(&quarantine).len(), 1, "opening {opening}");
        let kept = fs::read(quarantine.join(&names(&quarantine)[0])).unwrap();
        assert_eq!(kept, bytes[second..second + RECORD_HEADER + 6]);
    }
    let journal = open(folder.path());
    assert_eq!(journal.append(b"fourth".to_vec()).await.unwrap(), 4);
}

#[tokio::test]
async fn damage_that_comes_while_the_journal_is_open_is_set_aside_by_the_reader() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    for payload in [b"first".as_slice(), b"second", b"third"] {
        journal.append(payload.to_vec()).await.unwrap();
    }
    let segment = segments(folder.path()).remove(0);
    let mut bytes = fs::read(&segment).unwrap();
    // The length of the second record: the next one has to be searched.
    bytes[SEGMENT_HEADER + RECORD_HEADER + 5] ^= 0xff;
    fs::write(&segment, &bytes).unwrap();
    for _ in 0..2 {
        assert_eq!(read_all(&journal), [(1, b"first".to_vec()), (3, b"third".to_vec())]);
        assert_eq!(journal.status().quarantined, 1);
    }
    assert_eq!(names(&folder.path().join("quarantine")).len(), 1);
}

#[tokio::test]
async fn a_segment_without_a_readable_header_is_set_aside_whole() {
    let folder = tempfile::tempdir().unwrap();
    closed_journal(folder.path(), &[&[1; 3000], &[2; 3000], &[3; 3000]]).await;
    let damaged = segments(folder.path()).remove(1);
    let mut bytes = fs::read(&damaged).unwrap();
    bytes[..SEGMENT_HEADER].fill(0xaa);
    fs::write(&damaged, &bytes).unwrap();
    let journal = open(folder.path());
    assert_eq!(read_all(&journal), [(1, vec![1; 3000]), (3, vec![3; 3000])]);
    assert_eq!(fs::read(folder.path().join("quarantine").join(damaged.file_name().unwrap())).unwrap(), bytes);
    assert_eq!(journal.status().quarantined, 1);
    assert_eq!(journal.append(b"next".to_vec()).await.unwrap(), 4);
}

#[tokio::test]
async fn a_later_format_is_refused_by_name_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    closed_journal(folder.path(), &[b"record"]).await;
    let segment = segments(folder.path()).remove(0);
    let mut bytes = fs::read(&segment).unwrap();
    bytes[8] = 9;
    let crc = crc32c::crc32c(&bytes[..60]).to_le_bytes();
    bytes[60..64].copy_from_slice(&crc);
    fs::write(&segment, &bytes).unwrap();
    let error = Journal::open(config(folder.path())).unwrap_err();
    assert!(matches!(error, OpenError::NewerFormat { found: 9, supported: 1, .. }), "{error}");
    assert!(error.to_string().contains(segment.to_str().unwrap()), "{error}");
    assert_eq!(fs::read(&segment).unwrap(), bytes);
}

#[tokio::test]
async fn a_damaged_cursor_or_plan_does_not_keep_the_journal_from_opening() {
    for name in ["cursor", "plan"] {
        let folder = tempfile::tempdir().unwrap();
        closed_journal(folder.path(), &[b"first", b"second"]).await;
        let journal = open(folder.path());
        let id = journal.id().to_owned();
        drop(journal);
        fs::write(folder.path().join(name), b"skillspan-journal-cursor 1 00000000\n{}").unwrap();
        let journal = open(folder.path());
        assert_eq!(journal.id(), id, "{name}");
        assert_eq!(read_all(&journal).len(), 2, "{name}");
        assert_eq!(names(&folder.path().join("quarantine")), [name]);
        assert_eq!(journal.append(b"third".to_vec()).await.unwrap(), 3, "{name}");
    }
}

#[tokio::test]
async fn a_segment_of_another_journal_is_not_read() {
    let ours = tempfile::tempdir().unwrap();
    let theirs = tempfile::tempdir().unwrap();
    closed_journal(theirs.path(), &[b"theirs"]).await;
    drop(open(ours.path()));
    let segment = segments(theirs.path()).remove(0);
    fs::copy(&segment, ours.path().join(segment.file_name().unwrap())).unwrap();
    let journal = open(ours.path());
    assert!(read_all(&journal).is_empty());
    assert_eq!(journal.status().quarantined, 1);
}

#[tokio::test]
async fn records_far_into_a_large_segment_are_found_by_sequence() {
    let folder = tempfile::tempdir().unwrap();
    let large = Config { segment_size: 1 << 20, ..config(folder.path()) };
    let journal = Journal::open(large.clone()).unwrap();
    for n in 0..300u32 {
        journal.append(n.to_le_bytes().repeat(250 * (n as usize % 7))).await.unwrap();
    }
    for from in 1..=300 {
        let records = journal.read(from, 1).unwrap();
        assert_eq!(records[0].sequence, from);
        assert!(records[0].payload.chunks(4).all(|chunk| chunk == (from as u32 - 1).to_le_bytes()));
    }
    drop(journal);
    let journal = Journal::open(large).unwrap();
    assert!((1..=300).all(|from| journal.read(from, 1).unwrap()[0].sequence == from));
}

#[tokio::test]
async fn a_bit_flipped_in_any_byte_costs_at_most_the_record_it_stands_in_and_is_told() {
    let payloads: [&[u8]; 3] = [b"one", b"the second", b"three and some more"];
    let original = tempfile::tempdir().unwrap();
    closed_journal(original.path(), &payloads).await;
    let segment = segments(original.path()).remove(0);
    let whole = fs::read(&segment).unwrap();
    let starts: Vec<usize> = payloads
        .iter()
        .scan(SEGMENT_HEADER, |end, payload| {
            *end += RECORD_HEADER + payload.len();
            Some(*end - RECORD_HEADER - payload.len())
        })
        .collect();
    let end = SEGMENT_HEADER + payloads.iter().map(|payload| RECORD_HEADER + payload.len()).sum::<usize>();
    for at in 0..end + RECORD_HEADER {
        let folder = tempfile::tempdir().unwrap();
        copy(original.path(), folder.path());
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(folder.path().join(segment.file_name().unwrap()), &bytes).unwrap();
        let hit = starts.iter().rposition(|start| *start <= at && at < end);
        let survivors = (1..).zip(payloads).filter(|(sequence, _)| hit != Some(*sequence as usize - 1));
        let survivors: Vec<_> = survivors.map(|(sequence, payload)| (sequence, payload.to_vec())).collect();
        let journal = open(folder.path());
        assert_eq!(read_all(&journal), survivors, "byte {at}");
        let status = journal.status();
        let told = status.quarantined + status.torn_bytes > 0;
        assert_eq!(told, at >= SEGMENT_HEADER, "byte {at}: {status:?}");
        let next = journal.append(b"goes on".to_vec()).await.unwrap();
        assert!(survivors.iter().all(|(sequence, _)| *sequence < next), "byte {at}");
    }
}

#[tokio::test]
async fn damaged_documents_are_read_from_their_second_copy() {
    let folder = tempfile::tempdir().unwrap();
    closed_journal(folder.path(), &[b"first", b"second"]).await;
    let journal = open(folder.path());
    journal.advance(2).unwrap();
    drop(journal);
    let cursor = folder.path().join("cursor");
    let mut bytes = fs::read(&cursor).unwrap();
    bytes[..4096].fill(0xff);
    fs::write(&cursor, &bytes).unwrap();
    let journal = open(folder.path());
    assert_eq!(journal.cursor(), 2, "the first record is not exported again");
    assert_eq!(journal.status().quarantined, 0);
}
