//! Vectors for the words of prompts: looked up in a file, or asked of a server, before a run is mined.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | [`Embeddings`]: what is looked up where |
//! | `cache.rs` | the file that keeps a server's answers |
//!
//! A file that cannot be used ends the run: what mining finds must not depend on when it was read. A
//! server that does not answer ends nothing: words without a vector are compared as words, now as in
//! a run without vectors. What it did answer is kept, so the same cache gives the same skills.

mod cache;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::future::Future;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::config::{EmbeddingSettings, SkillsPipeline};
use crate::skillify::llm::{ClientError, Embedder, EmbeddingEndpoint, Failure};
use crate::skillify::{Digest, Vectors, VectorsError};

use super::job::Job;
use cache::Cache;
pub(super) use cache::PREFIX;

/// Words that one run asks for at most; the others wait for the next.
const MOST_ASKED: usize = 20_000;
/// A server that did not answer is left alone for so long.
const PAUSE: Duration = Duration::from_secs(5 * 60);

/// Word vectors cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddingsError {
    /// The file is not there, or is none of word vectors.
    #[error("{}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why, with the line.
        source: VectorsError,
    },
    /// There is no HTTP client.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// Where vectors are had, and those that were.
pub struct Embeddings {
    source: Source,
    known: Vectors,
    /// Words that have none.
    unknown: BTreeSet<String>,
}

enum Source {
    File { path: PathBuf, version: Option<Version> },
    Server { embedder: Embedder, cache: Cache, paused: Option<Instant> },
}

/// Another one stands for another content.
type Version = (u64, Option<SystemTime>);

/// What looking words up came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Looked {
    /// Different words of the prompts.
    pub words: usize,
    /// How many of them have a vector.
    pub with_vector: usize,
    /// Words that a server was not asked for yet, or did not answer.
    pub unanswered: usize,
    /// Requests to a server.
    pub requests: u64,
    /// Batches of words without an answer, by reason.
    pub failures: BTreeMap<Failure, u64>,
}

impl Embeddings {
    /// What the settings of a pipeline describe; `None`: it does without. A file is opened, not read.
    pub fn of(pipeline: &SkillsPipeline) -> Result<Option<Self>, EmbeddingsError> {
        let source = match &pipeline.embeddings {
            None => return Ok(None),
            Some(EmbeddingSettings::File(path)) => {
                version_of(path).map_err(|error| unusable(path, error.into()))?;
                Source::File { path: path.clone(), version: None }
            }
            Some(EmbeddingSettings::Server { endpoint, .. }) => Source::Server {
                cache: Cache::open(pipeline.digests.as_deref(), endpoint),
                embedder: Embedder::new(endpoint.clone())?,
                paused: None,
            },
        };
        Ok(Some(Self { source, known: Vectors::default(), unknown: BTreeSet::new() }))
    }

    /// Gives every job the vectors of the words of its prompts; a server is asked until `stop` is ready.
    pub async fn look_up(
        &mut self,
        jobs: &mut [Job],
        stop: impl Future<Output = ()>,
    ) -> Result<Looked, EmbeddingsError> {
        self.looked_up(jobs, Some(stop)).await
    }

    /// The same without asking anybody.
    pub async fn rehearse(&mut self, jobs: &mut [Job]) -> Result<Looked, EmbeddingsError> {
        self.looked_up(jobs, None::<std::future::Pending<()>>).await
    }

    async fn looked_up(
        &mut self,
        jobs: &mut [Job],
        ask_until: Option<impl Future<Output = ()>>,
    ) -> Result<Looked, EmbeddingsError> {
        let digests = jobs.iter().flat_map(|job| &job.digests);
        let words: BTreeSet<String> =
            digests.flat_map(|digest| Digest::words(digest)).map(str::to_owned).collect();
        let mut looked = Looked { words: words.len(), ..Looked::default() };
        match &self.source {
            Source::File { path, .. } => {
                let path = path.clone();
                self.read(&path, &words).await?;
            }
            Source::Server { .. } => self.ask(&words, ask_until, &mut looked).await,
        }
        let mut vectors = Vectors::default();
        for (word, vector) in words.iter().filter_map(|word| Some((word, self.known.get(word)?))) {
            // All that is known has one dimension.
            let _ = vectors.insert(word, vector.to_vec());
        }
        looked.with_vector = vectors.len();
        let vectors = Arc::new(vectors);
        jobs.iter_mut().for_each(|job| job.vectors = Some(Arc::clone(&vectors)));
        Ok(looked)
    }

    fn missing(&self, words: &BTreeSet<String>) -> Vec<String> {
        let is_missing = |word: &&String| self.known.get(word).is_none() && !self.unknown.contains(*word);
        words.iter().filter(is_missing).cloned().collect()
    }

