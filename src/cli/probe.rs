//! Sends one marked record to a collector and reports what became of it: for `connect --check` and the hooks that it runs.

use std::error::Error;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use prost::Message;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Certificate, Client, StatusCode};
use rustls::CertificateError;
use serde_json::Value;
use tonic_types::pb;

use crate::event::visible_line;
use crate::exporters::with_causes;
use crate::receivers::{CHECK, Checked};

use super::{local_client, speak_tls_with_ring};

/// A server that needs longer is not well.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much of an answer is shown.
const SHOWN: usize = 200;

/// What is sent, and where to.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) content_type: &'static str,
    pub(super) body: Vec<u8>,
    /// Files of certificates that the client trusts beside those of the system.
    pub(super) authorities: Vec<PathBuf>,
}

/// Sends it. An error says what to do.
pub(super) fn ask(question: &Question) -> Result<Checked, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let answer = runtime.block_on(send(question));
    runtime.shutdown_background();
    answer
}

async fn send(question: &Question) -> Result<Checked, String> {
    let url = &question.url;
    let mut request =
        client(question)?.post(url).header(CHECK, "1").header(CONTENT_TYPE, question.content_type);
    let mut shows_token = false;
    for (name, value) in &question.headers {
        shows_token |= name.eq_ignore_ascii_case("authorization");
        request = request.header(name.as_str(), value.as_str());
    }
    let answer =
        request.body(question.body.clone()).send().await.map_err(|error| unreachable(url, &error))?;
    let status = answer.status();
    let bytes = answer.bytes().await.unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    if status != StatusCode::OK {
        return Err(refused(url, status, &said(&bytes), shows_token));
    }
    let checked: Option<Checked> = serde_json::from_str(&text).ok();
    checked.filter(|checked| !checked.skillspan.is_empty()).ok_or_else(|| {
        format!(
            "{url} answered 200 and said nothing of the check: an older skillspan or another collector answers there, \
             or stands in between; whether sessions arrive behind it cannot be told from here"
        )
    })
}

fn client(question: &Question) -> Result<Client, String> {
    speak_tls_with_ring();
    if !question.url.starts_with("https://") {
        return local_client().timeout(PATIENCE).build().map_err(|error| error.to_string());
    }
    let mut authorities = Vec::new();
    for path in &question.authorities {
        let unreadable =
            |reason: String| format!("the certificates in {} cannot be read: {reason}", path.display());
        let pem = fs::read(path).map_err(|error| unreadable(error.to_string()))?;
        authorities
            .extend(Certificate::from_pem_bundle(&pem).map_err(|error| unreadable(error.to_string()))?);
    }
    let builder = Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none());
    builder.tls_certs_merge(authorities).build().map_err(|error| with_causes(&error))
}

/// What an error says, and whether it says it as OTLP does: in a `google.rpc.Status`.
struct Said {
    text: String,
    is_otlp: bool,
}

fn said(body: &[u8]) -> Said {
    let shown = |text: &str| visible_line(text.trim()).chars().take(SHOWN).collect::<String>();
    if let Ok(said) = serde_json::from_slice::<Value>(body) {
        let message = said.get("message").and_then(Value::as_str);
        let is_otlp = message.is_some() && said.get("code").is_some();
        let other =
            || said.get("error").and_then(Value::as_str).map_or_else(|| said.to_string(), str::to_owned);
        return Said { text: shown(&message.map_or_else(other, str::to_owned)), is_otlp };
    }
    match pb::Status::decode(body) {
        Ok(status) if status.code > 0 && !status.message.is_empty() => {
            Said { text: shown(&status.message), is_otlp: true }
        }
        _ => Said { text: shown(&String::from_utf8_lossy(body)), is_otlp: false },
    }
}

fn refused(url: &str, status: StatusCode, said: &Said, shows_token: bool) -> String {
    let Said { text: said, is_otlp } = said;
    match status {
        StatusCode::UNAUTHORIZED if !is_otlp => format!(
            "{url} answers 401, and not as a port for OTLP does, such as a console's: check the address, and the token if another collector is meant"
        ),
        StatusCode::UNAUTHORIZED if shows_token => format!(
            "{url} does not know the token (401): compare it with extensions.auth there, and write the right one with \
             `skillspan connect … --write --token-file FILE`"
        ),
        StatusCode::UNAUTHORIZED => format!(
            "{url} asks for a token (401) and the settings have none: `skillspan connect … --write --token-file FILE`"
        ),
        StatusCode::NOT_FOUND => format!("{url} answers 404: no skillspan listens there; check the address"),
        status if status.is_redirection() => {
            format!("{url} answers {status}: clients do not follow that; write the address that it leads to")
        }
        StatusCode::BAD_REQUEST if said.to_lowercase().contains("https") => {
            format!("{url} answers 400: {said}; write an address that begins with https://")
        }
        status => format!("{url} answers {status}: {said}"),
    }
}

/// Why there was no answer.
fn unreachable(url: &str, error: &reqwest::Error) -> String {
    let mut causes = Vec::new();
    collect(error, &mut causes);
    let tls = causes.iter().find_map(|cause| cause.downcast_ref::<rustls::Error>());
    let system = causes.iter().rev().find_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    let is_tls = url.starts_with("https://");
    match (tls, system) {
        (
            Some(rustls::Error::InvalidCertificate(
                reason
                @ (CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }),
            )),
            _,
        ) => format!(
            "the certificate of {url} is for another name: {reason}. Write the address with that name"
        ),
        (Some(rustls::Error::InvalidCertificate(reason)), _) => format!(
            "the certificate of {url} is not trusted: {reason}. Add its authority to those of the system, or name its \
             file as docs/guide/team.md says for this client"
        ),
        (Some(rustls::Error::InvalidMessage(_)), _) => {
            format!("{url} speaks no TLS: write an address that begins with http://, or check the port")
        }
        (Some(error), _) => format!("{url}: {error}"),
        (None, Some(io::ErrorKind::ConnectionRefused)) => {
            format!("nothing listens at {url}: start `skillspan run` there, or check the address")
        }
        (None, _) if error.is_timeout() => {
            format!(
                "{url} did not answer within {} s: check the address, and proxies and firewalls on the way",
                PATIENCE.as_secs()
            )
        }
        (None, _) if with_causes(error).contains("dns error") => {
            format!("no machine is known by the name in {url}")
        }
        (None, _) if error.is_connect() => format!("{url} cannot be reached: {}", with_causes(error)),
        (None, _) if !is_tls => format!(
            "{url} closed the connection without an answer: if TLS is spoken there, write an address that begins with https://"
        ),
        (None, _) => format!("{url}: {}", with_causes(error)),
    }
}

/// An error and its causes. An error of the system may wrap another one without naming it as its source.
fn collect<'e>(error: &'e (dyn Error + 'static), causes: &mut Vec<&'e (dyn Error + 'static)>) {
    causes.push(error);
    if let Some(inner) = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        collect(inner, causes);
    }
    if let Some(source) = error.source() {
        collect(source, causes);
    }
}

/// Whether an endpoint is on this machine, as far as its name tells.
pub(super) fn is_here(endpoint: &str) -> bool {
    let Ok(uri) = endpoint.parse::<http::Uri>() else { return true };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
