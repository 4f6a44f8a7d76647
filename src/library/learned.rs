//! Answers of a model, kept beside the tree so that no worker pays for one twice.
//!
//! An answer is dropped when no candidate of its workspace uses it any more, so mining bounds how many there are. The first
//! answer to a question stays, so two workers that ask at the same time write the same words.

use std::collections::{BTreeMap, BTreeSet};

use crate::skillify::llm::Spent;
use crate::skillify::short_hash;

/// What a run of the LLM step brought for one workspace of a tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Learned {
    /// See [`Learned::place`].
    pub place: String,
    /// Every answer that the workspace's candidates are worded with, by the key of its question.
    pub answers: BTreeMap<String, String>,
    /// What was spent since the last findings, by UTC date.
    pub spent: BTreeMap<String, Spent>,
    /// Pairs of skills, by their claims as they print, that the model takes for one.
    pub same: Vec<[BTreeSet<String>; 2]>,
}

impl Learned {
    /// How a state names the workspace of a tenant: names of tenants do not belong in it.
    pub fn place(tenant: &str, workspace: &str) -> String {
        short_hash(&[tenant, workspace], 6)
    }

    /// Takes over what earlier findings spent that no target has seen.
    pub fn also_spent(&mut self, earlier: &BTreeMap<String, Spent>) {
        for (date, spent) in earlier {
            self.spent.entry(date.clone()).or_default().add(*spent);
        }
    }
}
