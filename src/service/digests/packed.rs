//! A digest as it is kept between runs: its bytes, and what decides when its workspace is mined.
//!
//! There are as many digests as sessions in the table, and a run needs those of the workspaces that are due.
//! As bytes they take a tenth of what they take ready to be mined.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::event::Timestamp;
use crate::service::mining::Place;
use crate::skillify::{Digest, sharing_commands};
use crate::table::sessions;

/// A digest, packed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packed {
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
    pub fn place(&self) -> Place {
        (self.tenant.to_string(), self.workspace.to_string())
    }

    /// The session's id.
    pub fn session(&self) -> &str {
        &self.session
    }

    /// Prompts of the main agent.
    pub fn prompts(&self) -> u64 {
        self.prompts
    }

    /// When the last of it came.
    pub fn last(&self) -> Timestamp {
        Timestamp::from_micros(self.last_event_at.max(self.last_ingested_at))
    }

    /// Oldest first.
    pub(super) fn age(&self) -> (i64, &str) {
        (self.started_at, &self.session)
    }

    /// [`Digest::is_closed`].
    pub fn is_closed(&self, now: Timestamp, idle: Duration) -> bool {
        let (event, ingested) = self.times();
        sessions::is_closed(self.ended, event, ingested, now, idle)
    }

    /// [`Digest::closes_at`].
    pub fn closes_at(&self, idle: Duration) -> Timestamp {
        let (event, ingested) = self.times();
        sessions::closes_at(self.ended, event, ingested, idle)
    }

    fn times(&self) -> (Timestamp, Timestamp) {
        (Timestamp::from_micros(self.last_event_at), Timestamp::from_micros(self.last_ingested_at))
    }
}

/// The digests, ready to be mined, in the same order; equal commands are one in memory.
pub fn unpacked(packed: &[Arc<Packed>]) -> Vec<Arc<Digest>> {
    sharing_commands(|| {
        let read = |packed: &Arc<Packed>| Digest::read(&packed.bytes).map(Arc::new);
        packed.iter().filter_map(read).collect()
    })
}
