//! **Snippet**: a script that a session wrote fails, and passes once it calls one more name.
//!
//! - Situation: a script of the session's own failed with an error that has a name. Action: a later run of mostly the same
//!   script calls a name that the failed one did not. Outcome: it passes.
//! - Proof: Fisher's exact test over runs with and without the name that passed or failed with the error, at most one run
//!   of each kind per session. The level is one in a hundred, shared among all names that were looked at. The claim must
//!   also hold in the later third of the sessions.
//! - If names come and go together, the claim says the one that is rarest in other scripts of the repository.
//! - Null: which run of a script ended how, within a repository.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::super::claim::{Claim, Evidence, SupportedClaim};
use super::super::session::action::{Action, What};
use super::super::session::code::runner;
use super::super::session::outcome::Outcome;
use super::super::significance::Counts;
use super::super::significance::stratified_tail;
use super::{FEWEST_TREATED, Proposed, Sessions, Verdict};
use crate::event::{Status, Timestamp};

/// The chance of any accidental match, over everything that was examined.
const CHANCE: f64 = 0.01;

/// A run of a script of the session's own.
struct Run<'a> {
    session: usize,
    at: usize,
    names: BTreeSet<&'a str>,
    /// `None` where it passed.
    error: Option<&'a str>,
    passed: bool,
}

/// A cell of the table: whether the name is called, and whether the run passed; of each session its first run.
type Cells = BTreeMap<(bool, bool), BTreeMap<usize, usize>>;

/// Lines that make scripts pass, and those without proof.
pub(in super::super) fn snippets(sessions: &Sessions<'_>) -> (Vec<Proposed>, Vec<(Proposed, Verdict)>) {
    let mut groups: BTreeMap<(&str, &str), Vec<Run<'_>>> = BTreeMap::new();
    for (session, timeline) in sessions.timelines.iter().enumerate() {
        for (at, step) in timeline.steps.iter().enumerate() {
            let Some((program, run)) = run_of(session, at, step.action) else { continue };
            groups.entry((timeline.project(), program)).or_default().push(run);
        }
    }
    let (mut standing, mut fallen) = (Vec::new(), Vec::new());
    for ((_, program), runs) in groups {
        let errors: BTreeSet<&str> = runs.iter().filter_map(|run| run.error).collect();
        for error in errors {
            let (stands, falls) = of_error(sessions, program, &runs, error);
            standing.extend(stands);
            fallen.extend(falls);
        }
    }
    (standing, fallen)
}

fn run_of<'a>(session: usize, at: usize, action: &'a Action) -> Option<(&'a str, Run<'a>)> {
    let program = match &action.what {
        What::Opaque(token) | What::Unsaid(token) => runner(token.split(' ').next()?),
        What::Command(command) => runner(command.words().first()?.value.as_str()),
        _ => return None,
    };
    let is_known = !action.calls.is_empty() && !action.refused && action.status != Status::Unknown;
    let names = action.calls.iter().map(String::as_str).collect();
    let passed = action.status == Status::Ok;
    let error = action.signature.as_deref().filter(|_| !passed);
    is_known.then_some((program, Run { session, at, names, error, passed }))
}

