//! The journal with fsync on: acknowledged requests a second, latency, requests a sync, recovery.
//!
//! `cargo bench --bench journal -- [--folder DIR] [--recovery GIB]`. Percentiles over all clients of a
//! round are what a person wants to know here, so the rounds are timed by hand.

#![allow(clippy::print_stdout, reason = "figures are its output")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use skillspan::journal::{Config, Durability, Journal};
use tokio::runtime::Runtime;

const ROUND: Duration = Duration::from_secs(5);
/// A request of one span with a prompt, as it stands in the journal.
const RECORD: usize = 3_500;

fn config(path: &Path, durability: Durability) -> Config {
    Config { path: path.to_owned(), max_size: 8 << 30, segment_size: 64 << 20, durability }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut folder = PathBuf::from("target");
    let mut recovery_gib = 0;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--folder" => folder = arguments.next().ok_or("--folder DIR")?.into(),
            "--recovery" => recovery_gib = arguments.next().ok_or("--recovery GIB")?.parse()?,
            _ => {}
        }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    println!("clients  durability  requests/s  p50 ms  p99 ms  max ms  requests/sync");
    for durability in [Durability::Fsync, Durability::Os] {
        for clients in [1, 8, 64] {
            let place = tempfile::tempdir_in(&folder)?;
            round(&runtime, place.path(), durability, clients)?;
        }
    }
    if recovery_gib > 0 {
        let place = tempfile::tempdir_in(&folder)?;
        recovery(&runtime, place.path(), recovery_gib << 30)?;
    }
    Ok(())
}

/// As many clients as asked for append one request after the other; exported segments are released.
fn round(
    runtime: &Runtime,
    folder: &Path,
    durability: Durability,
    clients: usize,
) -> Result<(), Box<dyn std::error::Error>> {
    let journal = Journal::open(config(folder, durability))?;
    let started = Instant::now();
    let running: Vec<_> = (0..clients).map(|_| runtime.spawn(client(journal.clone(), started))).collect();
    let mut latencies = Vec::new();
    for client in running {
        latencies.extend(runtime.block_on(client)??);
    }
    let elapsed = started.elapsed().as_secs_f64();
    latencies.sort_unstable();
    let at = |share: f64| {
        let index = (latencies.len() as f64 * share) as usize;
        latencies.get(index.min(latencies.len() - 1)).map_or(0.0, |latency| latency.as_secs_f64() * 1e3)
    };
    let requests = latencies.len() as f64;
    let syncs = journal.status().syncs.count;
    println!(
        "{clients:>7}  {:>10}  {:>10.0}  {:>6.3}  {:>6.3}  {:>6.1}  {:>13.2}",
        format!("{durability:?}").to_lowercase(),
        requests / elapsed,
        at(0.5),
        at(0.99),
        at(1.0),
        if syncs == 0 { f64::NAN } else { requests / syncs as f64 },
    );
    Ok(())
}

async fn client(
    journal: Journal,
    started: Instant,
) -> Result<Vec<Duration>, skillspan::journal::AppendError> {
    let mut latencies = Vec::new();
    while started.elapsed() < ROUND {
        let record = vec![7; RECORD];
        let sent = Instant::now();
        let sequence = journal.append(record).await?;
        latencies.push(sent.elapsed());
        if sequence % 20_000 == 0 {
            let journal = journal.clone();
            // What follows would be written to the table by now.
            tokio::task::spawn_blocking(move || journal.advance(sequence));
        }
    }
    Ok(latencies)
}

/// Opens a journal of `bytes`, none of them exported.
fn recovery(runtime: &Runtime, folder: &Path, bytes: u64) -> Result<(), Box<dyn std::error::Error>> {
    let journal = Journal::open(config(folder, Durability::Os))?;
    runtime.block_on(async {
        while journal.status().bytes < bytes {
            let appends = (0..16).map(|_| journal.append(vec![7; 256 << 10]));
            futures_util::future::join_all(appends).await.into_iter().collect::<Result<Vec<_>, _>>()?;
        }
        Ok::<_, skillspan::journal::AppendError>(())
    })?;
    let records = journal.status().behind;
    drop(journal);
    let started = Instant::now();
    let journal = Journal::open(config(folder, Durability::Fsync))?;
    let opened = started.elapsed();
    assert_eq!(journal.status().behind, records);
    println!("recovery of {bytes} bytes in {} segments: {opened:.2?}", journal.status().segments);
    Ok(())
}
