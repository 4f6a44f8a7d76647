//! Clusters: segments that do the same work.
//!
//! Each token weighs its inverse document frequency over the workspace, so that what everybody does
//! decides little; what only one segment has decides nothing. Pairs that share a rare token are
//! joined, the most alike first, as long as the clusters they stand in are alike as a whole: of a
//! cluster only what its members have in common counts, so that noise does not add up.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::Idea;
use super::meaning::{Meaning, meanings};
use super::terms::{Term, Terms, WorkTerms};
use super::vectors::Vectors;
use super::verify::Work;

/// How alike two clusters must be, from 0 to 1.
const ALIKE: f64 = 0.4;
/// What the words of prompts add to the similarity of what was done.
const WORDS_SHARE: f64 = 0.25;
/// The share of a cluster's members that must have a token for it to be the cluster's.
const COMMON: f64 = 0.34;
/// Smaller clusters do not tell yet what is theirs: what only they have counts half.
const TELLING_SIZE: usize = 3;
/// How many of its rarest tokens a segment is looked up by, and how many segments each look finds.
const RARE_TOKENS: usize = 12;
const NEIGHBOURS: usize = 12;

/// What was done and what was asked for, ascending.
struct Profile {
    actions: Vec<Term>,
    words: Vec<Term>,
    meaning: Meaning,
}

/// How many members have each token, by token.
type Counts = Vec<(Term, f64)>;

/// A growing cluster.
#[derive(Default, Clone)]
struct Cluster {
    members: Vec<usize>,
    actions: Counts,
    words: Counts,
    meaning: Meaning,
}