/// The name after which scripts pass that failed with this error, if there is one.
fn of_error(
    sessions: &Sessions<'_>,
    program: &str,
    runs: &[Run<'_>],
    error: &str,
) -> (Option<Proposed>, Vec<(Proposed, Verdict)>) {
    let failed: BTreeSet<usize> =
        runs.iter().filter(|run| run.error == Some(error)).map(|run| run.session).collect();
    if failed.len() < FEWEST_TREATED as usize {
        return (None, Vec::new());
    }
    let ended: Vec<&Run<'_>> = runs
        .iter()
        .filter(|run| failed.contains(&run.session) && (run.passed || run.error == Some(error)))
        .collect();
    let mut added: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for pair in pairs(&ended) {
        let [before, after] = pair;
        for name in after.names.difference(&before.names) {
            added.entry(name).or_default().insert(after.session);
        }
    }
    added.retain(|_, by| by.len() >= FEWEST_TREATED as usize);
    let tested: Vec<(&str, Cells, f64)> = added
        .keys()
        .map(|name| {
            let cells = cells(&ended, name);
            let p_value = stratified_tail(&[counts(&cells)]);
            (*name, cells, p_value)
        })
        .collect();
    let different = tested.iter().map(|(_, cells, _)| cells).collect::<BTreeSet<_>>().len();
    let elsewhere = |name: &str| {
        let runs = runs.iter().filter(|run| !failed.contains(&run.session) && run.names.contains(name));
        runs.map(|run| run.session).collect::<BTreeSet<_>>().len()
    };
    let best = tested.into_iter().min_by(|(a, _, one), (b, _, other)| {
        let key =
            |name: &str| (elsewhere(name), Reverse(name.contains('.')), Reverse(name.len()), name.to_owned());
        one.total_cmp(other).then_with(|| key(a).cmp(&key(b)))
    });
    let Some((name, cells, p_value)) = best else { return (None, Vec::new()) };
    let stands = p_value <= CHANCE / f64::from(super::number(different)) && holds_later(sessions, &cells);
    let claim =
        Claim::Snippet { program: program.to_owned(), error: error.to_owned(), code: name.to_owned() };
    let proposed = propose(sessions, claim, &cells, p_value);
    if stands { (Some(proposed), Vec::new()) } else { (None, vec![(proposed, Verdict::Chance)]) }
}

/// A failure, and the next pass in the session of what is mostly the same script.
fn pairs<'r, 'a>(ended: &[&'r Run<'a>]) -> Vec<[&'r Run<'a>; 2]> {
    let mut pairs = Vec::new();
    for (at, before) in ended.iter().enumerate().filter(|(_, run)| !run.passed) {
        let later = ended.iter().skip(at + 1).take_while(|run| run.session == before.session);
        pairs.extend(later.into_iter().find(|run| run.passed).map(|after| [*before, *after]));
    }
    pairs.retain(|[before, after]| before.names.intersection(&after.names).count() * 2 >= before.names.len());
    pairs
}

/// The runs of the sessions that met the error, by whether they call the name and how they ended.
fn cells(ended: &[&Run<'_>], name: &str) -> Cells {
    let mut cells = Cells::new();
    for run in ended {
        let cell = cells.entry((run.names.contains(name), run.passed)).or_default();
        cell.entry(run.session).or_insert(run.at);
    }
    cells
}

fn counts(cells: &Cells) -> Counts {
    let of = |cell| super::number(cells.get(&cell).map_or(0, BTreeMap::len));
    Counts {
        treated_with: of((true, true)),
        treated_without: of((true, false)),
        untreated_with: of((false, true)),
        untreated_without: of((false, false)),
    }
}

/// Whether the name helps in the later third of the sessions, too.
fn holds_later(sessions: &Sessions<'_>, cells: &Cells) -> bool {
    let began = |session: &usize| -> Option<Timestamp> {
        sessions.timelines.get(*session).map(|timeline| timeline.work.session.started_at)
    };
    let mut all: Vec<(Option<Timestamp>, usize)> =
        cells.values().flat_map(BTreeMap::keys).map(|session| (began(session), *session)).collect();
    all.sort_unstable();
    all.dedup();
    let late: BTreeSet<usize> =
        all.iter().skip(all.len() - all.len().div_ceil(3)).map(|(_, at)| *at).collect();
    let mut own = cells.clone();
    own.values_mut().for_each(|by| by.retain(|session, _| late.contains(session)));
    let counts = counts(&own);
    counts.treated_with > counts.treated_without && counts.treated_rate() > counts.untreated_rate()
}

fn propose(sessions: &Sessions<'_>, claim: Claim, cells: &Cells, p_value: f64) -> Proposed {
    let evidence = |cell: (bool, bool)| -> Vec<Evidence> {
        let outcome = if cell.1 { Outcome::Accepted } else { Outcome::Rejected };
        let failed = cells.get(&(false, false));
        let mut all: Vec<Evidence> = cells
            .get(&cell)
            .into_iter()
            .flatten()
            .filter_map(|(session, at)| {
                let timeline = sessions.timelines.get(*session)?;
                let before = failed.and_then(|failed| failed.get(session)).filter(|_| cell == (true, true));
                let steps: Vec<usize> = before.into_iter().chain([at]).copied().collect();
                timeline.evidence(sessions.works, &steps, outcome)
            })
            .collect();
        all.sort();
        all
    };
    let mut untreated = evidence((false, true));
    untreated.extend(evidence((false, false)));
    untreated.truncate(6);
    let claim = SupportedClaim {
        claim,
        failures: Vec::new(),
        counts: counts(cells),
        p_value,
        support: evidence((true, true)),
        against: evidence((true, false)),
        place: 0,
        untreated,
    };
    let treated = cells.get(&(true, true)).into_iter().flat_map(BTreeMap::keys).copied().collect();
    Proposed { claim, treated }
}
