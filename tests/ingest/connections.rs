//! How long connections last, and how they end: no request that a client has begun is lost by it.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request};
use skillspan::dialects::Dialects;
use skillspan::journal::{Config, Durability, Journal};
use skillspan::receivers::otlp::{Limits, Patience, patient_router};
use skillspan::receivers::{
    ConnectionBounds, Connections, Counters, Gate, Ingest, Lifetimes, MemoryLimit, Pipeline, serve_within,
};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{Duration, Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::harness::{PATIENCE, framed, post, read_to_end};
use crate::requests::{TRACES_JSON, TRACES_PROTOBUF};

const SOON: Duration = Duration::from_millis(300);
const LATE: Duration = Duration::from_secs(600);

/// A listener alone, with short times.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) connections: Connections,
    stop: CancellationToken,
    task: JoinHandle<()>,
    _folder: TempDir,
}

impl Served {
    async fn with(lifetimes: Lifetimes, patience: Patience) -> Self {
        Self::bounded(ConnectionBounds::default(), lifetimes, patience).await
    }

    pub(crate) async fn bounded(bounds: ConnectionBounds, lifetimes: Lifetimes, patience: Patience) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (path, max_size, segment_size) = (folder.path().to_owned(), 1 << 20, 1 << 16);
        let journal =
            Journal::open(Config { path, max_size, segment_size, durability: Durability::Os }).unwrap();
        let memory = MemoryLimit::new(1 << 20);
        let pipelines = vec![Arc::new(Pipeline { sampling: None, processors: Vec::new(), journal })];
        let ingest = Ingest::new(Dialects::built_in(), pipelines, memory, Counters::default());
        let gate = Arc::new(Gate::new(None, Vec::new()));
        let limits = Limits { max_message: 1 << 16, max_body: 1 << 16 };
        let router = patient_router(&Arc::new(ingest), &gate, limits, patience);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let connections = Connections::new(bounds);
        let (places, ended) = (connections.clone(), stop.clone());
        let task = tokio::spawn(async move {
            serve_within(&places, listener, None, router, ended, lifetimes).await;
        });
        Self { address, connections, stop, task, _folder: folder }
    }

    async fn aging() -> Self {
        let lifetimes = Lifetimes { idle: LATE, age: SOON, grace: LATE, drain: PATIENCE };
        Self::with(lifetimes, Patience::default()).await
    }

    async fn impatient(patience: Patience) -> Self {
        Self::with(Lifetimes { drain: PATIENCE, ..Lifetimes::default() }, patience).await
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        timeout(PATIENCE, self.task).await.unwrap().unwrap();
    }
}

/// What is left to read until the server closes the connection; it is reset if the server closes it with
/// something unread.
pub(crate) async fn until_closed(stream: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    match timeout(PATIENCE, stream.read_to_end(&mut rest)).await.unwrap() {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
        _ => rest,
    }
}

/// What `stream` says up to `end`; `None` if it is closed before.
pub(crate) async fn up_to(stream: &mut TcpStream, end: &[u8]) -> Option<Vec<u8>> {
    let mut said = Vec::new();
    let reading = async {
        while !said.windows(end.len()).any(|window| window == end) {
            if !matches!(stream.read_buf(&mut said).await, Ok(1..)) {
                return None;
            }
        }
        Some(said)
    };
    timeout(PATIENCE, reading).await.unwrap()
}

/// A connection of `served` that said `said` and was told `told` before it was too old: on a busy machine
/// one may be too old before anybody looks at it.
async fn begun_in_time(served: &Served, said: &[u8], told: &[u8]) -> (TcpStream, Vec<u8>) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut stream = served.connect().await;
        // A connection that is closed already says so when it is read.
        let _ = stream.write_all(said).await;
        if let Some(heard) = up_to(&mut stream, told).await {
            return (stream, heard);
        }
        assert!(Instant::now() < deadline, "every connection was too old at once");
    }
}

