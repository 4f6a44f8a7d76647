//! Receivers: bytes in, events to the journal, answer out.
//!
//! | file | holds |
//! |---|---|
//! | `ingest.rs` | [`Ingest`]: records → dialects → processors → journal; every door calls it |
//! | `checked.rs` | [`Checked`]: what a request that only asks would have become |
//! | `pipeline.rs` | [`Pipeline`]: processors → journal; what is left out, and what is forgotten |
//! | `payload.rs` | the events of a request, encoded for the journal |
//! | `memory.rs` | [`MemoryLimit`]: a bound on the memory of all requests in flight |
//! | `refusal.rs` | [`Refusal`]: why a request is not accepted |
//! | `auth/` | who may send, for whom, and how much |
//! | `tls.rs` | certificates, and new ones while the service runs |
//! | `arrivals.rs` | sessions that begin to arrive, each once |
//! | `forwarding/` | what goes to other backends as it came |
//! | `counters.rs` | what came in and what became of it |
//! | `turned_away.rs` | who was turned away at the doors, and why |
//! | `cors.rs` | web pages that may send |
//! | `connections.rs` | [`Connections`]: how many there may be, and which go first |
//! | `serve.rs` | connections: HTTP/1.1 and HTTP/2 on one port, their timeouts and their age |
//! | `otlp/` | OTLP over gRPC and over HTTP |
//! | `hooks/` | what assistants give to commands that they run, and where it waits for a collector |
//! | `langfuse/` | Langfuse's own paths |
//! | `marker.rs` | what files in folders and in the home say of a session |
//! | `transcripts/` | sessions that assistants keep in files |
//!
//! Invariant: an answer that says "accepted" is sent after the journal has made the request's events
//! durable, and not before.

mod arrivals;
pub mod auth;
mod checked;
mod connections;
pub mod cors;
mod counters;
mod forwarding;
pub mod hooks;
mod ingest;
pub mod langfuse;
pub mod marker;
mod memory;
pub mod otlp;
mod payload;
mod pipeline;
mod refusal;
mod serve;
pub mod tls;
pub mod transcripts;
mod turned_away;

pub use crate::event::Signal;
pub use arrivals::{Arrival, Arrivals};
pub use auth::CHECK;
pub use auth::{Caller, Gate, Sender};
pub use checked::Checked;
pub use connections::{ConnectionBounds, ConnectionCounts, Connections};
pub use counters::{Counters, Losses};
pub use forwarding::{Forward, Forwards, without};
pub use ingest::{Ingest, Source, Tally};
pub use memory::{Lease, MemoryLimit};
pub use pipeline::Pipeline;
pub use refusal::Refusal;
pub use serve::{Lifetimes, Peer, serve, serve_within};
pub use turned_away::{Turned, TurnedAway};
