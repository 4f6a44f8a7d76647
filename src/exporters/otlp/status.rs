//! The state of a backend's sender.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::event::Timestamp;
use crate::forward::{self, Queue};

use super::{Config, Protocol};

/// What is in the way.
#[derive(Debug, Clone)]
pub struct Failing {
    /// Since when.
    pub since: Instant,
    /// In a word: `unreachable`, `certificate`, `client_certificate`, `credentials`, `not_otlp`, `busy`, `queue`.
    pub kind: &'static str,
    /// In the backend's own words, or the system's.
    pub error: String,
    /// When it is tried again, once that is known.
    pub retry_at: Option<Timestamp>,
}

/// What was sent since the start.
#[derive(Debug, Clone, Default)]
pub struct Status {
    /// Bodies that the backend took.
    pub bodies: u64,
    /// The requests that carried them.
    pub requests: u64,
    /// Bytes of them, before compression.
    pub bytes: u64,
    /// Requests that are sent again.
    pub retries: u64,
    /// Records that the backend did not take of those bodies.
    pub rejected: u64,
    /// The backend's words for the last rejection.
    pub rejection: Option<String>,
    /// What is in the way now.
    pub failing: Option<Failing>,
}

#[derive(Debug, Default)]
pub(super) struct State(Mutex<Status>);

impl State {
    pub(super) fn sent(&self, bodies: u64, bytes: u64, rejected: u64, message: &str) {
        let mut status = self.lock();
        status.bodies += bodies;
        status.requests += 1;
        status.bytes += bytes;
        status.rejected += rejected;
        if rejected > 0 {
            status.rejection = Some(message.to_owned());
        }
    }

    pub(super) fn retried(&self) {
        self.lock().retries += 1;
    }

    /// Whether that is new.
    pub(super) fn fail(&self, kind: &'static str, why: &str) -> bool {
        let mut status = self.lock();
        let before = status.failing.take();
        let is_new = before.as_ref().is_none_or(|before| before.kind != kind);
        let since = before.map_or_else(Instant::now, |before| before.since);
        status.failing = Some(Failing { since, kind, error: why.to_owned(), retry_at: None });
        is_new
    }

    /// Nothing is tried before so long.
    pub(super) fn wait(&self, pause: Duration) {
        if let Some(failing) = &mut self.lock().failing {
            failing.retry_at = Some(Timestamp::now().saturating_add(pause));
        }
    }

    /// Whether something was in the way.
    pub(super) fn recover(&self) -> bool {
        self.lock().failing.take().is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Status> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A sender, for who asks how it does.
#[derive(Clone)]
pub struct Handle {
    name: String,
    place: String,
    queue: Arc<Queue>,
    state: Arc<State>,
}

impl Handle {
    pub(super) fn new(config: &Config, queue: Arc<Queue>, state: Arc<State>) -> Self {
        let protocol = match config.protocol {
            Protocol::Grpc => "gRPC",
            Protocol::Http => "HTTP",
            Protocol::Langfuse => "Langfuse",
        };
        Self { name: config.name.clone(), place: format!("{} ({protocol})", config.endpoint), queue, state }
    }

    /// The component's id.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The backend, and how it is spoken to.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// What was sent.
    pub fn status(&self) -> Status {
        self.state.lock().clone()
    }

    /// What waits.
    pub fn queue(&self) -> forward::Status {
        self.queue.status()
    }

    /// Whether what waits goes with the process.
    pub fn is_in_memory(&self) -> bool {
        self.queue.is_in_memory()
    }
}

impl Failing {
    /// What a person can do about it.
    pub const fn remedy(&self) -> &'static str {
        match self.kind.as_bytes() {
            b"certificate" => {
                "make exporters' tls.ca_file the authority of the backend's certificate, or use the name that it is for; \
                 what waits is sent then"
            }
            b"client_certificate" => {
                "the backend wants to see a certificate: give one that it accepts, and its key, with tls.cert_file and \
                 tls.key_file of the exporter, and restart; what waits is sent then"
            }
            b"credentials" => {
                "give the backend's own key in the exporter's headers, or keys, and restart; what waits is sent then"
            }
            b"not_otlp" => {
                "see the exporter's endpoint: otlp speaks gRPC, otlphttp adds /v1/traces to a path, langfuse \
                 /api/public/…; what waits is sent once it is right"
            }
            b"busy" => "nothing: what waits is sent once the backend takes it",
            b"queue" => "repair the disk of the queue; it goes on by itself",
            _ => "start the backend, or correct the exporter's endpoint; what waits is sent once it answers",
        }
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handle").field("name", &self.name).finish_non_exhaustive()
    }
}
