//! Splitting: a cluster whose members differ in one argument throughout is several works.
//!
//! Two services that are deployed alike share nearly every command, so they are clustered together. So are deployments of
//! one service to staging and to production. The cluster is split if an argument separates its members in the same way in
//! several commands, or in one command and in what people asked for, and each value recurs often enough. More than two
//! values split it too, if a parameter would say less. An argument with another value nearly every time stays a parameter.

use std::collections::{BTreeMap, BTreeSet};

use super::super::evidence::terms::Term;
use super::super::significance::distinct;
use super::steps::{Member, is_nearly_all};
use crate::event::Status;
use crate::shell::command::Command;
use crate::shell::flag::{flag_key, is_flag};

/// How many sessions each value has on average where the values are works of their own, and how many
/// each has at least: fewer may be a parameter that took the same value twice.
const SESSIONS_A_VALUE: usize = 3;
const FEWEST_SESSIONS: usize = 2;

/// Where a word stands in a command: its place among the words that are no flags, or its flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Slot<'a> {
    Place(usize),
    Flag(&'a str),
}

/// How an argument of commands that do one thing sets the members apart.
struct Partition {
    /// The number of what they do.
    deed: usize,
    /// Of each member the number of its value, in the order of the oldest members.
    groups: Vec<Option<usize>>,
    /// How many values there are.
    values: usize,
}

/// The members by the work that they did. `are_works` tells of members and their parts whether the parts
/// are works of their own.
pub(in crate::skillify) fn by_argument<'m, 'a>(
    members: Vec<Member<'m, 'a>>,
    are_works: impl Fn(&[Member<'m, 'a>], &[Vec<Member<'m, 'a>>]) -> bool,
) -> Vec<Vec<Member<'m, 'a>>> {
    let mut whole = Vec::new();
    let mut open = vec![members];
    while let Some(members) = open.pop() {
        match split(&members).filter(|(parts, _)| are_works(&members, parts)) {
            // Those that the argument says nothing of may be a work as well.
            Some((parts, rest)) => {
                open.extend([rest].into_iter().filter(|rest| rest.len() > 1));
                open.extend(parts.into_iter().rev());
            }
            None => whole.push(members),
        }
    }
    whole
}

/// Members by the value of an argument, and those without one.
type Parts<'m, 'a> = (Vec<Vec<Member<'m, 'a>>>, Vec<Member<'m, 'a>>);

/// The members by the value of the argument that sets them apart in most commands; `None` if there is no
/// such argument.
fn split<'m, 'a>(members: &[Member<'m, 'a>]) -> Option<Parts<'m, 'a>> {
    if members.len() < 2 * SESSIONS_A_VALUE {
        return None;
    }
    let partitions = partitions(members);
    let mut best: Option<(usize, &Partition, Vec<Option<usize>>)> = None;
    for partition in &partitions {
        let mut groups = partition.groups.clone();
        let mut deeds = BTreeSet::new();
        for other in partitions.iter().filter(|other| other.deed != partition.deed) {
            let Some(same) = partition.agrees(other) else { continue };
            deeds.insert(other.deed);
            for (group, value) in groups.iter_mut().zip(&other.groups) {
                *group = group.or_else(|| value.and_then(|value| same.get(&value).copied()));
            }
        }
        let agreeing = deeds.len() + usize::from(partition.is_asked_for(members));
        if agreeing > 0 && best.as_ref().is_none_or(|(most, ..)| agreeing > *most) {
            best = Some((agreeing, partition, groups));
        }
    }
    let (_, partition, groups) = best?;
    let mut parts = vec![Vec::new(); partition.values];
    let mut rest = Vec::new();
    for (member, group) in members.iter().zip(groups) {
        group.and_then(|group| parts.get_mut(group)).unwrap_or(&mut rest).push(*member);
    }
    Some((parts, rest))
}

/// A command that a member ran: its token, what was run in which words, and the member's place.
type Run<'a> = (Term, u32, usize, &'a Command);

/// The values of one argument, each with its member.
type Values<'a> = Vec<(usize, &'a str)>;

/// Every argument that sets the members apart, in the order of the commands.
fn partitions(members: &[Member<'_, '_>]) -> Vec<Partition> {
    let mut runs: Vec<Run<'_>> = Vec::new();
    for (at, (work, terms)) in members.iter().enumerate() {
        for ((_, action), terms) in work.segment.actions().zip(&terms.actions) {
            let ran = action.command().filter(|_| action.status == Status::Ok);
            runs.extend(ran.zip(terms.token).map(|(command, token)| (token, terms.deed, at, command)));
        }
    }
    runs.sort_unstable_by_key(|(token, deed, at, _)| (*token, *deed, *at));
    runs.dedup_by_key(|(token, deed, at, _)| (*token, *deed, *at));
    // By token, and without the last word of it: a script's first argument looks like a subcommand.
    let mut stems: BTreeMap<Vec<&str>, Values<'_>> = BTreeMap::new();
    let mut arguments: Vec<Vec<Values<'_>>> = Vec::new();
    for runs in runs.chunk_by(|(token, ..), (next, ..)| token == next) {
        arguments.push(values(runs));
        let mut verb = runs.first().map(|(.., command)| command.verb()).unwrap_or_default();
        if let Some(last) = verb.pop().filter(|_| !verb.is_empty()) {
            stems.entry(verb).or_default().extend(runs.iter().map(|(_, _, at, _)| (*at, last)));
        }
    }
    arguments.extend(stems.into_values().map(|values| vec![values]));
    let numbered = arguments.iter().enumerate();
    numbered
        .flat_map(|(deed, arguments)| arguments.iter().map(move |values| (deed, values)))
        .filter_map(|(deed, values)| Partition::of(deed, values, members))
        .collect()
}

