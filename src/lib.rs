//! **Spans in, skills out.**
//!
//! skillspan is built like an OpenTelemetry Collector. Data flows one way:
//!
//! ```text
//!  receivers ─► dialects ─► processors ─► journal ─► exporters::parquet ─► table
//!  (decode)      (map)      (redact, …)   (fsync,                            │
//!                                      then answer)                          ▼
//!  exporters::target     ◄─ library (reconcile) ◄─ skillify (segment ► cluster ► propose ► verify ► score)
//! ```
//!
//! Beside it, what receivers take in is forwarded to other backends: receivers ─► forward (a queue for each)
//! ─► exporters::otlp.
//!
//! The collector half ends at the sessions table, the skillify half begins there; they meet nowhere
//! else, and either runs alone.
//!
//! # Import rules
//!
//! | module | may import |
//! |---|---|
//! | `event`, `redact`, `disk`, `secret`, `wire` | nothing of this crate |
//! | `shell`, `coordination` | `event` |
//! | `dialects`, `processors` | `event`, `redact`, `shell` |
//! | `journal` | `event`, `redact`, `disk` |
//! | `forward` | `event`, `redact`, `journal`, `wire` |
//! | `table` | `event`, `redact`, `disk`, `shell` |
//! | `receivers` | `event`, `redact`, `disk`, `dialects`, `processors`, `journal`, `forward`, `wire` |
//! | `skillify` | `event`, `redact`, `secret`, `shell`, `table` |
//! | `library` | `event`, `redact`, `shell`, `skillify` |
//! | `exporters` | `event`, `redact`, `secret`, `journal`, `forward`, `table`, `library` |
//! | `config` | the parts' `Config` types |
//! | `service` | everything but `views`, `console` and `cli` |
//! | `views` | everything but `console` and `cli` |
//! | `console` | everything but `cli` |
//! | `cli` | everything |
//!
//! `tests/cli/architecture.rs` reads the `use crate::` lines and holds them to this table.

#[cfg(not(unix))]
compile_error!("skillspan runs on Linux and macOS. On Windows, run it in the Windows Subsystem for Linux");

pub mod cli;
pub mod config;
pub mod console;
pub mod coordination;
pub mod dialects;
pub mod disk;
pub mod event;
pub mod exporters;
pub mod forward;
pub mod journal;
pub mod library;
pub mod processors;
pub mod receivers;
pub mod redact;
pub mod secret;
pub mod service;
pub mod shell;
pub mod skillify;
pub mod table;
pub mod views;
pub mod wire;
