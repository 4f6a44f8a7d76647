//! OTLP over HTTP: `POST /v1/{traces,logs,metrics}`, protobuf and JSON.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{ALLOW, CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use axum::routing::{MethodRouter, post};
use tonic::Code;

use crate::receivers::{Refusal, Signal, Tally};

use super::door::{Door, Received};
use super::export::Export;
use super::status::{answer, error, of_check, success, to_http};
use super::{Coding, Encoding};

/// The three paths of OTLP.
pub(in crate::receivers) fn routes(door: Door) -> Router {
    Router::new()
        .route("/v1/traces", posts(Signal::Traces))
        .route("/v1/logs", posts(Signal::Logs))
        .route("/v1/metrics", posts(Signal::Metrics))
        .with_state(door)
}

fn posts(signal: Signal) -> MethodRouter<Door> {
    let receive = move |State(door): State<Door>, request: Request| async move {
        receive(&door, signal, request).await
    };
    post(receive).fallback(only_post)
}

async fn only_post(headers: HeaderMap) -> Response<Body> {
    let message = "OTLP is sent with POST";
    let encoding = encoding_or_json(&headers);
    let mut answer = error(StatusCode::METHOD_NOT_ALLOWED, Code::Unimplemented, message, encoding);
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    answer
}

async fn receive(door: &Door, signal: Signal, request: Request) -> Response<Body> {
    let encoding = encoding_or_json(request.headers());
    let outcome = accept(door, signal, request).await;
    door.count("http", signal, &outcome);
    match outcome {
        Ok(Tally { checked: Some(checked), .. }) => of_check(&checked),
        Ok(tally) => answer(StatusCode::OK, success(signal, &tally, encoding), encoding),
        Err(refusal) => to_http(&refusal, encoding),
    }
}

async fn accept(door: &Door, signal: Signal, request: Request) -> Result<Tally, Refusal> {
    let limit = door.limits.max_body;
    let Received { caller, form: (encoding, coding), body, lease } =
        door.receive(request, limit, form_of).await?;
    let length = body.len();
    door.store(caller, Export { signal, encoding, coding, body, limit }, length, lease).await
}

fn form_of(headers: &HeaderMap) -> Result<(Encoding, Coding), Refusal> {
    let encoding = encoding_of(headers).ok_or_else(|| {
        Refusal::Unsupported(format!(
            "content type {:?} is not OTLP; send application/x-protobuf or application/json",
            text_of(headers.get(CONTENT_TYPE))
        ))
    })?;
    Ok((encoding, coding_of(headers)?))
}

/// By content encoding.
pub(in crate::receivers) fn coding_of(headers: &HeaderMap) -> Result<Coding, Refusal> {
    let coding = text_of(headers.get(CONTENT_ENCODING));
    Coding::named(coding).ok_or_else(|| {
        let accepted = Coding::ACCEPTED;
        Refusal::Unsupported(format!("content encoding {coding:?} is not supported; send one of {accepted}"))
    })
}

/// By content type, parameters and case ignored.
pub(in crate::receivers) fn encoding_of(headers: &HeaderMap) -> Option<Encoding> {
    let content_type = text_of(headers.get(CONTENT_TYPE));
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Some(Encoding::Json);
    }
    ["application/x-protobuf", "application/protobuf"]
        .iter()
        .any(|protobuf| essence.eq_ignore_ascii_case(protobuf))
        .then_some(Encoding::Protobuf)
}

/// The encoding of an error: the request's own, or plain text if the request has none.
pub(super) fn encoding_or_json(headers: &HeaderMap) -> Encoding {
    encoding_of(headers).unwrap_or(Encoding::Json)
}

/// A value that is not ASCII matches no name that we know, and still counts as present.
pub(in crate::receivers) fn text_of(value: Option<&HeaderValue>) -> &str {
    value.map_or("", |value| value.to_str().unwrap_or("?"))
}
