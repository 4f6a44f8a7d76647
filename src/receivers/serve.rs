//! Connections: HTTP/1.1 and HTTP/2 (with prior knowledge, as gRPC speaks it) on one port.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::tls::Certificates;

/// Spans of agents are large; with hyper's defaults a client waits for window updates. What has come in
/// and has not been read yet is not paid for by anybody: many times more would be no faster, and with many
/// connections a lot of memory.
const STREAM_WINDOW: u32 = 512 << 10;
const CONNECTION_WINDOW: u32 = 1 << 20;
const FRAME: u32 = 64 << 10;
/// As above for HTTP/1.1, where it also bounds a request's head.
const READ_BUFFER: usize = 64 << 10;
/// What the kernel refuses now (no file descriptors left) it may allow in a moment.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A TLS handshake is two round trips.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long a connection may take and last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    /// A connection without a request, or with half a header, is closed after this time. Exporters of
    /// metrics keep one open for the minute between two exports.
    pub idle: Duration,
    /// A connection that is older is asked to end (`GOAWAY`, `Connection: close`), so that clients
    /// spread anew over the instances behind a balancer.
    pub age: Duration,
    /// How long its last requests may take then.
    pub grace: Duration,
    /// How long requests may take when the service stops.
    pub drain: Duration,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(120),
            age: Duration::from_secs(30 * 60),
            grace: Duration::from_secs(60),
            drain: Duration::from_secs(10),
        }
    }
}

/// Serves `router` on `listener` until `stop`; then takes no new connection, lets the requests that
/// are under way finish for at most the time to drain, and returns.
///
/// With certificates, every connection begins with a TLS handshake.
pub async fn serve(
    listener: TcpListener,
    certificates: Option<Certificates>,
    router: Router,
    stop: CancellationToken,
    lifetimes: Lifetimes,
) {
    let builder = connection_builder(lifetimes.idle);
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let tls = certificates.clone();
                let connection = Connection { stream, peer, tls, router: router.clone(), lifetimes };
                connections.spawn(connection.run(builder.clone(), stop.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    connections.close();
    if timeout(lifetimes.drain, connections.wait()).await.is_err() {
        tracing::warn!("some connections did not finish in time and were cut");
    }
}

fn connection_builder(idle: Duration) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // A client may end its side of the connection after its request and still wants the answer.
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(idle)
        .half_close(true)
        .max_buf_size(READ_BUFFER);
    builder
        .http2()
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(FRAME)
        .keep_alive_interval(Duration::from_secs(60));
    builder
}

struct Connection {
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<Certificates>,
    router: Router,
    lifetimes: Lifetimes,
}

impl Connection {
    async fn run(self, builder: Builder<TokioExecutor>, stop: CancellationToken) {
        let ends = Instant::now() + self.age();
        let Self { stream, tls, router, lifetimes, .. } = self;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
        // Nothing has been said yet, so nothing can be cut.
        tokio::select! {
            first = timeout(lifetimes.idle, stream.readable()) => if first.is_err() { return },
            () = stop.cancelled() => return,
        }
        let conversation = Conversation { builder, router, ends, lifetimes, stop };
        let Some(tls) = tls else { return conversation.run(stream).await };
        // A client that begins no handshake would hold the connection for nothing.
        match timeout(HANDSHAKE, TlsAcceptor::from(tls.current()).accept(stream)).await {
            Ok(Ok(stream)) => conversation.run(stream).await,
            Ok(Err(error)) => tls.failed(&error.to_string()),
            Err(_) => tls.failed("it took too long"),
        }
    }

    /// Up to a tenth shorter, by the client's port: connections that began together, after a restart,
    /// do not end together.
    fn age(&self) -> Duration {
        self.lifetimes.age - self.lifetimes.age / 1000 * u32::from(self.peer.port() % 100)
    }
}

/// What is said on a connection, over TLS or not.
struct Conversation {
    builder: Builder<TokioExecutor>,
    router: Router,
    ends: Instant,
    lifetimes: Lifetimes,
    stop: CancellationToken,
}

impl Conversation {
    async fn run(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let Self { builder, router, ends, lifetimes, stop } = self;
        let begun = CancellationToken::new();
        let note = begun.clone();
        let router = TowerToHyperService::new(router);
        let service = service_fn(move |request| {
            note.cancel();
            router.call(request)
        });
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => Some(ended),
            () = tokio::time::sleep_until(ends) => None,
            () = stop.cancelled() => None,
            () = silence(lifetimes.idle, &begun) => return,
        };
        let ended = match ended {
            Some(ended) => ended,
            None => {
                connection.as_mut().graceful_shutdown();
                let left = if stop.is_cancelled() { lifetimes.drain } else { lifetimes.grace };
                tokio::select! {
                    ended = connection => ended,
                    () = sleep(left) => return,
                }
            }
        };
        if let Err(error) = ended {
            tracing::debug!(error, "a connection ended early");
        }
    }
}

/// Ends after `idle` without a first request: until it is there, hyper waits for ever for the bytes that
/// tell HTTP/2 from HTTP/1.1. Behind it, hyper's own times hold.
async fn silence(idle: Duration, begun: &CancellationToken) {
    if timeout(idle, begun.cancelled()).await.is_ok() {
        std::future::pending().await
    }
}
