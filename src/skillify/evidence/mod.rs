//! Evidence: what sessions prove.
//!
//! | file | holds |
//! |---|---|
//! | `timeline.rs` | a session as evidence reads it: its steps in order |
//! | `rerun.rs` | commands that failed and ran again, and what was tried between |
//! | `significance.rs` | the counts of a claim, and the tests that judge them |

pub(super) mod rerun;
pub(super) mod significance;
pub(super) mod timeline;

pub use significance::Counts;
