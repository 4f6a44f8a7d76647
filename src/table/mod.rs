//! The sessions table: append-only Parquet, and what readers make of it.
//!
//! | file | holds |
//! |---|---|
//! | `sessions.rs` | [`Session`]: observations merged into facts, facts resolved into sessions |

pub mod sessions;

pub use sessions::{Fact, Session, SessionSource};
