//! From a request's records to a durable answer: the one way in, whatever door a request came through.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio::sync::Semaphore;

use crate::dialects::{Dialects, Outcome, Record};
use crate::event::{EventBatch, Owner, SessionEvent, Timestamp, Withdrawal, encode_batch};
use crate::journal::{AppendError, Journal};
use crate::processors::Processor;

use super::counters::{DropLabels, EventLabels, ScopeLabels, SignalLabels};
use super::{Caller, Counters, Lease, MemoryLimit, Refusal, Signal};

/// Scopes are named by clients; beyond so many of them the rest is counted together.
const MAX_SCOPES: usize = 200;

/// Records that say themselves, or whose request says, that they are not to be stored.
const OPTED_OUT: DropLabels = DropLabels { dialect: "", reason: "opted_out" };

/// Maps, processes and journals the records of requests.
pub struct Ingest {
    dialects: Dialects,
    processors: Vec<Box<dyn Processor>>,
    journal: Journal,
    memory: MemoryLimit,
    counters: Counters,
    scopes: Mutex<BTreeMap<String, ()>>,
    /// One for each large request that is being decoded: more than there are cores would only hold
    /// more memory.
    decoders: Semaphore,
}

/// A request whose records can be read, one after the other.
pub trait Source: Send + 'static {
    /// What it carries.
    fn signal(&self) -> Signal;

    /// Whether it is read faster than another thread wakes up.
    fn is_small(&self) -> bool;

    /// Shows every readable record to `visit`, in order. `lease` pays for the request as received, and
    /// for what reading it takes on top.
    fn read(self, lease: &mut Lease, visit: &mut dyn FnMut(&Record<'_>)) -> Result<Tally, Refusal>;
}

/// What became of the records of a request that was accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Records that could be read.
    pub records: u64,
    /// Records that could not: they are lost, the others are stored.
    pub rejected: u64,
    /// Why, for the first of them; or, if none was rejected, what the client should know; else `""`.
    pub message: String,
}

