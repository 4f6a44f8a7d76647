//! The library as commands show it.

use std::collections::BTreeSet;

use super::Library;
use super::content::session_hash;
use super::effect::Effect;
use super::guide;
use super::skill::support;
use super::state::{Event, REJECTED, Skill, digest};
use crate::skillify::Claim;

/// A skill of a library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// `skillspan-id`; empty for a skill that a person wrote.
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
    /// The SKILL.md that would stand there, had a person not written or edited it.
    pub proposal: Option<String>,
    /// The name of a skill that a model takes it for, until a person decides.
    pub same_as: Option<String>,
    /// What it may do that a person has to agree to first, a line each; empty for every other skill.
    pub review: Vec<String>,
    /// Where its SKILL.md stands.
    pub path: String,
    /// What later sessions showed of it when it was last written.
    pub effect: Option<Effect>,
    /// The sessions behind each claim.
    pub evidence: Vec<ListedClaim>,
    /// What became of it, oldest first.
    pub history: Vec<ListedEvent>,
}

/// A claim of a skill with the sessions behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedClaim {
    /// The claim itself, if it is a rule that people stated.
    pub rule: Option<Claim>,
    /// One line.
    pub claim: String,
    /// (date, the session's short hash, assistant, outcome), oldest first.
    pub sessions: Vec<(String, String, String, String)>,
}

/// One line of a skill's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedEvent {
    /// The date of the evidence.
    pub date: String,
    /// The version that it led to.
    pub version: u64,
    /// What happened.
    pub what: String,
}

/// What people have made of a skill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It stands as generated.
    Published,
    /// It waits for a person to agree to what it may do.
    Waiting,
    /// It waits, as generated, for people to merge it: assistants do not load it yet.
    Proposed,
    /// A person edited it.
    HandEdited,
    /// A person wrote it; sessions could add to it.
    HandWritten,
    /// A person deleted it.
    Refused,
    /// Its description says that it is retired.
    Retiring,
    /// It is gone.
    Retired,
}

impl Standing {
    /// The word that commands print.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Waiting => "waiting",
            Self::Proposed => "proposed",
            Self::HandEdited => "hand-edited",
            Self::HandWritten => "hand-written",
            Self::Refused => "refused",
            Self::Retiring => "retiring",
            Self::Retired => "retired",
        }
    }
}

impl Listed {
    /// Whether a person refused it before it stood anywhere: brought back, it waits again.
    pub fn never_stood(&self) -> bool {
        let was_rejected = self.history.last().is_some_and(|event| event.what.starts_with(REJECTED));
        self.standing == Standing::Refused && was_rejected
    }

    /// Whether something waits for a person to decide.
    pub fn has_proposal(&self) -> bool {
        self.proposal.is_some() || self.same_as.is_some()
    }
}

impl Library {
    /// Its skills by name: those it generated, and those of people that it has a proposal for.
    pub fn skills(&self) -> Vec<Listed> {
        let mut skills: Vec<Listed> =
            self.state.skills.iter().map(|(id, skill)| self.listed(id, skill)).collect();
        skills.extend(self.hand_written());
        skills.extend(self.waiting());
        skills.extend(guide::listed(self));
        skills.extend(guide::proposed::listed(self));
        skills.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        skills
    }

    /// The names of the skills that a session is evidence for, now, in an earlier version or a proposal.
    pub fn supported_by(&self, tenant: &str, session: &str) -> Vec<String> {
        let hash = session_hash(tenant, session);
        let waiting = self.state.waiting.values().map(|waiting| &waiting.skill);
        let supported = |skill: &&Skill| skill.remembered().any(|content| content.rests_on(&hash));
        self.state.skills.values().chain(waiting).filter(supported).map(|skill| skill.name.clone()).collect()
    }

    /// Whether a person agreed to what the skill at this path may do, and nobody changed it since.
    pub fn is_agreed(&self, path: &str) -> bool {
        let text = self.tree.get(path);
        let is_as_agreed = text.is_some_and(|text| self.state.generated(path, &digest(text)));
        let mut skills = self.state.skills.values().filter(|skill| skill.is_agreed());
        is_as_agreed && skills.any(|skill| self.skill_paths(&skill.name).iter().any(|own| own == path))
    }

