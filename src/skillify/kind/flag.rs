//! **Unknown flag**: a program is given a flag that it does not know.
//!
//! - Situation and outcome: a program says that it does not know a flag that it was given. It never accepted the flag in
//!   this repository.
//! - The claim names what works if two sessions, and half of all, finish with it: they run the same program and subcommand
//!   on the same things with another flag, it passes, and they try no other flag. A run with another flag alone proves
//!   nothing: if it shows something else, people go on looking.
//! - A few letters differ between systems; [`SAME`] says what does the same. There, three sessions that ran it are enough.
//!   With fewer, the claim is dropped: everybody knows that such a letter may be unknown.
//! - If what works is known, two sessions are enough.
//! - Proof: binomial against the rate at which flags are not known in the repository.
//! - Null: which uses of flags were refused, within a repository.

use std::collections::{BTreeMap, BTreeSet};

use super::super::claim::{Claim, SupportedClaim};
use super::super::evidence::segment_ref::SegmentRef;
use super::super::evidence::segment_ref::session_of;
use super::super::session::event_ids::EventIds;
use super::super::session::option::{flag_of, has_letter, name_of};
use super::super::session::outcome::Outcome;
use super::super::session::search_result::Found;
use super::super::significance::Counts;
use super::super::significance::{PRIOR_RATE, binomial_tail, shrunk};
use super::super::template::Template;
use super::{FALSE_DISCOVERIES, FEWEST_TREATED, Proposed, Sessions, Shuffle, Verdict, judged, number};
use crate::event::Status;
use crate::shell::command::{Command, program_name};

/// How many sessions are enough if the right flag is known.
const SLIPS: u32 = 2;

/// Letters that not every system's program knows, and the flag that does the same on all: its letters in any order. BSD and
/// GNU manuals of `cat` and `sed`.
const SAME: &[(&str, &str, &str)] = &[("cat", "-A", "-vet"), ("sed", "-r", "-E")];

/// A flag that a command was given.
struct Use<'a> {
    session: usize,
    work: &'a SegmentRef<'a>,
    command: String,
    flag: String,
    /// The events of the call in which the program rejects the flag; `None` if the program accepted it.
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
            shuffle.deal(&mut uses, |used| &mut used.unknown);
        }
        let (slips, proposed): (Vec<_>, Vec<_>) = of_project(sessions, &uses).into_iter().partition(is_slip);
        let (stand, fall) = judged(proposed, 0);
        standing.extend(stand);
        standing.extend(slips);
        fallen.extend(fall);
    }
    (standing, fallen)
}

/// Whether two sessions were told so, and both came to an end with the same other flag: the program's own word and what
/// works are enough.
fn is_slip(proposed: &Proposed) -> bool {
    let claim = &proposed.claim;
    let is_replaced = matches!(&claim.claim, Claim::NoFlag { instead: Some(_), .. });
    is_replaced && claim.counts.treated_with == SLIPS && claim.p_value <= FALSE_DISCOVERIES
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
        let Some(session) = places.get(&session_of(work)).copied() else { continue };
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
    let same = same(command, flag, by);
    let mut support = Vec::new();
    for used in by.values() {
        let mut events = used.unknown.map(EventIds::to_vec).unwrap_or_default();
        events.extend(
            same.iter().flat_map(|(_, flag)| took(used, command, flag)).take(1).flat_map(EventIds::to_vec),
        );
        support.push(used.work.evidence_of(events, Outcome::Accepted));
    }
    support.sort();
    let instead = instead(sessions, command, by).or_else(|| same.map(|(instead, _)| instead));
    let differs = SAME.iter().any(|(program, own, _)| *program == command && *own == flag);
    if differs && instead.is_none() {
        return None;
    }
    let counts = Counts { treated_with: number(by.len()), ..Counts::default() };
    let claim = SupportedClaim {
        claim: Claim::NoFlag { run, instead },
        failures: Vec::new(),
        counts,
        p_value: binomial_tail(counts.treated_with, counts.treated(), rate),
        support,
        against: Vec::new(),
        place: 0,
        untreated: Vec::new(),
    };
    Some(Proposed { claim, treated: by.keys().copied().collect() })
}

