//! The sessions of workspaces, read from the table where they are needed and let go afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::table::{Cursor, ReadError, ResolveOptions, Session, Table, resolve};

use super::super::mining::{RunError, WorkspaceKey};
use super::super::wording::Job;

/// So many sessions are held at a time, unless one workspace has more …
const SESSIONS_AT_ONCE: usize = 2_000;
/// … of so many workspaces.
const WORKSPACES_AT_ONCE: usize = 16;

/// Where sessions are, of which a model is shown excerpts.
#[derive(Debug, Clone)]
pub(in crate::service) struct Source {
    pub(in crate::service) table: Table,
    pub(in crate::service) default_workspace: String,
}

/// The jobs in parts whose sessions are held together, as ranges of places.
pub(super) fn parts(jobs: &[Job]) -> Vec<std::ops::Range<usize>> {
    let mut parts: Vec<std::ops::Range<usize>> = Vec::new();
    let mut held = 0;
    for (at, job) in jobs.iter().enumerate() {
        let own = job.digests.len();
        match parts.last_mut() {
            Some(part) if held + own <= SESSIONS_AT_ONCE && part.len() < WORKSPACES_AT_ONCE => {
                part.end = at + 1;
                held += own;
            }
            _ => {
                parts.push(at..at + 1);
                held = own;
            }
        }
    }
    parts
}

/// The sessions of each job, in their order: those that it has, else those of the table.
pub(super) async fn of_jobs(
    jobs: &[Job],
    source: Option<&Source>,
) -> Result<Vec<Arc<Vec<Session>>>, RunError> {
    let wanted: BTreeSet<&WorkspaceKey> =
        jobs.iter().filter(|job| job.sessions.is_empty()).map(|job| &job.place).collect();
    let mut found = match source.filter(|_| !wanted.is_empty()) {
        Some(source) => read(source, &wanted).await?,
        None => BTreeMap::new(),
    };
    let of_job = |job: &Job| match found.remove(&job.place) {
        Some(sessions) => Arc::new(sessions),
        None => Arc::clone(&job.sessions),
    };
    Ok(jobs.iter().map(of_job).collect())
}

/// Reads the sessions of some workspaces; of others no more than a part of the table is held at a time.
async fn read(
    source: &Source,
    wanted: &BTreeSet<&WorkspaceKey>,
) -> Result<BTreeMap<WorkspaceKey, Vec<Session>>, ReadError> {
    let options = ResolveOptions { default_workspace: source.default_workspace.clone() };
    let standing = source.table.standing(&Cursor::default()).await?;
    let mut reading = source.table.new_groups(standing, &[], &BTreeSet::new()).await?;
    let mut places: BTreeMap<WorkspaceKey, Vec<Session>> = BTreeMap::new();
    while let Some(groups) = reading.next().await? {
        for session in groups.into_iter().flat_map(|group| resolve(group.events, &options)) {
            let place = (session.tenant.clone(), session.workspace.clone());
            if wanted.contains(&place) {
                places.entry(place).or_default().push(session);
            }
        }
    }
    let (_, damaged) = reading.finish();
    for damaged in &damaged {
        tracing::warn!(file = damaged.path, damage = %damaged.damage, "left out of what a model is shown");
    }
    Ok(places)
}
