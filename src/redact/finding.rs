//! What is found in a text.

use super::automaton::Found;

/// A secret in a text.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) start: usize,
    pub(super) end: usize,
    /// By number; see [`super::Redactor`].
    pub(super) rule: usize,
    /// What it is called, if not as its rule.
    pub(super) name: Option<&'static str>,
}

/// What a rule tells of a secret.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) found: Found,
    /// What it is called, if not as its rule.
    pub(super) name: Option<&'static str>,
}

impl Told {
    pub(super) const fn of_rule(found: Found) -> Self {
        Self { found, name: None }
    }
}
