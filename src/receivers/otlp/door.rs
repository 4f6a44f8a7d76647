//! What every protocol does with a body once it knows what it is.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::Request;
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

/// A request whose sender may send it, and whose body has arrived.
pub(in crate::receivers) struct Received<T> {
    pub(in crate::receivers) caller: Caller,
    /// What its headers say of the body.
    pub(in crate::receivers) form: T,
    pub(in crate::receivers) body: Bytes,
    /// Pays for the body.
    pub(in crate::receivers) lease: Lease,
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
    pub(in crate::receivers) async fn discard(&self, body: Body) {
        body::discard(body, self.patience).await;
    }

    /// Who sends a request with these headers, if they may.
    pub(in crate::receivers) fn admit(&self, headers: &HeaderMap) -> Result<Caller, Refusal> {
        self.gate.admit(headers)
    }

    /// Reads a request whose body has at most `limit` bytes, if its sender may send it and `form_of` can
    /// make something of its headers.
    pub(in crate::receivers) async fn receive<T>(
        &self,
        request: Request,
        limit: usize,
        form_of: impl FnOnce(&HeaderMap) -> Result<T, Refusal>,
    ) -> Result<Received<T>, Refusal> {
        let (parts, body) = request.into_parts();
        let admitted = self.admit(&parts.headers).and_then(|caller| Ok((caller, form_of(&parts.headers)?)));
        let (caller, form) = match admitted {
            Ok(admitted) => admitted,
            Err(refusal) => {
                self.discard(body).await;
                return Err(refusal);
            }
        };
        let mut lease = self.ingest.memory().lease();
        let body = body::collect(body, limit, self.patience, &mut lease).await?;
        Ok(Received { caller, form, body, lease })
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
        let counters = self.ingest.counters();
        counters.request(transport, signal.as_str(), label);
        if let Err(Refusal::Unauthenticated(reason)) = outcome {
            counters.turned_away().unauthenticated(reason);
        }
    }
}
