//! The LLM step of a run: mine, word, ask for the answers that nobody has yet, word again with them.
//!
//! ```text
//! mine ─► word with the answers known to the targets ─► questions about skills that would be written ─► ask, on a leash
//!        ▲                                                                                    │
//!        └── published with the skills ◄── word again where an answer says anything ◄── sift ─┘
//! ```
//!
//! Nothing here can lose a skill: without an answer, a skill gets its offline text. A published skill that says everything
//! that was found needs no question, so a run that finds nothing new costs nothing. If no target can be read, no question
//! is asked, because the answers might be there already.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;

use crate::config::{ModelSettings, Sees, Uses};
use crate::event::{Timestamp, counted};
use crate::exporters::target::Target;
use crate::library::{Candidate, Census, Findings, Learned, Library};
use crate::skillify::llm::{
    Asked, Client, ClientError, Failure, Pair, Question, Refusal, Spent, Worded, no_answer, pairs, sift,
};
use crate::skillify::{self, Lessons, Mined, Offline};
use crate::table::Table;

use super::author::{Notes, Source};
use super::disclosure::dollars;
pub use super::job::Job;
use super::mine::{beside_each_other, findings, mine};
use super::mining::{RunError, WorkspaceKey};

/// A server that did not answer is left alone for so long …
const PAUSE: Duration = Duration::from_secs(5 * 60);
/// … and one that wants another key or another model for so long.
const PAUSE_FOR_A_PERSON: Duration = Duration::from_secs(15 * 60);

/// What a job came to.
#[derive(Debug)]
pub struct Found {
    /// The skills.
    pub mined: Mined,
    /// The model's answers, if a model is configured.
    pub learned: Option<Learned>,
}

impl Found {
    /// The skills as targets take them up.
    pub fn findings(self, job: &Job, census: &Census) -> Findings {
        let mut findings = findings(&self.mined, &job.digests);
        for (skill, date) in job.older.iter().flat_map(|older| older.showed.uses()) {
            let last = findings.uses.entry(skill.clone()).or_default();
            *last = date.clone().max(std::mem::take(last));
        }
        Findings { tenant: job.place.0.clone(), census: census.clone(), learned: self.learned, ..findings }
    }
}

/// What asking a model came to.
#[derive(Debug, Default)]
pub struct Tally {
    /// What was to be asked, before the budget.
    pub questions: Vec<Question>,
    /// How many answers were known before.
    pub known: u64,
    /// Answers, failures and what they cost.
    pub asked: Asked,
    /// Why lines of answers fell back to the offline text.
    pub refusals: BTreeMap<Refusal, u64>,
    /// What the author observed, tested and wrote; `None` where a model is shown no excerpts.
    pub author: Option<AuthorTally>,
}

/// What an author's run came to.
#[derive(Debug, Default)]
pub struct AuthorTally {
    /// Sessions that an excerpt was or would be shown of for the first time.
    pub unread: u64,
    /// Observations that do not stand by what they quote, by reason.
    pub dropped: BTreeMap<&'static str, u64>,
    /// Predicates that all sessions prove.
    pub stood: u64,
    /// What does not stand and why, a line each.
    pub fallen: Vec<String>,
    /// Skills that wait for a person.
    pub skills: u64,
}

/// What the targets know before a run.
#[derive(Debug, Clone, Default)]
pub struct Known {
    libraries: Vec<(Target, Library)>,
    today: String,
    spent: Spent,
    /// Where the sessions are.
    pub(super) source: Option<Source>,
}

/// A model, its questions, and the answers that a target may not have yet.
pub struct Step {
    client: Client,
    uses: Uses,
    /// What was observed in excerpts; `None` where the model is shown none.
    pub(super) notes: Option<Arc<Notes>>,
    /// Answers by place; those of the last run.
    memory: Mutex<BTreeMap<String, BTreeMap<String, String>>>,
    /// Nobody is asked before.
    paused: Mutex<Option<Instant>>,
}

/// What mining a workspace came to before anybody was asked.
struct Pass {
    lessons: Arc<Lessons>,
    mined: Mined,
    /// Keys of answers that its skills are worded with.
    used: BTreeSet<String>,
    missing: Vec<Question>,
    pairs: Vec<Pair>,
}

