//! One question to the API and its answer, and what failures mean.
//!
//! | answer | means | then |
//! |---|---|---|
//! | no connection, one that breaks, a time-out, 5xx | nothing | again, later and less at once |
//! | a certificate that is not trusted, no TLS | nothing | a person has to do something |
//! | 429 | too many questions | again when it says |
//! | 401, 403 | the keys | a person has to do something |
//! | 404, 410 | this server has no such list | another list |
//! | 3xx | the server is elsewhere | a person has to name it: keys follow nobody |
//! | other 4xx | the question, or its cursor | as its message says |

use std::error::Error;
use std::time::Duration;

use reqwest::header::{LOCATION, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::receivers::tls::lasting_trouble;

/// A page takes a server long that has to look for its texts.
const TIMEOUT: Duration = Duration::from_secs(120);
const CONNECTING: Duration = Duration::from_secs(10);
/// The longest answer. Langfuse Cloud's end at 5 MB.
const MAX_ANSWER: usize = 64 << 20;
/// What of a server's words is worth a line.
const MAX_DETAIL: usize = 200;

/// Why a server cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The address is invalid.
    #[error("{0}: write an address that begins with http:// or https://")]
    NoAddress(String),
    /// The address holds a name or a password.
    #[error("the address names a user: give the keys by themselves")]
    Credentials,
    /// There is no client.
    #[error("the HTTP client cannot be made: {0}")]
    Client(#[from] reqwest::Error),
}

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// There is no connection, or it broke, or the answer took too long.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// There will be none.
    #[error("{0}")]
    NoTrust(String),
    /// 429.
    #[error("too many requests (429)")]
    Busy {
        /// What the server asks to wait.
        wait: Option<Duration>,
    },
    /// The server failed.
    #[error("the server failed ({status}): {detail}")]
    Server {
        /// The status.
        status: u16,
        /// Its words.
        detail: String,
    },
    /// The answer is longer than can be taken.
    #[error("a page is larger than {MAX_ANSWER} bytes")]
    TooLarge,
    /// 401 or 403.
    #[error("the keys are refused ({status}): {detail}")]
    Keys {
        /// The status.
        status: u16,
        /// Its words.
        detail: String,
    },
    /// 404 or 410.
    #[error("there is no {path} ({status}): {detail}")]
    Absent {
        /// What was asked for.
        path: String,
        /// The status.
        status: u16,
        /// Its words.
        detail: String,
    },
    /// The server names another.
    #[error("it redirects to {0}: name that server")]
    Elsewhere(String),
    /// Another 4xx.
    #[error("the question is refused ({status}): {detail}")]
    Refused {
        /// The status.
        status: u16,
        /// Its words.
        detail: String,
    },
    /// Status 200 with an invalid answer.
    #[error("the answer is not a list: {0}")]
    Unreadable(String),
}

impl Failure {
    /// Whether it may pass by itself.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::NoAnswer(_) | Self::Busy { .. } | Self::Server { .. } | Self::TooLarge)
    }

    /// Whether a smaller page may help.
    pub(super) const fn may_be_too_much(&self) -> bool {
        matches!(self, Self::NoAnswer(_) | Self::Server { .. } | Self::TooLarge)
    }
}

/// A server, and the keys of a project on it.
pub struct Access {
    http: Client,
    base: Url,
    public_key: String,
    secret_key: String,
}

/// A page of a list.
#[derive(Debug)]
pub(super) struct Page {
    /// Its rows, each as it stands in the answer.
    pub(super) rows: Vec<Box<RawValue>>,
    /// Where the next page begins.
    pub(super) cursor: Option<String>,
    /// How many pages there are, where pages have numbers.
    pub(super) pages: Option<u64>,
}

impl Access {
    /// The server at an address. `builder` says how it is reached.
    pub fn new(
        builder: reqwest::ClientBuilder,
        address: &str,
        public_key: String,
        secret_key: String,
    ) -> Result<Self, AccessError> {
        let url = Url::parse(address).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let mut base = url.ok_or_else(|| AccessError::NoAddress(address.to_owned()))?;
        if !base.username().is_empty() || base.password().is_some() {
            return Err(AccessError::Credentials);
        }
        base.set_query(None);
        base.set_fragment(None);
        let path = base.path().trim_end_matches('/').trim_end_matches("/api/public").to_owned();
        base.set_path(&format!("{path}/"));
        let http = builder
            .timeout(TIMEOUT)
            .connect_timeout(CONNECTING)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("skillspan/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { http, base, public_key, secret_key })
    }

    /// The server and the project's public key, by which it is known.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.base, self.public_key)
    }

    /// The server's address.
    pub fn address(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// One page of the list at `path`, below `/api/public/`.
    pub(super) async fn page(&self, path: &str, query: &[(&str, String)]) -> Result<Page, Failure> {
        let unreadable = |error: &dyn Error| Failure::Unreadable(error.to_string());
        let mut url = self.base.join(&format!("api/public/{path}")).map_err(|error| unreadable(&error))?;
        url.query_pairs_mut().extend_pairs(query);
        let request = self.http.get(url).basic_auth(&self.public_key, Some(&self.secret_key));
        let response = request.send().await.map_err(broken)?;
        let status = response.status();
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(Failure::Busy { wait: wait_of(&response) });
        }
        if status.is_redirection() {
            let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok());
            return Err(Failure::Elsewhere(to.unwrap_or("another address").to_owned()));
        }
        let body = read(response).await;
        if !status.is_success() {
            return Err(self.refusal(path, status.as_u16(), &body.unwrap_or_default()));
        }
        let body = body?;
        let answer: Answer = serde_json::from_slice(&body).map_err(|error| unreadable(&error))?;
        Ok(answer.into_page())
    }

    fn refusal(&self, path: &str, status: u16, body: &[u8]) -> Failure {
        let said: Value = serde_json::from_slice(body).unwrap_or_default();
        let said = ["message", "error"].iter().find_map(|name| said.get(*name)?.as_str());
        let said = said.map_or_else(|| String::from_utf8_lossy(body).into_owned(), str::to_owned);
        // Whatever it repeats, the key is not shown.
        let said = match self.secret_key.as_str() {
            "" => said,
            key => said.replace(key, "[redacted]"),
        };
        let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
        let detail: String = words.chars().take(MAX_DETAIL).collect();
        match status {
            401 | 403 => Failure::Keys { status, detail },
            404 | 410 => Failure::Absent { path: path.to_owned(), status, detail },
            413 => Failure::TooLarge,
            408 | 500.. => Failure::Server { status, detail },
            _ => Failure::Refused { status, detail },
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Box<RawValue>>,
    #[serde(default)]
    meta: Meta,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Meta {
    cursor: Option<String>,
    total_pages: Option<u64>,
}

impl Answer {
    fn into_page(self) -> Page {
        let cursor = self.meta.cursor.filter(|cursor| !cursor.is_empty());
        Page { rows: self.data, cursor, pages: self.meta.total_pages }
    }
}

fn broken(error: reqwest::Error) -> Failure {
    let error = error.without_url();
    if let Some(why) = lasting_trouble(&error) {
        return Failure::NoTrust(why);
    }
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let text = next.to_string();
        if !said.contains(&text) {
            said = format!("{said}: {text}");
        }
        cause = next.source();
    }
    Failure::NoAnswer(said)
}

async fn read(mut response: Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(Failure::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn wait_of(response: &Response) -> Option<Duration> {
    let seconds: f64 = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}
