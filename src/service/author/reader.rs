//! One workspace being read: its sessions are put together once, off the reactor, and wait there while a model is asked.
//!
//! ```text
//! Reader::start ─► unread packs ─► (a model) ─► observed ─► what stood, and a question ─► (a model) ─► written
//! ```
//!
//! A reader whose caller goes away ends by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::skillify::author::{Judged, Pack, Reading};
use crate::skillify::llm::Question;
use crate::skillify::{Candidate, Mined};
use crate::table::Session;

use super::super::mining::RunError;
use super::super::wording::Job;
use super::notes::{Known, Notes};

/// What a workspace is read with.
pub(super) struct ToRead {
    pub(super) notes: Arc<Notes>,
    pub(super) job: Job,
    pub(super) sessions: Arc<Vec<Session>>,
    /// What mining found.
    pub(super) mined: Mined,
    /// The skills that people wrote, by the names of their folders.
    pub(super) pages: BTreeMap<String, String>,
    /// Whether what is observed is kept.
    pub(super) keeps: bool,
}

/// The excerpts that nobody has read.
pub(super) struct Unread {
    pub(super) questions: Vec<Question>,
    pub(super) sessions: u64,
}

/// The model's observations, by the keys of the questions; a question that the model refused has an empty list.
pub(super) struct Observed {
    pub(super) answers: BTreeMap<String, String>,
    pub(super) unanswerable: BTreeSet<String>,
}

/// What stood.
pub(super) struct Tested {
    /// How many lessons.
    pub(super) stood: u64,
    /// What does not stand and why, a line each.
    pub(super) fallen: Vec<String>,
    /// What is asked to have them written.
    pub(super) question: Option<Question>,
    /// Why observations were dropped, and how many.
    pub(super) dropped: BTreeMap<&'static str, u64>,
}

/// What a writer said.
pub(super) enum Words {
    /// An answer as it came.
    Fresh(String),
    /// What was kept of an earlier one.
    Kept(String),
    None,
}

/// What is kept of an answer, and the candidates that it makes; without an answer, those that need none.
pub(super) struct Written {
    pub(super) answer: Option<String>,
    pub(super) candidates: Vec<Candidate>,
}

/// A workspace under way.
pub(super) struct Reader {
    unread: Option<oneshot::Receiver<Unread>>,
    observed: Option<oneshot::Sender<Observed>>,
    tested: Option<oneshot::Receiver<Tested>>,
    words: Option<oneshot::Sender<Words>>,
    written: JoinHandle<Option<Written>>,
}

/// The other ends.
struct Ends {
    unread: oneshot::Sender<Unread>,
    observed: oneshot::Receiver<Observed>,
    tested: oneshot::Sender<Tested>,
    words: oneshot::Receiver<Words>,
}

impl Reader {
    pub(super) fn start(to_read: ToRead) -> Self {
        let (unread, on_unread) = oneshot::channel();
        let (on_observed, observed) = oneshot::channel();
        let (tested, on_tested) = oneshot::channel();
        let (on_words, words) = oneshot::channel();
        let ends = Ends { unread, observed, tested, words };
        Self {
            unread: Some(on_unread),
            observed: Some(on_observed),
            tested: Some(on_tested),
            words: Some(on_words),
            written: tokio::task::spawn_blocking(move || read(&to_read, ends)),
        }
    }

    /// What nobody has read yet.
    pub(super) async fn unread(&mut self) -> Result<Unread, RunError> {
        match self.unread.take() {
            Some(unread) => match unread.await {
                Ok(unread) => Ok(unread),
                Err(_) => Err(self.ended().await),
            },
            None => Err(RunError::Ended),
        }
    }

    /// Takes up what a model said, and tests it on all sessions.
    pub(super) async fn test(&mut self, observed: Observed) -> Result<Tested, RunError> {
        // Who does not take it up has ended, and the next line says why.
        let _ = self.observed.take().map(|end| end.send(observed));
        match self.tested.take() {
            Some(tested) => match tested.await {
                Ok(tested) => Ok(tested),
                Err(_) => Err(self.ended().await),
            },
            None => Err(RunError::Ended),
        }
    }

    /// Makes candidates of what stood.
    pub(super) async fn write(mut self, words: Words) -> Result<Written, RunError> {
        let _ = self.words.take().map(|end| end.send(words));
        self.written.await?.ok_or(RunError::Ended)
    }

    async fn ended(&mut self) -> RunError {
        match (&mut self.written).await {
            Err(error) => error.into(),
            Ok(_) => RunError::Ended,
        }
    }
}

/// Reads a workspace; `None` where the caller has gone.
fn read(to_read: &ToRead, ends: Ends) -> Option<Written> {
    let ToRead { notes, job, sessions, mined, pages, keeps } = to_read;
    let reading = Reading::of(sessions);
    let mut known = notes.known(job, sessions);
    let packs = reading.questions(&notes.model, |excerpt| known.has(excerpt));
    let unread = Unread {
        questions: packs.iter().map(|pack| pack.question.clone()).collect(),
        sessions: packs.iter().map(|pack| pack.sessions() as u64).sum(),
    };
    ends.unread.send(unread).ok()?;
    let observed = ends.observed.blocking_recv().ok()?;
    let dropped = take_up(&packs, &observed, &mut known);
    if *keeps && !packs.is_empty() {
        notes.keep(job, &known);
    }
    let Judged { stood, fallen } = reading.judged(&known.of(reading.excerpts()), mined);
    let fallen = fallen.iter().map(|(when, why, (with, against))| {
        format!("{when}: {with} for, {against} against; not said: {why}")
    });
    let fallen = fallen.collect();
    let question = reading.to_write(&notes.model, &stood, pages);
    ends.tested.send(Tested { stood: stood.len() as u64, fallen, question, dropped }).ok()?;
    let answer = match ends.words.blocking_recv().ok()? {
        Words::Fresh(answer) => Some(reading.sift(&answer, &stood, pages)),
        Words::Kept(answer) => Some(answer),
        Words::None => None,
    };
    let candidates = reading.candidates(answer.as_deref(), &stood, &job.place.1, &job.verified);
    Some(Written { answer, candidates })
}

/// Takes up the answers, by the keys of their questions; says why observations were dropped. What the model will not
/// answer is known to hold nothing.
fn take_up(packs: &[Pack], observed: &Observed, known: &mut Known) -> BTreeMap<&'static str, u64> {
    let mut dropped: BTreeMap<&'static str, u64> = BTreeMap::new();
    for pack in packs {
        let key = &pack.question.key;
        let answered = match observed.answers.get(key) {
            Some(answer) => pack.read(answer),
            None if observed.unanswerable.contains(key) => pack.unanswered(),
            None => continue,
        };
        for (reason, count) in &answered.dropped {
            *dropped.entry(reason).or_default() += count;
        }
        known.add(answered);
    }
    dropped
}
