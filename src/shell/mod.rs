//! Command lines: what they run, and how each command ended.
//!
//! Nothing here knows of sessions or of mining: dialects, readers and mining share it, and with it what
//! clients write in the place of outputs and prompts.
//!
//! | file | holds |
//! |---|---|
//! | `parse.rs` | a line becomes pipelines of words, as a POSIX shell splits it |
//! | `wrapper.rs` | what stands around a command: `sudo`, `timeout`, `bash -c`, filters |
//! | `setting.rs` | where and under which conditions a command runs |
//! | `usual_setting.rs` | the setting that the runs of one command have in common |
//! | `command.rs` | commands in canonical form |
//! | `family.rs` | what a command is for: the family that it belongs to |
//! | `stage.rs` | what one stage of a pipeline is |
//! | `memo.rs` | what follows from a command, worked out once |
//! | `flag.rs`, `global_options.rs` | which words are options |
//! | `deciding_flags.rs` | the options of a command that decide what it does |
//! | `shown.rs` | which part of a command's output its line shows, and whether the call's exit status can be the command's own: behind a pipe it is the filter's |
//! | `class/` | what a command may do to the world |
//! | `vocabulary/` | what is known of public tools |
//! | `tool.rs` | the command line in a tool call |
//! | `status/` | how each command of a line ended |
//! | `machine/` | what clients write in the person's place |
//! | `refusal.rs` | calls that a person did not allow, and what they said |
//! | `rule_code.rs` | the names of the rules that an output says were broken |
//! | `signature.rs` | a failure's output becomes an error signature |

pub(crate) mod class;
pub(crate) mod command;
pub(crate) mod deciding_flags;
pub(crate) mod family;
pub(crate) mod flag;
pub(crate) mod global_options;
pub(crate) mod machine;
mod memo;
pub(crate) mod parse;
pub(crate) mod refusal;
pub(crate) mod rule_code;
pub(crate) mod setting;
pub(crate) mod shown;
pub(crate) mod signature;
mod stage;
pub(crate) mod status;
pub(crate) mod tool;
mod usual_setting;
pub(crate) mod vocabulary;
pub(crate) mod wrapper;

pub use class::{Class, Classes, classes_of};
pub use tool::command_line;
