//! The author's step of a run: observe, test, write.
//!
//! ```text
//! sessions ─► excerpts that nobody has read ─► ask ─► kept by session ─► what stands on all of them ─► ask ─► candidates
//! ```
//!
//! What a model observed in a session is kept beside the digests ([`Notes`]) and erased with them; the same sessions ask
//! nobody again. Finished lines are kept as other answers are, in the library's state. What has no answer, for whatever
//! reason, costs no skill of mining: those are there before this step begins. What a budget leaves over is read by the
//! next run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::disk::{Disk, FileSystem};
use crate::skillify::author::{Answered, Excerpt, Observation, Pack, Reading, Stood};
use crate::skillify::llm::{Asked, Question};
use crate::skillify::{Candidate, Mined, short_hash};
use crate::table::Session;

use super::digests::{Taken, take_turn};
use super::mining::RunError;
use super::wording::{self, AuthorTally, Found, Job, Step, Tally};

/// How the names of the files begin.
pub(in crate::service) const PREFIX: &str = "observations-";

/// What was observed in the sessions of a workspace, by tenant and id; with the hash of what was shown.
type Observed = BTreeMap<String, (String, Vec<Observation>)>;

/// What models observed, as far as it is known.
pub(super) struct Notes {
    /// `None`: they end with the process.
    folder: Option<PathBuf>,
    model: String,
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
    fn has(&self, excerpt: &Excerpt) -> bool {
        let known = self.observed.get(&session_key(&excerpt.tenant, &excerpt.session));
        known.is_some_and(|(hash, _)| *hash == excerpt.hash)
    }

    /// Adds what an answer says of its sessions.
    fn add(&mut self, answered: Answered) {
        for ((tenant, session), hash, observations) in answered.observed {
            self.observed.insert(session_key(&tenant, &session), (hash, observations));
        }
    }

    /// What was observed in the excerpts that are shown now, in their order.
    fn of(&self, excerpts: &[Excerpt]) -> Vec<Observation> {
        let known = excerpts.iter().filter(|excerpt| self.has(excerpt));
        let of_one = known.filter_map(|one| self.observed.get(&session_key(&one.tenant, &one.session)));
        of_one.flat_map(|(_, observations)| observations.iter().cloned()).collect()
    }
}

impl Notes {
    pub(super) fn new(folder: Option<&Path>, model: &str) -> Self {
        Self { folder: folder.map(Path::to_owned), model: model.to_owned(), memory: Mutex::default() }
    }

    fn name(&self, job: &Job) -> String {
        format!("{PREFIX}{}", short_hash(&[&job.place.0, &job.place.1, &self.model], 8))
    }

    /// What is known of a workspace. Of sessions that are gone nothing is.
    pub(super) fn known(&self, job: &Job) -> Known {
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
            job.sessions.iter().map(|session| session_key(&session.tenant, &session.id)).collect();
        known.observed.retain(|session, _| there.contains(session));
        known
    }

    /// Keeps what is known now. What an erasure removed meanwhile is not kept behind its back.
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

/// What is asked about one workspace.
pub(super) struct ToRead {
    pub(super) known: Known,
    pub(super) packs: Vec<Pack>,
}

/// Finds what nobody has read yet, off the reactor.
pub(super) async fn to_read(notes: &Arc<Notes>, job: &Job) -> Result<ToRead, RunError> {
    let (notes, job) = (Arc::clone(notes), job.clone());
    let reading = tokio::task::spawn_blocking(move || {
        let known = notes.known(&job);
        let packs = Reading::of(&job.sessions).questions(&notes.model, |excerpt| known.has(excerpt));
        ToRead { known, packs }
    });
    Ok(reading.await?)
}

impl ToRead {
    /// Takes up the answers, by the keys of their questions; says why observations were dropped. What the model will not
    /// answer is known to hold nothing.
    pub(super) fn take_up(
        &mut self,
        answers: &BTreeMap<String, String>,
        unanswerable: &BTreeSet<String>,
    ) -> BTreeMap<&'static str, u64> {
        let mut dropped: BTreeMap<&'static str, u64> = BTreeMap::new();
        for pack in &self.packs {
            let key = &pack.question.key;
            let answered = match answers.get(key) {
                Some(answer) => pack.read(answer),
                None if unanswerable.contains(key) => pack.unanswered(),
                None => continue,
            };
            for (reason, count) in &answered.dropped {
                *dropped.entry(reason).or_default() += count;
            }
            self.known.add(answered);
        }
        dropped
    }
}

/// What stood in a workspace, and what is asked to have it written.
pub(super) struct ToWrite {
    pub(super) stood: Arc<Vec<Stood>>,
    pub(super) question: Option<Question>,
}

/// Tests everything that was observed on all sessions, off the reactor.
pub(super) async fn to_write(
    notes: &Arc<Notes>,
    job: &Job,
    known: Known,
    mined: Mined,
) -> Result<ToWrite, RunError> {
    let (notes, job) = (Arc::clone(notes), job.clone());
    let testing = tokio::task::spawn_blocking(move || {
        let reading = Reading::of(&job.sessions);
        let stood = reading.stood(&known.of(reading.excerpts()), &mined);
        let question = reading.to_write(&notes.model, &stood);
        ToWrite { stood: Arc::new(stood), question }
    });
    Ok(testing.await?)
}

