//! A server that speaks as much of the S3 protocol as a table needs, with an atomic create-only PUT, and
//! that can be made to misbehave as stores do. What Google's XML interface says otherwise it says in the
//! bucket `google`.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use object_store::aws::AmazonS3Builder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};
use skillspan::event::Timestamp;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::port::Port;

/// What a store does to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Answers 500 and does nothing.
    Refuse,
    /// Does what it was asked to, then answers 500.
    RefuseAfter,
    /// Asks to slow down.
    SlowDown,
    /// Does nothing and never answers.
    Stall,
    /// Does what it was asked to and never answers.
    StallAfter,
}

/// The content of a bucket and the faults to come.
pub(crate) struct Bucket {
    objects: Mutex<BTreeMap<String, Bytes>>,
    /// When each was put, by the server's clock, after it began.
    put_at: Mutex<BTreeMap<String, Duration>>,
    faults: Mutex<VecDeque<(Method, Fault)>>,
    started: Instant,
    /// How far the server's clock was put forward.
    ahead: Mutex<Duration>,
    /// How many objects a page of a listing has.
    page: AtomicUsize,
}

impl Default for Bucket {
    fn default() -> Self {
        let (put_at, ahead) = (Mutex::default(), Mutex::default());
        let (objects, faults, page) = (Mutex::default(), Mutex::default(), AtomicUsize::new(PAGE));
        Self { objects, put_at, faults, started: Instant::now(), ahead, page }
    }
}

pub(crate) struct Server {
    pub(crate) bucket: Arc<Bucket>,
    port: Port,
    task: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let mut server = Self { bucket: Arc::default(), port: Port::keep(), task: None };
        server.serve();
        server
    }

    fn serve(&mut self) {
        let listener = self.port.listen();
        listener.set_nonblocking(true).unwrap();
        let listener = TcpListener::from_std(listener).unwrap();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&self.bucket));
        self.task = Some(tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }));
    }

    /// Where it listens, for `AWS_ENDPOINT_URL`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.port.address())
    }

    /// The server is gone; what it holds stays.
    pub(crate) async fn stop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            let _ = task.await;
        }
    }

    pub(crate) async fn come_back(&mut self) {
        self.serve();
    }

    /// The next requests of this method meet these faults.
    pub(crate) fn meet(&self, method: &Method, faults: &[Fault]) {
        self.bucket.faults.lock().unwrap().extend(faults.iter().map(|fault| (method.clone(), *fault)));
    }

    /// Whatever faults are left do not happen.
    pub(crate) fn forget_faults(&self) {
        self.bucket.faults.lock().unwrap().clear();
    }

    /// A client that waits as long as a busy machine takes.
    pub(crate) fn client(&self) -> Arc<dyn ObjectStore> {
        self.client_with(Duration::from_secs(60))
    }

    /// A client that gives up soon, for a server that never answers.
    pub(crate) fn impatient_client(&self) -> Arc<dyn ObjectStore> {
        self.client_with(Duration::from_secs(1))
    }

    fn client_with(&self, patience: Duration) -> Arc<dyn ObjectStore> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let backoff = BackoffConfig {
            init_backoff: Duration::from_millis(1),
            max_backoff: Duration::from_millis(5),
            base: 2.0,
        };
        let retry = RetryConfig { backoff, max_retries: 2, retry_timeout: Duration::from_secs(60) };
        let client = ClientOptions::new().with_allow_http(true).with_timeout(patience);
        let store = AmazonS3Builder::new()
            .with_endpoint(self.url())
            .with_bucket_name("bucket")
            .with_region("local")
            .with_access_key_id("key")
            .with_secret_access_key("secret")
            .with_retry(retry)
            .with_client_options(client)
            .build();
        Arc::new(store.unwrap())
    }

    /// Google's client, with a bucket that shares its objects with the other.
    pub(crate) fn google_client(&self) -> Arc<dyn ObjectStore> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let account = serde_json::json!({
            "gcs_base_url": self.url(),
            "disable_oauth": true,
            "client_email": "",
            "private_key": "",
            "private_key_id": "",
        });
        let store = GoogleCloudStorageBuilder::new()
            .with_bucket_name(OF_GOOGLE)
            .with_service_account_key(account.to_string())
            .build();
        Arc::new(store.unwrap())
    }
}

impl Bucket {
    /// The server's clock, and nobody else's, goes forward.
    pub(crate) fn let_time_pass(&self, time: Duration) {
        *self.ahead.lock().unwrap() += time;
    }

    /// From now on listings have pages of this size.
    pub(crate) fn list_in_pages_of(&self, objects: usize) {
        self.page.store(objects, Ordering::Relaxed);
    }

    fn now(&self) -> Duration {
        self.started.elapsed() + *self.ahead.lock().unwrap()
    }

    fn modified(&self, key: &str) -> String {
        let put_at = self.put_at.lock().unwrap().get(key).copied().unwrap_or_default();
        Timestamp::parse_rfc3339(BEGAN).unwrap().saturating_add(put_at).to_iso_millis()
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        self.objects.lock().unwrap().keys().cloned().collect()
    }

    fn next_fault(&self, method: &Method) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        let position = faults.iter().position(|(of, _)| of == method)?;
        faults.remove(position).map(|(_, fault)| fault)
    }
}

/// When the server's clock began.
const BEGAN: &str = "2026-11-22T09:30:00Z";

/// The bucket that answers as Google's do.
const OF_GOOGLE: &str = "google";
const GENERATION: &str = "x-goog-generation";
const IF_GENERATION_MATCH: &str = "x-goog-if-generation-match";

