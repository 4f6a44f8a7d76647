//! Transcripts: sessions that assistants keep in files, for `skillspan import` and for the receiver `transcripts`.
//!
//! | file | holds |
//! |---|---|
//! | `assistants.rs` | where each assistant keeps its sessions |
//! | `places.rs` | which files there are |
//! | `home.rs` | [`Home`]: the folders of a person |
//! | `modified.rs` | when a file was last written |
//! | `database/` | databases, read and never written |
//! | `no_database.rs` | in their place in a build without the feature `sqlite`: leaves them out, and says why |
//! | `source.rs` | a session's values, wherever they stand |
//! | `lines.rs`, `scan.rs` | [`Values`]: the values in a file, in bounded memory |
//! | `open.rs` | what is asked of a file before it is read |
//! | `bytes.rs` | a file's bytes, compressed or not |
//! | `reading.rs` | [`read`]: a file's values → records, in batches of the size of a request |
//! | `exports/` | files that other programs exported |
//! | `langfuse/` | Langfuse's public API, page by page |
//! | `memory.rs` | [`Memory`]: what was imported before |
//! | `consent.rs` | what marker files and settings of clients say of a session's folder |
//! | `owners.rs` | [`Owners`]: whose the sessions of a file are |
//! | `repository.rs` | which repository a folder is of |
//!
//! Invariants: files are opened for reading and never changed; nothing outside of the folder of an assistant is read,
//! whatever its links say; an unreadable file or line does not affect the others, and is reported; what is remembered
//! as imported was acknowledged.

mod assistants;
mod bytes;
mod consent;
#[cfg(feature = "sqlite")]
mod database;
#[cfg(not(feature = "sqlite"))]
#[path = "no_database.rs"]
mod database;
mod exports;
mod home;
pub mod langfuse;
mod lines;
mod memory;
mod modified;
mod open;
mod owners;
mod places;
mod reading;
mod repository;
mod scan;
mod source;

pub use assistants::roots;
pub use exports::{ExportFile, is_export, read_export};
pub use home::Home;
pub use lines::{Found, Piece, Values};
pub use memory::{Memory, MemoryError, Seen};
pub use open::{Glance, glance};
pub use owners::{Owners, SaidOwner};
pub use places::{
    Listing, NEITHER, TranscriptFile, files_at, files_of, key_in, sessions_of, without_doubles,
};
pub use reading::{Batch, Left, Owner, Summary, read};
pub use repository::Repository;
