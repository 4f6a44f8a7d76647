//! Mines one workspace, and chooses which of its findings go to targets.

use super::run_error::RunError;

use super::digests::lessons;
use super::job::Job;
use crate::library::{Episode, Findings, session_number};
use crate::skillify::{self, Digest, Lessons, Mined, mine_digests};
use futures_util::future::BoxFuture;
use futures_util::{StreamExt, TryStreamExt, stream};
use std::path::Path;
use std::sync::Arc;

/// How many workspaces are mined beside each other: they are nothing to each other, and mining is work of
/// the background.
const WORKSPACES_AT_ONCE: usize = 2;

/// What work on workspaces comes to, in the order of the workspaces.
pub(super) async fn beside_each_other<T>(
    work: Vec<BoxFuture<'_, Result<T, RunError>>>,
) -> Result<Vec<T>, RunError> {
    stream::iter(work).buffered(WORKSPACES_AT_ONCE).try_collect().await
}

/// Mines one workspace, off the reactor, unless what it comes to is kept.
pub(super) async fn mine(
    job: &Job,
    config: skillify::Config<'static>,
    kept: Option<&Path>,
) -> Result<Arc<Lessons>, RunError> {
    let (job, kept) = (job.clone(), kept.map(Path::to_owned));
    let mining = tokio::task::spawn_blocking(move || {
        let older = job.older.as_ref().map(|older| &older.showed);
        let config = skillify::Config {
            vectors: job.vectors.as_deref(),
            verified: Some(&job.verified),
            older,
            ..config
        };
        let mine = || mine_digests(&job.place.1, &job.digests, &config);
        Arc::new(lessons::known_or(kept.as_deref(), &job, &config, mine))
    });
    Ok(mining.await?)
}

/// What the sessions of a workspace show, as targets take it up.
pub fn findings(mined: &Mined, digests: &[Arc<Digest>]) -> Findings {
    let mut findings = Findings::from(mined);
    for digest in digests {
        for (name, date) in &digest.loaded {
            let last = findings.uses.entry(name.clone()).or_default();
            *last = date.clone().max(std::mem::take(last));
        }
        findings.episodes.push(episode(digest));
    }
    findings
}

/// What a session did, as far as skills are concerned.
pub fn episode(digest: &Digest) -> Episode {
    Episode {
        session: session_number(&digest.tenant, &digest.session),
        date: digest.started_at.date(),
        loaded: digest.loaded.keys().cloned().collect(),
        commands: digest.commands(),
        failed: digest.failed(),
        failures: digest.failures,
        tool_calls: digest.tool_calls,
        seconds: digest.last_event_at.since(digest.started_at).as_secs(),
    }
}
