//! Clusters: segments that do the same work.
//!
//! Each token weighs its inverse document frequency over the workspace, so that what everybody does
//! decides little. Segments are compared only with clusters that share a token (inverted index), in
//! the order of their time; clusters that grew alike are merged in a second pass.

use std::collections::{BTreeMap, BTreeSet};

use super::action::Action;
use super::segment::Segment;

/// How alike a segment must be to a cluster, and two clusters to each other, from 0 to 1.
const ALIKE: f64 = 0.4;
/// What the words of prompts add to the similarity of what was done.
const WORDS_SHARE: f64 = 0.15;

/// The profile of a segment: what was done and what was asked for.
struct Profile {
    actions: BTreeSet<String>,
    words: BTreeSet<String>,
}

/// A growing cluster: how many members have each token.
#[derive(Default)]
struct Cluster {
    members: Vec<usize>,
    actions: BTreeMap<String, f64>,
    words: BTreeMap<String, f64>,
}

/// The indices of the segments by cluster, in fixed order. A segment without a telling action is in
/// none.
pub(super) fn clusters(segments: &[&Segment<'_>]) -> Vec<Vec<usize>> {
    let profiles: Vec<Profile> = segments.iter().map(|segment| Profile::of(segment)).collect();
    let weights = Weights::of(&profiles);
    let mut clusters: Vec<Cluster> = Vec::new();
    let mut index: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for (member, profile) in profiles.iter().enumerate() {
        if profile.actions.is_empty() {
            continue;
        }
        let single = Cluster::single(member, profile);
        let near: BTreeSet<usize> =
            profile.actions.iter().filter_map(|token| index.get(token)).flatten().copied().collect();
        let home = best(&single, near.into_iter().filter_map(|at| Some((at, clusters.get(at)?))), &weights);
        let at = home.unwrap_or(clusters.len());
        match clusters.get_mut(at) {
            Some(cluster) => cluster.absorb(single),
            None => clusters.push(single),
        }
        for token in &profile.actions {
            index.entry(token.clone()).or_default().insert(at);
        }
    }
    merged(clusters, &weights).into_iter().map(|cluster| cluster.members).collect()
}

/// The second merge: each cluster joins the most alike one before it.
fn merged(clusters: Vec<Cluster>, weights: &Weights) -> Vec<Cluster> {
    let mut kept: Vec<Cluster> = Vec::new();
    for cluster in clusters {
        let home = best(&cluster, kept.iter().enumerate(), weights);
        match home.and_then(|at| kept.get_mut(at)) {
            Some(home) => home.absorb(cluster),
            None => kept.push(cluster),
        }
    }
    for cluster in &mut kept {
        cluster.members.sort_unstable();
    }
    kept
}

/// The most alike of the clusters that are alike enough; the first of equals.
fn best<'a>(
    cluster: &Cluster,
    others: impl Iterator<Item = (usize, &'a Cluster)>,
    weights: &Weights,
) -> Option<usize> {
    let mut best = None;
    let mut best_similarity = ALIKE;
    for (at, other) in others {
        let similarity = weights.similarity(cluster, other);
        if similarity > best_similarity {
            best = Some(at);
            best_similarity = similarity;
        }
    }
    best
}

impl Profile {
    fn of(segment: &Segment<'_>) -> Self {
        let actions = segment.actions().filter(|(_, action)| !action.refused);
        Self {
            actions: actions.filter_map(|(_, action)| Action::token(action)).collect(),
            words: segment.words().into_iter().collect(),
        }
    }
}

impl Cluster {
    fn single(member: usize, profile: &Profile) -> Self {
        let counted = |tokens: &BTreeSet<String>| tokens.iter().map(|token| (token.clone(), 1.0)).collect();
        Self { members: vec![member], actions: counted(&profile.actions), words: counted(&profile.words) }
    }

    fn absorb(&mut self, other: Self) {
        self.members.extend(other.members);
        for (token, count) in other.actions {
            *self.actions.entry(token).or_default() += count;
        }
        for (word, count) in other.words {
            *self.words.entry(word).or_default() += count;
        }
    }
}

/// Inverse document frequencies.
struct Weights {
    total: f64,
    frequencies: BTreeMap<String, f64>,
}

impl Weights {
    fn of(profiles: &[Profile]) -> Self {
        let mut frequencies: BTreeMap<String, f64> = BTreeMap::new();
        for token in profiles.iter().flat_map(|profile| profile.actions.iter().chain(&profile.words)) {
            *frequencies.entry(token.clone()).or_default() += 1.0;
        }
        let total = profiles.iter().map(|_| 1.0).sum();
        Self { total, frequencies }
    }

    fn weight(&self, token: &str) -> f64 {
        self.frequencies.get(token).map_or(0.0, |frequency| (1.0 + self.total / frequency).ln())
    }

    fn similarity(&self, a: &Cluster, b: &Cluster) -> f64 {
        let actions = self.overlap(&a.actions, size(a), &b.actions, size(b));
        let words = self.overlap(&a.words, size(a), &b.words, size(b));
        (1.0 - WORDS_SHARE) * actions + WORDS_SHARE * words
    }

    /// Weighted Jaccard over the shares of members that have each token.
    fn overlap(&self, a: &BTreeMap<String, f64>, a_size: f64, b: &BTreeMap<String, f64>, b_size: f64) -> f64 {
        let tokens: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
        let (mut shared, mut all) = (0.0, 0.0);
        for token in tokens {
            let in_a = a.get(token).copied().unwrap_or_default() / a_size;
            let in_b = b.get(token).copied().unwrap_or_default() / b_size;
            shared += self.weight(token) * in_a.min(in_b);
            all += self.weight(token) * in_a.max(in_b);
        }
        if all > 0.0 { shared / all } else { 0.0 }
    }
}

fn size(cluster: &Cluster) -> f64 {
    cluster.members.iter().map(|_| 1.0).sum()
}
