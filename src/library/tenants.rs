//! Which tenant a library belongs to: a target holds the skills of one tenant.
//!
//! A state names its tenant by a hash. States up to format 5 name none; the sessions behind their skills show it, as far as
//! the table still has them. If these belong to several tenants, nothing changes until the configuration names the tenant.
//! Then the library drops what the other tenants' sessions taught.

use std::collections::{BTreeMap, BTreeSet};

use super::content::{ClaimRecord, Content, EvidenceRecord};
use super::learned::Learned;
use super::ownership::{Ownership, WorkspaceKey, hash_of};
use super::revision::said_by;
use super::state::{Skill, State};
use super::{Findings, Library};
use crate::event::Owner;

/// Findings cannot be taken up, because of whose they are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TenantError {
    /// The library is another tenant's.
    #[error(
        "the skills here are of another tenant than {0:?}, which `route` names: give it a target of its own, or \
         correct `route`"
    )]
    Foreign(String),
    /// An older version published for several.
    #[error(
        "an older version published the skills of several tenants here ({}): say whose these are to be with \
         `route: {{ tenant: NAME }}`; what the others' sessions taught is then taken out", .0.join(", ")
    )]
    Several(Vec<String>),
    /// No session is left that tells.
    #[error(
        "no session that is left tells which tenant's skills these are ({}): say it with `route: {{ tenant: \
         NAME }}`", .0.join(", ")
    )]
    Untold(Vec<String>),
}

/// A library as it is of one tenant.
pub(super) struct Owned<'f> {
    pub(super) library: Library,
    /// The tenant's findings.
    pub(super) findings: Vec<&'f Findings>,
    /// Skills that rest on sessions of other tenants, by id; `None` where nothing of them is the tenant's.
    pub(super) foreign: BTreeMap<String, Option<Skill>>,
    /// The tenants whose findings do not belong here.
    pub(super) left_out: BTreeSet<String>,
}

impl Library {
    /// Whether it may take skills of the tenant.
    pub fn takes(&self, whose: &Ownership, tenant: &str) -> bool {
        if !self.state.tenant.is_empty() {
            return self.state.tenant == hash_of(tenant);
        }
        match whose {
            Ownership::Named(named) => named == tenant,
            Ownership::Of(first) => first == tenant || !self.state.skills.is_empty(),
            Ownership::OfTheOnly => true,
        }
    }

    /// A hash of the tenant whose it is; `""` while nothing has been published.
    pub fn tenant(&self) -> &str {
        &self.state.tenant
    }

    /// Whether it is the tenant's.
    pub fn is_of(&self, tenant: &str) -> bool {
        self.state.tenant == hash_of(tenant)
    }
}

/// The library and what of the findings belongs there.
pub(super) fn owned<'f>(library: &Library, findings: &'f [Findings]) -> Result<Owned<'f>, TenantError> {
    let Some(first) = findings.first() else {
        let library = library.clone();
        return Ok(Owned {
            library,
            findings: Vec::new(),
            foreign: BTreeMap::new(),
            left_out: BTreeSet::new(),
        });
    };
    let (whose, census) = (&first.whose, &first.census);
    let mut known: BTreeSet<&String> = findings.iter().map(|findings| &findings.tenant).collect();
    known.extend(census.tenants());
    let mut library = library.clone();
    let mut foreign = BTreeMap::new();
    let tenant = if library.state.tenant.is_empty() && !library.state.skills.is_empty() {
        let sessions = census.sessions();
        let tenant = tenant_of(&library.state, whose, &known, &sessions)?;
        foreign = told_apart(&mut library.state, &tenant, &sessions);
        Some(tenant)
    } else if library.state.tenant.is_empty() {
        Some(of_a_new_library(whose, &known))
    } else if let Ownership::Named(named) = whose {
        if library.state.tenant != hash_of(named) {
            return Err(TenantError::Foreign(named.clone()));
        }
        Some(named.clone())
    } else {
        known.iter().find(|tenant| library.is_of(tenant)).map(|tenant| (*tenant).clone())
    };
    if let Some(tenant) = &tenant {
        library.state.tenant = hash_of(tenant);
    }
    let is_own = |findings: &&Findings| Some(&findings.tenant) == tenant.as_ref();
    let (own, others): (Vec<&Findings>, Vec<&Findings>) = findings.iter().partition(is_own);
    let with_skills =
        others.iter().filter(|findings| findings.candidates.iter().any(|one| one.is_published()));
    let left_out = with_skills.map(|findings| findings.tenant.clone()).collect();
    Ok(Owned { library, findings: own, foreign, left_out })
}

