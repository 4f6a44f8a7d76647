//! **Unknown flag**: a program is given a flag that it does not know.
//!
//! - Situation and outcome: a program says that it does not know a flag that it was given. It never took it in this
//!   repository.
//! - What works is said if two sessions, and half of all, run the same program and subcommand next with other flags
//!   that they share, and it passes.
//! - Proof: binomial against the rate at which flags are not known in the repository.
//! - Null: which uses of flags were refused, within a repository.

use std::collections::{BTreeMap, BTreeSet};

use super::super::claim::{Claim, SupportedClaim};
use super::super::event_ids::EventIds;
use super::super::evidence::Counts;
use super::super::evidence::significance::{PRIOR_RATE, binomial_tail, shrunk};
use super::super::look::Found;
use super::super::option::{flag_of, has_letter, name_of};
use super::super::outcome::Outcome;
use super::super::template::Template;
use super::super::verify::Work;
use super::{FEWEST_TREATED, Proposed, Sessions, Shuffle, Verdict, judged};
use crate::event::Status;
use crate::shell::command::{Command, program_name};

/// A flag that a command was given.
struct Use<'a> {
    session: usize,
    work: &'a Work<'a>,
    command: String,
    flag: String,
    /// The events of the call that says that it does not know it; `None` where it was taken.
    unknown: Option<&'a EventIds>,
}

/// The flags that programs do not know here.
pub(in super::super) fn flags(
    sessions: &Sessions<'_>,
    mut shuffle: Option<&mut Shuffle>,
) -> (Vec<Proposed>, Vec<(Proposed, Verdict)>) {
    let (mut standing, mut fallen) = (Vec::new(), Vec::new());
    for (_, mut uses) in by_project(sessions) {
        if uses.iter().all(|used| used.unknown.is_none()) {
            continue;
        }
        if let Some(shuffle) = shuffle.as_deref_mut() {
            let mut unknown: Vec<_> = uses.iter().map(|used| used.unknown).collect();
            shuffle.permute(&mut unknown);
            uses.iter_mut().zip(unknown).for_each(|(used, unknown)| used.unknown = unknown);
        }
        let (stand, fall) = judged(of_project(sessions, &uses), 0);
        standing.extend(stand);
        fallen.extend(fall);
    }
    (standing, fallen)
}

/// The flags that sessions used, by repository: what looking programs took is kept as looks, the rest as actions.
fn by_project<'a>(sessions: &Sessions<'a>) -> BTreeMap<&'a str, Vec<Use<'a>>> {
    let mut projects: BTreeMap<&str, Vec<Use<'_>>> = BTreeMap::new();
    for (session, timeline) in sessions.timelines.iter().enumerate() {
        let uses = projects.entry(timeline.project()).or_default();
        for step in timeline.steps.iter().filter(|step| step.action.status == Status::Ok) {
            let (Some(command), Some(work)) = (step.action.command(), sessions.works.get(step.work)) else {
                continue;
            };
            let words = command.main_words();
            let name = name_of(command, words.first().map_or("", |word| program_name(word)));
            for flag in words.iter().skip(1).filter_map(|word| flag_of(word)) {
                uses.push(Use { session, work, command: name.clone(), flag, unknown: None });
            }
        }
    }
    let places = sessions.places();
    for work in sessions.works {
        let key = (work.session.tenant.as_str(), work.session.session.as_str());
        let Some(session) = places.get(&key).copied() else { continue };
        let uses = projects.entry(&work.session.project).or_default();
        for look in &work.segment.looks {
            let (command, flag, unknown) = match &look.found {
                Found::Unknown { command, flag } => (command, flag, Some(&look.events)),
                Found::Takes { command, flag } => (command, flag, None),
                _ => continue,
            };
            uses.push(Use { session, work, command: command.clone(), flag: flag.clone(), unknown });
        }
    }
    projects
}

fn of_project(sessions: &Sessions<'_>, uses: &[Use<'_>]) -> Vec<Proposed> {
    let mut unknown: BTreeMap<(&str, &str), BTreeMap<usize, &Use<'_>>> = BTreeMap::new();
    let mut taken: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for used in uses {
        if used.unknown.is_some() {
            unknown.entry((&used.command, &used.flag)).or_default().entry(used.session).or_insert(used);
        } else {
            taken.entry(&used.command).or_default().insert(&used.flag);
        }
    }
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let refused = uses.iter().filter(|used| used.unknown.is_some()).count();
    let rate = shrunk((number(refused), number(uses.len())), PRIOR_RATE);
    let is_taken = |command: &str, flag: &str| {
        let letter = flag.strip_prefix('-').filter(|letter| letter.chars().count() == 1);
        taken.get(command).is_some_and(|flags| {
            flags.contains(flag)
                || letter.is_some_and(|letter| flags.iter().any(|own| has_letter(own, letter)))
        })
    };
    let of = |((command, flag), by): (&(&str, &str), &BTreeMap<usize, &Use<'_>>)| {
        propose(sessions, (command, flag), by, rate)
    };
    unknown.iter().filter(|((command, flag), _)| !is_taken(command, flag)).filter_map(of).collect()
}

