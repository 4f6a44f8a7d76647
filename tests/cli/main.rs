//! The binary as people use it: its commands, its configuration, its exit codes, its ports.
//!
//! | file | shows |
//! |---|---|
//! | `architecture.rs` | the import rules of `src/lib.rs` hold |
//! | `configuration.rs` | errors with their place; the example file; warnings |
//! | `captures.rs` | recorded clients in, sessions and one skill out |
//! | `check.rs` | what a client sends arrives, or why it does not |
//! | `connect_all.rs` | every assistant of a machine, connected and disconnected |
//! | `connect_mcp.rs` | an assistant that is told of `skillspan mcp` |
//! | `doctor.rs` | set-ups that are broken, each named with what to do |
//! | `install.rs` | a library where assistants load skills |
//! | `connect.rs` | settings files of assistants, changed and changed back |
//! | `deeplake.rs` | what a deeplake exporter needs to be told |
//! | `documented.rs` | the YAML of the documentation is understood |
//! | `embeddings.rs` | vectors of words: what is sent, kept and said |
//! | `explain.rs` | what a recorded body means |
//! | `hook.rs` | hooks' events, whether the collector is there or not |
//! | `hook_captures.rs` | recorded hooks in, sessions out |
//! | `hook_identity.rs` | whose hooks' events are, and what leaves them out |
//! | `import.rs` | sessions that assistants keep in files, imported |
//! | `import_exports.rs` | files of other programs, as they are packed and broken |
//! | `import_langfuse.rs` | the API of Langfuse, page by page, with its troubles |
//! | `opt_outs.rs` | what is said to leave a session out was tried |
//! | `pages.rs` | links lead somewhere; the pages of the command line and of metrics say what the program says |
//! | `schema.rs` | the columns that are printed are the files' |
//! | `crash.rs` | what was acknowledged survives `kill -9` |
//! | `live.rs` | the OpenTelemetry SDK as a client |
//! | `mappings.rs` | an agent that the configuration describes |
//! | `journals.rs` | a journal in use, drained, reported on; dead letters |
//! | `keys.rs` | the page of the configuration's keys is what the program answers; the example has every key |
//! | `model.rs` | a model that words skills: what is sent, counted and said |
//! | `answers.rs` | what clients are told of a disk that fails |
//! | `crowd.rs` | more connections than open files |
//! | `visible.rs` | hostile texts of sessions, and what reaches a terminal |
//! | `operation.rs` | start, health, metrics, drain, demo |
//! | `listing.rs` | sessions listed, as text and as JSON; a line for each new one |
//! | `report.rs` | what sessions cost and why, as text, JSON and a page |
//! | `waiting.rs` | what hooks left, when a token is wrong, put right or taken away |
//! | `widths.rs` | what people read fits a terminal |
//! | `layers.rs` | configuration from several places; all that is wrong with it at once |
//! | `pipelines.rs` | several sessions pipelines |
//! | `predicates.rs` | lessons of people, held against the sessions |
//! | `processors.rs` | what processors leave out, change and choose |
//! | `security.rs` | each promise of `SECURITY.md` names tests that are there |
//! | `status.rs` | what fails is said at once |
//! | `segment.rs` | Arrow rows in, segments out |
//! | `telemetry.rs` | own metrics, sent to a collector |
//! | `support.rs` | a running skillspan on free ports, in a folder of its own |

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test fails by panicking"
)]

#[path = "../support/langfuse_api.rs"]
mod langfuse_api;
#[path = "../support/model_server.rs"]
mod model_server;

mod answers;
mod architecture;
mod captures;
mod check;
mod configuration;
mod connect;
mod connect_all;
mod connect_mcp;
mod crash;
mod crowd;
mod deeplake;
mod doctor;
mod documented;
mod embeddings;
mod explain;
mod hook;
mod hook_captures;
mod hook_identity;
mod import;
mod import_again;
mod import_databases;
mod import_exports;
mod import_langfuse;
mod install;
mod journals;
mod keys;
mod layers;
mod listing;
mod live;
mod manual;
mod mappings;
mod model;
mod operation;
mod opt_outs;
mod pages;
mod pipelines;
mod predicates;
mod processors;
mod record;
mod report;
mod schema;
mod security;
mod segment;
mod status;
mod support;
mod telemetry;
mod upkeep;
mod visible;
mod waiting;
mod widths;