/// Whose a library is in which nothing stands yet.
fn of_a_new_library(whose: &Ownership, known: &BTreeSet<&String>) -> String {
    let default = Owner::default().tenant;
    match whose {
        Ownership::Named(tenant) | Ownership::Of(tenant) => tenant.clone(),
        Ownership::OfTheOnly if known.contains(&default) => default,
        Ownership::OfTheOnly => known.first().map_or(default, |tenant| (*tenant).clone()),
    }
}

/// Whose a library is that an older version wrote.
fn tenant_of(
    state: &State,
    whose: &Ownership,
    known: &BTreeSet<&String>,
    sessions: &BTreeMap<String, &WorkspaceKey>,
) -> Result<String, TenantError> {
    if let Ownership::Named(tenant) = whose {
        return Ok(tenant.clone());
    }
    let remembered = state.skills.values().flat_map(Skill::remembered);
    let evidence = remembered.flat_map(|content| content.evidence());
    let told: BTreeSet<&String> =
        evidence.filter_map(|one| sessions.get(&one.session)).map(|(tenant, _)| tenant).collect();
    let names = |tenants: &BTreeSet<&String>| tenants.iter().map(|tenant| (*tenant).clone()).collect();
    match (told.first(), told.len(), known.len()) {
        (Some(tenant), 1, _) => Ok((*tenant).clone()),
        (Some(_), _, _) => Err(TenantError::Several(names(&told))),
        (None, _, 0 | 1) => Ok(of_a_new_library(&Ownership::OfTheOnly, known)),
        (None, ..) => Err(TenantError::Untold(names(known))),
    }
}

/// Gives each skill the workspace that its sessions are of now, and finds those that rest on others' sessions.
fn told_apart(
    state: &mut State,
    tenant: &str,
    sessions: &BTreeMap<String, &WorkspaceKey>,
) -> BTreeMap<String, Option<Skill>> {
    let owner = |one: &EvidenceRecord| sessions.get(&one.session).map(|(tenant, _)| tenant.as_str());
    let is_foreign = |one: &EvidenceRecord| owner(one).is_some_and(|other| other != tenant);
    // Beside others' sessions, one that is gone may have been theirs as well.
    let is_own = |one: &EvidenceRecord| owner(one) == Some(tenant);
    let mut foreign = BTreeMap::new();
    for (id, skill) in &mut state.skills {
        if let Some(workspace) = workspace_of(skill, tenant, sessions) {
            skill.workspace = workspace;
        }
        if skill.remembered().flat_map(|content| content.evidence()).any(is_foreign) {
            foreign.insert(id.clone(), own_part(skill, &is_own));
        }
    }
    let is_of_several = sessions.values().any(|(other, _)| other != tenant);
    if is_of_several {
        let own: BTreeSet<String> = sessions
            .values()
            .filter(|(other, _)| other == tenant)
            .map(|(tenant, workspace)| Learned::place(tenant, workspace))
            .collect();
        state.answers.retain(|place, _| own.contains(place));
        // The next run finds the waiting proposals again, also those for people's own skills.
        state.waiting.clear();
        for deepening in state.hand_written.values_mut() {
            deepening.claims.clear();
            deepening.text.clear();
        }
    }
    foreign
}

/// Where most of the tenant's sessions behind a skill are.
fn workspace_of(skill: &Skill, tenant: &str, sessions: &BTreeMap<String, &WorkspaceKey>) -> Option<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let hashes: BTreeSet<&str> = skill.content.evidence().map(|one| one.session.as_str()).collect();
    for (_, workspace) in hashes.iter().filter_map(|hash| sessions.get(*hash)).filter(|(of, _)| of == tenant)
    {
        *counts.entry(workspace).or_default() += 1;
    }
    let most = counts.into_iter().max_by(|(a, x), (b, y)| x.cmp(y).then_with(|| b.cmp(a)));
    most.map(|(workspace, _)| workspace.to_owned())
}

/// What the tenant's own sessions teach of a skill, said anew; `None` if that is not its main claim.
fn own_part(skill: &Skill, is_own: &impl Fn(&EvidenceRecord) -> bool) -> Option<Skill> {
    let own = |record: &ClaimRecord| {
        let evidence = record.evidence.iter().filter(|one| is_own(one)).cloned();
        ClaimRecord { evidence: evidence.collect(), ..record.clone() }
    };
    let mut records: Vec<ClaimRecord> = skill.content.claims.iter().map(own).collect();
    if records.first().is_none_or(|main| main.evidence.is_empty()) {
        return None;
    }
    records.retain(|record| !record.evidence.is_empty());
    let content = Content { claims: records, ..skill.content.clone() };
    Some(Skill {
        version: skill.version + 1,
        content: said_by(&content, &skill.workspace),
        withdrawn: Vec::new(),
        effect: None,
        proposal: None,
        same_as: None,
        past: Vec::new(),
        decided: Vec::new(),
        history: Vec::new(),
        ..skill.clone()
    })
}
