//! The sessions table: files, and what readers make of them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests may panic")]

mod events;
mod failpoints;
mod files;
mod fixture;
mod groups;
mod history;
mod interleavings;
mod merging;
mod order;
#[path = "../support/port.rs"]
mod port;
mod reconcile;
mod s3;
mod sessions;
mod stores;
mod summaries;
mod turns;
mod unfinished;
mod upkeep;
