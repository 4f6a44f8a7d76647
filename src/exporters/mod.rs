//! Exporters: what carries data onward, from the journal to the table and from the library to a target.
//!
//! | file | exporter |
//! |---|---|
//! | `parquet/` | journal → table: plan, write, cursor |
//! | `deeplake/` | table → Deeplake, session by session; skills as rows |
//! | `target.rs` | what the exporters of skills have in common |
//! | `filesystem.rs` | skills in a folder |
//! | `git/` | skills in a git repository |

pub mod deeplake;
pub mod filesystem;
pub mod git;
pub mod parquet;
pub mod target;
