//! A digest as it is kept between runs: its bytes, and what decides when its workspace is mined.
//!
//! There are as many digests as sessions in the table, and a run needs those of the workspaces that are due.
//! As bytes they take a tenth of what they take ready to be mined.

use serde::{Deserialize, Serialize};

use crate::service::mining::Place;
use crate::skillify::Digest;

/// A digest, packed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Packed {
    tenant: Box<str>,
    workspace: Box<str>,
    session: Box<str>,
    started_at: i64,
    last_event_at: i64,
    last_ingested_at: i64,
    ended: bool,
    prompts: u64,
    bytes: Box<[u8]>,
}

impl Packed {
    /// The digest of a session, packed.
    pub(super) fn of(digest: &Digest) -> Self {
        // Numbers, strings and lists of them: nothing that could be refused.
        let bytes = postcard::to_extend(digest, Vec::new()).unwrap_or_default();
        Self {
            tenant: digest.tenant.as_str().into(),
            workspace: digest.workspace.as_str().into(),
            session: digest.session.as_str().into(),
            started_at: digest.started_at.as_micros(),
            last_event_at: digest.last_event_at.as_micros(),
            last_ingested_at: digest.last_ingested_at.as_micros(),
            ended: digest.ended,
            prompts: digest.prompts,
            // A copy: what is cut keeps the room that it grew to.
            bytes: Box::from(bytes.as_slice()),
        }
    }

    /// Tenant and workspace.
    pub(super) fn place(&self) -> Place {
        (self.tenant.to_string(), self.workspace.to_string())
    }

    /// The tenant.
    pub(super) fn tenant(&self) -> &str {
        &self.tenant
    }

    /// The session's id.
    pub(super) fn session(&self) -> &str {
        &self.session
    }

    /// Prompts of the main agent.
    pub(super) fn prompts(&self) -> u64 {
        self.prompts
    }

    /// Whether the client said that it ended.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// The latest event time, in microseconds since the epoch.
    pub(super) fn last_event_at(&self) -> i64 {
        self.last_event_at
    }

    /// When its latest observation was accepted, in microseconds since the epoch.
    pub(super) fn last_ingested_at(&self) -> i64 {
        self.last_ingested_at
    }

    /// The bytes of the digest.
    pub(super) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The digest, ready to be mined.
    pub(super) fn unpacked(&self) -> Option<Digest> {
        Digest::read(&self.bytes)
    }
}
