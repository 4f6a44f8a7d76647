//! The library as commands show it.

use std::collections::BTreeSet;

use super::Library;
use super::content::session_hash;
use super::digest::digest;
use super::guide;
use super::history::Event;
use super::listed::{Listed, ListedClaim, ListedEvent, Standing};
use super::skill::support;
use super::state::Skill;
use crate::skillify::Claim;

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
    ListedEvent {
        date: event.as_of.clone(),
        version: event.version,
        what: event.what.clone(),
        at: event.at.clone(),
        by: event.by.clone(),
        deed: event.deed(),
    }
}
