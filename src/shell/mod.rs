//! Command lines: what they run, and how each command ended.
//!
//! Nothing here knows of sessions or of mining: dialects, readers and mining share it.
//!
//! | file | holds |
//! |---|---|
//! | `parse.rs` | a line becomes pipelines of words, as a POSIX shell splits it |
//! | `wrapper.rs` | what stands around a command: `sudo`, `timeout`, `bash -c`, filters |
//! | `setting.rs` | where and under which conditions a command runs |
//! | `command.rs` | commands in canonical form |
//! | `family.rs` | what kind of work a command does |
//! | `flag.rs`, `global_options.rs` | which words are options, and which of them decide |
//! | `vocabulary.rs` | what is known of public tools |
//! | `tool.rs` | the command line in a tool call |
//! | `status.rs` | how each command of a line ended |
//! | `signature.rs` | a failure's output becomes an error signature |

pub(crate) mod command;
pub(crate) mod family;
pub(crate) mod flag;
pub(crate) mod global_options;
pub(crate) mod parse;
pub(crate) mod setting;
pub(crate) mod signature;
pub(crate) mod status;
pub(crate) mod tool;
pub(crate) mod vocabulary;
pub(crate) mod wrapper;

pub use tool::command_line;
