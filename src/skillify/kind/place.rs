//! **Where**: names that sessions search for, and paths that they miss.
//!
//! *Declared*: sessions search for a name and find it declared in one file.
//!
//! - Three of the sessions must have searched without success before. What the first search finds needs no claim.
//! - Proof: the searches end in this file more often than searches of the repository do ([`binomial_tail`]).
//! - No newer search contradicts it: files move.
//!
//! *Missing*: sessions look for a path, and it is not there.
//!
//! - Proof: looks for it fail more often than looks of the repository do. No session reads or edits it, or anything below
//!   it, at or after the first failed look that counts. In one of them a tool says that it does not exist.
//! - The claim says where the thing is if half of the sessions, and three, find it in one folder; for a file, if they find a
//!   file of nearly the same name.
//! - Null: which file each search ended in, and which path each look was for, within a repository.

use std::collections::{BTreeMap, BTreeSet};

use super::super::claim::{Claim, Evidence, SupportedClaim};
use super::super::evidence::segment_ref::SegmentRef;
use super::super::evidence::segment_ref::session_of;
use super::super::session::event_ids::EventIds;
use super::super::session::outcome::Outcome;
use super::super::session::search_result::Found;
use super::super::significance::Counts;
use super::super::significance::{PRIOR_RATE, binomial_tail, shrunk};
use super::super::template::Template;
use super::files::{is_test, split};
use super::{FEWEST_TREATED, Proposed, Sessions, Shuffle, Verdict, judged, number};
use crate::event::Status;

/// The most names of one file that are listed.
const MOST_NAMES: usize = 4;
/// Two sessions are enough for a file that both missed and found under nearly the same name in the same folder.
const SLIPS: usize = 2;
/// Names of files that differ in so many letters are nearly the same.
const MOST_TYPOS: usize = 3;

/// One look, in the order of time.
struct Seen<'a> {
    session: usize,
    work: &'a SegmentRef<'a>,
    found: Found,
    events: Option<&'a EventIds>,
}

/// Claims about where things are: those that stand, and the others.
pub(in super::super) fn places(
    sessions: &Sessions<'_>,
    mut shuffle: Option<&mut Shuffle>,
) -> (Vec<Proposed>, Vec<(Proposed, Verdict)>) {
    let (mut standing, mut fallen) = (Vec::new(), Vec::new());
    for (_, mut seen) in by_project(sessions) {
        if let Some(shuffle) = shuffle.as_deref_mut() {
            exchange(&mut seen, shuffle);
        }
        let (missed, others, slips) = missing(&seen);
        standing.extend(slips);
        for (proposed, others) in [declarations(&seen), (missed, others)] {
            let (stand, fall) = judged(proposed, others);
            standing.extend(stand);
            fallen.extend(fall);
        }
    }
    (few_of_each_file(standing), fallen)
}

/// What sessions saw, by repository; edits show that a file is there.
fn by_project<'a>(sessions: &Sessions<'a>) -> BTreeMap<&'a str, Vec<Seen<'a>>> {
    let places = sessions.places();
    let mut projects: BTreeMap<&str, Vec<Seen<'_>>> = BTreeMap::new();
    for work in sessions.works {
        let Some(session) = places.get(&session_of(work)) else { continue };
        let of_project = projects.entry(&work.session.project).or_default();
        let looks = work.segment.looks.iter().filter(|look| !is_of_another_kind(&look.found));
        of_project.extend(looks.map(|look| Seen {
            session: *session,
            work,
            found: look.found.clone(),
            events: Some(&look.events),
        }));
        let edits = work.segment.actions().filter(|(_, action)| action.status != Status::Error);
        let edits = edits.filter_map(|(_, action)| action.edited());
        let edited: BTreeSet<&str> = edits.collect();
        of_project.extend(edited.into_iter().map(|path| Seen {
            session: *session,
            work,
            found: Found::Present(path.to_owned()),
            events: None,
        }));
    }
    projects
}

