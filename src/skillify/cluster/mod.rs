//! Clusters: segments that do the same work.
//!
//! Each token weighs its inverse document frequency over the workspace. So what everybody does decides little, and what
//! only one segment has decides nothing. Pairs of segments that share a rare token are joined, the most similar first, as
//! long as their clusters are similar as a whole. Only what the members of a cluster have in common counts for it, so that
//! noise does not add up.
//!
//! | file | what it decides |
//! |---|---|
//! | `vectors.rs`, `meaning.rs` | word vectors, and what prompts mean by them: optional |
//! | `group.rs` | segments that do the same work; what they are called and cost |
//! | `split.rs` | clusters of several works that differ in an argument |
//! | `steps.rs` | what the sessions of a cluster have in common, in order |
//! | `commonness.rs` | what members share by more than chance |

pub(super) mod commonness;
pub(super) mod group;
pub(super) mod meaning;
pub(super) mod split;
pub(super) mod steps;
pub(super) mod vectors;

use std::cmp::Ordering;

use super::evidence::segment_ref::SegmentRef;
use super::evidence::terms::{Term, Terms, WorkTerms};
use meaning::{Meaning, meanings};
use vectors::Vectors;

/// How alike two clusters must be, from 0 to 1.
const ALIKE: f64 = 0.4;
/// The share of prompts' words in the similarity of two segments.
const WORDS_SHARE: f64 = 0.25;
/// The share of a cluster's members that must have a token for it to be the cluster's.
const COMMON: f64 = 0.34;
/// Below this size, a term that only one cluster has counts half: it may be chance.
const TELLING_SIZE: usize = 3;
/// How many of its rarest tokens a segment is looked up by, and how many segments each look finds.
const RARE_TOKENS: usize = 12;
const NEIGHBOURS: usize = 12;

/// Terms of actions and prompts, ascending, and the weight of all of them.
struct Profile {
    actions: Vec<Term>,
    words: Vec<Term>,
    weight_of_actions: f64,
    weight_of_words: f64,
    /// A bit for each word, which other words may share: profiles without a common bit share no word.
    bits_of_words: u128,
    meaning: Meaning,
}

/// A growing cluster.
#[derive(Default)]
struct Cluster {
    members: Vec<usize>,
    actions: Traits,
    words: Traits,
    meaning: Meaning,
}

/// What the members of a cluster have.
#[derive(Default)]
struct Traits {
    /// How many members have each token, by token.
    counts: Vec<(Term, u32)>,
    /// The share of members that have each token, by token; without what a telling cluster does not have
    /// in common.
    shares: Vec<(Term, f64)>,
}

/// Two segments that share a rare token.
#[derive(Debug, Clone, Copy)]
struct Pair {
    earlier: u32,
    later: u32,
}

