//! A service of its own for every test, and clients that hide nothing of the wire.

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use http::{HeaderMap, Request};
use skillspan::config::{self, Origin, ProcessSource};
use skillspan::service::Service;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// Nothing that works takes this long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A service on free ports of the loopback, its data in a folder that goes with it.
pub(crate) struct Running {
    service: Service,
    _folder: TempDir,
    pub(crate) grpc: SocketAddr,
    pub(crate) http: SocketAddr,
    health: SocketAddr,
}

/// What a service is started with; the defaults where nothing is said.
pub(crate) struct Options {
    pub(crate) max_size: &'static str,
    pub(crate) memory_limit: &'static str,
    pub(crate) journal_size: &'static str,
    pub(crate) segment: &'static str,
    /// What else stands below `extensions`, and below `processors`.
    pub(crate) extensions: &'static str,
    pub(crate) processors: &'static str,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_size: "64MiB",
            memory_limit: "512MiB",
            journal_size: "64MiB",
            segment: "16MiB",
            extensions: "",
            processors: "",
        }
    }
}

impl Running {
    pub(crate) async fn start() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = configuration(&folder, &options);
        let settings = config::parse(&text, Origin::Text("test"), &ProcessSource).unwrap();
        let service = Service::start(settings).await.unwrap();
        let address = |wanted| service.addresses().iter().find(|(name, _)| *name == wanted).unwrap().1;
        let (grpc, http, health) = (address("grpc"), address("http"), service.health().unwrap());
        Self { service, _folder: folder, grpc, http, health }
    }

    /// All of `/metrics`.
    pub(crate) async fn metrics(&self) -> String {
        String::from_utf8(exchange(self.health, &get("/metrics"), b"").await.body).unwrap()
    }

    /// The value of a metric at `/metrics`, summed over its labels; 0 if it is not there yet.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let text = self.metrics().await;
        text.lines()
            .filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{'])))
            .map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
            .sum()
    }

    /// The status of `/ready`.
    pub(crate) async fn ready(&self) -> u16 {
        exchange(self.health, &get("/ready"), b"").await.status
    }

    /// Waits until `/ready` has the given status.
    pub(crate) async fn until_ready_is(&self, status: u16) {
        let waiting = async {
            while self.ready().await != status {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, waiting).await.unwrap();
    }

    pub(crate) async fn stop(self) {
        timeout(PATIENCE, self.service.drain()).await.unwrap();
    }
}

fn configuration(folder: &TempDir, options: &Options) -> String {
    let path = |name: &str| folder.path().join(name).display().to_string();
    let Options { max_size, memory_limit, journal_size, segment, extensions, processors } = options;
    format!(
        "extensions:
  health: {{ endpoint: 127.0.0.1:0 }}
  sessions_table: {{ path: {} }}
{extensions}receivers:
  otlp:
    protocols:
      grpc: {{ endpoint: 127.0.0.1:0, max_message: {max_size} }}
      http: {{ endpoint: 127.0.0.1:0, max_body: {max_size} }}
  langfuse: {{ endpoint: otlp }}
  hooks: {{ endpoint: otlp }}
{processors}service:
  journal: {{ path: {}, max_size: {journal_size}, segment: {segment}, durability: os }}
  memory_limit: {memory_limit}
  pipelines:
    sessions: {{ receivers: [otlp, langfuse, hooks], processors: [redact, workspace, limits], exporters: [parquet] }}
",
        path("sessions"),
        path("journal")
    )
}

/// An answer over HTTP/1.1, as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// A header's value, `""` if it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map_or("", |(_, value)| value)
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The whole answer in one comparison: status, content type, body.
    #[track_caller]
    pub(crate) fn is(&self, status: u16, content_type: &str, body: &[u8]) {
        assert_eq!(
            (self.status, self.header("content-type"), self.body.escape_ascii().to_string()),
            (status, content_type, body.escape_ascii().to_string()),
        );
    }
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: skillspan\r\nconnection: close\r\n\r\n")
}

/// The head of a POST with a length; `headers` end with a line break each.
pub(crate) fn post(path: &str, headers: &str, length: usize) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: skillspan\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n"
    )
}

/// Sends a head and a body as they are and reads the answer to the end of the connection.
pub(crate) async fn exchange(address: SocketAddr, head: &str, body: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    read_to_end(&mut stream).await
}

/// The answer on a connection that the server closes after it.
pub(crate) async fn read_to_end(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.unwrap().unwrap();
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head, body: bytes[end + 4..].to_vec() }
}

/// POSTs to the HTTP port; `headers` end with a line break each.
pub(crate) async fn send(running: &Running, path: &str, headers: &str, body: &[u8]) -> Answer {
    exchange(running.http, &post(path, headers, body.len()), body).await
}

pub(crate) async fn send_json(running: &Running, path: &str, body: &str) -> Answer {
    send(running, path, "content-type: application/json\r\n", body.as_bytes()).await
}

pub(crate) async fn send_protobuf(running: &Running, path: &str, body: &[u8]) -> Answer {
    send(running, path, "content-type: application/x-protobuf\r\n", body).await
}

/// An answer over HTTP/2.
#[derive(Debug)]
pub(crate) struct Answer2 {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: HeaderMap,
}

impl Answer2 {
    /// A header's or trailer's value, `""` if it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.get(name).or_else(|| self.trailers.get(name));
        found.map_or("", |value| value.to_str().unwrap())
    }
}

/// A connection over HTTP/2 with prior knowledge.
#[derive(Clone)]
pub(crate) struct Connection2(h2::client::SendRequest<Bytes>);

impl Connection2 {
    pub(crate) async fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let (client, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        Self(client)
    }

    pub(crate) async fn post(&self, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer2 {
        let mut request = Request::post(format!("http://skillspan{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut client = self.0.clone().ready().await.unwrap();
        let (answer, mut stream) = client.send_request(request.body(()).unwrap(), false).unwrap();
        stream.send_data(body.into(), true).unwrap();
        let (parts, mut body) = timeout(PATIENCE, answer).await.unwrap().unwrap().into_parts();
        let mut bytes = Vec::new();
        while let Some(chunk) = body.data().await {
            bytes.extend_from_slice(&chunk.unwrap());
        }
        let trailers = body.trailers().await.unwrap().unwrap_or_default();
        Answer2 { status: parts.status.as_u16(), headers: parts.headers, body: bytes, trailers }
    }

    /// A unary gRPC call with a body that is framed already.
    pub(crate) async fn call(&self, service: &str, headers: &[(&str, &str)], framed: Vec<u8>) -> Answer2 {
        let path = format!("/opentelemetry.proto.collector.{service}/Export");
        let always = [("content-type", "application/grpc"), ("te", "trailers")];
        self.post(&path, &[&always, headers].concat(), framed).await
    }
}

/// A gRPC message in its frame.
pub(crate) fn framed(compressed: bool, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[u8::from(compressed)], &length[..], message].concat()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn raw_deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}
