//! Why the service does not start.

use std::io::ErrorKind;
use std::net::SocketAddr;

use crate::exporters::{deeplake, otlp as otlp_exporter, parquet, target};
use crate::journal;
use crate::receivers::tls;
use crate::redact;
use crate::skillify::llm::ClientError;
use crate::table;

use super::embeddings::EmbeddingsError;
use super::share::ShareError;

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A port cannot be had.
    #[error("{path}: cannot listen on {address}: {source}{}", remedy(source.kind(), path))]
    Bind {
        /// The YAML path that asked for it.
        path: String,
        /// The address.
        address: SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
    /// There are no certificates.
    #[error("{path}: {source}")]
    Tls {
        /// The YAML path that asked for them.
        path: String,
        /// Why.
        source: Box<tls::Error>,
    },
    /// A table cannot be opened.
    #[error("extensions.{id}")]
    Table {
        /// The table's id among the extensions.
        id: String,
        /// Why.
        source: table::OpenError,
    },
    /// The journal cannot be opened.
    #[error("service.journal")]
    Journal(#[from] journal::OpenError),
    /// The journal is not the one that the table was filled from.
    #[error("service.journal")]
    OldJournal(#[from] parquet::CheckError),
    /// An exporter that follows the table cannot be started.
    #[error("exporters")]
    Follower(#[from] deeplake::StartError),
    /// A target cannot be written.
    #[error("exporters")]
    Target(#[from] target::Error),
    /// The model cannot be asked.
    #[error("connectors.skillify.proposer")]
    Model(#[from] ClientError),
    /// Word vectors cannot be used.
    #[error("connectors.skillify.embeddings")]
    Embeddings(#[from] EmbeddingsError),
    /// The worker cannot join the others of its table.
    #[error("connectors.skillify.coordination")]
    Share(#[from] ShareError),
    /// The redaction rules cannot be used.
    #[error("processors.redact: {0}")]
    Redaction(#[from] redact::Error),
    /// The queue of a backend cannot be opened.
    #[error("exporters: the queue: {0}")]
    Queue(String),
    /// A backend cannot be spoken to.
    #[error("exporters.{0}")]
    Forward(#[from] otlp_exporter::StartError),
    /// There is no HTTP client for own metrics.
    #[error("service.telemetry.metrics.otlp: {0}")]
    Telemetry(reqwest::Error),
    /// There is no key for placeholders.
    #[error("processors.redact: {0}")]
    RedactionKey(#[from] redact::KeyError),
}

/// What to do where an address cannot be had.
fn remedy(kind: ErrorKind, path: &str) -> String {
    match kind {
        ErrorKind::AddrInUse => format!(
            "; another process has it: `skillspan status` says whether that is a skillspan; `--set {path}=HOST:PORT` \
             takes another one"
        ),
        ErrorKind::AddrNotAvailable => "; this machine has no such address".to_owned(),
        _ => String::new(),
    }
}
