//! What assistants may ask: a server of the Model Context Protocol at `/mcp`, for those that `skillspan mcp` and
//! tokens let in.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | the door: one message of JSON-RPC for each request |
//! | `protocol.rs` | messages and versions, the same over HTTP and over standard input |
//! | `tools.rs` | what can be asked, as assistants are told it |
//! | `arguments.rs` | what was asked, read strictly |
//! | `call.rs` | answers, made of what the pages show |
//! | `text.rs` | answers as text: marked as data, bounded, nothing hidden |
//!
//! The protocol is written by hand: tools alone are few messages, both of its eras (a handshake until 2025-11-25, none
//! since 2026-07-28) fit one file, and the official SDK (`rmcp` 3.11.0, `server` alone) adds 26 seconds of a core to a
//! cold release build, more than this project spends on a convenience.
//!
//! Invariants: nobody asks without a key made from this user's secret or a token with a role that reads, on loopback
//! too, and no browser's cookie lets ask; an answer is made by the very functions that make the pages, so it shows
//! nothing that its reader could not see there; only skills that stand are shown, never what waits for a person; what
//! is shown is marked as data, bounded, and hides no character; whole sessions are read only where
//! `extensions.console.mcp.read_session` says so; nothing is stored and nothing changes.

mod arguments;
mod call;
mod protocol;
mod text;
mod tools;

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use tokio::sync::Semaphore;

use super::App;
use super::access::Reader;

pub(crate) use protocol::{
    Asked, Call, Failure, Incoming, Request, asked, failed, finished, listed, modern_call, read, told,
};
pub(crate) use tools::list as tools;

/// So many questions are answered at once; others wait.
const MOST_AT_ONCE: usize = 4;
/// What is not answered by then is not.
const PATIENCE: Duration = Duration::from_secs(30);

/// A message that is longer is refused, and read up to here.
const LONGEST: usize = 256 << 10;
const LONGEST_REFUSED: usize = 16 << 20;

const VERSION: &str = "mcp-protocol-version";
const METHOD: &str = "mcp-method";
const NAME: &str = "mcp-name";
/// Around a header's value that is base64.
const ENCODED: (&str, &str) = ("=?base64?", "?=");

/// Who answers takes a turn.
pub(super) struct Turns(Semaphore);

impl Default for Turns {
    fn default() -> Self {
        Self(Semaphore::new(MOST_AT_ONCE))
    }
}

type Seen = axum::Extension<Arc<Reader>>;

/// `POST /mcp`
pub(super) async fn answer(
    State(app): State<Arc<App>>,
    reader: Seen,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let body = match message(&headers, body).await {
        Ok(body) => body,
        Err((status, says)) => {
            return (status, Json(failed(&Value::Null, &Failure::invalid(says)))).into_response();
        }
    };
    let request = match read(&body) {
        Incoming::Request(request) => request,
        Incoming::Notification { .. } | Incoming::Nothing => return StatusCode::ACCEPTED.into_response(),
        Incoming::Wrong { id, failure } => {
            return (StatusCode::BAD_REQUEST, Json(failed(&id, &failure))).into_response();
        }
    };
    let answered = match check_headers(&request, &headers) {
        Ok(()) => respond(&app, &reader, &request).await,
        Err(failure) => Err(failure),
    };
    match answered {
        Ok(result) => Json(finished(&request, result)).into_response(),
        Err(failure) => {
            let status = failure.status(request.is_modern());
            (status, Json(failed(&request.id, &failure))).into_response()
        }
    }
}

