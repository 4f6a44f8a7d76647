//! OTLP over gRPC: three services with one unary method each.
//!
//! A unary call is a body of five bytes and a message, answered by the same and a trailer, so the
//! framing is done here and not by tonic's server: that one answers `OUT_OF_RANGE` to a message over
//! the limit, which OTLP clients send again for ever; it decompresses and decodes on the reactor; and
//! it collects a message before anybody can ask whether there is memory for it.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use axum::routing::{MethodRouter, post};
use http_body_util::{BodyExt, Full};
use tonic::Status;

use crate::receivers::{Refusal, Signal, Tally};

use super::door::{Door, Received};
use super::export::Export;
use super::http::text_of;
use super::status::{success, to_grpc};
use super::{Coding, Encoding, body};

/// Before a message: whether it is compressed, and its length in four bytes.
const PREFIX: usize = 5;

/// The three collector services.
pub(super) fn routes(door: Door) -> Router {
    let path = |service: &str| format!("/opentelemetry.proto.collector.{service}/Export");
    Router::new()
        .route(&path("trace.v1.TraceService"), method(Signal::Traces))
        .route(&path("logs.v1.LogsService"), method(Signal::Logs))
        .route(&path("metrics.v1.MetricsService"), method(Signal::Metrics))
        .with_state(door)
}

fn method(signal: Signal) -> MethodRouter<Door> {
    post(
        move |State(door): State<Door>, request: Request| async move { receive(&door, signal, request).await },
    )
}

async fn receive(door: &Door, signal: Signal, request: Request) -> Response<Body> {
    if !is_grpc(request.headers()) {
        let mut answer = Response::new(Body::empty());
        *answer.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return answer;
    }
    let outcome = accept(door, signal, request).await;
    door.count("grpc", signal, &outcome);
    match outcome {
        Ok(tally) => respond(&success(signal, &tally, Encoding::Protobuf)),
        Err(refusal) => advertise_codings(to_grpc(&refusal).into_http()),
    }
}

async fn accept(door: &Door, signal: Signal, request: Request) -> Result<Tally, Refusal> {
    let limit = door.limits.max_message;
    let received = door.receive(request, limit.saturating_add(PREFIX), coding_of).await;
    let Received { caller, form: coding, body, lease } = match received {
        // The limit is one of messages, not of frames.
        Err(Refusal::TooLarge(_)) => return Err(body::too_large(limit)),
        received => received?,
    };
    let (compressed, body) = message(body)?;
    let coding = match (compressed, coding) {
        (false, _) => Coding::Identity,
        (true, Coding::Identity) => {
            let message = "the message is marked as compressed, and grpc-encoding does not say how";
            return Err(Refusal::Malformed(message.to_owned()));
        }
        (true, coding) => coding,
    };
    let length = body.len();
    let export = Export { signal, encoding: Encoding::Protobuf, coding, body, limit };
    door.store(caller, export, length, lease).await
}

/// `application/grpc` and `application/grpc+proto`.
pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    let content_type = text_of(headers.get(CONTENT_TYPE));
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    ["application/grpc", "application/grpc+proto"].iter().any(|grpc| essence.eq_ignore_ascii_case(grpc))
}

fn coding_of(headers: &HeaderMap) -> Result<Coding, Refusal> {
    let coding = text_of(headers.get("grpc-encoding"));
    Coding::named(coding).ok_or_else(|| {
        let accepted = Coding::ACCEPTED;
        Refusal::Unsupported(format!("grpc-encoding {coding:?} is not supported; send one of {accepted}"))
    })
}

/// The one message of a unary call, and whether it is compressed.
fn message(mut body: Bytes) -> Result<(bool, Bytes), Refusal> {
    let malformed = |message: &str| Refusal::Malformed(message.to_owned());
    let Some([flag @ (0 | 1), length @ ..]) = body.first_chunk::<PREFIX>().copied() else {
        return Err(malformed("the body is not a gRPC message"));
    };
    let message = body.split_off(PREFIX);
    if usize::try_from(u32::from_be_bytes(length)).ok() != Some(message.len()) {
        return Err(malformed("the body is not one whole gRPC message"));
    }
    Ok((flag == 1, message))
}

fn respond(message: &[u8]) -> Response<Body> {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    let framed = [&[0], &length.to_be_bytes()[..], message].concat();
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let body = Full::new(Bytes::from(framed)).with_trailers(async { Some(Ok(trailers)) });
    let mut answer = Response::new(Body::new(body));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    advertise_codings(answer)
}

fn advertise_codings(mut answer: Response<Body>) -> Response<Body> {
    answer.headers_mut().insert("grpc-accept-encoding", HeaderValue::from_static(Coding::ACCEPTED));
    answer
}

/// A method that is not here.
pub(super) fn no_such_method(path: &str) -> Response<Body> {
    Status::unimplemented(format!("skillspan has no method {path}")).into_http()
}