/// Whether it tells of flags, skills or leftovers.
const fn is_of_another_kind(found: &Found) -> bool {
    matches!(found, Found::Unknown { .. } | Found::Takes { .. } | Found::Skill { .. } | Found::LeftOver(_))
}

/// Deals the files of searches, and the paths of looks, anew.
fn exchange(seen: &mut [Seen<'_>], shuffle: &mut Shuffle) {
    let mut files: Vec<String> = Vec::new();
    let mut paths: Vec<String> = Vec::new();
    for look in seen.iter() {
        match &look.found {
            Found::Declared { file, .. } => files.push(file.clone()),
            Found::Missing(path) | Found::InVain(path) | Found::Present(path) => paths.push(path.clone()),
            _ => {}
        }
    }
    shuffle.permute(&mut files);
    shuffle.permute(&mut paths);
    for look in seen {
        match &mut look.found {
            Found::Declared { file, .. } => *file = files.pop().unwrap_or_default(),
            Found::Missing(path) | Found::InVain(path) | Found::Present(path) => {
                *path = paths.pop().unwrap_or_default();
            }
            _ => {}
        }
    }
}

/// The looks of the sessions that count for a claim: one of each session.
#[derive(Default)]
struct Cases<'s, 'a> {
    with: BTreeMap<usize, &'s Seen<'a>>,
    without: BTreeMap<usize, &'s Seen<'a>>,
}

impl Cases<'_, '_> {
    fn proposed(&self, claim: Claim, rate: f64) -> Proposed {
        let counts = Counts {
            treated_with: number(self.with.len()),
            treated_without: number(self.without.len()),
            ..Counts::default()
        };
        let show = |of: &BTreeMap<usize, &Seen<'_>>, outcome| {
            let events = |seen: &Seen<'_>| seen.events.map(EventIds::to_vec).unwrap_or_default();
            let shown = of.values().map(|seen| seen.work.evidence_of(events(seen), outcome));
            let mut shown: Vec<Evidence> = shown.collect();
            shown.sort();
            shown
        };
        let claim = SupportedClaim {
            claim,
            failures: Vec::new(),
            counts,
            p_value: binomial_tail(counts.treated_with, counts.treated(), rate),
            support: show(&self.with, Outcome::Accepted),
            against: show(&self.without, Outcome::Rejected),
            place: 0,
            untreated: Vec::new(),
        };
        Proposed { claim, treated: self.with.keys().copied().collect() }
    }
}

