//! Which observations stand: counted on all sessions, compared with chance, looked at in later ones.
//!
//! - What is done is proved as mining proves it: three sessions that took the action and had the outcome; four of five
//!   that met the situation; less probable by chance than one in ten of all that are tested may be (Benjamini and Hochberg).
//!   Two sessions without any against them are asked about as well: all that an author says waits for a person.
//! - What people say is proved by people: two sessions on two days in which a sentence speaks of it ([`super::spoken`]); of
//!   one person, it is for him alone. It is compared with no chance, so a person has to agree to it.
//! - What needs a person's leave was given leave only by a sentence that asks for it: one in which it is the subject
//!   counts against it.
//! - How a thing is done is proved by those who did it so: nine of ten times it passed.
//! - What the later half of the sessions contradicts does not stand; nor does what mining says already, or another lesson.

use std::collections::BTreeSet;

use super::super::Mined;
use super::super::predicate::{
    Action, Compiled, Event, Happened, Predicate, Relation, Side, Track, Verdict, evaluate,
};
use super::super::session::search_result::Found;
use super::super::significance::benjamini_hochberg;
use super::chance::chance;
use super::merge::Merged;
use super::stood::{Stood, is_by_words};
use super::{instead, mends, repeats, spoken, uses, widen};

/// A claim must be seen in so many sessions that took its action and had the outcome.
const FEWEST_TREATED: u32 = 3;
/// On how many days, and in as many sessions, people must say it; the same holds for lines that wait for a person.
const FEWEST_SAID: usize = 2;
/// At most this share of what stands may be false.
const FALSE_DISCOVERIES: f64 = 0.1;
/// So many times more sessions speak for a claim than against it: what more than a fifth leave undone is a habit, no rule.
const WEIGHT: u32 = 4;
/// If this many times more sessions did it than did not, the line says "usually".
const LOOSELY: u32 = 2;
/// What this share of all sessions do is done anyway.
const ANYWAY: f64 = 0.7;
/// What is seen in two sessions alone must be so improbable by chance.
const CHANCE_OF_TWO: f64 = 0.05;
/// What is looked for in more than this share of the sessions is everyday talk.
const EVERYDAY: f64 = 0.34;

/// What became of the observations.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Judged {
    /// Those that stand, the best proved first.
    pub stood: Vec<Stood>,
    /// The others: predicate, why it does not stand, and how many sessions speak for and against it.
    pub fallen: Vec<(Predicate, &'static str, (u32, u32))>,
}

/// A merged observation and its counts.
struct Counted {
    one: Merged,
    verdict: Verdict,
    chance: f64,
    loose: bool,
}

impl Judged {
    fn falls(&mut self, counted: &Counted, reason: &'static str) {
        let counts = counted.verdict.counts;
        self.fallen.push((counted.one.when.clone(), reason, (counts.treated_with, counts.treated_without)));
    }
}

