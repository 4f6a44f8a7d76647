//! A model's server that answers as it is told: well, badly, or not at all.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "each test binary uses its part"
)]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// A key that no log, metric, state or message may hold.
pub const KEY: &str = "key-with-a-marker-7f3a";

/// How the stand-in answers its next request; the last one is repeated.
#[derive(Clone)]
pub enum Behaviour {
    /// The Messages API's answer with this text.
    Say(String),
    /// The same, framed as a chat completion.
    Complete(String),
    /// A text made of the question's content, framed as the request's path asks for.
    Words(fn(&Value) -> String),
    /// A body made of the whole request.
    Body(fn(&Value) -> String),
    Status(u16, Option<(&'static str, &'static str)>),
    /// A status with this body.
    Refuse(u16, &'static str),
    Raw(&'static str),
    /// The Messages API's answer that ended for this reason.
    Stopped(&'static str),
    /// A body that breaks off.
    Cut,
    Hang,
}

#[derive(Clone)]
struct StandIn {
    script: Arc<Mutex<Vec<Behaviour>>>,
    requests: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
}

/// A running stand-in and what was asked of it.
pub struct Server {
    pub address: SocketAddr,
    pub runtime: tokio::runtime::Runtime,
    stand_in: StandIn,
}

impl Server {
    pub fn start(script: Vec<Behaviour>) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let stand_in = StandIn { script: Arc::new(Mutex::new(script)), requests: Arc::default() };
        let router = Router::new().fallback(answer).with_state(stand_in.clone());
        let address = runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
            address
        });
        Self { address, stand_in, runtime }
    }

    /// From now on it answers so.
    pub fn becomes(&self, script: Vec<Behaviour>) {
        *self.stand_in.script.lock().unwrap() = script;
    }

    pub fn calls(&self) -> usize {
        self.stand_in.requests.lock().unwrap().len()
    }

    /// What was asked so far: headers and bodies.
    pub fn requests(&self) -> Vec<(HeaderMap, Value)> {
        self.stand_in.requests.lock().unwrap().clone()
    }
}

async fn answer(State(stand_in): State<StandIn>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let request: Value = serde_json::from_slice(&body).unwrap();
    stand_in.requests.lock().unwrap().push((headers, request.clone()));
    let next = {
        let mut script = stand_in.script.lock().unwrap();
        if script.len() > 1 { script.remove(0) } else { script.first().unwrap().clone() }
    };
    match next {
        Behaviour::Say(text) => message(&text, "end_turn").into_response(),
        Behaviour::Complete(text) => completion(&text).into_response(),
        Behaviour::Words(words) => {
            let chat = uri.path().ends_with("/chat/completions");
            let content = &request["messages"][usize::from(chat)]["content"];
            let text = words(&serde_json::from_str(content.as_str().unwrap()).unwrap());
            if chat { completion(&text) } else { message(&text, "end_turn") }.into_response()
        }
        Behaviour::Stopped(reason) => message("{\"lines\":[", reason).into_response(),
        Behaviour::Body(body) => body(&request).into_response(),
        Behaviour::Raw(body) => body.into_response(),
        Behaviour::Refuse(status, body) => (StatusCode::from_u16(status).unwrap(), body).into_response(),
        Behaviour::Status(status, header) => {
            let mut answer = StatusCode::from_u16(status).unwrap().into_response();
            if let Some((name, value)) = header {
                answer.headers_mut().insert(name, value.parse().unwrap());
            }
            answer
        }
        Behaviour::Cut => {
            let parts = [Ok(Bytes::from_static(b"{\"content\":")), Err(std::io::Error::other("cut"))];
            Body::from_stream(futures_util::stream::iter(parts)).into_response()
        }
        Behaviour::Hang => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            StatusCode::OK.into_response()
        }
    }
}

fn message(text: &str, stop: &str) -> String {
    json!({
        "type": "message",
        "stop_reason": stop,
        "content": [{ "type": "text", "text": text }],
        "usage": { "input_tokens": 300, "output_tokens": 50, "cache_read_input_tokens": 20 },
    })
    .to_string()
}

fn completion(text: &str) -> String {
    json!({
        "choices": [{ "finish_reason": "stop", "message": { "content": text } }],
        "usage": { "prompt_tokens": 300, "completion_tokens": 50 },
    })
    .to_string()
}

/// An answer of lines: (id, text, claims).
pub fn lines(lines: &[(&str, &str, &[&str])]) -> String {
    let lines: Vec<Value> =
        lines.iter().map(|(id, text, claims)| json!({ "id": id, "text": text, "claims": claims })).collect();
    json!({ "lines": lines }).to_string()
}

/// Words every line as `word` does; pairs of skills are said to be one.
pub fn reworded(question: &Value, word: impl Fn(&str) -> String) -> String {
    let Some(asked) = question["lines"].as_array() else { return json!({ "same": true }).to_string() };
    let lines: Vec<Value> = asked
        .iter()
        .map(|line| {
            let text = word(line["text"].as_str().unwrap());
            json!({ "id": line["id"], "text": text, "claims": line["claims"] })
        })
        .collect();
    json!({ "lines": lines }).to_string()
}

/// The answer of `POST /embeddings`: a vector that the word alone decides, the last word first.
pub fn embedded(request: &Value) -> String {
    let words = request["input"].as_array().unwrap();
    let data = words.iter().enumerate().rev().map(|(index, word)| {
        let length = word.as_str().unwrap().len() as f32;
        json!({ "object": "embedding", "index": index, "embedding": [length, 1.0, 0.5] })
    });
    json!({ "object": "list", "model": request["model"], "data": data.collect::<Vec<_>>() }).to_string()
}
