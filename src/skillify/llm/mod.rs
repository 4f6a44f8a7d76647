//! The LLM step, on a leash: a model words proven claims, and nothing else.
//!
//! ```text
//! mine with Worded ─► wordings that are in the cache, offline text for the rest, and the questions
//!                     that were missing ─► ask (budget, concurrency, retries) ─► cache ─► mine again
//! ```
//!
//! Mining itself never waits for a model: [`Worded`] reads answers from an [`AnswerCache`] by the
//! content of the claims, so the same snapshot and the same cache give the same bytes on every worker.
//! Whatever goes wrong on the way to an answer, the offline text stands and no cluster is lost.
//!
//! | file | holds |
//! |---|---|
//! | `question.rs` | what is sent: claims, templates, counts, the offline text by line |
//! | `answer.rs` | what may come back: each line is checked against its claims, or falls back |
//! | `words.rs` | the closed vocabulary of a line |
//! | `provider.rs` | the Messages API and chat completions, as bodies |
//! | `client.rs` | sending: retries, time-outs, the circuit breaker |
//! | `budget.rs` | calls, tokens and money, by run and by day |
//!
//! What is sent: command templates, error signatures from a closed list, single words that several
//! prompts share, counts. Never a transcript, never a tool's output.

mod answer;
mod budget;
mod client;
mod provider;
mod question;
mod words;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::claim::{Candidate, SupportedClaim, Wording};
use super::offline::Offline;
use super::propose::{Material, Proposer};

pub use budget::{Allowance, Budget, Spent};
pub use client::{Asked, Client, ClientError, Endpoint, Failure};
pub use provider::{Protocol, Usage};
pub use question::Question;

/// Where a [`Worded`] proposer finds answers.
pub trait AnswerCache {
    /// The model's answer to the question of that key, as it was given.
    fn answer(&self, key: &str) -> Option<String>;
}

impl AnswerCache for BTreeMap<String, String> {
    fn answer(&self, key: &str) -> Option<String> {
        self.get(key).cloned()
    }
}

/// Words claims with the answers in a cache; what is not there is worded offline and remembered.
pub struct Worded<'c> {
    /// Answers of another model are other answers.
    model: String,
    cache: &'c dyn AnswerCache,
    asked: RefCell<Vec<Asking>>,
}

/// A question that was not in the cache, and the claims it is about.
struct Asking {
    question: Question,
    claims: Vec<SupportedClaim>,
}

impl<'c> Worded<'c> {
    /// With the answers that `model` gave.
    pub fn new(model: &str, cache: &'c dyn AnswerCache) -> Self {
        Self { model: model.to_owned(), cache, asked: RefCell::default() }
    }

    /// The questions that are worth asking: those about candidates that are to be published, each once.
    pub fn missing(self, candidates: &[Candidate]) -> Vec<Question> {
        let published: Vec<&Candidate> =
            candidates.iter().filter(|candidate| candidate.is_published()).collect();
        let mut seen = BTreeSet::new();
        let asked = self.asked.into_inner().into_iter();
        asked
            .filter(|asking| published.iter().any(|candidate| candidate.claims == asking.claims))
            .map(|asking| asking.question)
            .filter(|question| seen.insert(question.key.clone()))
            .collect()
    }
}

impl Proposer for Worded<'_> {
    fn word(&self, material: &Material<'_>) -> Wording {
        let offline = Offline.word(material);
        let question = Question::of(&self.model, material, &offline);
        match self.cache.answer(&question.key) {
            Some(text) => answer::apply(&text, &offline, material).wording,
            None => {
                self.asked.borrow_mut().push(Asking { question, claims: material.claims.to_vec() });
                offline
            }
        }
    }
}

/// What a model's answer is worth, line by line: for metrics and for `--explain`.
pub fn judge(text: &str, question: &Question) -> Vec<&'static str> {
    answer::refusals(text, question)
}
