//! Exporters: what carries data onward, from the journal to the table and from the library to a target.
//!
//! | file | holds |
//! |---|---|
//! | `parquet/` | journal → table: plan, write, cursor |

pub mod parquet;
