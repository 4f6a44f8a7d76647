//! Routes: which findings a target takes.

use std::collections::BTreeSet;

use super::bounds::Bounds;
use super::findings::Findings;
use super::ownership::Ownership;
use crate::skillify::{Candidate, Claim, Scope};

/// Which skills go to a target, and how many.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Route {
    /// Only skills of one tenant.
    pub whose: Ownership,
    /// Only skills of these workspaces; empty: of all.
    pub workspaces: BTreeSet<String>,
    /// Only skills of these repositories; empty: of all and of none.
    pub projects: BTreeSet<String>,
    /// Only skills of these scopes (`workspace`, `project`, `person`); empty: of all.
    pub scopes: BTreeSet<String>,
    /// The people whose personal findings the target takes, by their identities. Empty: everybody's, but no rules.
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
            Ownership::Named(named) => named == tenant,
            Ownership::Of(_) | Ownership::OfTheOnly => true,
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
