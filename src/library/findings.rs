//! What one run of mining found in a workspace, and which of it goes to a target.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::effect::Episode;
use super::learned::Learned;
use super::ownership::{Census, Ownership};
use super::subset::reduced;
use crate::event::{Owner, Timestamp};
use crate::skillify::{Candidate, Mined, SupportedClaim};

/// What one run of mining found in a workspace.
#[derive(Debug, Clone, PartialEq)]
pub struct Findings {
    /// The tenant.
    pub tenant: String,
    /// The workspace.
    pub workspace: String,
    /// The newest event: what the findings are true of.
    pub as_of: Timestamp,
    /// Published ones and others.
    pub candidates: Vec<Candidate>,
    /// The last date that a session loaded each skill, by the skill's name.
    pub uses: BTreeMap<String, String>,
    /// What the sessions did.
    pub episodes: Vec<Episode>,
    /// What a model said, where one is asked.
    pub learned: Option<Learned>,
    /// Which tenant's skills the target takes.
    pub whose: Ownership,
    /// Every session that there is, whosever.
    pub census: Census,
    /// Whose turn it was to mine them, where several workers share a table.
    pub turn: Option<Turn>,
}

/// A worker's turn to mine some workspaces.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Turn {
    /// Which workspaces, of which table, for which targets.
    pub share: String,
    /// Greater than that of every turn before it.
    pub number: u64,
}

impl From<&Mined> for Findings {
    fn from(mined: &Mined) -> Self {
        Self {
            tenant: Owner::default().tenant,
            workspace: mined.workspace.clone(),
            as_of: mined.as_of,
            candidates: mined.candidates.clone(),
            uses: BTreeMap::new(),
            episodes: Vec::new(),
            learned: None,
            whose: Ownership::default(),
            census: Census::default(),
            turn: None,
        }
    }
}

impl Findings {
    /// The findings with claims as a state gives them back, so that they are equal to remembered ones. What
    /// does not read back is left out: no state could hold it.
    pub(super) fn readable(&self) -> Cow<'_, Self> {
        let is_readable =
            |claim: &SupportedClaim| claim.claim.read_back().is_some_and(|read| read == claim.claim);
        if self.candidates.iter().flat_map(|candidate| &candidate.claims).all(is_readable) {
            return Cow::Borrowed(self);
        }
        let candidates = self.candidates.iter().filter_map(readable).collect();
        Cow::Owned(Self { candidates, ..self.clone() })
    }
}

fn readable(candidate: &Candidate) -> Option<Candidate> {
    let read =
        |claim: &SupportedClaim| Some(SupportedClaim { claim: claim.claim.read_back()?, ..claim.clone() });
    let claims: Vec<SupportedClaim> = candidate.claims.iter().filter_map(read).collect();
    if claims.len() == candidate.claims.len() {
        return Some(Candidate { claims, ..candidate.clone() });
    }
    let is_procedure = candidate.claims.first().is_some_and(|main| main.claim.is_step());
    (!claims.is_empty() && !is_procedure).then(|| reduced(candidate, claims))
}
