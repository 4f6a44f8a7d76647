//! What runs: the configuration, resolved.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use reqwest::Url;

use super::Given;
use crate::coordination::Coordination;
use crate::dialects::UserMapping;
use crate::event::Signal;
use crate::exporters::target::{Target, TargetKind};
use crate::exporters::{deeplake, otlp as otlp_exporter, parquet};
use crate::forward::{self, Form};
use crate::journal;
use crate::processors::{Attributes, Filter};
use crate::receivers::auth::{Credential, Rate};
use crate::receivers::{ConnectionBounds, cors, otlp, tls};
use crate::redact;
use crate::secret::Secret;
use crate::skillify;
use crate::skillify::llm::{EmbeddingEndpoint, Endpoint};
use crate::table::Location;

/// What runs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The files and overrides that the settings come from, besides the built-in ones.
    pub given: Given,
    /// The pipelines as they are written, or built in.
    pub outlines: Vec<Outline>,
    /// Who may send; `None`: anyone.
    pub credentials: Option<Vec<Credential>>,
    /// Where `/health`, `/ready` and `/metrics` are served.
    pub health: Option<SocketAddr>,
    /// The console's pages; `None`: no console.
    pub console: Option<ConsoleSettings>,
    /// The table that commands read unless another one is named.
    pub table: SessionsTable,
    /// The other tables that pipelines use.
    pub more_tables: Vec<SessionsTable>,
    /// Where this user's hooks wait for a collector; `None`: nothing says where data belongs.
    pub hook_spools: Option<PathBuf>,
    /// What is listened on.
    pub receivers: Vec<ReceiverSettings>,
    /// The folder of the journals of all sessions pipelines, if there is one.
    pub journals: Option<PathBuf>,
    /// The memory in bytes that all requests in flight may take together.
    pub memory_limit: usize,
    /// How many connections there may be.
    pub connections: ConnectionBounds,
    /// How long one may have no request.
    pub idle: Duration,
    /// The pipelines that fill tables.
    pub sessions: Vec<SessionsPipeline>,
    /// What follows tables and carries their sessions on.
    pub followers: Vec<FollowerSettings>,
    /// The backends that have bodies as they came.
    pub forwards: Vec<ForwardSettings>,
    /// The pipelines that mine them.
    pub skills: Vec<SkillsPipeline>,
    /// Log lines on standard error.
    pub logs: LogSettings,
    /// Where the process's own metrics are sent, if anywhere.
    pub metrics: Option<OtlpMetrics>,
    /// What is allowed and probably not meant.
    pub warnings: Vec<String>,
}

impl Settings {
    /// Every table.
    pub fn tables(&self) -> impl Iterator<Item = &SessionsTable> {
        std::iter::once(&self.table).chain(&self.more_tables)
    }
}

/// The pages to look at sessions and skills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleSettings {
    /// Where they are served.
    pub address: SocketAddr,
    /// It is not the usual address, which is no error where it is taken.
    pub is_chosen: bool,
    /// By which other names browsers reach it, lower-case.
    pub hosts: Vec<String>,
    /// The certificate.
    pub tls: Option<tls::Config>,
    /// What assistants may ask (`skillspan mcp`); `None`: nothing.
    pub mcp: Option<McpSettings>,
    /// The folder of the secret that keys are made from; `None`: nothing says where data belongs.
    pub folder: Option<PathBuf>,
}

/// What assistants may ask over the Model Context Protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct McpSettings {
    /// Whether whole sessions can be read, and not searched only.
    pub reads_sessions: bool,
}

/// What a pipeline connects, by the ids of its components.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// Its name, such as `sessions`.
    pub name: String,
    /// Where its data comes from.
    pub receivers: Vec<String>,
    /// What happens to it, in the order that is written.
    pub processors: Vec<String>,
    /// Where it goes.
    pub exporters: Vec<String>,
    /// Somebody wrote it, or a part of it: else it is built in.
    pub is_written: bool,
}

impl fmt::Display for Outline {
    /// `sessions: otlp → redact → parquet`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lists = [&self.receivers, &self.processors, &self.exporters];
        let steps: Vec<String> =
            lists.iter().filter(|list| !list.is_empty()).map(|list| list.join(", ")).collect();
        write!(f, "{}: {}", self.name, steps.join(" → "))
    }
}

