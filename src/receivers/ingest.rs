//! From a request's records to a durable answer: the one way in, whatever door a request came through.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::join_all;

use crate::dialects::{Dialects, Outcome, Reason, Record};
use crate::event::{Owner, SessionEvent, Timestamp, visible_line};
use crate::forward::Body;
use crate::journal::AppendError;
use crate::processors::Sent;

use super::auth::Sender;
use super::checked::Checked;
use super::counters::{DropLabels, EventLabels, ScopeLabels, SignalLabels};
use super::forwarding::{Arriving, Forwards, Known, Outgoing};
use super::payload::Payload;
use super::pipeline::{Pipeline, Way};
use super::{Caller, Counters, Lease, MemoryLimit, Refusal, Signal};

/// Clients name scopes; beyond this number, the rest is counted together.
const MAX_SCOPES: usize = 200;
/// Bytes of a scope's name that tell it from others: a longer one is a client's mistake, or its malice.
const MAX_SCOPE_NAME: usize = 200;

/// The memory that 1,024 bytes of a request take: expected before the first request, and the most that is expected
/// later.
const FIRST_GROWTH: usize = 1280;
const MOST_GROWTH: usize = 4096;

/// What an answer says about a failing disk; the journal logs the rest.
const NOT_WRITABLE: &str = "the journal cannot be written now";

/// Records that say themselves, or whose request says, that they are not to be stored.
const OPTED_OUT: DropLabels = DropLabels { dialect: "", reason: "opted_out" };

/// Maps, processes and journals the records of requests.
pub struct Ingest {
    dialects: Dialects,
    pipelines: Vec<Arc<Pipeline>>,
    forwards: Forwards,
    memory: MemoryLimit,
    counters: Counters,
    scopes: Mutex<BTreeMap<String, ()>>,
    /// What became of 1,024 bytes of the last request in the journal: the next is about the same.
    growth: AtomicUsize,
}

/// A request whose records can be read, one after the other.
pub trait Source: Send + 'static {
    /// What it carries.
    fn signal(&self) -> Signal;

    /// How many bytes its records take, about, where that is known; else 0.
    fn size(&self) -> usize {
        0
    }

    /// Whether it came on one of Langfuse's own paths.
    fn is_of_langfuse(&self) -> bool {
        false
    }

    /// Whether it is read faster than another thread wakes up.
    fn is_small(&self) -> bool;

    /// Whether its body holds anything; losing an empty request loses nothing.
    fn is_filled(&self) -> bool {
        true
    }

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
    /// Why the first of them was rejected; a remark for the client if none was; else `""`.
    pub message: String,
    /// Members of records, and of what surrounds them, that have no name of the protocol's.
    pub skipped: u64,
    /// What would have been stored, where that was the question.
    pub checked: Option<Box<Checked>>,
    /// The whole body, where it is one that can be forwarded.
    pub body: Option<Body>,
}

/// What becomes of a request.
struct Request {
    owner: Owner,
    /// See [`Caller`].
    is_confined: bool,
    sender: Sender,
    ingested_at: Timestamp,
    /// See [`Caller`].
    hops: String,
    /// One for each pipeline.
    ways: Vec<Way>,
}

impl Ingest {
    /// What a receiver does with records: every one of `pipelines` has them. Requests in flight share
    /// `memory`.
    pub fn new(
        dialects: Dialects,
        pipelines: Vec<Arc<Pipeline>>,
        memory: MemoryLimit,
        counters: Counters,
    ) -> Self {
        let (forwards, growth) = (Forwards::default(), AtomicUsize::new(FIRST_GROWTH));
        Self { dialects, pipelines, forwards, memory, counters, scopes: Mutex::default(), growth }
    }

    /// The same, with queues for other backends: these have bodies as they came.
    #[must_use]
    pub fn with_forwards(self, forwards: Forwards) -> Self {
        Self { forwards, ..self }
    }

    /// The counters, for the doors.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The memory that requests in flight share, for the doors.
    pub fn memory(&self) -> &MemoryLimit {
        &self.memory
    }

