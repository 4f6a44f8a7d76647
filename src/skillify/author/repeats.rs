//! Which lessons say what others do, or what mining says already: of one shape, about the same commands and files, shown by
//! the same sessions.

use std::collections::BTreeSet;

use super::super::Mined;
use super::super::claim::Claim;
use super::super::claim::as_predicate::of_claim;
use super::super::predicate::{Action, Event, Expected, Pattern, Predicate, Relation, Side, Verdict};
use super::spoken::texts;
use super::stems::stems;
use super::stood::{Stood, is_by_words};

/// Of the sessions of the one that fewer show, this share shows the other as well.
const SAME_SESSIONS: f64 = 0.7;

/// Sentences that share so many words, and their sessions, say the same.
const SAME_WORDS: usize = 2;
/// What people say has this share of its sessions with a line of mining that says the same.
const SAID_TOGETHER: f64 = 0.3;
/// Two lessons that look for this many of the same texts are about the same thing.
const SAME_TEXTS: usize = 2;
/// A lesson with fewer sessions of its own adds nothing.
const FEWEST: usize = 2;

/// What mining publishes, or asks a person about.
pub(super) struct Known {
    predicates: Vec<(Predicate, BTreeSet<String>)>,
    /// The words of its lines, and the sessions behind them.
    lines: Vec<(BTreeSet<String>, BTreeSet<String>)>,
}

impl Known {
    pub(super) fn of(mined: &Mined) -> Self {
        let candidates = mined.candidates.iter().filter(|one| one.is_published() || one.is_proposed());
        let of_claim = |claim: &super::super::SupportedClaim| {
            let whole = of_claim(&claim.claim, &claim.failures);
            let bare =
                matches!(claim.claim, Claim::Repair { .. }).then(|| of_claim(&claim.claim, &[])).flatten();
            let sessions: BTreeSet<String> =
                claim.support.iter().map(|evidence| evidence.session.clone()).collect();
            whole.into_iter().chain(bare).map(move |when| (when, sessions.clone())).collect::<Vec<_>>()
        };
        let candidates: Vec<_> = candidates.collect();
        let predicates =
            candidates.iter().flat_map(|candidate| &candidate.claims).flat_map(of_claim).collect();
        let lines = candidates.iter().flat_map(|candidate| {
            candidate.wording.lessons.iter().map(|line| {
                let claims = line.claims.iter().filter_map(|claim| candidate.claims.get(*claim));
                let sessions = claims.flat_map(|claim| &claim.support).map(|one| one.session.clone());
                (stems(&line.text).collect(), sessions.collect())
            })
        });
        Self { predicates, lines: lines.collect() }
    }

    /// Whether a mined line already states this wish.
    pub(super) fn tells(&self, says: &[String], verdict: &Verdict) -> bool {
        let own = sessions(verdict);
        let words: BTreeSet<String> = says.iter().take(1).flat_map(|text| stems(text)).collect();
        self.lines.iter().any(|(line, sessions)| {
            let both = own.intersection(sessions).count();
            line.intersection(&words).count() >= SAME_WORDS
                && share(&own, sessions) >= SAID_TOGETHER
                && (both >= FEWEST || both == own.len().max(1))
        })
    }

    /// Whether mining says what this predicate does.
    pub(super) fn says(&self, when: &Predicate, verdict: &Verdict) -> bool {
        let own = sessions(verdict);
        self.predicates.iter().any(|(known, sessions)| {
            known == when
                || (covers(known, when) && share(&own, sessions) >= SAME_SESSIONS)
                || replaces(known, when)
        })
    }
}

/// Those that say something of their own, and the others. Of two the one that more sessions show is kept.
pub(super) fn without(stood: Vec<Stood>) -> (Vec<Stood>, Vec<Stood>) {
    let (mut kept, mut repeated): (Vec<Stood>, Vec<Stood>) = (Vec::new(), Vec::new());
    // A lesson with an alternative says more than one that only says that something fails.
    let (with_action, without_action): (Vec<Stood>, Vec<Stood>) =
        stood.into_iter().partition(|one| one.when.action.is_some());
    for one in with_action.into_iter().chain(without_action) {
        let own = sessions(&one.verdict);
        let says = |other: &Stood| {
            let theirs = sessions(&other.verdict);
            let is_same =
                covers(&other.when, &one.when) || covers(&one.when, &other.when) || speak_alike(other, &one);
            let is_repeated =
                share(&own, &theirs) >= SAME_SESSIONS || says_nothing_more(&own, &theirs, other, &one);
            (is_same && is_repeated) || replaces(&other.when, &one.when)
        };
        match kept.iter().any(says) {
            true => repeated.push(one),
            false => kept.push(one),
        }
    }
    kept.sort_by(|a, b| {
        b.verdict.counts.treated_with.cmp(&a.verdict.counts.treated_with).then_with(|| a.when.cmp(&b.when))
    });
    (kept, repeated)
}

