//! Takes the events that hooks left for this process: every half second, so that no hook waits for an answer; when somebody
//! asks for the table; and once more at the end.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::dialects::Hooks;
use crate::event::Owner;
use crate::receivers::auth::Sender;
use crate::receivers::hooks::{Attendance, Batch, Form, HookBody, Outlet, Spool, SpoolError};
use crate::receivers::otlp::Coding;
use crate::receivers::{Caller, Ingest, Refusal};

/// What is being taken when the process stops may take so long, as the last requests may. What is not taken
/// by then is still there at the next start.
const DRAIN: Duration = Duration::from_secs(10);
/// Looking costs four questions to the file system for each spool.
const PERIOD: Duration = Duration::from_millis(500);

/// The spools whose entries are for this process.
pub(super) struct HookSpools {
    spools: Vec<Spool>,
    ingest: Arc<Ingest>,
    limit: usize,
    /// One caller takes the waiting entries at a time; others wait.
    turn: Mutex<()>,
}

impl HookSpools {
    /// Those below `root` for one of these addresses, as hooks may have been told them, and sent without a
    /// credential.
    pub(super) fn new(
        root: &Path,
        addresses: &[(&'static str, SocketAddr)],
        ingest: Arc<Ingest>,
        limit: usize,
    ) -> Self {
        Self { spools: spools_for(root, addresses), ingest, limit, turn: Mutex::new(()) }
    }

    /// Attends to them until `stop`, and takes what has come by then.
    pub(super) async fn attend(self: Arc<Self>, stop: CancellationToken) {
        let mut attendances: Vec<Option<Attendance>> = self.spools.iter().map(|_| None).collect();
        while !stop.is_cancelled() {
            for (spool, attendance) in self.spools.iter().zip(&mut attendances) {
                // Where it cannot be promised, hooks send as if nobody had.
                *attendance = attendance.take().or_else(|| spool.attend().ok().flatten());
            }
            let stopped = async {
                stop.cancelled().await;
                tokio::time::sleep(DRAIN).await;
            };
            tokio::select! {
                () = self.take() => {}
                () = stopped => return,
            }
            tokio::select! {
                () = tokio::time::sleep(PERIOD) => {}
                () = stop.cancelled() => {}
            }
        }
        drop(attendances);
        if tokio::time::timeout(DRAIN, self.take()).await.is_err() {
            tracing::warn!(
                "hooks that wait for this process were not taken in time; the next start takes them"
            );
        }
    }

    /// Takes what waits.
    pub(super) async fn take(&self) {
        let _turn = self.turn.lock().await;
        for spool in self.spools.iter().filter(|spool| spool.may_have_entries()) {
            if let Err(error) = send(spool, &self.ingest, self.limit).await {
                tracing::warn!(%error, "hooks that wait for this process cannot be read");
            }
        }
    }
}

fn spools_for(root: &Path, addresses: &[(&'static str, SocketAddr)]) -> Vec<Spool> {
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

async fn send(spool: &Spool, ingest: &Arc<Ingest>, limit: usize) -> Result<(), SpoolError> {
    let spool = spool.clone();
    // A hook that sends now sends what waits, too.
    let Some(mut outlet) = on_disk(move || spool.outlet()).await? else { return Ok(()) };
    loop {
        let (mut open, batch) = on_disk(move || {
            let batch = outlet.next_batch()?;
            Ok((outlet, batch))
        })
        .await?;
        let Some(batch) = batch else { break };
        let Some(hooks) = Hooks::of(&batch.assistant) else {
            // A program newer than this process took it; the next start knows it.
            outlet = on_disk(move || open.set_aside(&batch).map(|()| open)).await?;
            continue;
        };
        let outcome = accept(hooks, &batch, ingest, limit).await;
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

async fn accept(
    hooks: &'static Hooks,
    batch: &Batch,
    ingest: &Arc<Ingest>,
    limit: usize,
) -> Result<(), Refusal> {
    let body = HookBody {
        hooks,
        form: Form::Lines,
        coding: Coding::Identity,
        body: batch.lines.clone().into(),
        limit,
    };
    let lease = ingest.memory().lease();
    let (owner, sender) = (Owner::default(), Sender::Anybody);
    let caller =
        Caller { owner, is_confined: false, sender, capture: true, is_check: false, hops: String::new() };
    ingest.accept(body, caller, lease).await.map(|_| ())
}
