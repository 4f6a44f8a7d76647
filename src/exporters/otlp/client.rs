//! One request to a backend.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use flate2::write::GzEncoder;
use http::HeaderMap;
use http_body_util::{BodyExt, Limited};
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, TE};
use reqwest::{Certificate, Identity, Proxy, Url};
use tonic::Status;

use crate::event::Signal;
use crate::exporters::with_causes;
use crate::forward::{Body, Form, hops};

use super::answer::{self, Answer};
use super::{Compression, Config, Protocol};

/// An answer is read up to here.
const LONGEST_ANSWER: usize = 1 << 20;

/// Why a sender does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A file of `tls` cannot be used.
    #[error("{exporter}: tls: {}: {message}", path.display())]
    File {
        /// The component's id.
        exporter: String,
        /// The file.
        path: PathBuf,
        /// The fault of the file; never its content.
        message: String,
    },
    /// There is no client for this configuration.
    #[error("{exporter}: {message}")]
    Client {
        /// The component's id.
        exporter: String,
        /// Why.
        message: String,
    },
}

pub(super) struct Client {
    http: reqwest::Client,
    endpoint: Url,
    headers: HeaderMap,
    protocol: Protocol,
    compression: Compression,
}

impl Client {
    pub(super) fn new(config: &Config) -> Result<Self, StartError> {
        Ok(Self {
            http: http_client(config)?,
            endpoint: config.endpoint.clone(),
            headers: config.headers.clone(),
            protocol: config.protocol,
            compression: config.compression,
        })
    }

    /// Reads the files of `tls` again. If they cannot be used, the client stays as it is.
    pub(super) fn renew(&mut self, config: &Config) {
        if config.tls.ca_file.is_none() && config.tls.identity.is_none() {
            return;
        }
        match http_client(config) {
            Ok(client) => self.http = client,
            Err(error) => tracing::debug!(%error, "the certificates of before stay"),
        }
    }

    /// Sends a body that arrived with these marks of [`hops`].
    pub(super) async fn send(&self, signal: Signal, body: &Body, hops: &str) -> Answer {
        let hops = hops::onward(hops);
        let sent = match self.protocol {
            Protocol::Http | Protocol::Langfuse => self.over_http(signal, body, &hops).await,
            Protocol::Grpc => self.over_grpc(signal, body, &hops).await,
        };
        sent.unwrap_or_else(|why| Answer::Again { after: None, kind: kind_of(&why), why })
    }

    async fn over_http(&self, signal: Signal, body: &Body, hops: &str) -> Result<Answer, String> {
        let mut url = self.endpoint.clone();
        let path = match (self.protocol, body.form) {
            (_, Form::Ingestion) => "api/public/ingestion".to_owned(),
            (_, Form::Scores) => "api/public/scores".to_owned(),
            (Protocol::Langfuse, _) => format!("api/public/otel/v1/{}", signal.as_str()),
            _ => format!("v1/{}", signal.as_str()),
        };
        url.set_path(&format!("{}/{path}", url.path().trim_end_matches('/')));
        let content_type = match body.form {
            Form::Protobuf => "application/x-protobuf",
            Form::Json | Form::Ingestion | Form::Scores => "application/json",
        };
        let mut request = self.http.post(url).headers(self.headers.clone());
        request = request.header(CONTENT_TYPE, content_type).header(hops::HEADER, hops);
        let mut bytes = body.bytes.clone();
        // Langfuse's server reads compressed OTLP, and nothing else that is compressed.
        if let Some(name) = self.coding().filter(|_| !body.form.is_of_langfuse()) {
            request = request.header(CONTENT_ENCODING, name);
            bytes = self.compressed(&bytes)?;
        }
        let answer = request.body(bytes).send().await.map_err(in_words)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        // A backend that has taken it may break off while it says so.
        let body = Limited::new(reqwest::Body::from(answer), LONGEST_ANSWER).collect().await;
        let body = body.map(|body| body.to_bytes()).unwrap_or_default();
        Ok(answer::of_http(self.protocol, status, &headers, &body))
    }

    async fn over_grpc(&self, signal: Signal, body: &Body, hops: &str) -> Result<Answer, String> {
        let service = match signal {
            Signal::Traces => "trace.v1.TraceService",
            Signal::Logs => "logs.v1.LogsService",
            Signal::Metrics => "metrics.v1.MetricsService",
        };
        let mut url = self.endpoint.clone();
        url.set_path(&format!("/opentelemetry.proto.collector.{service}/Export"));
        let mut request = self.http.post(url).headers(self.headers.clone());
        request = request.header(CONTENT_TYPE, "application/grpc").header(TE, "trailers");
        request = request.header(hops::HEADER, hops);
        if let Some(name) = self.coding() {
            request = request.header("grpc-encoding", name);
        }
        let message = self.compressed(&body.bytes)?;
        let length = u32::try_from(message.len()).map_err(|_| "the body is too large for gRPC".to_owned())?;
        let mut framed = Vec::with_capacity(message.len() + 5);
        framed.push(u8::from(self.coding().is_some()));
        framed.extend_from_slice(&length.to_be_bytes());
        framed.extend_from_slice(&message);
        let answer = request.body(framed).send().await.map_err(in_words)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = Limited::new(reqwest::Body::from(answer), LONGEST_ANSWER).collect().await;
        let body = body.map_err(|error| format!("the answer broke off: {error}"))?;
        // An error without a message is in the headers.
        let found = body.trailers().and_then(Status::from_header_map);
        match found.or_else(|| Status::from_header_map(&headers)) {
            Some(status) => Ok(answer::of_grpc(&status, &body.to_bytes())),
            None if status.is_success() => {
                Ok(answer::of_http(self.protocol, http::StatusCode::NOT_FOUND, &headers, b"no gRPC"))
            }
            None => Ok(answer::of_http(self.protocol, status, &headers, &body.to_bytes())),
        }
    }

