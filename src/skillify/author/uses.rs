//! What shows how a thing is done: the sessions that did it so, and it passed. Where only a filter behind it tells how it
//! ended (`gh api … | jq …`), nothing says that it failed, and who does so in several sessions shows that it is done so. Who
//! runs it without its flags, and it passes, shows that it is done otherwise as well; where nobody failed without them, all
//! do it so without being told.

use std::collections::BTreeSet;

use super::super::predicate::{Event, Expected, Predicate, Shown, Side, Track, Verdict, cases, evaluate};

/// In how many sessions, on as many days, it must be seen.
const FEWEST: u32 = 3;
const FEWEST_DAYS: usize = 2;
/// It passes in this share of the sessions at least.
const WORKS: f64 = 0.9;
/// In this share of the sessions that run the command the flags are given.
const SO: f64 = 0.8;
/// A shorter command is what everybody runs.
const SHORTEST: usize = 3;

/// Whether it says how a thing is done: one command, and that it passes.
pub(super) fn is_use(when: &Predicate) -> bool {
    let Event::Run { command, .. } = &when.situation else { return false };
    when.action.is_none()
        && matches!(&when.expected, Some(Expected::Ends { passes: true, command: None, .. }))
        && command.text.split_whitespace().count() >= SHORTEST
}

/// The verdict with the sessions in which nothing tells how it ended, if it passed in one and failed in none.
pub(super) fn with_untold(when: &Predicate, mut verdict: Verdict, tracks: &[Track<'_>]) -> Verdict {
    if verdict.counts.treated_with == 0 || verdict.counts.treated_without > 0 || verdict.unknown == 0 {
        return verdict;
    }
    for (place, track) in tracks.iter().enumerate() {
        let cases = cases(when, track);
        let Some(first) = cases.first().filter(|_| cases.iter().all(|case| case.outcome.is_none())) else {
            continue;
        };
        verdict.unknown = verdict.unknown.saturating_sub(1);
        verdict.counts.treated_with += 1;
        verdict.shown.push(Shown {
            side: Side::For,
            place,
            tenant: track.tenant.to_owned(),
            session: track.session.to_owned(),
            person: track.person.clone(),
            started_at: track.started_at,
            events: first.events.clone(),
        });
    }
    verdict.shown.sort_by_key(|shown| shown.place);
    verdict
}

/// Whether the flags are the way to run it: nearly all runs have them, and runs without them fail.
pub(super) fn is_the_way(when: &Predicate, verdict: &Verdict, tracks: &[Track<'_>]) -> bool {
    let Some(bare) = when.without_flags() else { return true };
    let own: BTreeSet<usize> = fors(verdict).map(|shown| shown.place).collect();
    let otherwise = evaluate(&bare, tracks);
    let otherwise = fors(&otherwise).filter(|shown| !own.contains(&shown.place)).count();
    #[expect(clippy::cast_precision_loss, reason = "sessions are few")]
    let share = own.len() as f64 / (own.len() + otherwise).max(1) as f64;
    let fails = tracks.iter().any(|track| cases(&bare, track).iter().any(|case| case.outcome == Some(false)));
    share >= SO && fails
}

fn fors(verdict: &Verdict) -> impl Iterator<Item = &Shown> {
    verdict.shown.iter().filter(|shown| shown.side == Side::For)
}

/// Whether enough sessions did it so.
pub(super) fn works(verdict: &Verdict) -> bool {
    let counts = verdict.counts;
    let days: BTreeSet<String> = fors(verdict).map(|shown| shown.started_at.date()).collect();
    counts.treated_with >= FEWEST
        && days.len() >= FEWEST_DAYS
        && f64::from(counts.treated_with) >= WORKS * f64::from(counts.treated())
}
