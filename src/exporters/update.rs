//! What a destination of skills is asked to take up, and what it reports.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::library::{
    self, Bounds, Change, Changes, Decision, DecisionError, Findings, HeldBack, Library, Remark,
};

/// What a target is asked to take up. The target works out the changes itself, on top of whatever
/// stands there when it writes.
#[derive(Debug, Clone)]
pub enum Update {
    /// What mining found.
    Findings(Vec<Findings>),
    /// What of it goes to a target, and how many new skills it may make.
    Routed(Vec<Findings>, Bounds),
    /// What a person decided.
    Decision {
        /// The skill's name or id.
        skill: String,
        /// What is wanted.
        decision: Decision,
        /// Today, as `2026-11-22`.
        as_of: String,
    },
    /// The same, with what the person says beside it.
    Saying {
        /// The skill's name or id.
        skill: String,
        /// What is wanted.
        decision: Decision,
        /// What is said.
        remark: Remark,
        /// Today, as `2026-11-22`.
        as_of: String,
    },
}

impl Update {
    /// The findings of mining, if the update has any.
    pub(super) fn findings(&self) -> &[Findings] {
        match self {
            Self::Findings(findings) | Self::Routed(findings, _) => findings,
            Self::Decision { .. } | Self::Saying { .. } => &[],
        }
    }

    /// What it changes in the library.
    pub(super) fn changes(&self, library: &Library) -> Result<Changes, DecisionError> {
        match self {
            Self::Findings(findings) => Ok(library::reconcile(library, findings)?),
            Self::Routed(findings, bounds) => Ok(library::reconcile_within(library, findings, *bounds)?),
            Self::Decision { skill, decision, as_of } => library::decide(library, skill, *decision, as_of),
            Self::Saying { skill, decision, remark, as_of } => {
                library::decide_saying(library, skill, *decision, remark, as_of)
            }
        }
    }
}

/// What one publish did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// What happened to each skill, by name.
    pub skills: BTreeMap<String, Change>,
    /// How many files were written or removed, without the state.
    pub files_written: usize,
    /// The change of the tree as a unified diff.
    pub diff: String,
    /// New skills that were held back: what was found is to be brought again.
    pub held_back: Option<HeldBack>,
    /// The workspaces that they are of.
    pub waiting: BTreeSet<String>,
    /// What else people should know, a line each: where a proposal waits, that history was rewritten.
    pub notes: Vec<String>,
}

impl Report {
    pub(super) fn of(changes: &Changes, library: &Library) -> Self {
        Self {
            skills: changes.skills.clone(),
            files_written: changes.files.len() + changes.removed.len(),
            diff: changes.diff(library),
            held_back: changes.held_back,
            waiting: changes.waiting.clone(),
            notes: changes
                .notes
                .iter()
                .cloned()
                .chain(changes.held_back.iter().map(HeldBack::to_string))
                .collect(),
        }
    }

    /// The skills that such a change was made of.
    pub fn named(&self, wanted: Change) -> Vec<&str> {
        let skills = self.skills.iter().filter(|(_, change)| **change == wanted);
        skills.map(|(name, _)| name.as_str()).collect()
    }

    /// How many skills were written.
    pub fn changed(&self) -> usize {
        self.skills.values().filter(|change| change.is_written()).count()
    }
}

impl fmt::Display for Report {
    /// `created: a, b; unchanged: c`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = Change::ALL
            .into_iter()
            .map(|change| (change, self.named(change)))
            .filter(|(_, names)| !names.is_empty())
            .map(|(change, names)| format!("{}: {}", change.as_str(), names.join(", ")));
        let parts: Vec<String> = parts.chain(self.notes.iter().cloned()).collect();
        f.write_str(if parts.is_empty() { "no skill" } else { "" })?;
        f.write_str(&parts.join("; "))
    }
}