    const fn coding(&self) -> Option<&'static str> {
        match self.compression {
            Compression::None => None,
            Compression::Gzip => Some("gzip"),
            Compression::Zstd => Some("zstd"),
        }
    }

    fn compressed(&self, bytes: &Bytes) -> Result<Bytes, String> {
        let compressed = match self.compression {
            Compression::None => return Ok(bytes.clone()),
            Compression::Gzip => gzip(bytes),
            Compression::Zstd => zstd::stream::encode_all(bytes.as_ref(), 1),
        };
        compressed.map(Bytes::from).map_err(|error| error.to_string())
    }
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), flate2::Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// What a server says of a client's certificate, or of none, when it ends a handshake.
const OF_CLIENT_CERTIFICATES: [&str; 10] = [
    "CertificateRequired",
    "NoCertificate",
    "BadCertificate",
    "UnsupportedCertificate",
    "CertificateRevoked",
    "CertificateExpired",
    "CertificateUnknown",
    "UnknownCA",
    "AccessDenied",
    // What servers of TLS 1.2 say where none is shown.
    "HandshakeFailure",
];

/// What is in the way of a request that was not answered, in a word.
fn kind_of(why: &str) -> &'static str {
    let alert = why.split_once("received fatal alert: ").map(|(_, alert)| alert);
    match alert {
        Some(alert) if OF_CLIENT_CERTIFICATES.iter().any(|one| alert.starts_with(one)) => {
            "client_certificate"
        }
        None if why.contains("certificate") => "certificate",
        _ => "unreachable",
    }
}

/// Without the URL, which the component's id stands for.
fn in_words(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return "it does not answer in time".to_owned();
    }
    with_causes(&error.without_url())
}

/// Whether the files of `tls` can be used, as the start would find out.
///
/// # Errors
/// If one cannot be.
pub fn check(config: &Config) -> Result<(), StartError> {
    http_client(config).map(drop)
}

fn http_client(config: &Config) -> Result<reqwest::Client, StartError> {
    // An earlier caller has installed the same provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let exporter = || config.name.clone();
    let client = |error: reqwest::Error| StartError::Client {
        exporter: exporter(),
        message: with_causes(&error.without_url()),
    };
    let mut builder = reqwest::Client::builder()
        .timeout(config.timeout)
        .connect_timeout(config.timeout)
        // A key must not follow a redirect to another host.
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("skillspan/", env!("CARGO_PKG_VERSION")));
    builder = match config.protocol {
        Protocol::Grpc => builder.http2_prior_knowledge(),
        Protocol::Http | Protocol::Langfuse => builder.http1_only(),
    };
    if let Some(proxy) = &config.proxy {
        builder = builder.proxy(Proxy::all(proxy.reveal()).map_err(client)?);
    }
    let unusable = |path: &Path, message: &str| StartError::File {
        exporter: exporter(),
        path: path.to_owned(),
        message: message.to_owned(),
    };
    let read = |path: &Path| {
        std::fs::read(path).map_err(|error| unusable(path, &format!("cannot be read: {error}")))
    };
    if let Some(path) = &config.tls.ca_file {
        let certificates = Certificate::from_pem_bundle(&read(path)?);
        let certificates = certificates.ok().filter(|found| !found.is_empty());
        let certificates = certificates.ok_or_else(|| unusable(path, "there is no certificate in it"))?;
        builder = builder.tls_certs_only(certificates);
    }
    if let Some((certificate, key)) = &config.tls.identity {
        let pem = [read(certificate)?, read(key)?].join(&b'\n');
        let message = "is no certificate with this key, as PEM";
        builder = builder.identity(Identity::from_pem(&pem).map_err(|_| unusable(certificate, message))?);
    }
    builder.build().map_err(client)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_the_way_is_told_from_what_was_said() {
        for (why, kind) in [
            (
                "client error (SendRequest): connection error: received fatal alert: UnknownCA",
                "client_certificate",
            ),
            ("client error (SendRequest): received fatal alert: CertificateRequired", "client_certificate"),
            ("client error (Connect): received fatal alert: HandshakeFailure", "client_certificate"),
            ("client error (Connect): invalid peer certificate: UnknownIssuer", "certificate"),
            ("client error (Connect): received fatal alert: ProtocolVersion", "unreachable"),
            ("client error (Connect): tcp connect error: Connection refused", "unreachable"),
        ] {
            assert_eq!(kind_of(why), kind, "{why}");
        }
    }
}
