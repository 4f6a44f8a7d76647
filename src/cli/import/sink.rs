//! Where records go: to a collector, or into the pipelines within this process.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use axum::Router;
use axum::body::{Body, to_bytes};
use http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION};
use http::{Request, StatusCode};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
use prost::Message;

use crate::cli::{Failure, OrFail, local_client, reader};
use crate::config::{Doors, ReceiverSettings, SessionsPipeline, Settings};
use crate::event::visible_line;
use crate::exporters::{parquet, with_causes};
use crate::receivers::tls::lasting_trouble;
use crate::receivers::transcripts::{Batch, Memory};
use crate::service::{Report, Service};

/// A collector that is there answers soon.
const ANSWERING: Duration = Duration::from_secs(2);
/// A request may wait for a disk.
const SENDING: Duration = Duration::from_secs(60);
/// A collector that is busy, or away, is asked again for so long.
const PATIENCE: Duration = Duration::from_secs(120);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// After this wait, the person is told the reason for it.
const TOLD_AFTER: Duration = Duration::from_millis(800);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// One request is under way at a time.
const MEMORY: usize = 192 << 20;
/// What is collected for a file of the table. One takes about four times as much while it is written.
const FILE_BYTES: u64 = 12 << 20;
/// An answer is short.
const MAX_ANSWER: usize = 64 << 10;

/// Where records go, in words.
#[derive(Debug, Clone, Default)]
pub(super) struct Described {
    /// What is remembered of imports is kept by it.
    pub(super) name: String,
    /// For people.
    pub(super) text: String,
    /// It is on another machine, or may be.
    pub(super) leaves: bool,
}

impl Described {
    /// The folder in which what is remembered of imports to it lies, beside those of others.
    pub(super) fn folder(&self) -> String {
        Memory::folder_of(&self.name)
    }
}

/// Where records go.
pub(super) enum Way {
    /// They are only counted.
    Nowhere,
    /// To a collector.
    Collector { client: reqwest::Client, endpoint: String, token: String, flush: Option<String> },
    /// Into the pipelines within this process.
    Inside { service: Box<Service>, router: TowerToHyperService<Router>, token: String },
}

/// What records of a batch were not taken.
pub(super) struct Answer {
    pub(super) rejected: u64,
    pub(super) why: String,
}

/// Where records will go.
pub(super) fn described(settings: &Settings, endpoint: Option<&str>) -> Result<Described, Failure> {
    let Some(url) = endpoint else {
        let tables: Vec<String> = settings.tables().map(|table| table.location.to_string()).collect();
        let text = format!("is stored in {}", tables.join(" and in "));
        return Ok(Described { name: format!("table {}", tables.join(" ")), text, leaves: false });
    };
    let is_address = reqwest::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if !is_address {
        let error = anyhow!("--endpoint {url}: write an address that begins with http:// or https://");
        return Err(Failure::Usage(error));
    }
    Ok(Described {
        name: format!("endpoint {}", url.trim_end_matches('/')),
        text: format!("is sent to {url}"),
        leaves: true,
    })
}

impl Way {
    /// A collector that was named, one that runs with these settings, or this process.
    pub(super) async fn open(
        settings: &Settings,
        endpoint: Option<&str>,
        token: String,
    ) -> Result<Self, Failure> {
        if let Some(endpoint) = endpoint {
            let builder = match endpoint.starts_with("https://") {
                true => reqwest::Client::builder(),
                false => local_client(),
            };
            // Sessions are sent where the person said, and a request that is led elsewhere loses its body.
            let builder = builder.redirect(reqwest::redirect::Policy::none());
            let client = builder.timeout(SENDING).build().or_fail()?;
            let endpoint = endpoint.trim_end_matches('/').to_owned();
            return Ok(Self::Collector { client, endpoint, token, flush: None });
        }
        if let Some((endpoint, flush)) = running(settings).await {
            let client = local_client().timeout(SENDING).build().or_fail()?;
            return Ok(Self::Collector { client, endpoint, token, flush: Some(flush) });
        }
        let service = Service::start(quiet(settings)).await.or_fail()?;
        let router = service.intake().ok_or_else(|| {
            let message = "the configuration has no sessions pipeline with an otlp receiver: name a collector with --endpoint";
            Failure::Usage(anyhow!(message))
        })?;
        Ok(Self::Inside { service: Box::new(service), router: TowerToHyperService::new(router), token })
    }

