//! `skillspan completions`, `skillspan man`: what shells and `man` know of the command line, from the same definitions
//! as `--help`.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Command, CommandFactory, ValueHint};
use clap_complete::Shell;

use super::{Cli, Failure, OrFail, write};

/// The section of the manual that programs are in.
const SECTION: &str = "1";

#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell that completes
    #[arg(value_enum)]
    shell: Known,
}

/// Shells that completions are made for.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Known {
    Bash,
    Zsh,
    Fish,
}

#[derive(Debug, Args)]
pub(super) struct Man {
    /// Write a page for each command into this folder; without it, print the first page
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    into: Option<PathBuf>,
}

/// Prints the completions of one shell.
pub(super) fn completions(arguments: &Completions) -> Result<(), Failure> {
    let shell = match arguments.shell {
        Known::Bash => Shell::Bash,
        Known::Zsh => Shell::Zsh,
        Known::Fish => Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut shown(), "skillspan", &mut script);
    write(&String::from_utf8(script).or_fail()?)
}

/// Prints the manual page of the program, or writes those of all commands.
pub(super) fn man(arguments: &Man) -> Result<(), Failure> {
    let Some(folder) = &arguments.into else {
        let mut page = Vec::new();
        clap_mangen::Man::new(shown().disable_help_subcommand(true)).render(&mut page).or_fail()?;
        return write(&String::from_utf8(page).or_fail()?);
    };
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot create {}", folder.display()))
        .or_fail()?;
    clap_mangen::generate_to(shown().disable_help_subcommand(true), folder).or_fail()?;
    super::print(&format!("{}: manual pages of section {SECTION}; `man -l` shows one\n", folder.display()))
}

/// The command line without what people do not call: what makes completions and pages leaves nothing out by itself.
fn shown() -> Command {
    let whole = Cli::command();
    let visible: Vec<Command> =
        whole.get_subcommands().filter(|command| !command.is_hide_set()).cloned().collect();
    let mut shown = Command::new("skillspan")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .args(whole.get_arguments().cloned())
        .subcommands(visible);
    if let Some(about) = whole.get_about() {
        shown = shown.about(about.clone());
    }
    if let Some(after) = whole.get_after_help() {
        shown = shown.after_help(after.clone());
    }
    shown
}
