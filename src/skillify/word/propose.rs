//! Who words claims. A [`Proposer`] only words claims that were found: it may not add any.

use serde::{Deserialize, Serialize};

use super::super::claim::SupportedClaim;
use super::super::claim::topic::Topic;
use super::wording::Wording;

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
