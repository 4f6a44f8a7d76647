//! **Side effect**: a check changes files that the session did not edit.
//!
//! - Situation: a session sees the whole list of changed files twice within a turn. Action: it ran the command in
//!   between. Outcome: the second list has a file that the first did not, and no edit or write of the session touched it.
//!   If a script ran in between, or git brought files, the case does not count.
//! - Proof: binomial against the rate at which this is seen without the command in between, because other people work in
//!   the same tree too. Three sessions must show it.
//! - If several commands explain a case, it belongs to the strongest. Formatters, generators and installers get no claim:
//!   changing files is their work.
//! - Null: which of the pairs of lists showed such a file, within a repository.

use std::collections::{BTreeMap, BTreeSet};

use super::super::claim::{Claim, SupportedClaim};
use super::super::evidence::segment_ref::SegmentRef;
use super::super::evidence::segment_ref::session_of;
use super::super::evidence::timeline::Step;
use super::super::session::action::What;
use super::super::session::claimable::claimable;
use super::super::session::event_ids::EventIds;
use super::super::session::outcome::Outcome;
use super::super::session::tree::Tree;
use super::super::significance::Counts;
use super::super::significance::{PRIOR_RATE, binomial_tail, shrunk};
use super::super::template::Template;
use super::{FEWEST_TREATED, Proposed, Sessions, Shuffle, Verdict, judged};
use crate::shell::command::Command;
use crate::shell::family::Family;

/// Two lists of changed files, and what ran between them.
struct Between<'a> {
    session: usize,
    work: &'a SegmentRef<'a>,
    /// By identity.
    ran: BTreeMap<&'a str, (&'a Command, &'a EventIds)>,
    lists: [&'a EventIds; 2],
    /// Whether a file is changed that the session did not touch.
    is_changed: bool,
}

/// Commands that change files as a side effect, and those without proof.
pub(in super::super) fn changes(
    sessions: &Sessions<'_>,
    mut shuffle: Option<&mut Shuffle>,
) -> (Vec<Proposed>, Vec<(Proposed, Verdict)>) {
    let (mut standing, mut fallen) = (Vec::new(), Vec::new());
    for (_, mut pairs) in by_project(sessions) {
        if let Some(shuffle) = shuffle.as_deref_mut() {
            shuffle.deal(&mut pairs, |pair| &mut pair.is_changed);
        }
        let (stand, fall) = judged(strongest(&pairs), 0);
        standing.extend(stand.into_iter().filter(|one| is_news(&one.claim.claim)));
        fallen.extend(fall);
    }
    (standing, fallen)
}

/// Whether nobody expects of the command that it changes files.
fn is_news(claim: &Claim) -> bool {
    let Claim::Changes { run } = claim else { return false };
    const EXPECTED: [&str; 14] = [
        "apply", "codegen", "fix", "fmt", "format", "gen", "generate", "install", "sync", "tidy", "update",
        "upgrade", "vendor", "write",
    ];
    let text = run.to_string().to_lowercase();
    let mut words = text.split(|char: char| !char.is_alphanumeric());
    run.is_check() && !words.any(|word| EXPECTED.contains(&word))
}

/// The pairs of lists of each repository.
fn by_project<'a>(sessions: &Sessions<'a>) -> BTreeMap<&'a str, Vec<Between<'a>>> {
    let mut projects: BTreeMap<&str, Vec<Between<'_>>> = BTreeMap::new();
    let places = sessions.places();
    let mut begun: BTreeMap<usize, (usize, BTreeSet<&str>)> = BTreeMap::new();
    for work in sessions.works {
        let Some(session) = places.get(&session_of(work)).copied() else { continue };
        let Some(timeline) = sessions.timelines.get(session) else { continue };
        let (first, touched) = begun.entry(session).or_default();
        let many = work.segment.actions().count();
        let steps = timeline.steps.get(*first..*first + many).unwrap_or_default();
        *first += many;
        if !work.segment.trees.is_empty() {
            let pairs = of_segment(session, work, steps, touched);
            projects.entry(&work.session.project).or_default().extend(pairs);
        }
        touched.extend(steps.iter().filter_map(|step| step.action.edited()));
    }
    projects
}

fn of_segment<'a>(
    session: usize,
    work: &'a SegmentRef<'a>,
    steps: &[Step<'a>],
    touched: &BTreeSet<&'a str>,
) -> Vec<Between<'a>> {
    let mut pairs = Vec::new();
    for two in work.segment.trees.windows(2) {
        let [one, other] = two else { continue };
        let (from, to) = (one.at as usize, other.at as usize);
        let Some(between) = steps.get(from..to).filter(|_| one.is_whole) else { continue };
        let turn = |at: usize| steps.get(at).map(|step| step.turn);
        let is_one_turn = between.iter().all(|step| Some(step.turn) == turn(from));
        if !is_one_turn || !between.iter().all(says_what_it_does) {
            continue;
        }
        let ran = between.iter().filter_map(|step| {
            let command = claimable(step.action).filter(|_| !step.action.refused)?;
            let tells = command.family() != Family::VersionControl;
            tells.then(|| (command.identity(), (command, &step.action.events)))
        });
        let edits = steps.get(..to).unwrap_or_default().iter().filter_map(|step| step.action.edited());
        let mut own: BTreeSet<&str> = touched.clone();
        own.extend(edits);
        pairs.push(Between {
            session,
            work,
            ran: ran.collect(),
            lists: [&one.events, &other.events],
            is_changed: is_changed(one, other, &own),
        });
    }
    pairs
}

