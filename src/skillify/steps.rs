//! Steps: what the sessions of one cluster have in common, in the order of doing.

use std::collections::{BTreeMap, BTreeSet};

use super::Idea;
use super::action::Action;
use super::chance::Background;
use super::claim::Claim;
use super::command::Command;
use super::flag::is_flag;
use super::template::Template;
use super::terms;
use super::verify::Work;
use super::version;
use crate::event::Status;

/// The share of a cluster's sessions that must show a step.
const COMMON: f64 = 0.5;
/// The share from which a step is one even if it surprises nobody.
const NEARLY_ALL: f64 = 0.8;

/// Something that was done.
#[derive(Clone, Copy)]
enum Deed<'a> {
    Run(&'a Command),
    Edit(&'a str),
}

/// A deed with where it was done.
#[derive(Clone, Copy)]
struct Done<'a> {
    deed: Deed<'a>,
    /// The segment's index in the cluster.
    work: usize,
    /// Where in its segment it stands.
    place: usize,
    session: (&'a str, &'a str),
}

/// A step with how surprising it is in this cluster.
pub(super) struct Step {
    pub(super) claim: Claim,
    pub(super) surprise: f64,
    /// Where each segment that shows it does so first.
    places: BTreeMap<usize, usize>,
}

/// The steps of a cluster, in order.
pub(super) fn steps(works: &[&Work<'_>], background: &Background, without: Option<Idea>) -> Vec<Step> {
    let all: BTreeSet<(&str, &str)> = works.iter().map(|work| session_of(work)).collect();
    let mut groups: BTreeMap<String, Vec<Done<'_>>> = BTreeMap::new();
    for (at, work) in works.iter().enumerate() {
        for (place, (_, action)) in work.segment.actions().enumerate() {
            let deed = deed(action).zip(action.token());
            let Some((deed, key)) = deed else { continue };
            if without == Some(Idea::Edits) && matches!(deed, Deed::Edit(_)) {
                continue;
            }
            groups.entry(key).or_default().push(Done { deed, work: at, place, session: session_of(work) });
        }
    }
    let mut steps = Vec::new();
    for (key, group) in groups {
        for part in parts(group) {
            steps.extend(step(&key, &part, works, all.len(), background));
        }
    }
    if without == Some(Idea::Order) {
        steps.sort_by(|a, b| a.claim.cmp(&b.claim));
        return steps;
    }
    in_order(steps)
}

fn deed(action: &Action) -> Option<Deed<'_>> {
    match action.command() {
        Some(command) if action.status == Status::Ok => Some(Deed::Run(command)),
        _ => action.edited().map(Deed::Edit),
    }
}

pub(super) fn session_of<'a>(work: &Work<'a>) -> (&'a str, &'a str) {
    (work.session.tenant.as_str(), work.session.session.as_str())
}