/// A table of sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionsTable {
    /// Its id among the extensions, such as `sessions_table` or `sessions_table/eu`.
    pub id: String,
    /// Where it is.
    pub location: Location,
    /// How long sessions are kept; `None` is for ever.
    pub retention: Option<Duration>,
    /// The workspace of its sessions that name none.
    pub default_workspace: String,
}

/// A receiver and the pipelines that it feeds.
#[derive(Debug, Clone)]
pub struct ReceiverSettings {
    /// Its id, such as `otlp`.
    pub id: String,
    /// Which doors it has.
    pub doors: Doors,
    /// The addresses it listens on; empty if it shares the ports of another receiver.
    pub listeners: Vec<Listener>,
    /// What its doors accept.
    pub limits: otlp::Limits,
    /// The names of the sessions pipelines that have each of its requests.
    pub pipelines: Vec<String>,
}

/// The doors of a receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doors {
    /// OTLP, on ports of its own.
    Otlp,
    /// Langfuse's own paths, on the ports of the OTLP receiver of this id.
    Langfuse(String),
    /// `/v1/hooks/{assistant}`, on the ports of the OTLP receiver of this id.
    Hooks(String),
    /// None: it reads files of this machine.
    Transcripts(TranscriptSettings),
}

/// The files of assistants that a receiver reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TranscriptSettings {
    /// Whose.
    pub assistants: Vec<&'static str>,
    /// Files in which nothing happened for so long are left alone.
    pub since: Duration,
    /// The home of the person who works here.
    pub home: PathBuf,
    /// The folder in which is remembered what was read.
    pub memory: PathBuf,
}

impl ReceiverSettings {
    /// Whether a pipeline has each of its requests.
    pub fn feeds(&self, pipeline: &SessionsPipeline) -> bool {
        self.pipelines.contains(&pipeline.name)
    }
}

/// Processors → journal → table.
#[derive(Debug, Clone)]
pub struct SessionsPipeline {
    /// Its name, such as `sessions`.
    pub name: String,
    /// Requests a second that each tenant may send.
    pub requests: Option<Rate>,
    /// Bytes a second that each tenant may send.
    pub bytes: Option<Rate>,
    /// What records of agents mean that no dialect knows, in the order of asking.
    pub mappings: Vec<UserMapping>,
    /// Its processors, in order.
    pub processors: Vec<ProcessorSettings>,
    /// Its journal.
    pub journal: journal::Config,
    /// From the journal to the table.
    pub parquet: parquet::Config,
    /// The zstd level of the table's files.
    pub zstd_level: u8,
    /// The table.
    pub table: SessionsTable,
}

/// An exporter that follows a table.
#[derive(Debug, Clone)]
pub struct FollowerSettings {
    /// The table.
    pub table: SessionsTable,
    /// Where its sessions go.
    pub deeplake: deeplake::Config,
}

/// Another backend, and what goes there.
#[derive(Debug, Clone)]
pub struct ForwardSettings {
    /// The exporter's id.
    pub exporter: String,
    /// It has this tenant's bodies alone; `None`: everybody's.
    pub tenant: Option<String>,
    /// Where it is, and how it is spoken to.
    pub otlp: otlp_exporter::Config,
    /// The encoding that it has bodies in; `None`: the one that they came in.
    pub form: Option<Form>,
    /// What waits for it.
    pub queue: forward::Config,
    /// What it has.
    pub routes: Vec<ForwardRoute>,
}

/// What of a receiver goes to a backend.
#[derive(Debug, Clone, PartialEq)]
pub struct ForwardRoute {
    /// The receiver's id.
    pub receiver: String,
    /// What of it.
    pub signal: Signal,
    /// What removes credentials, a [`ProcessorSettings::Redact`]; `None`: nothing does.
    pub redact: Option<ProcessorSettings>,
}

/// One port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// The YAML path that asked for it, for messages.
    pub path: String,
    /// `grpc` or `http`: the protocol that clients are told to use; both are served.
    pub protocol: &'static str,
    /// Where.
    pub address: SocketAddr,
    /// Its certificates; `None`: no TLS.
    pub tls: Option<tls::Config>,
    /// The web pages that may send there; `None`: none.
    pub cors: Option<cors::Config>,
}

