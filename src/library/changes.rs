//! What a target must become, and how people are told.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use similar::TextDiff;

use super::bounds::HeldBack;
use super::{Library, Tree};
use crate::event::visible;

/// What becomes of a skill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Change {
    /// It is new.
    Created,
    /// It says more than before.
    Sharpened,
    /// It says something else: newer sessions contradicted it.
    Revised,
    /// It stands again.
    Restored,
    /// Its description says that it is retired.
    Retiring,
    /// Its folder is gone, RETIRED.md tells why.
    Retired,
    /// It is kept for a person to decide: a skill that he wrote could say more.
    Proposed,
    /// It waits for a person to agree to what it may do.
    Waiting,
    /// It says what it said.
    Unchanged,
    /// A person edited it: it stays, what would change is a proposal in the state.
    HandEdited,
    /// A person deleted it: it does not come back.
    Refused,
    /// A person withdrew it: its folder is gone.
    Withdrawn,
}

impl Change {
    /// Every kind, in the order that people are told.
    pub const ALL: [Self; 12] = [
        Self::Created,
        Self::Sharpened,
        Self::Revised,
        Self::Restored,
        Self::Retiring,
        Self::Retired,
        Self::Proposed,
        Self::Waiting,
        Self::Unchanged,
        Self::HandEdited,
        Self::Refused,
        Self::Withdrawn,
    ];

    /// The words that reports use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Sharpened => "sharpened",
            Self::Revised => "revised",
            Self::Restored => "restored",
            Self::Retiring => "retiring",
            Self::Retired => "retired",
            Self::Proposed => "proposed for a skill that a person wrote",
            Self::Waiting => "waiting for a person to agree",
            Self::Unchanged => "unchanged",
            Self::HandEdited => "edited by hand, left alone",
            Self::Refused => "deleted by hand, left out",
            Self::Withdrawn => "withdrawn by a person",
        }
    }

    /// Whether files of the skill change.
    pub const fn is_written(self) -> bool {
        matches!(
            self,
            Self::Created
                | Self::Sharpened
                | Self::Revised
                | Self::Restored
                | Self::Retiring
                | Self::Retired
                | Self::Withdrawn
        )
    }

    /// The imperative of a commit's subject.
    const fn verb(self) -> &'static str {
        match self {
            Self::Created => "Add",
            Self::Sharpened => "Sharpen",
            Self::Revised => "Revise",
            Self::Restored => "Restore",
            Self::Retiring => "Announce the retirement of",
            Self::Retired => "Remove retired",
            Self::Withdrawn => "Withdraw",
            Self::Proposed | Self::Waiting | Self::Unchanged | Self::HandEdited | Self::Refused => "Leave",
        }
    }
}

/// What a target must become.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// What happens to each skill that the run mentions, by name.
    pub skills: BTreeMap<String, Change>,
    /// Files to write.
    pub files: Tree,
    /// Files to remove.
    pub removed: BTreeSet<String>,
    /// The state to write after them; `None` if nothing changes at all.
    pub state: Option<String>,
    /// New skills that were held back.
    pub held_back: Option<HeldBack>,
    /// The workspaces that they are of.
    pub waiting: BTreeSet<String>,
    /// How many new skills each of the findings made.
    pub(super) created: Vec<usize>,
    /// What else people should know, a line each.
    pub notes: Vec<String>,
    /// Why, a line each, for the commit.
    pub(super) reasons: Vec<(Change, String, String)>,
    pub(super) release: u64,
}

impl Changes {
    /// Whether the target's tree changes.
    pub fn touches_the_tree(&self) -> bool {
        !self.files.is_empty() || !self.removed.is_empty()
    }

    /// The message of the commit that makes them.
    pub fn commit_message(&self) -> String {
        let mut message = self.subject();
        message.push('\n');
        for change in Change::ALL {
            for (_, name, reason) in self.reasons.iter().filter(|(kind, ..)| *kind == change) {
                let _ = write!(message, "\n{} {name}\n  {reason}\n", capitalised(change.as_str()));
            }
        }
        let _ = write!(message, "\nSkillspan-Release: {}\n", self.release);
        for change in Change::ALL.into_iter().filter(|change| change.is_written()) {
            let names: Vec<&str> = self.named(change);
            if !names.is_empty() {
                let _ = writeln!(message, "Skillspan-{}: {}", capitalised(change.as_str()), names.join(", "));
            }
        }
        visible(&message).into_owned()
    }

    /// The skills that such a change is made of.
    pub fn named(&self, wanted: Change) -> Vec<&str> {
        let skills = self.skills.iter().filter(|(_, change)| **change == wanted);
        skills.map(|(name, _)| name.as_str()).collect()
    }

    /// The tree's changes as a unified diff.
    pub fn diff(&self, library: &Library) -> String {
        let paths: BTreeSet<&String> = self.files.keys().chain(&self.removed).collect();
        let mut text = String::new();
        for path in paths {
            let old = library.file(path);
            let new = self.files.get(path).map(String::as_str);
            let name = |side: &str, there: bool| {
                if there { format!("{side}/{path}") } else { "/dev/null".to_owned() }
            };
            let diff = TextDiff::from_lines(old.unwrap_or_default(), new.unwrap_or_default());
            let header = (name("a", old.is_some()), name("b", new.is_some()));
            let _ = write!(text, "{}", diff.unified_diff().header(&header.0, &header.1));
        }
        text
    }

    fn subject(&self) -> String {
        let written: Vec<(Change, Vec<&str>)> = Change::ALL
            .into_iter()
            .filter(|change| change.is_written())
            .map(|change| (change, self.named(change)))
            .filter(|(_, names)| !names.is_empty())
            .collect();
        match written.as_slice() {
            [] => "Bring the list of skills up to date".to_owned(),
            [(change, names)] if names.len() == 1 => format!("{} {}", change.verb(), names.join(", ")),
            several => {
                let parts = several.iter().map(|(change, names)| {
                    let noun = if names.len() == 1 { "skill" } else { "skills" };
                    format!("{} {} {noun}", change.verb(), names.len())
                });
                let text = parts.collect::<Vec<_>>().join("; ");
                text.chars().take(1).chain(text.to_lowercase().chars().skip(1)).collect()
            }
        }
    }
}

pub(super) fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
