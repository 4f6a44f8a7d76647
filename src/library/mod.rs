//! The library: the skills that have been published, and how candidates change it.
//!
//! [`load`] reads what a target holds, [`reconcile`] says what must change. Both are pure: the target
//! is a map of files, and an exporter carries the [`Changes`] to where it stands.
//!
//! | file | holds |
//! |---|---|
//! | `state.rs` | what is remembered beside the tree, and its format |
//! | `reconcile.rs` | candidates and library → changes |
//! | `listing.rs` | the library as commands show it |
//! | `skill.rs` | SKILL.md and references/evidence.md |
//! | `manifest.rs` | the files of the tree's root: README.md, plugin and package manifests |
//!
//! Layout:
//!
//! ```text
//! skills/<name>/SKILL.md   skills/<name>/references/evidence.md
//! .claude-plugin/{marketplace,plugin}.json   gemini-extension.json   package.json
//! README.md   .gitattributes
//! ```
//!
//! Invariants: a file that differs from what was generated, line ends aside, is a person's and is
//! never written; a skill whose SKILL.md is gone was refused and never comes back; a run that learnt
//! nothing changes no byte; no file and no state names a session, a person or a prompt.

mod listing;
mod manifest;
mod reconcile;
mod skill;
mod state;

use std::collections::BTreeMap;

pub use crate::skillify::Candidate;
pub use listing::{Listed, Standing};
pub use reconcile::{Change, Changes, reconcile};
pub use state::{Error, FORMAT, Stored};

use state::State;

/// A target's files: path relative to its root, with `/`, to content.
pub type Tree = BTreeMap<String, String>;

/// The folder that skills stand in.
pub const SKILLS: &str = "skills";

/// The files of the root that the library may write.
pub const ROOT_FILES: [&str; 6] = [
    ".claude-plugin/marketplace.json",
    ".claude-plugin/plugin.json",
    ".gitattributes",
    "README.md",
    "gemini-extension.json",
    "package.json",
];

/// What a target holds and what is remembered of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Library {
    state: State,
    /// The state that an apply was about to reach when it was interrupted.
    interrupted: Option<State>,
    tree: Tree,
}

/// Reads a target.
pub fn load(stored: &Stored, tree: Tree) -> Result<Library, Error> {
    let state = stored.current.as_deref().map(State::parse).transpose()?.unwrap_or_default();
    // A torn note of an interrupted apply is as good as none: its files were not yet touched.
    let interrupted = match stored.next.as_deref().map(State::parse) {
        Some(Err(newer @ Error::Newer { .. })) => return Err(newer),
        Some(Ok(next)) => Some(next),
        Some(Err(_)) | None => None,
    };
    Ok(Library { state, interrupted, tree })
}

impl Library {
    /// Whether the file may be written: absent, or as it was generated.
    fn is_ours(&self, path: &str) -> bool {
        let Some(content) = self.tree.get(path) else { return true };
        let found = state::digest(content);
        let generated = |state: &State| state.files.get(path) == Some(&found);
        generated(&self.state) || self.interrupted.as_ref().is_some_and(generated)
    }
}
