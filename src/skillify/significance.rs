//! The tests that decide whether counts prove a claim.
//!
//! Every claim kind counts the same four cells ([`Counts`]) and asks one of two questions:
//!
//! - **Is the outcome more frequent than its base rate?** [`binomial_tail`], for repairs and replacements,
//!   where an untreated case is rare or never happens.
//! - **Do treated cases have the outcome more often than untreated ones?** [`stratified_tail`], an exact
//!   hypergeometric test within strata, for everything that is done often with and without.
//!
//! Both are one-sided and never switch to another test when a case is added. Many claims are tested at
//! once: [`benjamini_hochberg`] bounds the share of false ones among those that pass.

use serde::{Deserialize, Serialize};
use statrs::distribution::{Binomial, ContinuousCDF, Discrete, DiscreteCDF, Hypergeometric, Normal};

/// How often a situation met the claim's action and had the expected outcome. Each case is one session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Counts {
    /// The action was taken and the outcome came.
    pub treated_with: u32,
    /// The action was taken and the outcome did not come.
    pub treated_without: u32,
    /// The action was not taken and the outcome came all the same.
    pub untreated_with: u32,
    /// Neither.
    pub untreated_without: u32,
}

impl Counts {
    /// Cases in which the action was taken.
    pub const fn treated(&self) -> u32 {
        self.treated_with + self.treated_without
    }

    /// Cases in which it was not.
    pub const fn untreated(&self) -> u32 {
        self.untreated_with + self.untreated_without
    }

    const fn total(&self) -> u32 {
        self.treated() + self.untreated()
    }

    const fn with(&self) -> u32 {
        self.treated_with + self.untreated_with
    }

    /// Adds one case.
    pub(in crate::skillify) const fn add(&mut self, treated: bool, outcome: bool) {
        match (treated, outcome) {
            (true, true) => self.treated_with += 1,
            (true, false) => self.treated_without += 1,
            (false, true) => self.untreated_with += 1,
            (false, false) => self.untreated_without += 1,
        }
    }

    /// The share of treated cases that have the outcome; 0 where there is none.
    pub(in crate::skillify) fn treated_rate(&self) -> f64 {
        rate(self.treated_with, self.treated())
    }

    /// The share of untreated cases that have the outcome; 0 where there is none.
    pub(in crate::skillify) fn untreated_rate(&self) -> f64 {
        rate(self.untreated_with, self.untreated())
    }
}

fn rate(part: u32, whole: u32) -> f64 {
    if whole == 0 { 0.0 } else { f64::from(part) / f64::from(whole) }
}

/// The probability that at least `successes` of `trials` cases succeed when each does with `rate`.
pub(in crate::skillify) fn binomial_tail(successes: u32, trials: u32, rate: f64) -> f64 {
    let Some(before) = successes.checked_sub(1) else { return 1.0 };
    if successes > trials {
        return 0.0;
    }
    Binomial::new(rate.clamp(0.0, 1.0), u64::from(trials)).map_or(1.0, |law| law.sf(u64::from(before)))
}

/// How many cases a rate that was believed before counts for.
const PRIOR_CASES: f64 = 10.0;

/// The rate of the workspace before anything was seen: one in ten.
pub(in crate::skillify) const PRIOR_RATE: f64 = 0.1;

/// The rate of `seen` = (successes, cases), drawn towards what is believed of its kind: the fewer cases, the
/// nearer to that.
pub(in crate::skillify) fn shrunk(seen: (u32, u32), towards: f64) -> f64 {
    let (successes, cases) = seen;
    (f64::from(successes) + PRIOR_CASES * towards) / (f64::from(cases) + PRIOR_CASES)
}

/// The base rate of one command and failure: [`shrunk`] towards the rate of its family, that towards the
/// workspace's, that towards Beta(1, 9).
pub(in crate::skillify) fn base_rate(own: (u32, u32), family: (u32, u32), workspace: (u32, u32)) -> f64 {
    shrunk(own, shrunk(family, shrunk(workspace, PRIOR_RATE)))
}

