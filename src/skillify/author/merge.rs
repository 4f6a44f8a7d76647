//! Observations of many sessions become few, in any order.
//!
//! Those with one predicate are one. So are those that differ only in the texts that they look for and share one of them:
//! what people say, they say in several ways.

use std::collections::{BTreeMap, BTreeSet};

use super::super::predicate::Predicate;
use super::Observation;

/// Observations that say the same.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Merged {
    pub(super) when: Predicate,
    /// The kind that most of them name.
    pub(super) kind: String,
    /// Their sentences, the shortest first.
    pub(super) says: Vec<String>,
    /// In how many sessions something was quoted.
    pub(super) quoted: BTreeSet<String>,
}

/// So many sentences of one are kept.
const MOST_SENTENCES: usize = 6;

/// The observations without their order.
pub(super) fn merged(observations: &[Observation]) -> Vec<Merged> {
    let mut by_predicate: BTreeMap<&Predicate, Vec<&Observation>> = BTreeMap::new();
    for observation in observations {
        by_predicate.entry(&observation.when).or_default().push(observation);
    }
    // Of one shape, those that share a text; a group grows until none shares any with it.
    let mut groups: Vec<(Predicate, Vec<&Observation>)> = Vec::new();
    let mut shapes: BTreeMap<Predicate, Vec<(&Predicate, Vec<&Observation>)>> = BTreeMap::new();
    for (predicate, of_it) in by_predicate {
        shapes.entry(predicate.without_texts()).or_default().push((predicate, of_it));
    }
    for (_, mut left) in shapes {
        while !left.is_empty() {
            let (first, mut members) = left.remove(0);
            let mut whole = first.clone();
            while let Some(at) = left.iter().position(|(other, _)| whole.shares_a_text(other)) {
                let (other, more) = left.remove(at);
                let Some(joined) = whole.joined(other) else { break };
                whole = joined;
                members.extend(more);
            }
            groups.push((whole, members));
        }
    }
    let mut merged: Vec<Merged> = groups.into_iter().map(|(when, members)| one(when, &members)).collect();
    merged.sort_by(|a, b| a.when.cmp(&b.when));
    merged
}

fn one(when: Predicate, members: &[&Observation]) -> Merged {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for member in members {
        *kinds.entry(&member.kind).or_default() += 1;
    }
    let kind = kinds.into_iter().max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(a.0)));
    let says: BTreeSet<(usize, &str)> =
        members.iter().map(|member| (member.says.chars().count(), member.says.as_str())).collect();
    let quoted =
        members.iter().flat_map(|member| &member.quotes).flat_map(|(events, _)| events.iter().take(1));
    Merged {
        when,
        kind: kind.map(|(kind, _)| kind.to_owned()).unwrap_or_default(),
        says: says.into_iter().take(MOST_SENTENCES).map(|(_, says)| says.to_owned()).collect(),
        quoted: quoted.cloned().collect(),
    }
}
