//! The readers on bytes, without a socket, and what they are compared with.

use bytes::Bytes;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use skillspan::dialects::Record;
use skillspan::event::RecordDigest;
use skillspan::receivers::otlp::{Coding, Encoding, Export};
use skillspan::receivers::{MemoryLimit, Refusal, Signal, Source, Tally};

/// A record as a reader shows it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    pub(crate) span: Option<Span>,
    pub(crate) log: Option<LogRecord>,
    pub(crate) scope: String,
    /// Of the record, its resource and its scope: what event ids are made of.
    pub(crate) digest: RecordDigest,
}

/// What a reader makes of a body.
pub(crate) fn read(signal: Signal, encoding: Encoding, body: &[u8]) -> Result<(Vec<Seen>, Tally), Refusal> {
    let body = Bytes::copy_from_slice(body);
    let export = Export { signal, encoding, coding: Coding::Identity, body, limit: usize::MAX };
    let mut seen = Vec::new();
    let mut tally = export.read(&mut MemoryLimit::new(usize::MAX).lease(), &mut |record| {
        seen.push(Seen::of(record));
    })?;
    // The body itself differs between encodings; `tests/forward` looks at it.
    tally.body = None;
    Ok((seen, tally))
}

/// The spans of a JSON request that has to be readable as a whole.
pub(crate) fn spans(json: &str) -> Vec<Span> {
    let (seen, tally) = read(Signal::Traces, Encoding::Json, json.as_bytes()).unwrap();
    assert_eq!((tally.rejected, tally.message.as_str()), (0, ""), "{json}");
    seen.into_iter().map(|seen| seen.span.unwrap()).collect()
}

/// The log records of a JSON request that has to be readable as a whole.
pub(crate) fn logs(json: &str) -> Vec<LogRecord> {
    let (seen, tally) = read(Signal::Logs, Encoding::Json, json.as_bytes()).unwrap();
    assert_eq!((tally.rejected, tally.message.as_str()), (0, ""), "{json}");
    seen.into_iter().map(|seen| seen.log.unwrap()).collect()
}

impl Seen {
    fn of(record: &Record<'_>) -> Self {
        Self {
            span: record.as_span().cloned(),
            log: record.as_log().cloned(),
            scope: record.scope_name().to_owned(),
            digest: record.digest(),
        }
    }
}