/// What is kept of an answer, and the candidates that it makes; without an answer, those that need none.
pub(super) async fn written(
    job: &Job,
    stood: Arc<Vec<Stood>>,
    fresh: Option<String>,
    kept: Option<String>,
) -> Result<(Option<String>, Vec<Candidate>), RunError> {
    let job = job.clone();
    let writing = tokio::task::spawn_blocking(move || {
        let sessions: &[Session] = &job.sessions;
        let reading = Reading::of(sessions);
        let answer = fresh.map(|answer| reading.sift(&answer, &stood)).or(kept);
        let candidates = reading.candidates(answer.as_deref(), &stood, &job.place.1, &job.verified);
        (answer, candidates)
    });
    Ok(writing.await?)
}

impl Step {
    /// Has sessions read, tests what was observed, has written what stood: the candidates join what was found. Without
    /// `stop` nobody is asked, and the tally says what would be. `answers` are those that are known for each job.
    pub(super) async fn author(
        &self,
        jobs: &[Job],
        answers: Vec<BTreeMap<String, String>>,
        found: &mut [Found],
        tally: &mut Tally,
        known: &wording::Known,
        stop: Option<impl Future<Output = ()> + Clone>,
    ) -> Result<(), RunError> {
        let Some(notes) = &self.notes else { return Ok(()) };
        let mut author = AuthorTally::default();
        let mut reading = Vec::with_capacity(jobs.len());
        for job in jobs {
            reading.push(to_read(notes, job).await?);
        }
        let packs = || reading.iter().flat_map(|one| &one.packs);
        author.unread = packs().map(|pack| pack.sessions() as u64).sum();
        let questions: Vec<Question> = packs().map(|pack| pack.question.clone()).collect();
        tally.questions.extend(questions.iter().cloned());
        let observed = self.ask_more(questions, tally, known, stop.clone()).await;
        let mut to_ask = Vec::new();
        let mut testing = Vec::with_capacity(jobs.len());
        for (((job, mut one), answers), found) in jobs.iter().zip(reading).zip(answers).zip(found.iter()) {
            for (reason, count) in one.take_up(&observed.answers, &observed.unanswerable) {
                *author.dropped.entry(reason).or_default() += count;
            }
            if stop.is_some() && !one.packs.is_empty() {
                notes.keep(job, &one.known);
            }
            let tested = to_write(notes, job, one.known, found.mined.clone()).await?;
            let kept = tested.question.as_ref().and_then(|question| answers.get(&question.key).cloned());
            tally.known += u64::from(kept.is_some());
            to_ask.extend(tested.question.clone().filter(|_| kept.is_none()));
            author.stood += tested.stood.len() as u64;
            testing.push((tested, kept));
        }
        tally.questions.extend(to_ask.iter().cloned());
        let mut answered = self.ask_more(to_ask, tally, known, stop).await;
        for key in std::mem::take(&mut answered.unanswerable) {
            answered.answers.entry(key).or_default();
        }
        for ((job, (tested, kept)), found) in jobs.iter().zip(testing).zip(found) {
            let key = tested.question.map(|question| question.key).unwrap_or_default();
            let fresh = answered.answers.get(&key).cloned();
            let (answer, candidates) = written(job, tested.stood, fresh, kept).await?;
            author.skills += candidates.len() as u64;
            found.mined.candidates.extend(candidates);
            if let Some(answer) = answer {
                self.remember(job, found, key, answer);
            }
        }
        tally.author = Some(author);
        Ok(())
    }

    /// Asks beyond what the run has asked so far, and adds what came of it to the tally.
    async fn ask_more(
        &self,
        questions: Vec<Question>,
        tally: &mut Tally,
        known: &wording::Known,
        stop: Option<impl Future<Output = ()>>,
    ) -> Asked {
        let Some(stop) = stop.filter(|_| !questions.is_empty()) else { return Asked::default() };
        let asked = self.ask(questions, known, tally.asked.spent, stop).await;
        tally.asked.spent.add(asked.spent);
        tally.asked.usage.0 += asked.usage.0;
        tally.asked.usage.1 += asked.usage.1;
        for (failure, count) in &asked.failures {
            *tally.asked.failures.entry(*failure).or_default() += count;
        }
        tally.asked.answers.extend(asked.answers.iter().map(|(key, answer)| (key.clone(), answer.clone())));
        asked
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::digests;

    fn job(sessions: Vec<Session>) -> Job {
        Job {
            place: ("acme".into(), "shop".into()),
            digests: Vec::new(),
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
        assert!(notes.known(&both).observed.is_empty(), "without digests nothing is kept");
        fs::write(folder.path().join("digests-0.log"), "").unwrap();
        notes.keep(&both, &known(&["a", "b"]));
        assert_eq!(notes.known(&both).observed.len(), 2);
        let other = Notes::new(Some(folder.path()), "another");
        assert!(other.known(&both).observed.is_empty(), "another model says something else");
        let one = notes.known(&job(vec![session("b")]));
        assert_eq!(
            one.observed.keys().collect::<Vec<_>>(),
            [&session_key("acme", "b")],
            "of sessions that are gone nothing is known"
        );
        let before = notes.known(&both);
        assert_eq!(digests::forget(folder.path()).unwrap(), 2);
        fs::write(folder.path().join("digests-0.log"), "").unwrap();
        notes.keep(&both, &before);
        assert!(notes.known(&both).observed.is_empty(), "what was erased is not kept behind its back");
    }
}
