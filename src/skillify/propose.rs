//! Proposals: which claims the segments suggest, and who words them.
//!
//! Claims are always drafted here, from commands alone; [`super::verify`] then looks for each of
//! them in every segment. A [`Proposer`] only words claims that were found: it may not add any.
//!
//! - **Fix**: a command failed, other commands ran, the same command passed; see [`super::repair`]. What
//!   only looks, tests or records (`git add`) is no repair.
//! - **Run**, **Edit**: what several sessions of one cluster have in common; see [`super::steps`].
//! - **Avoid**: a command that people refused in several sessions of one cluster.
//! - **Prefer**: a correction that names one command against another; see [`super::prefer`].

use std::collections::{BTreeMap, BTreeSet};

use super::action::Action;
use super::claim::{Claim, SupportedClaim, Wording};
use super::outcome::Outcome;
use super::prefer::{self, Choice};
use super::repair::{self, Placed, may_repair};
use super::segment::repairable;
use super::steps::session_of;
use super::template::Template;
use super::verify::Work;
use super::version;
use crate::event::Status;
use crate::shell::command::Command;

/// Words claims that were found.
pub trait Proposer {
    /// The text for the material. What it says beyond the claims is refused and replaced by the
    /// text of [`super::Offline`].
    fn word(&self, material: &Material<'_>) -> Wording;
}

/// What a skill may be worded from.
#[derive(Debug, Clone, Copy)]
pub struct Material<'a> {
    /// The claims in the order of doing, at least one: fixes of one command, or one preference, or the
    /// runs, edits and avoidances of one procedure.
    pub claims: &'a [SupportedClaim],
    /// Words that the prompts of at least two supporting sessions share: what people call the doing.
    pub verbs: &'a [String],
    /// What they call the thing that it is done to, likewise.
    pub words: &'a [String],
    /// Error signatures that at least two supporting sessions share.
    pub signatures: &'a [String],
}

/// A failure that other commands repaired.
struct Repair<'a> {
    session: (&'a str, &'a str),
    failed: &'a Command,
    repair: &'a Command,
}

/// A drafted Fix.
pub(super) struct Fix {
    pub(super) claim: Claim,
    pub(super) command: Template,
}

/// Every Fix that the segments suggest, each once, in order.
pub(super) fn fixes(works: &[Work<'_>]) -> Vec<Fix> {
    let mut groups: BTreeMap<(String, String), Vec<Repair<'_>>> = BTreeMap::new();
    for repair in works.iter().flat_map(repairs) {
        groups.entry((repair.failed.token(), repair.repair.token())).or_default().push(repair);
    }
    let mut fixes: BTreeMap<Claim, Fix> = BTreeMap::new();
    for group in groups.into_values() {
        for part in
            alike(group, |repair| (repair.failed.core(), repair.repair.core()), |repair| repair.session)
        {
            let command = Template::of(&part.iter().map(|repair| repair.failed).collect::<Vec<_>>());
            let repair = Template::of(&part.iter().map(|repair| repair.repair).collect::<Vec<_>>());
            let (Some(command), Some(repair)) = (command, repair) else { continue };
            let claim = Claim::Fix { command: command.clone(), repair };
            fixes.entry(claim.clone()).or_insert(Fix { claim, command });
        }
    }
    fixes.into_values().collect()
}

/// Parts that one template can speak of: runs that agree in every word where two sessions have them,
/// else all the remaining ones together if they can be generalised.
fn alike<'a, T>(
    items: Vec<T>,
    core: impl Fn(&T) -> (Vec<&'a str>, Vec<&'a str>),
    session: impl Fn(&T) -> (&'a str, &'a str),
) -> Vec<Vec<T>> {
    let mut exact: BTreeMap<(Vec<&str>, Vec<&str>), Vec<T>> = BTreeMap::new();
    for item in items {
        exact.entry(core(&item)).or_default().push(item);
    }
    let sessions = |items: &[T]| items.iter().map(&session).collect::<BTreeSet<_>>().len();
    let words = |(failed, repair): &(Vec<&str>, Vec<&str>)| {
        failed.iter().chain(&["|"]).chain(repair).map(|word| (*word).to_owned()).collect()
    };
    let (mut parts, single): (Vec<_>, Vec<_>) = version::join_versions(exact, words, sessions)
        .into_iter()
        .map(|(_, items)| items)
        .partition(|items| sessions(items) >= 2);
    let mut by_shape: BTreeMap<(usize, usize), Vec<T>> = BTreeMap::new();
    for item in single.into_iter().flatten() {
        let (a, b) = core(&item);
        by_shape.entry((a.len(), b.len())).or_default().push(item);
    }
    parts.extend(by_shape.into_values());
    parts
}

