//! A backend that keeps what it is sent, and answers as it is told.

use std::collections::VecDeque;
use std::io::Read;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use flate2::read::MultiGzDecoder;
use http_body_util::{BodyExt, Full};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::site::{Port, eventually};

/// A request that the backend took.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    /// Without compression and without gRPC's frame.
    pub(crate) body: Bytes,
}

/// How a request is answered.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Over HTTP, with headers and a body.
    Http(u16, Vec<(&'static str, &'static str)>, Vec<u8>),
    /// Over gRPC: a code.
    Grpc(&'static str),
    /// It is taken, and the answer never comes: the connection ends.
    Lost,
}

#[derive(Default)]
struct Kept {
    taken: Vec<Taken>,
    attempts: usize,
    replies: VecDeque<Reply>,
    /// Requests without this header, with one of these values, are answered with 401.
    wanted: Option<(String, Vec<String>)>,
}

/// A backend on a port of its own, which it keeps while it is away.
pub(crate) struct Backend {
    port: Port,
    kept: Arc<Mutex<Kept>>,
    tls: Option<Arc<ServerConfig>>,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Backend {
    /// One that is away.
    pub(crate) fn away() -> Self {
        Self { port: Port::keep(), kept: Arc::default(), tls: None, running: None }
    }

    /// One that speaks TLS.
    pub(crate) fn over_tls(config: ServerConfig) -> Self {
        let mut backend = Self::away();
        backend.tls = Some(Arc::new(config));
        backend.come();
        backend
    }

    pub(crate) fn start() -> Self {
        let mut backend = Self::away();
        backend.come();
        backend
    }

    pub(crate) fn port(&self) -> u16 {
        self.port.number()
    }

    /// Serves from now on.
    pub(crate) fn come(&mut self) {
        let (stop, stopped) = oneshot::channel();
        let (listener, kept) = (self.port.listen(), Arc::clone(&self.kept));
        let tls = self.tls.clone();
        let thread = std::thread::spawn(move || serve(listener, tls, kept, stopped));
        self.running = Some((stop, thread));
    }

    /// Ends, with every connection.
    pub(crate) fn go(&mut self) {
        let (stop, thread) = self.running.take().unwrap();
        stop.send(()).unwrap();
        thread.join().unwrap();
    }

    /// Answers the next requests so, and then well.
    pub(crate) fn answer(&self, replies: impl IntoIterator<Item = Reply>) {
        self.kept.lock().unwrap().replies.extend(replies);
    }

    /// Answers 401 to every request that has none of these values in a header.
    pub(crate) fn refuse_unless(&self, header: &str, values: &[&str]) {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        self.kept.lock().unwrap().wanted = Some((header.to_owned(), values));
    }

    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.kept.lock().unwrap().taken.clone()
    }

    /// How many requests came, taken or not.
    pub(crate) fn attempts(&self) -> usize {
        self.kept.lock().unwrap().attempts
    }

    /// What was taken, once it is so many requests.
    pub(crate) fn wait_for(&self, requests: usize) -> Vec<Taken> {
        eventually("the backend has it", || self.taken().len() >= requests);
        self.taken()
    }

    /// The names of all spans that were taken, in order.
    pub(crate) fn spans(&self) -> Vec<String> {
        let requests = self.taken().into_iter().filter(|taken| taken.path.contains("race"));
        let requests = requests.map(|taken| ExportTraceServiceRequest::decode(taken.body).unwrap());
        let groups = requests.flat_map(|request| request.resource_spans).flat_map(|group| group.scope_spans);
        groups.flat_map(|group| group.spans).map(|span| span.name).collect()
    }

    /// The spans, once they are so many.
    pub(crate) fn wait_for_spans(&self, count: usize) -> Vec<String> {
        eventually(&format!("{count} spans"), || self.spans().len() >= count);
        self.spans()
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        if self.running.is_some() {
            self.go();
        }
    }
}

