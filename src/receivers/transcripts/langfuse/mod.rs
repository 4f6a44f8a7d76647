//! Langfuse's public API, page by page: what a project holds, for `skillspan import langfuse`.
//!
//! | file | holds |
//! |---|---|
//! | `client.rs` | [`Access`]: one question and its answer, and what failures mean |
//! | `place.rs` | how far it is, on the disk |
//! | `stage.rs` | which lists are asked for, and how each is paged |
//! | `walk.rs` | [`Walk`]: page after page, with patience |
//!
//! Today's API answers with observations behind a cursor, the newest first (`/api/public/v2/observations`). An older
//! server has no such path: there, traces and observations are read by page number.
//!
//! Invariants: a place is written down once everything before it was acknowledged, so that a page may be read twice and
//! none is left out; rows that come twice are the same records; keys are written nowhere and sent to the one
//! server that was named.

mod client;
mod place;
mod stage;
mod walk;

pub use client::{Access, AccessError, Failure};
pub use place::PlaceError;
pub use walk::{Step, Walk, WalkError};
