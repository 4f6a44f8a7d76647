//! Every key of a configuration file, as it is written.
//!
//! The documentation of a field is that of its key. An absent key has the default of its `Default` implementation or
//! `#[serde(default)]`. Before this, what a file writes was merged by key with the built-in configuration
//! (`layers.rs`).

mod embeddings;
mod exporters;
mod forward;
mod processors;
mod proposer;
mod receivers;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, Visitor};

use crate::config::components::{Components, Named, type_of};
use crate::config::units::{ByteSize, Endpoint, Span};
use crate::secret::Secret;

pub(super) use embeddings::Embeddings;
pub(super) use exporters::{
    AgentsMd, Connector, Deeplake, Exporter, Filesystem, Git, GitAuth, Layout, Mode, Route, Scope,
    SessionsOf, SkillLimits,
};
pub(super) use forward::{ClientTls, Encoding, Keys, Otlp as Forwarder, Switch};
pub(super) use processors::{
    Action, Attribute, Attributes, Filter, Kind, MatchType, Sampling, Selection, Selections,
};
pub(super) use proposer::{Count, Limits, Model, Proposer, Sees, Use};
pub(super) use receivers::{
    Cors, Grpc, Hooks, Http, Langfuse, Otlp, PerTenant, Processor, Protocols, Receiver, Redact, Tls,
    Transcripts, Workspace,
};

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Raw {
    /// Services beside the pipelines, and what several parts refer to.
    pub(in crate::config) extensions: Extensions,
    /// Where records come in, by component id (`type` or `type/name`).
    pub(in crate::config) receivers: Components<Receiver>,
    /// What happens to events before they are stored.
    pub(in crate::config) processors: Components<Processor>,
    /// Where data goes.
    pub(in crate::config) exporters: Components<Exporter>,
    /// What connects two pipelines.
    pub(in crate::config) connectors: Components<Connector>,
    /// What runs, and how.
    pub(in crate::config) service: Service,
}

/// The type of the extension that says where sessions are, and the id of the usual one.
pub(in crate::config) const SESSIONS_TABLE: &str = "sessions_table";

/// The id of the usual redaction.
pub(in crate::config) const REDACT: &str = "redact";

/// A section that is written exists, with its defaults if it is empty.
fn written<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

#[derive(Debug, Default)]
pub(in crate::config) struct Extensions {
    /// `/health`, `/ready` and `/metrics`.
    pub(in crate::config) health: Option<Health>,
    /// Pages that show sessions and skills, and take decisions.
    pub(in crate::config) console: Option<Console>,
    /// Where sessions are stored, by id: `sessions_table` or `sessions_table/name`.
    pub(in crate::config) sessions_tables: BTreeMap<String, SessionsTable>,
    /// Who may send. Absent: anyone who reaches the port.
    pub(in crate::config) auth: Option<Auth>,
}

impl<'de> Deserialize<'de> for Extensions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ExtensionsVisitor)
    }
}

struct ExtensionsVisitor;

impl<'de> Visitor<'de> for ExtensionsVisitor {
    type Value = Extensions;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("keys with values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Extensions, A::Error> {
        let mut extensions = Extensions::default();
        while let Some(id) = map.next_key_seed(ExtensionSeed)? {
            match id.as_str() {
                "health" => extensions.health = Some(map.next_value()?),
                "auth" => extensions.auth = Some(map.next_value()?),
                "console" => extensions.console = Some(map.next_value()?),
                _ => drop(extensions.sessions_tables.insert(id, map.next_value()?)),
            }
        }
        Ok(extensions)
    }
}

struct ExtensionSeed;

