//! Two tenants who call everything alike: nothing of one reaches anything of the other.
//!
//! | file | shows |
//! |---|---|
//! | `crossing.rs` | generated sessions through every door, and a search of every target |
//! | `ceiling.rs` | what a credential names and what a payload calls itself; attacks on another's skill |
//! | `libraries.rs` | whose a library is; what the other tenant finds changes no byte of it |
//! | `older.rs` | libraries that an older version wrote |
//! | `tables.rs` | sessions of two tenants with equal ids |
//! | `commands.rs` | configuration and commands that know whose is meant |
//! | `world.rs` | a service with every door and every target |

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test fails by panicking"
)]

mod ceiling;
mod commands;
mod crossing;
mod libraries;
mod older;
#[path = "../support/sessions.rs"]
mod sessions;
#[path = "../cli/support.rs"]
#[allow(dead_code, reason = "each test binary uses its part")]
mod site;
#[path = "../deeplake/standin/mod.rs"]
mod standin;
#[path = "../support/table_texts.rs"]
mod table_texts;
mod tables;
mod world;