    fn learn(&mut self, vectors: &Vectors) {
        for (word, vector) in vectors.iter() {
            // All of one file, or one model, have one dimension.
            let _ = self.known.insert(word, vector.to_vec());
        }
    }

    /// Reads the file, if it has changed or there are words that it was not searched for.
    async fn read(&mut self, path: &Path, words: &BTreeSet<String>) -> Result<(), EmbeddingsError> {
        let now = version_of(path).map_err(|error| unusable(path, error.into()))?;
        if let Source::File { version, .. } = &mut self.source
            && version.replace(now) != Some(now)
        {
            (self.known, self.unknown) = (Vectors::default(), BTreeSet::new());
        }
        let missing = self.missing(words);
        if missing.is_empty() {
            return Ok(());
        }
        let file = path.to_owned();
        let wanted = missing.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let wanted = wanted.iter().map(String::as_str).collect();
            Vectors::read_text(BufReader::with_capacity(1 << 20, File::open(&file)?), &wanted)
        });
        let read = reading.await.map_err(|error| VectorsError::Read(io::Error::other(error)));
        let read = read.and_then(|read| read).map_err(|error| unusable(path, error))?;
        self.learn(&read);
        self.unknown.extend(missing.into_iter().filter(|word| read.get(word).is_none()));
        Ok(())
    }

    /// Takes what the cache has, and asks the server for the rest.
    async fn ask(
        &mut self,
        words: &BTreeSet<String>,
        until: Option<impl Future<Output = ()>>,
        looked: &mut Looked,
    ) {
        let missing = self.missing(words);
        let Source::Server { embedder, cache, paused } = &mut self.source else { return };
        let mut unanswered = Vec::new();
        for word in missing {
            match cache.get(&word) {
                Some([]) => drop(self.unknown.insert(word)),
                Some(vector) if self.known.insert(&word, vector.to_vec()).is_ok() => {}
                _ => unanswered.push(word),
            }
        }
        looked.unanswered = unanswered.len();
        unanswered.truncate(MOST_ASKED);
        let waits = paused.is_some_and(|until| Instant::now() < until);
        let Some(until) = until.filter(|_| !unanswered.is_empty() && !waits) else { return };
        let embedded = embedder.embed(&unanswered, &self.known, until).await;
        tell(embedder.endpoint(), &embedded.failures, paused.is_some());
        *paused = (!embedded.failures.is_empty()).then(|| Instant::now() + PAUSE);
        looked.unanswered -= embedded.vectors.len() + embedded.unknown.len();
        (looked.requests, looked.failures) = (embedded.requests, embedded.failures);
        cache.add(&embedded.vectors, &embedded.unknown, words);
        self.learn(&embedded.vectors);
        self.unknown.extend(embedded.unknown);
    }
}

/// Says once that a server does not answer, and once that it does again.
fn tell(endpoint: &EmbeddingEndpoint, failures: &BTreeMap<Failure, u64>, failed_before: bool) {
    match (failures.keys().next(), failed_before) {
        (Some(failure), false) => tracing::warn!(
            url = endpoint.url,
            reason = failure.as_str(),
            "no vectors of new words; mining goes on without them"
        ),
        (None, true) => tracing::info!(url = endpoint.url, "vectors of words are answered again"),
        _ => {}
    }
}

fn version_of(path: &Path) -> io::Result<Version> {
    let metadata = File::open(path)?.metadata()?;
    if metadata.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
    }
    Ok((metadata.len(), metadata.modified().ok()))
}

fn unusable(path: &Path, source: VectorsError) -> EmbeddingsError {
    EmbeddingsError::File { path: path.to_owned(), source }
}

/// Which data goes to a server, for people who decide whether it may.
pub fn what_is_sent(settings: &EmbeddingSettings) -> Option<String> {
    let EmbeddingSettings::Server { endpoint, is_here } = settings else { return None };
    let place = if *is_here { " on this machine" } else { "" };
    Some(format!(
        "Single words of prompts, each once, in alphabetical order, are sent to {} at {}{place} for their vectors: \
         words of letters alone, after redaction. No prompt is, nor which words stood together.",
        endpoint.model, endpoint.url,
    ))
}

impl fmt::Display for Looked {
    /// `312 words of prompts, 300 with a vector; 4 requests, 8 words without an answer (network)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { words, with_vector, unanswered, requests, failures } = self;
        write!(f, "{words} words of prompts, {with_vector} with a vector; {requests} requests")?;
        if *unanswered > 0 {
            write!(f, ", {unanswered} words not answered yet")?;
        }
        for failure in failures.keys() {
            write!(f, " ({})", failure.as_str())?;
        }
        Ok(())
    }
}
