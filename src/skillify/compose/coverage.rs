//! Coverage: what other claims say already, so that no procedure repeats it.

use std::collections::BTreeSet;

use super::super::claim::SupportedClaim;

/// The commands that published claims speak of.
pub(in crate::skillify) struct Coverage(BTreeSet<String>);

impl Coverage {
    pub(in crate::skillify) fn by(claims: &[SupportedClaim]) -> Self {
        Self(commands_of(claims.iter()))
    }

    /// Whether they ask for the step's command, or speak of it.
    pub(in crate::skillify) fn speaks_of(&self, step: &SupportedClaim) -> bool {
        commands_of(std::iter::once(step)).is_subset(&self.0)
    }

    /// Whether they speak of all these steps.
    pub(in crate::skillify) fn has<'a>(&self, steps: impl Iterator<Item = &'a SupportedClaim>) -> bool {
        let done = commands_of(steps);
        !done.is_empty() && done.is_subset(&self.0)
    }
}

fn commands_of<'a>(claims: impl Iterator<Item = &'a SupportedClaim>) -> BTreeSet<String> {
    claims.flat_map(|claim| claim.claim.templates()).map(ToString::to_string).collect()
}
