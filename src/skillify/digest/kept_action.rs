//! An action as a digest keeps it, and by what pieces of work are compared.

use super::super::session::action::{Action, What};
use super::super::session::checkout::Checkout;
use super::super::session::claimable::claimable;
use super::super::session::outcome::Outcome;

impl Action {
    /// As a digest keeps it: a command that no claim can speak of as its token alone, a file by its
    /// path in the repository; `None` for what says nothing of the work.
    pub(in crate::skillify) fn digested(&self, outcome: Outcome, checkout: &Checkout<'_>) -> Option<Self> {
        let what = match &self.what {
            What::Skill | What::Look => return None,
            What::Command(command) if command.is_trivial() => return None,
            What::Command(command) if claimable(self).is_none() => {
                let is_own = self.scratch || !command.may_be_a_step();
                if is_own {
                    What::Opaque(command.token().to_owned())
                } else {
                    What::Unsaid(command.token().to_owned())
                }
            }
            What::Edit(path) => What::Edit(checkout.within(path).to_owned()),
            what => what.clone(),
        };
        Some(Self { what, outcome, said_first: None, ..self.clone() })
    }

    /// The token by which the work is compared; `None` for what every work has.
    pub(in crate::skillify) fn token(&self) -> Option<String> {
        match &self.what {
            What::Command(command) if command.is_trivial() => None,
            What::Command(command) => Some(format!("run {}", command.token())),
            What::Opaque(token) | What::Unsaid(token) => Some(format!("run {token}")),
            What::Edit(path) => Some(format!("edit {}", path.rsplit('/').next().unwrap_or_default())),
            What::Tool(name) => Some(format!("tool {}", name.text())),
            What::Skill | What::Look => None,
        }
    }
}
