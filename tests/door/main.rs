//! The front door: who may send, and what must never be stored.
//!
//! | file | shows |
//! |---|---|
//! | `corpus.rs` | planted secrets, made at run time |
//! | `redaction.rs` | secrets leave, ordinary text stays |

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

mod corpus;
mod redaction;
