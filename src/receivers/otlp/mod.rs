//! OTLP over gRPC and over HTTP.
//!
//! | file | holds |
//! |---|---|
//! | `grpc.rs` | the three collector services |
//! | `http.rs` | `POST /v1/{traces,logs,metrics}`, protobuf and JSON |
//! | `status.rs` | a refusal as each protocol says it |
//!
//! Every listener serves both protocols: an exporter that is pointed at the other port works too.

mod grpc;
mod http;
mod status;

use std::sync::Arc;

use axum::Router;

use super::Ingest;

/// What the OTLP doors accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest gRPC message in bytes, after decompression.
    pub max_message: usize,
    /// The largest HTTP body in bytes, after decompression.
    pub max_body: usize,
}

/// The router that every OTLP listener serves.
pub fn router(ingest: &Arc<Ingest>, limits: Limits) -> Router {
    let grpc = grpc::routes(ingest, limits.max_message).into_axum_router();
    grpc.merge(http::routes(Arc::clone(ingest), limits.max_body)).fallback(status::no_such_path)
}
