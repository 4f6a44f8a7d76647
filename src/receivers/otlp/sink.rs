//! Where both readers put their records: it passes on good ones and counts bad ones.

use std::cell::OnceCell;

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;

use crate::dialects::Record;
use crate::event::SurroundingsDigest;
use crate::receivers::{Lease, Refusal, Tally};

/// Attributes, list items, events and links of one record, resource or scope. Two bytes on the wire
/// can stand for a hundred in memory; no client comes near this.
const MAX_VALUES: u32 = 100_000;
/// Values inside values. Deeper than JSON that people and models write, shallower than any stack.
const MAX_DEPTH: u32 = 32;
/// Bytes of records, each with the bytes of its resource and scope: these are looked at again for every
/// record, so that a large resource with many small records is more work than its size tells.
const MAX_WORK: usize = 512 << 20;
/// What the smallest record costs, in the same currency.
const RECORD_WORK: usize = 256;
/// The record that is being read is in memory so often beside the request and its events: decoded, and
/// encoded for its digest or parsed by its dialect.
const COPIES: usize = 2;

/// A record, a resource or a scope cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::receivers) struct Unreadable(pub(in crate::receivers) String);

/// What a record may still contain.
pub(in crate::receivers) struct Room {
    values: u32,
    /// Members that were stepped over.
    skipped: u64,
}

/// A record or what surrounds it, a resource or a scope, and its length on the wire.
pub(super) struct Around<T> {
    pub(super) message: Result<T, Unreadable>,
    pub(super) bytes: usize,
    /// Of a scope and its resource.
    digest: OnceCell<SurroundingsDigest>,
}

/// The records of one request.
pub(super) struct Sink<'v> {
    visit: &'v mut dyn FnMut(&Record<'_>),
    lease: &'v mut Lease,
    tally: Tally,
    work: usize,
    room: usize,
}

impl Room {
    pub(in crate::receivers) const fn new() -> Self {
        Self { values: MAX_VALUES, skipped: 0 }
    }

    /// A member of a name that is not OTLP's was stepped over.
    pub(in crate::receivers) const fn skip(&mut self) {
        self.skipped += 1;
    }

    /// How many members were stepped over.
    pub(in crate::receivers) const fn skipped(&self) -> u64 {
        self.skipped
    }

    /// One value more, at the given depth of values inside values.
    pub(in crate::receivers) fn take(&mut self, depth: u32) -> Result<(), Unreadable> {
        if depth > MAX_DEPTH {
            return Err(Unreadable(format!("values are nested deeper than {MAX_DEPTH} levels")));
        }
        self.values = self
            .values
            .checked_sub(1)
            .ok_or_else(|| Unreadable(format!("it holds more than {MAX_VALUES} values")))?;
        Ok(())
    }
}

impl<T> Around<T> {
    pub(super) fn new(message: Result<T, Unreadable>, bytes: usize) -> Self {
        Self { message, bytes, digest: OnceCell::new() }
    }
}

impl<T: Default> Default for Around<T> {
    fn default() -> Self {
        Self::new(Ok(T::default()), 0)
    }
}

impl<'v> Sink<'v> {
    /// `lease` pays for the records while they are read.
    pub(super) fn new(lease: &'v mut Lease, visit: &'v mut dyn FnMut(&Record<'_>)) -> Self {
        Self { visit, lease, tally: Tally::default(), work: 0, room: 0 }
    }

    /// Call it before reading a message of this size on the wire, its envelope included. Messages share the room of the
    /// largest one.
    pub(super) fn make_room(&mut self, bytes: usize) -> Result<(), Refusal> {
        if let Some(more) = bytes.checked_sub(self.room) {
            self.lease.grow(more.saturating_mul(COPIES))?;
            self.room = bytes;
        }
        Ok(())
    }

    pub(super) fn span(
        &mut self,
        resource: &Around<Resource>,
        scope: &Around<InstrumentationScope>,
        span: &Around<Span>,
    ) -> Result<(), Refusal> {
        self.work(resource.bytes + scope.bytes + span.bytes)?;
        match (&resource.message, &scope.message, &span.message) {
            (Ok(resource), Ok(of), Ok(span)) => {
                self.show(&Record::span(resource, of, span).with_digest_of_surroundings(&scope.digest));
            }
            (Err(error), _, _) => self.reject("resource", error),
            (_, Err(error), _) => self.reject("scope", error),
            (_, _, Err(error)) => self.reject("span", error),
        }
        Ok(())
    }

    pub(super) fn log(
        &mut self,
        resource: &Around<Resource>,
        scope: &Around<InstrumentationScope>,
        log: &Around<LogRecord>,
    ) -> Result<(), Refusal> {
        self.work(resource.bytes + scope.bytes + log.bytes)?;
        match (&resource.message, &scope.message, &log.message) {
            (Ok(resource), Ok(of), Ok(log)) => {
                self.show(&Record::log(resource, of, log).with_digest_of_surroundings(&scope.digest));
            }
            (Err(error), _, _) => self.reject("resource", error),
            (_, Err(error), _) => self.reject("scope", error),
            (_, _, Err(error)) => self.reject("log record", error),
        }
        Ok(())
    }

    /// A metric: counted, not shown.
    pub(super) fn metric(&mut self) {
        self.tally.records += 1;
    }

    /// Members of names that are not OTLP's were stepped over.
    pub(super) const fn skip(&mut self, members: u64) {
        self.tally.skipped += members;
    }

    /// Something that the client should know although nothing is rejected for it.
    pub(super) fn warn(&mut self, message: impl FnOnce() -> String) {
        if self.tally.message.is_empty() {
            self.tally.message = message();
        }
    }

    pub(super) fn into_tally(self) -> Tally {
        self.tally
    }

    fn show(&mut self, record: &Record<'_>) {
        self.tally.records += 1;
        (self.visit)(record);
    }

    fn reject(&mut self, what: &str, Unreadable(error): &Unreadable) {
        self.tally.rejected += 1;
        self.warn(|| format!("{what} cannot be read: {error}"));
    }

    fn work(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.work += bytes + RECORD_WORK;
        if self.work > MAX_WORK {
            return Err(Refusal::Malformed(
                "too many records, or too large a resource for so many of them".to_owned(),
            ));
        }
        Ok(())
    }
}
