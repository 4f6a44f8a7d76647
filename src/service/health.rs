//! `/health`, `/ready`, `/status`, `/metrics`, and `POST /flush` and `POST /forget` for the command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, ORIGIN};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::future::join_all;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::exporters::{deeplake, otlp};
use crate::journal::Journal;
use crate::receivers::{Losses, MemoryLimit, TurnedAway};

use super::forwards::{ErasedSubject, Eraser, QueueErasure};
use super::hooks::HookSpools;
use super::metrics::{Metrics, MiningCounts};
use super::report::{Listening, Loss, Problem, Report};
use super::sessions::TableFeed;
use super::tasks::{EXPORTER, Panicked};
use super::telemetry::Failing;

/// A disk that does not answer must not keep from being told that it does not.
const LOOK: Duration = Duration::from_secs(2);

/// What the health extension reports on.
pub(super) struct Vitals {
    /// Where clients are served: (`grpc` or `http`, address).
    pub(super) addresses: Vec<(&'static str, SocketAddr)>,
    /// The sessions pipelines.
    pub(super) hook_spools: Vec<Arc<HookSpools>>,
    pub(super) feeds: Vec<TableFeed>,
    /// Journals that no pipeline has, as they were found at the start.
    pub(super) unowned: Vec<(PathBuf, Problem)>,
    pub(super) memory: Option<MemoryLimit>,
    pub(super) losses: Losses,
    pub(super) followers: Vec<deeplake::Handle>,
    /// The senders to other backends.
    pub(super) senders: Vec<otlp::Handle>,
    /// Removes erased data from their queues.
    pub(super) eraser: Option<Eraser>,
    pub(super) mining: Arc<MiningCounts>,
    pub(super) metrics: Arc<Metrics>,
    /// Whether they reach the collector that they are sent to.
    pub(super) telemetry: Failing,
    /// Cancelled when the process begins to stop: from then on it is not ready.
    pub(super) stopping: CancellationToken,
    /// Who was turned away at the doors.
    pub(super) turned_away: TurnedAway,
    /// Which tasks have ended by a fault of the program.
    pub(super) panicked: Panicked,
}

/// How a service does, for who asks from within its process. Cloning is cheap.
#[derive(Clone)]
pub struct Overseer(pub(super) Arc<Vitals>);

impl Overseer {
    /// What `/status` says.
    pub async fn report(&self) -> Result<Report, tokio::task::JoinError> {
        self.0.clone().look().await
    }

    /// A person's decision was written to this target, by its name in the report.
    pub fn decided(&self, target: &str) {
        self.0.mining.targets.decided(target);
    }
}

pub(super) fn router(vitals: Arc<Vitals>) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/status", get(status))
        .route("/metrics", get(metrics))
        .route("/flush", post(flush))
        .route("/forget", post(forget))
        .with_state(vitals)
}

/// The process lives.
async fn health() -> Response {
    Json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") })).into_response()
}

/// The process takes requests.
async fn ready(State(vitals): State<Arc<Vitals>>) -> Response {
    // The path that a disk error names is in the log and in `/status`: a probe is everybody's.
    let obstacle = vitals.obstacle();
    let status = if obstacle.is_none() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": obstacle.is_none(), "reason": obstacle }))).into_response()
}

