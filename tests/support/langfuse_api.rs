//! A stand-in for Langfuse's public API: lists behind cursors and numbers, as its definition has them, and its troubles.
//!
//! As the real one: the newest comes first; a row has the groups of fields that were asked for and no other; a page
//! has at most 1000 rows, of the older lists 100; a cursor that it did not give is refused; keys are asked for.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::header::{AUTHORIZATION, LOCATION, RETRY_AFTER};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

pub(crate) const PUBLIC_KEY: &str = "pk-lf-0f1e2d3c";
pub(crate) const SECRET_KEY: &str = "sk-lf-7a6b5c4d3e2f";

/// What happens to the next request.
#[derive(Debug, Clone)]
pub(crate) enum Trouble {
    /// Nothing.
    Fine,
    /// 429, and in how many seconds again.
    Busy(u32),
    /// The connection breaks in the middle of the page.
    Reset,
    /// 503 from a gateway.
    Fail,
    /// The rows of the page before, with the right cursor.
    Repeat,
    /// No answer at all.
    Hang,
}

#[derive(Default)]
pub(crate) struct Project {
    /// In the order of their beginning, the newest first, with every field.
    pub(crate) observations: Vec<Value>,
    pub(crate) traces: Vec<Value>,
    pub(crate) scores: Vec<Value>,
    /// A page has no more rows, whatever is asked for.
    pub(crate) most: usize,
    /// More are too many: the database gives up.
    pub(crate) too_many: usize,
    /// The server is from before v2, and says so with this status.
    pub(crate) older: Option<u16>,
    /// It is at another address.
    pub(crate) moved: Option<String>,
    /// No cursor of before is known, until somebody begins anew.
    pub(crate) forgets_cursors: bool,
    pub(crate) troubles: VecDeque<Trouble>,
    /// Paths and queries that came.
    pub(crate) asked: Vec<String>,
    pub(crate) before: Vec<Value>,
}

type Shared = Arc<Mutex<Project>>;

/// A server on a port of its own.
pub(crate) struct LangfuseApi {
    pub(crate) address: String,
    project: Shared,
    _runtime: tokio::runtime::Runtime,
}

impl LangfuseApi {
    pub(crate) fn start(project: Project) -> Self {
        let project = Arc::new(Mutex::new(project));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let router = Router::new()
            .route("/api/public/v2/observations", get(observations))
            .route("/api/public/v2/scores", get(scores))
            .route("/api/public/observations", get(older_observations))
            .route("/api/public/traces", get(traces))
            .with_state(Arc::clone(&project));
        let address = runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = format!("http://{}", listener.local_addr().unwrap());
            tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
            address
        });
        Self { address, project, _runtime: runtime }
    }

    pub(crate) fn project(&self) -> MutexGuard<'_, Project> {
        self.project.lock().unwrap()
    }
}

type Asked = Query<Vec<(String, String)>>;

fn of<'q>(query: &'q [(String, String)], name: &str) -> Option<&'q str> {
    query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

async fn observations(
    State(project): State<Shared>,
    headers: HeaderMap,
    Query(query): Asked,
) -> Response<Body> {
    list(&project, &headers, &query, "v2/observations").await
}

async fn scores(State(project): State<Shared>, headers: HeaderMap, Query(query): Asked) -> Response<Body> {
    list(&project, &headers, &query, "v2/scores").await
}

async fn older_observations(
    State(project): State<Shared>,
    headers: HeaderMap,
    Query(query): Asked,
) -> Response<Body> {
    list(&project, &headers, &query, "observations").await
}

async fn traces(State(project): State<Shared>, headers: HeaderMap, Query(query): Asked) -> Response<Body> {
    list(&project, &headers, &query, "traces").await
}

async fn list(
    project: &Shared,
    headers: &HeaderMap,
    query: &[(String, String)],
    path: &str,
) -> Response<Body> {
    let trouble = {
        let mut project = project.lock().unwrap();
        let pairs: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        project.asked.push(format!("{path}?{}", pairs.join("&")));
        project.troubles.pop_front().unwrap_or(Trouble::Fine)
    };
    let expected = format!("Basic {}", STANDARD.encode(format!("{PUBLIC_KEY}:{SECRET_KEY}")));
    if headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()) != Some(expected.as_str()) {
        let said = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let key = said.strip_prefix("Basic ").and_then(|said| STANDARD.decode(said).ok()).unwrap_or_default();
        let message = format!("Invalid credentials. Confirm that {} is right", String::from_utf8_lossy(&key));
        return answer(401, &json!({ "message": message }));
    }
    match trouble {
        Trouble::Hang => std::future::pending().await,
        Trouble::Busy(seconds) => {
            let mut answer = answer(429, &json!({ "message": "429 - rate limit exceeded" }));
            answer.headers_mut().insert(RETRY_AFTER, seconds.into());
            answer
        }
        Trouble::Fail => answer(503, &json!({ "message": "upstream is away" })),
        trouble => project.lock().unwrap().page(query, path, &trouble),
    }
}

fn answer(status: u16, body: &Value) -> Response<Body> {
    let mut answer = Response::new(Body::from(body.to_string()));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap();
    answer
}

