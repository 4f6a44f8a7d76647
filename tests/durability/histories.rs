//! Random histories of a journal against a model of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use skillspan::journal::Journal;

use crate::support::{SEGMENT_HEADER, open, read_all, segments};

#[derive(Debug, Clone)]
enum Step {
    /// Append a record of this length.
    Append(usize),
    /// Move the cursor over this share of what is there, in percent.
    Advance(u64),
    Reopen,
    /// Flip a bit of a segment's records while the journal is closed; segment and bit by share.
    Flip(f64, f64),
    /// Cut this many bytes off the last segment while the journal is closed.
    Truncate(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0usize..2000).prop_map(Step::Append),
        1 => (0u64..=100).prop_map(Step::Advance),
        1 => Just(Step::Reopen),
        1 => (0.0..1.0, 0.0..1.0).prop_map(|(segment, bit)| Step::Flip(segment, bit)),
        1 => (1usize..3000).prop_map(Step::Truncate),
    ]
}

type Records = BTreeMap<u64, Vec<u8>>;

/// The open journal and what must be readable in it.
struct Run<'a> {
    folder: &'a Path,
    journal: Option<Journal>,
    readable: Records,
    cursor: u64,
    appended: u8,
}

impl Run<'_> {
    fn journal(&mut self) -> &Journal {
        self.journal.get_or_insert_with(|| open(self.folder))
    }

    fn read(&mut self) -> Records {
        read_all(self.journal()).into_iter().collect()
    }

    fn step(&mut self, runtime: &tokio::runtime::Runtime, step: &Step) {
        match *step {
            Step::Append(length) => self.append(runtime, length),
            Step::Advance(percent) => self.advance(percent),
            Step::Reopen => self.journal = None,
            Step::Flip(segment, bit) => self.flip(segment, bit),
            Step::Truncate(bytes) => self.truncate(bytes),
        }
        assert_eq!(self.read(), self.readable, "after {step:?}");
        assert_eq!(self.journal().cursor(), self.cursor);
    }

    fn append(&mut self, runtime: &tokio::runtime::Runtime, length: usize) {
        self.appended = self.appended.wrapping_add(1);
        let payload = vec![self.appended; length];
        let sequence = runtime.block_on(self.journal().append(payload.clone())).unwrap();
        assert!(sequence >= self.cursor);
        assert!(self.readable.last_key_value().is_none_or(|(last, _)| sequence > *last));
        self.readable.insert(sequence, payload);
    }

    fn advance(&mut self, percent: u64) {
        let end = *self.journal().durable_end().borrow();
        let next = self.cursor + (end - self.cursor) * percent / 100;
        self.journal().advance(next).unwrap();
        self.cursor = next;
        self.readable = self.readable.split_off(&next);
    }

    fn flip(&mut self, segment: f64, bit: f64) {
        self.journal = None;
        let paths = segments(self.folder);
        let Some(path) = paths.get((paths.len() as f64 * segment) as usize) else { return };
        let mut bytes = fs::read(path).unwrap();
        let bits = (bytes.len() - SEGMENT_HEADER) * 8;
        if bits == 0 {
            return;
        }
        let bit = (bits as f64 * bit) as usize;
        bytes[SEGMENT_HEADER + bit / 8] ^= 1 << (bit % 8);
        fs::write(path, bytes).unwrap();
        // At most the one record is gone; it cannot have become another one.
        let found = self.read();
        let lost: Vec<_> = self.readable.keys().filter(|sequence| !found.contains_key(sequence)).collect();
        assert!(lost.len() <= 1, "one bit cost {lost:?}");
        assert!(found.iter().all(|(sequence, payload)| self.readable.get(sequence) == Some(payload)));
        self.readable = found;
    }

    fn truncate(&mut self, bytes: usize) {
        self.journal = None;
        let Some(path) = segments(self.folder).pop() else { return };
        let length = fs::metadata(&path).unwrap().len() as usize;
        let remaining = length.saturating_sub(bytes).max(SEGMENT_HEADER);
        fs::File::options().write(true).open(&path).unwrap().set_len(remaining as u64).unwrap();
        // What is gone stood at the end, and fits into the bytes that were cut.
        let found = self.read();
        let kept = self.readable.iter().take(found.len());
        assert!(found.iter().eq(kept), "truncation cost more than the end");
        let lost: usize = self.readable.values().skip(found.len()).skip(1).map(Vec::len).sum();
        assert!(lost <= bytes, "{lost} bytes of whole records lost to a cut of {bytes}");
        self.readable = found;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_journal_holds_what_was_appended_less_what_was_damaged(
        steps in prop::collection::vec(step(), 1..40)
    ) {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut run = Run {
            folder: folder.path(),
            journal: None,
            readable: Records::new(),
            cursor: 1,
            appended: 0,
        };
        for step in &steps {
            run.step(&runtime, step);
        }
    }
}
