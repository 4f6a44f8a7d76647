//! Hooks: `POST /v1/hooks/{assistant}` with what an assistant gives to a command that it runs.
//!
//! | file | holds |
//! |---|---|
//! | `http.rs` | the door, on the port of the OTLP receiver |
//! | `body.rs` | [`HookBody`]: a request as it came in, and how its records are read |
//! | `decode.rs` | an object as a log record |
//! | `spool/` | [`Spool`]: what waits for a collector, on the machine of the assistant |
//!
//! A body is one object (`application/json`), or one a line (`application/x-ndjson`), as the hook
//! gave it; a field named `skillspan.observed_at` says when, because no assistant does in all of its
//! hooks. `skillspan hook` sends such bodies; anything else that can POST JSON may.
//!
//! Invariant: a body of which anything cannot be read is refused as a whole, and nothing of it is
//! stored.

mod body;
mod decode;
mod http;
mod spool;

pub use body::{Form, HookBody};
pub use decode::{OBSERVED_AT, TRACEPARENT, without_lone_surrogates};
pub use http::routes;
pub use spool::{
    Attendance, Batch, Entry, Outlet, Spool, SpoolError, Waiting, erase, folder, leave_behind, waiting,
};
