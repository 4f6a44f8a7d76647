//! What several targets do.

use std::collections::BTreeSet;

use std::sync::LazyLock;

use bytes::Bytes;
use skillspan::dialects::{Dialects, Outcome, Record};
use skillspan::event::{EventBatch, Owner, Timestamp, decode_batch, encode_batch};
use skillspan::processors::{Limits, Processor, Redact, Sent, Workspace};
use skillspan::receivers::otlp::{Coding, Encoding, Export};
use skillspan::receivers::{MemoryLimit, Signal, Source};
use skillspan::redact::Redactor;

static DIALECTS: LazyLock<Dialects> = LazyLock::new(Dialects::built_in);
static PROCESSORS: LazyLock<[Box<dyn Processor>; 3]> = LazyLock::new(|| {
    let redactor = Redactor::built_in().expect("the rules as shipped");
    let redact = Redact::new(redactor, ["process.owner".to_owned()]);
    [Box::new(redact), Box::new(Workspace::new(vec!["workspace".to_owned()])), Box::new(Limits::new(1 << 10))]
});

/// Reads a request of every signal as a receiver does, under a limit that some requests exceed.
#[allow(dead_code, reason = "not every target needs it")]
pub fn export(encoding: Encoding, bytes: &[u8]) {
    for signal in [Signal::Traces, Signal::Logs, Signal::Metrics] {
        let body = Bytes::copy_from_slice(bytes);
        let export = Export { signal, encoding, coding: Coding::Identity, body, limit: usize::MAX };
        let memory = MemoryLimit::new(1 << 20);
        let mut shown = 0;
        let read = export.read(&mut memory.lease(), &mut |record| {
            map(record);
            shown += 1;
        });
        if let Ok(tally) = read {
            assert!(signal == Signal::Metrics || tally.records == shown);
        }
        assert_eq!(memory.used(), 0);
    }
}

/// What becomes of a record, up to the bytes of the journal and back.
pub fn map(record: &Record<'_>) {
    let owner = Owner { tenant: "t".to_owned(), workspace: "w".to_owned() };
    let Outcome::Mapped(mut events) = DIALECTS.map(record, &owner, Timestamp::from_micros(1)) else { return };
    assert!(!events.is_empty());
    for processor in PROCESSORS.iter() {
        processor.process(&mut events, &Sent::NOTHING);
    }
    let batch =
        EventBatch { owner, ingested_at: Timestamp::from_micros(1), events, withdrawals: BTreeSet::new() };
    let decoded = decode_batch(&encode_batch(batch.clone())).expect("what was encoded is decoded");
    assert_eq!(format!("{decoded:?}"), format!("{batch:?}"));
}
