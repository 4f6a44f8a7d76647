//! The library: the skills that have been published, and how candidates change it.
//!
//! [`load`] reads what a target holds, [`reconcile`] says what must change, [`decide`] what a person's
//! decision changes. All are pure: the target is a map of files, and an exporter carries the
//! [`Changes`] to where it stands.
//!
//! | file | holds |
//! |---|---|
//! | `layout.rs` | where in a target skills stand |
//! | `state.rs`, `content.rs` | what is remembered beside the tree, and its format |
//! | `history.rs` | what became of a skill, and what persons did with it |
//! | `digest.rs` | digests of files and sessions |
//! | `migration.rs` | states of older formats |
//! | `ownership.rs`, `tenants.rs` | whose a library is |
//! | `findings.rs`, `route.rs` | what one run of mining found, and which of it goes to a target |
//! | `people.rs` | what people did to the tree since the last publish |
//! | `identity.rs` | which known skill a candidate is |
//! | `judgement.rs` | what sessions say of a published skill: still true, contradicted, unseen |
//! | `bounds.rs` | how many skills a target takes |
//! | `turns.rs` | findings of a worker that another one has taken over from |
//! | `reconcile.rs`, `revision.rs`, `subset.rs`, `run.rs` | findings and library → changes |
//! | `learned.rs`, `model_results.rs` | what a model said: answers, what they cost, skills that it takes for one |
//! | `hand_written.rs` | skills that people wrote, and what sessions could add |
//! | `neighbours.rs` | which skills are similar |
//! | `mentions.rs` | whether a text names a command |
//! | `effect.rs` | what later sessions show, with a skill and without it |
//! | `watched.rs` | what sessions did in the situations of published skills |
//! | `amendments.rs` | what an author's lessons add to such a skill |
//! | `guide/` | facts about a repository, in its AGENTS.md |
//! | `review.rs` | skills that wait for a person to agree to what they may do |
//! | `decision.rs`, `decide.rs` | approve, reject, restore |
//! | `changes.rs` | what changes; the commit's message; the diff |
//! | `listed.rs`, `listing.rs` | the library as commands show it |
//! | `provenance.rs` | what each line of a skill rests on; its versions |
//! | `lint/` | what a reviewer would refuse of a text |
//! | `skill.rs` | SKILL.md and references/evidence.md |
//! | `manifest.rs` | the files of the tree's root: README.md, RETIRED.md, manifests of assistants |
//!
//! Layout of a library (in a project's repository only the skills stand, see [`Layout`]):
//!
//! ```text
//! skills/<name>/SKILL.md   skills/<name>/references/evidence.md
//! .claude-plugin/{marketplace,plugin}.json   gemini-extension.json   package.json
//! README.md   RETIRED.md   .gitattributes
//! ```
//!
//! Invariants:
//!
//! - A file that differs from everything that was generated, line ends aside, belongs to a person. It changes only by
//!   command.
//! - A skill whose SKILL.md a person deleted comes back only by command.
//! - A run that learned nothing changes no byte.
//! - No file and no state names a session, a person or a prompt.
//! - A library belongs to one tenant, and nothing of another tenant reaches it.

mod amendments;
mod bounds;
mod changes;
mod content;
mod decide;
mod decision;
mod digest;
mod effect;
mod findings;
mod guide;
mod hand_written;
mod history;
mod identity;
mod judgement;
mod layout;
mod learned;
pub mod lint;
mod listed;
mod listing;
mod manifest;
mod mentions;
mod migration;
mod model_results;
mod neighbours;
mod ownership;
mod people;
mod provenance;
mod reconcile;
mod review;
mod revision;
mod route;
mod run;
mod skill;
mod state;
mod subset;
mod tenants;
mod turns;
mod watched;

use std::collections::{BTreeMap, BTreeSet};

