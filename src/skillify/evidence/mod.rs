//! Evidence: what sessions prove.
//!
//! | file | what it decides |
//! |---|---|
//! | `segment_ref.rs` | a segment with its session and its person, and what it shows |
//! | `timeline.rs` | the steps of a session in order |
//! | `rerun.rs` | which commands failed and ran again, and what was tried between |
//! | `failing.rs` | which commands have only failed recently |
//! | `terms.rs` | what segments did and were asked for, as numbers |
//! | `index.rs` | where a claim can be looked for; which commands a template matches |

pub(super) mod failing;
pub(super) mod index;
pub(super) mod segment_ref;
pub(super) mod terms;

pub(super) mod rerun;
pub(super) mod timeline;