    /// Why nothing can be stored now, if so.
    pub fn obstacle(&self) -> Option<String> {
        if self.memory.is_short() {
            return Some("requests in flight take all of memory_limit".to_owned());
        }
        self.pipelines.iter().find_map(|pipeline| {
            let status = pipeline.journal.status();
            let obstacle = status.obstacle()?;
            // What the disk says names its folders; that is for the log and for `/status`.
            Some(if status.writable { obstacle } else { NOT_WRITABLE.to_owned() })
        })
    }

    /// Stores what the records say. Returns once it is durable in every pipeline, or says why it is not in
    /// one of them: what others have by then are the same facts, by their ids, as those of a retry.
    pub async fn accept(
        self: &Arc<Self>,
        source: impl Source,
        caller: Caller,
        lease: Lease,
    ) -> Result<Tally, Refusal> {
        let (capture, is_check) = (caller.capture, caller.is_check);
        if is_check {
            return self.look(source, &Request::new(caller, &[], &self.memory, 0), lease);
        }
        let is_of_langfuse = source.is_of_langfuse();
        self.forwards.admit(&Arriving {
            signal: source.signal(),
            is_of_langfuse,
            tenant: &caller.owner.tenant,
        })?;
        let size = source.size();
        let expected = size.saturating_mul(self.growth.load(Ordering::Relaxed)) / 1024;
        let mut request = Request::new(caller, &self.pipelines, &self.memory, expected);
        let (prepared, request) = if source.is_small() {
            (self.prepare(source, capture, &mut request, lease)?, request)
        } else {
            let turn = self.memory.turn().await;
            let ingest = Arc::clone(self);
            let work = move || {
                let _turn = turn;
                Ok((ingest.prepare(source, capture, &mut request, lease)?, request))
            };
            let failed = |_| Refusal::unavailable("the request could not be mapped");
            tokio::task::spawn_blocking(work).await.map_err(failed)??
        };
        if let Some(way) = request.ways.first().filter(|_| size > 0) {
            let growth = way.payload.bytes().saturating_mul(1024) / size;
            self.growth.store(growth.min(MOST_GROWTH), Ordering::Relaxed);
        }
        let journals = self.pipelines.iter().map(|pipeline| &pipeline.journal);
        let (payloads, arriving): (Vec<_>, Vec<_>) =
            request.ways.into_iter().map(|way| (way.payload, way.arriving)).unzip();
        let appends = journals.zip(payloads).map(|(journal, payload)| payload.append_to(journal));
        // All of them, also after one has failed: once there is an answer nothing is under way.
        join_all(appends).await.into_iter().collect::<Result<Vec<_>, _>>().map_err(refusal)?;
        arriving.into_iter().for_each(|arriving| self.counters.arrivals.add(arriving));
        let (tally, counts, outgoing) = prepared;
        outgoing.push().await?;
        for (labels, count) in counts.0 {
            self.counters.events.get_or_create(&labels).inc_by(count);
        }
        Ok(tally)
    }

    /// What would become of a request: what is mapped and processed as if it were stored, and is not. A wish
    /// not to be stored changes nothing, for nothing is.
    fn look(&self, source: impl Source, request: &Request, mut lease: Lease) -> Result<Tally, Refusal> {
        if !source.is_small() {
            return Err(Refusal::TooLarge("a request that only asks is short and not compressed".to_owned()));
        }
        if let Some(obstacle) = self.obstacle() {
            return Err(Refusal::unavailable(obstacle));
        }
        let signal = source.signal();
        let mut found: Vec<Checked> = self.pipelines.iter().map(|_| Checked::of(&request.owner)).collect();
        let workspace = request.workspace().map(str::to_owned);
        let tally = source.read(&mut lease, &mut |record| {
            let events = self.map(record, request, signal);
            let attributes = |name: &str| record.sent(name);
            let sent = Sent { attributes: &attributes, workspace: workspace.as_deref() };
            for (pipeline, found) in self.pipelines.iter().zip(&mut found) {
                pipeline.processed(events.clone(), &sent).iter().for_each(|event| found.add(event));
            }
        })?;
        // What one pipeline leaves out another may keep.
        let checked = found.into_iter().max_by_key(|found| found.facts).map(Box::new);
        Ok(Tally { checked, body: None, ..tally })
    }

