//! Leases over HTTP, against a server that answers as a cluster's API server does.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use regex::Regex;
use serde_json::{Value, json};
use skillspan::coordination::{self, Claims, Cluster, Error, LEASE, LeaseApi, LeaseClaims, SHARDS};
use tempfile::TempDir;
use tokio::net::TcpListener;

const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/skills/leases";

/// What the server keeps, and what it demands.
#[derive(Default)]
struct Kept {
    leases: Mutex<BTreeMap<String, Value>>,
    version: AtomicU64,
    token: Mutex<String>,
    /// Verbs that the account may not use.
    forbidden: Mutex<Vec<Method>>,
    requests: AtomicU64,
}

struct Server {
    kept: Arc<Kept>,
    url: String,
    /// The files of the service account.
    account: TempDir,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let kept = Arc::<Kept>::default();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&kept));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let server = Self { kept, url, account: tempfile::tempdir().unwrap() };
        std::fs::write(server.account.path().join("namespace"), "skills").unwrap();
        server.rotate("first");
        server
    }

    /// The cluster replaces the token, as it does every hour.
    fn rotate(&self, token: &str) {
        token.clone_into(&mut self.kept.token.lock().unwrap());
        std::fs::write(self.account.path().join("token"), format!("{token}\n")).unwrap();
    }

    fn cluster(&self) -> Arc<Cluster> {
        Arc::new(Cluster::at(&self.url, self.account.path()).unwrap())
    }

    fn worker(&self, name: &str, clock: &Arc<AtomicU64>) -> LeaseClaims {
        let clock = Arc::clone(clock);
        let clock = move || Duration::from_secs(clock.load(Ordering::Relaxed));
        LeaseClaims::named(self.cluster(), "0123", name, SHARDS, Arc::new(clock))
    }

    /// Who holds how many shards, as the server has it.
    fn holders(&self) -> BTreeMap<String, usize> {
        let leases = self.kept.leases.lock().unwrap();
        let mut holders = BTreeMap::new();
        for lease in
            leases.values().filter(|lease| lease["metadata"]["name"].as_str().unwrap().contains("-s-"))
        {
            *holders.entry(lease["spec"]["holderIdentity"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        holders
    }
}

fn status(code: StatusCode, message: &str) -> Response {
    (code, axum::Json(json!({ "kind": "Status", "status": "Failure", "message": message }))).into_response()
}

async fn answer(State(kept): State<Arc<Kept>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    kept.requests.fetch_add(1, Ordering::Relaxed);
    let bearer = format!("Bearer {}", kept.token.lock().unwrap());
    if head.headers.get(header::AUTHORIZATION).is_none_or(|given| given != bearer.as_str()) {
        return status(StatusCode::UNAUTHORIZED, "Unauthorized");
    }
    if kept.forbidden.lock().unwrap().contains(&head.method) {
        return status(StatusCode::FORBIDDEN, "leases.coordination.k8s.io is forbidden: User \"x\" cannot");
    }
    let Some(name) = head.uri.path().strip_prefix(LEASES) else {
        return status(StatusCode::NOT_FOUND, "the server could not find the requested resource");
    };
    act(&kept, &head.method, name.trim_start_matches('/'), head.uri.query().unwrap_or_default(), &body)
}

fn act(kept: &Kept, method: &Method, name: &str, query: &str, body: &Bytes) -> Response {
    let mut leases = kept.leases.lock().unwrap();
    match *method {
        Method::GET if name.is_empty() => {
            assert_eq!(query, "labelSelector=skillspan%2Fscope%3D0123");
            let of_scope =
                leases.values().filter(|lease| lease["metadata"]["labels"]["skillspan/scope"] == "0123");
            axum::Json(json!({ "kind": "LeaseList", "items": of_scope.collect::<Vec<_>>() })).into_response()
        }
        Method::POST | Method::PUT => {
            let mut lease: Value = serde_json::from_slice(body).unwrap();
            if let Some(wrong) = wrong_in(&lease) {
                return status(StatusCode::BAD_REQUEST, &wrong);
            }
            let named = lease["metadata"]["name"].as_str().unwrap().to_owned();
            let known = leases.get(&named).map(|known| known["metadata"]["resourceVersion"].clone());
            let asked = lease["metadata"].get("resourceVersion").cloned();
            match (method == Method::POST, known) {
                (true, Some(_)) => return status(StatusCode::CONFLICT, "AlreadyExists"),
                (true, None) if asked.is_some() => {
                    return status(StatusCode::BAD_REQUEST, "resourceVersion set");
                }
                (false, None) => return status(StatusCode::NOT_FOUND, "not found"),
                (false, Some(known)) if asked.is_some_and(|asked| asked != known) => {
                    return status(StatusCode::CONFLICT, "the object has been modified");
                }
                (false, Some(_)) => assert_eq!(name, named),
                (true, None) => {}
            }
            let version = kept.version.fetch_add(1, Ordering::Relaxed) + 1;
            lease["metadata"]["resourceVersion"] = version.to_string().into();
            leases.insert(named, lease.clone());
            let code = if method == Method::POST { StatusCode::CREATED } else { StatusCode::OK };
            (code, axum::Json(lease)).into_response()
        }
        Method::DELETE => match leases.remove(name) {
            Some(_) => status(StatusCode::OK, ""),
            None => status(StatusCode::NOT_FOUND, "not found"),
        },
        _ => status(StatusCode::METHOD_NOT_ALLOWED, "no such verb"),
    }
}

/// What an API server refuses of a Lease.
fn wrong_in(lease: &Value) -> Option<String> {
    let micro_time = Regex::new(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$").unwrap();
    let name = Regex::new("^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$").unwrap();
    let is = |pointer: &str, pattern: &Regex| {
        lease.pointer(pointer).and_then(Value::as_str).is_some_and(|text| pattern.is_match(text))
    };
    if lease["apiVersion"] != "coordination.k8s.io/v1" || lease["kind"] != "Lease" {
        return Some("no Lease".to_owned());
    }
    if !is("/spec/renewTime", &micro_time) {
        return Some(format!("parsing time {}", lease["spec"]["renewTime"]));
    }
    if lease["spec"]["leaseDurationSeconds"].as_u64().is_none_or(|seconds| seconds == 0) {
        return Some("spec.leaseDurationSeconds: must be greater than 0".to_owned());
    }
    (!is("/metadata/name", &name)).then(|| format!("metadata.name {}", lease["metadata"]["name"]))
}

#[tokio::test]
async fn workers_share_shards_by_leases_and_take_over_from_who_stands_still() {
    let server = Server::start().await;
    let time = Arc::new(AtomicU64::new(0));
    let (one, other) = (server.worker("one", &time), server.worker("other", &time));
    let all = usize::from(SHARDS);
    assert_eq!(coordination::tend(&one).await.unwrap().len(), all);
    assert_eq!(coordination::tend(&other).await.unwrap().len(), 0, "all are held by who is alive");
    assert_eq!(coordination::tend(&one).await.unwrap().len(), all / 2);
    let held = coordination::tend(&other).await.unwrap();
    assert_eq!(held.len(), all / 2);
    assert_eq!(server.holders(), [("one".to_owned(), all / 2), ("other".to_owned(), all / 2)].into());
    // One stands still. The other sees it change nothing for the time of a lease.
    time.fetch_add(LEASE.as_secs(), Ordering::Relaxed);
    assert_eq!(coordination::tend(&other).await.unwrap().len(), all / 2);
    time.fetch_add(1, Ordering::Relaxed);
    let after = coordination::tend(&other).await.unwrap();
    assert_eq!(after.len(), all);
    assert!(
        held.iter().all(|(shard, number)| after[shard] == *number),
        "what it held it holds under its numbers"
    );
    // The token is another one by now. Whoever wakes holds nothing until it is given back.
    server.rotate("second");
    let woken = coordination::tend(&one).await.unwrap();
    assert_eq!(woken.len(), 0);
    assert_eq!(coordination::tend(&other).await.unwrap().len(), all / 2);
    let again = coordination::tend(&one).await.unwrap();
    assert!(again.iter().all(|(shard, number)| *number > after[shard]), "every turn has a greater number");
    coordination::leave(&one, &again).await.unwrap();
    assert_eq!(coordination::tend(&other).await.unwrap().len(), all, "nobody waits for who has left");
}

#[tokio::test]
async fn what_was_read_and_is_stale_is_refused_and_costs_two_requests_a_look() {
    let server = Server::start().await;
    let time = Arc::new(AtomicU64::new(0));
    let (one, other) = (server.worker("one", &time), server.worker("other", &time));
    let (first, second) = (one.look().await.unwrap(), other.look().await.unwrap());
    let number = one.take(3, &first).await.unwrap();
    assert!(number.is_some());
    assert_eq!(other.take(3, &second).await.unwrap(), None, "of two that saw it free one has it");
    let before = server.kept.requests.load(Ordering::Relaxed);
    let seen = other.look().await.unwrap();
    assert_eq!(server.kept.requests.load(Ordering::Relaxed) - before, 2);
    assert_eq!(seen.workers, 2);
    one.look().await.unwrap();
    one.give_back(3, number.unwrap()).await.unwrap();
    let free = other.look().await.unwrap();
    let next = other.take(3, &free).await.unwrap();
    assert!(next > number);
    assert_eq!(other.take(3, &free).await.unwrap(), None, "a version is good for one write");
    // One has not looked since: what it read is stale.
    assert_eq!(one.take(3, &first).await.unwrap(), None);
    assert_eq!(server.holders(), [("other".to_owned(), 1)].into());
}

#[tokio::test]
async fn what_the_account_may_not_do_is_said_with_what_it_needs() {
    let server = Server::start().await;
    let time = Arc::new(AtomicU64::new(0));
    let one = server.worker("one", &time);
    server.kept.forbidden.lock().unwrap().push(Method::PUT);
    let error = one.look().await.unwrap_err();
    let said = error.to_string();
    assert!(matches!(error, Error::Refused { status: 403, .. }));
    for part in ["update Leases (HTTP 403)", "is forbidden: User", "get, list, create, update and delete"] {
        assert!(said.contains(part), "{said}");
    }
    server.kept.forbidden.lock().unwrap().clear();
    std::fs::write(server.account.path().join("token"), "old").unwrap();
    assert!(one.look().await.unwrap_err().to_string().contains("(HTTP 401)"));
}

#[tokio::test]
async fn outside_of_a_pod_what_is_missing_is_named() {
    let said = |account: &Path| Cluster::at("https://10.0.0.1:443", account).unwrap_err().to_string();
    let empty = tempfile::tempdir().unwrap();
    assert!(said(empty.path()).contains("/namespace"), "{}", said(empty.path()));
    std::fs::write(empty.path().join("namespace"), "skills").unwrap();
    assert!(said(empty.path()).contains("automountServiceAccountToken: true"));
    std::fs::write(empty.path().join("token"), "t").unwrap();
    std::fs::write(empty.path().join("ca.crt"), "nothing").unwrap();
    assert!(said(empty.path()).contains("there is no certificate in it"));
    let server = Server::start().await;
    let cluster = server.cluster();
    let gone = cluster.delete("nobody").await.unwrap();
    assert_eq!(gone, coordination::Put::Gone);
}