/// Connections over TLS; those that fail to speak it are left.
struct TlsListener {
    listener: tokio::net::TcpListener,
    acceptor: TlsAcceptor,
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = self.listener.accept().await.unwrap();
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

fn serve(
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    kept: Arc<Mutex<Kept>>,
    stopped: oneshot::Receiver<()>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        listener.set_nonblocking(true).unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let router = Router::new().fallback(take).with_state(kept);
        let served = async {
            match tls {
                None => axum::serve(listener, router).await.unwrap(),
                Some(config) => {
                    let listener = TlsListener { listener, acceptor: TlsAcceptor::from(config) };
                    axum::serve(listener, router).await.unwrap();
                }
            }
        };
        tokio::select! {
            () = served => {}
            _ = stopped => {}
        }
    });
    // With it go the connections.
    runtime.shutdown_background();
}

async fn take(State(kept): State<Arc<Mutex<Kept>>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let is_grpc =
        parts.headers.get("content-type").is_some_and(|it| it.as_bytes().starts_with(b"application/grpc"));
    let body = decoded(&parts.headers, &body, is_grpc);
    let mut kept = kept.lock().unwrap();
    kept.attempts += 1;
    let taken = Taken { path: parts.uri.path().to_owned(), headers: parts.headers, body };
    let is_wanted = |(header, values): &(String, Vec<String>)| {
        taken.headers.get(header).is_some_and(|value| values.iter().any(|wanted| value == wanted))
    };
    if kept.wanted.as_ref().is_some_and(|wanted| !is_wanted(wanted)) {
        return Response::builder().status(401).body(Body::empty()).unwrap();
    }
    match kept.replies.pop_front() {
        None if is_grpc => {
            kept.taken.push(taken);
            grpc_ok()
        }
        None => {
            kept.taken.push(taken);
            Response::new(Body::empty())
        }
        Some(Reply::Lost) => {
            kept.taken.push(taken);
            // A body that fails ends the connection.
            let broken = futures_util::stream::iter([Err::<Bytes, _>(std::io::Error::other("gone"))]);
            Response::builder().status(503).body(Body::from_stream(broken)).unwrap()
        }
        Some(Reply::Http(status, headers, body)) => {
            if status < 300 {
                kept.taken.push(taken);
            }
            let mut answer = Response::new(Body::from(body));
            *answer.status_mut() = StatusCode::from_u16(status).unwrap();
            for (name, value) in headers {
                answer.headers_mut().insert(name, HeaderValue::from_static(value));
            }
            answer
        }
        Some(Reply::Grpc(code)) => Response::builder()
            .header("content-type", "application/grpc")
            .header("grpc-status", code)
            .header("grpc-message", "as told")
            .body(Body::empty())
            .unwrap(),
    }
}

fn decoded(headers: &HeaderMap, body: &Bytes, is_grpc: bool) -> Bytes {
    let name = if is_grpc { "grpc-encoding" } else { "content-encoding" };
    let coding = headers.get(name).map_or("", |coding| coding.to_str().unwrap());
    let body = if is_grpc {
        assert_eq!(u32::from_be_bytes(body[1..5].try_into().unwrap()) as usize, body.len() - 5);
        assert_eq!(body[0], u8::from(!coding.is_empty()));
        body.slice(5..)
    } else {
        body.clone()
    };
    let mut plain = Vec::new();
    match coding {
        "" => return body,
        "gzip" => MultiGzDecoder::new(body.as_ref()).read_to_end(&mut plain).unwrap(),
        "zstd" => {
            plain = zstd::stream::decode_all(body.as_ref()).unwrap();
            plain.len()
        }
        other => panic!("{other}"),
    };
    plain.into()
}

fn grpc_ok() -> Response<Body> {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let body = Full::new(Bytes::from_static(&[0; 5])).with_trailers(async { Some(Ok(trailers)) });
    Response::builder().header("content-type", "application/grpc").body(Body::new(body)).unwrap()
}