    /// Fills the payloads of a request. Record by record, so that never more than one of them is in
    /// memory as more than bytes.
    fn prepare(
        &self,
        source: impl Source,
        capture: bool,
        request: &mut Request,
        mut lease: Lease,
    ) -> Result<(Tally, EventCounts, Outgoing), Refusal> {
        let (signal, is_filled) = (source.signal(), source.is_filled());
        let mut counts = EventCounts::default();
        let mut opted_out = BTreeSet::new();
        let mut stored = Ok(());
        let mut tally = source.read(&mut lease, &mut |record| {
            // A request that has run out of memory is read on, cheaply, and refused.
            if !capture || record.is_opted_out() {
                self.counters.dropped.get_or_create(&OPTED_OUT).inc();
                opted_out.extend(self.sessions_of(record, request));
            } else if stored.is_ok() {
                stored = self.store(record, signal, request, &mut counts);
            }
        })?;
        stored?;
        for (pipeline, way) in self.pipelines.iter().zip(&mut request.ways) {
            pipeline.settle(way)?;
            for withdrawal in pipeline.withdrawals(&opted_out, way) {
                way.payload.withdraw(withdrawal)?;
            }
            for (reason, count) in [("filtered", way.filtered), ("sampled", way.sampled)] {
                if count > 0 {
                    self.counters.dropped.get_or_create(&DropLabels { dialect: "", reason }).inc_by(count);
                }
            }
        }
        self.count_records(signal, &tally, is_filled);
        let outgoing = match tally.body.take().filter(|_| capture) {
            Some(body) => self.forwards.prepare(signal, &body, &request.known(), &self.memory)?,
            None => Outgoing::default(),
        };
        Ok((tally, counts, outgoing))
    }

    /// From one record to the encoded events that it became.
    fn store(
        &self,
        record: &Record<'_>,
        signal: Signal,
        request: &mut Request,
        counts: &mut EventCounts,
    ) -> Result<(), Refusal> {
        let events = self.map(record, request, signal);
        events.iter().for_each(|event| counts.add(event));
        let size: usize = events.iter().map(SessionEvent::size_in_memory).sum();
        let mut for_events = self.memory.lease();
        for_events.grow(size)?;
        let workspace = request.workspace().map(str::to_owned);
        let attributes = |name: &str| record.sent(name);
        let sent = Sent { attributes: &attributes, workspace: workspace.as_deref() };
        let mut ways = self.pipelines.iter().zip(&mut request.ways);
        let last = ways.next_back();
        for (pipeline, way) in ways {
            // Each pipeline changes a copy of its own, one after the other.
            let mut for_copy = self.memory.lease();
            for_copy.grow(size)?;
            pipeline.store(events.clone(), &sent, way)?;
        }
        last.map_or(Ok(()), |(pipeline, way)| pipeline.store(events, &sent, way))
    }

    fn map(&self, record: &Record<'_>, request: &Request, signal: Signal) -> Vec<SessionEvent> {
        let outcome = self.dialects.map(record, &request.owner, request.ingested_at);
        for (reason, parts) in record.losses() {
            let dialect = self.dialects.name_of(record);
            self.counters.lost.get_or_create(&DropLabels { dialect, reason }).inc_by(parts);
            self.counters.losses.note(dialect, reason, parts);
        }
        match outcome {
            Outcome::Mapped(mut events) => {
                let settled = events.iter_mut().map(|event| u64::from(request.sender.settle(event)));
                let taken: u64 = settled.sum();
                // Whose dialect it is takes asking all of them, which hardly any record needs.
                if taken > 0 {
                    let dialect = self.dialects.name_of(record);
                    self.counters.losses.note(dialect, "name_of_a_credential", taken);
                }
                return events;
            }
            Outcome::Dropped { dialect, reason } => {
                let labels = DropLabels { dialect, reason: reason.as_str() };
                self.counters.dropped.get_or_create(&labels).inc();
                if matches!(reason, Reason::Incomplete | Reason::UnknownName) {
                    self.counters.losses.note(dialect, reason.as_str(), 1);
                }
            }
            Outcome::Unrecognised => self.count_unrecognised(signal, record.scope_name()),
        }
        Vec::new()
    }

