//! OTLP over gRPC and over HTTP.
//!
//! | file | holds |
//! |---|---|
//! | `http.rs` | `POST /v1/{traces,logs,metrics}`, protobuf and JSON |
//! | `grpc.rs` | the three collector services |
//! | `door.rs` | what both do with a body |
//! | `body.rs` | a body off the wire: bounded in size, memory and time |
//! | `coding.rs` | gzip, zstd, deflate |
//! | `buffer.rs` | bytes whose number nobody knows before |
//! | `export.rs` | [`Export`]: a request as it came in, and how its records are read |
//! | `protobuf.rs`, `wire.rs` | the reader of protobuf |
//! | `text.rs` | texts, UTF-8 or not |
//! | `json/` | the reader of JSON |
//! | `sink.rs` | where both readers put records, and what they may take |
//! | `status.rs` | answers as each protocol says them |
//! | `no_such_path.rs` | the answer at a path where nothing is |
//!
//! ```text
//! http ─┐                                            ┌─ protobuf ─┐
//!       ├─► door ─► body ─► Export { coding ─► bytes ┤            ├─ sink } ─► Ingest
//! grpc ─┘                                            └─ json ─────┘
//! ```
//!
//! Every listener serves both protocols: an exporter that is pointed at the other port works too.
//! The readers know nothing of sockets or files and can be used on any bytes.

pub(super) mod body;
mod buffer;
mod coding;
pub(super) mod door;
mod export;
mod grpc;
pub(super) mod http;
mod json;
mod no_such_path;
mod protobuf;
mod sink;
pub(super) mod status;
mod text;
mod wire;

use std::sync::Arc;

use axum::Router;

use super::{Gate, Ingest};

pub use body::Patience;
pub use coding::Coding;
pub use export::{Encoding, Export};

// What a door of another protocol on the same port needs of this one.
pub(super) use door::{Door, Received};
pub(super) use http::{coding_of, text_of};
pub(super) use sink::{Room, Unreadable};
pub(super) use status::{answer, error, of_check, to_http};

/// What the OTLP doors accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest gRPC message in bytes, before and after decompression.
    pub max_message: usize,
    /// The largest HTTP body in bytes, before and after decompression.
    pub max_body: usize,
}

/// The router that every OTLP listener serves.
pub fn router(ingest: &Arc<Ingest>, gate: &Arc<Gate>, limits: Limits) -> Router {
    patient_router(ingest, gate, limits, Patience::default())
}

/// The same, with another patience for bodies that are slow to arrive.
pub fn patient_router(ingest: &Arc<Ingest>, gate: &Arc<Gate>, limits: Limits, patience: Patience) -> Router {
    let door = Door::new(ingest, gate, limits).with_patience(patience);
    grpc::routes(door.clone()).merge(http::routes(door)).fallback(no_such_path::no_such_path)
}
