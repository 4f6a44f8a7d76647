//! `memory_limit` is the memory of the process, and not only of what is counted: many large requests at
//! once, each sent again until it is accepted, and the peak as the system sees it. What counts is anonymous
//! memory: an unoptimised binary is larger than this limit, and its pages come in as its code runs.
//!
//! The same at full size, 64 requests of 60 MiB under 512 MiB, is `tests/live/otlp-overload`.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use bytes::Bytes;
use http::Request;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Duration, sleep, timeout};

use crate::harness::{PATIENCE, exchange, framed, gzip, post};
use crate::port::Port;
use crate::requests::field;

const MIB: usize = 1 << 20;
const MEMORY_LIMIT: usize = 64 * MIB;
/// In the proportion of 60 MiB to 512 MiB, where a body may have 64 MiB.
const REQUEST: usize = 15 * MIB / 2;
const CLIENTS: usize = 12;
/// MiB that the process takes on top, whatever the limit: caches of threads, of which a machine with more
/// cores has more.
const FIXED: usize = 16;
/// All of it, on a machine that has other things to do.
const LONG: Duration = Duration::from_secs(600);
const SCOPE: &str = "com.anthropic.claude_code.events";

/// A service in a process of its own, killed when dropped.
struct Process {
    child: Child,
    grpc: SocketAddr,
    http: SocketAddr,
    health: SocketAddr,
    _ports: [Port; 3],
    _folder: TempDir,
}

