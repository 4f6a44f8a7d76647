//! `receivers:` and `processors:`

use std::time::Duration;

use serde::Deserialize;
use serde::de::Deserializer;

use crate::config::components::Named;
use crate::config::units::{ByteRate, ByteSize, Endpoint, RequestRate, Span};
use crate::dialects::{TRANSCRIPTS, UserMapping};
use crate::redact::RuleSpec;
use crate::secret::Secret;

use super::{Attributes, Filter, Sampling, loopback, written};

/// `receivers:`
#[derive(Debug)]
pub(in crate::config) enum Receiver {
    Otlp(Box<Otlp>),
    Langfuse(Langfuse),
    Hooks(Hooks),
    Transcripts(Transcripts),
}

impl Named for Receiver {
    const SECTION: &'static str = "receivers";
    const TYPES: &'static [&'static str] = &["otlp", "langfuse", "hooks", "transcripts"];

    fn deserialize<'de, D: Deserializer<'de>>(kind: &str, deserializer: D) -> Result<Self, D::Error> {
        match kind {
            "hooks" => Hooks::deserialize(deserializer).map(Self::Hooks),
            "transcripts" => Transcripts::deserialize(deserializer).map(Self::Transcripts),
            "langfuse" => Langfuse::deserialize(deserializer).map(Self::Langfuse),
            _ => Otlp::deserialize(deserializer).map(|otlp| Self::Otlp(Box::new(otlp))),
        }
    }
}

/// `POST /v1/hooks/{assistant}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Hooks {
    /// The receiver on whose port it listens: one of type `otlp`, in the same pipeline.
    pub(in crate::config) endpoint: String,
}

impl Default for Hooks {
    fn default() -> Self {
        Self { endpoint: "otlp".to_owned() }
    }
}

/// The files in which assistants of this machine keep their sessions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Transcripts {
    /// Assistants whose files are read. Absent: all that skillspan knows.
    pub(in crate::config) assistants: Vec<String>,
    /// Files without changes for this long are left alone.
    pub(in crate::config) since: Span,
}