/// The indices of the segments by cluster, in the order of their oldest members. A segment without a
/// telling action is in none.
pub(super) fn clusters(
    works: &[Work<'_>],
    terms: &Terms,
    vectors: Option<&Vectors>,
    without: Option<Idea>,
) -> Vec<Vec<usize>> {
    let (mut profiles, weights) = profiles(works, terms, without);
    for (profile, meaning) in profiles.iter_mut().zip(meanings(terms, vectors, |term| weights.of(term))) {
        profile.meaning = meaning;
    }
    let mut forest: Vec<usize> = (0..profiles.len()).collect();
    let mut clusters: Vec<Cluster> =
        profiles.iter().enumerate().map(|(member, profile)| Cluster::single(member, profile)).collect();
    // Two clusters that were not alike stay so until one of them grows.
    let mut apart: BTreeMap<(usize, usize), (usize, usize)> = BTreeMap::new();
    for (_, a, b) in pairs(&profiles, &weights, &clusters) {
        let (a, b) = (root(&mut forest, a), root(&mut forest, b));
        if a == b {
            continue;
        }
        let (home, guest) = (a.min(b), a.max(b));
        let (Some(here), Some(there)) = (clusters.get(home), clusters.get(guest)) else { continue };
        let sizes = (here.members.len(), there.members.len());
        if apart.get(&(home, guest)) == Some(&sizes) {
            continue;
        }
        let alike = weights.similarity(here, there) > ALIKE;
        if !alike {
            apart.insert((home, guest), sizes);
        }
        if alike && let Some(joining) = clusters.get_mut(guest).map(std::mem::take) {
            if let Some(home) = clusters.get_mut(home) {
                home.absorb(joining);
            }
            if let Some(parent) = forest.get_mut(guest) {
                *parent = home;
            }
        }
    }
    clusters.retain(|cluster| !cluster.actions.is_empty());
    clusters.into_iter().map(Cluster::into_members).collect()
}

/// The cluster that a segment stands in now.
fn root(forest: &mut [usize], at: usize) -> usize {
    let mut top = at;
    while let Some(parent) = forest.get(top).copied().filter(|parent| *parent != top) {
        top = parent;
    }
    if let Some(entry) = forest.get_mut(at) {
        *entry = top;
    }
    top
}

/// Pairs of segments that share a rare token, the most alike first; similarity in thousandths.
fn pairs(profiles: &[Profile], weights: &Weights, singles: &[Cluster]) -> Vec<(u32, usize, usize)> {
    let mut postings: BTreeMap<Term, Vec<usize>> = BTreeMap::new();
    let mut pairs: Vec<(u32, usize, usize)> = Vec::new();
    let mut found: Vec<usize> = Vec::new();
    for ((at, profile), single) in profiles.iter().enumerate().zip(singles) {
        let mut rarest = profile.actions.clone();
        rarest.sort_by(|a, b| weights.of(*b).total_cmp(&weights.of(*a)).then(a.cmp(b)));
        for token in rarest.into_iter().take(RARE_TOKENS) {
            let posting = postings.entry(token).or_default();
            found.extend(posting.iter().rev().take(NEIGHBOURS));
            posting.push(at);
        }
        found.sort_unstable();
        found.dedup();
        for other in found.drain(..) {
            let Some(earlier) = singles.get(other) else { continue };
            let similarity = weights.similarity(earlier, single);
            if similarity > ALIKE / 2.0 {
                pairs.push((thousandths(similarity), other, at));
            }
        }
    }
    pairs.sort_unstable_by(|a, b| b.0.cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    pairs
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of 0 to 1")]
fn thousandths(share: f64) -> u32 {
    (share * 1000.0) as u32
}

/// The profiles of the segments, without what only one of them has, and the weight of each token.
fn profiles(works: &[Work<'_>], terms: &Terms, without: Option<Idea>) -> (Vec<Profile>, Weights) {
    let mut profiles: Vec<Profile> =
        works.iter().zip(terms.works()).map(|(work, terms)| Profile::of(work, terms)).collect();
    let mut frequencies: Vec<f64> = vec![0.0; terms.texts().len()];
    for term in profiles.iter().flat_map(|profile| profile.actions.iter().chain(&profile.words)) {
        if let Some(frequency) = frequencies.get_mut(*term as usize) {
            *frequency += 1.0;
        }
    }
    let recurs = |term: &Term| frequencies.get(*term as usize).is_some_and(|frequency| *frequency > 1.0);
    for profile in &mut profiles {
        profile.actions.retain(recurs);
        profile.words.retain(recurs);
    }
    let total: f64 = works.iter().map(|_| 1.0).sum();
    let rarity = |frequency: &f64| {
        if without == Some(Idea::Rarity) { 1.0 } else { (1.0 + total / frequency).ln() }
    };
    let weights = Weights {
        rarity: frequencies.iter().map(rarity).collect(),
        words_share: if without == Some(Idea::Words) { 0.0 } else { WORDS_SHARE },
        common: if without == Some(Idea::Commonness) { 0.0 } else { COMMON },
    };
    (profiles, weights)
}

impl Profile {
    fn of(work: &Work<'_>, terms: &WorkTerms) -> Self {
        let actions = work.segment.actions().zip(&terms.actions);
        let done = actions.filter(|((_, action), _)| !action.refused && !action.scratch);
        let mut actions: Vec<Term> = done.filter_map(|(_, terms)| terms.token).collect();
        let mut words = terms.words.clone();
        for terms in [&mut actions, &mut words] {
            terms.sort_unstable();
            terms.dedup();
        }
        Self { actions, words, meaning: Meaning::default() }
    }
}

impl Cluster {
    fn single(member: usize, profile: &Profile) -> Self {
        let counted = |tokens: &[Term]| tokens.iter().map(|token| (*token, 1.0)).collect();
        Self {
            members: vec![member],
            actions: counted(&profile.actions),
            words: counted(&profile.words),
            meaning: profile.meaning.clone(),
        }
    }

    fn absorb(&mut self, other: Self) {
        self.members.extend(other.members);
        self.actions = added(&self.actions, &other.actions);
        self.words = added(&self.words, &other.words);
        self.meaning.add(&other.meaning);
    }

    fn into_members(mut self) -> Vec<usize> {
        self.members.sort_unstable();
        self.members
    }

    fn size(&self) -> f64 {
        self.members.iter().map(|_| 1.0).sum()
    }

    fn is_telling(&self) -> bool {
        self.members.len() >= TELLING_SIZE
    }

    /// The share of members that have a token, of their count; 0 for what a telling cluster does not
    /// have in common.
    fn share(&self, common: f64) -> impl Fn(f64) -> f64 {
        let (size, telling) = (self.size(), self.is_telling());
        move |count| {
            let share = count / size;
            if telling && share < common { 0.0 } else { share }
        }
    }
}

/// Calls back with what stands in either of two lists that ascend by token, and its value in both.
fn for_both(mut a: &[(Term, f64)], mut b: &[(Term, f64)], mut call: impl FnMut(Term, f64, f64)) {
    loop {
        match (a, b) {
            ([(token, value), rest @ ..], [(other, theirs), others @ ..]) => match token.cmp(other) {
                Ordering::Less => {
                    call(*token, *value, 0.0);
                    a = rest;
                }
                Ordering::Greater => {
                    call(*other, 0.0, *theirs);
                    b = others;
                }
                Ordering::Equal => {
                    call(*token, *value, *theirs);
                    (a, b) = (rest, others);
                }
            },
            (rest, []) => return rest.iter().for_each(|(token, value)| call(*token, *value, 0.0)),
            ([], rest) => return rest.iter().for_each(|(token, value)| call(*token, 0.0, *value)),
        }
    }
}

fn added(a: &Counts, b: &Counts) -> Counts {
    let mut sum = Vec::with_capacity(a.len().max(b.len()));
    for_both(a, b, |token, a, b| sum.push((token, a + b)));
    sum
}

/// How segments are compared.
struct Weights {
    /// The inverse document frequency of each token.
    rarity: Vec<f64>,
    words_share: f64,
    common: f64,
}

impl Weights {
    fn of(&self, token: Term) -> f64 {
        self.rarity.get(token as usize).copied().unwrap_or_default()
    }

    fn similarity(&self, a: &Cluster, b: &Cluster) -> f64 {
        let actions = self.overlap((a, &a.actions), (b, &b.actions));
        let words = self.overlap((a, &a.words), (b, &b.words)).max(a.meaning.nearness(&b.meaning));
        (1.0 - self.words_share) * actions + self.words_share * words
    }

    /// Weighted Jaccard over the shares of members that have each token.
    fn overlap(&self, (a, of_a): (&Cluster, &Counts), (b, of_b): (&Cluster, &Counts)) -> f64 {
        let (mut shared, mut apart) = (0.0, 0.0);
        let telling = |cluster: &Cluster| if cluster.is_telling() { 1.0 } else { 0.5 };
        let (counts_in_a, counts_in_b) = (telling(a), telling(b));
        let (share_of_a, share_of_b) = (a.share(self.common), b.share(self.common));
        for_both(of_a, of_b, |token, in_a, in_b| {
            let (weight, in_a, in_b) = (self.of(token), share_of_a(in_a), share_of_b(in_b));
            shared += weight * in_a.min(in_b);
            let (more, counts) =
                if in_a > in_b { (in_a - in_b, counts_in_a) } else { (in_b - in_a, counts_in_b) };
            apart += weight * more * counts;
        });
        if shared > 0.0 { shared / (shared + apart) } else { 0.0 }
    }
}
