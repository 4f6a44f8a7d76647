//! What every protocol does with a body once it knows what it is.

use std::sync::Arc;

use axum::body::Body;
use axum::http::HeaderMap;

use crate::receivers::{Caller, Gate, Ingest, Lease, Refusal, Signal, Source, Tally};

use super::{Limits, Patience, body};

/// The way from a protocol to [`Ingest`].
#[derive(Clone)]
pub(in crate::receivers) struct Door {
    ingest: Arc<Ingest>,
    gate: Arc<Gate>,
    pub(in crate::receivers) limits: Limits,
    patience: Patience,
}

impl Door {
    pub(in crate::receivers) fn new(ingest: &Arc<Ingest>, gate: &Arc<Gate>, limits: Limits) -> Self {
        let patience = Patience::default();
        Self { ingest: Arc::clone(ingest), gate: Arc::clone(gate), limits, patience }
    }

    /// The same, with another patience for bodies that are slow to arrive.
    pub(super) fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// Reads a body that is not wanted, so that the client gets to read the answer.
    pub(in crate::receivers) async fn discard(&self, body: Body, at_most: usize) {
        body::discard(body, at_most, self.patience).await;
    }

    /// Who sends a request with these headers, if they may.
    pub(in crate::receivers) fn admit(&self, headers: &HeaderMap) -> Result<Caller, Refusal> {
        self.gate.admit(headers)
    }

    /// Reads a body of at most `limit` bytes. The lease pays for it.
    pub(in crate::receivers) async fn read(
        &self,
        body: Body,
        limit: usize,
    ) -> Result<(axum::body::Bytes, Lease), Refusal> {
        let mut lease = self.ingest.memory().lease();
        let body = body::collect(body, limit, self.patience, &mut lease).await?;
        Ok((body, lease))
    }

    /// Stores what a request of `length` bytes says.
    pub(in crate::receivers) async fn store(
        &self,
        caller: Caller,
        source: impl Source,
        length: usize,
        lease: Lease,
    ) -> Result<Tally, Refusal> {
        self.gate.charge(&caller, length);
        self.ingest.accept(source, caller, lease).await
    }

    /// Why nothing can be stored now, if so.
    pub(in crate::receivers) fn obstacle(&self) -> Option<String> {
        self.ingest.obstacle()
    }

    /// Counts what became of a request.
    pub(in crate::receivers) fn count(
        &self,
        transport: &'static str,
        signal: Signal,
        outcome: &Result<Tally, Refusal>,
    ) {
        let label = match outcome {
            Ok(tally) if tally.rejected > 0 => "partial",
            Ok(_) => "accepted",
            Err(Refusal::Unauthenticated(_) | Refusal::Forbidden(_)) => "denied",
            Err(Refusal::Unavailable { .. } | Refusal::TooMany { .. }) => "refused",
            Err(_) => "invalid",
        };
        self.ingest.counters().request(transport, signal.as_str(), label);
    }
}
