//! Evidence: what sessions prove.
//!
//! | file | holds |
//! |---|---|
//! | `timeline.rs` | a session as evidence reads it: its steps in order |
//! | `rerun.rs` | commands that failed and ran again, and what was tried between |
//! | `significance.rs` | the counts of a claim, and the tests that judge them |
//!
//! | file | |
//! |---|---|
//! | `index.rs` | where a claim can be looked for; which commands a template matches |
//! | `verify.rs` | claims that the events show; text that may be published |
//! | `null.rs` | what would be published by chance |
//! | `failing.rs` | commands that have only failed of late |

pub(super) mod failing;
pub(super) mod index;
pub(super) mod null;
pub(super) mod segment_ref;
pub(super) mod verify;

pub(super) mod rerun;
pub(super) mod significance;
pub(super) mod timeline;

pub use significance::Counts;
