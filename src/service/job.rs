//! A workspace that is to be mined.

use std::sync::Arc;

use super::digests::Before;
use super::workspace_key::WorkspaceKey;
use crate::skillify::{Digest, Vectors, Verified};
use crate::table::Session;

/// A workspace of a tenant to mine.
#[derive(Debug, Clone)]
pub struct Job {
    /// Tenant and workspace.
    pub place: WorkspaceKey,
    /// The digests of its sessions.
    pub digests: Vec<Arc<Digest>>,
    /// What sessions showed that are older than these, where these are a window.
    pub older: Option<Arc<Before>>,
    /// The sessions themselves, where whoever asks has them; else a model is shown those of `Known::with_sessions`.
    pub sessions: Arc<Vec<Session>>,
    /// Vectors of the words of its prompts, where some are to be used.
    pub vectors: Option<Arc<Vectors>>,
    /// The people whom credentials name.
    pub verified: Arc<Verified>,
}
