//! Counts of questions to models since the start: metrics, and the problem that a person can solve.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use crate::skillify::llm::{Failure, Refusal, Spent};

use super::metric_writer::Writer;
use super::report::Report;
use super::wording::Tally;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct ModelCounts(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    spent: Spent,
    read: u64,
    written: u64,
    answered: u64,
    known: u64,
    unanswered: BTreeMap<Failure, u64>,
    refused: BTreeMap<Refusal, u64>,
    /// Why the last questions of a pipeline had no answer.
    troubles: BTreeMap<String, Failure>,
}

impl ModelCounts {
    /// Counts one run of a pipeline.
    pub(super) fn add(&self, pipeline: &str, tally: &Tally) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = &tally.asked;
        counts.spent.add(asked.spent);
        counts.read = counts.read.saturating_add(asked.usage.0);
        counts.written = counts.written.saturating_add(asked.usage.1);
        counts.answered = counts.answered.saturating_add(asked.answers.len() as u64);
        counts.known = counts.known.saturating_add(tally.known);
        for (failure, count) in &asked.failures {
            *counts.unanswered.entry(*failure).or_default() += count;
        }
        for (refusal, count) in &tally.refusals {
            *counts.refused.entry(*refusal).or_default() += count;
        }
        match asked.failures.keys().find(|failure| **failure != Failure::Breaker) {
            Some(failure) => drop(counts.troubles.insert(pipeline.to_owned(), *failure)),
            None if !asked.answers.is_empty() => drop(counts.troubles.remove(pipeline)),
            None => {}
        }
    }

    /// Adds what keeps skills from being worded by the model.
    pub(super) fn report(&self, report: &mut Report) {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (pipeline, failure) in &counts.troubles {
            let Some((what, todo)) = problem(*failure) else { continue };
            report.problem(format!("{what}; {pipeline} words skills offline meanwhile"), todo);
        }
    }

    pub(super) fn write(&self, write: &mut Writer<'_, '_>) -> fmt::Result {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        write.counter(
            "skillspan_model_requests",
            "Requests to models, retries included",
            counts.spent.calls,
        )?;
        let tokens = [([("direction", "input")], counts.read), ([("direction", "output")], counts.written)];
        write.counters("skillspan_model_tokens", "Tokens that models read and wrote", tokens.into_iter())?;
        write.seconds(
            "skillspan_model_cost_dollars",
            "What models may have cost, by the configured price",
            dollars(counts.spent.micros),
        )?;
        let answers = [([("source", "model")], counts.answered), ([("source", "library")], counts.known)];
        write.counters(
            "skillspan_model_answers",
            "Answers that skills were worded with, asked for or remembered",
            answers.into_iter(),
        )?;
        let skills = counts.unanswered.iter().map(|(failure, count)| ("skill", failure.as_str(), *count));
        let lines = counts.refused.iter().map(|(refusal, count)| ("line", refusal.as_str(), *count));
        write.counters(
            "skillspan_model_fallbacks",
            "Skills and lines worded offline although a model was asked or was to be asked",
            skills.chain(lines).map(|(what, reason, count)| ([("what", what), ("reason", reason)], count)),
        )
    }
}

#[expect(clippy::cast_precision_loss, reason = "nobody spends 2^53 micro-dollars")]
fn dollars(micros: u64) -> f64 {
    micros as f64 / 1e6
}

/// What a person can do about questions without an answer.
const fn problem(failure: Failure) -> Option<(&'static str, &'static str)> {
    Some(match failure {
        Failure::Credentials => (
            "the model's server refuses the key",
            "put a good one into connectors.skillify.proposer and start again",
        ),
        Failure::NotFound => (
            "the model's server knows no such model",
            "see endpoint and model in connectors.skillify.proposer",
        ),
        Failure::Budget => (
            "the model's budget is spent",
            "wait for the next run or the next day (UTC), or raise connectors.skillify.proposer's budget",
        ),
        Failure::Network | Failure::Server | Failure::RateLimited => (
            "the model's server does not answer",
            "nothing, if it comes back; else see endpoint, timeout and concurrency in connectors.skillify.proposer",
        ),
        Failure::Status | Failure::Unreadable => (
            "the model's server answers what cannot be read",
            "see whether it speaks the protocol and takes a JSON schema",
        ),
        Failure::Breaker | Failure::Refused | Failure::CutOff => return None,
    })
}
