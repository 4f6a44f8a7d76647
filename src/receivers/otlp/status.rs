//! Answers as each protocol says them.
//!
//! OTLP: every 4xx and 5xx body is a `google.rpc.Status` in the request's own encoding; what a client
//! may send again says the time to wait, and nothing else does; full success is
//! an empty message.
//!
//! | refusal | HTTP | gRPC |
//! |---|---|---|
//! | malformed | 400 | `INVALID_ARGUMENT`, with `BadRequest` |
//! | unauthenticated | 401, with `WWW-Authenticate` | `UNAUTHENTICATED` |
//! | forbidden | 403 | `PERMISSION_DENIED` |
//! | too slow | 408 | `DEADLINE_EXCEEDED` |
//! | too large | 413 | `RESOURCE_EXHAUSTED`, without `RetryInfo` |
//! | unsupported | 415 | `UNIMPLEMENTED` |
//! | forwarded in a circle | 508 | `FAILED_PRECONDITION` |
//! | too many | 429, with `Retry-After` | `RESOURCE_EXHAUSTED`, with `RetryInfo` |
//! | unavailable | 503, with `Retry-After` | `UNAVAILABLE`, with `RetryInfo` |

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message;
use serde_json::{Value, json};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt, pb};

use crate::receivers::{Checked, Refusal, Signal, Tally};

use super::Encoding;

impl Encoding {
    const fn content_type(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }
}

/// The response message of an accepted request.
pub(super) fn success(signal: Signal, tally: &Tally, encoding: Encoding) -> Vec<u8> {
    let partial = tally.rejected > 0 || !tally.message.is_empty();
    match (encoding, partial) {
        (Encoding::Protobuf, false) => Vec::new(),
        (Encoding::Json, false) => b"{}".to_vec(),
        // The responses of all three signals have the same fields under the same numbers.
        (Encoding::Protobuf, true) => ExportTraceServiceResponse {
            partial_success: Some(ExportTracePartialSuccess {
                rejected_spans: i64::try_from(tally.rejected).unwrap_or(i64::MAX),
                error_message: tally.message.clone(),
            }),
        }
        .encode_to_vec(),
        (Encoding::Json, true) => {
            let rejected = match signal {
                Signal::Traces => "rejectedSpans",
                Signal::Logs => "rejectedLogRecords",
                Signal::Metrics => "rejectedDataPoints",
            };
            let count = tally.rejected.to_string();
            json!({ "partialSuccess": { rejected: count, "errorMessage": tally.message } })
                .to_string()
                .into_bytes()
        }
    }
}

/// The answer to a request that is only checked: JSON, whatever the request is written in.
pub(in crate::receivers) fn of_check(checked: &Checked) -> Response<Body> {
    let body = serde_json::to_vec(checked).unwrap_or_default();
    answer(StatusCode::OK, body, Encoding::Json)
}

/// A refusal over gRPC.
pub(super) fn to_grpc(refusal: &Refusal) -> Status {
    let (_, code) = codes(refusal);
    let details = match refusal {
        Refusal::Unavailable { retry_after, .. } | Refusal::TooMany { retry_after, .. } => {
            ErrorDetails::with_retry_info(Some(*retry_after))
        }
        Refusal::Malformed(message) => ErrorDetails::with_bad_request_violation("body", message),
        _ => return Status::new(code, refusal.to_string()),
    };
    Status::with_error_details(code, refusal.to_string(), details)
}

/// A refusal over HTTP.
pub(in crate::receivers) fn to_http(refusal: &Refusal, encoding: Encoding) -> Response<Body> {
    let (status, code) = codes(refusal);
    let body = match encoding {
        // What gRPC sends as `grpc-status-details-bin` is a whole `google.rpc.Status`.
        Encoding::Protobuf => match to_grpc(refusal).details() {
            [] => status_message(code, &refusal.to_string()),
            details => details.to_vec(),
        },
        Encoding::Json => {
            let message = refusal.to_string();
            let mut body = json!({ "code": i32::from(code), "message": message });
            if let (Some(detail), Value::Object(fields)) = (json_detail(refusal), &mut body) {
                fields.insert("details".to_owned(), json!([detail]));
            }
            body.to_string().into_bytes()
        }
    };
    let mut answer = answer(status, body, encoding);
    add_headers(answer.headers_mut(), refusal);
    answer
}

/// The status of a refusal over HTTP.
pub(in crate::receivers) const fn http_status(refusal: &Refusal) -> StatusCode {
    codes(refusal).0
}

/// The headers that a refusal has over HTTP, whatever its body.
pub(in crate::receivers) fn add_headers(headers: &mut HeaderMap, refusal: &Refusal) {
    if matches!(refusal, Refusal::Unauthenticated(_)) {
        let schemes = HeaderValue::from_static("Bearer realm=\"skillspan\", Basic realm=\"skillspan\"");
        headers.insert(WWW_AUTHENTICATE, schemes);
    }
    if let Some(retry_after) = refusal.retry_after() {
        headers.insert(RETRY_AFTER, HeaderValue::from(retry_after.as_secs().max(1)));
    }
}

const fn codes(refusal: &Refusal) -> (StatusCode, Code) {
    match refusal {
        Refusal::Malformed(_) => (StatusCode::BAD_REQUEST, Code::InvalidArgument),
        Refusal::Unauthenticated(_) => (StatusCode::UNAUTHORIZED, Code::Unauthenticated),
        Refusal::TooMany { .. } => (StatusCode::TOO_MANY_REQUESTS, Code::ResourceExhausted),
        Refusal::Forbidden(_) => (StatusCode::FORBIDDEN, Code::PermissionDenied),
        Refusal::TooSlow { .. } => (StatusCode::REQUEST_TIMEOUT, Code::DeadlineExceeded),
        Refusal::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, Code::ResourceExhausted),
        Refusal::Unsupported(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::Unimplemented),
        Refusal::Circle(_) => (StatusCode::LOOP_DETECTED, Code::FailedPrecondition),
        Refusal::Unavailable { .. } => (StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable),
    }
}

fn json_detail(refusal: &Refusal) -> Option<Value> {
    match refusal {
        Refusal::Unavailable { retry_after, .. } | Refusal::TooMany { retry_after, .. } => Some(json!({
            "@type": "type.googleapis.com/google.rpc.RetryInfo",
            "retryDelay": format!("{}s", retry_after.as_secs()),
        })),
        Refusal::Malformed(message) => Some(json!({
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [{ "field": "body", "description": message }],
        })),
        _ => None,
    }
}

/// An error answer without a matching [`Refusal`].
pub(in crate::receivers) fn error(
    status: StatusCode,
    code: Code,
    message: &str,
    encoding: Encoding,
) -> Response<Body> {
    let body = match encoding {
        Encoding::Protobuf => status_message(code, message),
        Encoding::Json => json!({ "code": i32::from(code), "message": message }).to_string().into_bytes(),
    };
    answer(status, body, encoding)
}

fn status_message(code: Code, message: &str) -> Vec<u8> {
    pb::Status { code: code.into(), message: message.to_owned(), details: Vec::new() }.encode_to_vec()
}

/// An answer in the request's encoding.
pub(in crate::receivers) fn answer(status: StatusCode, body: Vec<u8>, encoding: Encoding) -> Response<Body> {
    let mut answer = Response::new(Body::from(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(encoding.content_type()));
    answer
}
