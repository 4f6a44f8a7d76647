//! Events as records of the journal hold them.
//!
//! What the journal holds goes to the table without becoming events again: an [`EncodedEvent`] is a part of a
//! record, looked through once, and each [`Row`] of it borrows its texts from there.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde::de::IgnoredAny;

use super::fields::Fields;
use super::filled::Filled;
use super::row::{AsRow, Row, RowAttributes};
use super::{DecodeError, EventBatch, Kind, Owner, Timestamp, Withdrawal, wire};

/// An event as a record of the journal holds it. It keeps the record in memory.
#[derive(Debug, Clone)]
pub struct EncodedEvent {
    bytes: Bytes,
    kind: Kind,
    timestamp: Timestamp,
    seq: i64,
    filled: Filled,
    /// Where these stand in it.
    session_id: Part,
    event_id: Part,
}

/// A part of some bytes: where it begins, and how long it is.
#[derive(Debug, Clone, Copy)]
struct Part(u32, u32);

impl Part {
    fn of(part: &str, bytes: &[u8]) -> Option<Self> {
        let start =
            if part.is_empty() { 0 } else { (part.as_ptr() as usize).checked_sub(bytes.as_ptr() as usize)? };
        Some(Self(u32::try_from(start).ok()?, u32::try_from(part.len()).ok()?))
    }

    fn in_bytes(self, bytes: &[u8]) -> &str {
        let Self(start, length) = self;
        let part = bytes.get(start as usize..).and_then(|rest| rest.get(..length as usize));
        std::str::from_utf8(part.unwrap_or_default()).unwrap_or_default()
    }
}

impl EncodedEvent {
    /// The event that `bytes` are; `None` if it is not as this version writes events.
    fn read(bytes: Bytes) -> Option<Self> {
        let mut filled = Filled::default();
        let Row { kind, timestamp, seq, session_id, event_id, attributes, .. } = row(&bytes, &mut filled)?;
        check(attributes)?;
        let (session_id, event_id) = (Part::of(session_id, &bytes)?, Part::of(event_id, &bytes)?);
        Some(Self { kind, timestamp, seq, filled, session_id, event_id, bytes })
    }

    /// What it is an observation of.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// About how many bytes it takes in memory, its part of the record included.
    pub fn size_in_memory(&self) -> usize {
        size_of::<Self>() + self.bytes.len()
    }
}

impl AsRow for EncodedEvent {
    fn as_row(&self) -> Row<'_> {
        // It was read when it was made.
        row(&self.bytes, &mut Filled::default()).unwrap_or_default()
    }

    fn filled(&self) -> Filled {
        self.filled
    }

    fn bytes(&self) -> usize {
        self.bytes.len()
    }

    fn order(&self) -> (&str, Timestamp, i64, &str) {
        let (session_id, event_id) =
            (self.session_id.in_bytes(&self.bytes), self.event_id.in_bytes(&self.bytes));
        (session_id, self.timestamp, self.seq, event_id)
    }
}

/// What a record of the journal holds, with its events as they stand there.
#[derive(Debug, Clone)]
pub struct EncodedBatch {
    /// As [`EventBatch::owner`].
    pub owner: Owner,
    /// As [`EventBatch::ingested_at`].
    pub ingested_at: Timestamp,
    /// As [`EventBatch::events`].
    pub events: Vec<EncodedEvent>,
    /// As [`EventBatch::withdrawals`].
    pub withdrawals: BTreeSet<Withdrawal>,
}

impl EncodedBatch {
    /// Reads what [`super::encode_batch`] wrote, with this version or an older one. It is an error where
    /// [`super::decode_batch`] is.
    pub fn read(record: &Bytes) -> Result<Self, DecodeError> {
        match Self::view(record) {
            Some(batch) => Ok(batch),
            None => Self::rewritten(record),
        }
    }