impl<'de> DeserializeSeed<'de> for ExtensionSeed {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        let id = String::deserialize(deserializer)?;
        if matches!(id.as_str(), "health" | "auth" | "console") || type_of(&id) == SESSIONS_TABLE {
            return Ok(id);
        }
        Err(de::Error::unknown_field(&id, &["health", "console", SESSIONS_TABLE, "auth"]))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Auth {
    /// The tokens that may send. A tenant may have several, to change one after the other.
    pub(in crate::config) tokens: Vec<Token>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Token {
    /// The user of a Basic pair, and the token's name in messages.
    pub(in crate::config) id: String,
    /// The token: `Bearer <secret>`, or `Basic <id>:<secret>`.
    #[serde(default)]
    pub(in crate::config) secret: Option<Secret>,
    /// Instead of `secret`, the token's SHA-256 in hex.
    #[serde(default)]
    pub(in crate::config) secret_sha256: Option<Secret>,
    /// The tenant of the events that are sent with it.
    pub(in crate::config) tenant: String,
    /// The workspace of all its requests. Absent: the one that the payload names, within the tenant.
    #[serde(default)]
    pub(in crate::config) workspace: Option<String>,
    /// The person of all its requests, whatever the payload says.
    #[serde(default)]
    pub(in crate::config) user: Option<String>,
    /// What the token allows. Absent: `[write]`.
    #[serde(default = "Token::writes")]
    pub(in crate::config) roles: Vec<Role>,
}

impl Token {
    fn writes() -> Vec<Role> {
        vec![Role::Write]
    }
}

/// What a token allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum Role {
    /// Send sessions.
    Write,
    /// See its tenant's sessions and skills.
    Read,
    /// See proposals, accept and refuse them.
    Review,
    /// See people's names.
    People,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Health {
    /// Where to listen.
    pub(in crate::config) endpoint: Endpoint,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Console {
    /// `false`: no pages.
    pub(in crate::config) enabled: bool,
    /// Where to listen.
    pub(in crate::config) endpoint: Endpoint,
    /// Other names by which browsers reach it; a request for any other name is refused.
    pub(in crate::config) hosts: Vec<String>,
    /// The certificate, which a console beyond this machine needs.
    pub(in crate::config) tls: Option<Tls>,
    /// What assistants may ask.
    pub(in crate::config) mcp: Mcp,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Mcp {
    /// `false`: assistants may ask nothing.
    pub(in crate::config) enabled: bool,
    /// Whether assistants may read whole sessions.
    pub(in crate::config) read_session: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct SessionsTable {
    /// A folder (`~` is the home directory), or `s3://bucket/prefix`, `gs://…`, `az://container/prefix`
    /// with credentials from the environment. Absent: `sessions` in the data folder.
    pub(in crate::config) path: Option<String>,
    /// How long sessions are kept, in whole days of their ingestion. Absent: for ever.
    pub(in crate::config) retention: Option<Span>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Service {
    /// The durable log between a client's answer and the table.
    #[serde(deserialize_with = "written")]
    pub(in crate::config) journal: Option<Journal>,
    /// The memory that all requests in flight may take together.
    pub(in crate::config) memory_limit: Option<ByteSize>,
    /// How many connections there may be, and how long one may be idle.
    #[serde(deserialize_with = "written")]
    pub(in crate::config) connections: Option<Connections>,
    /// The process's own logs and metrics.
    #[serde(deserialize_with = "written")]
    pub(in crate::config) telemetry: Option<Telemetry>,
    /// Which components are connected.
    pub(in crate::config) pipelines: Option<Components<Pipeline>>,
}

/// Limits of all ports together, within what the system allows the process.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Connections {
    /// In all.
    pub(in crate::config) max: u64,
    /// From one address.
    pub(in crate::config) per_address: u64,
    /// One without a request is closed after this time.
    pub(in crate::config) idle: Span,
}

impl Default for Connections {
    fn default() -> Self {
        Self { max: 8192, per_address: 4096, idle: Span(Duration::from_secs(120)) }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Journal {
    /// A folder on a local disk. Absent: `journal` in the data folder.
    pub(in crate::config) path: Option<String>,
    /// Its largest size. Beyond it, requests are refused until the table has caught up.
    pub(in crate::config) max_size: ByteSize,
    /// The size of one file of it.
    pub(in crate::config) segment: ByteSize,
    /// `fsync`: answered requests survive a power cut. `os`: they survive only the end of the process.
    pub(in crate::config) durability: Durability,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum Durability {
    #[default]
    Fsync,
    Os,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Telemetry {
    /// Log lines on standard error.
    pub(in crate::config) logs: Logs,
    /// Metrics to a collector; `/metrics` serves them in any case.
    pub(in crate::config) metrics: Metrics,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Metrics {
    /// To an OpenTelemetry collector, over OTLP/HTTP.
    pub(in crate::config) otlp: Option<OtlpMetrics>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct OtlpMetrics {
    /// `http://` or `https://`, host and port; without a path, that of OTLP.
    pub(in crate::config) endpoint: String,
    /// How often they are sent.
    #[serde(default = "OtlpMetrics::interval")]
    pub(in crate::config) interval: Span,
    /// Headers of each request, such as a credential.
    #[serde(default)]
    pub(in crate::config) headers: BTreeMap<String, Secret>,
}

impl OtlpMetrics {
    const fn interval() -> Span {
        Span(Duration::from_secs(60))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Logs {
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub(in crate::config) level: Level,
    /// `text` or `json`.
    pub(in crate::config) format: LogFormat,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum Level {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum LogFormat {
    #[default]
    Text,
    Json,
}

/// `service.pipelines:` a pipeline's kind is its name's first part.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Pipeline {
    /// The receivers that feed it, by component id.
    pub(in crate::config) receivers: Vec<String>,
    /// Its processors, in the order in which they run.
    pub(in crate::config) processors: Vec<String>,
    /// Where its data goes, by component id.
    pub(in crate::config) exporters: Vec<String>,
}

impl Named for Pipeline {
    const SECTION: &'static str = "pipelines";
    const TYPES: &'static [&'static str] = &["sessions", "skills", "traces", "logs", "metrics"];

    fn deserialize<'de, D: Deserializer<'de>>(_: &str, deserializer: D) -> Result<Self, D::Error> {
        <Self as Deserialize>::deserialize(deserializer)
    }
}

const fn loopback(port: u16) -> Endpoint {
    Endpoint(std::net::SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), port))
}

impl Default for Health {
    fn default() -> Self {
        Self { endpoint: loopback(13133) }
    }
}

impl Default for Console {
    fn default() -> Self {
        Self { enabled: true, endpoint: loopback(4320), hosts: Vec::new(), tls: None, mcp: Mcp::default() }
    }
}

impl Default for Mcp {
    fn default() -> Self {
        Self { enabled: true, read_session: false }
    }
}

impl Default for Journal {
    fn default() -> Self {
        Self {
            path: None,
            max_size: ByteSize(4 << 30),
            segment: ByteSize(64 << 20),
            durability: Durability::Fsync,
        }
    }
}
