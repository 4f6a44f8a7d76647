//! Exports what receivers took in, as it came, to another backend: `otlp` over gRPC, `otlphttp` over HTTP,
//! `langfuse` to the paths of a Langfuse server.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | [`Otlp`]: one backend's sender, its loop and its last words |
//! | `batch.rs` | which bodies go in one request |
//! | `client.rs` | the request over HTTP and over gRPC; TLS, proxy, compression |
//! | `answer.rs` | [`Answer`]: what the backend made of it, and what follows |
//! | `log_limit.rs` | how often a thing is said in the log |
//! | `status.rs` | [`Status`] and [`Handle`]: how it does, for people and metrics |
//!
//! Both protocols go through one HTTP client: a gRPC call without streams is a request over HTTP/2 whose answer
//! has trailers.
//!
//! Invariants: one request is under way at a time, so the backend gets bodies in the order in which they came; the
//! queue's cursor moves after the answer, so a body is sent again rather than lost; a backend that does not answer
//! affects only its own queue; no header is in a log line or an error.

mod answer;
mod batch;
mod client;
mod log_limit;
mod status;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderMap;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::forward::{Queue, StoreError};
use crate::secret::Secret;
use crate::table::clock;

use answer::Answer;
use batch::Batch;
use client::Client;
pub use client::{StartError, check};
use log_limit::Seldom;
use status::State;
pub use status::{Failing, Handle, Status};

/// A backend that asks for more patience is asked again after this …
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// … and one that asks for none, after this: it is not asked without a pause.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);
/// A process that stops still sends for so long.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// A disk that fails is tried again after this.
const DISK_PAUSE: Duration = Duration::from_secs(5);

/// How bodies are carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// gRPC.
    Grpc,
    /// HTTP, with OTLP's paths below the endpoint's.
    Http,
    /// HTTP, with the paths of a Langfuse server below the endpoint's: those of OTLP and its own.
    Langfuse,
}

/// How bodies are compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// Not at all.
    None,
    /// RFC 1952, at its fastest.
    #[default]
    Gzip,
    /// RFC 8878, level 1.
    Zstd,
}

/// The PEM files of trusted authorities and of the client's own certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// The authorities of the backend's certificate; `None`: those of this machine.
    pub ca_file: Option<PathBuf>,
    /// Our certificate and its key, for a backend that asks for one.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// How long is waited before a request is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// The first time; twice that the next.
    pub initial: Duration,
    /// No longer than that.
    pub max: Duration,
}

/// A backend.
#[derive(Debug, Clone)]
pub struct Config {
    /// The component's id, such as `otlphttp/langfuse`.
    pub name: String,
    /// How bodies are carried.
    pub protocol: Protocol,
    /// Scheme, host and port, and over HTTP the path that those of the protocol are added to.
    pub endpoint: Url,
    /// Headers of each request; the values are marked as sensitive.
    pub headers: HeaderMap,
    /// How bodies are compressed.
    pub compression: Compression,
    /// How long one request may take.
    pub timeout: Duration,
    /// What is trusted and shown.
    pub tls: Tls,
    /// A proxy; `None`: the one that the environment names, if it names one.
    pub proxy: Option<Secret>,
    /// How it is tried again.
    pub retry: Retry,
    /// Waiting bodies travel in one request up to this many bytes; 0: each alone.
    pub batch: usize,
}

/// Sends what waits in a queue.
pub struct Otlp {
    config: Config,
    client: Client,
    queue: Arc<Queue>,
    state: Arc<State>,
    /// Bodies before this sequence go alone: together they were refused.
    alone_before: u64,
    /// Log messages about refused bodies and failures.
    refusals: Seldom,
    failures: Seldom,
    /// The last failure was said, and so is its end.
    is_failure_said: bool,
}

/// What came of one attempt.
enum Round {
    Done,
    /// Nothing moves; the backend asks to wait this long.
    Failed(Option<Duration>),
}

impl Otlp {
    /// A sender that has sent nothing yet.
    ///
    /// # Errors
    /// If a certificate cannot be used, or the proxy's address.
    pub fn new(config: Config, queue: Arc<Queue>) -> Result<Self, StartError> {
        let client = Client::new(&config)?;
        Ok(Self {
            config,
            client,
            queue,
            state: Arc::default(),
            alone_before: 0,
            refusals: Seldom::default(),
            failures: Seldom::default(),
            is_failure_said: false,
        })
    }

