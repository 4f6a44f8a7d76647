//! A digest between runs: its bytes, and what decides when its workspace is mined.
//!
//! There are as many digests as sessions in the table, and a run needs those of the workspaces that are due. Packed, they
//! take a tenth of the memory.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::super::workspace_key::WorkspaceKey;
use crate::library::session_number;
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
    events: u64,
    bytes: Box<[u8]>,
}

impl Packed {
    /// The digest of a session of so many events, packed.
    pub(super) fn of(digest: &Digest, events: usize) -> Self {
        // Digests hold numbers, strings and lists of them, which `postcard` always encodes.
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
            events: u64::try_from(events).unwrap_or(u64::MAX),
            // A copy: what is cut keeps the room that it grew to.
            bytes: Box::from(bytes.as_slice()),
        }
    }

    /// Tenant and workspace.
    pub(super) fn place(&self) -> WorkspaceKey {
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

    /// How many events it has.
    pub(super) fn events(&self) -> u64 {
        self.events
    }

    /// [`super::Indexed::key`].
    pub(super) fn key(&self) -> Key {
        (self.last_event_at, session_number(&self.tenant, &self.session))
    }

    /// When it began, its id and its hash: no order of arrival shows in it.
    pub(super) fn by_age(&self) -> (i64, &str, [u8; 32]) {
        (self.started_at, &self.session, self.source())
    }

    /// The SHA-256 of the digest's bytes.
    pub(super) fn source(&self) -> [u8; 32] {
        Sha256::digest(&self.bytes).into()
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

/// What orders the sessions of a workspace: when the last event was, and `Indexed::session`.
pub(super) type Key = (i64, u64);
