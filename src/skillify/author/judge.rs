//! Which observations stand: counted on all sessions, compared with chance, looked at in later ones.
//!
//! - What is done is proved as mining proves it: three sessions that took the action and had the outcome; half of those
//!   that met the situation; less probable by chance than one in ten of all that are tested may be (Benjamini and Hochberg).
//! - What people say is proved by people: two sessions on two days of two people, or three of one. It is compared with no
//!   chance, so a person has to agree to it; so it is with all that a model wrote.
//! - What the later half of the sessions contradicts does not stand.

use std::collections::{BTreeMap, BTreeSet};

use super::super::evidence::Counts;
use super::super::evidence::significance::{
    PRIOR_RATE, base_rate, benjamini_hochberg, binomial_tail, shrunk, stratified_tail,
};
use super::super::look::Found;
use super::super::predicate::{
    Action, Compiled, Event, Expected, Happened, Predicate, Relation, Side, Track, Verdict, base, evaluate,
    of_claim,
};
use super::super::{Claim, Mined};
use super::merge::Merged;

/// A claim must be seen in so many sessions that took its action and had the outcome.
const FEWEST_TREATED: u32 = 3;
/// What people say needs so many sessions, on as many days.
const FEWEST_SAID: usize = 2;
/// At most this share of what stands may be false.
const FALSE_DISCOVERIES: f64 = 0.1;
/// What is looked for in more than this share of the sessions is everyday talk.
const EVERYDAY: f64 = 0.34;

/// An observation that all sessions prove.
#[derive(Debug, Clone, PartialEq)]
pub struct Stood {
    /// What was asked.
    pub when: Predicate,
    /// What it is about.
    pub kind: String,
    /// The model's sentences, the shortest first.
    pub says: Vec<String>,
    /// What the sessions show.
    pub verdict: Verdict,
    /// How probable counts like these are by chance; 0 where people's words prove it.
    pub chance: f64,
    /// Of the later half of the sessions: how many followed it, how many did not.
    pub later: (u32, u32),
}

