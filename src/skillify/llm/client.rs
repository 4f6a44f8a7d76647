//! Sending questions: budget, concurrency, time-outs, retries, the circuit breaker.
//!
//! 408, 409, 429 and everything from 500 on may pass: they are asked again, after the time the server
//! names. 401, 403 and 404 will not: nobody else is asked either. Three questions in a row without an
//! answer open the breaker for the rest of the run.
//!
//! Newer models of OpenAI refuse `max_tokens` and `temperature`, older servers know nothing else: where
//! a 400 names one of them, the rest of the run is asked in the newer form.

use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, pending};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use serde_json::Value;

use super::budget::{Budget, Spent};
use super::failure::{ClientError, Failure};
use super::http::{self, failure_of, read_body, wait_before_again, wait_of};
use super::provider::{NoAnswer, Protocol, Usage};
use super::question::Question;
use crate::secret::Secret;

const BREAKER: u32 = 3;
const LONGEST_BODY: usize = 1 << 20;
const ANTHROPIC_VERSION: &str = "2023-06-01";

/// Where a model is, and how it is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Endpoint {
    /// The protocol.
    pub protocol: Protocol,
    /// The base URL, without the protocol's path.
    pub url: String,
    /// The model's name.
    pub model: String,
    /// The key; some servers need none.
    pub api_key: Option<Secret>,
    /// How long one request may take.
    pub timeout: Duration,
    /// Requests under way at once.
    pub concurrency: usize,
    /// What a run and a day may cost.
    pub budget: Budget,
    /// Micro-dollars for a million tokens: read, written.
    pub price: (u64, u64),
}

/// What came of asking.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Answers by the key of their question.
    pub answers: BTreeMap<String, String>,
    /// Questions without an answer, by reason.
    pub failures: BTreeMap<Failure, u64>,
    /// What this run spent.
    pub spent: Spent,
    /// Tokens read and written.
    pub usage: (u64, u64),
    /// Keys of questions that the model will not answer the next time either.
    pub unanswerable: BTreeSet<String>,
}

/// Asks a model.
pub struct Client {
    http: reqwest::Client,
    endpoint: Endpoint,
    newer_form: AtomicBool,
}

/// What concurrent questions share.
#[derive(Default)]
struct Run {
    asked: Asked,
    /// What the run has spent before.
    before: Spent,
    in_a_row: u32,
    open: Option<Failure>,
}

impl Endpoint {
    /// The address and the body of a request, without the key.
    pub fn request(&self, question: &Question, newer_form: bool) -> (String, Value) {
        let address = format!("{}{}", self.url.trim_end_matches('/'), self.protocol.path());
        (address, self.protocol.body(&self.model, question, newer_form))
    }

    /// What a question may cost at the most, if it is asked once.
    pub fn at_most(&self, question: &Question) -> Spent {
        self.cost(Protocol::worst_case(question, false))
    }

    fn cost(&self, usage: Usage) -> Spent {
        let (input, output) = self.price;
        let micros = usage.input.saturating_mul(input).saturating_add(usage.output.saturating_mul(output));
        Spent {
            calls: 1,
            tokens: usage.input.saturating_add(usage.output),
            micros: micros.div_ceil(1_000_000),
        }
    }
}

impl Client {
    /// A client for an endpoint.
    pub fn new(endpoint: Endpoint) -> Result<Self, ClientError> {
        let http = http::client(endpoint.timeout)?;
        Ok(Self { http, endpoint, newer_form: AtomicBool::new(false) })
    }

    /// Whom it asks.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Asks every question that the budget allows; `today` is what the day has cost before.
    pub async fn ask(&self, questions: Vec<Question>, today: Spent) -> Asked {
        self.ask_until(questions, today, pending()).await
    }

    /// Asks until `stop` is ready. A request that was under way then counts at its full possible cost.
    pub async fn ask_until(
        &self,
        questions: Vec<Question>,
        today: Spent,
        stop: impl Future<Output = ()>,
    ) -> Asked {
        self.ask_beyond(questions, Spent::default(), today, stop).await
    }

    /// [`Client::ask_until`], in a run that has spent so much `before`.
    pub async fn ask_beyond(
        &self,
        questions: Vec<Question>,
        before: Spent,
        today: Spent,
        stop: impl Future<Output = ()>,
    ) -> Asked {
        let run = Mutex::new(Run { before, ..Run::default() });
        let asking = stream::iter(questions)
            .for_each_concurrent(self.endpoint.concurrency.max(1), |question| {
                self.ask_one(question, today, &run)
            });
        tokio::select! {
            () = asking => {}
            () = stop => {}
        }
        run.into_inner().unwrap_or_else(PoisonError::into_inner).asked
    }

