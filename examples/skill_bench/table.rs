//! Worlds of many seeds in one table, and how long it takes to mine one.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use sha2::{Digest as _, Sha256};
use skillspan::event::{Owner, SessionEvent};
use skillspan::service::digests::{Digests, Window, Windowed, Windows};
use skillspan::service::mining::{UNPACKED, mine_what_is_new, parts};
use skillspan::service::wording::{Found, Job};
use skillspan::skillify::{Config, Mined};
use skillspan::table::{FileIdentity, Filter, Location, Table};

use crate::noise::Noise;
use crate::world;

/// Events a file.
const FILE: usize = 50_000;

/// Writes at least so many events into a table, three workspaces of many people's sessions for each of the teams: whole
/// worlds into a new one; one that is there grows by no session more than it must.
pub(crate) fn write(folder: &Path, events: usize, noise: f64, first_seed: u64, teams: u64) {
    let recorded = Noise::load();
    let table = Table::open(folder).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let standing = runtime.block_on(table.paths(&Filter::default())).unwrap().len();
    let (mut written, mut files, mut batch) = (0, standing, Vec::new());
    let mut flush = |batch: Vec<SessionEvent>| {
        let identity = FileIdentity {
            owner: Owner { tenant: "acme".into(), workspace: "default".into() },
            ingest_date: "2026-11-22".into(),
            journal_id: "bench".into(),
            batch_id: format!("{files:04}"),
            first: files as u64,
            last: files as u64,
            part: 0,
        };
        files += 1;
        let _ = runtime.block_on(table.write(&identity, batch)).unwrap();
    };
    for seed in first_seed.. {
        for session in world::world(seed, noise, &recorded).sessions {
            let id = format!("{seed}-{}", session.id);
            let workspace = match seed % teams.max(1) {
                0 => session.workspace.clone(),
                team => format!("{}-{team}", session.workspace),
            };
            batch.extend(session.facts.into_iter().map(|fact| SessionEvent {
                event_id: format!("{seed}-{}", fact.event.event_id),
                session_id: id.clone(),
                workspace: workspace.clone(),
                project: session.project.clone(),
                user_id: session.user_id.clone(),
                assistant: session.assistant.clone(),
                ingested_at: fact.event.timestamp,
                ..fact.event
            }));
            if standing > 0 && written + batch.len() >= events {
                break;
            }
        }
        if batch.len() >= FILE || written + batch.len() >= events {
            written += batch.len();
            flush(std::mem::take(&mut batch));
        }
        if written >= events {
            return;
        }
    }
}

/// Mines every workspace of a table in parts that take so much memory, as a worker does, and says how long each step
/// took; with `show` which result it is.
pub(crate) fn mine(folder: &Path, kept: Option<&Path>, memory: u64, show: bool) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let table = Table::open_read_only(folder).unwrap();
    let started = Instant::now();
    let mut digests = match kept {
        Some(kept) => runtime.block_on(Digests::open(kept, &Location::Folder(folder.into()), "default")),
        None => Digests::in_memory("default"),
    };
    println!("digests opened   {:>8.2?} {}", started.elapsed(), resident());
    let started = Instant::now();
    runtime.block_on(digests.update(&table)).unwrap();
    println!("table read       {:>8.2?} {}", started.elapsed(), resident());
    for part in parts(digests.sizes().into_iter().collect(), memory, |(_, bytes)| *bytes) {
        let started = Instant::now();
        let places: BTreeSet<_> = part.into_iter().map(|(place, _)| place).collect();
        let windows = Windows {
            window: Window { bytes: memory / UNPACKED, events: None, age: None },
            mining: Config::default(),
            verified: Arc::default(),
            folder: kept.map(Path::to_owned),
        };
        let wanted = digests.windows(&table, move |place| places.contains(place), &windows);
        let jobs: Vec<Job> = runtime.block_on(wanted).unwrap().into_iter().map(job).collect();
        let read = resident();
        let found = runtime.block_on(mine_what_is_new(&jobs, Config::default(), kept)).unwrap();
        println!("part mined       {:>8.2?} {read} digests read, {} mined", started.elapsed(), resident());
        for (job, Found { mined, .. }) in jobs.iter().zip(&found) {
            println!(
                "{}: {} sessions, {} older, {} segments, {} of {} candidates published{}",
                mined.workspace,
                job.digests.len(),
                mined.older,
                mined.segments,
                mined.candidates.iter().filter(|candidate| candidate.is_published()).count(),
                mined.candidates.len(),
                if show { fingerprint(mined) } else { String::new() }
            );
        }
    }
}

fn job((place, Windowed { digests, older }): ((String, String), Windowed)) -> Job {
    Job { place, digests, older, sessions: Arc::default(), vectors: None, verified: Arc::default() }
}

/// The memory of this process now, and at most so far.
fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.trim_matches(|c: char| !c.is_ascii_digit()).parse::<u64>().ok())
            .unwrap_or(0)
    };
    format!("{} MiB ({} MiB at most)", kib("VmRSS:") >> 10, kib("VmHWM:") >> 10)
}

/// The same for the same result, so that a change that must change nothing can be seen to.
fn fingerprint(mined: &Mined) -> String {
    let hash = Sha256::digest(format!("{mined:?}"));
    hash.iter().take(6).fold(", ".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}