    /// Hands a batch on. Returns once it is durable.
    pub(super) async fn send(&self, batch: &Batch) -> anyhow::Result<Answer> {
        let deadline = Instant::now() + PATIENCE;
        let mut pause = FIRST_PAUSE;
        let mut is_told = false;
        loop {
            match self.try_to_send(batch).await? {
                Ok(answer) => return Ok(answer),
                Err(trouble) if Instant::now() + pause > deadline => bail!("{trouble}"),
                Err(trouble) => {
                    if !is_told && pause >= TOLD_AFTER {
                        is_told = true;
                        let patience = PATIENCE.as_secs();
                        reader::warn(&format!("{trouble}; trying again for {patience} seconds"));
                    }
                    tokio::time::sleep(pause).await;
                }
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// `Err` within: it may be tried again.
    async fn try_to_send(&self, batch: &Batch) -> anyhow::Result<Result<Answer, String>> {
        let (status, body, place) = match self {
            Self::Nowhere => return Ok(Ok(Answer { rejected: 0, why: String::new() })),
            Self::Collector { client, endpoint, token, .. } => {
                let url = format!("{endpoint}{}", batch.path);
                let mut request =
                    client.post(&url).header(CONTENT_TYPE, batch.content_type).body(batch.body.clone());
                if !token.is_empty() {
                    request = request.bearer_auth(token);
                }
                match request.send().await {
                    Err(error) if let Some(why) = lasting_trouble(&error) => bail!("{url}: {why}"),
                    Err(error) => return Ok(Err(format!("{url} does not answer: {}", with_causes(&error)))),
                    Ok(answer) if answer.status().is_redirection() => {
                        let to = answer.headers().get(LOCATION).and_then(|to| to.to_str().ok());
                        let to = to.unwrap_or("another address");
                        bail!("{url} redirects to {to}: name that server with --endpoint")
                    }
                    Ok(answer) => (answer.status(), answer.bytes().await.unwrap_or_default(), url),
                }
            }
            Self::Inside { router, token, .. } => {
                let mut request = Request::post(batch.path).header(CONTENT_TYPE, batch.content_type);
                if !token.is_empty() {
                    request = request.header(AUTHORIZATION, format!("Bearer {token}"));
                }
                let request = request.body(Body::from(batch.body.clone()))?;
                let answer = match router.call(request).await {
                    Ok(answer) => answer,
                    Err(never) => match never {},
                };
                let status = answer.status();
                let body =
                    to_bytes(answer.into_body(), MAX_ANSWER).await.context("the answer cannot be read")?;
                (status, body, "the journal".to_owned())
            }
        };
        judged(status, &body, &place)
    }

    /// Everything that was taken is in the table when this returns.
    pub(super) async fn finish(self) -> Result<(), Failure> {
        match self {
            Self::Nowhere | Self::Collector { flush: None, .. } => {}
            Self::Collector { client, flush: Some(flush), .. } => {
                let flushed = client.post(&flush).send().await;
                if !flushed.is_ok_and(|answer| answer.status().is_success()) {
                    reader::warn(
                        "the running process did not answer; what it has not written yet is not shown",
                    );
                }
            }
            Self::Inside { service, .. } => {
                service.flush().await;
                service.drain().await;
            }
        }
        Ok(())
    }
}

fn judged(status: StatusCode, body: &[u8], place: &str) -> anyhow::Result<Result<Answer, String>> {
    let said = || {
        String::from_utf8_lossy(body).chars().filter(|char| !char.is_control()).take(200).collect::<String>()
    };
    match status {
        // Langfuse's: of each event whether it is stored.
        StatusCode::MULTI_STATUS => {
            let answer: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
            let errors = answer.get("errors").and_then(serde_json::Value::as_array);
            let why = errors.and_then(|errors| errors.first()?.get("message")?.as_str());
            let why = why.unwrap_or_default().to_owned();
            Ok(Ok(Answer { rejected: errors.map_or(0, |errors| errors.len() as u64), why }))
        }
        StatusCode::OK => {
            let answer = ExportLogsServiceResponse::decode(body).unwrap_or_default();
            let partial = answer.partial_success.unwrap_or_default();
            let rejected = u64::try_from(partial.rejected_log_records).unwrap_or_default();
            Ok(Ok(Answer { rejected, why: partial.error_message }))
        }
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => Ok(Err(format!("{place} is busy ({status}): {}", said()))),
        StatusCode::UNAUTHORIZED => bail!(
            "{place} asks for a token (401): put it into a file and name it with --token-file, or set SKILLSPAN_TOKEN"
        ),
        status => bail!("{place} answers {status}: {}", said()),
    }
}

/// Whether a process writes the journals of these settings. Another user of the machine, or a server for something
/// else, may listen where these settings would.
fn writes_ours(report: &Report, settings: &Settings) -> bool {
    let whole = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let theirs: Vec<PathBuf> = report.pipelines.iter().map(|one| whole(&one.journal.path)).collect();
    let mut ours = settings.sessions.iter().map(|pipeline| whole(&pipeline.journal.path));
    ours.all(|path| theirs.contains(&path))
}

/// The addresses of a process that runs with these settings: where it takes requests, and where it is asked to
/// write what it holds.
async fn running(settings: &Settings) -> Option<(String, String)> {
    let health = settings.health?;
    let client = local_client().timeout(ANSWERING).build().ok()?;
    let answer = client.get(format!("http://{health}/status")).send().await.ok()?;
    let report: Report = answer.error_for_status().ok()?.json().await.ok()?;
    if !writes_ours(&report, settings) {
        let others: Vec<_> =
            report.pipelines.iter().map(|one| one.journal.path.display().to_string()).collect();
        reader::note(&format!(
            "the skillspan at {health} is another one, with its journal in {}: this command stores the sessions itself",
            visible_line(&others.join(", "))
        ));
        return None;
    }
    let listeners = settings.receivers.iter().filter(|receiver| receiver.doors == Doors::Otlp);
    let mut listeners = listeners.flat_map(|receiver| &receiver.listeners);
    let listener = listeners.find(|listener| listener.protocol == "http" && listener.tls.is_none())?;
    let mut address = listener.address;
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    Some((format!("http://{address}"), format!("http://{health}/flush")))
}

/// The settings without anything that listens, asks or publishes: journals, tables and processors are left.
fn quiet(settings: &Settings) -> Settings {
    let without =
        |receiver: &ReceiverSettings| ReceiverSettings { listeners: Vec::new(), ..receiver.clone() };
    let is_asked = |receiver: &&ReceiverSettings| !matches!(receiver.doors, Doors::Transcripts(_));
    let receivers = settings.receivers.iter().filter(is_asked);
    let smaller = |pipeline: &SessionsPipeline| {
        let parquet =
            parquet::Config { bytes: pipeline.parquet.bytes.min(FILE_BYTES), ..pipeline.parquet.clone() };
        SessionsPipeline { parquet, ..pipeline.clone() }
    };
    Settings {
        receivers: receivers.map(without).collect(),
        sessions: settings.sessions.iter().map(smaller).collect(),
        memory_limit: settings.memory_limit.min(MEMORY),
        health: None,
        hook_spools: None,
        followers: Vec::new(),
        skills: Vec::new(),
        metrics: None,
        ..settings.clone()
    }
}