impl Known {
    /// Reads the targets, off the reactor. Beside each target stands what was spent and not published there.
    pub async fn read(targets: Vec<(Target, BTreeMap<String, Spent>)>) -> Result<Self, RunError> {
        let reading = tokio::task::spawn_blocking(move || {
            let mut known = Self { today: Timestamp::now().date(), ..Self::default() };
            for (target, unpublished) in targets {
                let mut spent = unpublished.get(&known.today).copied().unwrap_or_default();
                match target.load() {
                    Ok(library) => {
                        spent.add(library.spent_on(&known.today));
                        known.libraries.push((target, library));
                    }
                    // Publishing reports it.
                    Err(error) => tracing::debug!(%target, "its answers are not known: {error}"),
                }
                known.spent = known.spent.max_of(spent);
            }
            known
        });
        Ok(reading.await?)
    }

    /// The same with the table that a model is shown excerpts of.
    #[must_use]
    pub fn with_sessions(self, table: &Table, default_workspace: &str) -> Self {
        let default_workspace = default_workspace.to_owned();
        Self { source: Some(Source { table: table.clone(), default_workspace }), ..self }
    }

    /// The skills that people wrote where skills of a workspace go, by the names of their folders.
    pub(super) fn pages(&self, (tenant, workspace): &WorkspaceKey) -> BTreeMap<String, String> {
        let takes = |(target, library): &&(Target, Library)| {
            let route = &target.route;
            let is_ours = route.workspaces.is_empty() || route.workspaces.contains(workspace);
            is_ours && library.takes(&route.whose, tenant)
        };
        let pages = self.libraries.iter().filter(takes).rev();
        pages.flat_map(|(_, library)| library.hand_written_pages()).collect()
    }

    /// The first target's answer counts.
    fn answers(&self, place: &str) -> BTreeMap<String, String> {
        self.libraries.iter().rev().flat_map(|(_, library)| library.answers(place)).collect()
    }

    /// Whether publishing a candidate of the tenant would write something somewhere.
    fn would_write(&self, tenant: &str, candidate: &Candidate) -> bool {
        let mut takers = self.libraries.iter().filter(|(target, library)| {
            library.takes(&target.route.whose, tenant) && target.route.takes(candidate)
        });
        takers.any(|(_, library)| !library.has_settled(candidate))
    }
}

impl Step {
    /// The step that the settings describe; what is observed in sessions is kept beside the digests in `folder`.
    pub fn new(settings: &ModelSettings, folder: Option<&Path>) -> Result<Self, ClientError> {
        let client = Client::new(settings.endpoint.clone())?;
        let reads = settings.sees == Sees::Excerpts;
        let notes = reads.then(|| Arc::new(Notes::new(folder, &settings.endpoint.model)));
        Ok(Self { client, uses: settings.uses, notes, memory: Mutex::default(), paused: Mutex::default() })
    }

    /// Mines every job, asking until `stop` is ready; answers come in the order of the jobs.
    pub async fn run(
        &self,
        jobs: &[Job],
        mining: skillify::Config<'static>,
        known: Known,
        stop: impl Future<Output = ()>,
    ) -> Result<(Vec<Found>, Tally), RunError> {
        let known = Arc::new(known);
        let stop = stop.shared();
        let passes = self.passes(jobs, mining, &known).await?;
        let mut tally = tally(&passes);
        tally.asked = self.ask(tally.questions.clone(), &known, Spent::default(), stop.clone()).await;
        let fresh = sifted(&mut tally);
        let answers = jobs.iter().map(|job| self.answers(job, &known)).collect();
        let mut found = self.finish_all(jobs, passes, &known, &fresh);
        self.author(jobs, answers, &mut found, &mut tally, &known, Some(stop)).await?;
        if let Some(learned) = found.first_mut().and_then(|found| found.learned.as_mut())
            && tally.asked.spent != Spent::default()
        {
            learned.spent.insert(known.today.clone(), tally.asked.spent);
        }
        Ok((found, tally))
    }

    /// Mines every job and asks nobody; the tally holds what would be asked.
    pub async fn rehearse(
        &self,
        jobs: &[Job],
        mining: skillify::Config<'static>,
        known: Known,
    ) -> Result<(Vec<Found>, Tally), RunError> {
        let known = Arc::new(known);
        let passes = self.passes(jobs, mining, &known).await?;
        let mut tally = tally(&passes);
        let answers = jobs.iter().map(|job| self.answers(job, &known)).collect();
        let mut found = self.finish_all(jobs, passes, &known, &BTreeMap::new());
        let nobody: Option<futures_util::future::Pending<()>> = None;
        self.author(jobs, answers, &mut found, &mut tally, &known, nobody).await?;
        Ok((found, tally))
    }

