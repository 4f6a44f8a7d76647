//! How probable the counts of a predicate are by chance.

use std::collections::BTreeMap;

use super::super::predicate::{Action, Event, Predicate, Relation, Side, Track, Verdict, base, evaluate};
use super::super::significance::Counts;
use super::super::significance::{PRIOR_RATE, base_rate, binomial_tail, shrunk, stratified_tail};

/// How much rarer an action that a person must ask for is where nobody asks for it.
const UNASKED: f64 = 1.0 / 3.0;

/// How probable the counts are by chance.
pub(super) fn chance(when: &Predicate, verdict: &Verdict, tracks: &[Track<'_>]) -> f64 {
    let counts = verdict.counts;
    match (&when.expected, &when.action) {
        (None, Some(Action::Steps(steps))) => {
            let strata = strata(verdict, tracks);
            let needs_a_word = when.relation == Relation::Before && steps.iter().all(Event::is_of_a_person);
            if needs_a_word && !is_left_unasked(&strata) { 1.0 } else { stratified_tail(&strata) }
        }
        // That something is left out is what happens most of the time.
        (None, _) | (Some(_), Some(Action::No(_))) => 1.0,
        (Some(_), Some(Action::Steps(_))) => {
            // What ran ended the failure: compared with runs before which nothing was edited.
            let untreated = match when.repairs_by_runs() {
                true => evaluate(&when.cleaned(), tracks).counts,
                false => counts,
            };
            let own = (untreated.untreated_with, untreated.untreated());
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

/// Whether it is mostly left undone where nobody asks for it, in sessions that are like those in which it is done. That it
/// is done where people ask shows nothing: so is everything.
fn is_left_unasked(strata: &[Counts]) -> bool {
    let share = |done: u32, left: u32| f64::from(done) / f64::from((done + left).max(1));
    let mut like = Counts::default();
    for counts in strata.iter().filter(|counts| counts.treated() > 0) {
        like.treated_with += counts.treated_with;
        like.treated_without += counts.treated_without;
        like.untreated_with += counts.untreated_with;
        like.untreated_without += counts.untreated_without;
    }
    let asked = share(like.treated_with, like.untreated_with);
    share(like.treated_without, like.untreated_without) <= UNASKED * asked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_anyway_needs_no_word() {
        let counts = |treated_with, treated_without, untreated_with, untreated_without| {
            is_left_unasked(&[Counts { treated_with, treated_without, untreated_with, untreated_without }])
        };
        // Commits: asked for in 15 of 19, the word stands in 40 others; and 67 of 72, 6 others.
        assert!(counts(15, 4, 40, 77) && counts(67, 5, 6, 20));
        // Tests: run in half of the sessions in which nobody speaks of them.
        assert!(!counts(18, 20, 2, 20));
        // Sessions in which it is never done are like none in which it is.
        assert!(!is_left_unasked(&[
            Counts { treated_with: 9, treated_without: 9, untreated_with: 1, untreated_without: 1 },
            Counts { untreated_without: 500, ..Counts::default() },
        ]));
    }
}
