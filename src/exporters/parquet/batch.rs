//! Records on their way from the journal to files: gathered, planned, split.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::{AsRow, DecodeError, EncodedBatch, EncodedEvent, Kind, Owner, Timestamp, Withdrawal};
use crate::journal::{Plan, PlannedFile, Record};

/// Consecutive records of the journal, decoded, by the folder that their events go to.
#[derive(Debug)]
pub(super) struct Batch {
    /// The first sequence of its range.
    pub(super) first: u64,
    /// One more than the last sequence of its range.
    pub(super) next: u64,
    /// Payload bytes.
    pub(super) bytes: u64,
    /// What its events take in memory, about: they are parts of its records.
    pub(super) memory: u64,
    /// Events.
    pub(super) rows: usize,
    /// One of the events ends a session.
    pub(super) session_ended: bool,
    /// The earliest time at which one of its requests was accepted.
    pub(super) oldest: Option<Timestamp>,
    /// By tenant.
    withdrawals: BTreeMap<String, BTreeSet<Withdrawal>>,
    groups: BTreeMap<Group, Vec<Entry>>,
}

/// Whose events, of which date.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    owner: Owner,
    ingest_date: String,
}

/// The events of one record.
#[derive(Debug)]
struct Entry {
    sequence: u64,
    bytes: u64,
    events: Vec<EncodedEvent>,
}

impl Batch {
    /// A batch without records, whose range begins at `first`.
    pub(super) fn starting_at(first: u64) -> Self {
        Self {
            first,
            next: first,
            bytes: 0,
            memory: 0,
            rows: 0,
            session_ended: false,
            oldest: None,
            withdrawals: BTreeMap::new(),
            groups: BTreeMap::new(),
        }
    }

    /// True while its range holds no sequence.
    pub(super) fn is_empty(&self) -> bool {
        self.next == self.first
    }

    /// Extends the range over `record` and takes its events. A record that is no event batch is passed
    /// over: the error says why.
    pub(super) fn push(&mut self, record: &Record) -> Result<(), DecodeError> {
        self.next = record.sequence + 1;
        self.bytes += record.payload.len() as u64;
        let EncodedBatch { owner, ingested_at, events, withdrawals } = EncodedBatch::read(&record.payload)?;
        if !withdrawals.is_empty() {
            self.withdrawals.entry(owner.tenant.clone()).or_default().extend(withdrawals);
        }
        self.rows += events.len();
        self.memory += events.iter().map(|event| event.size_in_memory() as u64).sum::<u64>();
        self.session_ended |= events.iter().any(|event| event.kind() == Kind::SessionEnd);
        self.oldest = Some(self.oldest.map_or(ingested_at, |oldest| oldest.min(ingested_at)));
        if !events.is_empty() {
            let group = Group { owner, ingest_date: ingested_at.date() };
            let bytes = record.payload.len() as u64;
            self.groups.entry(group).or_default().push(Entry { sequence: record.sequence, bytes, events });
        }
        Ok(())
    }

    /// The events that were not taken out.
    pub(super) fn events(&self) -> impl Iterator<Item = &EncodedEvent> + Clone {
        self.groups.values().flatten().flat_map(|entry| &entry.events)
    }

    /// The sessions of each tenant that opted out. One that only a trace names is the session that an event of this
    /// batch gives that trace.
    pub(super) fn withdrawals(&self) -> BTreeMap<String, BTreeSet<Withdrawal>> {
        let mut all = self.withdrawals.clone();
        for (tenant, withdrawals) in &mut all {
            let nameless: BTreeSet<String> = withdrawals
                .iter()
                .filter(|withdrawal| withdrawal.session_id.is_empty())
                .map(|withdrawal| withdrawal.trace_id.clone())
                .collect();
            let named = self
                .events()
                .map(EncodedEvent::as_row)
                .filter(|row| row.tenant == *tenant && !row.session_id.is_empty())
                .filter(|row| nameless.contains(row.trace_id));
            withdrawals.extend(named.map(|row| Withdrawal {
                session_id: row.session_id.to_owned(),
                trace_id: row.trace_id.to_owned(),
            }));
        }
        all
    }

    /// The plan of this batch: a file per owner, date and about `part_bytes` of records; a record is
    /// never split.
    pub(super) fn plan(&self, batch_id: String, part_bytes: u64) -> Plan {
        let files =
            self.groups.iter().flat_map(|(group, entries)| group.files(entries, part_bytes)).collect();
        Plan { batch_id, first: self.first, last: self.next.saturating_sub(1), files }
    }

