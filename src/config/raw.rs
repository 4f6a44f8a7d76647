//! Every key of a configuration file, as it is written.
//!
//! Field documentation is the keys' documentation. A key whose part is not built yet has the type
//! [`NotSupportedYet`] and is refused wherever it stands. What is absent has the default that its
//! `Default` implementation or `#[serde(default)]` names; a component that the file names replaces the
//! built-in component of that name as a whole (`mod.rs`).

use std::time::Duration;

use serde::Deserialize;
use serde::de::{self, Deserializer};

use super::components::{Components, Named};
use super::units::{ByteSize, Endpoint, Span, Zstd};

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Raw {
    /// Services beside the pipelines, and what several parts refer to.
    pub(super) extensions: Extensions,
    /// Where records come in, by component id (`type` or `type/name`).
    pub(super) receivers: Components<Receiver>,
    /// What happens to events before they are stored.
    pub(super) processors: Components<Processor>,
    /// Where data goes.
    pub(super) exporters: Components<Exporter>,
    /// What stands between two pipelines.
    pub(super) connectors: Components<Connector>,
    /// What runs, and how.
    pub(super) service: Service,
}

/// A key of the documented schema whose part is not built yet.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct NotSupportedYet;

impl<'de> Deserialize<'de> for NotSupportedYet {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(de::Error::custom("not supported yet"))
    }
}

/// A section that is written is there, with its defaults if it is empty.
fn written<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Extensions {
    /// `/health`, `/ready` and `/metrics`.
    #[serde(deserialize_with = "written")]
    pub(super) health: Option<Health>,
    /// Where the sessions table is.
    #[serde(deserialize_with = "written")]
    pub(super) sessions_table: Option<SessionsTable>,
    /// Who may send.
    auth: NotSupportedYet,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Health {
    /// Where to listen.
    pub(super) endpoint: Endpoint,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SessionsTable {
    /// A folder; `~` is the home directory. Absent: `sessions` in the data folder.
    pub(super) path: Option<String>,
    /// How long sessions are kept. Until it is built they are kept for ever.
    retention: NotSupportedYet,
}

/// `receivers:`
#[derive(Debug)]
pub(super) enum Receiver {
    Otlp(Otlp),
}

impl Named for Receiver {
    const SECTION: &'static str = "receivers";
    const TYPES: &'static [&'static str] = &["otlp"];
    const NOT_YET: &'static [&'static str] = &["langfuse", "hooks"];

    fn deserialize<'de, D: Deserializer<'de>>(_: &str, deserializer: D) -> Result<Self, D::Error> {
        Otlp::deserialize(deserializer).map(Self::Otlp)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Otlp {
    /// Absent: both protocols. Written: those that stand in it.
    #[serde(deserialize_with = "written")]
    pub(super) protocols: Option<Protocols>,
    /// Listen beyond this machine although nobody has to show a credential.
    pub(super) insecure: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Protocols {
    /// OTLP over gRPC.
    #[serde(deserialize_with = "written")]
    pub(super) grpc: Option<Grpc>,
    /// OTLP over HTTP, protobuf and JSON.
    #[serde(deserialize_with = "written")]
    pub(super) http: Option<Http>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Grpc {
    /// Where to listen.
    pub(super) endpoint: Endpoint,
    /// The largest request, after decompression.
    pub(super) max_message: ByteSize,
    /// Certificates.
    tls: NotSupportedYet,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Http {
    /// Where to listen.
    pub(super) endpoint: Endpoint,
    /// The largest request, after decompression.
    pub(super) max_body: ByteSize,
}

/// `processors:`
#[derive(Debug)]
pub(super) enum Processor {
    Redact(Redact),
    Workspace(Workspace),
    Limits(Limits),
}

impl Named for Processor {
    const SECTION: &'static str = "processors";
    const TYPES: &'static [&'static str] = &["redact", "workspace", "limits"];
    const NOT_YET: &'static [&'static str] = &["mappings"];

    fn deserialize<'de, D: Deserializer<'de>>(kind: &str, deserializer: D) -> Result<Self, D::Error> {
        match kind {
            "redact" => Redact::deserialize(deserializer).map(Self::Redact),
            "workspace" => Workspace::deserialize(deserializer).map(Self::Workspace),
            _ => Limits::deserialize(deserializer).map(Self::Limits),
        }
    }
}

/// Credentials leave every text before it is stored.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Redact {
    /// Rules of your own.
    rules: NotSupportedYet,
    /// Attributes that are not stored at all.
    pub(super) drop_attributes: Vec<String>,
    /// Redact e-mail addresses too.
    emails: NotSupportedYet,
    /// Redact home directories too.
    home_directories: NotSupportedYet,
}

/// Which workspace a session belongs to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Workspace {
    /// Attributes that name it, in order of precedence.
    pub(super) from: Vec<String>,
    /// The workspace of sessions that name none.
    pub(super) default: String,
}

/// Bounds on what one event may hold.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Limits {
    /// The longest text; what is longer is cut and marked.
    pub(super) attribute: ByteSize,
    /// Rates.
    per_tenant: NotSupportedYet,
}