/// Whether both are what people say, in the same words.
fn speak_alike(one: &Stood, other: &Stood) -> bool {
    let words =
        |one: &Stood| -> BTreeSet<String> { one.says.iter().take(1).flat_map(|text| stems(text)).collect() };
    let (own, theirs) = (texts(&one.when), texts(&other.when));
    is_by_words(&one.when)
        && is_by_words(&other.when)
        && (own.iter().any(|text| theirs.contains(text))
            || words(one).intersection(&words(other)).count() >= SAME_WORDS)
}

/// Whether a text that both look for explains one of them: without those sessions too few are left.
fn says_nothing_more(own: &BTreeSet<String>, theirs: &BTreeSet<String>, other: &Stood, one: &Stood) -> bool {
    let known = texts(&other.when);
    let shared = texts(&one.when).iter().filter(|text| known.contains(text)).count();
    is_by_words(&one.when)
        && (shared >= SAME_TEXTS || (shared > 0 && own.difference(theirs).count() < FEWEST))
}

fn sessions(verdict: &Verdict) -> BTreeSet<String> {
    verdict.shown.iter().filter(|shown| shown.side == Side::For).map(|shown| shown.session.clone()).collect()
}

/// Of the smaller set, how much is in the other.
fn share(one: &BTreeSet<String>, other: &BTreeSet<String>) -> f64 {
    let both = u32::try_from(one.intersection(other).count()).unwrap_or(u32::MAX);
    let fewer = u32::try_from(one.len().min(other.len())).unwrap_or(u32::MAX);
    f64::from(both) / f64::from(fewer.max(1))
}

/// Whether a predicate says of the same events what another does, or of more of them: each command of one begins as its
/// counterpart does, or ends so behind a wrapper; files and texts may differ.
fn covers(wide: &Predicate, narrow: &Predicate) -> bool {
    let (own, theirs) = (wide.events(), narrow.events());
    // Where something is run, people may say it in several ways; where nothing is, their words are all there is.
    let is_run = own.iter().any(|event| matches!(event, Event::Run { .. }));
    let is_step = |(wide, narrow): (&&Event, &&Event)| match (wide, narrow) {
        (Event::Run { command: wide, .. }, Event::Run { command: narrow, .. }) => opens(wide, narrow),
        (Event::Edit { path, .. }, Event::Edit { path: other, .. }) => path == other || is_run,
        (Event::Prompt { class, saying }, Event::Prompt { class: other, saying: theirs }) => {
            class == other && (saying == theirs || is_run)
        }
        (Event::Look { path, .. }, Event::Look { path: other, .. }) => path == other,
        (wide, narrow) => wide == narrow,
    };
    let kind = |expected: &Option<Expected>| expected.as_ref().map(std::mem::discriminant);
    let is_negative = |when: &Predicate| matches!(when.action, Some(Action::No(_)));
    let same_cause = match (&wide.situation, &narrow.situation) {
        (Event::Run { saying, .. }, Event::Run { saying: other, .. }) => saying == other || saying.is_empty(),
        _ => true,
    };
    (wide.relation == narrow.relation || wide.relation == Relation::With)
        && own.len() == theirs.len()
        && own.iter().zip(&theirs).all(is_step)
        && is_negative(wide) == is_negative(narrow)
        && (kind(&wide.expected) == kind(&narrow.expected)
            || (narrow.expected.is_some() && wide.expected.is_none()))
        && passes(&wide.expected) == passes(&narrow.expected)
        && same_cause
}

fn passes(expected: &Option<Expected>) -> bool {
    !matches!(expected, Some(Expected::Ends { passes: false, .. }))
}

/// Whether the one says what works in the place of a command, and the other no more than that, or that it does not work.
fn replaces(known: &Predicate, when: &Predicate) -> bool {
    let (Some((wide, Some(_))), Some((narrow, _))) = (known.refuted(), when.refuted()) else { return false };
    opens(wide, narrow)
}

/// Whether a command begins as another one, or is it behind a wrapper.
fn opens(wide: &Pattern, narrow: &Pattern) -> bool {
    let words = |pattern: &Pattern| -> Vec<String> {
        let words = pattern.text.split_whitespace().map(str::to_owned);
        words.filter(|word| word != "*" && !(word.starts_with('{') && word.ends_with('}'))).collect()
    };
    let (wide, narrow) = (words(wide), words(narrow));
    let is_behind = || narrow.ends_with(&wide) || wide.ends_with(&narrow);
    !wide.is_empty() && !narrow.is_empty() && (narrow.starts_with(&wide) || is_behind())
}
