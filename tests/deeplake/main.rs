//! The deeplake exporter against a service that misbehaves, in this process.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test fails by panicking"
)]

#[path = "../cli/support.rs"]
#[allow(dead_code, reason = "each test binary uses its part")]
mod cli;
#[path = "../support/conformance.rs"]
mod conformance;
mod erasure;
mod exporter;
mod harness;
mod messages;
mod process;
#[path = "../support/sessions.rs"]
mod sessions;
mod skills;
mod standin;