impl Ingest {
    /// What a sessions pipeline does with records; requests in flight share `memory`.
    pub fn new(
        dialects: Dialects,
        processors: Vec<Box<dyn Processor>>,
        journal: Journal,
        memory: MemoryLimit,
        counters: Counters,
    ) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let decoders = Semaphore::new(cores);
        Self { dialects, processors, journal, memory, counters, scopes: Mutex::default(), decoders }
    }

    /// The counters, for the doors.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The memory that requests in flight share, for the doors.
    pub fn memory(&self) -> &MemoryLimit {
        &self.memory
    }

    /// Stores what the records say. Returns once it is durable, or says why it is not.
    pub async fn accept(
        self: &Arc<Self>,
        source: impl Source,
        caller: Caller,
        mut lease: Lease,
    ) -> Result<Tally, Refusal> {
        let ingested_at = Timestamp::now();
        let (tally, payload, _lease) = if source.is_small() {
            let (tally, payload) = self.prepare(source, caller, ingested_at, &mut lease)?;
            (tally, payload, lease)
        } else {
            let _turn = self.decoders.acquire().await;
            let ingest = Arc::clone(self);
            let work = move || {
                let (tally, payload) = ingest.prepare(source, caller, ingested_at, &mut lease)?;
                Ok((tally, payload, lease))
            };
            let failed = |_| Refusal::unavailable("the request could not be mapped");
            tokio::task::spawn_blocking(work).await.map_err(failed)??
        };
        if let Some(payload) = payload {
            self.journal.append(payload).await.map_err(refusal)?;
        }
        Ok(tally)
    }

    /// The journal record of a request; nothing if no event came of it.
    fn prepare(
        &self,
        source: impl Source,
        caller: Caller,
        ingested_at: Timestamp,
        lease: &mut Lease,
    ) -> Result<(Tally, Option<Vec<u8>>), Refusal> {
        let signal = source.signal();
        let Caller { owner, capture } = caller;
        let mut events = Vec::new();
        let mut opted_out = BTreeSet::new();
        let mut paid = Ok(());
        let mut for_events = self.memory.lease();
        let tally = source.read(lease, &mut |record| {
            // A request that has run out of memory is read on, cheaply, and refused.
            if !capture || record.is_opted_out() {
                self.counters.dropped.get_or_create(&OPTED_OUT).inc();
                opted_out.extend(self.sessions_of(record, &owner, ingested_at));
            } else if paid.is_ok() {
                let new = self.map(record, &owner, ingested_at, signal);
                paid = for_events.grow(new.iter().map(weight).sum());
                events.extend(new);
            }
        })?;
        paid?;
        self.count_records(signal, &tally);
        for processor in &self.processors {
            processor.process(&mut events);
        }
        self.count_events(&events);
        let withdrawals = self.withdrawals(opted_out);
        let is_empty = events.is_empty() && withdrawals.is_empty();
        let batch = EventBatch { owner, ingested_at, events, withdrawals };
        let payload = (!is_empty).then(|| encode_batch(batch));
        // The events are gone, and with them what they were paid for; the payload remains.
        drop(for_events);
        lease.grow(payload.as_ref().map_or(0, Vec::len))?;
        Ok((tally, payload))
    }

    fn map(
        &self,
        record: &Record<'_>,
        owner: &Owner,
        ingested_at: Timestamp,
        signal: Signal,
    ) -> Vec<SessionEvent> {
        match self.dialects.map(record, owner, ingested_at) {
            Outcome::Mapped(events) => return events,
            Outcome::Dropped { dialect, reason } => {
                let labels = DropLabels { dialect, reason: reason.as_str() };
                self.counters.dropped.get_or_create(&labels).inc();
            }
            Outcome::Unrecognised => self.count_unrecognised(signal, record.scope_name()),
        }
        Vec::new()
    }

    /// The sessions that an opted-out record names; nothing else of it is kept.
    fn sessions_of(
        &self,
        record: &Record<'_>,
        owner: &Owner,
        ingested_at: Timestamp,
    ) -> BTreeSet<(String, String)> {
        match self.dialects.map(record, owner, ingested_at) {
            Outcome::Mapped(events) => {
                events.into_iter().map(|event| (event.session_id, event.trace_id)).collect()
            }
            Outcome::Dropped { .. } | Outcome::Unrecognised => BTreeSet::new(),
        }
    }

    /// The sessions as the rows of the table name them: their names pass the processors as well.
    fn withdrawals(&self, sessions: BTreeSet<(String, String)>) -> BTreeSet<Withdrawal> {
        let mut named: Vec<SessionEvent> = sessions
            .into_iter()
            .filter(|(session_id, trace_id)| !session_id.is_empty() || !trace_id.is_empty())
            .map(|(session_id, trace_id)| SessionEvent { session_id, trace_id, ..SessionEvent::default() })
            .collect();
        for processor in &self.processors {
            processor.process(&mut named);
        }
        let withdrawals = named.into_iter();
        withdrawals
            .map(|SessionEvent { session_id, trace_id, .. }| Withdrawal { session_id, trace_id })
            .collect()
    }

    fn count_records(&self, signal: Signal, tally: &Tally) {
        let labels = SignalLabels { signal: signal.as_str() };
        self.counters.received.get_or_create(&labels).inc_by(tally.records + tally.rejected);
        let dropped = |reason, count: u64| {
            if count > 0 {
                self.counters.dropped.get_or_create(&DropLabels { dialect: "", reason }).inc_by(count);
            }
        };
        dropped("unreadable", tally.rejected);
        dropped("metrics", if signal == Signal::Metrics { tally.records } else { 0 });
    }

    fn count_events(&self, events: &[SessionEvent]) {
        for event in events {
            let labels = EventLabels { dialect: event.dialect.clone(), kind: event.kind.as_str() };
            self.counters.events.get_or_create(&labels).inc();
        }
    }

    fn count_unrecognised(&self, signal: Signal, scope: &str) {
        let mut known = self.scopes.lock().unwrap_or_else(PoisonError::into_inner);
        let scope = if known.contains_key(scope) || known.len() < MAX_SCOPES {
            known.entry(scope.to_owned()).or_default();
            scope
        } else {
            "(others)"
        };
        let labels = ScopeLabels { signal: signal.as_str(), scope: scope.to_owned() };
        self.counters.unrecognised.get_or_create(&labels).inc();
    }
}

/// About what an event takes in memory, encoded once on top.
fn weight(event: &SessionEvent) -> usize {
    let texts = [
        &event.text,
        &event.input,
        &event.output,
        &event.service,
        &event.cwd,
        &event.user_id,
        &event.session_id,
        &event.tool,
        &event.model,
        &event.workspace,
    ];
    let texts: usize = texts.into_iter().map(String::len).sum();
    let attributes: usize =
        event.attributes.iter().map(|(name, value)| name.len() + weight_of_json(value)).sum();
    size_of::<SessionEvent>() + 2 * (texts + attributes)
}

fn weight_of_json(value: &Value) -> usize {
    let inside = match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(weight_of_json).sum(),
        Value::Object(fields) => fields.iter().map(|(name, value)| name.len() + weight_of_json(value)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    };
    size_of::<Value>() + inside
}

fn refusal(error: AppendError) -> Refusal {
    match error {
        AppendError::TooLarge { .. } => Refusal::TooLarge(error.to_string()),
        _ => Refusal::unavailable(error.to_string()),
    }
}