impl Default for Transcripts {
    fn default() -> Self {
        let assistants = TRANSCRIPTS.iter().map(|known| known.assistant.to_owned()).collect();
        Self { assistants, since: Span(Duration::from_secs(30 * 24 * 3600)) }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Otlp {
    /// Absent: both protocols. Otherwise: those that it names.
    #[serde(deserialize_with = "written")]
    pub(in crate::config) protocols: Option<Protocols>,
    /// Listen beyond this machine although nobody needs a credential.
    pub(in crate::config) insecure: bool,
}

/// Langfuse's own paths.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Langfuse {
    /// The OTLP receiver on whose ports Langfuse's paths are served.
    pub(in crate::config) endpoint: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Protocols {
    /// OTLP over gRPC.
    #[serde(deserialize_with = "written")]
    pub(in crate::config) grpc: Option<Grpc>,
    /// OTLP over HTTP, protobuf and JSON.
    #[serde(deserialize_with = "written")]
    pub(in crate::config) http: Option<Http>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Grpc {
    /// Where to listen.
    pub(in crate::config) endpoint: Endpoint,
    /// The largest request, after decompression.
    pub(in crate::config) max_message: ByteSize,
    /// Certificates.
    #[serde(deserialize_with = "written")]
    pub(in crate::config) tls: Option<Tls>,
}

/// PEM files; they may be replaced while the service runs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Tls {
    /// The server's certificate and its chain.
    pub(in crate::config) cert_file: String,
    /// The certificate's key.
    pub(in crate::config) key_file: String,
    /// The authorities of clients: only clients with a certificate of theirs may connect.
    #[serde(default)]
    pub(in crate::config) client_ca_file: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Http {
    /// Where to listen.
    pub(in crate::config) endpoint: Endpoint,
    /// The largest request, after decompression.
    pub(in crate::config) max_body: ByteSize,
    /// Certificates.
    #[serde(deserialize_with = "written")]
    pub(in crate::config) tls: Option<Tls>,
    /// Web pages that may send; absent: none.
    #[serde(deserialize_with = "written")]
    pub(in crate::config) cors: Option<Cors>,
}

/// Web pages that may send, as in the Collector.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Cors {
    /// Their origins, such as `https://app.example.com`; one `*` in each matches anything.
    pub(in crate::config) allowed_origins: Vec<String>,
    /// Headers that pages may send besides OTLP's own.
    pub(in crate::config) allowed_headers: Vec<String>,
    /// How long a browser may remember the answer.
    pub(in crate::config) max_age: Span,
}

impl Default for Cors {
    fn default() -> Self {
        Self {
            allowed_origins: Vec::new(),
            allowed_headers: Vec::new(),
            max_age: Span(Duration::from_secs(7200)),
        }
    }
}

/// `processors:`
#[derive(Debug)]
pub(in crate::config) enum Processor {
    Mappings(Vec<UserMapping>),
    Redact(Redact),
    Workspace(Workspace),
    Limits(Limits),
    Filter(Filter),
    Attributes(Attributes),
    Sampling(Sampling),
}

impl Named for Processor {
    const SECTION: &'static str = "processors";
    const TYPES: &'static [&'static str] =
        &["mappings", "filter", "sampling", "attributes", "redact", "workspace", "limits"];

    fn deserialize<'de, D: Deserializer<'de>>(kind: &str, deserializer: D) -> Result<Self, D::Error> {
        match kind {
            "mappings" => Vec::deserialize(deserializer).map(Self::Mappings),
            "filter" => Filter::deserialize(deserializer).map(Self::Filter),
            "sampling" => Sampling::deserialize(deserializer).map(Self::Sampling),
            "attributes" => Attributes::deserialize(deserializer).map(Self::Attributes),
            "redact" => Redact::deserialize(deserializer).map(Self::Redact),
            "workspace" => Workspace::deserialize(deserializer).map(Self::Workspace),
            _ => Limits::deserialize(deserializer).map(Self::Limits),
        }
    }
}

/// Removes credentials from every text before it is stored.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Redact {
    /// Rules of your own, applied before the built-in ones.
    pub(in crate::config) rules: Vec<RuleSpec>,
    /// Attributes that are not stored at all.
    pub(in crate::config) drop_attributes: Vec<String>,
    /// Redact e-mail addresses too.
    pub(in crate::config) emails: bool,
    /// Redact the names in paths of home directories too.
    pub(in crate::config) home_directories: bool,
    /// The key that gives equal secrets equal placeholders. Replicas that share a table share it. Absent: a file of
    /// its own beside the journal.
    pub(in crate::config) key: Option<Secret>,
}

/// Which workspace a session belongs to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Workspace {
    /// Attributes that name the workspace, in order of precedence.
    pub(in crate::config) from: Vec<String>,
    /// The workspace of sessions that name none.
    pub(in crate::config) default: String,
}

/// Bounds on what one event may hold.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Limits {
    /// The longest text; longer ones are cut and marked.
    pub(in crate::config) attribute: ByteSize,
    /// What each tenant may send.
    pub(in crate::config) per_tenant: PerTenant,
}

/// Beyond it, a tenant's requests are refused until the second is over. Absent: no limit.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct PerTenant {
    /// The most requests a second.
    pub(in crate::config) requests: Option<RequestRate>,
    /// The most bytes a second, as received.
    pub(in crate::config) bytes: Option<ByteRate>,
}

impl Default for Grpc {
    fn default() -> Self {
        Self { endpoint: loopback(4317), max_message: ByteSize(64 << 20), tls: None }
    }
}

impl Default for Http {
    fn default() -> Self {
        Self { endpoint: loopback(4318), max_body: ByteSize(64 << 20), tls: None, cors: None }
    }
}

impl Default for Langfuse {
    fn default() -> Self {
        Self { endpoint: "otlp".to_owned() }
    }
}

impl Default for Redact {
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            drop_attributes: ["process.command_args", "process.owner", "host.id"].map(str::to_owned).into(),
            emails: false,
            home_directories: false,
            key: None,
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
        Self { attribute: ByteSize(256 << 10), per_tenant: PerTenant::default() }
    }
}
