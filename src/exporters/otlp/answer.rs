//! What a backend made of a request, and what follows.
//!
//! OTLP says which codes to retry. Errors of the configuration rather than the body are retried too, because an
//! expired token must not cost what waits.
//!
//! | over HTTP | over gRPC | then |
//! |---|---|---|
//! | 2xx | `OK` | taken; what is said to be rejected is counted, of Langfuse's 207 as well |
//! | 408, 429, 502, 503, 504; any 5xx of Langfuse, which is no OTLP | `UNAVAILABLE` and its like; `RESOURCE_EXHAUSTED` with `RetryInfo` | again |
//! | 401, 403, 407 | `UNAUTHENTICATED`, `PERMISSION_DENIED` | again: credentials |
//! | 3xx, 404, 405, 415 | `UNIMPLEMENTED` | again: nothing there takes OTLP |
//! | any other | any other | refused, for good |

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde_json::Value;
use tonic::{Code, Status};
use tonic_types::{StatusExt, pb};

use super::Protocol;
use crate::event::visible_line;

/// So much of what a backend says is kept.
const LONGEST_MESSAGE: usize = 200;

/// What a backend made of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// It has it.
    Taken {
        /// Records of it that it did not take.
        rejected: u64,
        /// The reason that it gives.
        message: String,
    },
    /// It may take the same later.
    Again {
        /// How long it asks to wait.
        after: Option<Duration>,
        /// What is in the way.
        kind: &'static str,
        why: String,
    },
    /// It never takes it.
    Refused { why: String },
}

