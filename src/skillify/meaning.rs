//! What the prompts of a segment mean: the mean of their words' vectors, where there are vectors.
//!
//! A word weighs its inverse document frequency, as everywhere; the word that only one prompt has is
//! the one that tells most. A segment none of whose words has a vector means nothing that can be
//! compared.

use super::terms::{Term, Terms};
use super::vectors::{Vectors, dot, scale_to_one};

/// From this cosine on, 0 to 1, meanings are near at all: the unrelated words of one trade are up to
/// here.
const UNRELATED: f64 = 0.4;

/// A direction; empty where nothing is known. Added up, the meanings of several segments.
pub(super) type Meaning = Vec<f32>;

/// The meaning of each segment, in their order, each of length 1.
pub(super) fn meanings(
    terms: &Terms,
    vectors: Option<&Vectors>,
    weight: impl Fn(Term) -> f64,
) -> Vec<Meaning> {
    let Some(vectors) = vectors.filter(|vectors| !vectors.is_empty()) else {
        return vec![Meaning::new(); terms.works().len()];
    };
    let vector_of = |term: &Term| vectors.get(terms.texts().get(*term as usize)?.strip_prefix("? ")?);
    let meaning = |words: &[Term]| {
        let mut sum = vec![0.0; vectors.dimensions()];
        for (term, vector) in words.iter().filter_map(|term| Some((*term, vector_of(term)?))) {
            let weight = weight(term);
            #[expect(clippy::cast_possible_truncation, reason = "weights are small")]
            sum.iter_mut().zip(vector).for_each(|(sum, number)| *sum += weight as f32 * number);
        }
        if scale_to_one(&mut sum).is_ok() { sum } else { Meaning::new() }
    };
    terms.works().iter().map(|work| meaning(&work.words)).collect()
}

/// Adds another meaning.
pub(super) fn add(to: &mut Meaning, other: &Meaning) {
    if to.is_empty() {
        to.clone_from(other);
    } else {
        to.iter_mut().zip(other).for_each(|(sum, number)| *sum += number);
    }
}

/// How near two meanings are, from 0 to 1; 0 where one is not known.
pub(super) fn nearness(a: &Meaning, b: &Meaning) -> f64 {
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    let lengths = (dot(a, a) * dot(b, b)).sqrt();
    let cosine = if lengths > 0.0 { dot(a, b) / lengths } else { 0.0 };
    ((cosine - UNRELATED) / (1.0 - UNRELATED)).clamp(0.0, 1.0)
}