    /// Takes the events of a planned file out of the batch.
    pub(super) fn take(&mut self, file: &PlannedFile) -> Vec<EncodedEvent> {
        let group = Group { owner: file.owner.clone(), ingest_date: file.ingest_date.clone() };
        let Some(entries) = self.groups.get_mut(&group) else { return Vec::new() };
        let range = file.first_record..=file.last_record;
        let taken: Vec<Entry> = entries.extract_if(.., |entry| range.contains(&entry.sequence)).collect();
        // All the room at once: a list that grows to a megabyte is copied, and takes twice its pages.
        let mut events = Vec::with_capacity(taken.iter().map(|entry| entry.events.len()).sum());
        taken.into_iter().for_each(|entry| events.extend(entry.events));
        events
    }

    /// The sequences of the records in a planned file.
    pub(super) fn sequences(&self, file: &PlannedFile) -> Vec<u64> {
        let group = Group { owner: file.owner.clone(), ingest_date: file.ingest_date.clone() };
        let range = file.first_record..=file.last_record;
        let entries = self.groups.get(&group).map(Vec::as_slice).unwrap_or_default();
        entries.iter().map(|entry| entry.sequence).filter(|sequence| range.contains(sequence)).collect()
    }
}

impl Group {
    fn files(&self, entries: &[Entry], part_bytes: u64) -> Vec<PlannedFile> {
        let mut files: Vec<PlannedFile> = Vec::new();
        let mut filled = 0;
        for entry in entries {
            match files.last_mut() {
                Some(file) if filled + entry.bytes <= part_bytes => file.last_record = entry.sequence,
                _ => {
                    filled = 0;
                    files.push(PlannedFile {
                        owner: self.owner.clone(),
                        ingest_date: self.ingest_date.clone(),
                        part: u32::try_from(files.len()).unwrap_or(u32::MAX),
                        first_record: entry.sequence,
                        last_record: entry.sequence,
                    });
                }
            }
            filled += entry.bytes;
        }
        files
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EventBatch, SessionEvent, encode_batch};

    fn record(sequence: u64, workspace: &str, day: i64) -> Record {
        let owner = Owner { tenant: "acme".into(), workspace: workspace.into() };
        let event = SessionEvent { event_id: format!("e{sequence}"), ..SessionEvent::default() };
        let ingested_at = Timestamp::from_micros(day * 86_400_000_000);
        let payload =
            encode_batch(EventBatch { owner, ingested_at, events: vec![event], ..EventBatch::default() });
        Record { sequence, payload: payload.into() }
    }

    fn batch(records: &[Record]) -> Batch {
        let mut batch = Batch::starting_at(records[0].sequence);
        for record in records {
            batch.push(record).unwrap();
        }
        batch
    }

    #[test]
    fn files_are_split_by_owner_date_and_size_and_hold_every_record_once() {
        let records: Vec<_> =
            (10..30).map(|n| record(n, ["a", "b"][n as usize % 2], n as i64 / 15)).collect();
        let mut batch = batch(&records);
        let part_bytes = 2 * records[0].payload.len() as u64;
        let plan = batch.plan("id".into(), part_bytes);
        assert_eq!((plan.first, plan.last), (10, 29));
        let folders: Vec<_> =
            plan.files.iter().map(|f| (f.owner.workspace.as_str(), f.ingest_date.as_str(), f.part)).collect();
        assert_eq!(folders.first(), Some(&("a", "1970-01-01", 0)));
        assert!(plan.files.iter().any(|file| file.part == 1));
        let sequences: Vec<_> = plan.files.iter().flat_map(|file| batch.sequences(file)).collect();
        let mut ids: Vec<_> = plan
            .files
            .iter()
            .flat_map(|file| batch.take(file))
            .map(|e| e.as_row().event_id.to_owned())
            .collect();
        assert_eq!(sequences.len(), 20);
        ids.sort();
        assert_eq!(ids, records.iter().map(|r| format!("e{}", r.sequence)).collect::<Vec<_>>());
    }

    #[test]
    fn a_record_larger_than_a_part_is_a_part() {
        let batch = batch(&[record(1, "a", 0), record(2, "a", 0)]);
        let plan = batch.plan("id".into(), 1);
        assert_eq!(plan.files.len(), 2);
    }
}
