//! `skillspan skills`: what stands at the targets, and what people decide about it.
//!
//! | file | commands |
//! |---|---|
//! | `mod.rs` | the arguments; which target is meant |
//! | `show.rs` | `list`, `show`, `evidence`, `history` |
//! | `decide.rs` | `approve`, `reject`, `restore` |
//! | `lint.rs` | `lint` |
//! | `test.rs` | `test` |
//! | `install/` | `install`, `update` |

mod decide;
mod install;
mod lint;
mod show;
mod test;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::anyhow;
use clap::{Args, Subcommand};

use crate::config::Settings;
use crate::exporters::target::Target;
use crate::library::{Decision, Library, Listed};

use super::{ConfigFile, Failure, OrFail, print_as_is, print_either, print_json};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the skills
    List {
        #[command(flatten)]
        config: ConfigFile,
        /// Print one JSON object a line
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
    /// Turn down what is proposed for a skill, for good
    Reject(Named),
    /// Bring back a skill that was deleted or retired
    Restore(Named),
    /// Put skills from a repository or a folder where assistants load them
    Install(install::Arguments),
    /// Get what is new for installed skills; what a person changed stays
    Update(install::UpdateArguments),
    /// Hold a lesson against the sessions; exit code 1 if they contradict it
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
    /// Only where this tenant's skills are (tenants are who shares a server: extensions.auth)
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

/// A skill of a target.
struct Found {
    target: Target,
    library: Library,
    skill: Listed,
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
        Command::Approve(named) => decide::decide(named, Decision::Approve),
        Command::Reject(named) => decide::decide(named, Decision::Reject),
        Command::Test(arguments) => test::test(arguments),
        Command::Lint { config, paths } => lint::lint(config, paths),
        Command::Restore(named) => decide::decide(named, Decision::Restore),
    }
}

/// Every target with what stands there. Git and the disk block, and nothing else runs here.
fn libraries(settings: &Settings) -> impl Iterator<Item = (Target, Result<Library, Failure>)> {
    let targets = settings.skills.iter().flat_map(|pipeline| &pipeline.targets);
    targets.map(|target| (target.clone(), target.load().or_fail()))
}

/// The skill, at every target that has it.
fn find(settings: &Settings, Named { name, tenant, .. }: &Named) -> Result<Vec<Found>, Failure> {
    let mut all: Vec<Found> = Vec::new();
    for (target, library) in libraries(settings) {
        let library = library?;
        if tenant.as_ref().is_some_and(|tenant| !library.is_of(tenant)) {
            continue;
        }
        let skill = library.skills().into_iter().find(|skill| skill.name == *name || skill.id == *name);
        all.extend(skill.map(|skill| Found { target, library, skill }));
    }
    if all.is_empty() {
        return Err(Failure::Failed(anyhow!("no skill {name:?}; `skillspan skills list` names them")));
    }
    let whose = |found: &Found| found.library.tenant().to_owned();
    if all.iter().any(|found| Some(whose(found)) != all.first().map(whose)) {
        return Err(Failure::Failed(anyhow!(
            "several tenants have a skill {name:?}; say whose is meant with --tenant"
        )));
    }
    Ok(all)
}

/// Nothing asks a command to stop but its end.
fn never() -> Arc<std::sync::atomic::AtomicBool> {
    Arc::default()
}
