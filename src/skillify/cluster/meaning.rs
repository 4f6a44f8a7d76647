//! What the prompts of a segment mean: the mean of their words' vectors, where there are vectors.
//!
//! A word weighs its inverse document frequency, as everywhere; the word that only one prompt has is
//! the one that tells most. A segment none of whose words has a vector means nothing that can be
//! compared.

use super::super::evidence::terms::{Term, Terms};
use super::vectors::{Vectors, dot, scale_to_one};

/// From this cosine on, 0 to 1, meanings are near at all: the unrelated words of one trade are up to
/// here.
const UNRELATED: f64 = 0.4;

/// The sum of directions, one for each segment; empty where nothing is known.
#[derive(Debug, Clone, Default)]
pub(in crate::skillify) struct Meaning {
    sum: Vec<f32>,
    length: f64,
}

/// The meaning of each segment, in their order.
pub(super) fn meanings(
    terms: &Terms,
    vectors: Option<&Vectors>,
    weight: impl Fn(Term) -> f64,
) -> Vec<Meaning> {
    let Some(vectors) = vectors.filter(|vectors| !vectors.is_empty()) else {
        return vec![Meaning::default(); terms.works().len()];
    };
    let vector_of = |term: &Term| vectors.get(terms.texts().get(*term as usize)?.strip_prefix("? ")?);
    let meaning = |words: &[Term]| {
        let mut sum = vec![0.0; vectors.dimensions()];
        for (term, vector) in words.iter().filter_map(|term| Some((*term, vector_of(term)?))) {
            let weight = weight(term);
            #[expect(clippy::cast_possible_truncation, reason = "weights are small")]
            sum.iter_mut().zip(vector).for_each(|(sum, number)| *sum += weight as f32 * number);
        }
        if scale_to_one(&mut sum).is_ok() { Meaning { sum, length: 1.0 } } else { Meaning::default() }
    };
    terms.works().iter().map(|work| meaning(&work.words)).collect()
}

impl Meaning {
    pub(in crate::skillify) fn add(&mut self, other: &Self) {
        if self.sum.is_empty() {
            self.clone_from(other);
            return;
        }
        self.sum.iter_mut().zip(&other.sum).for_each(|(sum, number)| *sum += number);
        self.length = dot(&self.sum, &self.sum).sqrt();
    }

    /// How near two meanings are, from 0 to 1; 0 where one is not known.
    pub(super) fn nearness(&self, other: &Self) -> f64 {
        let lengths = self.length * other.length;
        if lengths <= 0.0 {
            return 0.0;
        }
        let cosine = dot(&self.sum, &other.sum) / lengths;
        ((cosine - UNRELATED) / (1.0 - UNRELATED)).clamp(0.0, 1.0)
    }
}