/// The indices of the segments by cluster, in the order of their oldest members. A segment without a
/// telling action is in none.
pub(super) fn clusters(
    works: &[SegmentRef<'_>],
    terms: &Terms,
    vectors: Option<&Vectors>,
) -> Vec<Vec<usize>> {
    let (mut profiles, weights) = profiles(works, terms);
    for (profile, meaning) in profiles.iter_mut().zip(meanings(terms, vectors, |term| weights.of(term))) {
        profile.meaning = meaning;
    }
    let mut forest: Vec<usize> = (0..profiles.len()).collect();
    let mut clusters: Vec<Cluster> =
        profiles.iter().enumerate().map(|(member, profile)| Cluster::single(member, profile)).collect();
    let mut apart = Apart::new();
    for Pair { earlier, later } in pairs(&profiles, &weights) {
        let (a, b) = (root(&mut forest, earlier as usize), root(&mut forest, later as usize));
        if a == b {
            continue;
        }
        let (home, guest) = (a.min(b), a.max(b));
        let (Some(here), Some(there)) = (clusters.get(home), clusters.get(guest)) else { continue };
        let compared = Compared { clusters: (home, guest), sizes: (here.members.len(), there.members.len()) };
        if apart.knows(&compared) {
            continue;
        }
        if weights.similarity(here, there) <= ALIKE {
            apart.insert(compared);
        } else if let Some(joining) = clusters.get_mut(guest).map(std::mem::take) {
            if let Some(home) = clusters.get_mut(home) {
                home.absorb(joining);
            }
            if let Some(parent) = forest.get_mut(guest) {
                *parent = home;
            }
        }
    }
    clusters.retain(|cluster| !cluster.actions.counts.is_empty());
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

/// Two clusters at the sizes that they had when they were compared.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Compared {
    clusters: (usize, usize),
    sizes: (usize, usize),
}

/// Clusters that were not alike: they stay so until one of them grows. Each has one place that others
/// may take, so what is not known here may still have been compared; comparing again gives the same.
struct Apart(Vec<Compared>);

impl Apart {
    const BITS: u32 = 16;

    fn new() -> Self {
        Self(vec![Compared::default(); 1 << Self::BITS])
    }

    /// Multiplies by 2^64 over the golden ratio: the high bits then depend on all others.
    fn place(compared: &Compared) -> usize {
        let (home, guest) = compared.clusters;
        let mixed = ((home as u64) << 32 ^ guest as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        usize::try_from(mixed >> (u64::BITS - Self::BITS)).unwrap_or_default()
    }

    fn knows(&self, compared: &Compared) -> bool {
        self.0.get(Self::place(compared)) == Some(compared)
    }

    fn insert(&mut self, compared: Compared) {
        if let Some(entry) = self.0.get_mut(Self::place(&compared)) {
            *entry = compared;
        }
    }
}

/// The segments that had a token last.
#[derive(Default, Clone, Copy)]
struct Recent {
    segments: [u32; NEIGHBOURS],
    seen: usize,
}

impl Recent {
    fn push(&mut self, segment: u32) {
        if let Some(place) = self.segments.get_mut(self.seen % NEIGHBOURS) {
            *place = segment;
        }
        self.seen += 1;
    }

    fn segments(&self) -> impl Iterator<Item = u32> {
        self.segments.iter().copied().take(self.seen)
    }
}

/// Pairs of segments that share a rare token, the most alike first: in thousandths; then the earliest.
fn pairs(profiles: &[Profile], weights: &Weights) -> impl Iterator<Item = Pair> {
    let mut recent: Vec<Recent> = vec![Recent::default(); weights.rarity.len()];
    // By how alike they are: what stands apart already is sorted sooner.
    let mut pairs: Vec<Vec<Pair>> = vec![Vec::new(); 1001];
    // The last segment that each segment was compared with.
    let mut compared: Vec<u32> = vec![u32::MAX; profiles.len()];
    let mut own = Own(vec![0.0; weights.rarity.len()]);
    for (later, profile) in (0..).zip(profiles) {
        own.set(profile, |term| weights.of(term));
        for token in weights.rarest(&profile.actions) {
            let Some(recent) = recent.get_mut(token as usize) else { continue };
            for earlier in recent.segments() {
                let Some(last) = compared.get_mut(earlier as usize).filter(|last| **last != later) else {
                    continue;
                };
                *last = later;
                let Some(other) = profiles.get(earlier as usize) else { continue };
                let similarity = weights.similarity_of_singles(other, profile, &own);
                if similarity > ALIKE / 2.0
                    && let Some(pairs) = pairs.get_mut(thousandths(similarity))
                {
                    pairs.push(Pair { earlier, later });
                }
            }
            recent.push(later);
        }
        own.set(profile, |_| 0.0);
    }
    for pairs in &mut pairs {
        pairs.sort_unstable_by_key(|Pair { earlier, later }| u64::from(*earlier) << 32 | u64::from(*later));
    }
    pairs.into_iter().rev().flatten()
}

/// What each term of one segment weighs, by term; 0 for all that are not its own.
struct Own(Vec<f64>);

impl Own {
    fn set(&mut self, profile: &Profile, weight: impl Fn(Term) -> f64) {
        for term in profile.actions.iter().chain(&profile.words) {
            if let Some(place) = self.0.get_mut(*term as usize) {
                *place = weight(*term);
            }
        }
    }

    /// The weight of those terms that the profile has too.
    fn shared(&self, terms: &[Term]) -> f64 {
        terms.iter().filter_map(|term| self.0.get(*term as usize)).fold(0.0, |shared, weight| shared + weight)
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of 0 to 1")]
fn thousandths(share: f64) -> usize {
    (share * 1000.0) as usize
}

/// The profiles of the segments without terms that only one segment has, and the weight of each token.
fn profiles(works: &[SegmentRef<'_>], terms: &Terms) -> (Vec<Profile>, Weights) {
    let mut profiles: Vec<Profile> =
        works.iter().zip(terms.works()).map(|(work, terms)| Profile::of(work, terms)).collect();
    let mut frequencies: Vec<f64> = vec![0.0; terms.texts().len()];
    for term in profiles.iter().flat_map(|profile| profile.actions.iter().chain(&profile.words)) {
        if let Some(frequency) = frequencies.get_mut(*term as usize) {
            *frequency += 1.0;
        }
    }
    let recurs = |term: &Term| frequencies.get(*term as usize).is_some_and(|frequency| *frequency > 1.0);
    let total: f64 = works.iter().map(|_| 1.0).sum();
    let rarity = |frequency: &f64| (1.0 + total / frequency).ln();
    let weights = Weights { rarity: frequencies.iter().map(rarity).collect() };
    for profile in &mut profiles {
        profile.actions.retain(recurs);
        profile.words.retain(recurs);
        profile.weight_of_actions = weights.of_all(&profile.actions);
        profile.weight_of_words = weights.of_all(&profile.words);
        profile.bits_of_words = profile.words.iter().fold(0, |bits, word| bits | 1 << (word % u128::BITS));
    }
    (profiles, weights)
}

impl Profile {
    fn of(work: &SegmentRef<'_>, terms: &WorkTerms) -> Self {
        let actions = work.segment.actions().zip(&terms.actions);
        let done = actions.filter(|((_, action), _)| !action.refused && !action.scratch);
        let mut actions: Vec<Term> = done.filter_map(|(_, terms)| terms.token).collect();
        let mut words = terms.words.clone();
        for terms in [&mut actions, &mut words] {
            terms.sort_unstable();
            terms.dedup();
        }
        let meaning = Meaning::default();
        Self { actions, words, weight_of_actions: 0.0, weight_of_words: 0.0, bits_of_words: 0, meaning }
    }
}

impl Cluster {
    fn single(member: usize, profile: &Profile) -> Self {
        let (actions, words) = (Traits::single(&profile.actions), Traits::single(&profile.words));
        Self { members: vec![member], actions, words, meaning: profile.meaning.clone() }
    }

    fn absorb(&mut self, other: Self) {
        self.members.extend(other.members);
        let size = u32::try_from(self.members.len()).unwrap_or(u32::MAX);
        let common = if self.is_telling() { COMMON } else { 0.0 };
        self.actions.add(&other.actions, size, common);
        self.words.add(&other.words, size, common);
        self.meaning.add(&other.meaning);
    }

    fn into_members(mut self) -> Vec<usize> {
        self.members.sort_unstable();
        self.members
    }

    fn is_telling(&self) -> bool {
        self.members.len() >= TELLING_SIZE
    }
}

impl Traits {
    fn single(tokens: &[Term]) -> Self {
        Self {
            counts: tokens.iter().map(|token| (*token, 1)).collect(),
            shares: tokens.iter().map(|token| (*token, 1.0)).collect(),
        }
    }

    /// Adds the terms of other members. There are `size` members then, and terms that fewer than `common` of them have
    /// do not count.
    fn add(&mut self, other: &Self, size: u32, common: f64) {
        let mut sum = Vec::with_capacity(self.counts.len() + other.counts.len());
        for_both(&self.counts, &other.counts, |token, own, theirs| sum.push((token, own + theirs)));
        self.counts = sum;
        let shares = self.counts.iter().map(|(token, count)| (*token, f64::from(*count) / f64::from(size)));
        self.shares.clear();
        self.shares.extend(shares.filter(|(_, share)| *share >= common));
    }
}

/// Calls back with what stands in either of two lists that ascend by token, and its value in both.
fn for_both<V: Copy + Default>(mut a: &[(Term, V)], mut b: &[(Term, V)], mut call: impl FnMut(Term, V, V)) {
    let none = V::default();
    loop {
        match (a, b) {
            ([(token, value), rest @ ..], [(other, theirs), others @ ..]) => match token.cmp(other) {
                Ordering::Less => {
                    call(*token, *value, none);
                    a = rest;
                }
                Ordering::Greater => {
                    call(*other, none, *theirs);
                    b = others;
                }
                Ordering::Equal => {
                    call(*token, *value, *theirs);
                    (a, b) = (rest, others);
                }
            },
            (rest, []) => return rest.iter().for_each(|(token, value)| call(*token, *value, none)),
            ([], rest) => return rest.iter().for_each(|(token, value)| call(*token, none, *value)),
        }
    }
}

/// How segments are compared.
struct Weights {
    /// The inverse document frequency of each token.
    rarity: Vec<f64>,
}

impl Weights {
    fn of(&self, token: Term) -> f64 {
        self.rarity.get(token as usize).copied().unwrap_or_default()
    }

    fn of_all(&self, tokens: &[Term]) -> f64 {
        tokens.iter().map(|token| self.of(*token)).sum()
    }

    /// The tokens that a segment is looked up by.
    fn rarest(&self, tokens: &[Term]) -> Vec<Term> {
        let mut rarest = tokens.to_vec();
        if rarest.len() > RARE_TOKENS {
            rarest.sort_by(|a, b| self.of(*b).total_cmp(&self.of(*a)).then(a.cmp(b)));
            rarest.truncate(RARE_TOKENS);
        }
        rarest
    }

    fn similarity(&self, a: &Cluster, b: &Cluster) -> f64 {
        let telling = (a.is_telling(), b.is_telling());
        let actions = self.overlap(&a.actions.shares, &b.actions.shares, telling);
        let words = self.overlap(&a.words.shares, &b.words.shares, telling);
        self.of_both(actions, words.max(a.meaning.nearness(&b.meaning)))
    }

    /// [`Weights::similarity`] of clusters of one segment each; `own` are the terms of the second.
    fn similarity_of_singles(&self, a: &Profile, b: &Profile, own: &Own) -> f64 {
        let overlap = |shared: f64, weight: f64| {
            let apart = 0.5 * (weight - 2.0 * shared).max(0.0);
            if shared > 0.0 { shared / (shared + apart) } else { 0.0 }
        };
        let actions = overlap(own.shared(&a.actions), a.weight_of_actions + b.weight_of_actions);
        let words = match a.bits_of_words & b.bits_of_words {
            0 => 0.0,
            _ => overlap(own.shared(&a.words), a.weight_of_words + b.weight_of_words),
        };
        self.of_both(actions, words.max(a.meaning.nearness(&b.meaning)))
    }

    fn of_both(&self, actions: f64, words: f64) -> f64 {
        (1.0 - WORDS_SHARE) * actions + WORDS_SHARE * words
    }

    /// Weighted Jaccard over the shares of members that have each token.
    fn overlap(&self, a: &[(Term, f64)], b: &[(Term, f64)], (a_tells, b_tells): (bool, bool)) -> f64 {
        let (mut shared, mut apart) = (0.0, 0.0);
        let counts = |tells: bool| if tells { 1.0 } else { 0.5 };
        let (counts_in_a, counts_in_b) = (counts(a_tells), counts(b_tells));
        for_both(a, b, |token, in_a, in_b| {
            let weight = self.of(token);
            shared += weight * in_a.min(in_b);
            let (more, counts) =
                if in_a > in_b { (in_a - in_b, counts_in_a) } else { (in_b - in_a, counts_in_b) };
            apart += weight * more * counts;
        });
        if shared > 0.0 { shared / (shared + apart) } else { 0.0 }
    }
}