    /// How it does, while it runs.
    pub fn handle(&self) -> Handle {
        Handle::new(&self.config, Arc::clone(&self.queue), Arc::clone(&self.state))
    }

    /// Sends until `stop`, and then what can be sent at once.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut pause = self.config.retry.initial;
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.queue.filled() => {}
            }
            let wait = match self.round().await {
                Round::Done => {
                    pause = self.config.retry.initial;
                    continue;
                }
                Round::Failed(asked) => {
                    let least = self.config.retry.initial.min(SHORTEST_WAIT);
                    asked.map_or(pause, |asked| asked.clamp(least, LONGEST_WAIT))
                }
            };
            self.state.wait(wait);
            pause = (pause * 2).min(self.config.retry.max);
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(wait) => {}
            }
        }
        self.finish().await;
    }

    /// A process that stops sends what waits, as long as the backend takes it.
    async fn finish(&mut self) {
        let deadline = Instant::now() + LAST_WORDS;
        while self.queue.status().waiting > 0
            && matches!(timeout_at(deadline, self.round()).await, Ok(Round::Done))
        {}
        let waiting = self.queue.status().waiting;
        let exporter = self.config.name.as_str();
        if waiting > 0 && self.queue.is_in_memory() {
            tracing::error!(
                exporter,
                bodies = waiting,
                "what was not forwarded is lost: it was in memory alone"
            );
        } else if waiting > 0 {
            tracing::info!(exporter, bodies = waiting, "what was not forwarded waits for the next start");
        }
    }

    /// Sends what waits longest, once.
    async fn round(&mut self) -> Round {
        let queue = Arc::clone(&self.queue);
        let _turn = queue.turn().await;
        match self.send().await {
            Ok(round) => round,
            Err(error) => {
                self.fail("queue", &error.to_string());
                Round::Failed(Some(DISK_PAUSE))
            }
        }
    }

    async fn send(&mut self) -> Result<Round, StoreError> {
        let waiting = self.queue.peek(self.config.batch, clock::jump().is_none()).await?;
        let Some(batch) = Batch::of(waiting, self.config.batch, self.alone_before) else {
            return Ok(Round::Done);
        };
        let Some((signal, body)) = &batch.body else {
            self.queue.note_dropped("unreadable", 1, None);
            self.queue.done(batch.next).await?;
            return Ok(Round::Done);
        };
        match self.client.send(*signal, body, &batch.hops).await {
            Answer::Taken { rejected, message } => {
                self.state.sent(batch.bodies, body.bytes.len() as u64, rejected, &message);
                self.recovered();
                self.queue.done(batch.next).await?;
            }
            Answer::Refused { why } if batch.bodies > 1 => {
                tracing::debug!(exporter = self.config.name, why, "sent again one by one");
                self.alone_before = batch.next;
            }
            Answer::Refused { why } => {
                let exporter = self.config.name.as_str();
                if let Some(unsaid) = self.refusals.say() {
                    tracing::warn!(exporter, why, unsaid, "a body is refused for good, and dropped");
                }
                self.queue.note_dropped("refused", 1, Some(&why));
                self.recovered();
                self.queue.done(batch.next).await?;
            }
            Answer::Again { after, kind, why } => {
                self.state.retried();
                self.fail(kind, &why);
                if matches!(kind, "unreachable" | "certificate" | "client_certificate") {
                    // Certificates are renewed by others; what cannot be read now may be again.
                    self.client.renew(&self.config);
                }
                return Ok(Round::Failed(after));
            }
        }
        Ok(Round::Done)
    }

    /// Said once, as what fails goes on failing, and seldom, where it comes and goes.
    fn fail(&mut self, kind: &'static str, why: &str) {
        if self.state.fail(kind, why)
            && let Some(unsaid) = self.failures.say()
        {
            self.is_failure_said = true;
            let exporter = self.config.name.as_str();
            tracing::warn!(
                exporter,
                kind,
                why,
                unsaid,
                "cannot forward; it is tried again, and what comes waits"
            );
        }
    }

    fn recovered(&mut self) {
        if self.state.recover() && std::mem::take(&mut self.is_failure_said) {
            tracing::info!(exporter = self.config.name, "forwards again");
        }
    }
}