/// Whether the second list has a file that the first has not, and that the session did not touch.
fn is_changed(one: &Tree, other: &Tree, own: &BTreeSet<&str>) -> bool {
    let ends =
        |path: &str, end: &str| path == end || path.strip_suffix(end).is_some_and(|rest| rest.ends_with('/'));
    let is_own = |file: &str| own.iter().any(|path| ends(path, file) || ends(file, path));
    other.files.iter().any(|file| !one.files.contains(file) && !is_own(file))
}

/// Whether nothing ran that changes files without saying so.
fn says_what_it_does(step: &Step<'_>) -> bool {
    match &step.action.what {
        What::Opaque(token) | What::Unsaid(token) => {
            ["git add", "git commit", "git push", "gh "].iter().any(|known| token.starts_with(known))
        }
        What::Command(command) => !command.restores_files(),
        What::Tool(_) => false,
        What::Edit(path) => !path.is_empty(),
        What::Skill | What::Look => true,
    }
}

/// The commands that explain the changes, the strongest first; what it explains counts for no other.
fn strongest(pairs: &[Between<'_>]) -> Vec<Proposed> {
    let mut commands: BTreeSet<&str> = pairs.iter().flat_map(|pair| pair.ran.keys().copied()).collect();
    let mut explained: BTreeSet<usize> = BTreeSet::new();
    let steady = steady(pairs);
    let mut found: Vec<Proposed> = Vec::new();
    loop {
        let proposed =
            commands.iter().filter_map(|name| Some((*name, propose(pairs, name, &explained, &steady)?)));
        // Of two that ran together each time the one that may be expected to.
        let best = proposed.min_by(|(_, a), (_, b)| {
            a.claim
                .p_value
                .total_cmp(&b.claim.p_value)
                .then_with(|| is_news(&a.claim.claim).cmp(&is_news(&b.claim.claim)))
        });
        let Some((name, best)) = best.filter(|(_, best)| best.claim.counts.treated_with > 0) else { break };
        commands.remove(name);
        let by_it =
            pairs.iter().enumerate().filter(|(_, pair)| pair.is_changed && pair.ran.contains_key(name));
        explained.extend(by_it.map(|(at, _)| at));
        found.push(best);
    }
    found
}

/// The commands after which most sessions saw a file changed, three at least: pairs with one of them are no measure of
/// another command.
fn steady<'a>(pairs: &[Between<'a>]) -> BTreeSet<&'a str> {
    let mut seen: BTreeMap<&str, BTreeMap<usize, bool>> = BTreeMap::new();
    for pair in pairs {
        for name in pair.ran.keys() {
            *seen.entry(name).or_default().entry(pair.session).or_default() |= pair.is_changed;
        }
    }
    seen.retain(|_, by| {
        let changed = by.values().filter(|changed| **changed).count();
        changed >= FEWEST_TREATED as usize && changed * 3 >= by.len() * 2
    });
    seen.into_keys().collect()
}

fn propose(
    pairs: &[Between<'_>],
    name: &str,
    explained: &BTreeSet<usize>,
    steady: &BTreeSet<&str>,
) -> Option<Proposed> {
    let left = || pairs.iter().enumerate().filter(|(at, _)| !explained.contains(at)).map(|(_, pair)| pair);
    let mut treated: BTreeMap<usize, &Between<'_>> = BTreeMap::new();
    let mut untreated: BTreeMap<usize, bool> = BTreeMap::new();
    for pair in left() {
        if pair.ran.contains_key(name) {
            let known = treated.entry(pair.session).or_insert(pair);
            if pair.is_changed && !known.is_changed {
                *known = pair;
            }
        } else if !pair.ran.keys().any(|other| steady.contains(other)) {
            *untreated.entry(pair.session).or_default() |= pair.is_changed;
        }
    }
    let mut counts = Counts::default();
    untreated.values().for_each(|changed| counts.add(false, *changed));
    let (mut support, mut against, mut with, mut runs) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (session, pair) in &treated {
        counts.add(true, pair.is_changed);
        let (command, events) = pair.ran.get(name)?;
        runs.push(*command);
        let shown = pair.lists.iter().copied().chain([*events]).flat_map(EventIds::to_vec).collect();
        if pair.is_changed {
            with.push(*session);
            support.push(pair.work.evidence_of(shown, Outcome::Accepted));
        } else {
            against.push(pair.work.evidence_of(shown, Outcome::Rejected));
        }
    }
    support.sort();
    against.sort();
    if counts.untreated() < FEWEST_TREATED {
        return None;
    }
    let seen = (counts.untreated_with, counts.untreated());
    let rate = shrunk(seen, PRIOR_RATE).max(counts.untreated_rate());
    let claim = SupportedClaim {
        claim: Claim::Changes { run: Template::of(&runs)? },
        failures: Vec::new(),
        counts,
        p_value: binomial_tail(counts.treated_with, counts.treated(), rate),
        support,
        against,
        place: 0,
        untreated: Vec::new(),
    };
    Some(Proposed { claim, treated: with })
}
