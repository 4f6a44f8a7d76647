//! Provenance: which claims and sessions each line of a skill rests on, and what the skill said before.

use std::collections::BTreeSet;

use super::Library;
use super::content::{Content, Sentence};
use super::skill::{self, plain};
use super::state::Skill;
use crate::skillify::Claim;

/// A line of a SKILL.md.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaidLine {
    /// The section that it stands in.
    pub heading: &'static str,
    /// The line, without its number or bullet.
    pub text: String,
    /// What it claims.
    pub claims: Vec<SaidClaim>,
}

/// A claim with its counts and the sessions behind them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaidClaim {
    /// The claim.
    pub claim: Claim,
    /// What was counted, in a sentence; `None` where nothing was.
    pub counted: Option<String>,
    /// (date, the session's short hash, assistant, outcome), oldest first.
    pub sessions: Vec<(String, String, String, String)>,
}

/// A proposal that a person refused or edited, as a change of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonsChange {
    /// When.
    pub date: String,
    /// The version that stood, or was written.
    pub version: u64,
    /// Whether the person refused it; else they edited it.
    pub is_refused: bool,
    /// The SKILL.md as it was generated.
    pub before: String,
    /// As it would have been, or as the person wrote it.
    pub after: String,
}

impl Library {
    /// The lines of the skill with this name, in the order of reading; with `proposed`, those of its proposal.
    pub fn said(&self, name: &str, proposed: bool) -> Vec<SaidLine> {
        let standing = || self.state.skills.values().find(|skill| skill.name == name);
        let waiting =
            || self.state.waiting.values().map(|waiting| &waiting.skill).find(|skill| skill.name == name);
        let content = match proposed {
            true => standing()
                .and_then(|skill| skill.proposal.as_ref()?.content.as_ref())
                .or_else(|| waiting().map(|skill| &skill.content)),
            false => standing().map(|skill| &skill.content),
        };
        content.map(lines).unwrap_or_default()
    }

    /// The SKILL.md that the state remembers of the skill with this name, whether it stands or not.
    pub fn remembered(&self, name: &str) -> Option<String> {
        let (id, skill) = self.state.skills.iter().find(|(_, skill)| skill.name == name)?;
        skill::skill_md(id, &Skill { retirement: None, ..skill.clone() })
    }

    /// What the skill with this name said when its files went; it comes back with that.
    pub fn last_said(&self, name: &str) -> Option<String> {
        let skill = self.state.skills.values().find(|skill| skill.name == name)?;
        skill.own_text().map(str::to_owned).or_else(|| self.remembered(name))
    }

    /// The name of the workspace's skill that says most of these claims, half of them at least, waiting or not; of one
    /// repository, where that is known: `""` is all of the workspace.
    pub fn saying(
        &self,
        workspace: &str,
        project: Option<&str>,
        claims: &BTreeSet<&Claim>,
    ) -> Option<String> {
        let waiting = self.state.waiting.values().map(|waiting| &waiting.skill);
        let own = self.state.skills.values().chain(waiting).filter(|skill| {
            skill.workspace == workspace && project.is_none_or(|project| skill.content.project == project)
        });
        let said = own.map(|skill| {
            let says = |claim: &&&Claim| skill.content.says(claim);
            (claims.iter().filter(says).count(), skill.stands(), skill)
        });
        let best = said.filter(|(count, ..)| count * 2 >= claims.len().max(1));
        best.max_by_key(|(count, stands, _)| (*count, *stands)).map(|(_, _, skill)| skill.name.clone())
    }

    /// What the skill said, version by version as far as they are remembered, the oldest first.
    pub fn versions(&self, name: &str) -> Vec<(u64, String)> {
        let Some((id, skill)) = self.state.skills.iter().find(|(_, skill)| skill.name == name) else {
            return Vec::new();
        };
        let mut texts: Vec<(u64, String)> = Vec::new();
        for past in &skill.past {
            let then = Skill {
                version: past.version,
                content: past.content.clone(),
                retirement: None,
                ..skill.clone()
            };
            if let Some(text) = skill::skill_md(id, &then)
                && texts.last().is_none_or(|(_, last)| *last != text)
            {
                texts.push((past.version, text));
            }
        }
        texts
    }

    /// What persons made of the skill's proposals, as far as that is remembered, the oldest first.
    pub fn decisions(&self, name: &str) -> Vec<PersonsChange> {
        let Some((id, skill)) = self.state.skills.iter().find(|(_, skill)| skill.name == name) else {
            return Vec::new();
        };
        let versions = self.versions(name);
        let text = |version: u64, content: &Content| {
            let then = Skill { version, content: content.clone(), retirement: None, ..skill.clone() };
            skill::skill_md(id, &then)
        };
        let changes = skill.decided.iter().filter_map(|decided| {
            let known = versions.iter().rfind(|(version, _)| *version <= decided.version);
            let before = known.map(|(_, text)| text.clone());
            Some(PersonsChange {
                date: decided.as_of.clone(),
                version: decided.version,
                is_refused: decided.refused.is_some(),
                before: before.or_else(|| text(decided.version, &skill.content))?,
                after: match &decided.refused {
                    Some(content) => text(decided.version, content)?,
                    None => decided.edited.clone(),
                },
            })
        });
        changes.collect()
    }
}

fn lines(content: &Content) -> Vec<SaidLine> {
    let Some(body) = &content.body else { return Vec::new() };
    let sections = [
        ("Lessons", &body.lessons),
        ("Steps", &body.steps),
        ("If it fails", &body.if_it_fails),
        ("Avoid", &body.avoid),
    ];
    let of = |heading, sentences: &Vec<Sentence>| -> Vec<SaidLine> {
        sentences
            .iter()
            .map(|sentence| SaidLine {
                heading,
                text: plain(&sentence.text),
                claims: claims(content, &sentence.claims),
            })
            .collect()
    };
    sections.into_iter().flat_map(|(heading, sentences)| of(heading, sentences)).collect()
}

fn claims(content: &Content, wanted: &BTreeSet<Claim>) -> Vec<SaidClaim> {
    let records = wanted.iter().filter_map(|claim| content.claim(claim));
    let claims = records.map(|record| SaidClaim {
        claim: record.claim.clone(),
        counted: skill::counted(&record.claim, &record.counts),
        sessions: record
            .evidence
            .iter()
            .map(|one| (one.date.clone(), one.session.clone(), one.assistant.clone(), one.outcome.clone()))
            .collect(),
    });
    claims.collect()
}