#[tokio::test]
async fn an_old_connection_over_http_1_is_told_to_close_and_loses_no_request() {
    let served = Served::aging().await;
    let request = kept_alive().replacen("\r\n\r\n", "\r\nexpect: 100-continue\r\n\r\n", 1);
    let (begun, rest) = request.split_at(request.len() - TRACES_JSON.len());
    // The server has begun to read it.
    let (mut old, _) = begun_in_time(&served, begun.as_bytes(), b"HTTP/1.1 100 Continue\r\n\r\n").await;
    // A connection that began a tenth of the age later does not end before the other is too old.
    sleep(SOON / 5).await;
    let mut younger = served.connect().await;
    younger.write_all(b"P").await.unwrap();
    until_closed(&mut younger).await;

    old.write_all(rest.as_bytes()).await.unwrap();
    let answer = String::from_utf8(until_closed(&mut old).await).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    served.stop().await;
}

/// A request that does not ask for the end of its connection.
pub(crate) fn kept_alive() -> String {
    let head = post("/v1/traces", "content-type: application/json\r\n", TRACES_JSON.len());
    format!("{}{TRACES_JSON}", head.replace("connection: close\r\n", ""))
}

#[tokio::test]
async fn an_old_connection_that_is_idle_is_closed() {
    let served = Served::aging().await;
    let (mut stream, answer) = begun_in_time(&served, kept_alive().as_bytes(), b"\r\n\r\n{}").await;
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", answer.escape_ascii());
    assert_eq!(until_closed(&mut stream).await, b"");
    served.stop().await;
}

#[tokio::test]
async fn an_old_connection_over_http_2_says_goaway() {
    let served = Served::aging().await;
    // The preface and empty SETTINGS.
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";
    // GOAWAY, NO_ERROR, no stream refused yet.
    let goaway = b"\x00\x00\x08\x07\x00\x00\x00\x00\x00\x7f\xff\xff\xff\x00\x00\x00\x00";
    let (stream, _) = begun_in_time(&served, preface, goaway).await;
    drop(stream);
    served.stop().await;
}

/// The body of the answer and the trailers of a call that goes on after GOAWAY; `None` if the connection was
/// too old before the server had looked at it.
async fn across_goaway(served: &Served) -> Option<(Bytes, HeaderMap)> {
    let (client, connection) = h2::client::handshake(served.connect().await).await.ok()?;
    let connection = tokio::spawn(connection);
    let request = Request::post("http://x/opentelemetry.proto.collector.trace.v1.TraceService/Export")
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    let request = request.body(()).unwrap();
    let (answer, mut body) = client.clone().ready().await.ok()?.send_request(request, false).ok()?;
    let message = Bytes::from(framed(false, TRACES_PROTOBUF));
    body.send_data(message.slice(..7), false).ok()?;
    // After GOAWAY nothing new can be begun.
    let refused = async {
        while client.clone().ready().await.is_ok() {
            sleep(Duration::from_millis(10)).await
        }
    };
    timeout(PATIENCE, refused).await.unwrap();
    body.send_data(message.slice(7..), true).ok()?;
    let mut answer = timeout(PATIENCE, answer).await.unwrap().ok()?.into_body();
    let said = answer.data().await.unwrap().unwrap();
    let trailers = answer.trailers().await.unwrap().unwrap();
    // And then the connection ends.
    timeout(PATIENCE, connection).await.unwrap().unwrap().unwrap();
    Some((said, trailers))
}

#[tokio::test]
async fn a_call_that_is_under_way_is_answered_after_goaway() {
    let served = Served::aging().await;
    let deadline = Instant::now() + PATIENCE;
    let (said, trailers) = loop {
        if let Some(answered) = across_goaway(&served).await {
            break answered;
        }
        assert!(Instant::now() < deadline, "no call is answered");
    };
    assert_eq!(said.as_ref(), b"\0\0\0\0\0");
    assert_eq!(trailers["grpc-status"], "0");
    served.stop().await;
}