    async fn ask_one(&self, question: Question, today: Spent, run: &Mutex<Run>) {
        let mut attempt = 0;
        let outcome = loop {
            let newer_form = self.newer_form.load(Ordering::Relaxed);
            let worst = self.endpoint.cost(Protocol::worst_case(&question, newer_form));
            if let Err(failure) = self.reserve(worst, today, run) {
                break Err(failure);
            }
            match self.send(&question, newer_form, worst, run).await {
                Ok(text) => break Ok(text),
                Err((failure, asked)) => {
                    let Some(wait) = wait_before_again(failure, asked, attempt) else { break Err(failure) };
                    attempt += 1;
                    tokio::time::sleep(wait).await;
                }
            }
        };
        lock(run).note(question.key, outcome);
    }

    /// Takes the worst case of a call from the budget before it is made; [`Client::settle`] gives back
    /// what it did not use. So concurrent calls cannot pass a limit together.
    fn reserve(&self, worst: Spent, today: Spent, run: &Mutex<Run>) -> Result<(), Failure> {
        let mut run = lock(run);
        if let Some(failure) = run.open {
            return Err(failure);
        }
        let mut whole = run.before;
        whole.add(run.asked.spent);
        let mut day = today;
        day.add(whole);
        if !self.endpoint.budget.permits(whole, day, worst) {
            return Err(Failure::Budget);
        }
        run.asked.spent.add(worst);
        Ok(())
    }

    fn settle(&self, worst: Spent, usage: Usage, run: &Mutex<Run>) {
        let real = self.endpoint.cost(usage);
        let mut run = lock(run);
        let spent = &mut run.asked.spent;
        spent.tokens = spent.tokens.saturating_sub(worst.tokens).saturating_add(real.tokens);
        spent.micros = spent.micros.saturating_sub(worst.micros).saturating_add(real.micros);
        run.asked.usage.0 += usage.input;
        run.asked.usage.1 += usage.output;
    }

    /// One request. An attempt that failed keeps what was reserved unless the server surely read nothing.
    async fn send(
        &self,
        question: &Question,
        newer_form: bool,
        worst: Spent,
        run: &Mutex<Run>,
    ) -> Result<String, (Failure, Option<Duration>)> {
        let Endpoint { protocol, api_key, .. } = &self.endpoint;
        let (address, body) = self.endpoint.request(question, newer_form);
        let mut request = self.http.post(address).json(&body);
        request = match (protocol, api_key) {
            (Protocol::Anthropic, key) => {
                let request = request.header("anthropic-version", ANTHROPIC_VERSION);
                key.iter().fold(request, |request, key| request.header("x-api-key", key.reveal()))
            }
            (Protocol::OpenAi, Some(key)) => request.bearer_auth(key.reveal()),
            (Protocol::OpenAi, None) => request,
        };
        let answer = request.send().await.map_err(|_| (Failure::Network, None))?;
        let status = answer.status().as_u16();
        if status != 200 {
            // Nothing was generated.
            self.settle(worst, Usage::default(), run);
            let wait = wait_of(answer.headers());
            if status == 400 && !newer_form && wants_the_newer_form(*protocol, answer).await {
                self.newer_form.store(true, Ordering::Relaxed);
                return Err((Failure::Server, Some(Duration::ZERO)));
            }
            return Err((failure_of(status), wait));
        }
        let body = read_body(answer, LONGEST_BODY).await.map_err(|failure| (failure, None))?;
        let framed = protocol.read(&body).map_err(|none| {
            let failure = match none {
                NoAnswer::Unreadable => Failure::Unreadable,
                NoAnswer::Refused => Failure::Refused,
                NoAnswer::CutOff => Failure::CutOff,
            };
            (failure, None)
        })?;
        self.settle(worst, framed.usage, run);
        Ok(framed.text)
    }
}

impl Run {
    fn note(&mut self, key: String, outcome: Result<String, Failure>) {
        match outcome {
            Ok(text) => {
                self.in_a_row = 0;
                self.asked.answers.insert(key, text);
            }
            Err(failure) => {
                *self.asked.failures.entry(failure).or_default() += 1;
                self.in_a_row += u32::from(failure.is_the_servers());
                if failure.is_final() {
                    self.asked.unanswerable.insert(key);
                }
                if failure.is_final_for_all() {
                    self.open = Some(failure);
                } else if self.in_a_row >= BREAKER {
                    self.open = Some(Failure::Breaker);
                }
            }
        }
    }
}

fn lock(run: &Mutex<Run>) -> MutexGuard<'_, Run> {
    run.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a 400 is about parameters that have newer names.
async fn wants_the_newer_form(protocol: Protocol, answer: reqwest::Response) -> bool {
    let body = read_body(answer, LONGEST_BODY).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&body);
    protocol == Protocol::OpenAi && (text.contains("max_tokens") || text.contains("temperature"))
}
