//! Exporters: what carries data onward, from the journal to the table and from the library to a target.
//!
//! | file | exporter |
//! |---|---|
//! | `parquet/` | journal → table: plan, write, cursor |
//! | `deeplake/` | table → Deeplake, session by session; skills as rows |
//! | `otlp/` | the queues of bodies → other backends, over OTLP |
//! | `destination.rs` | [`Destination`]: what every kind of target of skills does |
//! | `update.rs` | what a target is asked to take up, and what it reports |
//! | `target.rs` | a target as the settings name it |
//! | `survey.rs` | what in a target is a file of the library, and what is in its way |
//! | `filesystem/` | skills in a folder |
//! | `git/` | skills in a git repository |

pub mod deeplake;
mod destination;
pub mod filesystem;
pub mod git;
pub mod otlp;
pub mod parquet;
mod survey;
pub mod target;
mod update;

pub use destination::Destination;
pub use survey::{Blocked, Obstacle};

/// An error with its causes, on one line.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some messages repeat their cause.
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