/// An answer over HTTP.
pub(super) fn of_http(protocol: Protocol, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Answer {
    let says = || {
        let message = message_of(body);
        let said = if message.is_empty() { String::new() } else { format!(": {message}") };
        format!("it answers {}{said}", status.as_u16())
    };
    let again = |kind| Answer::Again { after: retry_after(headers), kind, why: says() };
    match status.as_u16() {
        200..=299 => {
            let (rejected, message) = partial_success(body);
            Answer::Taken { rejected, message }
        }
        408 | 429 | 502 | 503 | 504 => again("busy"),
        // Its database was away for a moment; its own clients try again too.
        500..=599 if protocol == Protocol::Langfuse => again("busy"),
        401 | 403 | 407 => again("credentials"),
        300..=399 | 404 | 405 | 415 => again("not_otlp"),
        _ => Answer::Refused { why: says() },
    }
}

/// An answer over gRPC: the status of its trailers or headers, and its message.
pub(super) fn of_grpc(status: &Status, message: &[u8]) -> Answer {
    let says = || {
        let message = shortened(status.message());
        let said = if message.is_empty() { String::new() } else { format!(": {message}") };
        format!("it answers {:?}{said}", status.code())
    };
    let asked = status.get_details_retry_info().map(|info| info.retry_delay.unwrap_or_default());
    let again = |kind| Answer::Again { after: asked, kind, why: says() };
    match status.code() {
        Code::Ok => {
            let (rejected, message) = partial_success(message.get(5..).unwrap_or_default());
            Answer::Taken { rejected, message }
        }
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => again("busy"),
        Code::ResourceExhausted if asked.is_some() => again("busy"),
        Code::Unauthenticated | Code::PermissionDenied => again("credentials"),
        Code::Unimplemented => again("not_otlp"),
        _ => Answer::Refused { why: says() },
    }
}

/// What of a request was not taken, and why. The answers of all signals have the same fields.
fn partial_success(body: &[u8]) -> (u64, String) {
    if let Ok(Value::Object(answer)) = serde_json::from_slice(body) {
        if let Some(errors) =
            answer.get("errors").and_then(Value::as_array).filter(|errors| !errors.is_empty())
        {
            return (errors.len() as u64, errors.iter().map(event_error).next().unwrap_or_default());
        }
        let partial = answer.get("partialSuccess").or_else(|| answer.get("partial_success"));
        let members = partial.and_then(Value::as_object).into_iter().flatten();
        let (mut rejected, mut message) = (0, String::new());
        for (name, value) in members {
            let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
            match (name.starts_with("rejected"), number, value.as_str()) {
                (true, Some(number), _) => rejected = number,
                (false, _, Some(text)) => message = shortened(text),
                _ => {}
            }
        }
        return (rejected, message);
    }
    let partial = ExportTraceServiceResponse::decode(body).ok().and_then(|answer| answer.partial_success);
    partial.map_or((0, String::new()), |partial| {
        (u64::try_from(partial.rejected_spans).unwrap_or_default(), shortened(&partial.error_message))
    })
}

/// Why Langfuse did not take an event or a score.
fn event_error(error: &Value) -> String {
    let text = |name| error.get(name).and_then(Value::as_str).unwrap_or_default();
    match (text("message"), text("error")) {
        (message, "") => shortened(message),
        ("", error) => shortened(error),
        (message, error) => shortened(&format!("{message}: {error}")),
    }
}

/// What an error's body says: a `google.rpc.Status`, or the beginning of a text.
fn message_of(body: &[u8]) -> String {
    if let Ok(answer) = serde_json::from_slice::<Value>(body) {
        let text = answer.get("message").or_else(|| answer.get("error")).and_then(Value::as_str);
        return text.map(shortened).unwrap_or_default();
    }
    match pb::Status::decode(body) {
        Ok(status) if !status.message.is_empty() => shortened(&status.message),
        _ => std::str::from_utf8(body).map(shortened).unwrap_or_default(),
    }
}

fn shortened(text: &str) -> String {
    let text = text.trim();
    visible_line(text.get(..text.floor_char_boundary(LONGEST_MESSAGE)).unwrap_or_default()).into_owned()
}

/// What a server asks to wait: seconds, or until a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Duration::try_from(date.duration_since(jiff::Timestamp::now())).ok()
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTracePartialSuccess;
    use reqwest::header::HeaderValue;
    use tonic_types::ErrorDetails;

    use super::*;

    fn http(status: u16, retry_after: &str, body: &[u8]) -> Answer {
        let mut headers = HeaderMap::new();
        if !retry_after.is_empty() {
            headers.insert(RETRY_AFTER, HeaderValue::from_str(retry_after).unwrap());
        }
        of_http(Protocol::Http, StatusCode::from_u16(status).unwrap(), &headers, body)
    }

    #[test]
    fn statuses_over_http() {
        for (status, kind) in [
            (429, "busy"),
            (503, "busy"),
            (401, "credentials"),
            (403, "credentials"),
            (404, "not_otlp"),
            (302, "not_otlp"),
        ] {
            let answer = http(status, "", b"");
            assert!(matches!(answer, Answer::Again { kind: is, .. } if is == kind), "{answer:?}");
        }
        for status in [400, 413, 422, 500, 501] {
            assert!(matches!(http(status, "", b"no"), Answer::Refused { .. }), "{status}");
        }
        // Langfuse's server is no OTLP backend on its own paths: what fails there for a moment is sent again.
        for (status, is_kept) in [(500, true), (503, true), (599, true), (400, false), (422, false)] {
            let status = StatusCode::from_u16(status).unwrap();
            let answer = of_http(Protocol::Langfuse, status, &HeaderMap::new(), b"no");
            assert_eq!(matches!(answer, Answer::Again { kind: "busy", .. }), is_kept, "{status}: {answer:?}");
        }
        let refused = http(400, "", br#"{"code":3,"message":"a span\nhas no id"}"#);
        assert_eq!(refused, Answer::Refused { why: "it answers 400: a span has no id".to_owned() });
    }

    #[test]
    fn the_wait_is_in_seconds_or_until_a_date() {
        let after = |text: &str| match http(503, text, b"") {
            Answer::Again { after, .. } => after,
            answer => panic!("{answer:?}"),
        };
        assert_eq!(after("7"), Some(Duration::from_secs(7)));
        assert_eq!(after("soon"), None);
        assert_eq!(after("Wed, 21 Oct 2015 07:28:00 GMT"), None, "it has passed");
        let later = after("Fri, 31 Dec 2100 23:59:59 GMT").unwrap();
        assert!(later > Duration::from_secs(86_400));
    }

    #[test]
    fn what_was_not_taken_is_counted() {
        let taken = |rejected, message: &str| Answer::Taken { rejected, message: message.to_owned() };
        assert_eq!(http(200, "", b""), taken(0, ""));
        assert_eq!(http(202, "", b"{}"), taken(0, ""));
        let json = br#"{"partialSuccess":{"rejectedLogRecords":"3","errorMessage":"too old"}}"#;
        assert_eq!(http(200, "", json), taken(3, "too old"));
        let partial = ExportTracePartialSuccess { rejected_spans: 2, error_message: "old".to_owned() };
        let protobuf = ExportTraceServiceResponse { partial_success: Some(partial) }.encode_to_vec();
        assert_eq!(http(200, "", &protobuf), taken(2, "old"));
        let of_langfuse = br#"{"successes":[],"errors":[{"id":"a","status":400,"message":"Invalid request data","error":"no type"},{}]}"#;
        assert_eq!(http(207, "", of_langfuse), taken(2, "Invalid request data: no type"));
        assert_eq!(http(207, "", br#"{"successes":[{"id":"a","status":201}],"errors":[]}"#), taken(0, ""));
        let framed = [&[0, 0, 0, 0, 0][..], &protobuf].concat();
        assert_eq!(of_grpc(&Status::ok(""), &framed), taken(2, "old"));
    }

    #[test]
    fn codes_over_grpc() {
        let wait = Duration::from_secs(9);
        let asks = |code| {
            let details = ErrorDetails::with_retry_info(Some(wait));
            of_grpc(&Status::with_error_details(code, "later", details), b"")
        };
        assert!(
            matches!(asks(Code::Unavailable), Answer::Again { after, kind: "busy", .. } if after == Some(wait))
        );
        assert!(matches!(asks(Code::ResourceExhausted), Answer::Again { kind: "busy", .. }));
        for (code, kind) in [
            (Code::Unavailable, "busy"),
            (Code::Aborted, "busy"),
            (Code::Unauthenticated, "credentials"),
            (Code::PermissionDenied, "credentials"),
            (Code::Unimplemented, "not_otlp"),
        ] {
            let answer = of_grpc(&Status::new(code, ""), b"");
            assert!(matches!(answer, Answer::Again { kind: is, .. } if is == kind), "{answer:?}");
        }
        for code in [Code::ResourceExhausted, Code::InvalidArgument, Code::Internal, Code::Unknown] {
            assert!(matches!(of_grpc(&Status::new(code, "no"), b""), Answer::Refused { .. }), "{code:?}");
        }
    }
}