/// The values of each argument of the runs of one token; none where all are alike.
fn values<'a>(runs: &[Run<'a>]) -> Vec<Values<'a>> {
    if runs.first().map(|(_, deed, ..)| deed) == runs.last().map(|(_, deed, ..)| deed) {
        return Vec::new();
    }
    let mut slots: BTreeMap<Slot<'_>, Values<'_>> = BTreeMap::new();
    for same in runs.chunk_by(|(_, deed, ..), (_, next, ..)| deed == next) {
        let Some((.., command)) = same.first() else { continue };
        for (slot, value) in arguments(command) {
            slots.entry(slot).or_default().extend(same.iter().map(|(_, _, at, _)| (*at, value)));
        }
    }
    slots.into_values().collect()
}

/// The words of a command with where they stand.
fn arguments(command: &Command) -> impl Iterator<Item = (Slot<'_>, &str)> {
    let mut place = 0;
    command.words().iter().filter_map(move |word| {
        let word = word.value.as_str();
        if !is_flag(word) {
            place += 1;
            return Some((Slot::Place(place), word));
        }
        let key = flag_key(word);
        word.strip_prefix(key).filter(|value| !value.is_empty()).map(|value| (Slot::Flag(key), value))
    })
}

impl Partition {
    /// The partition by the values of one slot, each with its member; `None` where they are no few
    /// values that come back.
    fn of(deed: usize, values: &[(usize, &str)], members: &[Member<'_, '_>]) -> Option<Self> {
        // A member that did it with several values has none of them.
        let mut own: BTreeMap<usize, Option<&str>> = BTreeMap::new();
        for (at, value) in values {
            let known = own.entry(*at).or_insert(Some(*value));
            *known = known.filter(|known| known == value);
        }
        let session = |at: usize| members.get(at).map(|(_, terms)| terms.session);
        let mut by_value: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, value) in own.iter().filter_map(|(at, value)| Some((*at, (*value)?))) {
            by_value.entry(value).or_default().push(at);
        }
        let sessions = |places: &[usize]| distinct(places.iter().map(|at| session(*at)));
        by_value.retain(|_, places| sessions(places) >= FEWEST_SESSIONS);
        let mut groups_of: Vec<Vec<usize>> = by_value.into_values().collect();
        groups_of.sort_unstable();
        let all = groups_of.concat();
        let is_few = groups_of.len() >= 2 && sessions(&all) >= SESSIONS_A_VALUE * groups_of.len();
        if !is_few || !is_nearly_all(all.len(), own.len()) || all.len() * 2 < members.len() {
            return None;
        }
        let mut groups = vec![None; members.len()];
        for (number, places) in groups_of.iter().enumerate() {
            for at in places {
                *groups.get_mut(*at)? = Some(number);
            }
        }
        Some(Self { deed, groups, values: groups_of.len() })
    }

    /// The value here for each value of another argument, if the two set the members apart in one way.
    fn agrees(&self, other: &Self) -> Option<BTreeMap<usize, usize>> {
        let pairs = || self.groups.iter().zip(&other.groups).filter_map(|(own, theirs)| own.zip(*theirs));
        let same: BTreeMap<usize, usize> = pairs().map(|(own, theirs)| (theirs, own)).collect();
        let is_one_way = pairs().all(|(own, theirs)| same.get(&theirs) == Some(&own))
            && distinct(same.values()) == same.len()
            && same.len() >= 2;
        let fewer = self.members().min(other.members());
        (is_one_way && is_nearly_all(pairs().count(), fewer)).then_some(same)
    }

    /// How many members have a value.
    fn members(&self) -> usize {
        self.groups.iter().flatten().count()
    }

    /// Whether the prompts of each value but one have a word that those of no other value have.
    fn is_asked_for(&self, members: &[Member<'_, '_>]) -> bool {
        let mut shown: BTreeMap<Term, Vec<usize>> = BTreeMap::new();
        let mut sizes = vec![0_usize; self.values];
        for ((_, terms), group) in members.iter().zip(&self.groups) {
            let Some(group) = group else { continue };
            sizes.iter_mut().skip(*group).take(1).for_each(|size| *size += 1);
            for word in &terms.words {
                let by_group = shown.entry(*word).or_insert_with(|| vec![0; self.values]);
                by_group.iter_mut().skip(*group).take(1).for_each(|shown| *shown += 1);
            }
        }
        let own = |group: usize| {
            shown.values().any(|by_group| {
                by_group.iter().enumerate().all(|(at, shown)| {
                    let size = sizes.get(at).copied().unwrap_or_default();
                    if at == group { is_nearly_all(*shown, size) } else { *shown == 0 }
                })
            })
        };
        (0..self.values).filter(|group| own(*group)).count() + 1 >= self.values
    }
}
