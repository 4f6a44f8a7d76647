//! The service's API: one statement per request, and what its failures mean.
//!
//! | answer | means | then |
//! |---|---|---|
//! | no connection | nothing was done | again |
//! | connection broke, time-out, 5xx without `QUERY_ERROR` | nobody knows whether it was done | look, then again |
//! | 429, 408, 403 without JSON | nothing was done; a gateway is in the way | again |
//! | 401, 403 with JSON, 404, 402 | a person has to do something | again, seldom |
//! | `QUERY_ERROR`, other 4xx | the statement was refused | as its message says |

use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::{Client as Http, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::config::Service;
use crate::exporters::with_causes;

/// More than any answer to our questions.
const LONGEST_ANSWER: usize = 64 << 20;
/// What of a server's words is worth a line.
const LONGEST_DETAIL: usize = 300;
/// A server that asks for more patience is asked sooner.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// Why a statement has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// There is no connection; nothing was sent.
    #[error("{endpoint} cannot be reached: {detail}")]
    Unreachable {
        /// The base URL.
        endpoint: String,
        /// The reason.
        detail: String,
    },
    /// The connection broke after the request was sent, or the answer took too long.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// 429 and its kin: not now.
    #[error("the service is busy (status {status})")]
    Busy {
        /// The status.
        status: u16,
        /// What the server asks to wait.
        wait: Option<Duration>,
    },
    /// A gateway refused with a page for people, which passes.
    #[error("a gateway of the service refused (status 403)")]
    Gateway,
    /// The service failed, before or after it did what was asked.
    #[error("the service failed (status {status}): {detail}")]
    Server {
        /// The status.
        status: u16,
        /// Its words.
        detail: String,
    },
    /// 402.
    #[error("the organisation is out of credit: {0}")]
    OutOfCredit(String),
    /// 401, or 403 with a reason.
    #[error("the token is refused (status {status}): {detail}")]
    Credentials {
        /// The status.
        status: u16,
        /// Its words.
        detail: String,
    },
    /// 404.
    #[error("there is no workspace {workspace}, or no such API at this endpoint: {detail}")]
    NoWorkspace {
        /// The workspace.
        workspace: String,
        /// Its words.
        detail: String,
    },
    /// The statement was refused.
    #[error("the statement was refused: {0}")]
    Query(String),
    /// Status 200 with an invalid answer.
    #[error("the answer cannot be understood: {0}")]
    Unreadable(String),
}

impl Failure {
    /// A word for the kind of failure.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "unreachable",
            Self::NoAnswer(_) => "no_answer",
            Self::Busy { .. } => "busy",
            Self::Gateway => "gateway",
            Self::Server { .. } => "server",
            Self::OutOfCredit(_) => "out_of_credit",
            Self::Credentials { .. } => "credentials",
            Self::NoWorkspace { .. } => "no_workspace",
            Self::Query(_) => "query",
            Self::Unreadable(_) => "unreadable",
        }
    }

    /// Whether the statement may have been carried out.
    pub const fn is_ambiguous(&self) -> bool {
        matches!(self, Self::NoAnswer(_) | Self::Server { .. } | Self::Unreadable(_))
    }

    /// What the service asks to wait.
    pub(super) const fn wait(&self) -> Option<Duration> {
        match self {
            Self::Busy { wait, .. } => *wait,
            _ => None,
        }
    }

    /// Whether it may pass by itself.
    pub const fn is_transient(&self) -> bool {
        !self.needs_a_person() && !matches!(self, Self::Query(_))
    }

    /// Whether a person has to do something.
    pub const fn needs_a_person(&self) -> bool {
        matches!(self, Self::OutOfCredit(_) | Self::Credentials { .. } | Self::NoWorkspace { .. })
    }

    /// What a person can do about it.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::OutOfCredit(_) => {
                "top up the organisation's balance; nothing is lost, what waits is written then"
            }
            Self::Credentials { .. } => {
                "check token, org and workspace of the exporter; nothing is lost, what waits is written then"
            }
            Self::NoWorkspace { .. } => {
                "check endpoint and workspace of the exporter, or create the workspace"
            }
            Self::Query(_) => "see the message; an upgrade may know the service's new ways",
            _ => "nothing is lost: it is tried again until it works",
        }
    }

    /// Whether the statement was refused because a table or a column of it is not there.
    pub(super) fn lacks_a_table(&self) -> bool {
        matches!(self, Self::Query(message) if message.contains("does not exist"))
    }

    /// Whether the statement was refused because what it would create is there.
    pub(super) fn is_there_already(&self) -> bool {
        matches!(self, Self::Query(message) if message.contains("already exists"))
    }
}