impl Process {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ports = [(); 3].map(|()| Port::keep());
        let [grpc, http, health] = ports.each_ref().map(Port::address);
        let root = folder.path().display();
        let config = format!(
            "extensions: {{ health: {{ endpoint: \"{health}\" }}, sessions_table: {{ path: {root}/sessions }} }}
receivers:
  otlp:
    protocols:
      grpc: {{ endpoint: \"{grpc}\", max_message: 8MiB }}
      http: {{ endpoint: \"{http}\", max_body: 8MiB }}
service:
  journal: {{ path: {root}/journal, max_size: 1GiB, durability: os }}
  memory_limit: {MEMORY_LIMIT}B
  pipelines:
    sessions: {{ receivers: [otlp], processors: [redact, workspace, limits], exporters: [parquet] }}
"
        );
        let file = folder.path().join("skillspan.yaml");
        std::fs::write(&file, config).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_skillspan"));
        command.env_clear().env("HOME", folder.path()).stdin(Stdio::null()).stderr(Stdio::null());
        let child = command.stdout(Stdio::null()).args(["run", "--config"]).arg(file).spawn().unwrap();
        let process = Self { child, grpc, http, health, _ports: ports, _folder: folder };
        timeout(PATIENCE, process.ready()).await.unwrap();
        process
    }

    async fn ready(&self) {
        let head = "GET /ready HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        while TcpStream::connect(self.health).await.is_err()
            || exchange(self.health, head, b"").await.status != 200
        {
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// A line of the process's status, in bytes.
    fn memory(&self, name: &str) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
        line.split_whitespace().next().unwrap().parse::<usize>().unwrap() * 1024
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An attribute's name and value.
type Attribute = (String, String);

/// Attributes of a record of about 100 kB: one large text.
fn texts(record: usize) -> Vec<Attribute> {
    let mut attributes = few_words(record);
    attributes.push(("prompt".to_owned(), "the widgets were bumped by nobody in particular\n".repeat(2_000)));
    attributes
}

/// Attributes of a record of about 100 kB: many small ones.
fn small_attributes(record: usize) -> Vec<Attribute> {
    let many = (0..2_000).map(|index| (format!("attribute.{index}"), format!("value {index} of {record}")));
    few_words(record).into_iter().chain(many).collect()
}

fn few_words(record: usize) -> Vec<Attribute> {
    let own = [("event.name", "user_prompt"), ("session.id", "s")];
    let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
    own.into_iter().chain([("prompt.id".to_owned(), format!("p{record}"))]).collect()
}

fn json(attributes: fn(usize) -> Vec<Attribute>) -> Vec<u8> {
    let record = |index| {
        let pairs = attributes(index).into_iter();
        let pairs: Vec<_> = pairs
            .map(|(key, value)| serde_json::json!({ "key": key, "value": { "stringValue": value } }))
            .collect();
        serde_json::json!({ "timeUnixNano": "1790000000000000000", "attributes": pairs }).to_string()
    };
    let count = REQUEST / record(0).len();
    let records: Vec<String> = (0..count).map(record).collect();
    let records = records.join(",");
    let scope = format!(r#"{{"scope":{{"name":"{SCOPE}"}},"logRecords":[{records}]}}"#);
    format!(r#"{{"resourceLogs":[{{"scopeLogs":[{scope}]}}]}}"#).into_bytes()
}

fn protobuf(attributes: fn(usize) -> Vec<Attribute>) -> Vec<u8> {
    let record = |index| {
        let time = [&b"\x09"[..], &1_790_000_000_000_000_000_u64.to_le_bytes()].concat();
        let pairs = attributes(index).into_iter().map(|(key, value)| {
            let value = field(2, &field(1, value.as_bytes()));
            field(6, &[field(1, key.as_bytes()), value].concat())
        });
        field(2, &[time].into_iter().chain(pairs).collect::<Vec<_>>().concat())
    };
    let count = REQUEST / record(0).len();
    let scope = field(1, &field(1, SCOPE.as_bytes()));
    let records: Vec<_> = [scope].into_iter().chain((0..count).map(record)).collect();
    field(1, &field(2, &records.concat()))
}

/// Sends one request from every client at once, each again until it is accepted.
async fn overload<S: Future<Output = bool>>(process: &Process, send: impl Fn() -> S) {
    let clients = (0..CLIENTS).map(|_| async {
        while !send().await {
            sleep(Duration::from_millis(500)).await;
        }
    });
    let rest = process.memory("RssAnon");
    let mut peak = rest;
    let look = async {
        loop {
            peak = peak.max(process.memory("RssAnon"));
            sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        done = timeout(LONG, futures_util::future::join_all(clients)) => drop(done.unwrap()),
        () = look => {}
    }
    let (rest, peak, limit) = (rest / MIB, peak / MIB, MEMORY_LIMIT / MIB);
    assert!(peak - rest <= FIXED + limit * 12 / 10, "{peak} MiB at the peak, {rest} at rest, limit {limit}");
    timeout(PATIENCE, process.ready()).await.unwrap();
}

async fn over_http(process: &Process, headers: &str, body: &[u8]) {
    let head = post("/v1/logs", headers, body.len());
    overload(process, || async {
        let mut stream = TcpStream::connect(process.http).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(body).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let accepted = answer.starts_with(b"HTTP/1.1 200 ");
        assert!(accepted || answer.starts_with(b"HTTP/1.1 503 "), "{}", answer.escape_ascii());
        accepted
    })
    .await;
}

#[tokio::test]
async fn large_requests_of_large_texts_in_json_stay_within_the_memory_limit() {
    let process = Process::start().await;
    over_http(&process, "content-type: application/json\r\n", &json(texts)).await;
}

#[tokio::test]
async fn large_requests_of_small_attributes_in_compressed_protobuf_stay_within_the_memory_limit() {
    let process = Process::start().await;
    let headers = "content-type: application/x-protobuf\r\ncontent-encoding: gzip\r\n";
    over_http(&process, headers, &gzip(&protobuf(small_attributes))).await;
}

#[tokio::test]
async fn large_calls_over_grpc_stay_within_the_memory_limit() {
    let process = Process::start().await;
    let message = Bytes::from(framed(false, &protobuf(texts)));
    overload(&process, || async {
        let stream = TcpStream::connect(process.grpc).await.unwrap();
        let (client, connection) = h2::client::handshake(stream).await.unwrap();
        let connection = tokio::spawn(connection);
        let call = Request::post("http://x/opentelemetry.proto.collector.logs.v1.LogsService/Export");
        let call = call.header("content-type", "application/grpc").body(()).unwrap();
        let (answer, mut body) = client.ready().await.unwrap().send_request(call, false).unwrap();
        body.send_data(message.clone(), true).unwrap();
        let (parts, mut body) = answer.await.unwrap().into_parts();
        while let Some(data) = body.data().await {
            data.unwrap();
        }
        let trailers = body.trailers().await.unwrap().unwrap_or_default();
        let status = parts.headers.get("grpc-status").or(trailers.get("grpc-status")).unwrap();
        assert!(["0", "14"].contains(&status.to_str().unwrap()), "{status:?}");
        connection.abort();
        status == "0"
    })
    .await;
}
