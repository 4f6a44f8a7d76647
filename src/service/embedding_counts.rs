//! Counts of word vectors that were asked for since the start: metrics, and the problem that a person can solve.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use crate::skillify::llm::Failure;

use super::embeddings::Looked;
use super::metric_writer::Writer;
use super::report::Report;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct EmbeddingCounts(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    requests: u64,
    failures: BTreeMap<Failure, u64>,
    /// Why the last words of a pipeline had no answer.
    troubles: BTreeMap<String, Failure>,
}

impl EmbeddingCounts {
    /// Counts one run of a pipeline.
    pub(super) fn add(&self, pipeline: &str, looked: &Looked) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.requests = counts.requests.saturating_add(looked.requests);
        for (failure, count) in &looked.failures {
            *counts.failures.entry(*failure).or_default() += count;
        }
        match looked.failures.keys().next() {
            Some(failure) => drop(counts.troubles.insert(pipeline.to_owned(), *failure)),
            None if looked.unanswered == 0 => drop(counts.troubles.remove(pipeline)),
            None => {}
        }
    }

    /// Adds what keeps words from having vectors.
    pub(super) fn report(&self, report: &mut Report) {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (pipeline, failure) in &counts.troubles {
            let (what, todo) = problem(*failure);
            report.problem(format!("{what}; {pipeline} compares new words as words meanwhile"), todo);
        }
    }

    pub(super) fn write(&self, write: &mut Writer<'_, '_>) -> fmt::Result {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        write.counter(
            "skillspan_embedding_requests",
            "Requests for vectors of words, retries included",
            counts.requests,
        )?;
        write.counters(
            "skillspan_embedding_failures",
            "Batches of words that a server had no vectors for, by reason",
            counts.failures.iter().map(|(failure, count)| ([("reason", failure.as_str())], *count)),
        )
    }
}

/// What a person can do about words without an answer.
const fn problem(failure: Failure) -> (&'static str, &'static str) {
    match failure {
        Failure::Credentials => (
            "the server of word vectors refuses the key",
            "put a good one into connectors.skillify.embeddings and start again",
        ),
        Failure::NotFound => (
            "the server of word vectors knows no such model",
            "see endpoint and model in connectors.skillify.embeddings",
        ),
        Failure::Network | Failure::Server | Failure::RateLimited => (
            "the server of word vectors does not answer",
            "nothing, if it comes back; else see endpoint and timeout in connectors.skillify.embeddings",
        ),
        _ => (
            "the server of word vectors answers what cannot be used",
            "see whether it speaks POST /embeddings; if the model behind the name has changed, delete \
             embeddings-* in the folder of connectors.skillify.digests",
        ),
    }
}
