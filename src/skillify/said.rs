//! What candidates say already, so that no other says it again.

use std::collections::{BTreeMap, BTreeSet};

use super::claim::{Candidate, SupportedClaim};

/// What candidates that are there already say.
pub(super) struct Said {
    /// The published ones, all together.
    published: BTreeSet<String>,
    /// Each one that is held, and which of them speak of a command.
    held: Vec<BTreeSet<String>>,
    held_by_command: BTreeMap<String, Vec<usize>>,
}

impl Said {
    pub(super) fn by(others: &[Candidate]) -> Self {
        let (published, held): (Vec<_>, Vec<_>) =
            others.iter().partition(|candidate| candidate.is_published());
        let commands = |candidate: &&Candidate| commands_of(candidate.claims.iter());
        let held: Vec<BTreeSet<String>> = held.iter().map(commands).collect();
        let mut held_by_command: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, said) in held.iter().enumerate() {
            said.iter().for_each(|command| held_by_command.entry(command.clone()).or_default().push(at));
        }
        Self { published: published.iter().flat_map(commands).collect(), held, held_by_command }
    }

    /// Whether they speak of all these steps: the published ones together, or one that is held.
    pub(super) fn has<'a>(&self, steps: impl Iterator<Item = &'a SupportedClaim>) -> bool {
        let done = commands_of(steps);
        let Some(first) = done.first() else { return false };
        let held = self.held_by_command.get(first).into_iter().flatten();
        done.is_subset(&self.published)
            || held.filter_map(|at| self.held.get(*at)).any(|said| done.is_subset(said))
    }
}

fn commands_of<'a>(claims: impl Iterator<Item = &'a SupportedClaim>) -> BTreeSet<String> {
    claims.flat_map(|claim| claim.claim.templates()).map(ToString::to_string).collect()
}
