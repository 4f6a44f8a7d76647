//! The sessions table: files, and what readers make of them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests may panic")]

mod claims;
mod claims_backends;
mod events;
mod failpoints;
mod files;
mod fixture;
mod groups;
mod history;
mod interleavings;
mod leases;
mod merging;
mod order;
#[path = "../support/port.rs"]
mod port;
mod reconcile;
#[allow(dead_code, reason = "tests of publishing use the rest")]
mod s3;
mod sessions;
mod stores;
mod summaries;
mod turns;
mod unfinished;
mod upkeep;
