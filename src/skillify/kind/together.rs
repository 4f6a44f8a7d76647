//! **Together**: who edits one file edits another with it.
//!
//! - Situation: a session edited a file. Action and outcome: it edited the other one as well.
//! - Proof: more often than sessions that edited about as much did without the first file ([`stratified_tail`]), because
//!   large sessions edit anything together.
//! - A test and what it tests, by their names, must also exceed the other such pairs of the repository, if there are many.
//! - The sessions span at least a week, so that one task over several sessions makes no rule.
//! - Null: which session edited which files, among sessions of one repository that edited about as much.

use std::collections::{BTreeMap, BTreeSet};

use super::super::claim::{Claim, Evidence, SupportedClaim};
use super::super::session::outcome::Outcome;
use super::super::significance::Counts;
use super::super::significance::{binomial_tail, stratified_tail};
use super::super::template::Template;
use super::check::by_project;
use super::files::{is_test, split};
use super::member::Member;
use super::{Proposed, Sessions, Shuffle, Verdict, judged, number};

/// Sessions that edited more files tell nothing of any two.
const MOST_FILES: usize = 20;
/// This share of the sessions that edited the one must have edited the other.
const SHARE: f64 = 0.6;
/// The most pairs of one repository that are named: the surest ones.
const MOST_PAIRS: usize = 5;
/// So many other cases of a test beside its source tell how usual that is.
const FEWEST_OTHERS: u32 = 10;
/// A test beside its source is told only where less than this is probable by chance: most know that it is there.
const CHANCE_OF_TESTS: f64 = 1e-2;
/// So many days lie between the first session and the last at least: what belongs together for one piece of
/// work alone is no rule.
const DAYS: u64 = 7;

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
        let (alike, unlike) = pairs(sessions, &members);
        let mut of_pairs = judged(alike.proposed, alike.others);
        let of_unlike = judged(unlike.proposed, unlike.others);
        of_pairs.0.extend(of_unlike.0);
        of_pairs.1.extend(of_unlike.1);
        let mut of_patterns = judged(super::pattern::files(sessions, &members), 0);
        // That a test stands beside what it tests is no news; nor is that somebody edits a test alone.
        of_patterns.0.retain(|one| match &one.claim.claim {
            Claim::Together { edited, also } => {
                !is_test(&edited.to_string()) && !is_test(&also.to_string()) && lasts(&one.claim.support)
            }
            _ => false,
        });
        let mut pairs = one_direction(of_pairs.0);
        pairs.retain(|pair| !of_patterns.0.iter().any(|pattern| says(pattern, pair)));
        if !pairs.is_empty() {
            let beside = TestsBeside::of(&members);
            pairs.retain(|pair| beside.tells(pair));
        }
        pairs.sort_by(|a, b| {
            a.claim.p_value.total_cmp(&b.claim.p_value).then_with(|| a.claim.claim.cmp(&b.claim.claim))
        });
        pairs.truncate(MOST_PAIRS);
        standing.extend(pairs);
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

/// Pairs of files whose names are alike, and all others: what names suggest is compared with its like alone.
fn pairs(sessions: &Sessions<'_>, members: &[Member<'_>]) -> (Compared, Compared) {
    let mut edited: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, member) in members.iter().enumerate() {
        member.edited.files.keys().for_each(|path| edited.entry(path).or_default().push(at));
    }
    edited.retain(|_, by| by.len() >= 3);
    let mut both: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    for member in members {
        let files: Vec<&str> =
            member.edited.files.keys().copied().filter(|path| edited.contains_key(path)).collect();
        for one in &files {
            for other in files.iter().filter(|other| *other != one) {
                *both.entry((one, other)).or_default() += 1;
            }
        }
    }
    let (mut alike, mut unlike) = (Compared::default(), Compared::default());
    for ((one, other), times) in both {
        // Tests follow what they test, not the other way round.
        if is_test(one) {
            continue;
        }
        let compared = if are_alike(one, other) { &mut alike } else { &mut unlike };
        let all = edited.get(one).map_or(0, Vec::len);
        let is_usual = times >= 3 && f64::from(times) >= SHARE * f64::from(number(all));
        let proposed = if is_usual { propose(sessions, members, one, other) } else { None };
        match proposed {
            Some(proposed) => compared.proposed.push(proposed),
            None => compared.others += 1,
        }
    }
    for compared in [&mut alike, &mut unlike] {
        compared.proposed.sort_by(|a, b| a.claim.claim.cmp(&b.claim.claim));
    }
    (alike, unlike)
}

/// Pairs that are compared with each other.
#[derive(Default)]
struct Compared {
    proposed: Vec<Proposed>,
    /// Pairs that were seen together and too seldom.
    others: usize,
}

