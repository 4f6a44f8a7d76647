//! A candidate with some of its claims, worded again.

use std::collections::BTreeSet;

use crate::skillify::{Candidate, Claim, Material, Offline, Proposer as _, SupportedClaim, Wording};

/// The candidate with some of its claims only.
pub(super) fn reduced(candidate: &Candidate, claims: Vec<SupportedClaim>) -> Candidate {
    let wording = worded(&claims, &candidate.wording.when_to_use);
    Candidate { wording, claims, ..candidate.clone() }
}

/// A wording of these claims that keeps the requests among the lines of another one.
pub(super) fn worded<'l>(
    claims: &[SupportedClaim],
    when_to_use: impl IntoIterator<Item = &'l String>,
) -> Wording {
    let mut wording = Offline.word(&Material::of(claims.to_vec()));
    let asked = when_to_use.into_iter().filter(|line| line.starts_with("When asked"));
    for line in asked {
        if let (Some(asked), Some(description)) =
            (line.strip_prefix("When "), wording.description.strip_suffix('.'))
        {
            wording.description = format!("{description}, or when {asked}");
        }
        wording.when_to_use.push(line.clone());
    }
    wording
}

pub(super) fn claims(candidate: &Candidate) -> BTreeSet<Claim> {
    candidate.claims.iter().map(|claim| claim.claim.clone()).collect()
}
