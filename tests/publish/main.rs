//! Publishing: how candidates become files, and how a person's will is kept.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "helpers of tests fail as tests do"
)]

#[path = "../support/conformance.rs"]
mod conformance;
#[path = "../support/model_server.rs"]
mod model_server;
#[path = "../support/port.rs"]
mod port;
#[allow(dead_code, reason = "the tests of the table use the rest")]
#[path = "../table/s3.rs"]
mod s3;
#[path = "../support/sessions.rs"]
mod sessions;

mod author;
mod author_answers;
mod author_lessons;
mod author_pages;
mod author_secrets;
mod bounds;
mod destinations;
mod failing;
mod format;
mod git;
mod golden;
mod guide;
mod hosts;
mod late;
mod life;
mod model;
mod obstacles;
mod older;
mod people;
mod races;
mod repository;
mod rules;
mod seen;
mod server;
mod waiting;
mod workers;
