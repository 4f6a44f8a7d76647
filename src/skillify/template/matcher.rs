//! A template that remembers which commands it matches: sessions run the same ones again and again.

use std::cell::RefCell;

use hashbrown::HashTable;

use super::super::hash_index::spread;
use super::super::session::action::Action;
use super::Template;
use crate::shell::command::Command;

/// A template, and the commands that it was compared with, by where they stand in memory.
pub(in crate::skillify) struct Matcher<'t> {
    template: &'t Template,
    known: RefCell<HashTable<(usize, bool)>>,
}

impl<'t> Matcher<'t> {
    pub(in crate::skillify) fn of(template: &'t Template) -> Self {
        Self { template, known: RefCell::default() }
    }

    /// [`Template::matches`]. The command must stay where it is as long as this lives.
    pub(in crate::skillify) fn matches(&self, command: &Command) -> bool {
        let address = std::ptr::from_ref(command).addr();
        // Different addresses have different hashes.
        let hash = |address: usize| spread(address as u64);
        let mut known = self.known.borrow_mut();
        if let Some((_, matches)) = known.find(hash(address), |(other, _)| *other == address) {
            return *matches;
        }
        let matches = self.template.matches(command);
        known.insert_unique(hash(address), (address, matches), |(address, _)| hash(*address));
        matches
    }

    /// Whether the action runs a command that it matches.
    pub(in crate::skillify) fn is_run_by(&self, action: &Action) -> bool {
        action.command().is_some_and(|command| self.matches(command))
    }
}
