//! What sessions have in common, each once in memory: commands, command lines and outputs.
//!
//! Serde hands nothing down to what it reads, and a line is asked for in many places: what is known stands in
//! variables of the thread while digests are read or made.

use super::interner::{self, Commands};
use super::lines::{self, Lines};
use super::outputs::{self, Outputs};

/// The commands, lines and outputs that were read or made.
#[derive(Default)]
pub struct SharedCommands {
    pub(super) commands: Commands,
    lines: Lines,
    outputs: Outputs,
}

/// Reads digests, on this thread, so that equal commands are one in memory.
pub fn sharing_commands<T>(read: impl FnOnce() -> T) -> T {
    SharedCommands::default().within(read).0
}

impl SharedCommands {
    /// Reads or makes digests, on this thread, so that equal commands are one in memory, those that are known already
    /// among them.
    pub fn within<T>(self, work: impl FnOnce() -> T) -> (T, Self) {
        interner::share(self.commands);
        lines::share(self.lines);
        outputs::share(self.outputs);
        let done = work();
        (done, Self { commands: interner::shared(), lines: lines::shared(), outputs: outputs::shared() })
    }
}
