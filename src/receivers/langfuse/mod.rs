//! Langfuse's own paths: a client of Langfuse that is pointed here sees what it expects.
//!
//! | path | answer |
//! |---|---|
//! | `POST /api/public/otel/v1/{traces,logs,metrics}` | as OTLP (`../otlp/`) |
//! | `POST /api/public/ingestion` | 207: for each event that it is stored, or why not |
//! | `POST /api/public/scores` | one score: 200 and its id; a list: 202 |
//! | `POST /api/public/media` | 200: nothing is to be uploaded |
//! | `GET /api/public/projects` | 200: the credential's one project |
//! | `GET /api/public/health` | 200, or 503 while nothing can be stored |
//! | any other below `/api/public/` | 404 that says what this is |
//!
//! | file | holds |
//! |---|---|
//! | `http.rs` | the paths |
//! | `batch.rs` | [`Batch`]: a request as it came in, and how its events are read |
//! | `event.rs` | one event: what it says, as the span or log record that would say it |
//! | `answer.rs` | answers as clients of Langfuse read them |
//!
//! Invariants: one event that cannot be read rejects itself and no other; what is answered with 2xx is
//! durable; a body is read as it streams by, and of an event no more is unpacked than names and texts.

mod answer;
mod batch;
mod event;
mod http;

use std::sync::Arc;

use axum::Router;

use super::otlp::Limits;
use super::otlp::door::Door;
use super::{Gate, Ingest};

pub use batch::{Batch, Form, Report, Verdict};

/// Langfuse's paths, beside those of the OTLP listeners and under the same limits.
pub fn router(ingest: &Arc<Ingest>, gate: &Arc<Gate>, limits: Limits) -> Router {
    http::routes(Door::new(ingest, gate, limits))
}
