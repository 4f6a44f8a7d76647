//! Sessions that are made up, written as each client and framework writes them, and read.
//!
//! A story ([`story`]) is what people and agents said and did. [`clients`] write it, from the documentation and
//! from recordings of each, over the wire in any order, with repetitions and losses ([`wire`]). What is read must
//! be what happened, or what the client cannot say must stand in its row of the table ([`compare`]). Where records
//! got lost, what is left must be right, and nothing may be read that nobody did.
//!
//! | variable | means |
//! |---|---|
//! | `SKILLSPAN_TRUTH_SESSIONS` | how many sessions; 1000 in the ordinary run |
//! | `SKILLSPAN_TRUTH_SEED` | the seed of the first; each has the next one |
//! | `SKILLSPAN_TRUTH_CLIENT` | only clients whose name has this in it |
//!
//! A failure says its seed, its client and what differs: `SKILLSPAN_TRUTH_SEED=… SKILLSPAN_TRUTH_SESSIONS=1` makes
//! it again.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test's helpers fail the test; clippy's own exemption covers test functions alone"
)]

mod clients;
mod compare;
mod databases;
mod making;
mod random;
mod run;
mod story;
mod table;
mod wire;
