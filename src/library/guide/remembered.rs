//! What the state remembers of the block.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::skillify::Claim;

/// What is remembered of the block.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::library) struct Guide {
    /// The facts that were written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) written: Vec<Fact>,
    /// The lines of the block that waits for a person: none of them where the block should go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) proposed: Option<Vec<String>>,
    /// The facts among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) proposed_facts: Vec<Fact>,
    /// What people changed, deleted or rejected.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) refused: BTreeSet<Claim>,
    /// A person deleted the block.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) declined: bool,
    /// Statements outside of the block that sessions contradict.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) corrections: BTreeSet<String>,
    /// What contradicts statements that people keep as they are.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) kept: BTreeSet<Claim>,
}

/// A line of the block that sessions prove.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(in crate::library) struct Fact {
    pub(super) text: String,
    pub(super) claims: BTreeSet<Claim>,
}

impl Fact {
    pub(super) fn line(&self) -> String {
        format!("- {}", self.text)
    }
}