impl Project {
    fn page(&mut self, query: &[(String, String)], path: &str, trouble: &Trouble) -> Response<Body> {
        if let Some(moved) = &self.moved {
            let mut answer = answer(301, &Value::Null);
            answer.headers_mut().insert(LOCATION, moved.parse().unwrap());
            return answer;
        }
        let is_older = matches!(path, "observations" | "traces");
        if let Some(status) = self.older.filter(|_| path == "v2/observations") {
            return answer(status, &json!({ "message": "not available on this deployment" }));
        }
        if self.older.is_none() && is_older {
            return answer(410, &json!({ "message": "LEGACY_API_UNAVAILABLE" }));
        }
        let limit: usize = of(query, "limit").map_or(50, |limit| limit.parse().unwrap());
        if limit > if path == "v2/observations" { 1000 } else { 100 } {
            return answer(400, &json!({ "message": "limit is too large" }));
        }
        if limit > self.too_many {
            return answer(500, &json!({ "message": "the database ran out of memory" }));
        }
        let limit = limit.min(self.most);
        let (answer, rows) = match path {
            "v2/observations" => self.behind_cursor(query, limit, trouble),
            _ => self.numbered(query, path, limit, trouble),
        };
        self.before = rows;
        answer
    }

    fn behind_cursor(
        &mut self,
        query: &[(String, String)],
        limit: usize,
        trouble: &Trouble,
    ) -> (Response<Body>, Vec<Value>) {
        let fields = of(query, "fields").unwrap_or("core,basic");
        let mut rows: Vec<&Value> =
            within(&self.observations, query, "startTime", "fromStartTime", "toStartTime");
        if of(query, "cursor").is_none() {
            self.forgets_cursors = false;
        }
        if let Some(cursor) = of(query, "cursor") {
            let known = STANDARD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let known = known.map(|last| last.trim_end().to_owned());
            let Some(last) = known.filter(|_| !self.forgets_cursors) else {
                return (answer(400, &json!({ "message": "Invalid cursor" })), Vec::new());
            };
            let at = rows.iter().position(|row| row["id"] == last.as_str()).unwrap();
            rows.drain(..=at);
        }
        let more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().map(|row| row["id"].as_str().unwrap().to_owned());
        let cursor = last.filter(|_| more).map(|last| STANDARD.encode(last));
        let rows: Vec<Value> = rows.into_iter().map(|row| shown(row, fields)).collect();
        let told = if matches!(trouble, Trouble::Repeat) { self.before.clone() } else { rows.clone() };
        // A page that was left out for the one before it comes under the next cursor.
        let cursor = match (trouble, of(query, "cursor")) {
            // The same place in another coding of it, as a server writes it that moved on.
            (Trouble::Repeat, Some(same)) => Some(again(same)),
            _ => cursor,
        };
        (sent(&json!({ "data": told, "meta": { "cursor": cursor } }), trouble), told)
    }

    fn numbered(
        &self,
        query: &[(String, String)],
        path: &str,
        limit: usize,
        trouble: &Trouble,
    ) -> (Response<Body>, Vec<Value>) {
        let rows = match path {
            "observations" => within(&self.observations, query, "startTime", "fromStartTime", "toStartTime"),
            "traces" => within(&self.traces, query, "timestamp", "fromTimestamp", "toTimestamp"),
            _ => within(&self.scores, query, "timestamp", "fromTimestamp", "toTimestamp"),
        };
        let page: usize = of(query, "page").map_or(1, |page| page.parse().unwrap());
        let (total, pages) = (rows.len(), rows.len().div_ceil(limit));
        let rows: Vec<Value> = rows
            .into_iter()
            .skip((page - 1) * limit)
            .take(limit)
            .map(|row| without_trace(path, row))
            .collect();
        let meta = json!({ "page": page, "limit": limit, "totalItems": total, "totalPages": pages });
        (sent(&json!({ "data": rows, "meta": meta }), trouble), rows)
    }
}

/// A cursor for the same place that reads otherwise.
fn again(cursor: &str) -> String {
    let last = String::from_utf8(STANDARD.decode(cursor).unwrap()).unwrap();
    STANDARD.encode(format!("{last} "))
}

/// Rows that began within the times of a question.
fn within<'r>(
    rows: &'r [Value],
    query: &[(String, String)],
    field: &str,
    from: &str,
    to: &str,
) -> Vec<&'r Value> {
    let (from, to) = (of(query, from).unwrap_or(""), of(query, to).unwrap_or("9"));
    rows.iter()
        .filter(|row| row[field].as_str().unwrap() >= from && row[field].as_str().unwrap() < to)
        .collect()
}

/// Observations of the older list know neither whose they are nor of which session.
fn without_trace(path: &str, row: &Value) -> Value {
    let mut row = row.as_object().unwrap().clone();
    if path == "observations" {
        row.retain(|name, _| !matches!(name.as_str(), "sessionId" | "userId" | "traceName" | "tags"));
    }
    Value::Object(row)
}

/// The groups of fields that were asked for.
fn shown(row: &Value, fields: &str) -> Value {
    let groups: Vec<&str> = fields.split(',').collect();
    let group = |name: &str| match name {
        "input" | "output" => "io",
        "metadata" => "metadata",
        "providedModelName" | "modelParameters" => "model",
        "usageDetails" => "usage",
        "completionStartTime" => "time",
        "tags" | "traceName" => "trace_context",
        "name" | "level" | "statusMessage" | "userId" | "sessionId" => "basic",
        _ => "core",
    };
    let members = row.as_object().unwrap().iter().filter(|(name, _)| {
        let group = group(name);
        group == "core" || groups.contains(&group)
    });
    Value::Object(members.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<String, Value>>())
}

fn sent(body: &Value, trouble: &Trouble) -> Response<Body> {
    let text = body.to_string();
    if !matches!(trouble, Trouble::Reset) {
        return answer(200, body);
    }
    let half = Bytes::from(text[..text.len() / 2].to_owned());
    let chunks = [Ok(half), Err(std::io::Error::other("the connection breaks"))];
    Response::new(Body::from_stream(futures_util::stream::iter(chunks)))
}