/// Whether the names of two files say that they belong together: the same name, or one that differs in a part.
fn are_alike(one: &str, other: &str) -> bool {
    let parts = |path: &str| -> Vec<String> {
        let name = split(path).1;
        name.split(|char: char| !char.is_alphanumeric()).map(str::to_owned).collect()
    };
    let (one, other) = (parts(one), parts(other));
    let same = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let ending = one.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count();
    let most = one.len().max(other.len());
    one == other || (most >= 3 && same + ending + 1 >= most && same + ending >= 2)
}

fn propose(sessions: &Sessions<'_>, members: &[Member<'_>], one: &str, other: &str) -> Option<Proposed> {
    let mut strata: BTreeMap<u32, Counts> = BTreeMap::new();
    let mut counts = Counts::default();
    let (mut support, mut against, mut treated) = (vec![], vec![], vec![]);
    for member in members {
        let timeline = sessions.timelines.get(member.session)?;
        let (first, second) = (member.edited.files.get(one), member.edited.files.get(other));
        counts.add(first.is_some(), second.is_some());
        strata.entry(member.edited.stratum()).or_default().add(first.is_some(), second.is_some());
        let Some((at, _)) = first else { continue };
        treated.push(member.session);
        match second {
            Some((_, last)) => {
                support.extend(timeline.evidence(sessions.works, &[*at, *last], Outcome::Accepted));
            }
            None => against.extend(timeline.evidence(sessions.works, &[*at], Outcome::Rejected)),
        }
    }
    support.sort();
    if !lasts(&support) {
        return None;
    }
    against.sort();
    let path = Template::parse_path;
    let claim = SupportedClaim {
        claim: Claim::Together { edited: path(one), also: path(other) },
        failures: Vec::new(),
        counts,
        p_value: stratified_tail(&strata.into_values().collect::<Vec<_>>()),
        support,
        against,
        place: 0,
        untreated: Vec::new(),
    };
    Some(Proposed { claim, treated })
}

/// Whether a pattern covers the pair's two files.
fn says(pattern: &Proposed, pair: &Proposed) -> bool {
    match (&pattern.claim.claim, &pair.claim.claim) {
        (Claim::Together { edited, also }, Claim::Together { edited: one, also: other }) => {
            super::pattern::is_instance(
                (&edited.to_string(), &also.to_string()),
                &one.to_string(),
                &other.to_string(),
            )
        }
        _ => false,
    }
}

/// How often the sessions of a repository that edited a file edited its test, by its name, as well.
struct TestsBeside<'a> {
    tests: BTreeMap<Vec<String>, BTreeSet<&'a str>>,
    with: u32,
    all: u32,
}

impl<'a> TestsBeside<'a> {
    fn of(members: &[Member<'a>]) -> Self {
        let files = || members.iter().flat_map(|member| member.edited.files.keys().copied());
        let mut tests: BTreeMap<Vec<String>, BTreeSet<&str>> = BTreeMap::new();
        for test in files().filter(|path| is_test(path)) {
            tests.entry(name_without_test(test)).or_default().insert(test);
        }
        let mut beside = Self { tests, with: 0, all: 0 };
        for member in members {
            let sources = member.edited.files.keys().filter(|path| !is_test(path));
            for own in sources.filter_map(|path| beside.tests.get(&name_without_test(path))) {
                beside.all += 1;
                beside.with += u32::from(own.iter().any(|test| member.edited.files.contains_key(test)));
            }
        }
        beside
    }

    /// Whether a pair is more than a test and its subject, or more frequent than most such pairs.
    fn tells(&self, pair: &Proposed) -> bool {
        let Claim::Together { edited, also } = &pair.claim.claim else { return true };
        let (edited, also) = (edited.to_string(), also.to_string());
        if !is_test(&also) || name_without_test(&edited) != name_without_test(&also) {
            return true;
        }
        let (with, all) = (pair.claim.counts.treated_with, pair.claim.counts.treated());
        let (others_with, others) = (self.with.saturating_sub(with), self.all.saturating_sub(all));
        let rate = f64::from(others_with) / f64::from(others.max(1));
        others < FEWEST_OTHERS || binomial_tail(with, all, rate) <= CHANCE_OF_TESTS
    }
}

/// The parts of a file's name, without those that say that it holds tests.
fn name_without_test(path: &str) -> Vec<String> {
    let parts = split(path).1.split(|char: char| !char.is_alphanumeric());
    let parts = parts.map(str::to_ascii_lowercase);
    parts.filter(|part| !matches!(part.as_str(), "test" | "tests" | "spec" | "specs")).collect()
}

/// Whether evidence, oldest first, reaches over time enough.
fn lasts(support: &[Evidence]) -> bool {
    let (Some(first), Some(last)) = (support.first(), support.last()) else { return false };
    last.started_at.since(first.started_at).as_secs() >= DAYS * 86_400
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
