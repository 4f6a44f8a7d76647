//! OTLP over gRPC and over HTTP.
//!
//! | file | holds |
//! |---|---|
//! | `http.rs` | `POST /v1/{traces,logs,metrics}`, protobuf and JSON |
//! | `grpc.rs` | the three collector services |
//! | `door.rs` | what both do with a body |
//! | `body.rs` | a body off the wire: bounded in size, memory and time |
//! | `coding.rs` | gzip, zstd, deflate |
//! | `export.rs` | [`Export`]: a request as it came in, and how its records are read |
//! | `protobuf.rs`, `wire.rs` | the reader of protobuf |
//! | `json/` | the reader of JSON |
//! | `sink.rs` | where both readers put records, and what they may take |
//! | `status.rs` | answers as each protocol says them |
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
mod coding;
pub(super) mod door;
mod export;
mod grpc;
pub(super) mod http;
mod json;
mod protobuf;
mod sink;
pub(super) mod status;
mod wire;

use std::sync::Arc;

use axum::Router;

use super::{Gate, Ingest};

pub use coding::Coding;
pub use export::{Encoding, Export};

use door::Door;

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
    let door = Door::new(ingest, gate, limits);
    grpc::routes(door.clone()).merge(http::routes(door)).fallback(status::no_such_path)
}
