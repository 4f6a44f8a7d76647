//! Where a session looked, and what it found.

use serde::{Deserialize, Serialize};

/// What was found. Paths begin at the root of the repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(in crate::skillify) enum Found {
    /// A name is declared in a file.
    Declared { name: String, file: String },
    /// A tool says that there is no such path.
    Missing(String),
    /// A search that was limited to the path found nothing.
    InVain(String),
    /// The path was read.
    Present(String),
    /// A search for a name, or for its declaration, did not find that.
    Sought(String),
    /// A program says that it does not know the flag.
    Unknown { command: String, flag: String },
    /// A program that only looks took the flag.
    Takes { command: String, flag: String },
    /// A skill was asked for; `known` if there is one.
    Skill { name: String, known: bool },
    /// A check failed in this path, and it was removed.
    LeftOver(String),
}
