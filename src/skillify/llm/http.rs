//! What every request to a model's server has in common: the client, how often and how long it is
//! tried, how much of an answer is read, what a status means.

use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::failure::{ClientError, Failure};

/// How often a request is sent again.
const RETRIES: u32 = 2;
/// The wait before the first time; twice that before the next.
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
/// A server that asks for more patience than this is asked again in the next run.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// A client whose requests take no longer than `timeout`.
pub(super) fn client(timeout: Duration) -> Result<reqwest::Client, ClientError> {
    // Whoever came first has installed the same provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .timeout(timeout)
        .connect_timeout(timeout.min(Duration::from_secs(10)))
        // A key must not follow a redirect to another host.
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("skillspan/", env!("CARGO_PKG_VERSION")));
    Ok(client.build()?)
}

/// The body of an answer, if it has at most so many bytes.
pub(super) async fn read_body(mut answer: reqwest::Response, longest: usize) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|_| Failure::Network)? {
        if body.len() + chunk.len() > longest {
            return Err(Failure::Unreadable);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// How long to wait before a request that failed is sent again, `asked` being what the server wants;
/// `None`: it is not.
pub(super) fn wait_before_again(failure: Failure, asked: Option<Duration>, attempt: u32) -> Option<Duration> {
    let wait = asked.unwrap_or(FIRST_BACKOFF * 2_u32.pow(attempt));
    (failure.may_pass() && attempt < RETRIES && wait <= LONGEST_WAIT).then_some(wait)
}

pub(super) const fn failure_of(status: u16) -> Failure {
    match status {
        401 | 403 => Failure::Credentials,
        404 => Failure::NotFound,
        429 => Failure::RateLimited,
        // Time-out and conflict pass as a busy server does.
        408 | 409 | 500.. => Failure::Server,
        _ => Failure::Status,
    }
}

/// What the server asks to wait: milliseconds, or seconds.
pub(super) fn wait_of(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let wait = number("retry-after-ms").map(|ms| ms / 1_000.0).or_else(|| number(RETRY_AFTER.as_str()))?;
    Duration::try_from_secs_f64(wait).ok()
}