/// The repairs that one segment shows.
fn repairs<'a>(work: &'a Work<'_>) -> Vec<Repair<'a>> {
    let failed = |(_, action): (usize, &Action)| action.status == Status::Error;
    if !work.segment.actions().any(failed) {
        return Vec::new();
    }
    let actions: Vec<Placed<'_>> = work.segment.actions().collect();
    let session = session_of(work);
    let mut runs: BTreeMap<(&str, Vec<&str>), Vec<usize>> = BTreeMap::new();
    for (at, (_, action)) in actions.iter().enumerate() {
        let Some(command) = repairable(action) else { continue };
        runs.entry((action.agent.as_str(), command.core())).or_default().push(at);
    }
    let mut open: BTreeMap<(&str, Vec<&str>), usize> = BTreeMap::new();
    let mut found = Vec::new();
    for (at, (turn, action)) in actions.iter().enumerate() {
        let Some(command) = repairable(action) else { continue };
        let key = (action.agent.as_str(), command.core());
        match action.status {
            // Of several failures the first: what helped against it may stand before the second.
            Status::Error => {
                open.entry(key).or_insert(at);
            }
            Status::Ok => {
                let Some(failed_at) = open.get(&key).copied() else { continue };
                let as_before = |failed: &Command| command.setting().adds_nothing_to(failed.setting());
                if !actions.get(failed_at).and_then(|(_, failed)| repairable(failed)).is_some_and(as_before) {
                    continue; // what was set may be what helped
                }
                let runs = runs.get(&key).map(Vec::as_slice).unwrap_or_default();
                let helped = |place: &usize| {
                    let by = actions.get(*place).filter(|(_, other)| other.agent == action.agent);
                    by.is_some_and(|(_, other)| may_repair(other, command))
                        && repair::help(&actions, runs, *place).is_some()
                };
                let helping = (failed_at + 1..at).filter(helped).filter_map(|place| actions.get(place));
                let repairs = helping.filter_map(|(_, other)| other.command());
                found.extend(repairs.map(|repair| Repair { session, failed: command, repair }));
                // A person who was not content corrects: what passes later may be the better repair.
                if work.outcome(*turn) == Outcome::Rejected {
                    open.insert(key, at);
                } else {
                    open.remove(&key);
                }
            }
            Status::Unknown => {}
        }
    }
    found
}

/// Every Prefer that the segments suggest, each once, in order.
pub(super) fn preferences(works: &[Work<'_>]) -> Vec<Claim> {
    let mut groups: BTreeMap<(String, String), Vec<Choice<'_>>> = BTreeMap::new();
    for choice in works.iter().flat_map(prefer::choices) {
        groups.entry((choice.prefer.token(), choice.over.token())).or_default().push(choice);
    }
    let claims = groups.values().filter_map(|group| prefer::claim(&group.iter().collect::<Vec<_>>()));
    claims.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The Avoids that a cluster suggests: commands that people refused in two of its sessions.
pub(super) fn avoidances(works: &[&Work<'_>]) -> Vec<Claim> {
    type Refused<'w> = (&'w Command, (&'w str, &'w str));
    let mut groups: BTreeMap<String, Vec<Refused<'_>>> = BTreeMap::new();
    for work in works {
        for (turn, action) in work.segment.actions() {
            let refused = action.refused || work.outcome_of(turn, action) == Outcome::Rejected;
            if let Some(command) = action.command().filter(|command| refused && !command.is_probe()) {
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
