//! Connections: HTTP/1.1 and HTTP/2 (with prior knowledge, as gRPC speaks it) on one port.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
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

use super::connections::{ConnectionBounds, Connections, Place};
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

/// A connection that gives way has no request; a client that has begun one meanwhile may be so fast.
const FAREWELL: Duration = Duration::from_secs(1);

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

/// [`serve_within`] bounds of its own.
pub async fn serve(
    listener: TcpListener,
    certificates: Option<Certificates>,
    router: Router,
    stop: CancellationToken,
    lifetimes: Lifetimes,
) {
    let connections = Connections::new(ConnectionBounds::default());
    serve_within(&connections, listener, certificates, router, stop, lifetimes).await;
}

/// Serves `router` on `listener` until `stop`, as one of those that share `places`; then takes no new connection, lets the requests that
/// are under way finish for at most the time to drain, and returns.
///
/// With certificates, every connection begins with a TLS handshake.
pub async fn serve_within(
    places: &Connections,
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
                // A refused client only sees its connection end, because an answer would occupy the place of another
                // connection.
                let Some(place) = places.admit(peer.ip()) else { continue };
                let tls = certificates.clone();
                let connection = Connection { stream, peer, place, tls, router: router.clone(), lifetimes };
                connections.spawn(connection.run(builder.clone(), stop.clone()));
            }
            Err(error) => {
                let closed = places.make_room();
                tracing::warn!(%error, closed, "a connection could not be accepted; idle ones are closed");
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

/// Whose request it is: an extension of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

struct Connection {
    stream: TcpStream,
    peer: SocketAddr,
    place: Arc<Place>,
    tls: Option<Certificates>,
    router: Router,
    lifetimes: Lifetimes,
}

impl Connection {
    async fn run(self, builder: Builder<TokioExecutor>, stop: CancellationToken) {
        let ends = Instant::now() + self.age();
        let Self { stream, peer, place, tls, router, lifetimes } = self;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
        // Nothing has been said yet, so nothing can be cut.
        tokio::select! {
            first = timeout(lifetimes.idle, stream.readable()) => if first.is_err() { return },
            () = stop.cancelled() => return,
            () = place.displaced() => return,
        }
        let place_of = Arc::clone(&place);
        let conversation = Conversation { builder, router, peer, place: place_of, ends, lifetimes, stop };
        let Some(tls) = tls else { return conversation.run(stream).await };
        // A client that begins no handshake would hold the connection for nothing.
        let acceptor = TlsAcceptor::from(tls.current());
        let shaken = tokio::select! {
            shaken = timeout(HANDSHAKE, acceptor.accept(stream)) => shaken,
            () = place.displaced() => return,
        };
        match shaken {
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
    peer: SocketAddr,
    place: Arc<Place>,
    ends: Instant,
    lifetimes: Lifetimes,
    stop: CancellationToken,
}

impl Conversation {
    async fn run(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let Self { builder, router, peer, place, ends, lifetimes, stop } = self;
        let begun = CancellationToken::new();
        let note = begun.clone();
        let router = TowerToHyperService::new(router);
        let of_requests = Arc::clone(&place);
        let service = service_fn(move |mut request: http::Request<hyper::body::Incoming>| {
            note.cancel();
            request.extensions_mut().insert(Peer(peer.ip()));
            let busy = of_requests.busy();
            let answering = router.call(request);
            async move {
                let _busy = busy;
                answering.await
            }
        });
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => Some(ended),
            () = tokio::time::sleep_until(ends) => None,
            () = stop.cancelled() => None,
            // HTTP/2 knows no such time; of HTTP/1.1 hyper sees to it itself.
            () = place.idle_for(lifetimes.idle) => None,
            () = place.displaced() => None,
            () = silence(lifetimes.idle, &begun) => return,
        };
        let ended = match ended {
            Some(ended) => ended,
            None => {
                connection.as_mut().graceful_shutdown();
                let left = if stop.is_cancelled() { lifetimes.drain } else { lifetimes.grace };
                let displaced = async {
                    place.displaced().await;
                    sleep(FAREWELL).await;
                };
                tokio::select! {
                    ended = connection => ended,
                    () = sleep(left) => return,
                    () = displaced => return,
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