/// The flag that does the same on every system, if three of the sessions ran the program with it: as [`SAME`] writes it, and
/// as they did.
fn same(command: &str, flag: &str, by: &BTreeMap<usize, &Use<'_>>) -> Option<(Template, &'static str)> {
    let (.., same) = SAME.iter().find(|(program, own, _)| *program == command && *own == flag)?;
    let took = by.values().filter(|used| took(used, command, same).is_some()).count();
    let told = Template::parse(&format!("{command} {same}"));
    told.filter(|_| took >= FEWEST_TREATED as usize).map(|told| (told, *same))
}

/// The call after the failure in which the program took the flag.
fn took<'a>(used: &Use<'a>, command: &str, flag: &str) -> Option<&'a EventIds> {
    let letters = |flag: &str| flag.trim_start_matches('-').chars().collect::<BTreeSet<char>>();
    let mut looks = used.work.segment.looks.iter().skip_while(|look| Some(&look.events) != used.unknown);
    looks.find_map(|look| match &look.found {
        Found::Takes { command: own, flag: taken } if own == command && letters(taken) == letters(flag) => {
            Some(&look.events)
        }
        _ => None,
    })
}

/// What the sessions came to an end with, of the same program and subcommand: a looking program is told with its flags
/// alone, any other as it ran.
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
    if !is_usual {
        return None;
    }
    let commands: Vec<&Command> = runs.iter().copied().flatten().collect();
    if commands.len() == runs.len() {
        return Template::of(&commands);
    }
    Template::parse(&format!("{command} {}", flags.join(" ")))
}

/// The flags that a looking program took after the failure, if it took no others later in the same piece of work and no
/// other program was asked for the flag.
fn looked<'a>(used: &Use<'a>, command: &str) -> Option<Vec<&'a str>> {
    let looks = used.work.segment.looks.iter();
    let mut calls: Vec<(&EventIds, Vec<&str>)> = Vec::new();
    for look in looks.skip_while(|look| Some(&look.events) != used.unknown) {
        let Found::Takes { command: own, flag } = &look.found else { continue };
        if own != command {
            if *flag == used.flag {
                return None;
            }
            continue;
        }
        match calls.last_mut().filter(|(events, _)| **events == look.events) {
            Some((_, flags)) => flags.push(flag),
            None => calls.push((&look.events, vec![flag])),
        }
    }
    calls.iter_mut().for_each(|(_, flags)| flags.sort_unstable());
    let ((_, first), later) = calls.split_first()?;
    let is_the_end = later.iter().all(|(_, flags)| flags == first);
    // A letter that was taken may show something else: that it passed says little of a program that only looks.
    (is_the_end && first.iter().all(|flag| flag.starts_with("--"))).then(|| first.clone())
}

/// The run that passed after the failure with another flag on the same things, if in the same turn the command ran with
/// no others later and no other command with the flag; with its flags.
fn ran<'a>(
    sessions: &Sessions<'a>,
    used: &Use<'a>,
    command: &str,
) -> Option<(Vec<&'a str>, Option<&'a Command>)> {
    let timeline = sessions.timelines.get(used.session)?;
    let at = timeline.steps.iter().position(|step| Some(&step.action.events) == used.unknown)?;
    let failed = timeline.steps.get(at)?;
    let later = timeline.steps.iter().skip(at + 1).take_while(|step| step.turn == failed.turn);
    let runs = later.filter_map(|step| Some((step.action.command()?, step.action.status)));
    let (own, others): (Vec<_>, Vec<_>) = runs.partition(|(other, _)| other.token() == command);
    let (next, status) = own.first()?;
    let (flags, things) = flags_and_things(next);
    let (known, same) = flags_and_things(failed.action.command()?);
    let is_another = things == same && flags.iter().any(|flag| !known.contains(flag));
    let is_the_end = own.iter().all(|(other, _)| flags_and_things(other).0 == flags);
    let asks = |other: &Command| {
        other.main_words().into_iter().any(|word| flag_of(word).as_ref() == Some(&used.flag))
    };
    let is_asked_elsewhere = others.iter().any(|(other, _)| asks(other));
    let works = *status == Status::Ok && next.is_literal() && is_another && is_the_end && !is_asked_elsewhere;
    works.then_some((flags, Some(*next)))
}

/// The flags of a command, in order of the alphabet, and its other words.
fn flags_and_things(command: &Command) -> (Vec<&str>, Vec<&str>) {
    let (mut flags, things): (Vec<&str>, Vec<&str>) =
        command.main_words().into_iter().partition(|word| flag_of(word).is_some());
    flags.sort_unstable();
    (flags, things)
}