/// `exporters:`
#[derive(Debug)]
pub(super) enum Exporter {
    Parquet(Parquet),
    Filesystem(Filesystem),
}

impl Named for Exporter {
    const SECTION: &'static str = "exporters";
    const TYPES: &'static [&'static str] = &["parquet", "filesystem"];
    const NOT_YET: &'static [&'static str] = &["deeplake", "git"];

    fn deserialize<'de, D: Deserializer<'de>>(kind: &str, deserializer: D) -> Result<Self, D::Error> {
        match kind {
            "parquet" => Parquet::deserialize(deserializer).map(Self::Parquet),
            _ => Filesystem::deserialize(deserializer).map(Self::Filesystem),
        }
    }
}

/// From the journal to the sessions table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Parquet {
    /// The extension that says where the table is.
    pub(super) table: String,
    /// When a file is written.
    pub(super) flush: Flush,
    /// `zstd(1)` to `zstd(22)`.
    pub(super) compression: Zstd,
}

/// Whichever comes first.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Flush {
    /// So many events wait.
    pub(super) rows: u64,
    /// So many bytes wait.
    pub(super) bytes: ByteSize,
    /// The oldest event has waited so long.
    pub(super) age: Span,
    /// A session said that it ended.
    pub(super) on_session_end: bool,
}

/// Skills as a folder.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Filesystem {
    /// The folder; `~` is the home directory. Absent: `skills` in the data folder.
    pub(super) path: Option<String>,
    /// `library`: a repository of skills.
    pub(super) layout: Layout,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    #[default]
    Library,
}

impl<'de> Deserialize<'de> for Layout {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "library" => Ok(Self::Library),
            "project" => Err(de::Error::custom("the layout `project` is not supported yet")),
            other => Err(de::Error::custom(format_args!("expected library or project, found `{other}`"))),
        }
    }
}

/// `connectors:`
#[derive(Debug)]
pub(super) enum Connector {
    Skillify(Skillify),
}

impl Named for Connector {
    const SECTION: &'static str = "connectors";
    const TYPES: &'static [&'static str] = &["skillify"];
    const NOT_YET: &'static [&'static str] = &[];

    fn deserialize<'de, D: Deserializer<'de>>(_: &str, deserializer: D) -> Result<Self, D::Error> {
        Skillify::deserialize(deserializer).map(Self::Skillify)
    }
}

/// Mines the sessions table for skills.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Skillify {
    /// The extension that says where the table is.
    pub(super) table: String,
    /// A workspace is due after so many new turns, closed session or not.
    pub(super) every_turns: u64,
    /// A session with nothing new for so long is closed.
    pub(super) idle: Span,
    /// The shortest time between two runs.
    pub(super) min_interval: Span,
    /// What a skill needs to be published.
    pub(super) publish: Publish,
    /// Who words the skills.
    pub(super) proposer: Proposer,
    /// How several workers agree on one.
    pub(super) coordination: Coordination,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Publish {
    /// At least so many sessions support it …
    pub(super) sessions: u64,
    /// … of at least so many people.
    pub(super) people: u64,
}

/// `offline` needs no key, no model and no network.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Proposer;

