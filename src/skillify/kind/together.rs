//! **Together**: who edits one file edits another with it.
//!
//! - Situation: a session edited a file. Action and outcome: it edited the other one as well.
//! - Proof: more often than sessions that edited about as much did without the first file
//!   ([`stratified_tail`]); large sessions edit anything together.
//! - On two days at least, so that one piece of work over several sessions is no rule.
//! - Null: which session edited which files, among sessions of one repository that edited about as much.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::claim::{Claim, SupportedClaim};
use super::super::evidence::Counts;
use super::super::evidence::significance::stratified_tail;
use super::super::outcome::Outcome;
use super::super::template::Template;
use super::check::{Member, by_project};
use super::{Proposed, Sessions, Shuffle, Verdict, judged};

/// Sessions that edited more files tell nothing of any two.
const MOST_FILES: usize = 20;
/// This share of the sessions that edited the one must have edited the other.
const SHARE: f64 = 0.6;
/// On so many days at least.
const DAYS: usize = 2;

/// The files that stand together, and those that do not.
pub(in super::super) fn together(
    sessions: &Sessions<'_>,
    mut shuffle: Option<&mut Shuffle>,
) -> (Vec<Proposed>, Vec<(Proposed, Verdict)>) {
    let (mut standing, mut fallen) = (Vec::new(), Vec::new());
    for (_, mut members) in by_project(sessions) {
        members.retain(|member| (1..=MOST_FILES).contains(&member.edited.files.len()));
        if let Some(shuffle) = shuffle.as_deref_mut() {
            exchange_files(&mut members, shuffle);
        }
        let of_pairs = judged(pairs(sessions, &members));
        let of_patterns = judged(super::pattern::files(sessions, &members));
        standing.extend(one_direction(of_pairs.0));
        standing.extend(of_patterns.0);
        fallen.extend(of_pairs.1);
        fallen.extend(of_patterns.1);
    }
    (standing, fallen)
}

/// Deals the files of sessions that edited about as much anew; each keeps its number of files.
fn exchange_files(members: &mut [Member<'_>], shuffle: &mut Shuffle) {
    let mut strata: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (at, member) in members.iter().enumerate() {
        strata.entry(member.edited.stratum()).or_default().push(at);
    }
    for places in strata.into_values() {
        let mut all: Vec<_> = places
            .iter()
            .filter_map(|at| members.get(*at))
            .flat_map(|member| member.edited.files.iter().map(|(path, at)| (*path, *at)))
            .collect();
        shuffle.permute(&mut all);
        let mut dealt = all.into_iter();
        for at in places {
            let Some(member) = members.get_mut(at) else { continue };
            let many = member.edited.files.len();
            let places: Vec<(usize, usize)> = member.edited.files.values().copied().collect();
            let files = dealt.by_ref().take(many).map(|(path, _)| path).zip(places);
            member.edited.files = files.collect();
        }
    }
}

fn pairs(sessions: &Sessions<'_>, members: &[Member<'_>]) -> Vec<Proposed> {
    let mut edited: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, member) in members.iter().enumerate() {
        member.edited.files.keys().for_each(|path| edited.entry(path).or_default().push(at));
    }
    edited.retain(|_, by| by.len() >= 3);
    let mut both: HashMap<(&str, &str), u32> = HashMap::new();
    for member in members {
        let files: Vec<&str> = member.edited.files.keys().copied().filter(|path| edited.contains_key(path)).collect();
        for one in &files {
            for other in files.iter().filter(|other| *other != one) {
                *both.entry((one, other)).or_default() += 1;
            }
        }
    }
    let mut proposed = Vec::new();
    for ((one, other), times) in both {
        let all = edited.get(one).map_or(0, Vec::len);
        if times >= 3 && f64::from(times) >= SHARE * f64::from(u32::try_from(all).unwrap_or(u32::MAX)) {
            proposed.extend(propose(sessions, members, one, other));
        }
    }
    proposed.sort_by(|a, b| a.claim.claim.cmp(&b.claim.claim));
    proposed
}

fn propose(sessions: &Sessions<'_>, members: &[Member<'_>], one: &str, other: &str) -> Option<Proposed> {
    let mut strata: BTreeMap<u32, Counts> = BTreeMap::new();
    let mut counts = Counts::default();
    let (mut support, mut against, mut treated, mut days) = (vec![], vec![], vec![], BTreeSet::new());
    for member in members {
        let timeline = sessions.timelines.get(member.session)?;
        let (first, second) = (member.edited.files.get(one), member.edited.files.get(other));
        counts.add(first.is_some(), second.is_some());
        strata.entry(member.edited.stratum()).or_default().add(first.is_some(), second.is_some());
        let Some((at, _)) = first else { continue };
        treated.push(member.session);
        match second {
            Some((_, last)) => {
                days.insert(timeline.work.session.started_at.date());
                support.extend(timeline.evidence(sessions.works, &[*at, *last], Outcome::Accepted));
            }
            None => against.extend(timeline.evidence(sessions.works, &[*at], Outcome::Rejected)),
        }
    }
    if days.len() < DAYS {
        return None;
    }
    support.sort();
    against.sort();
    let path = Template::parse_path;
    let claim = SupportedClaim {
        claim: Claim::Together { edited: path(one), also: path(other) },
        failures: Vec::new(),
        counts,
        chance: stratified_tail(&strata.into_values().collect::<Vec<_>>()),
        support,
        against,
        untreated: Vec::new(),
    };
    Some(Proposed { claim, treated })
}

/// Of both directions of a pair the one that holds more often.
fn one_direction(standing: Vec<Proposed>) -> Vec<Proposed> {
    let mut best: BTreeMap<(Template, Template), Proposed> = BTreeMap::new();
    for one in standing {
        let Claim::Together { edited, also } = &one.claim.claim else { continue };
        let key = if edited < also { (edited.clone(), also.clone()) } else { (also.clone(), edited.clone()) };
        let is_better = best.get(&key).is_none_or(|known| {
            known.claim.counts.treated_rate().total_cmp(&one.claim.counts.treated_rate()).is_lt()
        });
        if is_better {
            best.insert(key, one);
        }
    }
    best.into_values().collect()
}