    /// What stands in the form that this version writes, and is right.
    fn view(record: &Bytes) -> Option<Self> {
        let (mut tenant, mut workspace, mut ingested_at) = ("", "", 0);
        let (mut events, mut withdrawals) = (Vec::new(), BTreeSet::new());
        for field in Fields::of(record) {
            match field? {
                (1, field) => tenant = field.text()?,
                (2, field) => workspace = field.text()?,
                (3, field) => ingested_at = field.int64()?,
                (4, field) => events.push(EncodedEvent::read(record.slice_ref(field.bytes()?))?),
                (5, field) => {
                    withdrawals.insert(withdrawal(field.bytes()?)?);
                }
                _ => return None,
            }
        }
        let owner = Owner { tenant: tenant.to_owned(), workspace: workspace.to_owned() };
        Some(Self { owner, ingested_at: Timestamp::from_micros(ingested_at), events, withdrawals })
    }

    /// Decodes and encodes again: this finds the fault, and reads records of other versions.
    fn rewritten(record: &Bytes) -> Result<Self, DecodeError> {
        let EventBatch { owner, ingested_at, events, withdrawals } = super::decode_batch(record)?;
        // What this version writes it reads.
        let events = events.iter().filter_map(|event| EncodedEvent::read(wire::encode_alone(event).into()));
        Ok(Self { owner, ingested_at, events: events.collect(), withdrawals })
    }
}

/// So deep a reader follows values inside values; what may be deeper is read by one.
const DEEP: usize = 100;

/// Whether attributes are an object, which a table holds as it is.
fn check(attributes: RowAttributes<'_>) -> Option<()> {
    let RowAttributes::Json(json) = attributes else { return Some(()) };
    let is_json = || serde_json::from_str::<IgnoredAny>(json).is_ok();
    let is_flat = || memchr::memchr2_iter(b'{', b'[', json.as_bytes()).take(DEEP).count() < DEEP;
    (json.is_empty() || (json.starts_with('{') && is_flat() && is_json())).then_some(())
}

pub(super) fn withdrawal(bytes: &[u8]) -> Option<Withdrawal> {
    let mut withdrawal = Withdrawal::default();
    for field in Fields::of(bytes) {
        match field? {
            (1, field) => field.text()?.clone_into(&mut withdrawal.session_id),
            (2, field) => field.text()?.clone_into(&mut withdrawal.trace_id),
            _ => return None,
        }
    }
    Some(withdrawal)
}

