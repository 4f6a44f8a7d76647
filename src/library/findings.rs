//! What one run of mining found in a workspace, and which of it goes to a target.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::bounds::Bounds;
use super::effect::Episode;
use super::learned::Learned;
use super::revision::reduced;
use super::tenants::{Census, Whose};
use crate::event::{Owner, Timestamp};
use crate::skillify::{Candidate, Claim, Mined, Scope, SupportedClaim};

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
    pub whose: Whose,
    /// Every session that there is, whosever.
    pub census: Census,
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
            whose: Whose::default(),
            census: Census::default(),
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

/// Which skills go to a target, and how many.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Route {
    /// Only skills of one tenant.
    pub whose: Whose,
    /// Only skills of these workspaces; empty: of all.
    pub workspaces: BTreeSet<String>,
    /// Only skills of these repositories; empty: of all and of none.
    pub projects: BTreeSet<String>,
    /// Only skills of these scopes (`workspace`, `project`, `person`); empty: of all.
    pub scopes: BTreeSet<String>,
    /// Of what is one person's own, that of these people, by what people are counted by; empty: of all, but no rules.
    pub people: BTreeSet<String>,
    /// How many.
    pub bounds: Bounds,
}

impl Route {
    /// What of the findings goes there.
    pub fn of(&self, findings: &[Findings]) -> Vec<Findings> {
        findings
            .iter()
            .filter(|findings| self.takes_tenant(&findings.tenant))
            .filter(|findings| allows(&self.workspaces, &findings.workspace))
            .map(|findings| Findings {
                whose: self.whose.clone(),
                candidates: findings
                    .candidates
                    .iter()
                    .filter(|candidate| self.takes(candidate))
                    .map(|candidate| self.as_it_goes_there(candidate))
                    .collect(),
                ..findings.clone()
            })
            .collect()
    }

    /// Whether the tenant's skills may go there, as far as the configuration says.
    fn takes_tenant(&self, tenant: &str) -> bool {
        match &self.whose {
            Whose::Named(named) => named == tenant,
            Whose::Of(_) | Whose::OfTheOnly => true,
        }
    }

    /// Whether such a skill goes there, of the right tenant.
    pub fn takes(&self, candidate: &Candidate) -> bool {
        let project = match &candidate.scope {
            Scope::Project(project) => project.as_str(),
            _ => "",
        };
        self.takes_person(candidate)
            && allows(&self.workspaces, &candidate.workspace)
            && allows(&self.scopes, candidate.scope.as_str())
            && allows(&self.projects, project)
    }
}

impl Route {
    /// What one person's sessions prove is published where the configuration names him.
    fn as_it_goes_there(&self, candidate: &Candidate) -> Candidate {
        match &candidate.scope {
            Scope::Person(person) if self.people.contains(person) => candidate.clone().for_its_person(),
            _ => candidate.clone(),
        }
    }

    /// A rule of one person goes where the configuration names him, and nowhere else.
    fn takes_person(&self, candidate: &Candidate) -> bool {
        let Scope::Person(person) = &candidate.scope else { return true };
        let is_rule = candidate
            .claims
            .iter()
            .any(|claim| matches!(claim.claim, Claim::Rule { .. } | Claim::Lesson { .. }));
        self.people.contains(person) || (self.people.is_empty() && !is_rule)
    }
}

fn allows(only: &BTreeSet<String>, name: &str) -> bool {
    only.is_empty() || only.contains(name)
}
