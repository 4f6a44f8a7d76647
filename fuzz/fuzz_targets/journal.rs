//! Any bytes where a segment's records stand, or, if the first byte is odd, the whole segment: the journal
//! opens, reads what it can, appends behind it, and opens again.
#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use skillspan::journal::{Config, Durability, Journal};

/// A segment of this version with three records.
const SEGMENT: &[u8] = include_bytes!("../segment");
const HEADER: usize = 128;

fuzz_target!(|bytes: &[u8]| {
    let [choice, bytes @ ..] = bytes else { return };
    let segment = if choice % 2 == 1 { bytes.to_vec() } else { [&SEGMENT[..HEADER], bytes].concat() };
    let folder = tempfile::tempdir_in("/dev/shm").expect("a folder");
    let name = "00000000000000000001.segment";
    fs::write(folder.path().join(name), segment).expect("a file");
    let path = folder.path().to_owned();
    let config = Config { path, max_size: 1 << 20, segment_size: 1 << 16, durability: Durability::Os };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut before = None;
    for _ in 0..2 {
        // A segment that is none is refused by name, and nothing of it is lost.
        let Ok(journal) = Journal::open(config.clone()) else { return };
        let records = read(&journal);
        if let Some((before, sequence)) = before.take() {
            let before: Vec<(u64, Vec<u8>)> = before;
            assert!(records.starts_with(&before));
            assert_eq!(
                records.last().map(|(last, payload)| (*last, payload.as_slice())),
                Some((sequence, &b"new"[..]))
            );
        }
        let sequence = runtime.block_on(journal.append(b"new".to_vec())).expect("room");
        before = Some((records, sequence));
    }
});

fn read(journal: &Journal) -> Vec<(u64, Vec<u8>)> {
    let end = *journal.durable_end().borrow();
    let (mut next, mut all) = (journal.cursor(), Vec::new());
    while next < end {
        let records = journal.read(next, 1 << 12).expect("what is in the journal");
        let Some(last) = records.last() else { break };
        assert!(last.sequence >= next && last.sequence < end);
        next = last.sequence + 1;
        all.extend(records.into_iter().map(|record| (record.sequence, record.payload.to_vec())));
    }
    all
}