/// How the process does, for `skillspan status`.
async fn status(State(vitals): State<Arc<Vitals>>) -> Response {
    match vitals.look().await {
        Ok(report) => Json(report).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn metrics(State(vitals): State<Arc<Vitals>>) -> Response {
    match vitals.metrics.render() {
        Ok(text) => {
            let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(CONTENT_TYPE, content_type)], text).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// Everything acknowledged so far is in the table when this answers.
async fn flush(State(vitals): State<Arc<Vitals>>, headers: HeaderMap) -> Response {
    if headers.contains_key(ORIGIN) {
        return (StatusCode::FORBIDDEN, "requests of web pages are refused").into_response();
    }
    if vitals.feeds.is_empty() {
        return (StatusCode::NOT_FOUND, "this process writes no table").into_response();
    }
    match super::flush(&vitals.hook_spools, &vitals.feeds).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(stopped) => (StatusCode::SERVICE_UNAVAILABLE, stopped.to_string()).into_response(),
    }
}

/// Everything acknowledged so far is in the table when this answers, or dropped as it is erased, and in no file of
/// the journals any more. What is erased waits for no other backend any more either: what the tables say, and
/// whom the body names, an [`ErasedSubject`] as JSON.
async fn forget(State(vitals): State<Arc<Vitals>>, headers: HeaderMap, body: Bytes) -> Response {
    // A request from a web page changes nothing: the flush refuses it.
    if headers.contains_key(ORIGIN) {
        return flush(State(vitals), headers).await;
    }
    let subject = match &*body {
        [] => Ok(ErasedSubject::default()),
        body => serde_json::from_slice(body),
    };
    let subject: ErasedSubject = match subject {
        Ok(subject) => subject,
        Err(error) => {
            let message = format!("the body does not say whom to forget, so that nothing is erased: {error}");
            return (StatusCode::BAD_REQUEST, message).into_response();
        }
    };
    for feed in &vitals.feeds {
        if let Err(error) = feed.journal.rotate().await {
            return (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response();
        }
    }
    let mut erasure = QueueErasure::default();
    if let Some(eraser) = &vitals.eraser {
        match eraser.erase(&subject).await {
            Ok(bodies) => erasure.bodies = bodies,
            Err(error) => return (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
        }
    }
    let flushed = flush(State(vitals), headers).await;
    if flushed.status().is_success() { Json(erasure).into_response() } else { flushed }
}

impl Vitals {
    async fn look(self: Arc<Self>) -> Result<Report, tokio::task::JoinError> {
        // Looks at the journals first, so that the answer includes the last moment.
        let looks = join_all(self.feeds.iter().map(|feed| feed.journal.look()));
        let _ = tokio::time::timeout(LOOK, looks).await;
        tokio::task::spawn_blocking(move || self.report()).await
    }

    /// Reads the folders of journals and of targets; blocks.
    fn report(&self) -> Report {
        let mut report = Report::new(true);
        report.ready = self.obstacle().is_none();
        let listening = |(protocol, address): &(&'static str, SocketAddr)| Listening {
            protocol: (*protocol).to_owned(),
            address: *address,
        };
        report.listening = self.addresses.iter().map(listening).collect();
        for feed in &self.feeds {
            let TableFeed { pipeline, journal, exporter, table, upkeep } = feed;
            report.add_pipeline(pipeline, journal.path(), &journal.status());
            report.add_table(pipeline, &table.location, &exporter.status());
            report.add_upkeep(pipeline, upkeep);
        }
        for follower in &self.followers {
            report.add_follower(follower);
        }
        for sender in &self.senders {
            report.add_forward(sender);
        }
        let unowned = self.unowned.iter().filter(|(path, _)| Journal::is_in(path));
        if let Some(error) = self.telemetry.error() {
            report.problem(
                format!("own metrics cannot be sent: {error}"),
                "see service.telemetry.metrics.otlp and the collector there; it is tried again, and nothing else is held up",
            );
        }
        for task in self.panicked.names() {
            report.problem(
                format!("{task} has ended by a fault of the program"),
                "restart skillspan, and report what its log says of it",
            );
        }
        report.problems.extend(unowned.map(|(_, problem)| problem.clone()));
        let lost = self.losses.since_start().into_iter();
        report.lost = lost
            .map(|((dialect, reason), count)| Loss {
                dialect: dialect.to_owned(),
                reason: reason.to_owned(),
                count,
            })
            .collect();
        report.add_turned_away(&self.turned_away.so_far());
        report.add_targets(&self.mining.targets);
        self.mining.model.report(&mut report);
        self.mining.embeddings.report(&mut report);
        self.mining.shares.report(&mut report);
        report
    }

    /// Why the process takes no requests now, if it does not.
    fn obstacle(&self) -> Option<String> {
        if self.stopping.is_cancelled() {
            return Some("stopping".to_owned());
        }
        if self.panicked.has(EXPORTER) {
            return Some(format!("{EXPORTER} has ended by a fault of the program; restart skillspan"));
        }
        if self.memory.as_ref().is_some_and(MemoryLimit::is_short) {
            return Some("requests in flight take all of memory_limit".to_owned());
        }
        self.feeds.iter().find_map(|feed| {
            let status = feed.journal.status();
            let obstacle = status.obstacle()?;
            let obstacle =
                if status.writable { obstacle } else { "the journal cannot be written now".to_owned() };
            Some(format!("pipeline {}: {obstacle}", feed.pipeline))
        })
    }
}