/// Above so many values a sum of hypergeometric counts is taken for a normal one.
const MOST_EXACT: u32 = 512;

/// The probability that treated cases have the outcome at least as often as they do, if within each stratum
/// the outcome falls on any case alike.
///
/// Exact: the sum of one hypergeometric count a stratum. Strata in which all or none are treated, or have the
/// outcome, tell nothing and change nothing.
pub(in crate::skillify) fn stratified_tail(strata: &[Counts]) -> f64 {
    let telling = strata.iter().filter(|counts| {
        counts.treated() > 0 && counts.untreated() > 0 && counts.with() > 0 && counts.with() < counts.total()
    });
    let telling: Vec<&Counts> = telling.collect();
    if telling.is_empty() {
        return 1.0;
    }
    let values: u32 = telling.iter().map(|counts| counts.treated().min(counts.with())).sum();
    if values > MOST_EXACT { normal_tail(&telling) } else { exact_tail(&telling) }
}

fn exact_tail(strata: &[&Counts]) -> f64 {
    let mut sum = vec![1.0];
    for counts in strata {
        let most = counts.treated().min(counts.with());
        let law = Hypergeometric::new(
            u64::from(counts.total()),
            u64::from(counts.with()),
            u64::from(counts.treated()),
        );
        let Ok(law) = law else { return 1.0 };
        let weights: Vec<f64> = (0..=most).map(|count| law.ln_pmf(u64::from(count)).exp()).collect();
        sum = convolved(&sum, &weights);
    }
    let observed: u32 = strata.iter().map(|counts| counts.treated_with).sum();
    sum.iter().skip(observed as usize).sum::<f64>().clamp(0.0, 1.0)
}

/// The law of a sum, given the laws of its two parts.
fn convolved(one: &[f64], other: &[f64]) -> Vec<f64> {
    let mut sum = vec![0.0; one.len() + other.len() - 1];
    for (at, weight) in one.iter().enumerate() {
        for (cell, more) in sum.iter_mut().skip(at).zip(other) {
            *cell += weight * more;
        }
    }
    sum
}

/// [`exact_tail`] of many cases: the same mean and variance, with a correction for whole numbers.
fn normal_tail(strata: &[&Counts]) -> f64 {
    let (mut observed, mut mean, mut variance) = (0.0, 0.0, 0.0);
    for counts in strata {
        let (all, with, treated) =
            (f64::from(counts.total()), f64::from(counts.with()), f64::from(counts.treated()));
        let share = with / all;
        observed += f64::from(counts.treated_with);
        mean += treated * share;
        variance += treated * share * (1.0 - share) * (all - treated) / (all - 1.0);
    }
    Normal::new(mean, variance.sqrt()).map_or(1.0, |law| law.sf(observed - 0.5))
}

