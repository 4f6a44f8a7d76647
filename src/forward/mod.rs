//! Forwarding: what clients send over OTLP and on Langfuse's paths, kept as it came until other backends have it.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | [`Body`] and [`Form`]: an export request as bytes |
//! | `prepare.rs` | [`prepare`]: a body without what is opted out and without credentials; [`retain`] |
//! | `cleaner.rs` | [`Cleaner`]: redaction of single texts and attributes |
//! | `protobuf.rs`, `schema.rs`, `wire.rs` | bodies in protobuf, changed in place |
//! | `json.rs`, `plain.rs`, `numbers.rs` | bodies in JSON |
//! | `unreadable.rs` | [`Unreadable`]: a body is not of its form to its end |
//! | `langfuse.rs` | bodies of Langfuse's own paths |
//! | `entry.rs` | [`Entry`]: a body with what is known of it, as it waits in a queue |
//! | `queue.rs` | [`Queue`]: what waits for one backend, and its cursor |
//! | `hops.rs` | where a body has been, so that it does not go in circles |
//! | `store.rs` | where it waits: in a journal of its own, or in memory |
//! | `counts.rs` | what a queue lost, and why |
//!
//! Invariants: nothing of an opted-out record reaches a queue; a queue of unredacted bodies is in memory only; a body
//! that needed no change is what the client sent, byte for byte; a push to a queue on the disk is answered once it is
//! durable.

mod cleaner;
mod counts;
mod entry;
pub mod hops;
mod json;
mod langfuse;
mod numbers;
mod plain;
mod prepare;
mod protobuf;
mod queue;
mod schema;
mod store;
mod unreadable;
mod wire;

use bytes::Bytes;

pub use cleaner::Cleaner;
pub use entry::Entry;
pub use prepare::{Keep, Prepared, prepare, retain};
pub use queue::{Config, Erasure, OnFull, PushError, Queue, QueueStorage, Room, Status, Waiting};
pub use store::StoreError;
pub use unreadable::Unreadable;

/// How a body is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Form {
    /// Protocol Buffers.
    Protobuf,
    /// OTLP's JSON.
    Json,
    /// Langfuse's ingestion: `{"batch": […]}`.
    Ingestion,
    /// Langfuse's scores: one, or a list of them.
    Scores,
}

impl Form {
    /// Whether only a server of Langfuse takes it.
    pub const fn is_of_langfuse(self) -> bool {
        matches!(self, Self::Ingestion | Self::Scores)
    }
}

/// The body of an `Export…ServiceRequest`, or of a request of Langfuse's; not compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// How it is encoded.
    pub form: Form,
    /// As received, or what was made of that.
    pub bytes: Bytes,
}