    async fn passes(
        &self,
        jobs: &[Job],
        mining: skillify::Config<'static>,
        known: &Arc<Known>,
    ) -> Result<Vec<Pass>, RunError> {
        let passes = jobs.iter().map(|job| self.pass(job, mining, known, self.answers(job, known)).boxed());
        beside_each_other(passes.collect()).await
    }

    async fn pass(
        &self,
        job: &Job,
        mining: skillify::Config<'static>,
        known: &Arc<Known>,
        answers: BTreeMap<String, String>,
    ) -> Result<Pass, RunError> {
        Ok(self.word(job, mine(job, mining, None).await?, known, &answers))
    }

    /// Words what was mined with the answers that are known, and says which are missing.
    fn word(
        &self,
        job: &Job,
        lessons: Arc<Lessons>,
        known: &Known,
        answers: &BTreeMap<String, String>,
    ) -> Pass {
        let tenant = &job.place.0;
        let (model, uses) = (&self.client.endpoint().model, self.uses);
        let worded = Worded::new(model, answers);
        let mined = if uses.wording { lessons.worded(&worded) } else { lessons.worded(&Offline) };
        let pairs = if uses.same_skill { pairs(model, &mined.candidates) } else { Vec::new() };
        let would_write = |candidate: &&Candidate| known.would_write(tenant, candidate);
        let mut missing = worded.missing(mined.candidates.iter().filter(would_write));
        let (judged, unjudged): (Vec<_>, Vec<_>) =
            pairs.iter().partition(|pair| answers.contains_key(&pair.question.key));
        missing.extend(unjudged.into_iter().map(|pair| pair.question.clone()));
        let mut used = worded.used();
        used.extend(judged.into_iter().map(|pair| pair.question.key.clone()));
        Pass { lessons, used, missing, pairs, mined }
    }

    /// [`Step::finish`] for every job, in their order.
    fn finish_all(
        &self,
        jobs: &[Job],
        passes: Vec<Pass>,
        known: &Known,
        fresh: &BTreeMap<String, String>,
    ) -> Vec<Found> {
        jobs.iter().zip(passes).map(|(job, pass)| self.finish(job, pass, known, fresh)).collect()
    }

    /// Words a job again where an answer changes its text.
    fn finish(&self, job: &Job, mut pass: Pass, known: &Known, fresh: &BTreeMap<String, String>) -> Found {
        let mut answers = self.answers(job, known);
        let new: Vec<&Question> =
            pass.missing.iter().filter(|question| fresh.contains_key(&question.key)).collect();
        let says_something =
            new.iter().any(|question| fresh.get(&question.key) != Some(&no_answer(question)));
        let mut used: BTreeSet<String> = new.iter().map(|question| question.key.clone()).collect();
        used.append(&mut pass.used);
        answers.extend(fresh.iter().map(|(key, answer)| (key.clone(), answer.clone())));
        if says_something {
            pass = self.word(job, pass.lessons, known, &answers);
            used.append(&mut pass.used);
        }
        answers.retain(|key, _| used.contains(key));
        let says_so = |pair: &&Pair| answers.get(&pair.question.key).is_some_and(|text| Pair::is_same(text));
        let same = pass.pairs.iter().filter(says_so).map(|pair| pair.claims.clone()).collect();
        let place = Learned::place(&job.place.0, &job.place.1);
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.insert(place.clone(), answers.clone());
        drop(memory);
        let learned = Learned { place, answers, spent: BTreeMap::new(), same };
        Found { mined: pass.mined, learned: Some(learned) }
    }

    /// Keeps an answer with those that the job's skills are worded with.
    pub(super) fn remember(&self, job: &Job, found: &mut Found, key: String, answer: String) {
        let place = Learned::place(&job.place.0, &job.place.1);
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.entry(place).or_default().insert(key.clone(), answer.clone());
        drop(memory);
        if let Some(learned) = &mut found.learned {
            learned.answers.insert(key, answer);
        }
    }

    /// The known answers for a job's skills; a target's own come before those from memory.
    fn answers(&self, job: &Job, known: &Known) -> BTreeMap<String, String> {
        let place = Learned::place(&job.place.0, &job.place.1);
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let mut answers = memory.get(&place).cloned().unwrap_or_default();
        drop(memory);
        answers.extend(known.answers(&place));
        answers
    }