/// What counts alone say of an observation.
enum Look {
    Stands,
    Falls(&'static str),
    /// Chance decides.
    Tested,
}

/// Which stand, and why the others do not.
pub(super) fn judged(merged: Vec<Merged>, tracks: &[Track<'_>], mined: &Mined) -> Judged {
    let mut judged = Judged::default();
    let (mut stands, mut tested): (Vec<Counted>, Vec<Counted>) = (Vec::new(), Vec::new());
    let known = repeats::Known::of(mined);
    let sentences = widen::Sentences::of(tracks);
    for mut one in merged {
        if is_by_words(&one.when) {
            one.when = sentences.widened(&one.when);
        }
        let verdict = mends::of(&one.when, evaluate(&one.when, tracks), tracks);
        let mut counted = Counted { verdict, one, chance: 0.0, loose: false };
        match look(&mut counted, &known, tracks) {
            Look::Stands => stands.push(counted),
            Look::Falls(reason) => judged.falls(&counted, reason),
            Look::Tested => tested.push(counted),
        }
    }
    judged.test(tested, &mut stands);
    for counted in stands {
        let later = later(&counted.one.when, &counted.verdict, tracks);
        if later.1 > later.0 && !(counted.loose && later.0 > 0) {
            judged.falls(&counted, "later sessions");
            continue;
        }
        let Counted { one, verdict, chance, loose } = counted;
        let Merged { when, kind, says, .. } = one;
        let instead = instead::of(&when, &verdict, tracks);
        judged.stood.push(Stood { when, kind, says, verdict, chance, later, instead, loose });
    }
    judged.stood.sort_by(|a, b| {
        b.verdict.counts.treated_with.cmp(&a.verdict.counts.treated_with).then_with(|| a.when.cmp(&b.when))
    });
    let (stood, repeated) = repeats::without(std::mem::take(&mut judged.stood));
    judged.stood = stood;
    judged.fallen.extend(repeated.into_iter().map(|one| {
        let counts = one.verdict.counts;
        (one.when, "another lesson says it", (counts.treated_with, counts.treated_without))
    }));
    judged.fallen.sort();
    judged
}

fn look(counted: &mut Counted, known: &repeats::Known, tracks: &[Track<'_>]) -> Look {
    let Counted { one, verdict, chance: by_chance, .. } = counted;
    let when = &one.when;
    if !is_grounded(when, tracks) {
        return Look::Falls("a command or path that two sessions do not know");
    }
    if known.says(when, verdict) {
        return Look::Falls("mining says it");
    }
    if is_by_words(when) {
        *verdict = spoken::of(one, std::mem::take(verdict), tracks);
        if known.tells(&one.says, verdict) {
            return Look::Falls("mining says it");
        }
        return why_not_said(when, verdict).map_or(Look::Stands, Look::Falls);
    }
    if let Some(word) = spoken::leave(when) {
        *verdict = spoken::with_leave(word, std::mem::take(verdict), tracks);
    }
    if is_the_work_itself(when) {
        return Look::Falls("a failure that an edit ends, whatever it is");
    }
    if uses::is_use(when) {
        *verdict = uses::with_untold(when, std::mem::take(verdict), tracks);
        return match () {
            () if !uses::works(verdict) => Look::Falls("too few sessions, or too few passed"),
            () if !uses::is_the_way(when, verdict, tracks) => {
                Look::Falls("others do it otherwise, or all do it so")
            }
            () => Look::Stands,
        };
    }
    if instead::works_elsewhere(when, tracks) {
        return Look::Falls("what does not work here works elsewhere");
    }
    if is_done_anyway(when, verdict) {
        return Look::Falls("most sessions do it anyway");
    }
    if verdict.counts.treated_with < 2 {
        return Look::Falls("too few sessions");
    }
    *by_chance = chance(when, verdict, tracks);
    Look::Tested
}

impl Judged {
    /// Keeps those observations that chance does not explain.
    fn test(&mut self, tested: Vec<Counted>, stands: &mut Vec<Counted>) {
        let (many, few): (Vec<Counted>, Vec<Counted>) =
            tested.into_iter().partition(|one| one.verdict.counts.treated_with >= FEWEST_TREATED);
        let chances: Vec<f64> = many.iter().map(|one| one.chance).collect();
        let passes = benjamini_hochberg(&chances, 0, FALSE_DISCOVERIES);
        for (mut counted, passes) in many.into_iter().zip(passes) {
            let counts = counted.verdict.counts;
            match () {
                () if !passes => self.falls(&counted, "chance"),
                () if counts.treated_with < WEIGHT * counts.treated_without
                    && counts.treated_with >= LOOSELY * counts.treated_without =>
                {
                    counted.loose = true;
                    stands.push(counted);
                }
                () if counts.treated_with < WEIGHT * counts.treated_without => {
                    self.falls(&counted, "more against it")
                }
                () => stands.push(counted),
            }
        }
        for counted in few {
            match is_worth_asking(&counted) {
                true => stands.push(counted),
                false => self.falls(&counted, "too few sessions"),
            }
        }
    }
}

/// Whether two sessions are enough to ask a person.
fn is_worth_asking(counted: &Counted) -> bool {
    let Counted { one, verdict, chance, .. } = counted;
    let days: BTreeSet<String> = fors(verdict).map(|shown| shown.started_at.date()).collect();
    let is_done = matches!(one.when.action, Some(Action::Steps(_))) && one.when.relation != Relation::With;
    (one.when.expected.is_some() || is_done)
        && verdict.counts.treated_without == 0
        && *chance <= CHANCE_OF_TWO
        && days.len() >= FEWEST_SAID
}

fn fors(verdict: &Verdict) -> impl Iterator<Item = &super::super::predicate::Shown> {
    verdict.shown.iter().filter(|shown| shown.side == Side::For)
}

/// Whether it says that a failure ends when files are edited, and not which failure: that is what work is.
fn is_the_work_itself(when: &Predicate) -> bool {
    let Event::Run { saying, .. } = &when.situation else { return false };
    let edits = matches!(&when.action, Some(Action::Steps(steps))
        if steps.iter().all(|step| matches!(step, Event::Edit { saying, .. } if saying.is_empty())));
    edits && saying.is_empty() && when.expected.is_some()
}

/// Whether nearly all sessions do it anyway, so that nobody needs the line.
fn is_done_anyway(when: &Predicate, verdict: &Verdict) -> bool {
    let is_a_habit = when.expected.is_none()
        && when.relation != Relation::Before
        && matches!(when.action, Some(Action::Steps(_)));
    let done = f64::from(verdict.counts.treated_with + verdict.counts.untreated_with);
    let all = u32::try_from(verdict.sessions).map_or(f64::INFINITY, f64::from);
    is_a_habit && verdict.sessions > 10 && done >= ANYWAY * all
}

/// Why what people say is not enough: too few, on too few days, or everybody all the time.
fn why_not_said(when: &Predicate, verdict: &Verdict) -> Option<&'static str> {
    let shown: Vec<_> = fors(verdict).collect();
    let days: BTreeSet<String> = shown.iter().map(|shown| shown.started_at.date()).collect();
    let enough = shown.len() >= FEWEST_SAID && days.len() >= FEWEST_SAID;
    let is_everyday = when.relation == Relation::With
        && f64::from(verdict.counts.treated_with) > EVERYDAY * f64::from(verdict.counts.treated().max(1))
        && verdict.sessions > 10;
    match () {
        () if !enough => Some("too few people said it"),
        () if is_everyday => Some("everyday talk"),
        () => None,
    }
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

/// What the later half of the sessions shows.
pub(super) fn later(when: &Predicate, verdict: &Verdict, tracks: &[Track<'_>]) -> (u32, u32) {
    let half = tracks.len() / 2;
    // People say such a thing now and then. Sessions in which they do not say it are not against it.
    if is_by_words(when) && when.expected.is_none() {
        let later = fors(verdict).filter(|shown| shown.place >= half).count();
        return (u32::try_from(later).unwrap_or(u32::MAX), 0);
    }
    let counts = evaluate(when, tracks.get(half..).unwrap_or_default()).counts;
    (counts.treated_with, counts.treated_without)
}
