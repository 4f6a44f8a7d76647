//! Why a run of mining fails.

use crate::exporters::target;

use super::embeddings::EmbeddingsError;
use crate::table;

/// Why a run did not end well.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The table cannot be opened.
    #[error("the sessions table")]
    Open(#[from] table::OpenError),
    /// The table cannot be read.
    #[error("the sessions table")]
    Read(#[from] table::ReadError),
    /// A target cannot be written.
    #[error("publishing to {target}")]
    Export {
        /// The target.
        target: String,
        /// What failed.
        source: target::Error,
    },
    /// Word vectors cannot be used.
    #[error("connectors.skillify.embeddings")]
    Embeddings(#[from] EmbeddingsError),
    /// A workspace was not read to its end.
    #[error("reading sessions for the model ended early")]
    Ended,
    /// Mining itself ended early.
    #[error("mining ended early: {0}")]
    Cancelled(#[from] tokio::task::JoinError),
}
