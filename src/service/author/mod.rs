//! The author's step of a run: observe, test, write.
//!
//! ```text
//! sessions ─► excerpts that nobody has read ─► ask ─► kept by session ─► what stands on all of them ─► ask ─► candidates
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | the step: which workspaces are read together, what is asked |
//! | `sessions.rs` | their sessions, read where they are needed |
//! | `reader.rs` | one workspace being read |
//! | `notes.rs` | what models observed, kept by session |
//!
//! What a model observed in a session is kept beside the digests ([`Notes`]) and erased with them; the same sessions ask
//! nobody again. Finished lines are kept as other answers are, in the library's state. What has no answer, for whatever
//! reason, costs no skill of mining: those are there before this step begins. What a budget leaves over is read by the
//! next run. A workspace's sessions are put together once a run, and let go with it.

mod notes;
mod reader;
mod sessions;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use crate::skillify::llm::{Asked, Question};

pub(in crate::service) use notes::{Notes, PREFIX};
pub(in crate::service) use sessions::Source;

use super::mining::RunError;
use super::wording::{AuthorTally, Found, Job, Known, Step, Tally};
use reader::{Observed, Reader, ToRead, Words};

impl Step {
    /// Has a model read sessions, tests its observations, and has it write those that stood: the candidates join the
    /// findings. Without `stop` no request is sent, and the tally says what a run would send. `answers` are the known
    /// ones for each job.
    pub(super) async fn author(
        &self,
        jobs: &[Job],
        answers: Vec<BTreeMap<String, String>>,
        found: &mut [Found],
        tally: &mut Tally,
        known: &Known,
        stop: Option<impl Future<Output = ()> + Clone>,
    ) -> Result<(), RunError> {
        if self.notes.is_none() {
            return Ok(());
        }
        tally.author = Some(AuthorTally::default());
        for part in sessions::parts(jobs) {
            let (Some(jobs), Some(answers), Some(found)) =
                (jobs.get(part.clone()), answers.get(part.clone()), found.get_mut(part))
            else {
                continue;
            };
            self.author_part(jobs, answers, found, tally, known, stop.clone()).await?;
        }
        Ok(())
    }

    async fn author_part(
        &self,
        jobs: &[Job],
        answers: &[BTreeMap<String, String>],
        found: &mut [Found],
        tally: &mut Tally,
        known: &Known,
        stop: Option<impl Future<Output = ()> + Clone>,
    ) -> Result<(), RunError> {
        let mut author = AuthorTally::default();
        let mut readers = Vec::with_capacity(jobs.len());
        let mut questions = Vec::new();
        for to_read in self.to_read(jobs, found, known, stop.is_some()).await? {
            // One after the other: reading is work of the background.
            let mut reader = Reader::start(to_read);
            let unread = reader.unread().await?;
            author.unread += unread.sessions;
            let keys: Vec<String> = unread.questions.iter().map(|question| question.key.clone()).collect();
            questions.extend(unread.questions);
            readers.push((reader, keys));
        }
        tally.questions.extend(questions.iter().cloned());
        let observed = self.ask_more(questions, tally, known, stop.clone()).await;
        let mut testing = Vec::with_capacity(jobs.len());
        let mut to_ask = Vec::new();
        for ((mut reader, keys), answers) in readers.into_iter().zip(answers) {
            let tested = reader.test(of_keys(&observed, &keys)).await?;
            author.stood += tested.stood;
            author.fallen.extend(tested.fallen);
            for (reason, count) in tested.dropped {
                *author.dropped.entry(reason).or_default() += count;
            }
            let kept = tested.question.as_ref().and_then(|question| answers.get(&question.key).cloned());
            tally.known += u64::from(kept.is_some());
            let key = tested.question.as_ref().map(|question| question.key.clone()).unwrap_or_default();
            to_ask.extend(tested.question.filter(|_| kept.is_none()));
            testing.push((reader, key, kept));
        }
        tally.questions.extend(to_ask.iter().cloned());
        let answered = self.ask_more(to_ask, tally, known, stop).await;
        for ((job, (reader, key, kept)), found) in jobs.iter().zip(testing).zip(found) {
            let is_unanswerable = answered.unanswerable.contains(&key);
            let fresh = answered.answers.get(&key).cloned();
            let fresh = fresh.or_else(|| is_unanswerable.then(String::new));
            let words = fresh.map(Words::Fresh).or(kept.map(Words::Kept)).unwrap_or(Words::None);
            let written = reader.write(words).await?;
            author.skills += written.candidates.len() as u64;
            found.mined.candidates.extend(written.candidates);
            if let Some(answer) = written.answer {
                self.remember(job, found, key, answer);
            }
        }
        tally.author.get_or_insert_default().add(author);
        Ok(())
    }

    /// What each workspace is read with.
    async fn to_read(
        &self,
        jobs: &[Job],
        found: &[Found],
        known: &Known,
        keeps: bool,
    ) -> Result<Vec<ToRead>, RunError> {
        let Some(notes) = &self.notes else { return Ok(Vec::new()) };
        let sessions = sessions::of_jobs(jobs, known.source.as_ref()).await?;
        let to_read = |((job, sessions), found): ((&Job, _), &Found)| ToRead {
            notes: Arc::clone(notes),
            job: job.clone(),
            sessions,
            mined: found.mined.clone(),
            pages: known.pages(&job.place),
            keeps,
        };
        Ok(jobs.iter().zip(sessions).zip(found).map(to_read).collect())
    }

    /// Sends further requests of the run, and adds their results to the tally.
    async fn ask_more(
        &self,
        questions: Vec<Question>,
        tally: &mut Tally,
        known: &Known,
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

/// What was answered to these questions.
fn of_keys(asked: &Asked, keys: &[String]) -> Observed {
    let of_key = |key: &String| Some((key.clone(), asked.answers.get(key)?.clone()));
    Observed {
        answers: keys.iter().filter_map(of_key).collect(),
        unanswerable: keys.iter().filter(|key| asked.unanswerable.contains(*key)).cloned().collect(),
    }
}
