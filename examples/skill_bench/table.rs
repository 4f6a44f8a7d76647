//! Worlds of many seeds in one table, to measure the speed of mining on.

use std::path::Path;

use skillspan::event::{Owner, SessionEvent};
use skillspan::table::{FileIdentity, Table};

use crate::noise::Noise;
use crate::world;

/// Events a file.
const FILE: usize = 50_000;

/// Writes at least so many events into a new table, three workspaces of many people's sessions.
pub(crate) fn write(folder: &Path, events: usize, noise: f64, first_seed: u64) {
    let recorded = Noise::load();
    let table = Table::open(folder).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (mut written, mut files, mut batch) = (0, 0, Vec::new());
    let mut flush = |batch: Vec<SessionEvent>| {
        let identity = FileIdentity {
            owner: Owner { tenant: "acme".into(), workspace: "default".into() },
            ingest_date: "2026-11-22".into(),
            journal_id: "bench".into(),
            batch_id: format!("{files:04}"),
            first: 1,
            last: batch.len() as u64,
            part: 0,
        };
        files += 1;
        let _ = runtime.block_on(table.write(&identity, batch)).unwrap();
    };
    for seed in first_seed.. {
        for session in world::world(seed, noise, &recorded).sessions {
            let id = format!("{seed}-{}", session.id);
            batch.extend(session.facts.into_iter().map(|fact| SessionEvent {
                event_id: format!("{seed}-{}", fact.event.event_id),
                session_id: id.clone(),
                workspace: session.workspace.clone(),
                project: session.project.clone(),
                user_id: session.user_id.clone(),
                assistant: session.assistant.clone(),
                ingested_at: fact.event.timestamp,
                ..fact.event
            }));
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