impl<'de> Deserialize<'de> for Proposer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Proposer;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("offline")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Proposer, E> {
                if name == "offline" { Ok(Proposer) } else { Err(E::custom("expected offline")) }
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Proposer, A::Error> {
                match map.next_key::<String>()?.as_deref() {
                    Some("anthropic" | "openai") => Err(de::Error::custom("not supported yet; use offline")),
                    _ => Err(de::Error::custom("expected offline")),
                }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// `file`: a lock beside the target.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Coordination;

impl<'de> Deserialize<'de> for Coordination {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "file" => Ok(Self),
            "kubernetes" => Err(de::Error::custom("`kubernetes` is not supported yet; use file")),
            other => Err(de::Error::custom(format_args!("expected file or kubernetes, found `{other}`"))),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Service {
    /// The durable log between a client's answer and the table.
    #[serde(deserialize_with = "written")]
    pub(super) journal: Option<Journal>,
    /// The memory that all requests in flight may take together.
    pub(super) memory_limit: Option<ByteSize>,
    /// What the process says of itself.
    #[serde(deserialize_with = "written")]
    pub(super) telemetry: Option<Telemetry>,
    /// What is connected with what.
    pub(super) pipelines: Option<Components<Pipeline>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Journal {
    /// A folder on a local disk. Absent: `journal` in the data folder.
    pub(super) path: Option<String>,
    /// Beyond it, requests are refused until the table has caught up.
    pub(super) max_size: ByteSize,
    /// The size of one file of it.
    pub(super) segment: ByteSize,
    /// `fsync`: what is answered survives a power cut. `os`: it survives the end of the process only.
    pub(super) durability: Durability,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Durability {
    #[default]
    Fsync,
    Os,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Telemetry {
    /// Log lines on standard error.
    pub(super) logs: Logs,
    /// Metrics to a collector; `/metrics` serves them in any case.
    metrics: NotSupportedYet,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Logs {
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub(super) level: Level,
    /// `text` or `json`.
    pub(super) format: LogFormat,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum LogFormat {
    #[default]
    Text,
    Json,
}

/// `service.pipelines:` a pipeline's kind is its name's first part.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Pipeline {
    pub(super) receivers: Vec<String>,
    pub(super) processors: Vec<String>,
    pub(super) exporters: Vec<String>,
}

impl Named for Pipeline {
    const SECTION: &'static str = "pipelines";
    const TYPES: &'static [&'static str] = &["sessions", "skills"];
    const NOT_YET: &'static [&'static str] = &[];

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

impl Default for Grpc {
    fn default() -> Self {
        Self { endpoint: loopback(4317), max_message: ByteSize(64 << 20), tls: NotSupportedYet }
    }
}

impl Default for Http {
    fn default() -> Self {
        Self { endpoint: loopback(4318), max_body: ByteSize(64 << 20) }
    }
}

impl Default for Redact {
    fn default() -> Self {
        Self {
            rules: NotSupportedYet,
            drop_attributes: ["process.command_args", "process.owner", "host.id"].map(str::to_owned).into(),
            emails: NotSupportedYet,
            home_directories: NotSupportedYet,
        }
    }
}

impl Default for Workspace {
    fn default() -> Self {
        Self {
            from: ["skillspan.workspace", "workspace", "deployment.workspace"].map(str::to_owned).into(),
            default: "default".to_owned(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { attribute: ByteSize(256 << 10), per_tenant: NotSupportedYet }
    }
}

impl Default for Parquet {
    fn default() -> Self {
        Self { table: "sessions_table".to_owned(), flush: Flush::default(), compression: Zstd(1) }
    }
}

impl Default for Flush {
    fn default() -> Self {
        Self {
            rows: 50_000,
            bytes: ByteSize(64 << 20),
            age: Span(Duration::from_secs(30)),
            on_session_end: true,
        }
    }
}

impl Default for Skillify {
    fn default() -> Self {
        Self {
            table: "sessions_table".to_owned(),
            every_turns: 20,
            idle: Span(Duration::from_secs(30 * 60)),
            min_interval: Span(Duration::from_secs(60)),
            publish: Publish::default(),
            proposer: Proposer,
            coordination: Coordination,
        }
    }
}

impl Default for Publish {
    fn default() -> Self {
        Self { sessions: 2, people: 2 }
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
