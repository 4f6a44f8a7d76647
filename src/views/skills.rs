//! The skills of all targets, and what people decide about them.

use std::sync::Arc;

use crate::config::Settings;
use crate::event::Timestamp;
use crate::exporters::target::{self, Report, Target, Update};
use crate::library::{Decision, Library, Listed, Remark};

/// A skill of a target.
pub(crate) struct Found {
    pub(crate) target: Target,
    pub(crate) library: Library,
    pub(crate) skill: Listed,
}

/// Why a skill was not found.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FindError {
    /// A target cannot be read.
    #[error(transparent)]
    Target(#[from] target::Error),
    /// No target has it.
    #[error("no skill {0:?}; `skillspan skills list` names them")]
    NoSkill(String),
    /// It does not say whose.
    #[error("several tenants have a skill {0:?}; say whose is meant with --tenant")]
    SeveralTenants(String),
}

/// Every target with what stands there. Git and the disk block.
pub(crate) fn libraries(
    settings: &Settings,
) -> impl Iterator<Item = (Target, Result<Library, target::Error>)> {
    let targets = settings.skills.iter().flat_map(|pipeline| &pipeline.targets);
    targets.map(|target| (target.clone(), target.load()))
}

/// The skill with this name or id, at every target that has it. Blocks.
pub(crate) fn find(settings: &Settings, name: &str, tenant: Option<&str>) -> Result<Vec<Found>, FindError> {
    let mut all: Vec<Found> = Vec::new();
    for (target, library) in libraries(settings) {
        let library = library?;
        if tenant.is_some_and(|tenant| !library.is_of(tenant)) {
            continue;
        }
        let skill = library.skills().into_iter().find(|skill| skill.name == *name || skill.id == *name);
        all.extend(skill.map(|skill| Found { target, library, skill }));
    }
    if all.is_empty() {
        return Err(FindError::NoSkill(name.to_owned()));
    }
    let whose = |found: &Found| found.library.tenant().to_owned();
    if all.iter().any(|found| Some(whose(found)) != all.first().map(whose)) {
        return Err(FindError::SeveralTenants(name.to_owned()));
    }
    Ok(all)
}

/// Carries a decision out where the skill was found. Blocks.
pub(crate) fn decide_at(
    found: &Found,
    decision: Decision,
    remark: Remark,
    now: Timestamp,
) -> Result<Report, target::Error> {
    let update = Update::Saying { skill: found.skill.name.clone(), decision, remark, as_of: now.date() };
    // Nothing asks it to stop but its end.
    found.target.publish(&update, Arc::default())
}

/// What a carried-out decision did; `found` is the state before it.
pub(crate) fn done(decision: Decision, found: &Found) -> &'static str {
    match decision {
        Decision::Approve => "the proposal is in place",
        Decision::Reject => "the proposal is refused and not made again",
        Decision::Restore if found.skill.never_stood() => {
            "it waits for a person again, as before it was refused"
        }
        Decision::Restore => "it is brought back and stands again",
        Decision::Withdraw => "it is withdrawn and does not come back by itself",
    }
}
