//! `/api/v1/`: what the pages show, as JSON (`openapi.json` describes it).

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::header::CONTENT_TYPE;
use serde::Serialize;
use serde_json::json;

use super::App;
use super::access::Reader;
use super::asked::{Asked, Named, SentJson};
use super::page::review::Verdict;
use super::page::search::Wanted;
use super::page::session::Meant;
use super::page::skills::Whose;
use super::page::{claim, cluster, overview, report, review, session, sessions, skills, work};
use super::problem::Problem;

/// The document that a test holds against what is answered.
const OPENAPI: &str = include_str!("openapi.json");

type Seen = axum::Extension<Arc<Reader>>;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/api/v1/openapi.json", get(openapi))
        .route("/api/v1/overview", get(overview))
        .route("/api/v1/sessions", get(sessions))
        .route("/api/v1/sessions/{id}", get(session))
        .route("/api/v1/sessions/{id}/events/{event}", get(event))
        .route("/api/v1/work", get(work))
        .route("/api/v1/work/clusters/{id}", get(cluster))
        .route("/api/v1/skills", get(skills))
        .route("/api/v1/skills/{name}", get(skill))
        .route("/api/v1/skills/{name}/claims/{number}", get(claim))
        .route("/api/v1/review", get(review))
        .route("/api/v1/review/{name}", get(proposal).merge(post(decide)))
        .route("/api/v1/report", get(report))
}

fn answer(view: &impl Serialize) -> Result<Response, Problem> {
    let text = serde_json::to_string(view).map_err(|error| Problem::failed("The answer", error))?;
    Ok(([(CONTENT_TYPE, "application/json")], text).into_response())
}

async fn openapi() -> Response {
    ([(CONTENT_TYPE, "application/json")], OPENAPI).into_response()
}

async fn overview(State(app): State<Arc<App>>, reader: Seen) -> Result<Response, Problem> {
    answer(&overview::view(&app, &reader).await?)
}

async fn sessions(
    State(app): State<Arc<App>>,
    reader: Seen,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Problem> {
    answer(&sessions::view(&app, &reader, wanted).await?)
}

async fn session(
    State(app): State<Arc<App>>,
    reader: Seen,
    Named(id): Named<String>,
    Asked(meant): Asked<Meant>,
) -> Result<Response, Problem> {
    answer(&session::view(&app, &reader, &id, &meant).await?)
}

async fn event(
    State(app): State<Arc<App>>,
    reader: Seen,
    Named((id, event)): Named<(String, String)>,
    Asked(meant): Asked<Meant>,
) -> Result<Response, Problem> {
    answer(&session::event(&app, &reader, &id, &event, &meant).await?)
}

async fn work(
    State(app): State<Arc<App>>,
    reader: Seen,
    Asked(wanted): Asked<work::Wanted>,
) -> Result<Response, Problem> {
    answer(&work::view(&app, &reader, &wanted).await?)
}

async fn cluster(
    State(app): State<Arc<App>>,
    reader: Seen,
    Named(id): Named<String>,
    Asked(meant): Asked<cluster::Meant>,
) -> Result<Response, Problem> {
    answer(&cluster::view(&app, &reader, &id, &meant).await?)
}

async fn skills(State(app): State<Arc<App>>, reader: Seen) -> Result<Response, Problem> {
    answer(&skills::list(&app, &reader).await)
}

async fn skill(
    State(app): State<Arc<App>>,
    reader: Seen,
    Named(name): Named<String>,
    Asked(whose): Asked<Whose>,
) -> Result<Response, Problem> {
    answer(&skills::view(&app, &reader, &name, &whose).await?)
}

async fn claim(
    State(app): State<Arc<App>>,
    reader: Seen,
    Named((name, number)): Named<(String, usize)>,
    Asked(meant): Asked<claim::Meant>,
) -> Result<Response, Problem> {
    answer(&claim::view(&app, &reader, (&name, number), &meant).await?)
}

async fn review(State(app): State<Arc<App>>, reader: Seen) -> Result<Response, Problem> {
    answer(&review::list(&app, &reader).await)
}

async fn proposal(
    State(app): State<Arc<App>>,
    reader: Seen,
    Named(name): Named<String>,
    Asked(whose): Asked<Whose>,
) -> Result<Response, Problem> {
    answer(&review::view(&app, &reader, &name, &whose).await?)
}

async fn decide(
    State(app): State<Arc<App>>,
    reader: Seen,
    Named(name): Named<String>,
    SentJson(verdict): SentJson<Verdict>,
) -> Result<Response, Problem> {
    let done = review::decide(&app, &reader, &name, verdict).await?;
    answer(&json!({ "done": done }))
}

async fn report(State(app): State<Arc<App>>, reader: Seen) -> Result<Response, Problem> {
    answer(&report::view(&app, &reader)?)
}
