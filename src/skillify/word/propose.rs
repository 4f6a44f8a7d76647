//! Who words claims, and the claims that people's own words suggest.
//!
//! A [`Proposer`] only words claims that were found: it may not add any.
//!
//! - **Avoid**: a command that people spoke against in several sessions.
//! - **Prefer**: a correction that names one command against another; see [`super::super::cluster::prefer`].

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::super::claim::{Claim, SupportedClaim};
use super::super::cluster::prefer::{self, Choice};
use super::super::compose::topic::Topic;
use super::super::evidence::segment_ref::SegmentRef;
use super::super::evidence::segment_ref::session_of;
use super::super::template::Template;
use super::wording::Wording;
use crate::shell::command::Command;

/// Words claims that were found.
pub trait Proposer {
    /// The text for the material. What it says beyond the claims is refused and replaced by the
    /// text of [`super::super::Offline`].
    fn word(&self, material: &Material) -> Wording;
}

/// What a skill may be worded from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Material {
    /// What it is about.
    pub topic: Topic,
    /// The repository to name, `""` if none needs to be named.
    pub project: String,
    /// The claims in the order of telling, at least one.
    pub claims: Vec<SupportedClaim>,
    /// Words that the prompts of at least two supporting sessions share: what people call the doing.
    pub verbs: Vec<String>,
    /// What they call the thing that it is done to, likewise.
    pub words: Vec<String>,
}

impl Material {
    /// Claims alone, without words of prompts.
    pub fn of(claims: Vec<SupportedClaim>) -> Self {
        let topic = claims.first().map_or(Topic::Work, |claim| Topic::of(&claim.claim));
        Self { topic, project: String::new(), claims, verbs: Vec::new(), words: Vec::new() }
    }

    /// Error signatures that its claims speak of.
    pub fn signatures(&self) -> Vec<&str> {
        let mut signatures: Vec<&str> = Vec::new();
        for failure in self.claims.iter().flat_map(|claim| &claim.failures) {
            if !signatures.contains(&failure.as_str()) {
                signatures.push(failure);
            }
        }
        signatures
    }
}

/// Every Prefer that the segments suggest, each once, in order.
pub(in crate::skillify) fn preferences(works: &[SegmentRef<'_>]) -> Vec<Claim> {
    let mut groups: BTreeMap<(&str, &str), Vec<Choice<'_>>> = BTreeMap::new();
    for choice in works.iter().flat_map(prefer::choices) {
        groups.entry((choice.prefer.token(), choice.over.token())).or_default().push(choice);
    }
    let claims = groups.values().filter_map(|group| prefer::claim(&group.iter().collect::<Vec<_>>()));
    claims.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The Avoids that the segments suggest: commands that people spoke against in two sessions.
pub(in crate::skillify) fn avoidances(works: &[SegmentRef<'_>]) -> Vec<Claim> {
    type Refused<'w> = (&'w Command, (&'w str, &'w str));
    let mut groups: BTreeMap<&str, Vec<Refused<'_>>> = BTreeMap::new();
    for work in works {
        for (_, action) in work.segment.actions().filter(|(_, action)| action.against) {
            if let Some(command) = action.command() {
                groups.entry(command.token()).or_default().push((command, session_of(work)));
            }
        }
    }
    let mut claims = BTreeSet::new();
    for group in groups.into_values() {
        let sessions: BTreeSet<_> = group.iter().map(|(_, session)| session).collect();
        if sessions.len() >= 2 {
            let commands: Vec<&Command> = group.iter().map(|(command, _)| *command).collect();
            claims.extend(Template::of(&commands).map(Claim::Avoid));
        }
    }
    claims.into_iter().collect()
}