/// One processor.
#[derive(Debug, Clone, PartialEq)]
pub enum ProcessorSettings {
    /// Credentials leave every text.
    Redact {
        /// Attributes that are not stored at all.
        drop_attributes: Vec<String>,
        /// What is redacted besides credentials of known forms.
        options: redact::Options,
        /// The key that gives equal secrets equal placeholders; `None`: a file of its own beside the journal.
        key: Option<Secret>,
    },
    /// What is not stored.
    Filter(Filter),
    /// Attributes change.
    Attributes(Attributes),
    /// A part of the sessions is stored.
    Sampling {
        /// How many of a hundred.
        percent: f64,
        /// Another one chooses others.
        seed: u32,
    },
    /// The payload's workspace becomes a column.
    Workspace {
        /// Attributes that name it, in order of precedence.
        from: Vec<String>,
    },
    /// Texts are cut.
    Limits {
        /// The longest text in bytes.
        attribute: u64,
    },
}

/// Table → skillify → targets.
#[derive(Debug, Clone)]
pub struct SkillsPipeline {
    /// Its name, such as `skills`.
    pub name: String,
    /// The table that it mines.
    pub table: SessionsTable,
    /// What a skill needs.
    pub mining: skillify::Config<'static>,
    /// The people whom credentials name.
    pub verified: Arc<skillify::Verified>,
    /// When it runs.
    pub schedule: Schedule,
    /// Who words the skills; `None`: they are worded offline.
    pub model: Option<ModelSettings>,
    /// Where vectors of words come from; `None`: mining does without.
    pub embeddings: Option<EmbeddingSettings>,
    /// The folder in which digests of the table's sessions are kept; `None`: they are made anew at
    /// each start.
    pub digests: Option<PathBuf>,
    /// The bytes of memory that mining may take: workspaces are mined in parts that take no more, or one by one.
    pub memory: u64,
    /// How far back workspaces are mined, if not as far as the memory allows.
    pub window: Reach,
    /// How several workers of the table agree on who mines what.
    pub coordination: Coordination,
    /// Where skills go.
    pub targets: Vec<Target>,
}

/// How far back a workspace is mined.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reach {
    /// The newest events, up to this number.
    pub events: Option<u64>,
    /// Sessions that were open so long before the newest event.
    pub age: Option<Duration>,
}

/// A model that words skills.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelSettings {
    /// Where it is, and its leash.
    pub endpoint: Endpoint,
    /// What it is asked.
    pub uses: Uses,
    /// What it is shown.
    pub sees: Sees,
    /// It runs on this machine.
    pub is_here: bool,
}

/// What a model is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sees {
    /// Claims, to be worded.
    Claims,
    /// Excerpts of sessions too, to propose lessons.
    Excerpts,
}

/// Where vectors of words come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EmbeddingSettings {
    /// A file in the text format of GloVe, word2vec and fastText.
    File(PathBuf),
    /// A server that speaks `POST /embeddings`.
    Server {
        /// Where it is.
        endpoint: EmbeddingEndpoint,
        /// It runs on this machine.
        is_here: bool,
    },
}

/// What a model is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Uses {
    /// To word skills.
    pub wording: bool,
    /// Whether two skills are one.
    pub same_skill: bool,
}

impl SkillsPipeline {
    /// Whether a model is shown excerpts of sessions.
    pub fn shows_excerpts(&self) -> bool {
        self.model.as_ref().is_some_and(|model| model.sees == Sees::Excerpts)
    }

    /// Whether a model on another machine is asked anything.
    pub fn asks_elsewhere(&self) -> bool {
        let words = self.model.as_ref().is_some_and(|model| !model.is_here);
        words || matches!(self.embeddings, Some(EmbeddingSettings::Server { is_here: false, .. }))
    }

    /// Whether its skills go to another machine.
    pub fn leaves_the_machine(&self) -> bool {
        self.targets.iter().any(|target| matches!(target.place, TargetKind::Git(_) | TargetKind::Deeplake(_)))
    }
}

/// When a workspace is mined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// After this many new turns.
    pub every_turns: u64,
    /// A session with nothing new for so long is closed.
    pub idle: Duration,
    /// The shortest time between two runs.
    pub min_interval: Duration,
}

/// A collector for the process's own metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtlpMetrics {
    /// The whole URL, with the path of metrics.
    pub endpoint: Url,
    /// How often they are sent.
    pub interval: Duration,
    /// Headers of each request; the values are marked as sensitive.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

/// Log lines on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogSettings {
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: &'static str,
    /// JSON instead of text.
    pub json: bool,
}