    /// The SKILL.md of each skill that it generated and that stands, path and text; of several copies one.
    pub fn skill_files(&self) -> Vec<(&str, &str)> {
        let standing = self.state.skills.values().filter(|skill| skill.stands());
        let mut files: Vec<(&str, &str)> = standing
            .filter_map(|skill| {
                let paths = self.skill_paths(&skill.name);
                let (path, text) = paths.iter().find_map(|path| self.tree.get_key_value(path))?;
                Some((path.as_str(), text.as_str()))
            })
            .collect();
        files.sort_unstable();
        files
    }

    /// A file of the tree.
    pub fn file(&self, path: &str) -> Option<&str> {
        self.tree.get(path).map(String::as_str)
    }

    fn listed(&self, id: &str, skill: &Skill) -> Listed {
        let paths = self.skill_paths(&skill.name);
        let path = paths.iter().find(|path| self.tree.contains_key(*path)).or(paths.first());
        Listed {
            id: id.to_owned(),
            name: skill.name.clone(),
            workspace: skill.workspace.clone(),
            version: skill.version,
            description: skill.content.description.clone(),
            support: support(&skill.content),
            standing: self.standing(skill, &paths),
            proposal: skill.proposal.as_ref().map(|proposal| proposal.text.clone()),
            same_as: self.same_as(skill),
            review: Vec::new(),
            path: path.cloned().unwrap_or_default(),
            effect: skill.effect.clone(),
            evidence: skill.content.claims.iter().map(listed_claim).collect(),
            history: skill.history.iter().map(listed_event).collect(),
        }
    }

    fn same_as(&self, skill: &Skill) -> Option<String> {
        let same = skill.same_as.as_ref().filter(|same| !same.rejected && skill.stands())?;
        let other = self.state.skills.get(&same.skill).filter(|other| other.stands())?;
        Some(other.name.clone())
    }

    fn standing(&self, skill: &Skill, paths: &[String]) -> Standing {
        if skill.is_gone() {
            return Standing::Retired;
        }
        let standing: Vec<(&String, &String)> =
            paths.iter().filter_map(|path| self.tree.get_key_value(path)).collect();
        if skill.refused || standing.is_empty() {
            return Standing::Refused;
        }
        if !standing.iter().all(|(path, text)| self.state.generated(path, &digest(text))) {
            return Standing::HandEdited;
        }
        let is_merged = |merged: &BTreeSet<String>| standing.iter().any(|(path, _)| merged.contains(*path));
        match () {
            () if skill.retirement.is_some() => Standing::Retiring,
            () if self.merged.as_ref().is_none_or(is_merged) => Standing::Published,
            () => Standing::Proposed,
        }
    }

    fn waiting(&self) -> impl Iterator<Item = Listed> {
        self.state.waiting.iter().map(|(id, waiting)| {
            let listed = self.listed(id, &waiting.skill);
            let (standing, review) = (Standing::Waiting, waiting.review.clone());
            Listed { standing, review, proposal: Some(waiting.text(id)), ..listed }
        })
    }

    fn hand_written(&self) -> impl Iterator<Item = Listed> {
        let proposals = self.state.hand_written.iter().filter(|(_, proposal)| !proposal.claims.is_empty());
        proposals.map(|(name, proposal)| Listed {
            id: String::new(),
            name: name.clone(),
            workspace: String::new(),
            version: 0,
            description: String::new(),
            support: String::new(),
            standing: Standing::HandWritten,
            proposal: Some(proposal.text.clone()),
            same_as: None,
            review: Vec::new(),
            path: self
                .skill_paths(name)
                .into_iter()
                .find(|path| self.tree.contains_key(path))
                .unwrap_or_default(),
            effect: None,
            evidence: Vec::new(),
            history: Vec::new(),
        })
    }
}

fn listed_claim(record: &super::content::ClaimRecord) -> ListedClaim {
    let sessions = record
        .evidence
        .iter()
        .map(|one| (one.date.clone(), one.session.clone(), one.assistant.clone(), one.outcome.clone()));
    let rule = matches!(record.claim, Claim::Rule { .. }).then(|| record.claim.clone());
    ListedClaim { rule, claim: record.claim.to_string(), sessions: sessions.collect() }
}

fn listed_event(event: &Event) -> ListedEvent {
    ListedEvent { date: event.as_of.clone(), version: event.version, what: event.what.clone() }
}