/// A message of JSON, which is said to be that. What is too long is read on for a while, so that its sender gets to
/// read why it is refused.
async fn message(headers: &HeaderMap, body: Body) -> Result<Vec<u8>, (StatusCode, String)> {
    let said = headers.get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
    let essence = said.and_then(|said| said.split(';').next()).unwrap_or_default().trim();
    let is_json = essence.eq_ignore_ascii_case("application/json");
    let (mut bytes, mut seen) = (Vec::new(), 0_usize);
    let mut chunks = body.into_data_stream();
    let reading = async {
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| "the message broke off")?;
            seen = seen.saturating_add(chunk.len());
            match seen {
                seen if seen > LONGEST_REFUSED => break,
                seen if seen > LONGEST || !is_json => bytes = Vec::new(),
                _ => bytes.extend_from_slice(&chunk),
            }
        }
        Ok::<(), &'static str>(())
    };
    let read = tokio::time::timeout(PATIENCE, reading).await;
    match read.unwrap_or(Err("the message did not arrive in time")) {
        Err(says) => Err((StatusCode::BAD_REQUEST, says.to_owned())),
        Ok(()) if !is_json => {
            Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, "send a message as application/json".to_owned()))
        }
        Ok(()) if seen > LONGEST => {
            Err((StatusCode::PAYLOAD_TOO_LARGE, format!("a message has at most {LONGEST} bytes")))
        }
        Ok(()) => Ok(bytes),
    }
}

async fn respond(app: &Arc<App>, reader: &Reader, request: &Request) -> Result<Value, Failure> {
    let settings = app.settings.console.as_ref().and_then(|console| console.mcp);
    let reads_sessions = settings.is_some_and(|mcp| mcp.reads_sessions);
    match asked(request)? {
        Asked::Answer(result) => Ok(result),
        Asked::Tools => Ok(protocol::listed(tools(reads_sessions))),
        Asked::Call(call) => {
            if !tools::is_known(&call.name) {
                return Err(Failure::unknown_tool());
            }
            let working = async {
                let _turn = app.calls.0.acquire().await;
                call::call(app, reader, &call, reads_sessions).await
            };
            let outcome = tokio::time::timeout(PATIENCE, working).await;
            let outcome = outcome.unwrap_or_else(|_| {
                Err(format!(
                    "There is no answer after {} s. Ask for less, or ask again: what was read by then is kept.",
                    PATIENCE.as_secs()
                ))
            });
            Ok(protocol::told(outcome))
        }
    }
}

/// Headers must agree with the message, since proxies route by them.
fn check_headers(request: &Request, headers: &HeaderMap) -> Result<(), Failure> {
    let value = |name: &str| headers.get(name).map(|value| value.to_str().map(decoded).unwrap_or_default());
    match (value(VERSION), &request.version) {
        (Some(said), Some(version)) if said != *version => return Err(Failure::mismatch(VERSION)),
        (None, Some(_)) if request.is_modern() => return Err(Failure::mismatch(VERSION)),
        (Some(said), None) if !protocol::is_legacy(&said) => return Err(Failure::version(&said)),
        _ => {}
    }
    let told = value(METHOD);
    if told.as_ref().is_some_and(|said| *said != request.method) || (told.is_none() && request.is_modern()) {
        return Err(Failure::mismatch(METHOD));
    }
    let named = request.params.get("name").and_then(Value::as_str).filter(|_| request.method == "tools/call");
    let told = value(NAME);
    if told.as_deref() != named && (told.is_some() || request.is_modern()) {
        return Err(Failure::mismatch(NAME));
    }
    Ok(())
}

/// A header's value for any text.
fn encoded(text: &str) -> String {
    let is_plain = text.bytes().all(|byte| matches!(byte, b'!'..=b'~')) && !text.starts_with(ENCODED.0);
    if is_plain { text.to_owned() } else { format!("{}{}{}", ENCODED.0, STANDARD.encode(text), ENCODED.1) }
}

fn decoded(value: &str) -> String {
    let inner = value.strip_prefix(ENCODED.0).and_then(|rest| rest.strip_suffix(ENCODED.1));
    let Some(inner) = inner else { return value.to_owned() };
    let bytes = STANDARD.decode(inner).unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}
