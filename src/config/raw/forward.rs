//! `exporters:` `otlp`, `otlphttp` and `langfuse`

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use crate::config::units::{ByteSize, Span};
use crate::exporters::otlp::Compression;
use crate::forward::OnFull;
use crate::secret::Secret;

/// Forwards what receivers receive to another backend.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Otlp {
    /// `http://` or `https://`, host and port; over HTTP with the path that `/v1/traces` is added to, of `langfuse`
    /// with the one that `/api/public/…` is added to.
    pub(in crate::config) endpoint: String,
    /// Only of `langfuse`: the keys of a project, for each tenant.
    pub(in crate::config) keys: BTreeMap<String, Keys>,
    /// Headers of each request, such as a credential.
    pub(in crate::config) headers: BTreeMap<String, Secret>,
    /// `gzip`, `zstd` or `none`.
    pub(in crate::config) compression: Compression,
    /// Over HTTP: `as_received`, `proto` or `json`.
    pub(in crate::config) encoding: Encoding,
    /// How long one request may take.
    pub(in crate::config) timeout: Span,
    /// The certificates to trust and to present.
    pub(in crate::config) tls: ClientTls,
    /// A proxy. Absent: the one that the environment names.
    pub(in crate::config) proxy: Option<Secret>,
    /// Whether credentials are removed. `off`: what waits is in memory only.
    pub(in crate::config) redact: Switch,
    /// What waits for the backend.
    pub(in crate::config) queue: Queue,
    /// The pauses between attempts.
    pub(in crate::config) retry: Retry,
    /// Waiting bodies travel in one request, up to this size.
    pub(in crate::config) batch: ByteSize,
}

impl Default for Otlp {
    fn default() -> Self {
        Self {
            endpoint: String::new(),
            keys: BTreeMap::new(),
            headers: BTreeMap::new(),
            compression: Compression::default(),
            encoding: Encoding::default(),
            timeout: Span(Duration::from_secs(10)),
            tls: ClientTls::default(),
            proxy: None,
            redact: Switch::On,
            queue: Queue::default(),
            retry: Retry::default(),
            batch: ByteSize(1 << 20),
        }
    }
}

/// Of a project of Langfuse's.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Keys {
    /// The project's public key, `pk-lf-…`.
    pub(in crate::config) public_key: Secret,
    /// The project's secret key, `sk-lf-…`.
    pub(in crate::config) secret_key: Secret,
}

/// Files of PEM.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct ClientTls {
    /// The authorities to trust for the backend. Absent: those of this machine.
    pub(in crate::config) ca_file: Option<String>,
    /// Our certificate, for a backend that asks for one.
    pub(in crate::config) cert_file: Option<String>,
    /// The key of our certificate.
    pub(in crate::config) key_file: Option<String>,
}

/// The encoding of bodies over HTTP.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum Encoding {
    /// The one that the client chose.
    #[default]
    AsReceived,
    /// Protocol Buffers.
    Proto,
    /// OTLP's JSON.
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum Switch {
    On,
    Off,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Queue {
    /// Bytes that may wait. Absent: 1GiB on the disk, 64MiB in memory.
    pub(in crate::config) max_size: Option<ByteSize>,
    /// `drop_oldest`, or `refuse`: clients are asked to try again.
    pub(in crate::config) on_full: OnFull,
}

/// Twice as long each time.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Retry {
    /// The first pause.
    pub(in crate::config) initial: Span,
    /// The longest pause.
    pub(in crate::config) max: Span,
}

impl Default for Retry {
    fn default() -> Self {
        Self { initial: Span(Duration::from_secs(1)), max: Span(Duration::from_secs(30)) }
    }
}
