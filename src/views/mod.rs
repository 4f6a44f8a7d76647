//! What commands and pages show: read once, in one way, whoever asks.
//!
//! | file | holds |
//! |---|---|
//! | `cases.rs` | what happened in the sessions behind a claim |
//! | `feedback.rs` | what people or their tools said of a session |
//! | `figures.rs` | what is counted of a session |
//! | `phrases.rs` | what a person would say of a call, a length, an output |
//! | `whole.rs` | sessions that were listed, read whole |
//! | `report/` | what the sessions cost and why |
//! | `skills.rs` | the skills of all targets, and what people decide |
//!
//! Nothing here prints or answers anybody: it takes settings and tables, and gives values.

pub(crate) mod cases;
pub(crate) mod feedback;
pub(crate) mod figures;
pub(crate) mod phrases;
pub(crate) mod report;
pub(crate) mod skills;
pub(crate) mod whole;