fn propose(
    sessions: &Sessions<'_>,
    (command, flag): (&str, &str),
    by: &BTreeMap<usize, &Use<'_>>,
    rate: f64,
) -> Option<Proposed> {
    let run = Template::parse(&format!("{command} {flag}"))?;
    let mut support = Vec::new();
    for used in by.values() {
        let events = used.unknown.map(EventIds::to_vec).unwrap_or_default();
        support.push(used.work.evidence_of(events, Outcome::Accepted));
    }
    support.sort();
    let counts = Counts { treated_with: u32::try_from(by.len()).unwrap_or(u32::MAX), ..Counts::default() };
    let claim = SupportedClaim {
        claim: Claim::NoFlag { run, instead: instead(sessions, command, by) },
        failures: Vec::new(),
        counts,
        chance: binomial_tail(counts.treated_with, counts.treated(), rate),
        support,
        against: Vec::new(),
        place: 0,
        untreated: Vec::new(),
    };
    Some(Proposed { claim, treated: by.keys().copied().collect() })
}

/// What the sessions ran next with the same program and subcommand, and passed: a looking program is told with its
/// flags alone, any other as it ran.
fn instead(sessions: &Sessions<'_>, command: &str, by: &BTreeMap<usize, &Use<'_>>) -> Option<Template> {
    let mut worked: BTreeMap<Vec<&str>, Vec<Option<&Command>>> = BTreeMap::new();
    for used in by.values() {
        let next = looked(used, command).map(|flags| (flags, None));
        if let Some((flags, ran)) = next.or_else(|| ran(sessions, used, command)) {
            worked.entry(flags).or_default().push(ran);
        }
    }
    let (flags, runs) = worked.into_iter().max_by_key(|(_, runs)| runs.len())?;
    let is_usual = runs.len() + 1 >= FEWEST_TREATED as usize && runs.len() * 2 >= by.len();
    if !is_usual || flags.is_empty() {
        return None;
    }
    let commands: Vec<&Command> = runs.iter().copied().flatten().collect();
    if commands.len() == runs.len() {
        return Template::of(&commands);
    }
    Template::parse(&format!("{command} {}", flags.join(" ")))
}

/// The flags that a looking program took next in the same piece of work.
fn looked<'a>(used: &Use<'a>, command: &str) -> Option<Vec<&'a str>> {
    let looks = used.work.segment.looks.iter();
    let mut later =
        looks.skip_while(|look| Some(&look.events) != used.unknown).filter_map(|look| match &look.found {
            Found::Takes { command: own, flag } if own == command => Some((&look.events, flag.as_str())),
            _ => None,
        });
    let (call, first) = later.next()?;
    let mut flags: Vec<&str> =
        later.take_while(|(events, _)| *events == call).map(|(_, flag)| flag).collect();
    flags.push(first);
    flags.sort_unstable();
    // A letter that was taken may show something else: that it passed says little of a program that only looks.
    flags.iter().all(|flag| flag.starts_with("--")).then_some(flags)
}

/// The next run of the same program and subcommand that passed, with its flags.
fn ran<'a>(
    sessions: &Sessions<'a>,
    used: &Use<'a>,
    command: &str,
) -> Option<(Vec<&'a str>, Option<&'a Command>)> {
    let timeline = sessions.timelines.get(used.session)?;
    let failed = timeline.steps.iter().position(|step| Some(&step.action.events) == used.unknown)?;
    let mut later = timeline.steps.iter().skip(failed + 1);
    let next = later.find_map(|step| {
        let other = step.action.command()?;
        let is_it = step.action.status == Status::Ok && other.is_literal() && other.token() == command;
        is_it.then_some(other)
    })?;
    let mut flags: Vec<&str> = next.main_words().into_iter().filter(|word| flag_of(word).is_some()).collect();
    flags.sort_unstable();
    Some((flags, Some(next)))
}
