//! Vectors of words from a server that speaks `POST /embeddings` as OpenAI, Ollama, vLLM, llama.cpp and
//! Text Embeddings Inference do.
//!
//! Words are sent each by itself, in alphabetical order, a batch a request: which of them stood in one
//! prompt, and in which order, is not told. What fails is tried again as other requests are
//! (`http.rs`); three batches in a row without an answer end the run's asking.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::super::cluster::vectors::{MOST_DIMENSIONS, VectorError, Vectors};
use super::failure::{ClientError, Failure};
use super::http::{self, failure_of, read_body, wait_before_again, wait_of};
use crate::secret::Secret;

/// Words in one request: no server that is in use takes fewer.
const BATCH: usize = 32;
/// A number takes some 22 characters of JSON.
const LONGEST_BODY: usize = BATCH * MOST_DIMENSIONS * 32;
const BREAKER: u32 = 3;

/// Where vectors of words are had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddingEndpoint {
    /// The base URL, without `/embeddings`.
    pub url: String,
    /// The model's name.
    pub model: String,
    /// The key; servers of one's own may need none.
    pub api_key: Option<Secret>,
    /// How long one request may take.
    pub timeout: Duration,
}

/// Asks a server for vectors.
pub struct Embedder {
    http: reqwest::Client,
    endpoint: EmbeddingEndpoint,
}

/// What came of asking.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Embedded {
    /// The vectors, by word.
    pub vectors: Vectors,
    /// Words that the model knows nothing of.
    pub unknown: BTreeSet<String>,
    /// Requests that were sent, retries included.
    pub requests: u64,
    /// Batches without an answer, by reason.
    pub failures: BTreeMap<Failure, u64>,
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    index: usize,
    embedding: Vec<f32>,
}

impl Embedder {
    /// A client for an endpoint.
    pub fn new(endpoint: EmbeddingEndpoint) -> Result<Self, ClientError> {
        Ok(Self { http: http::client(endpoint.timeout)?, endpoint })
    }

    /// Whom it asks.
    pub fn endpoint(&self) -> &EmbeddingEndpoint {
        &self.endpoint
    }

    /// Asks for the vectors of `words`, which ascend, until `stop` is ready. They have the dimension of
    /// `known`, if that has any: an answer that differs is none.
    pub async fn embed(&self, words: &[String], known: &Vectors, stop: impl Future<Output = ()>) -> Embedded {
        let mut embedded = Embedded::default();
        let mut dimensions = known.dimensions();
        let asking = async {
            let mut in_a_row = 0;
            for batch in words.chunks(BATCH) {
                match self.ask(batch, &mut dimensions, &mut embedded).await {
                    Ok(()) => in_a_row = 0,
                    Err(failure) => {
                        *embedded.failures.entry(failure).or_default() += 1;
                        in_a_row += 1;
                        if failure.is_final_for_all() || in_a_row >= BREAKER {
                            return;
                        }
                    }
                }
            }
        };
        tokio::select! {
            () = asking => {}
            () = stop => {}
        }
        embedded
    }

    async fn ask(
        &self,
        batch: &[String],
        dimensions: &mut usize,
        embedded: &mut Embedded,
    ) -> Result<(), Failure> {
        let mut attempt = 0;
        loop {
            embedded.requests += 1;
            match self.send(batch).await {
                Ok(body) => return take(&body, batch, dimensions, embedded),
                Err((failure, asked)) => {
                    let wait = wait_before_again(failure, asked, attempt).ok_or(failure)?;
                    attempt += 1;
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }

    async fn send(&self, batch: &[String]) -> Result<Vec<u8>, (Failure, Option<Duration>)> {
        let EmbeddingEndpoint { url, model, api_key, .. } = &self.endpoint;
        let body = json!({ "model": model, "input": batch, "encoding_format": "float" });
        let mut request = self.http.post(format!("{url}/embeddings")).json(&body);
        if let Some(key) = api_key {
            request = request.bearer_auth(key.reveal());
        }
        let answer = request.send().await.map_err(|_| (Failure::Network, None))?;
        let status = answer.status().as_u16();
        if status != 200 {
            return Err((failure_of(status), wait_of(answer.headers())));
        }
        read_body(answer, LONGEST_BODY).await.map_err(|failure| (failure, None))
    }
}

/// Takes up an answer as a whole, or nothing of it: a vector for each word, all of one dimension.
fn take(
    body: &[u8],
    batch: &[String],
    dimensions: &mut usize,
    embedded: &mut Embedded,
) -> Result<(), Failure> {
    let answer: Answer = serde_json::from_slice(body).map_err(|_| Failure::Unreadable)?;
    let by_index: BTreeMap<usize, Vec<f32>> =
        answer.data.into_iter().map(|item| (item.index, item.embedding)).collect();
    if !by_index.keys().copied().eq(0..batch.len()) {
        return Err(Failure::Unreadable);
    }
    let (mut vectors, mut unknown) = (Vectors::default(), BTreeSet::new());
    for (word, numbers) in batch.iter().zip(by_index.into_values()) {
        match vectors.insert(word, numbers) {
            Ok(()) => {}
            Err(VectorError::Zero) => drop(unknown.insert(word.clone())),
            Err(_) => return Err(Failure::Unreadable),
        }
    }
    if *dimensions != 0 && !vectors.is_empty() && vectors.dimensions() != *dimensions {
        return Err(Failure::Unreadable);
    }
    *dimensions = (*dimensions).max(vectors.dimensions());
    for (word, vector) in vectors.iter() {
        embedded.vectors.insert(word, vector.to_vec()).map_err(|_| Failure::Unreadable)?;
    }
    embedded.unknown.append(&mut unknown);
    Ok(())
}
