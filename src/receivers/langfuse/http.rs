//! Langfuse's paths.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Response, Uri};
use axum::routing::{MethodRouter, any, get, post};
use serde::Deserialize;
use tokio::sync::oneshot;

use crate::receivers::otlp::door::{Door, Received};
use crate::receivers::otlp::http::{coding_of, encoding_of, text_of};
use crate::receivers::otlp::{Coding, Encoding, http as otlp};
use crate::receivers::{Refusal, Signal, Tally};

use super::answer;
use super::batch::{Batch, Form, Report};

/// What describes a medium is short.
const MEDIUM: usize = 64 << 10;
/// Of a SHA-256 in base64: what names a medium, in the alphabet of URLs.
const MEDIUM_ID: usize = 22;

pub(super) fn routes(door: Door) -> Router {
    Router::new()
        .route("/api/public/ingestion", posts(ingestion))
        .route("/api/public/scores", posts(scores))
        .route("/api/public/media", posts(media))
        .route("/api/public/projects", get(projects).fallback(only_get))
        .route("/api/public/health", get(health).fallback(only_get))
        .route("/api/public/{*rest}", any(no_such_path))
        .with_state(door.clone())
        .nest("/api/public/otel", otlp::routes(door))
}

fn posts<H, T>(handler: H) -> MethodRouter<Door>
where
    H: axum::handler::Handler<T, Door>,
    T: 'static,
{
    post(handler).fallback(only_post)
}

async fn only_post() -> Response<Body> {
    answer::only("POST")
}

async fn only_get() -> Response<Body> {
    answer::only("GET")
}

async fn no_such_path(uri: Uri) -> Response<Body> {
    answer::no_such_path(uri.path())
}

async fn health(State(door): State<Door>) -> Response<Body> {
    answer::health(door.obstacle())
}

async fn projects(State(door): State<Door>, headers: HeaderMap) -> Response<Body> {
    match door.admit(&headers) {
        Ok(caller) => answer::projects(&caller.owner),
        Err(refusal) => answer::refused(&refusal),
    }
}

async fn ingestion(State(door): State<Door>, request: Request) -> Response<Body> {
    match store(&door, Form::Ingestion, request).await {
        Ok(report) => answer::of_batch(&report.verdicts),
        Err(refusal) => answer::refused(&refusal),
    }
}

async fn scores(State(door): State<Door>, request: Request) -> Response<Body> {
    match store(&door, Form::Scores, request).await {
        Ok(Report { verdicts, is_list: true }) => answer::of_scores(&verdicts),
        Ok(Report { verdicts, is_list: false }) => answer::of_score(verdicts.first()),
        Err(refusal) => answer::refused(&refusal),
    }
}

/// What became of the events of a request; those that are not rejected are durable.
async fn store(door: &Door, form: Form, request: Request) -> Result<Report, Refusal> {
    let (sender, report) = oneshot::channel();
    let signal = if form == Form::Ingestion { Signal::Traces } else { Signal::Logs };
    let outcome = accept(door, form, request, sender).await;
    door.count("langfuse", signal, &outcome);
    outcome?;
    report.await.map_err(|_| Refusal::unavailable("the request could not be read"))
}

async fn accept(
    door: &Door,
    form: Form,
    request: Request,
    report: oneshot::Sender<Report>,
) -> Result<Tally, Refusal> {
    let limit = door.limits.max_body;
    let Received { caller, form: coding, body, lease } = door.receive(request, limit, form_of).await?;
    let length = body.len();
    door.store(caller, Batch { form, coding, body, limit, report }, length, lease).await
}

/// JSON, and said to be JSON: a form of a web page can say that of nothing.
fn form_of(headers: &HeaderMap) -> Result<Coding, Refusal> {
    if encoding_of(headers) != Some(Encoding::Json) {
        let said = text_of(headers.get(CONTENT_TYPE));
        return Err(Refusal::Unsupported(format!(
            "content type {said:?} is not taken here; send application/json"
        )));
    }
    coding_of(headers)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Medium {
    sha256_hash: String,
}

/// Media are not kept: the span says that there was one, and of what type.
async fn media(State(door): State<Door>, request: Request) -> Response<Body> {
    match medium(&door, request).await {
        Ok(id) => answer::medium(&id),
        Err(refusal) => answer::refused(&refusal),
    }
}

async fn medium(door: &Door, request: Request) -> Result<String, Refusal> {
    let Received { form: coding, body, mut lease, .. } = door.receive(request, MEDIUM, form_of).await?;
    let body = coding.decompress(body, MEDIUM, &mut lease)?;
    let malformed = |error: String| Refusal::Malformed(format!("invalid request data: {error}"));
    let medium: Medium = serde_json::from_slice(&body).map_err(|error| malformed(error.to_string()))?;
    let hash = medium.sha256_hash.trim_end_matches('=');
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
    if hash.len() != 43 || !hash.bytes().all(is_base64) {
        return Err(malformed("sha256Hash is no SHA-256 in base64".to_owned()));
    }
    Ok(hash.replace('+', "-").replace('/', "_").chars().take(MEDIUM_ID).collect())
}