pub use crate::skillify::Candidate;
pub use bounds::{Bounds, HeldBack};
pub use changes::{Change, Changes};
pub use content::{session_hash, session_number};
pub use decide::{decide, decide_saying};
pub use decision::{Decision, DecisionError, Remark, TextFault};
pub use effect::{Effect, Episode, Side};
pub use findings::{Findings, Turn};
pub use history::Deed;
pub use layout::{Layout, SKILLS};
pub use learned::Learned;
pub use listed::{Listed, ListedClaim, ListedEvent, Standing};
pub use neighbours::Neighbour;
pub use ownership::{Census, Ownership};
pub use provenance::{PersonsChange, SaidClaim, SaidLine};
pub use reconcile::{reconcile, reconcile_within};
pub use route::Route;
pub use state::{Error, FORMAT, Stored};
pub use tenants::TenantError;
pub use watched::{WatchedLine, WatchedSkill, Week};

use state::State;

/// A target's files: path relative to its root, with `/`, to content.
pub type Tree = BTreeMap<String, String>;

/// The files of a target, and the library's state beside them.
#[derive(Debug, Clone, PartialEq)]
pub struct Library {
    layout: Layout,
    /// The folders that hold skills.
    roots: Vec<String>,
    state: State,
    /// The state that an apply was about to reach when it was interrupted.
    interrupted: Option<State>,
    tree: Tree,
    /// Where people merge what is proposed: the files that they have merged. `None` where nobody has to.
    merged: Option<BTreeSet<String>>,
    /// What stands in the way of the file of the guide's block.
    guide_in_the_way: Option<String>,
}

/// Reads a target.
pub fn load(layout: Layout, stored: &Stored, tree: Tree) -> Result<Library, Error> {
    let state = stored.current.as_deref().map(State::parse).transpose()?.unwrap_or_default();
    // A torn note of an interrupted apply is as good as none: its files were not yet touched.
    let interrupted = match stored.next.as_deref().map(State::parse) {
        Some(Err(newer @ Error::Newer { .. })) => return Err(newer),
        Some(Ok(next)) => Some(next),
        Some(Err(_)) | None => None,
    };
    Ok(Library {
        roots: layout.roots(),
        layout,
        state,
        interrupted,
        tree,
        merged: None,
        guide_in_the_way: None,
    })
}

impl Library {
    /// The same library without one of its roots: it is a link to another one.
    #[must_use]
    pub fn without_root(mut self, root: &str) -> Self {
        self.roots.retain(|known| known != root);
        self
    }

    /// The paths of published files. A writer that cannot see them must not take them for deleted.
    pub fn paths_in_use(&self) -> BTreeSet<String> {
        let states = [Some(&self.state), self.interrupted.as_ref()].into_iter().flatten();
        let mut paths: BTreeSet<String> = self.roots.iter().cloned().collect();
        for state in states {
            let looked_for = state.skills.values().filter(|skill| !skill.refused && !skill.is_gone());
            let names = looked_for.map(|skill| &skill.name).chain(state.hand_written.keys());
            for path in names.flat_map(|name| self.skill_paths(name)) {
                paths.insert(path.replace("/SKILL.md", "/references/evidence.md"));
                paths.insert(path);
            }
            let root_files = self.layout.root_files().iter().map(|path| (*path).to_owned());
            paths.extend(root_files.filter(|path| state.files.contains_key(path)));
        }
        paths
    }

    /// The same library where people merge what is proposed: these files they have merged, as they are here.
    #[must_use]
    pub fn with_merged(self, files: BTreeSet<String>) -> Self {
        Self { merged: Some(files), ..self }
    }

    /// Where each copy of the skill's SKILL.md stands.
    fn skill_paths(&self, name: &str) -> Vec<String> {
        self.roots.iter().map(|root| format!("{root}/{name}/SKILL.md")).collect()
    }

    /// Whether the file may be written: absent, or as it was generated.
    fn is_ours(&self, path: &str) -> bool {
        let Some(content) = self.tree.get(path) else { return true };
        let found = digest::digest(content);
        let generated = |state: &State| state.generated(path, &found);
        generated(&self.state) || self.interrupted.as_ref().is_some_and(generated)
    }
}
