//! Observations of many sessions become few, in any order.
//!
//! Those with one predicate are one. So are those that differ only in the texts that they look for and share one of them:
//! what people say, they say in several ways. What they are to mean has to have two words in common as well: a text that two
//! wishes share makes them no one wish.

use std::collections::{BTreeMap, BTreeSet};

use super::super::predicate::Predicate;
use super::Observation;
use super::stems::stems;

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

/// Sentences that share so many words mean the same wish.
const ALIKE: usize = 2;
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
            // What would make too many texts stays by itself.
            let joins =
                |whole: &Predicate, known: &[&Observation], other: &Predicate, of_it: &[&Observation]| {
                    let is_alike = whole.said().is_empty() || mean_alike(known, of_it);
                    whole.joined(other).filter(|_| is_alike && whole.shares_a_text(other))
                };
            while let Some((at, joined)) = left
                .iter()
                .enumerate()
                .find_map(|(at, (other, of_it))| Some((at, joins(&whole, &members, other, of_it)?)))
            {
                members.extend(left.remove(at).1);
                whole = joined;
            }
            groups.push((whole, members));
        }
    }
    let mut merged: Vec<Merged> = groups.into_iter().map(|(when, members)| one(when, &members)).collect();
    merged.sort_by(|a, b| a.when.cmp(&b.when));
    merged
}

/// Whether sentences of both have two words that say something in common.
fn mean_alike(one: &[&Observation], other: &[&Observation]) -> bool {
    let words = |of: &&Observation| -> BTreeSet<String> { stems(&of.says).collect() };
    let theirs: Vec<BTreeSet<String>> = other.iter().map(words).collect();
    let is_alike = |own: &BTreeSet<String>, theirs: &BTreeSet<String>| {
        own == theirs || own.intersection(theirs).count() >= ALIKE
    };
    one.iter().map(words).any(|own| theirs.iter().any(|theirs| is_alike(&own, theirs)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_observation_is_lost_where_too_many_texts_would_come_together() {
        let observed = |texts: std::ops::Range<usize>| {
            let texts: Vec<String> = texts.map(|at| format!("\"text {at}\"")).collect();
            Observation {
                when: Predicate::parse(&format!("with prompt prompt saying {}", texts.join(" or "))).unwrap(),
                kind: "style".into(),
                says: "Reuse what is there.".into(),
                quotes: vec![(vec![texts.len().to_string()], "text".into())],
            }
        };
        let all = [observed(0..12), observed(11..23), observed(22..34), observed(0..2)];
        let merged = merged(&all);
        let said: BTreeSet<&str> = merged.iter().flat_map(|one| one.when.said()).collect();
        assert_eq!(said.len(), 34, "{merged:#?}");
        assert_eq!(merged.len(), 3);
    }
}
