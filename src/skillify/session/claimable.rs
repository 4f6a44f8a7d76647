//! Which commands of a session may stand in a claim.

use super::action::{Action, What};
use crate::shell::command::Command;

impl Action {
    /// Its command, if that can stand in a claim. A digest has no other commands.
    pub(super) fn claimable(&self) -> Option<&Command> {
        let command = self.command().filter(|_| !self.scratch)?;
        (!command.is_trivial() && command.is_literal()).then_some(command)
    }
}

/// The command of an action that can stand in a claim.
pub(in crate::skillify) fn claimable(action: &Action) -> Option<&Command> {
    action.claimable()
}

/// The command of a digest's action, or the tool that it called, if that is a name and nothing else.
pub(in crate::skillify) fn repairable(action: &Action) -> Option<&Command> {
    action.command().or_else(|| match &action.what {
        What::Tool(tool) => Some(&**tool).filter(|tool| is_name(&tool.text())),
        _ => None,
    })
}

pub(super) fn is_name(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|char: char| char.is_ascii_alphabetic())
        && text.chars().all(|char| char.is_ascii_alphanumeric() || "_-.".contains(char))
}
