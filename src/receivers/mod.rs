//! Receivers: bytes in, events to the journal, answer out.
//!
//! | file | holds |
//! |---|---|
//! | `ingest.rs` | [`Ingest`]: decoded records → dialects → processors → journal; every door calls it |
//! | `counters.rs` | what came in and what became of it |
//! | `serve.rs` | the accept loop, HTTP/1.1 and HTTP/2 on one port |
//! | `otlp/` | OTLP over gRPC and over HTTP |
//!
//! Invariant: an answer that says "accepted" is sent after the journal has made the request's events
//! durable, and not before.

mod counters;
mod ingest;
pub mod otlp;
mod serve;

pub use counters::Counters;
pub use ingest::{Ingest, Records, Refusal};
pub use serve::serve;
