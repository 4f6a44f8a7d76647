//! `skillspan skills`: what stands at the targets, and what people decide about it.
//!
//! | file | commands |
//! |---|---|
//! | `mod.rs` | the arguments; which target is meant |
//! | `show.rs` | `list`, `show`, `evidence`, `history` |
//! | `decide.rs` | `approve`, `reject`, `restore`, `withdraw` |
//! | `lint.rs` | `lint` |
//! | `test.rs` | `test` |
//! | `install/` | `install`, `update` |

mod decide;
mod install;
mod lint;
mod show;
mod test;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::config::Settings;
use crate::library::Decision;
use crate::views::skills::{self as views, Found};

use super::{ConfigFile, Failure, OrFail, print_as_is, print_either, print_json};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the skills
    List {
        #[command(flatten)]
        config: ConfigFile,
        /// Print one JSON object per line
        #[arg(long)]
        json: bool,
    },
    /// Show a skill: its text, its evidence and what is proposed
    Show(Named),
    /// Show the sessions behind each claim of a skill
    Evidence(Named),
    /// Show when a skill was published, changed, retired, and why
    History(Named),
    /// Publish what is proposed for a skill, even over what a person changed
    Approve(Named),
    /// Reject what is proposed for a skill, for good
    Reject {
        #[command(flatten)]
        named: Named,
        /// Why, for the skill's history
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        reason: String,
    },
    /// Bring back a skill that was deleted, withdrawn or retired; one that was never published waits again
    Restore(Named),
    /// Remove a published skill, for good
    Withdraw {
        #[command(flatten)]
        named: Named,
        /// Why, for the skill's history
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        reason: String,
    },
    /// Copy skills from a repository or a folder to where assistants load them
    Install(install::Arguments),
    /// Get what is new for installed skills; what a person changed stays
    Update(install::UpdateArguments),
    /// Test a lesson on the sessions; exit code 1 if they contradict it
    Test(test::Arguments),
    /// Check the texts of skills; exit code 1 if anything is wrong
    Lint {
        #[command(flatten)]
        config: ConfigFile,
        /// SKILL.md files or folders of them; without any, those that are published
        paths: Vec<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(super) struct Named {
    #[command(flatten)]
    config: ConfigFile,
    /// The skill's name or id
    name: String,
    /// Only where this tenant's skills are (tenants share a server: extensions.auth)
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::List { config, json } => print_either(&show::list(&config.load()?, *json)?, *json),
        Command::Show(named) => {
            let text = show::show(&find(&named.config.load()?, named)?, named.json);
            if named.json { print_json(&text) } else { print_as_is(&text) }
        }
        Command::Evidence(named) => print_either(&show::evidence(&named.config.load()?, named)?, named.json),
        Command::History(named) => {
            print_either(&show::history(&find(&named.config.load()?, named)?, named.json), named.json)
        }
        Command::Install(arguments) => install::run(arguments),
        Command::Update(arguments) => install::update(arguments),
        Command::Test(arguments) => test::test(arguments),
        Command::Approve(named) => decide::decide(named, Decision::Approve, ""),
        Command::Reject { named, reason } => decide::decide(named, Decision::Reject, reason),
        Command::Lint { config, paths } => lint::lint(config, paths),
        Command::Restore(named) => decide::decide(named, Decision::Restore, ""),
        Command::Withdraw { named, reason } => decide::decide(named, Decision::Withdraw, reason),
    }
}

/// The skill, at every target that has it.
fn find(settings: &Settings, Named { name, tenant, .. }: &Named) -> Result<Vec<Found>, Failure> {
    views::find(settings, name, tenant.as_deref()).or_fail()
}