/// Which of the claims of these probabilities pass, if at most a share `rate` of those that pass may be false;
/// `others` were looked at as well and cannot pass.
pub(in crate::skillify) fn benjamini_hochberg(probabilities: &[f64], others: usize, rate: f64) -> Vec<bool> {
    let mut sorted = probabilities.to_vec();
    sorted.sort_by(f64::total_cmp);
    let all = count(sorted.len() + others);
    let passes = |(at, probability): &(usize, &f64)| **probability <= rate * count(at + 1) / all;
    let bound = sorted.iter().enumerate().rfind(passes).map(|(_, probability)| *probability);
    probabilities.iter().map(|probability| bound.is_some_and(|bound| *probability <= bound)).collect()
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// How many different ones there are.
pub(in crate::skillify) fn distinct<T: Ord>(items: impl Iterator<Item = T>) -> usize {
    let mut items: Vec<T> = items.collect();
    items.sort_unstable();
    items.dedup();
    items.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn counts(a: u32, b: u32, c: u32, d: u32) -> Counts {
        Counts { treated_with: a, treated_without: b, untreated_with: c, untreated_without: d }
    }

    fn near(value: f64, expected: f64) {
        assert!((value - expected).abs() < 1e-6, "{value} is not {expected}");
    }

    #[test]
    fn known_tables() {
        // Fisher's tea: 3 of 4 right.
        near(stratified_tail(&[counts(3, 1, 1, 3)]), 17.0 / 70.0);
        near(stratified_tail(&[counts(4, 0, 0, 4)]), 1.0 / 70.0);
        // Two tables of four cups, all right: the product.
        near(stratified_tail(&[counts(2, 0, 0, 2), counts(2, 0, 0, 2)]), 1.0 / 36.0);
        near(binomial_tail(3, 3, 0.1), 0.001);
        near(binomial_tail(2, 4, 0.5), 11.0 / 16.0);
        near(binomial_tail(0, 4, 0.5), 1.0);
        near(base_rate((0, 0), (0, 0), (0, 0)), 0.1);
        near(base_rate((0, 0), (0, 0), (9, 10)), 0.5);
    }

    #[test]
    fn strata_that_tell_nothing_change_nothing() {
        let one = counts(3, 1, 1, 3);
        let alone = stratified_tail(&[one]);
        near(stratified_tail(&[one, counts(9, 0, 4, 0), counts(5, 7, 0, 0)]), alone);
        near(stratified_tail(&[counts(5, 5, 0, 0)]), 1.0);
    }

    #[test]
    fn the_classic_case_is_published_among_nine_candidates() {
        // Three of three, base rate one in ten, and eight others of no worth.
        let mut probabilities = vec![1.0; 8];
        probabilities.push(binomial_tail(3, 3, 0.1));
        assert_eq!(benjamini_hochberg(&probabilities, 0, 0.1).iter().filter(|passes| **passes).count(), 1);
    }

    #[test]
    fn the_step_up_rule_is_that_of_the_paper() {
        // Benjamini and Hochberg 1995, section 3.1, at 5 %: the four smallest pass.
        let probabilities = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719,
            0.6528, 0.7590, 1.0,
        ];
        let passes = benjamini_hochberg(&probabilities, 0, 0.05);
        assert_eq!(passes.iter().filter(|passes| **passes).count(), 4);
    }

    proptest! {
        #[test]
        fn more_evidence_never_looks_like_less(a in 0..40_u32, b in 0..40_u32, c in 0..40_u32, d in 0..40_u32) {
            let now = stratified_tail(&[counts(a, b, c, d)]);
            if b > 0 {
                prop_assert!(stratified_tail(&[counts(a + 1, b - 1, c, d)]) <= now + 1e-9);
            }
            prop_assert!((0.0..=1.0).contains(&now));
        }

        #[test]
        fn treated_and_outcome_are_alike(a in 0..40_u32, b in 0..40_u32, c in 0..40_u32, d in 0..40_u32) {
            let one = stratified_tail(&[counts(a, b, c, d)]);
            let other = stratified_tail(&[counts(a, c, b, d)]);
            prop_assert!((one - other).abs() < 1e-9);
        }

        #[test]
        fn the_order_of_strata_and_claims_does_not_matter(
            mut strata in prop::collection::vec((0..9_u32, 0..9_u32, 0..9_u32, 0..9_u32), 1..5),
            mut probabilities in prop::collection::vec(0.0..1.0_f64, 1..20),
        ) {
            let of = |strata: &[(u32, u32, u32, u32)]| {
                stratified_tail(&strata.iter().map(|(a, b, c, d)| counts(*a, *b, *c, *d)).collect::<Vec<_>>())
            };
            let one = of(&strata);
            strata.reverse();
            prop_assert!((one - of(&strata)).abs() < 1e-9);
            let mut forward = benjamini_hochberg(&probabilities, 0, 0.1);
            probabilities.reverse();
            forward.reverse();
            prop_assert_eq!(forward, benjamini_hochberg(&probabilities, 0, 0.1));
        }

        #[test]
        fn many_cases_are_judged_as_few_are(a in 100..400_u32, b in 100..400_u32, c in 100..400_u32) {
            let table = counts(a, b, c, 300);
            let (exact, normal) = (exact_tail(&[&table]), normal_tail(&[&table]));
            prop_assert!((exact - normal).abs() < 0.01, "{} {}", exact, normal);
        }
    }
}
