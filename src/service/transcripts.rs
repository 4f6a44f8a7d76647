//! The receiver `transcripts`: reads the files in which assistants of this machine keep their sessions.
//!
//! Every ten seconds it looks for changed files and reads what is new in them, in the order of `skillspan import`. Both share
//! the memory of what was read; it is updated once the journal has the records. A file that was cut or rewritten is read from
//! its beginning, and what it repeats counts once. If a file disappears, its records stay. A line that is still being written
//! is read once it is whole.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::config::TranscriptSettings;
use crate::dialects::TRANSCRIPTS;
use crate::dialects::transcripts::Form;
use crate::event::{Owner, Timestamp};
use crate::receivers::auth::Sender;
use crate::receivers::otlp::{Coding, Encoding, Export};
use crate::receivers::transcripts::{
    self as files, Batch, Home, Memory, Owners, SaidOwner, Seen, TranscriptFile,
};
use crate::receivers::{Caller, Ingest, Refusal, Signal};

const PERIOD: Duration = Duration::from_secs(10);

/// What the receiver watches, and where that goes.
pub(super) struct Watch {
    settings: TranscriptSettings,
    ingest: Arc<Ingest>,
    limit: usize,
    memory: Mutex<Option<Memory>>,
}

impl Watch {
    /// What is remembered lies below `data`, under the name of the tables that `to` are.
    pub(super) fn new(settings: TranscriptSettings, to: &str, ingest: Arc<Ingest>, limit: usize) -> Self {
        let memory = match Memory::open(&settings.memory, to) {
            Ok(memory) => Some(memory),
            Err(error) => {
                tracing::error!(%error, "what was read of transcripts is not known, so that none is read; repair that and start again");
                None
            }
        };
        Self { settings, ingest, limit, memory: Mutex::new(memory) }
    }

    /// Reads what is new until `stop`.
    pub(super) async fn run(self, stop: CancellationToken) {
        let watch = Arc::new(self);
        while !stop.is_cancelled() {
            let (round, stopped, runtime) = (Arc::clone(&watch), stop.clone(), Handle::current());
            let done = tokio::task::spawn_blocking(move || round.round(&stopped, &runtime)).await;
            if let Err(error) = done {
                tracing::error!(%error, "transcripts could not be read");
            }
            tokio::select! {
                () = tokio::time::sleep(PERIOD) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    fn round(&self, stop: &CancellationToken, runtime: &Handle) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(memory) = memory.as_mut() else { return };
        let variable =
            |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let home = Home { folder: &self.settings.home, variable: &variable };
        let earliest = Timestamp::now().saturating_sub(self.settings.since);
        let mut owners = Owners::default();
        for assistant in TRANSCRIPTS.iter().filter(|it| self.settings.assistants.contains(&it.assistant)) {
            let listing = files::files_of(assistant, &home);
            for (path, reason) in listing.left {
                tracing::debug!(path = %path.display(), reason, "left out");
            }
            let (mut changed, databases) = sessions(listing.files, memory, earliest);
            // A fork comes after its origin.
            changed.sort_by(|a, b| (a.modified, &a.path).cmp(&(b.modified, &b.path)));
            for file in changed {
                if stop.is_cancelled() || !self.read(&file, memory, &mut owners, stop, runtime) {
                    return;
                }
            }
            // As a whole it is looked into again when it is changed again.
            for (path, seen) in databases {
                memory.note(&path, seen);
            }
        }
    }

    /// Reads what is new in a file. False: nothing can be taken now, and all is left to the next round. A file of
    /// which something is refused for good is tried again at each round: what refuses it may be configured
    /// otherwise by then, and the file still has it.
    fn read(
        &self,
        file: &TranscriptFile,
        memory: &mut Memory,
        owners: &mut Owners,
        stop: &CancellationToken,
        runtime: &Handle,
    ) -> bool {
        let Some(glance) = files::glance(file).ok().filter(|glance| glance.has_session) else { return true };
        // Nobody's, or not to be kept.
        let Ok((owner, _)) = owners.of(&glance, &self.settings.home, &SaidOwner::default()) else {
            return true;
        };
        let mut refused = None;
        let read = files::read(file, &owner, memory, &mut |batch| {
            if stop.is_cancelled() {
                return Err(io::Error::other("stopped"));
            }
            runtime.block_on(self.accept(batch)).map_err(|refusal| {
                let reason = refusal.to_string();
                refused = Some(refusal);
                io::Error::other(reason)
            })
        });
        match read {
            Ok(summary) => {
                if summary.left_count > 0 {
                    tracing::debug!(path = %file.path.display(), lines = summary.left_count, "lines are left out");
                }
                memory.note(&file.key(), summary.seen);
                if let Err(error) = memory.keep() {
                    tracing::warn!(%error, "what was read of transcripts cannot be remembered");
                }
                true
            }
            Err(_) if stop.is_cancelled() => false,
            Err(error) if refused.as_ref().is_some_and(Refusal::is_passing) => {
                tracing::warn!(%error, "transcripts wait until they can be taken");
                false
            }
            Err(error) if refused.is_some() => {
                tracing::warn!(path = %file.path.display(), %error, "this transcript is refused; others go on");
                true
            }
            Err(error) => {
                tracing::debug!(path = %file.path.display(), %error, "cannot be read");
                true
            }
        }
    }

    async fn accept(&self, batch: Batch) -> Result<(), Refusal> {
        let (owner, sender) = (Owner::default(), Sender::Anybody);
        let caller =
            Caller { owner, is_confined: false, sender, capture: true, is_check: false, hops: String::new() };
        let export = Export {
            signal: Signal::Logs,
            encoding: Encoding::Protobuf,
            coding: Coding::Identity,
            body: batch.body.into(),
            limit: self.limit,
        };
        let lease = self.ingest.memory().lease();
        self.ingest.accept(export, caller, lease).await.map(|_| ())
    }
}

/// The sessions of which something is new, and the databases that were looked into for them.
fn sessions(
    files: Vec<TranscriptFile>,
    memory: &Memory,
    earliest: Timestamp,
) -> (Vec<TranscriptFile>, Vec<(PathBuf, Seen)>) {
    let is_changed = |file: &TranscriptFile| {
        file.modified >= earliest && !memory.is_as_it_was(&file.key(), file.extent(), file.modified)
    };
    let (mut sessions, mut databases, mut unchanged) = (Vec::new(), Vec::new(), Vec::new());
    for file in files {
        let is_database = file.form == Form::Rows;
        if !is_changed(&file) {
            unchanged.extend(is_database.then_some(file.path));
            continue;
        }
        let whole = (file.path.clone(), Seen::of(&file));
        match files::sessions_of(file) {
            Ok(found) => {
                sessions.extend(found);
                databases.extend(is_database.then_some(whole));
            }
            Err(error) => tracing::debug!(path = %whole.0.display(), %error, "cannot be read"),
        }
    }
    files::without_doubles(&mut sessions);
    // Nor what a database has that was not looked into now.
    let is_known = |session: &TranscriptFile| {
        let id = session.place().name;
        unchanged.iter().any(|database| memory.seen(&files::key_in(database, &id)).is_some())
    };
    sessions.retain(|session| is_changed(session) && (session.database.is_some() || !is_known(session)));
    (sessions, databases)
}