/// Parts that one template can speak of: runs that agree in every word where most sessions have them,
/// the others together by their number of words.
fn parts(group: Vec<Done<'_>>) -> Vec<Vec<Done<'_>>> {
    let sessions = |part: &[Done<'_>]| part.iter().map(|done| done.session).collect::<BTreeSet<_>>().len();
    let whole = sessions(&group);
    let mut exact: BTreeMap<Vec<&str>, Vec<Done<'_>>> = BTreeMap::new();
    for done in group {
        let key = match done.deed {
            Deed::Run(command) => command
                .words()
                .iter()
                .map(|word| word.value.as_str())
                .filter(|word| !is_flag(word) || word.contains('='))
                .collect(),
            Deed::Edit(path) => vec![path.rsplit('/').next().unwrap_or(path)],
        };
        exact.entry(key).or_default().push(done);
    }
    let words = |key: &Vec<&str>| key.iter().map(|word| (*word).to_owned()).collect();
    let (mut parts, rest): (Vec<_>, Vec<_>) = version::join_versions(exact, words, sessions)
        .into_iter()
        .partition(|(_, part)| sessions(part) >= 2 && sessions(part) * 2 > whole);
    let mut by_kind: BTreeMap<Vec<String>, Vec<Done<'_>>> = BTreeMap::new();
    for (core, part) in rest {
        by_kind.entry(core.iter().map(|word| version::kind_of(word)).collect()).or_default().extend(part);
    }
    // Few that differ must not blur what most agree in.
    let (most, few): (Vec<_>, Vec<_>) =
        by_kind.into_iter().partition(|(_, part)| sessions(part) >= 2 && sessions(part) * 2 > whole);
    parts.extend(most.into_iter().map(|(_, part)| (Vec::new(), part)));
    let mut by_shape: BTreeMap<usize, Vec<Done<'_>>> = BTreeMap::new();
    for (kinds, part) in few {
        by_shape.entry(kinds.len()).or_default().extend(part);
    }
    parts.extend(by_shape.into_values().map(|part| (Vec::new(), part)));
    parts.into_iter().map(|(_, part)| part).collect()
}

fn step(
    key: &str,
    part: &[Done<'_>],
    works: &[&Work<'_>],
    all: usize,
    background: &Background,
) -> Option<Step> {
    let sessions: BTreeSet<_> = part.iter().map(|done| done.session).collect();
    let share = ratio(sessions.len(), all);
    if sessions.len() < 2 || share < COMMON {
        return None;
    }
    let runs: Vec<&Command> = part
        .iter()
        .filter_map(|done| if let Deed::Run(command) = done.deed { Some(command) } else { None })
        .collect();
    let edits: Vec<&str> = part
        .iter()
        .filter_map(|done| if let Deed::Edit(path) = done.deed { Some(path) } else { None })
        .collect();
    let claim = if edits.is_empty() {
        let segments = || part.iter().filter_map(|done| Some(works.get(done.work)?.segment));
        let given = |version: &str| segments().all(|segment| segment.is_given(version));
        Claim::Run(Template::of(&runs)?.with_given_versions(given))
    } else {
        Claim::Edit(Template::of_paths(&edits)?)
    };
    let key = match (&claim, runs.first()) {
        (Claim::Run(template), Some(command)) if template.is_literal() => terms::command_key(&command.core()),
        _ => key.to_owned(),
    };
    let mut places: BTreeMap<usize, usize> = BTreeMap::new();
    for done in part {
        let first = places.entry(done.work).or_insert(done.place);
        *first = done.place.min(*first);
    }
    let surprise = background.surprise(&key, places.len(), works.len());
    (surprise > 0.0 || share >= NEARLY_ALL).then_some(Step { claim, surprise, places })
}

/// Orders the steps by how many others they come before in most of the segments that show both.
fn in_order(steps: Vec<Step>) -> Vec<Step> {
    let before = |a: &Step, b: &Step| {
        let both = a.places.iter().filter_map(|(work, place)| Some((place, b.places.get(work)?)));
        both.fold(
            (0_usize, 0_usize),
            |(ahead, behind), (own, other)| {
                if own < other { (ahead + 1, behind) } else { (ahead, behind + 1) }
            },
        )
    };
    let wins = |step: &Step| {
        let loses = |other: &&Step| {
            let (ahead, behind) = before(step, other);
            step.claim != other.claim && ahead > behind
        };
        steps.iter().filter(loses).count()
    };
    let counts: Vec<usize> = steps.iter().map(wins).collect();
    let mut ranked: Vec<(usize, Step)> = counts.into_iter().zip(steps).collect();
    ranked.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.claim.cmp(&b.1.claim)));
    ranked.dedup_by(|a, b| a.1.claim == b.1.claim);
    ranked.into_iter().map(|(_, step)| step).collect()
}

/// `part` of `whole`.
fn ratio(part: usize, whole: usize) -> f64 {
    f64::from(u32::try_from(part).unwrap_or(u32::MAX))
        / f64::from(u32::try_from(whole.max(1)).unwrap_or(u32::MAX))
}