/// The rows of an answer.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Answer {
    #[serde(default)]
    pub(super) rows: Option<Vec<Vec<Value>>>,
}

impl Answer {
    pub(super) fn into_rows(self) -> Vec<Vec<Value>> {
        self.rows.unwrap_or_default()
    }

    /// The texts of the first column.
    pub(super) fn first_column(self) -> impl Iterator<Item = String> {
        let first = |row: Vec<Value>| row.into_iter().next();
        self.into_rows().into_iter().filter_map(first).filter_map(|value| match value {
            Value::String(text) => Some(text),
            _ => None,
        })
    }
}

/// A client of one workspace. Cloning is cheap.
#[derive(Debug, Clone)]
pub(super) struct Client {
    http: Http,
    url: String,
    service: Service,
}

/// The client cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client for Deeplake cannot be made: {0}")]
pub struct ClientError(#[from] reqwest::Error);

impl Client {
    pub(super) fn new(service: Service) -> Result<Self, ClientError> {
        // An earlier caller has installed the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Http::builder()
            .timeout(service.timeout)
            .connect_timeout(service.timeout.min(Duration::from_secs(10)))
            // A token must not follow a redirect to another host.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("skillspan/", env!("CARGO_PKG_VERSION")))
            .build()?;
        let endpoint = service.endpoint.trim_end_matches('/');
        let url = format!("{endpoint}/workspaces/{}/tables/query", service.workspace);
        Ok(Self { http, url, service })
    }

    /// Carries out a statement.
    pub(super) async fn query(&self, sql: &str) -> Result<Answer, Failure> {
        let server_timeout = self.service.timeout.as_millis() * 9 / 10;
        let sent = self
            .http
            .post(&self.url)
            .bearer_auth(self.service.token.reveal())
            .header("x-activeloop-org-id", &self.service.org)
            .header("x-deeplake-client", "skillspan")
            // It should give up before we do: what it does afterwards, nobody sees.
            .json(&json!({ "query": sql, "timeout_ms": u64::try_from(server_timeout).unwrap_or(u64::MAX) }))
            .send()
            .await;
        let response = sent.map_err(|error| self.unanswered(error))?;
        let status = response.status();
        if status.is_success() {
            let body = read(response).await?;
            if body.iter().all(u8::is_ascii_whitespace) {
                return Ok(Answer::default());
            }
            return serde_json::from_slice(&body).map_err(|error| Failure::Unreadable(error.to_string()));
        }
        let wait = wait_of(&response);
        let body = read(response).await.unwrap_or_default();
        Err(self.refusal(status, wait, &body))
    }

    fn unanswered(&self, error: reqwest::Error) -> Failure {
        let is_unsent = error.is_connect();
        let detail = with_causes(&error.without_url());
        if is_unsent {
            Failure::Unreachable { endpoint: self.service.endpoint.clone(), detail }
        } else {
            Failure::NoAnswer(detail)
        }
    }

    fn refusal(&self, status: StatusCode, wait: Option<Duration>, body: &[u8]) -> Failure {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Refusal {
            error: Option<String>,
            message: Option<String>,
            code: String,
        }
        let refusal: Option<Refusal> = serde_json::from_slice(body).ok();
        let is_json = refusal.is_some();
        let Refusal { error, message, code } = refusal.unwrap_or_default();
        let detail = self.presentable(&error.or(message).unwrap_or_default());
        let status = status.as_u16();
        match status {
            401 => Failure::Credentials { status, detail },
            403 if is_json => Failure::Credentials { status, detail },
            403 => Failure::Gateway,
            402 => Failure::OutOfCredit(detail),
            404 => Failure::NoWorkspace { workspace: self.service.workspace.clone(), detail },
            408 | 429 => Failure::Busy { status, wait },
            500.. if code == "QUERY_ERROR" => Failure::Query(detail),
            400..500 => Failure::Query(format!("status {status}: {detail}")),
            _ => Failure::Server { status, detail },
        }
    }

    /// A server's words on one short line, without the token, whatever they repeat.
    fn presentable(&self, text: &str) -> String {
        let text = text.replace(self.service.token.reveal(), "[redacted]");
        text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(LONGEST_DETAIL).collect()
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    let broken = |error: reqwest::Error| Failure::NoAnswer(error.without_url().to_string());
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if body.len() + chunk.len() > LONGEST_ANSWER {
            return Err(Failure::Unreadable(format!("it is longer than {LONGEST_ANSWER} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn wait_of(response: &Response) -> Option<Duration> {
    let seconds: f64 = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok().map(|wait| wait.min(LONGEST_WAIT))
}
