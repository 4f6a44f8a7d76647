//! The library as commands show it.

use super::skill::support;
use super::state::{Skill, digest};
use super::{Library, SKILLS};

/// A skill of a library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// `skillspan-id`.
    pub id: String,
    /// Its folder's name.
    pub name: String,
    /// The workspace it was mined from.
    pub workspace: String,
    /// How often it was generated.
    pub version: u64,
    /// What assistants see before they load it.
    pub description: String,
    /// `3 sessions of 2 people`.
    pub support: String,
    /// What people have made of it.
    pub standing: Standing,
    /// The SKILL.md that would stand there, had a person not edited it.
    pub proposal: Option<String>,
}

/// What people have made of a generated skill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It stands as generated.
    Published,
    /// A person edited it.
    HandEdited,
    /// A person deleted it.
    Refused,
}

impl Standing {
    /// The word that commands print.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::HandEdited => "hand-edited",
            Self::Refused => "refused",
        }
    }
}

impl Library {
    /// Its skills by name.
    pub fn skills(&self) -> Vec<Listed> {
        let mut skills: Vec<Listed> =
            self.state.skills.iter().map(|(id, skill)| self.listed(id, skill)).collect();
        skills.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        skills
    }

    /// A file of the tree.
    pub fn file(&self, path: &str) -> Option<&str> {
        self.tree.get(path).map(String::as_str)
    }

    fn listed(&self, id: &str, skill: &Skill) -> Listed {
        let path = format!("{SKILLS}/{}/SKILL.md", skill.name);
        let standing = match self.tree.get(&path) {
            None => Standing::Refused,
            Some(_) if skill.refused => Standing::Refused,
            Some(content) if self.state.files.get(&path) == Some(&digest(content)) => Standing::Published,
            Some(_) => Standing::HandEdited,
        };
        Listed {
            id: id.to_owned(),
            name: skill.name.clone(),
            workspace: skill.workspace.clone(),
            version: skill.version,
            description: skill.description.clone(),
            support: support(skill),
            standing,
            proposal: skill.proposal.as_ref().map(|proposal| proposal.text.clone()),
        }
    }
}