/// Where names are declared, with the number of names that were found by too few.
fn declarations(seen: &[Seen<'_>]) -> (Vec<Proposed>, usize) {
    let mut finds: BTreeMap<&str, Vec<(&str, &Seen<'_>)>> = BTreeMap::new();
    // Who searched for which name and did not find it at first.
    let (mut in_vain, mut known) = (BTreeSet::new(), BTreeSet::new());
    for look in seen {
        match &look.found {
            Found::Declared { name, file } => {
                finds.entry(name).or_default().push((file, look));
                known.insert((name.as_str(), look.session));
            }
            Found::Sought(name) if !known.contains(&(name.as_str(), look.session)) => {
                in_vain.insert((name.as_str(), look.session));
            }
            _ => {}
        }
    }
    // How many sessions found each file for whatever name, a name of a session once.
    let mut of_file: BTreeMap<&str, u32> = BTreeMap::new();
    let mut all = 0_u32;
    for of_name in finds.values() {
        let once: BTreeSet<(&str, usize)> =
            of_name.iter().map(|(file, look)| (*file, look.session)).collect();
        for (file, _) in once {
            *of_file.entry(file).or_default() += 1;
            all += 1;
        }
    }
    let (mut proposed, mut others) = (Vec::new(), 0);
    for (name, of_name) in &finds {
        // The newest find tells where it is now; what moved before does not count. Nothing moves between the
        // sources and their tests: such a name is declared twice.
        let Some((file, _)) = of_name.last() else { continue };
        let moved = |other: &str| other != *file && is_test(other) == is_test(file);
        let since = of_name.iter().skip_while(|(other, _)| moved(other));
        let mut cases = Cases::default();
        for (other, look) in since {
            let side = if other == file { &mut cases.with } else { &mut cases.without };
            side.insert(look.session, look);
        }
        let gone = |look: &Seen<'_>| matches!(&look.found, Found::Missing(path) if path == file);
        let is_gone = seen.iter().rev().take_while(|look| !is_at(&look.found, file)).any(gone);
        let had_to_search =
            number(cases.with.keys().filter(|session| in_vain.contains(&(name, **session))).count());
        if had_to_search < FEWEST_TREATED || !cases.without.is_empty() || is_gone {
            others += 1;
            continue;
        }
        let own = number(cases.with.len());
        let elsewhere = of_file.get(file).copied().unwrap_or_default().saturating_sub(own);
        let rate = shrunk((elsewhere, all.saturating_sub(own)), PRIOR_RATE);
        let claim = Claim::Declared { name: (*name).to_owned(), file: Template::parse_path(file) };
        proposed.push(cases.proposed(claim, rate));
    }
    (proposed, others)
}

/// Whether a look shows that a file is there.
fn is_at(found: &Found, file: &str) -> bool {
    match found {
        Found::Present(path) => path == file,
        Found::Declared { file: path, .. } => path == file,
        _ => false,
    }
}

/// The path that a look shows to be there.
fn present(found: &Found) -> Option<&str> {
    match found {
        Found::Present(path) | Found::Declared { file: path, .. } => Some(path),
        _ => None,
    }
}

/// The path that a look missed, and whether a tool said so in words.
fn missed(found: &Found) -> Option<(&str, bool)> {
    match found {
        Found::Missing(path) => Some((path, true)),
        Found::InVain(path) => Some((path, false)),
        _ => None,
    }
}

/// Paths that are not there, with the number of those that too few missed; and those that two sessions missed by a slip
/// in the name.
fn missing(seen: &[Seen<'_>]) -> (Vec<Proposed>, usize, Vec<Proposed>) {
    let mut last_hit: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, look) in seen.iter().enumerate() {
        for path in present(&look.found).into_iter().flat_map(upwards) {
            last_hit.insert(path, at);
        }
    }
    let mut misses: BTreeMap<&str, (Cases<'_, '_>, bool)> = BTreeMap::new();
    for (at, look) in seen.iter().enumerate() {
        let Some((missed, in_words)) = missed(&look.found) else { continue };
        let never_since = |path: &&str| last_hit.get(path).is_none_or(|hit| *hit < at);
        for path in upwards(missed).filter(never_since) {
            let (cases, said) = misses.entry(path).or_default();
            cases.with.insert(look.session, look);
            *said |= in_words;
        }
    }
    let missed_looks = seen.iter().filter(|look| missed(&look.found).is_some()).count();
    let rate = shrunk((number(missed_looks), number(seen.len())), PRIOR_RATE);
    let (mut proposed, mut others, mut slips) = (Vec::new(), 0, Vec::new());
    for (path, (cases, said)) in &misses {
        let within =
            |wider: &str| misses.get(wider).is_some_and(|(more, _)| more.with.len() > cases.with.len());
        if *said && cases.with.len() == SLIPS {
            let right = instead(path, seen, cases, SLIPS);
            let right = right.filter(|right| is_slip(path, &right.to_string()));
            slips.extend(right.map(|right| {
                let claim = Claim::Missing { path: Template::parse_path(path), instead: Some(right) };
                cases.proposed(claim, rate)
            }));
        }
        if cases.with.len() < FEWEST_TREATED as usize || !said {
            others += 1;
        } else if !upwards(path).skip(1).any(within) && !is_explained(path, cases, &misses) {
            let instead = instead(path, seen, cases, FEWEST_TREATED as usize);
            let claim = Claim::Missing { path: Template::parse_path(path), instead };
            proposed.push(cases.proposed(claim, rate));
        }
    }
    (proposed, others, slips)
}

/// Whether the same sessions miss a path that lies in this folder: then nothing is known of the folder.
fn is_explained(path: &str, cases: &Cases<'_, '_>, misses: &BTreeMap<&str, (Cases<'_, '_>, bool)>) -> bool {
    let below = |other: &&&str| other.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
    misses
        .keys()
        .filter(below)
        .any(|other| misses.get(other).is_some_and(|(narrow, _)| narrow.with.len() == cases.with.len()))
}

/// The path and the folders that it lies in.
fn upwards(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| path.rsplit_once('/').map(|(folder, _)| folder))
}

/// Where sessions that missed a path found the wanted file in their next look, if at least `least` did.
fn instead(path: &str, seen: &[Seen<'_>], cases: &Cases<'_, '_>, least: usize) -> Option<Template> {
    let mut found: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    let is_file = split(path).1.contains('.');
    for (session, miss) in &cases.with {
        let later = seen.iter().skip_while(|look| !std::ptr::eq(*look, *miss)).skip(1);
        let mut later =
            later.take_while(|look| look.session == *session).filter_map(|look| present(&look.found));
        if is_file {
            let next = later.find(|other| is_nearly(path, other));
            found.entry(next.unwrap_or_default()).or_default().insert(*session);
        } else if let Some(next) = later.next() {
            // A folder holds what lies in the folders below as well.
            upwards(split(next).0).for_each(|folder| {
                found.entry(folder).or_default().insert(*session);
            });
        }
    }
    // Of the folders that hold as much the narrowest.
    let (place, by) = found.into_iter().max_by_key(|(place, by)| (by.len(), place.len()))?;
    let is_usual = by.len() >= least && by.len() * 2 >= cases.with.len();
    let tells = !place.is_empty() && !place.starts_with(path) && (is_file || place.contains('/'));
    (is_usual && tells).then(|| Template::parse_path(place))
}

/// Whether a path is the other with a slip in its name.
fn is_slip(path: &str, other: &str) -> bool {
    split(path).0 == split(other).0 && is_nearly(path, other)
}

/// Whether a path is the other with a slip in its name, or lies elsewhere under the same name.
fn is_nearly(path: &str, other: &str) -> bool {
    let ((folder, name), (other_folder, other_name)) = (split(path), split(other));
    if name == other_name {
        return folder != other_folder;
    }
    folder == other_folder && distance(name, other_name) <= MOST_TYPOS.min(name.len() / 4)
}

/// In how many letters two names differ (Levenshtein 1966).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.chars().enumerate() {
        let mut corner = at;
        let mut left = at + 1;
        let mut next = vec![left];
        for (place, theirs) in other.iter().enumerate() {
            let above = row.get(place + 1).copied().unwrap_or_default();
            let cost = corner + usize::from(letter != *theirs);
            left = cost.min(above + 1).min(left + 1);
            next.push(left);
            corner = above;
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

/// Of each file the names that most sessions search for.
fn few_of_each_file(mut standing: Vec<Proposed>) -> Vec<Proposed> {
    standing.sort_by(|a, b| {
        let with = |one: &Proposed| one.claim.counts.treated_with;
        with(b).cmp(&with(a)).then_with(|| a.claim.claim.cmp(&b.claim.claim))
    });
    let mut told: BTreeMap<Template, usize> = BTreeMap::new();
    standing.retain(|one| match &one.claim.claim {
        Claim::Declared { file, .. } => {
            let names = told.entry(file.clone()).or_default();
            *names += 1;
            *names <= MOST_NAMES
        }
        _ => true,
    });
    standing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_a_slip_are_nearly_the_same() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert!(is_nearly(".golint.yml", ".golint.yaml"));
        assert!(is_nearly("src/tax.py", "app/tax.py"));
        assert!(!is_nearly("src/tax.py", "src/cart.py"));
        assert!(!is_nearly("src/tax.py", "src/tax.py"));
    }
}
