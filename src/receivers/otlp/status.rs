//! A refusal as each protocol says it.
//!
//! OTLP: every 4xx and 5xx body is a `google.rpc.Status` in the request's own encoding; what a client
//! may send again is `UNAVAILABLE` or 503, with the time to wait, and nothing else is.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, Uri};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use prost::Message;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt, pb};

use crate::receivers::counters::{DropLabels, SignalLabels};
use crate::receivers::{Counters, Refusal};

/// How a body is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Protobuf,
    Json,
}

impl Encoding {
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }
}

/// A refusal over gRPC.
pub(super) fn to_grpc(refusal: &Refusal) -> Status {
    match refusal {
        Refusal::Unavailable { retry_after, .. } => {
            let details = ErrorDetails::with_retry_info(Some(*retry_after));
            Status::with_error_details(Code::Unavailable, refusal.to_string(), details)
        }
        Refusal::TooLarge(_) => Status::resource_exhausted(refusal.to_string()),
    }
}

/// A refusal over HTTP.
pub(super) fn to_http(refusal: &Refusal, encoding: Encoding) -> Response<Body> {
    match refusal {
        Refusal::Unavailable { retry_after, .. } => {
            let mut answer =
                error(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, &refusal.to_string(), encoding);
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_after.as_secs().max(1)));
            answer
        }
        Refusal::TooLarge(_) => {
            error(StatusCode::PAYLOAD_TOO_LARGE, Code::ResourceExhausted, &refusal.to_string(), encoding)
        }
    }
}

/// An error answer with its `google.rpc.Status`.
pub(super) fn error(status: StatusCode, code: Code, message: &str, encoding: Encoding) -> Response<Body> {
    let code = i32::from(code);
    let body = match encoding {
        Encoding::Protobuf => {
            pb::Status { code, message: message.to_owned(), details: Vec::new() }.encode_to_vec()
        }
        Encoding::Json => serde_json::json!({ "code": code, "message": message }).to_string().into_bytes(),
    };
    answer(status, body, encoding)
}

/// An answer in the request's encoding.
pub(super) fn answer(status: StatusCode, body: Vec<u8>, encoding: Encoding) -> Response<Body> {
    let mut answer = Response::new(Body::from(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(encoding.content_type()));
    answer
}

/// Any other path.
pub(super) async fn no_such_path(headers: HeaderMap, uri: Uri) -> Response<Body> {
    let content_type = headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    if content_type.starts_with(b"application/grpc") {
        return Status::unimplemented(format!("skillspan has no service at {}", uri.path())).into_http();
    }
    let message = format!(
        "this is skillspan, an OTLP receiver: there is nothing at {}; POST to /v1/traces, /v1/logs or /v1/metrics",
        uri.path()
    );
    error(StatusCode::NOT_FOUND, Code::NotFound, &message, Encoding::Json)
}

/// Metrics are accepted, counted and dropped.
pub(super) fn count_metrics(
    counters: &Counters,
    transport: &'static str,
    request: &ExportMetricsServiceRequest,
) {
    let metrics: usize = request
        .resource_metrics
        .iter()
        .flat_map(|resource| &resource.scope_metrics)
        .map(|scope| scope.metrics.len())
        .sum();
    let metrics = u64::try_from(metrics).unwrap_or(u64::MAX);
    counters.request(transport, "metrics", "accepted");
    counters.received.get_or_create(&SignalLabels { signal: "metrics" }).inc_by(metrics);
    counters.dropped.get_or_create(&DropLabels { dialect: "", reason: "metrics" }).inc_by(metrics);
}
