//! What models observed in sessions: kept beside the digests, keyed by session, erased with them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::disk::{Disk, FileSystem};
use crate::skillify::author::{Answered, Excerpt, Observation};
use crate::skillify::short_hash;
use crate::table::Session;

use super::super::digests::{Taken, take_turn};
use super::super::wording::Job;

/// How the names of the files begin.
pub(in crate::service) const PREFIX: &str = "observations-";

/// The observations in the sessions of a workspace, by tenant and id, with the hash of the excerpt.
type Observed = BTreeMap<String, (String, Vec<Observation>)>;

/// What models observed, as far as it is known.
pub(in crate::service) struct Notes {
    /// `None`: they end with the process.
    folder: Option<PathBuf>,
    pub(super) model: String,
    memory: Mutex<BTreeMap<String, Observed>>,
}

/// What is known of one workspace.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    observed: Observed,
    /// Its file was there.
    was_stored: bool,
}

fn session_key(tenant: &str, session: &str) -> String {
    short_hash(&[tenant, session], 16)
}

impl Known {
    pub(super) fn has(&self, excerpt: &Excerpt) -> bool {
        let known = self.observed.get(&session_key(&excerpt.tenant, &excerpt.session));
        known.is_some_and(|(hash, _)| *hash == excerpt.hash)
    }

    /// Adds what an answer says of its sessions.
    pub(super) fn add(&mut self, answered: Answered) {
        for ((tenant, session), hash, observations) in answered.observed {
            self.observed.insert(session_key(&tenant, &session), (hash, observations));
        }
    }

    /// What was observed in the excerpts that are shown now, in their order.
    pub(super) fn of(&self, excerpts: &[Excerpt]) -> Vec<Observation> {
        let known = excerpts.iter().filter(|excerpt| self.has(excerpt));
        let of_one = known.filter_map(|one| self.observed.get(&session_key(&one.tenant, &one.session)));
        of_one.flat_map(|(_, observations)| observations.iter().cloned()).collect()
    }
}

impl Notes {
    pub(in crate::service) fn new(folder: Option<&Path>, model: &str) -> Self {
        Self { folder: folder.map(Path::to_owned), model: model.to_owned(), memory: Mutex::default() }
    }

    fn name(&self, job: &Job) -> String {
        format!("{PREFIX}{}", short_hash(&[&job.place.0, &job.place.1, &self.model], 8))
    }

    /// What is known of a workspace, whose sessions are these. Of sessions that are gone nothing is.
    pub(super) fn known(&self, job: &Job, sessions: &[Session]) -> Known {
        let name = self.name(job);
        let mut known = match &self.folder {
            Some(folder) => {
                let observed = read(&folder.join(&name));
                Known { was_stored: observed.is_some(), observed: observed.unwrap_or_default() }
            }
            None => {
                let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
                Known { observed: memory.get(&name).cloned().unwrap_or_default(), was_stored: false }
            }
        };
        let there: BTreeSet<String> =
            sessions.iter().map(|session| session_key(&session.tenant, &session.id)).collect();
        known.observed.retain(|session, _| there.contains(session));
        known
    }

    /// Keeps the known answers, but none that an erasure removed meanwhile.
    pub(super) fn keep(&self, job: &Job, known: &Known) {
        let name = self.name(job);
        let Some(folder) = &self.folder else {
            let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
            memory.insert(name, known.observed.clone());
            return;
        };
        if let Err(error) = write(folder, &name, known) {
            tracing::warn!(%error, folder = %folder.display(), "what a model observed is not kept; it is asked again");
        }
    }
}

fn read(path: &Path) -> Option<Observed> {
    let bytes = fs::read(path).ok()?;
    let (checksum, rest) = bytes.split_at_checked(8)?;
    let json = rest.strip_prefix(b"\n")?;
    (checksum == checksum_of(json).as_bytes()).then(|| serde_json::from_slice(json).ok()).flatten()
}

fn write(folder: &Path, name: &str, known: &Known) -> io::Result<()> {
    let json = serde_json::to_vec(&known.observed)?;
    let Taken { has_digests, _turn } = take_turn(folder)?;
    let path = folder.join(name);
    if !has_digests || (known.was_stored && !path.exists()) {
        return Ok(());
    }
    let temporary = path.with_extension("new");
    let mut file = FileSystem.create(&temporary)?;
    let head = format!("{}\n", checksum_of(&json));
    file.write_at(0, head.as_bytes())?;
    file.write_at(head.len() as u64, &json)?;
    FileSystem.rename(&temporary, &path)
}

fn checksum_of(json: &[u8]) -> String {
    format!("{:08x}", crc32c::crc32c(json))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::service::digests;

    fn job(sessions: Vec<Session>) -> Job {
        Job {
            place: ("acme".into(), "shop".into()),
            digests: Vec::new(),
            older: None,
            sessions: Arc::new(sessions),
            vectors: None,
            verified: Arc::default(),
        }
    }

    fn session(id: &str) -> Session {
        Session {
            tenant: "acme".into(),
            id: id.into(),
            source: crate::table::SessionSource::Attribute,
            workspace: "shop".into(),
            project: String::new(),
            user_id: String::new(),
            assistant: String::new(),
            started_at: crate::event::Timestamp::default(),
            last_event_at: crate::event::Timestamp::default(),
            last_ingested_at: crate::event::Timestamp::default(),
            ended: false,
            facts: Vec::new(),
        }
    }

    fn known(sessions: &[&str]) -> Known {
        let observed = sessions.iter().map(|id| (session_key("acme", id), ("hash".to_owned(), Vec::new())));
        Known { observed: observed.collect(), was_stored: false }
    }

    #[test]
    fn what_was_observed_is_kept_by_session_and_goes_with_an_erasure() {
        let folder = tempfile::tempdir().unwrap();
        let notes = Notes::new(Some(folder.path()), "reader");
        let both = job(vec![session("a"), session("b")]);
        notes.keep(&both, &known(&["a", "b"]));
        assert!(notes.known(&both, &both.sessions).observed.is_empty(), "without digests nothing is kept");
        fs::write(folder.path().join("digests-0.log"), "").unwrap();
        notes.keep(&both, &known(&["a", "b"]));
        assert_eq!(notes.known(&both, &both.sessions).observed.len(), 2);
        let other = Notes::new(Some(folder.path()), "another");
        assert!(other.known(&both, &both.sessions).observed.is_empty(), "another model says something else");
        let one = notes.known(&both, &[session("b")]);
        assert_eq!(
            one.observed.keys().collect::<Vec<_>>(),
            [&session_key("acme", "b")],
            "of sessions that are gone nothing is known"
        );
        let before = notes.known(&both, &both.sessions);
        assert_eq!(digests::forget(folder.path()).unwrap(), 2);
        fs::write(folder.path().join("digests-0.log"), "").unwrap();
        notes.keep(&both, &before);
        assert!(
            notes.known(&both, &both.sessions).observed.is_empty(),
            "what was erased is not kept behind its back"
        );
    }
}
