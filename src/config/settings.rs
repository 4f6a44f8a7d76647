//! What runs: the configuration, resolved.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::exporters::target::{Place, Target};
use crate::exporters::{deeplake, parquet};
use crate::journal;
use crate::receivers::auth::{Credential, Rate};
use crate::receivers::{otlp, tls};
use crate::redact;
use crate::skillify;
use crate::table::Location;

use super::units::Hidden;

/// What runs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The file that they came from, if any.
    pub file: Option<PathBuf>,
    /// Who may send; `None`: anyone.
    pub credentials: Option<Vec<Credential>>,
    /// Where `/health`, `/ready` and `/metrics` are served.
    pub health: Option<SocketAddr>,
    /// Where the sessions table is.
    pub table: Location,
    /// Where this user's hooks wait for a collector; `None`: nothing says where data belongs.
    pub hook_spools: Option<PathBuf>,
    /// How long sessions are kept; `None` is for ever.
    pub retention: Option<Duration>,
    /// The workspace of sessions that name none.
    pub default_workspace: String,
    /// The pipeline that fills the table.
    pub sessions: Option<SessionsPipeline>,
    /// What follows the table and carries its sessions on.
    pub followers: Vec<deeplake::Config>,
    /// The pipelines that mine it.
    pub skills: Vec<SkillsPipeline>,
    /// Log lines on standard error.
    pub logs: LogSettings,
    /// What is allowed and probably not meant.
    pub warnings: Vec<String>,
}

/// Receivers → processors → journal → table.
#[derive(Debug, Clone)]
pub struct SessionsPipeline {
    /// Its name, such as `sessions`.
    pub name: String,
    /// What it listens on.
    pub listeners: Vec<Listener>,
    /// What its OTLP doors accept.
    pub limits: otlp::Limits,
    /// Whether `/v1/hooks/{assistant}` is served on the same ports.
    pub hooks: bool,
    /// Whether Langfuse's own paths are served on the same ports.
    pub langfuse: bool,
    /// The memory in bytes that its requests in flight may take together.
    pub memory_limit: usize,
    /// Requests a second that each tenant may send.
    pub requests: Option<Rate>,
    /// Bytes a second that each tenant may send.
    pub bytes: Option<Rate>,
    /// Its processors, in order.
    pub processors: Vec<ProcessorSettings>,
    /// Its journal.
    pub journal: journal::Config,
    /// From the journal to the table.
    pub parquet: parquet::Config,
    /// The zstd level of the table's files.
    pub zstd_level: u8,
}

/// One port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// The YAML path that asked for it, for messages.
    pub path: String,
    /// `grpc` or `http`: what clients are told; either is served.
    pub protocol: &'static str,
    /// Where.
    pub address: SocketAddr,
    /// Its certificates; `None`: no TLS.
    pub tls: Option<tls::Config>,
}

/// One processor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProcessorSettings {
    /// Credentials leave every text.
    Redact {
        /// Attributes that are not stored at all.
        drop_attributes: Vec<String>,
        /// What is redacted besides credentials of known forms.
        options: redact::Options,
        /// What keeps equal secrets comparable; `None`: a file of its own beside the journal.
        key: Option<Hidden>,
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
    /// What a skill needs.
    pub mining: skillify::Config,
    /// When it runs.
    pub schedule: Schedule,
    /// Where skills go.
    pub targets: Vec<Target>,
}

impl SkillsPipeline {
    /// Whether its skills go to another machine.
    pub fn leaves_the_machine(&self) -> bool {
        self.targets.iter().any(|target| matches!(target.place, Place::Git(_) | Place::Deeplake(_)))
    }
}

/// When a workspace is mined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// After so many new turns.
    pub every_turns: u64,
    /// A session with nothing new for so long is closed.
    pub idle: Duration,
    /// The shortest time between two runs.
    pub min_interval: Duration,
}

/// Log lines on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogSettings {
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: &'static str,
    /// JSON instead of text.
    pub json: bool,
}
