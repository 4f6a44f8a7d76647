//! The front door: who may send, and what must never be stored.
//!
//! | file | shows |
//! |---|---|
//! | `corpus.rs` | planted secrets, made at run time |
//! | `kinds.rs`, `forms.rs`, `typed.rs` | kinds of secrets, and the texts and commands that they stand in |
//! | `harmless.rs`, `sayings.rs` | what looks like a secret and is none |
//! | `secrets.rs` | every kind leaves every context, what is none stays |
//! | `hostile.rs` | texts that are made to keep redaction busy |
//! | `redaction.rs` | secrets leave, ordinary text stays |
//! | `leaks.rs` | planted secrets through every door, and a search of everything that was written |
//! | `hooks.rs` | the door of hooks, and the place where they wait |
//! | `access.rs` | who gets in over HTTP and gRPC, and what their credential decides |
//! | `certificates.rs` | TLS and mTLS, renewal |
//! | `opt_out.rs` | sessions that say that they are not to be stored |
//! | `support.rs` | a running skillspan, and what clients send to it |

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

mod access;
mod certificates;
mod corpus;
mod elsewhere;
mod forms;
mod harmless;
mod hooks;
mod hostile;
mod kinds;
mod leaks;
mod opt_out;
mod people;
mod redaction;
mod renewal;
mod sayings;
mod secrets;
#[path = "../cli/support.rs"]
#[expect(dead_code, reason = "the other theme uses the rest")]
mod site;
mod support;
#[path = "../support/table_texts.rs"]
mod table_texts;
mod typed;
