//! Whose skills and sessions go where: a target holds those of one tenant.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::{Owner, person, sha256_hex};
use crate::exporters::target::{Target, TargetKind};
use crate::library::{Bounds, Ownership, Route};

use super::raw;
use super::resolver::{ResolveError, Resolver, usize_of};
use super::settings::{FollowerSettings, SkillsPipeline};

/// The placeholder for the tenant in a path, a remote or a branch; with it each tenant has its own target.
const TENANT: &str = "{tenant}";

impl Resolver<'_> {
    /// The tenants that an exporter whose place is called so makes a target for each; `None`: for whom, the
    /// target tells.
    pub(super) fn tenants_for(&self, raw: &raw::Route, names: &[Option<&str>]) -> Vec<Option<String>> {
        if raw.tenant.is_some() || !names.iter().flatten().any(|name| name.contains(TENANT)) {
            return vec![raw.tenant.clone()];
        }
        if self.tenants.is_empty() {
            return vec![Some(Owner::default().tenant)];
        }
        self.tenants.iter().cloned().map(Some).collect()
    }

    /// Which skills go to a target; without `tenant`, of the first one, unless another's are there.
    pub(super) fn route(
        &self,
        at: &[&str],
        raw: &raw::Route,
        limits: raw::SkillLimits,
        tenant: Option<&str>,
        otherwise: &[raw::Scope],
    ) -> Result<Route, ResolveError> {
        if tenant.is_some_and(str::is_empty) {
            return Err(
                self.invalid(&[at, &["route", "tenant"]].concat(), "name a tenant of extensions.auth")
            );
        }
        let whose = match (tenant, self.tenants.first()) {
            (Some(tenant), _) => Ownership::Named(tenant.to_owned()),
            (None, Some(first)) => Ownership::Of(first.clone()),
            (None, None) => Ownership::OfTheOnly,
        };
        let scopes = if raw.scopes.is_empty() { otherwise } else { raw.scopes.as_slice() };
        let name = |scope: &raw::Scope| match scope {
            raw::Scope::Workspace => "workspace".to_owned(),
            raw::Scope::Project => "project".to_owned(),
            raw::Scope::Person => "person".to_owned(),
        };
        Ok(Route {
            whose,
            workspaces: raw.workspaces.iter().cloned().collect(),
            projects: raw.projects.iter().cloned().collect(),
            scopes: scopes.iter().map(name).collect::<BTreeSet<_>>(),
            people: raw.people.iter().map(|person| person::joined(person, "")).collect(),
            bounds: Bounds {
                skills: usize_of(limits.skills),
                workspace: usize_of(limits.workspace),
                run: usize_of(limits.run),
            },
        })
    }

    pub(super) fn warn_of_tenants_without_a_target(&mut self, pipeline: &str, targets: &[Target]) {
        let served: BTreeSet<&String> = targets.iter().filter_map(tenant_of).collect();
        let left: Vec<&str> =
            self.tenants.iter().filter(|tenant| !served.contains(tenant)).map(String::as_str).collect();
        if left.is_empty() {
            return;
        }
        self.warnings.push(format!(
            "service.pipelines.{pipeline}: a target holds the skills of one tenant, and none holds those of {}: \
             name one with route: {{ tenant: NAME }}, or write {TENANT} in a path or branch",
            left.join(", ")
        ));
    }

    /// Two tenants' sessions or skills in one place would be read as one's.
    pub(super) fn check_that_tenants_do_not_meet(
        &self,
        followers: &[FollowerSettings],
        skills: &[SkillsPipeline],
    ) -> Result<(), ResolveError> {
        let mut places: BTreeMap<String, &Ownership> = BTreeMap::new();
        for target in skills.iter().flat_map(|pipeline| &pipeline.targets) {
            let place = place_of(target);
            let other = places.entry(place.clone()).or_insert(&target.route.whose);
            if let (Ownership::Named(one), Ownership::Named(other)) = (*other, &target.route.whose)
                && one != other
            {
                let message = format!("{place} is a target for {one} and for {other}: give each its own");
                return Err(self.invalid(&["exporters"], &message));
            }
        }
        let mut tables: BTreeMap<[&String; 4], Option<&String>> = BTreeMap::new();
        for FollowerSettings { deeplake, .. } in followers {
            let service = &deeplake.service;
            let table = [&service.endpoint, &service.org, &service.workspace, &deeplake.sessions];
            let tenant = deeplake.from.as_ref().map(|owner| &owner.tenant);
            if *tables.entry(table).or_insert(tenant) != tenant {
                let message = "another exporter fills the same table from another tenant: give each its own";
                return Err(self.invalid(&["exporters", &deeplake.name], message));
            }
        }
        Ok(())
    }
}

fn tenant_of(target: &Target) -> Option<&String> {
    match &target.route.whose {
        Ownership::Named(tenant) | Ownership::Of(tenant) => Some(tenant),
        Ownership::OfTheOnly => None,
    }
}

/// What two targets must not share; their routes may differ.
fn place_of(target: &Target) -> String {
    match &target.place {
        TargetKind::Filesystem(config) => config.path.display().to_string(),
        TargetKind::Git(config) => format!("{target} {}", config.layout.state_name()),
        TargetKind::Deeplake(config) => format!("{target} and {}", config.library),
    }
}

/// A name with the tenant in its place.
pub(super) fn filled(name: &str, tenant: Option<&str>) -> String {
    match tenant {
        Some(tenant) if name.contains(TENANT) => name.replace(TENANT, &safe_name(tenant)),
        _ => name.to_owned(),
    }
}

/// A tenant as the name of a folder, a branch or a part of one: lower-case letters, digits and `-`. Where that
/// is not the tenant's own name a hash of it stands behind, so that no two tenants share one.
pub(super) fn safe_name(tenant: &str) -> String {
    let is_plain = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit();
    let safe: String = tenant.chars().map(|char| if is_plain(char) { char } else { '-' }).collect();
    if safe == tenant && !tenant.starts_with('-') && !tenant.ends_with('-') {
        return safe;
    }
    let safe: String = safe.trim_matches('-').chars().take(100).collect();
    let hash = sha256_hex(tenant, 5);
    format!("{safe}-{hash}").trim_start_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_tenants_share_a_name_and_none_leaves_its_folder() {
        let tenants =
            ["acme", "Acme", "ACME", "a/b", "a-b", "a.b", "..", ".", "../a", "-", "ä", "é", "a ", "a"];
        let names: BTreeSet<String> = tenants.iter().map(|tenant| safe_name(tenant)).collect();
        assert_eq!(names.len(), tenants.len(), "{names:?}");
        for name in &names {
            let is_plain = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-';
            assert!(name.chars().all(is_plain) && !name.starts_with('-') && !name.is_empty(), "{name}");
        }
        assert_eq!(safe_name("acme"), "acme");
        let (short, long) = ("x".repeat(3), format!("{}!", "x".repeat(300)));
        assert!(safe_name(&long).len() < 120 && safe_name(&short) == short);
    }
}