/// The row of an event as `proto/skillspan/v1/session.proto` has it; its fields are noted in `filled`.
pub(super) fn row<'e>(bytes: &'e [u8], filled: &mut Filled) -> Option<Row<'e>> {
    let mut row = Row::default();
    let mut kind = None;
    for field in Fields::of(bytes) {
        let (number, field) = field?;
        filled.note(number);
        match number {
            1 => row.event_id = field.text()?,
            2 => row.fact_key = field.text()?,
            3 => row.rank = field.sint64()?,
            4 => row.session_id = field.text()?,
            5 => row.turn_id = field.text()?,
            6 => row.seq = field.sint64()?,
            7 => kind = Some(wire::kind_from_wire(field.int32()?)?),
            8 => row.timestamp = Timestamp::from_micros(field.int64()?),
            9 => row.ingested_at = Timestamp::from_micros(field.int64()?),
            10 => row.duration_us = field.int64()?,
            11 => row.tenant = field.text()?,
            12 => row.workspace = field.text()?,
            13 => row.project = field.text()?,
            14 => row.cwd = field.text()?,
            15 => row.user_id = field.text()?,
            16 => row.service = field.text()?,
            17 => row.assistant = field.text()?,
            18 => row.assistant_version = field.text()?,
            19 => row.agent = field.text()?,
            20 => row.model = field.text()?,
            21 => row.tool = field.text()?,
            22 => row.tool_call_id = field.text()?,
            23 => row.text = field.text()?,
            24 => row.input = field.text()?,
            25 => row.output = field.text()?,
            26 => row.status = wire::status_from_wire(field.int32()?)?,
            27 => row.decision = wire::decision_from_wire(field.int32()?)?,
            28 => row.decision_source = field.text()?,
            29 => row.score = Some(field.double()?),
            30 => row.skill = field.text()?,
            31 => row.input_tokens = field.int64()?,
            32 => row.output_tokens = field.int64()?,
            33 => row.trace_id = field.text()?,
            34 => row.span_id = field.text()?,
            35 => row.parent_span_id = field.text()?,
            36 => row.history_before = field.text()?,
            37 => row.history_after = field.text()?,
            38 => row.dialect = field.text()?,
            39 => row.truncated = field.int64()? != 0,
            40 => row.attributes = RowAttributes::Json(field.text()?),
            _ => return None,
        }
    }
    row.kind = kind?;
    Some(row)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::{Decision, SessionEvent, Status};

    fn batch(events: Vec<SessionEvent>) -> EventBatch {
        let withdrawals = [Withdrawal { session_id: "s".into(), trace_id: "t".into() }].into();
        EventBatch { owner: Owner::default(), ingested_at: Timestamp::from_micros(7), events, withdrawals }
    }

    fn event() -> SessionEvent {
        SessionEvent {
            event_id: "e".into(),
            text: "größe".into(),
            rank: -3,
            seq: i64::MIN,
            score: Some(0.0),
            truncated: true,
            kind: Kind::Response,
            status: Status::Error,
            decision: Decision::Reject,
            timestamp: Timestamp::from_micros(-1),
            attributes: [("b".to_owned(), serde_json::json!([1.5, null])), ("a".to_owned(), "x".into())]
                .into(),
            ..SessionEvent::default()
        }
    }

    /// Rows with the values of their attributes: which name comes first says nothing.
    fn shown(rows: impl Iterator<Item = impl AsRow>) -> Vec<String> {
        let show = |row: Row<'_>| {
            let json = row.attributes.json();
            let attributes: serde_json::Value = serde_json::from_str(&json).unwrap_or_default();
            format!("{:?} {attributes}", Row { attributes: RowAttributes::default(), ..row })
        };
        rows.map(|event| show(event.as_row())).collect()
    }

    #[test]
    fn rows_of_a_record_are_those_of_its_events() {
        let written = batch(vec![event(), SessionEvent::default()]);
        let record = Bytes::from(crate::event::encode_batch(written.clone()));
        let viewed = EncodedBatch::view(&record).unwrap();
        assert_eq!(shown(viewed.events.iter().cloned()), shown(written.events.into_iter()));
        assert_eq!((viewed.owner, viewed.withdrawals), (written.owner, written.withdrawals));
        let rewritten = EncodedBatch::rewritten(&record).unwrap();
        assert_eq!(shown(viewed.events.into_iter()), shown(rewritten.events.into_iter()));
    }

    #[test]
    fn what_a_later_version_wrote_is_read_as_far_as_it_is_known() {
        let mut record = crate::event::encode_batch(batch(vec![event()]));
        prost::encoding::string::encode(99, &"new".to_owned(), &mut record);
        let read = EncodedBatch::read(&record.into()).unwrap();
        assert_eq!(shown(read.events.into_iter()), shown([event()].into_iter()));
    }

    proptest! {
        #[test]
        fn a_record_is_refused_if_and_only_if_its_events_are(at in 0_usize..400, bit in 0_u32..8) {
            let mut record = crate::event::encode_batch(batch(vec![event(), event()]));
            let length = record.len();
            record[at % length] ^= 1_u8 << bit;
            let record = Bytes::from(record);
            match (EncodedBatch::read(&record), crate::event::decode_batch(&record)) {
                (Ok(ours), Ok(theirs)) => {
                    prop_assert_eq!(shown(ours.events.into_iter()), shown(theirs.events.into_iter()));
                }
                (Err(_), Err(_)) => {}
                (ours, theirs) => prop_assert!(false, "{:?} {:?}", ours, theirs),
            }
        }
    }
}
