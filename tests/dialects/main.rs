//! What the dialects make of what real clients sent.
//!
//! | file | holds |
//! |---|---|
//! | `captures.rs` | recorded request bodies, and their replay through the dialects |
//! | `sessions.rs` | sessions cut into turns, as far as comparing with the truth needs it |
//! | `claude_code.rs` | Claude Code against its recorded sessions |
//! | `genai.rs` | the GenAI conventions, record by record |
//! | `frameworks.rs` | every framework against the same recorded sessions |
//! | `hard_cases.rs` | what recorded sessions seldom show |
//! | `spans.rs` | spans written by hand |
//! | `records.rs` | what holds for every dialect and every record, hostile ones included |

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test's helpers fail the test; clippy's own exemption covers test functions alone"
)]

mod captures;
mod claude_code;
mod frameworks;
mod genai;
mod hard_cases;
mod records;
mod sessions;
mod spans;
