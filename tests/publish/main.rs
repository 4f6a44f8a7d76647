//! Publishing: how candidates become files, and how a person's will is kept.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[path = "../support/sessions.rs"]
mod sessions;

mod format;
mod git;
mod golden;
mod hosts;
mod life;
mod people;
mod races;
mod repository;
mod server;
