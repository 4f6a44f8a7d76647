//! Topics: what a claim is about.

use serde::{Deserialize, Serialize};

use super::super::template::Template;
use super::{COMMIT, Claim};
use crate::shell::command::{Command, single};
use crate::shell::family::Family;

/// What a skill is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Topic {
    /// Steps that belong together: a procedure.
    Work,
    /// What to run after a change.
    Changes,
    /// Tests.
    Tests,
    /// Lint and format.
    Lint,
    /// Type checks.
    Types,
    /// Builds.
    Build,
    /// What others made and a project needs.
    Dependencies,
    /// The repository's history.
    VersionControl,
    /// GitHub, GitLab and the like, by the program.
    Forge(String),
    /// Files that change together.
    Files,
    /// Where things are.
    Locations,
    /// A rule that people stated.
    Rule,
    /// Commands that do not work here.
    Commands,
    /// One program or task.
    Task(String),
}

impl Topic {
    /// Whether its claims may be told beside those of other topics.
    pub(in crate::skillify) const fn may_join(&self) -> bool {
        matches!(
            self,
            Self::Types
                | Self::Build
                | Self::Dependencies
                | Self::VersionControl
                | Self::Forge(_)
                | Self::Task(_)
        )
    }

    /// What a claim that stands by itself is about.
    pub(in crate::skillify) fn of(claim: &Claim) -> Self {
        match claim {
            Claim::Run(_) | Claim::Edit(_) => Self::Work,
            Claim::Check { edited, run } => Self::of_check(&edited.to_string(), run),
            Claim::Together { .. } => Self::Files,
            Claim::Declared { .. } | Claim::Missing { .. } => Self::Locations,
            // The model decides how its lessons form skills; a single one is told as a rule.
            Claim::Rule { .. } | Claim::Lesson { .. } => Self::Rule,
            Claim::Rejects { run, .. }
            | Claim::Changes { run }
            | Claim::Slow { run, .. }
            | Claim::Flaky { run } => Self::of_command(run),
            Claim::Snippet { .. } | Claim::NoSkill { .. } => Self::Commands,
            Claim::Piped { .. } | Claim::Asked { .. } | Claim::Hook { .. } | Claim::Leftover { .. } => {
                Self::Changes
            }
            Claim::Prevent { command, .. } if command.to_string() == COMMIT => Self::Changes,
            Claim::NoFlag { run, .. } => match Self::of_command(run) {
                Self::Task(_) => Self::Commands,
                topic => topic,
            },
            Claim::Repair { command, .. } | Claim::Prevent { command, .. } => Self::of_command(command),
            Claim::Instead { run, failed } => match Self::of_command(run) {
                Self::Task(_) => match Self::of_command(failed) {
                    Self::Task(_) => Self::Commands,
                    topic => topic,
                },
                topic => topic,
            },
            Claim::Prefer { prefer, .. } => match Self::of_command(prefer) {
                Self::Task(_) => Self::Commands,
                topic => topic,
            },
            Claim::Avoid(command) => match Self::of_command(command) {
                Self::Task(_) => Self::Commands,
                topic => topic,
            },
        }
    }

    fn of_check(edited: &str, run: &Template) -> Self {
        let names_a_file =
            run.to_string().split(' ').skip(1).any(|word| word.contains('/') || word.contains('.'));
        match Self::of_command(run) {
            topic @ Self::Tests if edited.contains('{') || names_a_file => topic,
            _ => Self::Changes,
        }
    }

    fn of_command(template: &Template) -> Self {
        let text = template.to_string();
        let Some(command) = single(&text) else { return Self::Task(text) };
        match command.family() {
            Family::Test => Self::Tests,
            Family::Lint | Family::Format => Self::Lint,
            Family::TypeCheck => Self::Types,
            Family::Build => Self::Build,
            Family::Install => Self::Dependencies,
            Family::VersionControl => match command.verb().first() {
                Some(&program) if program != "git" => Self::Forge(program.to_owned()),
                _ => Self::VersionControl,
            },
            Family::Other => Self::Task(task(&command)),
        }
    }
}

/// Program and subcommand.
pub(in crate::skillify) fn task(command: &Command) -> String {
    command.verb().join(" ")
}
