//! What hooks left for this process while it was not there: sent on at the start, and every few
//! seconds after it, because the last hook of a session is followed by none.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::dialects::Hooks;
use crate::event::Owner;
use crate::receivers::hooks::{Batch, Form, HookBody, Outlet, Spool, SpoolError};
use crate::receivers::otlp::Coding;
use crate::receivers::{Caller, Ingest, Refusal};

/// Looking costs two questions to the file system.
const PERIOD: Duration = Duration::from_secs(5);

/// The spools below `root` whose entries are for one of these addresses, as hooks may have been told
/// them, and sent without a credential.
pub(super) fn spools_for(root: &Path, addresses: &[(&'static str, SocketAddr)]) -> Vec<Spool> {
    let names = |address: &SocketAddr| {
        let local =
            ["127.0.0.1", "localhost", "[::1]"].map(|host| format!("http://{host}:{}", address.port()));
        [vec![format!("http://{address}")], local.to_vec()].concat()
    };
    let mut endpoints: Vec<String> = addresses.iter().flat_map(|(_, address)| names(address)).collect();
    endpoints.sort();
    endpoints.dedup();
    endpoints.iter().map(|endpoint| Spool::of(root, endpoint, "")).collect()
}

/// Sends on until `stop`.
pub(super) async fn run(spools: Vec<Spool>, ingest: Arc<Ingest>, limit: usize, stop: CancellationToken) {
    loop {
        for spool in spools.iter().filter(|spool| spool.may_have_entries()) {
            if let Err(error) = send(spool, &ingest, limit, &stop).await {
                tracing::warn!(%error, "hooks that wait for this process cannot be read");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(PERIOD) => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn send(
    spool: &Spool,
    ingest: &Arc<Ingest>,
    limit: usize,
    stop: &CancellationToken,
) -> Result<(), SpoolError> {
    let spool = spool.clone();
    // A hook that sends now sends what waits, too.
    let Some(mut outlet) = on_disk(move || spool.outlet()).await? else { return Ok(()) };
    while !stop.is_cancelled() {
        let (mut open, batch) = on_disk(move || {
            let batch = outlet.next_batch()?;
            Ok((outlet, batch))
        })
        .await?;
        let Some(batch) = batch else { break };
        let outcome = accept(&batch, ingest, limit).await;
        outlet = match outcome {
            // Later, then.
            Err(refusal) if refusal.is_passing() => break,
            outcome => {
                on_disk(move || {
                    match outcome {
                        Ok(()) => open.done(&batch)?,
                        Err(refusal) => give_up(&mut open, &batch, &refusal)?,
                    }
                    Ok(open)
                })
                .await?
            }
        };
    }
    Ok(())
}

/// Files are read and locks waited for where no connection is kept waiting.
async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SpoolError> + Send + 'static,
) -> Result<T, SpoolError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(SpoolError::Io { path: "spool".into(), source: std::io::Error::other(error) }),
    }
}

/// What is refused for good is found in its batch, and then not sent again.
fn give_up(outlet: &mut Outlet, batch: &Batch, refusal: &Refusal) -> Result<(), SpoolError> {
    if batch.entries > 1 {
        outlet.one_by_one();
        return Ok(());
    }
    outlet.note_refusal(&refusal.to_string());
    outlet.done(batch)
}

async fn accept(batch: &Batch, ingest: &Arc<Ingest>, limit: usize) -> Result<(), Refusal> {
    let hooks = Hooks::of(&batch.assistant)
        .ok_or_else(|| Refusal::Malformed(format!("no hooks of {} are known", batch.assistant)))?;
    let body = HookBody {
        hooks,
        form: Form::Lines,
        coding: Coding::Identity,
        body: batch.lines.clone().into(),
        limit,
    };
    let lease = ingest.memory().lease();
    let caller = Caller { owner: Owner::default(), capture: true };
    ingest.accept(body, caller, lease).await.map(|_| ())
}