fn is_of_google(path: &str) -> bool {
    path.trim_start_matches('/').starts_with(OF_GOOGLE)
}

fn is_signed(request: &Request) -> bool {
    request.headers()[header::AUTHORIZATION].to_str().unwrap().starts_with("AWS4-HMAC-SHA256")
}

async fn answer(State(bucket): State<Arc<Bucket>>, request: Request) -> Response {
    assert!(is_of_google(request.uri().path()) || is_signed(&request), "requests are signed");
    // Faults meet what is told of in the tests, not the announcements around it.
    let is_announcement = request.uri().path().contains("/upkeep/writing/");
    let fault = if is_announcement { None } else { bucket.next_fault(request.method()) };
    match fault {
        None => act(&bucket, request).await,
        Some(Fault::Refuse) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Some(Fault::SlowDown) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Some(Fault::Stall) => std::future::pending().await,
        Some(Fault::RefuseAfter) => {
            act(&bucket, request).await;
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
        Some(Fault::StallAfter) => {
            act(&bucket, request).await;
            std::future::pending().await
        }
    }
}

async fn act(bucket: &Bucket, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let path = percent_decode(head.uri.path());
    let of_google = is_of_google(&path);
    let path = path.strip_prefix(if of_google { "/google" } else { "/bucket" }).unwrap();
    let key = path.trim_start_matches('/').to_owned();
    let query = head.uri.query().unwrap_or_default();
    let mut objects = bucket.objects.lock().unwrap();
    match head.method {
        Method::PUT => {
            // Looked up and stored under one lock: of two that create, one does.
            let creates = match of_google {
                true => head.headers.get(IF_GENERATION_MATCH).is_some_and(|generation| generation == "0"),
                false => head.headers.get(header::IF_NONE_MATCH).is_some_and(|tag| tag == "*"),
            };
            if creates && objects.contains_key(&key) {
                return StatusCode::PRECONDITION_FAILED.into_response();
            }
            let tag = etag(&body);
            bucket.put_at.lock().unwrap().insert(key.clone(), bucket.now());
            objects.insert(key, body);
            ([(header::ETAG.as_str(), tag.as_str()), (GENERATION, "1")], "").into_response()
        }
        Method::GET if key.is_empty() => list(bucket, &objects, query),
        Method::GET | Method::HEAD => {
            let Some(content) = objects.get(&key) else { return StatusCode::NOT_FOUND.into_response() };
            get(content, head.headers.get(header::RANGE).map(|range| range.to_str().unwrap()), &head.method)
        }
        Method::DELETE => {
            objects.remove(&key);
            StatusCode::NO_CONTENT.into_response()
        }
        Method::POST => {
            let text = String::from_utf8(body.to_vec()).unwrap();
            let keys = text.split("<Key>").skip(1).map(|rest| rest.split("</Key>").next().unwrap());
            let mut xml = String::from("<DeleteResult>");
            for key in keys {
                objects.remove(key);
                let _ = write!(xml, "<Deleted><Key>{key}</Key></Deleted>");
            }
            xml.push_str("</DeleteResult>");
            xml.into_response()
        }
        other => panic!("{other} {key}"),
    }
}

fn get(content: &Bytes, range: Option<&str>, method: &Method) -> Response {
    let all = content.len();
    let tag = etag(content);
    let modified = "Sun, 22 Nov 2026 09:30:00 GMT".to_owned();
    let base = [(header::ETAG, tag), (header::LAST_MODIFIED, modified)];
    if *method == Method::HEAD {
        let length = [(header::CONTENT_LENGTH, all.to_string())];
        return (base, length, Body::empty()).into_response();
    }
    let Some(range) = range else { return (base, content.clone()).into_response() };
    let (first, last) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
    let first: usize = first.parse().unwrap();
    let last: usize = last.parse::<usize>().unwrap().min(all - 1);
    let shown = [(header::CONTENT_RANGE, format!("bytes {first}-{last}/{all}"))];
    (StatusCode::PARTIAL_CONTENT, base, shown, content.slice(first..=last)).into_response()
}

/// Pages are small at first, so that every listing of a test has several.
const PAGE: usize = 3;

fn list(bucket: &Bucket, objects: &BTreeMap<String, Bytes>, query: &str) -> Response {
    let parameter = |name: &str| {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(key, _)| *key == name).map(|(_, value)| percent_decode(value)).next()
    };
    let prefix = parameter("prefix").unwrap_or_default();
    let after = parameter("continuation-token").unwrap_or_default();
    let mut found =
        objects.iter().filter(|(key, _)| key.starts_with(&prefix) && key.as_str() > after.as_str());
    let mut xml = String::from("<ListBucketResult>");
    let mut last = String::new();
    for (key, content) in found.by_ref().take(bucket.page.load(Ordering::Relaxed)) {
        let (size, tag, modified) = (content.len(), etag(content), bucket.modified(key));
        let _ = write!(
            xml,
            "<Contents><Key>{key}</Key><LastModified>{modified}</LastModified>\
             <ETag>{tag}</ETag><Size>{size}</Size></Contents>"
        );
        last.clone_from(key);
    }
    if found.next().is_some() {
        let _ = write!(xml, "<NextContinuationToken>{last}</NextContinuationToken>");
    }
    xml.push_str("</ListBucketResult>");
    xml.into_response()
}

fn etag(content: &[u8]) -> String {
    format!("\"{:08x}\"", crc32c::crc32c(content))
}

fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                let hex = String::from_utf8(vec![*high, *low]).unwrap();
                bytes.push(u8::from_str_radix(&hex, 16).unwrap());
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap()
}