    /// Asks, `before` being what this run has spent so far.
    pub(super) async fn ask(
        &self,
        questions: Vec<Question>,
        known: &Known,
        before: Spent,
        stop: impl Future<Output = ()>,
    ) -> Asked {
        let mut paused = *self.paused.lock().unwrap_or_else(PoisonError::into_inner);
        paused = paused.filter(|until| Instant::now() < *until);
        if questions.is_empty() || known.libraries.is_empty() || paused.is_some() {
            let failures = if paused.is_some() && !questions.is_empty() {
                BTreeMap::from([(Failure::Breaker, u64::try_from(questions.len()).unwrap_or(u64::MAX))])
            } else {
                BTreeMap::new()
            };
            return Asked { failures, ..Asked::default() };
        }
        let asked = self.client.ask_beyond(questions, before, known.spent, stop).await;
        *self.paused.lock().unwrap_or_else(PoisonError::into_inner) = pause(&asked);
        asked
    }
}

/// Until when nobody is asked after this.
fn pause(asked: &Asked) -> Option<Instant> {
    let has = |failure| asked.failures.contains_key(&failure);
    let length = if has(Failure::Credentials) || has(Failure::NotFound) {
        PAUSE_FOR_A_PERSON
    } else if has(Failure::Breaker) {
        PAUSE
    } else {
        return None;
    };
    Instant::now().checked_add(length)
}

/// Every question once: workspaces may have the same skill.
fn tally(passes: &[Pass]) -> Tally {
    let mut seen = BTreeSet::new();
    let missing = passes.iter().flat_map(|pass| &pass.missing);
    let questions = missing.filter(|question| seen.insert(question.key.as_str())).cloned().collect();
    let known = passes.iter().map(|pass| pass.used.len()).sum::<usize>();
    Tally { questions, known: u64::try_from(known).unwrap_or(u64::MAX), ..Tally::default() }
}

/// What of the answers may be kept, by key; the tally gets why the rest may not.
fn sifted(tally: &mut Tally) -> BTreeMap<String, String> {
    let mut fresh = BTreeMap::new();
    for question in &tally.questions {
        if let Some(text) = tally.asked.answers.get(&question.key) {
            let sifted = sift(text, question);
            for refusal in sifted.refusals {
                *tally.refusals.entry(refusal).or_default() += 1;
            }
            fresh.insert(question.key.clone(), sifted.answer);
        } else if tally.asked.unanswerable.contains(&question.key) {
            fresh.insert(question.key.clone(), no_answer(question));
        }
    }
    fresh
}

impl fmt::Display for Tally {
    /// `3 questions, 2 answered, 1 without an answer (rate_limited), 5 answers known; …`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Asked { answers, failures, spent, .. } = &self.asked;
        write!(f, "{} questions, {} answered", self.questions.len(), answers.len())?;
        for (failure, count) in failures {
            write!(f, ", {count} without an answer ({})", failure.as_str())?;
        }
        write!(f, "; {} answers known before", self.known)?;
        for (refusal, count) in &self.refusals {
            write!(f, "; {count} lines worded offline ({})", refusal.as_str())?;
        }
        if let Some(author) = &self.author {
            write!(f, "; {author}")?;
        }
        write!(f, "; {} requests, {} tokens, {}", spent.calls, spent.tokens, dollars(spent.micros))
    }
}

impl AuthorTally {
    /// Adds what reading other workspaces came to.
    pub(super) fn add(&mut self, other: Self) {
        self.unread += other.unread;
        self.stood += other.stood;
        self.skills += other.skills;
        self.fallen.extend(other.fallen);
        for (reason, count) in other.dropped {
            *self.dropped.entry(reason).or_default() += count;
        }
    }
}

impl fmt::Display for AuthorTally {
    /// `12 sessions read, 3 observations dropped (no quote); 9 lessons in 3 skills for a person to decide`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} read", counted(self.unread, "session", "sessions"))?;
        for (reason, count) in &self.dropped {
            write!(f, ", {} dropped ({reason})", counted(*count, "observation", "observations"))?;
        }
        let lessons = counted(self.stood, "lesson", "lessons");
        let skills = counted(self.skills, "skill", "skills");
        write!(f, "; {lessons} in {skills} for a person to decide")
    }
}
