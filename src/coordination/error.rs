//! What can go wrong with claims.

use std::path::PathBuf;

/// Claims cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The object store refused or failed.
    #[error("cannot {operation} the claims of workers ({path}) in the table's store")]
    Store {
        /// `read` or `write`.
        operation: &'static str,
        /// Below the table's root.
        path: String,
        /// The store's reason.
        source: object_store::Error,
    },
    /// A claim that another version wrote, or that was damaged.
    #[error("{path} in the table's store is not a claim; delete it, or use the version that wrote it")]
    Malformed {
        /// Below the table's root.
        path: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// What the worker had just said is gone: it stood still for very long.
    #[error("another worker took this one for dead while it asked; it asks again")]
    TakenForDead,
    /// The process runs in no pod.
    #[error(
        "coordination: kubernetes needs a pod with a service account: {what}; set automountServiceAccountToken: true, or \
         use coordination: store"
    )]
    NotInAPod {
        /// What is missing.
        what: String,
    },
    /// A file of the service account cannot be used.
    #[error("coordination: kubernetes cannot use {}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The API server cannot be asked.
    #[error("the cluster's API server cannot be asked for Leases")]
    Unreachable(#[source] reqwest::Error),
    /// The API server refused.
    #[error(
        "the cluster's API server refuses to {operation} Leases (HTTP {status}): {message}; the worker's service account \
         needs get, list, create, update and delete on leases of coordination.k8s.io in its namespace"
    )]
    Refused {
        /// The verb.
        operation: &'static str,
        /// The HTTP status.
        status: u16,
        /// What it said, cut short.
        message: String,
    },
    /// The answer is none of an API server.
    #[error("the answer of the cluster's API server to {operation} cannot be read: {reason}")]
    Answer {
        /// The verb.
        operation: &'static str,
        /// Why.
        reason: String,
    },
}
