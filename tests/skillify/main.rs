//! Mining: what becomes a skill and what must not.

#[path = "../support/sessions.rs"]
mod sessions;

mod database;
mod safety;
mod stability;
