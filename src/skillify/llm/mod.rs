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
//! | `same.rs` | the second use: whether two candidates are one skill |
//! | `answer.rs` | what may come back: each line is checked against its claims, or falls back |
//! | `words.rs` | the closed vocabulary of a line |
//! | `provider.rs` | the Messages API and chat completions, as bodies |
//! | `client.rs` | sending: retries, time-outs, the circuit breaker |
//! | `budget.rs` | calls, tokens and money, by run and by day |
//! | `embedder.rs` | beside all that: vectors of words, from a server |
//! | `http.rs` | what requests to any server have in common |
//! | `failure.rs` | why a model did not answer |
//!
//! An answer is stored as [`sift`] leaves it: only lines that stood their checks reach a cache, and they
//! are checked again whenever they are used.
//!
//! What is sent: command templates, error signatures from a closed list, single words that several
//! prompts share, counts. Never a transcript, never a tool's output.

mod answer;
mod budget;
mod client;
mod embedder;
pub(super) mod failure;
mod http;
mod provider;
mod question;
mod same;
mod words;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::claim::SupportedClaim;
use super::word::offline::Offline;
use super::word::propose::{Material, Proposer};
use super::word::wording::{Candidate, Wording};

pub use answer::{Refusal, Sifted};
pub use budget::{Allowance, Budget, Spent};
pub use client::{Asked, Client, Endpoint};
pub use embedder::{Embedded, Embedder, EmbeddingEndpoint};
pub use failure::{ClientError, Failure};
pub use provider::{Protocol, Usage};
pub use question::Question;
pub use same::{Pair, pairs};

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
    used: RefCell<BTreeSet<String>>,
}

/// A question that was not in the cache, and the claims it is about.
struct Asking {
    question: Question,
    claims: Vec<SupportedClaim>,
}

impl<'c> Worded<'c> {
    /// With the answers that `model` gave.
    pub fn new(model: &str, cache: &'c dyn AnswerCache) -> Self {
        Self { model: model.to_owned(), cache, asked: RefCell::default(), used: RefCell::default() }
    }

    /// The questions that are worth asking: those about candidates that are to be published, each once,
    /// in the order of the candidates.
    pub fn missing<'m>(&self, candidates: impl IntoIterator<Item = &'m Candidate>) -> Vec<Question> {
        let asked = self.asked.borrow();
        let mut seen = BTreeSet::new();
        candidates
            .into_iter()
            .filter(|candidate| candidate.is_published())
            .filter_map(|candidate| asked.iter().find(|asking| asking.claims == candidate.claims))
            .filter(|asking| seen.insert(asking.question.key.clone()))
            .map(|asking| asking.question.clone())
            .collect()
    }

    /// The keys of the answers that were in the cache.
    pub fn used(&self) -> BTreeSet<String> {
        self.used.borrow().clone()
    }
}

impl Proposer for Worded<'_> {
    fn word(&self, material: &Material) -> Wording {
        let offline = Offline.word(material);
        let question = Question::of(&self.model, material, &offline);
        match self.cache.answer(&question.key) {
            Some(text) => {
                let wording = answer::apply(&text, &offline, &question);
                self.used.borrow_mut().insert(question.key);
                wording
            }
            None => {
                self.asked.borrow_mut().push(Asking { question, claims: material.claims.clone() });
                offline
            }
        }
    }
}

/// What of a model's answer may be kept, and why the rest may not.
pub fn sift(text: &str, question: &Question) -> Sifted {
    if question.is_a_judgement() { same::sift(text) } else { answer::sift(text, question) }
}

/// The answer to a question that the model will not answer otherwise the next time: nothing of it stands.
pub fn no_answer(question: &Question) -> String {
    sift("", question).answer
}
