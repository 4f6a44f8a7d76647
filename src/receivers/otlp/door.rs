//! What both protocols do with a body once they know what it is.

use std::sync::Arc;

use axum::body::Body;
use axum::http::HeaderMap;

use crate::receivers::{Caller, Gate, Ingest, Lease, Refusal, Signal, Tally};

use super::export::Export;
use super::{Limits, Patience, body};

/// The way from a protocol to [`Ingest`].
#[derive(Clone)]
pub(super) struct Door {
    ingest: Arc<Ingest>,
    gate: Arc<Gate>,
    pub(super) limits: Limits,
    pub(super) patience: Patience,
}

impl Door {
    pub(super) fn new(ingest: &Arc<Ingest>, gate: &Arc<Gate>, limits: Limits, patience: Patience) -> Self {
        Self { ingest: Arc::clone(ingest), gate: Arc::clone(gate), limits, patience }
    }

    /// Who sends a request with these headers, if they may.
    pub(super) fn admit(&self, headers: &HeaderMap) -> Result<Caller, Refusal> {
        self.gate.admit(headers)
    }

    /// Reads a body of at most `limit` bytes. The lease pays for it.
    pub(super) async fn read(&self, body: Body, limit: usize) -> Result<(axum::body::Bytes, Lease), Refusal> {
        let mut lease = self.ingest.memory().lease();
        let body = body::collect(body, limit, self.patience, &mut lease).await?;
        Ok((body, lease))
    }

    /// Stores what the request exports.
    pub(super) async fn store(&self, caller: Caller, export: Export, lease: Lease) -> Result<Tally, Refusal> {
        self.gate.charge(&caller, export.body.len());
        self.ingest.accept(export, caller, lease).await
    }

    /// Counts what became of a request.
    pub(super) fn count(&self, transport: &'static str, signal: Signal, outcome: &Result<Tally, Refusal>) {
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
