//! From decoded records to a durable answer: the one way in, whatever door a request came through.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry_proto::tonic::logs::v1::ResourceLogs;
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;

use crate::dialects::{Dialects, Outcome, Record};
use crate::event::{EventBatch, Owner, SessionEvent, Timestamp, encode_batch};
use crate::journal::{AppendError, Journal};
use crate::processors::Processor;

use super::Counters;
use super::counters::{DropLabels, EventLabels, ScopeLabels, SignalLabels};

/// Requests larger than this are mapped off the reactor.
const INLINE_RECORDS: usize = 16;
/// Scopes are named by clients; beyond so many of them the rest is counted together.
const MAX_SCOPES: usize = 200;

/// Maps, processes and journals the records of requests.
pub struct Ingest {
    dialects: Dialects,
    processors: Vec<Box<dyn Processor>>,
    journal: Journal,
    counters: Counters,
    scopes: Mutex<BTreeMap<String, ()>>,
}

/// The records of one request.
#[derive(Debug)]
pub enum Records {
    /// Spans.
    Traces(Vec<ResourceSpans>),
    /// Log records.
    Logs(Vec<ResourceLogs>),
}

/// Why a request was not accepted. Nothing of it was stored, or nothing that is promised to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not now; the client is to send the same again.
    #[error("{reason}; try again in {}s", retry_after.as_secs())]
    Unavailable {
        /// What is in the way.
        reason: String,
        /// How long to wait.
        retry_after: Duration,
    },
    /// Never: the request is larger than a journal record may be.
    #[error("{0}; send smaller batches")]
    TooLarge(String),
}

impl Ingest {
    /// What a sessions pipeline does with records.
    pub fn new(
        dialects: Dialects,
        processors: Vec<Box<dyn Processor>>,
        journal: Journal,
        counters: Counters,
    ) -> Self {
        Self { dialects, processors, journal, counters, scopes: Mutex::default() }
    }

    /// The counters, for the doors.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Stores what the records say. Returns once it is durable, or says why it is not.
    pub async fn accept(self: &Arc<Self>, records: Records, owner: Owner) -> Result<(), Refusal> {
        let count = records.len();
        self.counters
            .received
            .get_or_create(&SignalLabels { signal: records.signal() })
            .inc_by(u64::try_from(count).unwrap_or(u64::MAX));
        let ingested_at = Timestamp::now();
        let payload = if count <= INLINE_RECORDS {
            self.prepare(&records, owner, ingested_at)
        } else {
            let ingest = Arc::clone(self);
            tokio::task::spawn_blocking(move || ingest.prepare(&records, owner, ingested_at))
                .await
                .map_err(|_| unavailable("the request could not be mapped"))?
        };
        match payload {
            Some(payload) => self.journal.append(payload).await.map(drop).map_err(refusal),
            None => Ok(()),
        }
    }

    /// The journal record of a request; nothing if no event came of it.
    fn prepare(&self, records: &Records, owner: Owner, ingested_at: Timestamp) -> Option<Vec<u8>> {
        let mut events = Vec::new();
        records.for_each(|record| match self.dialects.map(record, &owner, ingested_at) {
            Outcome::Mapped(mapped) => events.extend(mapped),
            Outcome::Dropped { dialect, reason } => {
                let labels = DropLabels { dialect, reason: reason.as_str() };
                self.counters.dropped.get_or_create(&labels).inc();
            }
            Outcome::Unrecognised => self.count_unrecognised(records.signal(), record.scope_name()),
        });
        for processor in &self.processors {
            processor.process(&mut events);
        }
        self.count_events(&events);
        (!events.is_empty()).then(|| encode_batch(EventBatch { owner, ingested_at, events }))
    }

    fn count_events(&self, events: &[SessionEvent]) {
        for event in events {
            let labels = EventLabels { dialect: event.dialect.clone(), kind: event.kind.as_str() };
            self.counters.events.get_or_create(&labels).inc();
        }
    }

    fn count_unrecognised(&self, signal: &'static str, scope: &str) {
        let mut known = self.scopes.lock().unwrap_or_else(PoisonError::into_inner);
        let scope = if known.contains_key(scope) || known.len() < MAX_SCOPES {
            known.entry(scope.to_owned()).or_default();
            scope
        } else {
            "(others)"
        };
        let labels = ScopeLabels { signal, scope: scope.to_owned() };
        self.counters.unrecognised.get_or_create(&labels).inc();
    }
}

impl Records {
    /// How many spans or log records there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Traces(resources) => resources
                .iter()
                .flat_map(|resource| &resource.scope_spans)
                .map(|scope| scope.spans.len())
                .sum(),
            Self::Logs(resources) => resources
                .iter()
                .flat_map(|resource| &resource.scope_logs)
                .map(|scope| scope.log_records.len())
                .sum(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    const fn signal(&self) -> &'static str {
        match self {
            Self::Traces(_) => "traces",
            Self::Logs(_) => "logs",
        }
    }

    fn for_each(&self, mut visit: impl FnMut(&Record<'_>)) {
        let (no_resource, no_scope) = (Default::default(), Default::default());
        match self {
            Self::Traces(resources) => {
                for resource_spans in resources {
                    let resource = resource_spans.resource.as_ref().unwrap_or(&no_resource);
                    for scope_spans in &resource_spans.scope_spans {
                        let scope = scope_spans.scope.as_ref().unwrap_or(&no_scope);
                        scope_spans.spans.iter().for_each(|span| visit(&Record::span(resource, scope, span)));
                    }
                }
            }
            Self::Logs(resources) => {
                for resource_logs in resources {
                    let resource = resource_logs.resource.as_ref().unwrap_or(&no_resource);
                    for scope_logs in &resource_logs.scope_logs {
                        let scope = scope_logs.scope.as_ref().unwrap_or(&no_scope);
                        scope_logs
                            .log_records
                            .iter()
                            .for_each(|log| visit(&Record::log(resource, scope, log)));
                    }
                }
            }
        }
    }
}

fn refusal(error: AppendError) -> Refusal {
    match error {
        AppendError::TooLarge { .. } => Refusal::TooLarge(error.to_string()),
        _ => unavailable(&error.to_string()),
    }
}

fn unavailable(reason: &str) -> Refusal {
    Refusal::Unavailable { reason: reason.to_owned(), retry_after: Duration::from_secs(5) }
}