/// Those that stand, the best proved first.
pub(super) fn stood(merged: Vec<Merged>, tracks: &[Track<'_>], mined: &Mined) -> Vec<Stood> {
    let known = said_already(mined);
    let grounded = merged
        .into_iter()
        .filter(|one| !known.contains(&one.when) && is_grounded(&one.when, tracks))
        .map(|one| {
            let verdict = evaluate(&one.when, tracks);
            (one, verdict)
        });
    let (mut said, mut tested) = (Vec::new(), Vec::new());
    for (one, verdict) in grounded {
        if is_by_words(&one.when) {
            if is_said_enough(&one.when, &verdict) {
                said.push((one, verdict, 0.0));
            }
        } else if verdict.counts.treated_with >= FEWEST_TREATED {
            let chance = chance(&one.when, &verdict, tracks);
            tested.push((one, verdict, chance));
        }
    }
    let chances: Vec<f64> = tested.iter().map(|(.., chance)| *chance).collect();
    let passes = benjamini_hochberg(&chances, 0, FALSE_DISCOVERIES);
    let tested = tested.into_iter().zip(passes).filter(|(_, passes)| *passes).map(|(one, _)| one);
    let mut stood: Vec<Stood> = tested
        .filter(|(_, verdict, _)| verdict.counts.treated_with > verdict.counts.treated_without)
        .chain(said)
        .map(|(one, verdict, chance)| Stood {
            later: later(&one.when, tracks),
            when: one.when,
            kind: one.kind,
            says: one.says,
            verdict,
            chance,
        })
        .filter(|one| one.later.1 <= one.later.0)
        .collect();
    stood.sort_by(|a, b| {
        b.verdict.counts.treated_with.cmp(&a.verdict.counts.treated_with).then_with(|| a.when.cmp(&b.when))
    });
    without_repetition(stood)
}

/// Of what the same sessions show of the same commands, the predicate that says most of them.
fn without_repetition(stood: Vec<Stood>) -> Vec<Stood> {
    let mut seen: BTreeSet<(Vec<String>, Vec<usize>)> = BTreeSet::new();
    stood
        .into_iter()
        .filter(|one| {
            let mut commands: Vec<String> =
                one.when.commands().into_iter().map(ToString::to_string).collect();
            commands.sort();
            commands.dedup();
            let places = one.verdict.shown.iter().filter(|shown| shown.side == Side::For);
            commands.is_empty() || seen.insert((commands, places.map(|shown| shown.place).collect()))
        })
        .collect()
}

/// What mining publishes, or asks a person about, as predicates.
fn said_already(mined: &Mined) -> BTreeSet<Predicate> {
    let candidates = mined.candidates.iter().filter(|one| one.is_published() || one.is_proposed());
    let claims = candidates.flat_map(|candidate| &candidate.claims);
    let alike = claims.flat_map(|claim| {
        let whole = of_claim(&claim.claim, &claim.failures);
        let bare = matches!(claim.claim, Claim::Repair { .. }).then(|| of_claim(&claim.claim, &[])).flatten();
        [whole, bare]
    });
    alike.flatten().collect()
}

/// Whether people's words prove it, or refute it, and nothing else.
fn is_by_words(when: &Predicate) -> bool {
    let steps_are =
        matches!(&when.action, Some(Action::Steps(steps)) if steps.iter().all(Event::is_of_a_person));
    when.expected == Some(Expected::Refuse) || (when.situation.is_of_a_person() && steps_are)
}

/// Whether enough people said so, on enough days, and not everybody all the time.
fn is_said_enough(when: &Predicate, verdict: &Verdict) -> bool {
    let shown: Vec<_> = verdict.shown.iter().filter(|shown| shown.side == Side::For).collect();
    let days: BTreeSet<String> = shown.iter().map(|shown| shown.started_at.date()).collect();
    let people: BTreeSet<&str> =
        shown.iter().map(|shown| shown.person.as_str()).filter(|person| !person.is_empty()).collect();
    let enough = shown.len() >= FEWEST_SAID && days.len() >= FEWEST_SAID;
    let counts = &verdict.counts;
    let is_everyday = when.relation == Relation::With
        && f64::from(counts.treated_with) > EVERYDAY * f64::from(counts.treated().max(1))
        && verdict.sessions > 10;
    enough && (people.len() >= 2 || shown.len() > FEWEST_SAID) && !is_everyday
}

/// Whether two sessions know each command and each path that it names: what nobody ever did cannot be left undone.
fn is_grounded(when: &Predicate, tracks: &[Track<'_>]) -> bool {
    let compiled = Compiled::of(when);
    let sessions = |is_it: &dyn Fn(&Happened<'_>) -> bool| {
        tracks.iter().filter(|track| track.beats.iter().any(|beat| is_it(&beat.what))).take(2).count() == 2
    };
    let is_run = |pattern| {
        sessions(&|what| match what {
            Happened::Act { action, .. } => action.run().is_some_and(|run| compiled.runs(pattern, run)),
            _ => false,
        })
    };
    let is_there = |path: &str| {
        sessions(&|what| match what {
            Happened::Act { action, path: file, .. } => {
                action.edited().is_some() && compiled.is_file(path, file)
            }
            Happened::Look(
                Found::Present(own)
                | Found::Missing(own)
                | Found::InVain(own)
                | Found::Declared { file: own, .. },
            ) => compiled.is_looked_for(path, own),
            _ => false,
        })
    };
    when.commands().into_iter().all(is_run) && when.paths().into_iter().all(is_there)
}

/// How probable the counts are by chance.
fn chance(when: &Predicate, verdict: &Verdict, tracks: &[Track<'_>]) -> f64 {
    let counts = verdict.counts;
    match (&when.expected, &when.action) {
        (None, Some(Action::Steps(_))) => stratified_tail(&strata(verdict, tracks)),
        // That something is left out is what happens most of the time.
        (None, _) | (Some(_), Some(Action::No(_))) => 1.0,
        (Some(_), Some(Action::Steps(_))) => {
            let own = (counts.untreated_with, counts.untreated());
            binomial_tail(counts.treated_with, counts.treated(), base_rate(own, own, (0, 0)))
        }
        (Some(_), None) => {
            let rate = shrunk(base(when, tracks), PRIOR_RATE);
            binomial_tail(counts.treated_with, counts.treated(), rate)
        }
    }
}

/// The four cells of each stratum of sessions that edited about as much: long sessions do everything.
fn strata(verdict: &Verdict, tracks: &[Track<'_>]) -> Vec<Counts> {
    let stratum = |track: &Track<'_>| match track.edited() {
        0 => 0,
        1..=2 => 1,
        3..=5 => 2,
        6..=10 => 3,
        11..=20 => 4,
        _ => 5,
    };
    let mut strata: BTreeMap<u32, Counts> = BTreeMap::new();
    for track in tracks {
        strata.entry(stratum(track)).or_default().untreated_without += 1;
    }
    for shown in &verdict.shown {
        let Some(track) = tracks.get(shown.place) else { continue };
        let counts = strata.entry(stratum(track)).or_default();
        let cell = match shown.side {
            Side::For => &mut counts.treated_with,
            Side::Against => &mut counts.treated_without,
            Side::WithoutFor => &mut counts.untreated_with,
            Side::WithoutAgainst => continue,
        };
        *cell += 1;
        counts.untreated_without = counts.untreated_without.saturating_sub(1);
    }
    strata.into_values().collect()
}

/// What the later half of the sessions shows.
fn later(when: &Predicate, tracks: &[Track<'_>]) -> (u32, u32) {
    let half = tracks.get(tracks.len() / 2..).unwrap_or_default();
    let counts = evaluate(when, half).counts;
    // Who says something says it now and then: that the others do not speak against it.
    if is_by_words(when) && when.expected.is_none() {
        return (counts.treated_with, 0);
    }
    (counts.treated_with, counts.treated_without)
}
