//! Exporters: what carries data onward, from the journal to the table and from the library to a target.
//!
//! | file | exporter |
//! |---|---|
//! | `parquet/` | journal → table: plan, write, cursor |
//! | `filesystem.rs` | a library of skills in a folder |

pub mod filesystem;
pub mod parquet;
