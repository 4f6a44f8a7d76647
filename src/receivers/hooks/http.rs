//! The door: `POST /v1/hooks/{assistant}`, behind the same gate as OTLP.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{ALLOW, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use axum::routing::post;
use tonic::Code;

use crate::dialects::{HOOKS, Hooks};
use crate::receivers::otlp::{
    Coding, Door, Encoding, Limits, Received, answer, coding_of, error, of_check, text_of, to_http,
};
use crate::receivers::{Gate, Ingest, Refusal, Signal, Tally};

use super::{Form, HookBody};

/// What requests of hooks are counted as.
const TRANSPORT: &str = "hooks";

/// The path of hooks, for the listeners of OTLP.
pub fn routes(ingest: &Arc<Ingest>, gate: &Arc<Gate>, limits: Limits) -> Router {
    let door = Door::new(ingest, gate, limits);
    Router::new().route("/v1/hooks/{assistant}", post(receive).fallback(only_post)).with_state(door)
}

async fn only_post() -> Response<Body> {
    let message = "hooks are sent with POST";
    let mut answer = error(StatusCode::METHOD_NOT_ALLOWED, Code::Unimplemented, message, Encoding::Json);
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    answer
}

async fn receive(State(door): State<Door>, Path(name): Path<String>, request: Request) -> Response<Body> {
    let Some(hooks) = Hooks::of(&name) else {
        door.discard(request.into_body()).await;
        let known: Vec<&str> = HOOKS.iter().map(|hooks| hooks.assistant).collect();
        let message = format!("no hooks of this name are known; known are {}", known.join(", "));
        return error(StatusCode::NOT_FOUND, Code::NotFound, &message, Encoding::Json);
    };
    let outcome = accept(&door, hooks, request).await;
    door.count(TRANSPORT, Signal::Logs, &outcome);
    match outcome {
        Ok(Tally { checked: Some(checked), .. }) => of_check(&checked),
        Ok(_) => answer(StatusCode::OK, b"{}".to_vec(), Encoding::Json),
        Err(refusal) => to_http(&refusal, Encoding::Json),
    }
}

async fn accept(door: &Door, hooks: &'static Hooks, request: Request) -> Result<Tally, Refusal> {
    let limit = door.limits.max_body;
    let Received { caller, form: (form, coding), body, lease } =
        door.receive(request, limit, form_of).await?;
    let length = body.len();
    door.store(caller, HookBody { hooks, form, coding, body, limit }, length, lease).await
}

/// By content type, parameters and case ignored. A type that a web page may send without asking is
/// none of these.
fn form_of(headers: &HeaderMap) -> Result<(Form, Coding), Refusal> {
    let content_type = text_of(headers.get(CONTENT_TYPE));
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let is = |name: &str| essence.eq_ignore_ascii_case(name);
    let form = match () {
        () if is("application/json") => Form::Object,
        () if is("application/x-ndjson") || is("application/jsonl") => Form::Lines,
        () => {
            return Err(Refusal::Unsupported(format!(
                "content type {content_type:?} is not that of a hook; send application/json, or \
                 application/x-ndjson with one object a line"
            )));
        }
    };
    Ok((form, coding_of(headers)?))
}