#[tokio::test]
async fn what_an_old_connection_does_not_finish_in_time_is_cut() {
    let lifetimes = Lifetimes { idle: LATE, age: SOON, grace: SOON, drain: PATIENCE };
    let served = Served::with(lifetimes, Patience::default()).await;
    let mut stream = served.connect().await;
    let head = post("/v1/traces", "content-type: application/json\r\n", TRACES_JSON.len());
    stream.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(until_closed(&mut stream).await, b"");
    served.stop().await;
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    let lifetimes = Lifetimes { idle: SOON, drain: PATIENCE, ..Lifetimes::default() };
    let served = Served::with(lifetimes, Patience::default()).await;
    for said in ["", "P", "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-", "PRI * HTTP/2.0\r\n\r\n"] {
        let mut stream = served.connect().await;
        stream.write_all(said.as_bytes()).await.unwrap();
        assert_eq!(until_closed(&mut stream).await, b"", "{said}");
    }
    served.stop().await;
}

#[tokio::test]
async fn a_sender_that_falls_silent_is_answered_408() {
    let served = Served::impatient(Patience { pause: Duration::from_secs(1), whole: LATE }).await;
    for (content_type, body) in [
        ("application/json", &br#"{"code":4,"message":"the body did not arrive within 1s"}"#[..]),
        ("application/x-protobuf", b"\x08\x04\x12!the body did not arrive within 1s"),
    ] {
        let mut stream = served.connect().await;
        let head = post("/v1/traces", &format!("content-type: {content_type}\r\n"), 100);
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(b"{").await.unwrap();
        read_to_end(&mut stream).await.is(408, content_type, body);
    }
    served.stop().await;
}

#[tokio::test]
async fn a_sender_that_drips_is_answered_408_too() {
    let served = Served::impatient(Patience { pause: LATE, whole: Duration::from_secs(1) }).await;
    let mut stream = served.connect().await;
    let head = post("/v1/traces", "content-type: application/json\r\n", 60_000);
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut reading, mut writing) = stream.into_split();
    let drip = tokio::spawn(async move {
        while writing.write_all(b" ").await.is_ok() {
            sleep(Duration::from_millis(20)).await;
        }
    });
    let mut answer = Vec::new();
    // The connection may be reset when the answer has been read: drops are still on their way.
    while let Ok(1..) = timeout(PATIENCE, reading.read_buf(&mut answer)).await.unwrap() {}
    assert!(answer.starts_with(b"HTTP/1.1 408 Request Timeout\r\n"), "{}", answer.escape_ascii());
    drip.abort();
    served.stop().await;
}

#[tokio::test]
async fn a_call_that_falls_silent_is_answered_deadline_exceeded() {
    let served = Served::impatient(Patience { pause: SOON, whole: LATE }).await;
    let (client, connection) = h2::client::handshake(served.connect().await).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = Request::post("http://x/opentelemetry.proto.collector.logs.v1.LogsService/Export")
        .header("content-type", "application/grpc");
    let (answer, _body) =
        client.ready().await.unwrap().send_request(request.body(()).unwrap(), false).unwrap();
    let answer = timeout(PATIENCE, answer).await.unwrap().unwrap();
    assert_eq!(answer.headers()["grpc-status"], "4");
    connection.abort();
    served.stop().await;
}

#[tokio::test]
async fn a_client_that_has_closed_its_side_still_reads_the_answer() {
    let served = Served::impatient(Patience::default()).await;
    let mut stream = served.connect().await;
    let head = post("/v1/traces", "content-type: application/json\r\n", TRACES_JSON.len());
    stream.write_all(&[head.as_bytes(), TRACES_JSON.as_bytes()].concat()).await.unwrap();
    stream.shutdown().await.unwrap();
    read_to_end(&mut stream).await.is(200, "application/json", b"{}");
    served.stop().await;
}
