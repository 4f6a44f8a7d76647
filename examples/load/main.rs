//! A load of telemetry for any collector, and what it costs that collector.
//!
//! Bodies are encoded before the clock starts; of each request that is sent, only the ids of its traces and
//! spans are new. Requests go out as fast as they are answered (closed loop), or at a rate whether or not they are
//! (`--rate`, open loop: a late answer makes nobody wait who would not have waited). The server is any process
//! that speaks OTLP: its CPU time and memory are read from `/proc/PID`.
//!
//! ```text
//! cargo run --release --example load -- --pid $(pgrep -x skillspan) --shape chat --seconds 20
//! cargo run --release --example load -- --pid PID --shape tool --protocol http --coding gzip --rate 200
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `shapes.rs` | the requests: what agents send, in text that is drawn from this repository |
//! | `body.rs` | a request's bytes, with the places of its ids |
//! | `send.rs` | connections: gRPC and HTTP/1.1 |
//! | `server.rs` | what the collector's process has used |
//! | `measured.rs` | latencies, and the report |

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a program for people at a terminal, without input from outside"
)]

mod body;
mod measured;
mod send;
mod server;
mod shapes;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use tokio::task::JoinSet;

use body::{Body, Ids};
use measured::{Answer, Measured};
use send::Connection;
use server::Process;
use shapes::Shape;

#[derive(Debug, Clone, Parser)]
#[command(about = "Sends telemetry to a collector and says what that costs it")]
struct Arguments {
    /// Where the collector listens; the protocol decides the default port
    #[arg(long)]
    endpoint: Option<String>,
    /// The collector's process, if it runs on this machine
    #[arg(long)]
    pid: Option<u32>,
    #[arg(long, value_enum, default_value = "chat")]
    shape: Shape,
    #[arg(long, value_enum, default_value = "grpc")]
    protocol: Protocol,
    #[arg(long, value_enum, default_value = "identity")]
    coding: Coding,
    /// Records in a request
    #[arg(long, default_value_t = 20)]
    batch: usize,
    /// Different requests that are encoded beforehand
    #[arg(long, default_value_t = 200)]
    bodies: usize,
    #[arg(long, default_value_t = 2)]
    connections: usize,
    /// Requests under way on each connection; over HTTP/1.1 each has its own
    #[arg(long, default_value_t = 8)]
    in_flight: usize,
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Before the clock starts
    #[arg(long, default_value_t = 3)]
    warm_up: u64,
    /// Requests a second; without it, each waits for an answer
    #[arg(long)]
    rate: Option<f64>,
    /// A bearer token
    #[arg(long, env = "SKILLSPAN_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Fail if the 99th percentile of answers takes longer, in milliseconds, or if any request is refused
    #[arg(long)]
    p99_limit: Option<f64>,
    /// A folder in which what is stored is measured
    #[arg(long)]
    data: Option<std::path::PathBuf>,
    /// One line of JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Protocol {
    Grpc,
    Http,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Coding {
    Identity,
    Gzip,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let bodies: Arc<[Body]> = shapes::bodies(&arguments).into();
    let lengths: usize = bodies.iter().map(Body::len).sum();
    let records = arguments.batch;
    println!(
        "{} requests of {records} records, {} B a record",
        bodies.len(),
        lengths / bodies.len() / records
    );
    let run = Run { arguments: arguments.clone(), bodies, next: AtomicU64::new(0) };
    let run = Arc::new(run);
    send_for(&run, Duration::from_secs(arguments.warm_up)).await;
    let process = arguments.pid.map(Process::of);
    let stored = arguments.data.as_deref().map(server::bytes_below);
    let before = process.as_ref().map(Process::used);
    let began = Instant::now();
    let answers = send_for(&run, Duration::from_secs(arguments.seconds)).await;
    let took = began.elapsed();
    let used = process.as_ref().zip(before).map(|(process, before)| process.used() - before);
    let measured = Measured { answers, took, used, records };
    measured.print(process.as_ref(), arguments.json);
    if let (Some(folder), Some(before)) = (&arguments.data, stored) {
        tokio::time::sleep(Duration::from_secs(5)).await;
        println!(
            "stored {} B more in {}",
            server::bytes_below(folder).saturating_sub(before),
            folder.display()
        );
    }
    match arguments.p99_limit.and_then(|limit| measured.breach(limit)) {
        Some(breach) => {
            println!("failed: {breach}");
            ExitCode::FAILURE
        }
        None => ExitCode::SUCCESS,
    }
}

struct Run {
    arguments: Arguments,
    bodies: Arc<[Body]>,
    next: AtomicU64,
}

impl Run {
    /// The next request, with ids of its own.
    fn body(&self) -> Vec<u8> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let count = u64::try_from(self.bodies.len()).unwrap();
        let body = &self.bodies[usize::try_from(number % count).unwrap()];
        body.with_ids(&mut Ids::new(number))
    }
}

async fn send_for(run: &Arc<Run>, time: Duration) -> Vec<Answer> {
    let until = Instant::now() + time;
    let mut connections = JoinSet::new();
    let Arguments { connections: many, rate, .. } = run.arguments;
    for number in 0..many {
        let run = Arc::clone(run);
        let connection = Connection::to(&run.arguments).await;
        let every = rate.map(|rate| Duration::from_secs_f64(many as f64 / rate));
        let offset = every.map(|every| every.mul_f64(number as f64 / many as f64));
        connections.spawn(async move {
            match every.zip(offset) {
                Some((every, offset)) => open_loop(&run, connection, until, every, offset).await,
                None => closed_loop(&run, connection, until).await,
            }
        });
    }
    connections.join_all().await.into_iter().flatten().collect()
}

/// Whoever has an answer sends the next request.
async fn closed_loop(run: &Arc<Run>, connection: Connection, until: Instant) -> Vec<Answer> {
    let mut senders = JoinSet::new();
    for _ in 0..run.arguments.in_flight {
        let (run, connection) = (Arc::clone(run), connection.clone());
        senders.spawn(async move {
            let mut answers = Vec::new();
            while Instant::now() < until {
                let body = run.body();
                let began = Instant::now();
                let is_ok = connection.send(body).await;
                answers.push(Answer { took: began.elapsed(), is_ok });
            }
            answers
        });
    }
    senders.join_all().await.into_iter().flatten().collect()
}

/// A request is due at its time, and its wait counts from then.
async fn open_loop(
    run: &Arc<Run>,
    connection: Connection,
    until: Instant,
    every: Duration,
    offset: Duration,
) -> Vec<Answer> {
    let mut due = Instant::now() + offset;
    let mut under_way = JoinSet::new();
    while due < until {
        tokio::time::sleep_until(due.into()).await;
        let (body, connection, at) = (run.body(), connection.clone(), due);
        under_way.spawn(async move {
            let is_ok = connection.send(body).await;
            Answer { took: at.elapsed(), is_ok }
        });
        due += every;
    }
    under_way.join_all().await
}
