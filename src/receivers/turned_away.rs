//! Counts who was turned away, so that a person who set up a client can see why nothing arrives.

use std::sync::{Arc, Mutex, PoisonError};

use crate::event::Timestamp;

/// Those who were turned away since the start. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct TurnedAway(Arc<Mutex<Turned>>);

/// How many, and the last of each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Turned {
    /// Requests without a credential that is known: they were answered with 401.
    pub unauthenticated: u64,
    /// When the last of them came, and which credential it lacked.
    pub last_unauthenticated: Option<(Timestamp, String)>,
    /// Connections whose TLS handshake failed.
    pub handshakes: u64,
    /// When the last of them came, and why the handshake failed.
    pub last_handshake: Option<(Timestamp, String)>,
}

impl TurnedAway {
    /// What has been counted.
    pub fn so_far(&self) -> Turned {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A request was answered with 401; `reason` is what the answer says.
    pub(super) fn unauthenticated(&self, reason: &str) {
        let mut turned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        turned.unauthenticated += 1;
        turned.last_unauthenticated = Some((Timestamp::now(), reason.to_owned()));
    }

    /// The TLS handshake of a connection failed.
    pub(super) fn handshake(&self, reason: &str) {
        let mut turned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        turned.handshakes += 1;
        turned.last_handshake = Some((Timestamp::now(), reason.to_owned()));
    }
}
