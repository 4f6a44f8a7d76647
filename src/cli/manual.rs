//! `skillspan completions`, `skillspan man`: what shells and `man` know of the command line, from the same definitions
//! as `--help`.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::builder::PossibleValuesParser;
use clap::{Args, Command, CommandFactory, ValueHint};
use clap_complete::Shell;

use super::{Cli, Failure, OrFail, connect, write};
use crate::dialects::{HOOKS, TRANSCRIPTS};

/// The section of the manual that programs are in.
const SECTION: &str = "1";

#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell to complete in
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
    let mut command = with_names(shown());
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "skillspan", &mut script);
    let mut script = String::from_utf8(script).or_fail()?;
    if shell == Shell::Fish {
        script.push_str(&more_for_fish(&command));
    }
    write(&script)
}

/// Arguments that take the name of an assistant: the commands to them, their id, and the names. Who writes another one
/// is told which is near, so they are no closed list where the command line is read.
fn named() -> [(&'static [&'static str], &'static str, Vec<&'static str>); 5] {
    let hooks = || HOOKS.iter().map(|hooks| hooks.assistant).collect();
    [
        (&["connect"], "client", connect::names()),
        (&["skills", "install"], "assistant", connect::ASSISTANTS.iter().map(|one| one.name).collect()),
        (&["import"], "assistant", TRANSCRIPTS.iter().map(|known| known.assistant).collect()),
        (&["explain"], "hook", hooks()),
        (&["hook"], "assistant", hooks()),
    ]
}

/// The same with the names of assistants.
fn with_names(mut command: Command) -> Command {
    for (path, argument, names) in named() {
        command = at(command, path, &|command| {
            command
                .mut_arg(argument, |argument| argument.value_parser(PossibleValuesParser::new(names.clone())))
        });
    }
    command
}

/// Changes the command below others.
fn at(command: Command, path: &[&str], change: &dyn Fn(Command) -> Command) -> Command {
    match path.split_first() {
        None => change(command),
        Some((first, rest)) => command.mut_subcommand(first, |command| at(command, rest, change)),
    }
}

/// Completions for fish: adds the values of arguments without a name, and the words after `help`.
fn more_for_fish(command: &Command) -> String {
    let mut script = String::new();
    for sub in command.get_subcommands() {
        let values = sub.get_positionals().flat_map(|argument| argument.get_possible_values());
        let values: Vec<String> = values.map(|value| value.get_name().to_owned()).collect();
        if !values.is_empty() {
            let (name, values) = (sub.get_name(), values.join(" "));
            let _ = writeln!(
                script,
                "complete -c skillspan -n \"__fish_skillspan_using_subcommand {name}\" -f -a \"{values}\""
            );
        }
    }
    let names: Vec<&str> =
        command.get_subcommands().map(Command::get_name).filter(|name| *name != "help").collect();
    let _ = writeln!(
        script,
        "complete -c skillspan -n \"__fish_skillspan_using_subcommand help\" -f -a \"{}\"",
        names.join(" ")
    );
    script
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

/// The command line without hidden commands, which the generators of completions and pages would show.
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
