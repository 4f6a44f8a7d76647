//! The newest durable records, in memory, so that an exporter that follows closely need not read them again.
//!
//! Nothing depends on it. It holds a limited number of bytes of records that are durable in their segments; an
//! exporter that lags or has just started reads the segments. When it is full it accepts no newer record, because the
//! exporter asks for the oldest one next.

use std::collections::VecDeque;

use super::record::Record;

/// Records by ascending sequence; some between them may be missing.
#[derive(Debug, Default)]
pub(super) struct Recent {
    records: VecDeque<(Record, usize)>,
    bytes: usize,
    limit: usize,
}

impl Recent {
    /// Keeps up to `limit` bytes from now on.
    pub(super) const fn keep(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Whether anybody wants what is written.
    pub(super) const fn is_kept(&self) -> bool {
        self.limit > 0
    }

    /// Takes a record that is durable, if there is room.
    pub(super) fn push(&mut self, sequence: u64, payload: Vec<u8>) {
        let bytes = payload.capacity();
        if self.bytes + bytes <= self.limit {
            self.bytes += bytes;
            self.records.push_back((Record { sequence, payload: payload.into() }, bytes));
        }
    }

    /// The records from `from` on without one missing, until `max_bytes` of payload are reached; none if `from` is
    /// not here.
    pub(super) fn from(&mut self, from: u64, max_bytes: usize) -> Vec<Record> {
        self.release(from);
        let mut taken = 0;
        let follow = (from..).zip(&self.records).take_while(|(sequence, (record, _))| {
            let wanted = *sequence == record.sequence && taken < max_bytes;
            taken += record.payload.len();
            wanted
        });
        follow.map(|(_, (record, _))| record.clone()).collect()
    }

    /// Lets go of the records before `next`.
    pub(super) fn release(&mut self, next: u64) {
        while let Some((_, bytes)) = self.records.pop_front_if(|(record, _)| record.sequence < next) {
            self.bytes -= bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequences(records: &[Record]) -> Vec<u64> {
        records.iter().map(|record| record.sequence).collect()
    }

    fn keeping(limit: usize, sequences: &[u64]) -> Recent {
        let mut recent = Recent::default();
        recent.keep(limit);
        sequences.iter().for_each(|sequence| recent.push(*sequence, vec![0; 10]));
        recent
    }

    #[test]
    fn holds_the_oldest_until_they_are_let_go() {
        let mut recent = keeping(30, &[1, 2, 3, 4]);
        assert_eq!(sequences(&recent.from(1, 1_000)), [1, 2, 3]);
        assert_eq!(sequences(&recent.from(1, 11)), [1, 2], "it is not gone before somebody has gone on");
        recent.push(5, vec![0; 10]);
        assert_eq!(sequences(&recent.from(2, 1_000)), [2, 3]);
        recent.push(6, vec![0; 10]);
        recent.release(4);
        assert!(recent.from(4, 1_000).is_empty(), "4 and 5 found no room: they are read from their segment");
        assert_eq!(sequences(&recent.from(6, 1_000)), [6]);
    }

    #[test]
    fn answers_nothing_where_a_record_is_missing() {
        let mut recent = keeping(1_000, &[3, 4, 7]);
        assert!(recent.from(2, 1_000).is_empty());
        assert_eq!(sequences(&recent.from(3, 1_000)), [3, 4]);
        assert!(recent.from(5, 1_000).is_empty());
        assert_eq!(sequences(&recent.from(7, 1_000)), [7]);
    }

    #[test]
    fn takes_nothing_that_nobody_wants() {
        let mut recent = keeping(0, &[1]);
        assert!(!recent.is_kept());
        assert!(recent.from(1, 1_000).is_empty());
    }
}
