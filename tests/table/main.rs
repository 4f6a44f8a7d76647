//! The sessions table: files, and what readers make of them.

mod events;
mod files;
