//! What both protocols do with a body once they know what it is.

use std::sync::Arc;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::ORIGIN;

use crate::event::Owner;
use crate::receivers::{Ingest, Lease, Refusal, Signal, Tally};

use super::export::Export;
use super::{Limits, body};

/// The way from a protocol to [`Ingest`].
#[derive(Clone)]
pub(super) struct Door {
    ingest: Arc<Ingest>,
    pub(super) limits: Limits,
}

impl Door {
    pub(super) fn new(ingest: &Arc<Ingest>, limits: Limits) -> Self {
        Self { ingest: Arc::clone(ingest), limits }
    }

    /// Reads a body of at most `limit` bytes. The lease pays for it.
    pub(super) async fn read(&self, body: Body, limit: usize) -> Result<(axum::body::Bytes, Lease), Refusal> {
        let mut lease = self.ingest.memory().lease();
        let body = body::collect(body, limit, &mut lease).await?;
        Ok((body, lease))
    }

    /// Stores what the request exports.
    pub(super) async fn store(&self, export: Export, lease: Lease) -> Result<Tally, Refusal> {
        self.ingest.accept(export, Owner::default(), lease).await
    }

    /// Counts what became of a request.
    pub(super) fn count(&self, transport: &'static str, signal: Signal, outcome: &Result<Tally, Refusal>) {
        let label = match outcome {
            Ok(tally) if tally.rejected > 0 => "partial",
            Ok(_) => "accepted",
            Err(Refusal::Unavailable { .. }) => "refused",
            Err(_) => "invalid",
        };
        self.ingest.counters().request(transport, signal.as_str(), label);
    }
}

/// A web page must not be able to write sessions.
pub(super) fn refuse_web_pages(headers: &HeaderMap) -> Result<(), Refusal> {
    if headers.contains_key(ORIGIN) {
        return Err(Refusal::Forbidden("requests of web pages are refused".to_owned()));
    }
    Ok(())
}
