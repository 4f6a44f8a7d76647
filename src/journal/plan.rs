//! The plan of a batch: what an exporter is about to write, made durable before it begins.

use serde::{Deserialize, Serialize};

use crate::event::Owner;

/// The format of the plan's file.
pub(super) const FORMAT: u32 = 1;
/// The plan's file in the journal's folder.
pub(super) const FILE: &str = "plan";

/// A batch of records on their way to the table. Repeating a plan writes the same files again, whatever the
/// configuration is by then, because the plan has their names and the records in each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Random, 32 hex digits.
    pub batch_id: String,
    /// The first sequence of the batch.
    pub first: u64,
    /// The last sequence of the batch, inclusive.
    pub last: u64,
    /// The files, in the order of writing.
    pub files: Vec<PlannedFile>,
}

/// One file of a plan: the events of one owner and date in a range of the batch's records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedFile {
    /// Whose events.
    #[serde(with = "OwnerFields")]
    pub owner: Owner,
    /// The UTC date of the records' `ingested_at`, such as `2026-11-22`.
    pub ingest_date: String,
    /// Number of the file among those of its owner and date, from 0.
    pub part: u32,
    /// The sequence of the first record in it.
    pub first_record: u64,
    /// The sequence of the last record in it, inclusive.
    pub last_record: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Owner")]
struct OwnerFields {
    tenant: String,
    workspace: String,
}