    /// The sessions that an opted-out record names; nothing else of it is kept.
    fn sessions_of(&self, record: &Record<'_>, request: &Request) -> BTreeSet<(String, String)> {
        match self.dialects.map(record, &request.owner, request.ingested_at) {
            Outcome::Mapped(events) => {
                events.into_iter().map(|event| (event.session_id, event.trace_id)).collect()
            }
            Outcome::Dropped { .. } | Outcome::Unrecognised => BTreeSet::new(),
        }
    }

    fn count_records(&self, signal: Signal, tally: &Tally, is_filled: bool) {
        let labels = SignalLabels { signal: signal.as_str() };
        self.counters.received.get_or_create(&labels).inc_by(tally.records + tally.rejected);
        let dropped = |reason, count: u64| {
            if count > 0 {
                self.counters.dropped.get_or_create(&DropLabels { dialect: "", reason }).inc_by(count);
            }
        };
        dropped("unreadable", tally.rejected);
        let lost = |reason, count: u64| {
            if count > 0 {
                self.counters.lost.get_or_create(&DropLabels { dialect: "", reason }).inc_by(count);
                self.counters.losses.note("", reason, count);
            }
        };
        self.counters.losses.note("", "unreadable", tally.rejected);
        lost("unknown_member", tally.skipped);
        lost("no_records", u64::from(is_filled && tally.records + tally.rejected == 0));
        let is_for_nobody = signal == Signal::Metrics && !self.forwards.takes(signal);
        dropped("metrics", if is_for_nobody { tally.records } else { 0 });
    }

    fn count_unrecognised(&self, signal: Signal, scope: &str) {
        // People read metrics too.
        let scope = visible_line(scope.get(..scope.floor_char_boundary(MAX_SCOPE_NAME)).unwrap_or_default());
        let scope = scope.as_ref();
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

impl Request {
    /// Nothing yet, from `caller`, now; about `expected` bytes will be encoded.
    fn new(caller: Caller, pipelines: &[Arc<Pipeline>], memory: &MemoryLimit, expected: usize) -> Self {
        let Caller { owner, is_confined, sender, hops, .. } = caller;
        let ingested_at = Timestamp::now();
        let way = |pipeline: &Arc<Pipeline>| {
            let payload = Payload::new(&owner, ingested_at, &pipeline.journal, memory.lease());
            Way::new(payload.expecting(expected), memory.lease())
        };
        Self { ways: pipelines.iter().map(way).collect(), owner, is_confined, sender, ingested_at, hops }
    }

    /// The facts about a request that are not in its body.
    fn known(&self) -> Known<'_> {
        let Self { owner, is_confined, sender, ingested_at, hops, .. } = self;
        Known { owner, is_confined: *is_confined, sender, ingested_at: *ingested_at, hops }
    }

    /// The workspace that a credential names for all of its events.
    fn workspace(&self) -> Option<&str> {
        self.is_confined.then_some(self.owner.workspace.as_str())
    }
}

/// Events by dialect and kind: of a request there are many, and few kinds.
#[derive(Default)]
struct EventCounts(Vec<(EventLabels, u64)>);

impl EventCounts {
    fn add(&mut self, event: &SessionEvent) {
        let kind = event.kind.as_str();
        let same = |labels: &EventLabels| labels.kind == kind && labels.dialect == event.dialect;
        match self.0.iter_mut().find(|(labels, _)| same(labels)) {
            Some((_, count)) => *count += 1,
            None => self.0.push((EventLabels { dialect: event.dialect.clone(), kind }, 1)),
        }
    }
}

/// What an answer says: no path of this machine.
fn refusal(error: AppendError) -> Refusal {
    match error {
        AppendError::TooLarge { .. } => Refusal::TooLarge(error.to_string()),
        AppendError::Full { .. } | AppendError::Closed => Refusal::unavailable(error.to_string()),
        _ => {
            tracing::debug!("a request is refused: {error}");
            Refusal::unavailable(NOT_WRITABLE)
        }
    }
}
