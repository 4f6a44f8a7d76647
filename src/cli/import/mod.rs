//! `skillspan import`: the sessions that assistants keep on this machine, or that Langfuse has, to the table.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | the command |
//! | `common.rs` | what is the same wherever sessions come from |
//! | `found.rs` | which files there are, whose they are, and what of them is taken |
//! | `ask.rs` | what a person is shown and asked before anything is read whole |
//! | `sink.rs` | [`Way`]: a collector, or the pipelines within this process |
//! | `carry.rs` | every file to its end |
//! | `progress.rs` | how far that is, and [`Stop`](progress::Stop): Ctrl-C |
//! | `langfuse.rs` | `skillspan import langfuse`: pages of Langfuse's API instead of files |
//! | `report.rs` | what came of it |
//!
//! It shows what it found and asks; only then is anything stored, and only `--endpoint` sends anything to another
//! machine. What was acknowledged is remembered, so that the same command later brings what is new, and one that
//! was stopped goes on.

mod ask;
mod carry;
mod common;
mod found;
mod langfuse;
mod progress;
mod report;
mod sink;

use std::path::PathBuf;

use anyhow::anyhow;
use clap::{Args, Subcommand};

use crate::dialects::{TRANSCRIPTS, Transcripts};
use crate::receivers::transcripts::Memory;
use crate::table::{OpenError, Table};

use super::{Failure, OrFail, block_on, folders, print, print_json, reader};
use carry::Carried;
use common::{Common, Ready};
use found::Found;
use progress::Stop;
use sink::Way;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    from: Option<From>,
    #[command(flatten)]
    common: Common,
    /// Only of this assistant: claude, cline, codex, copilot, cursor, gemini, goose, hermes,
    /// openclaw, opencode, pi, qwen or vscode; may be given several times
    #[arg(long, value_name = "NAME", value_parser = assistant)]
    assistant: Vec<&'static Transcripts>,
    /// A file, or a folder of files, instead of those of this machine's assistants: also exports
    /// of OTLP, Langfuse, Phoenix and LangSmith
    #[arg(long, value_name = "PATH")]
    path: Vec<PathBuf>,
    /// Only of this repository, as the list names it; may be given several times
    #[arg(long, value_name = "NAME")]
    repository: Vec<String>,
    /// Who worked here; without it, git's user.email
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
}

#[derive(Debug, Subcommand)]
enum From {
    /// Learn from the traces of a project in Langfuse, read through its API
    Langfuse(langfuse::Arguments),
}

fn assistant(name: &str) -> Result<&'static Transcripts, String> {
    let known = || TRANSCRIPTS.iter().map(|known| known.assistant).collect::<Vec<_>>().join(", ");
    Transcripts::of(name).ok_or_else(|| format!("no files of it are known; known are {}", known()))
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.from {
        Some(From::Langfuse(arguments)) => langfuse::run(arguments),
        None => run_files(arguments),
    }
}

fn run_files(arguments: &Arguments) -> Result<(), Failure> {
    let common = &arguments.common;
    let ready = common.prepare()?;
    let home = folders::home()
        .ok_or_else(|| Failure::Usage(anyhow!("HOME is not set: the sessions of assistants are below it")))?;
    found::are_there(&arguments.path)?;
    forget_what_is_gone(common, &ready)?;
    let mut memory = Memory::open(&ready.memories(), &ready.to.name).or_fail()?;
    let mut found = Found::look(arguments, &home, &memory);
    found.choose(&arguments.repository)?;
    if !common.json {
        print(&ask::shown(&found, &ready.to, !arguments.path.is_empty()))?;
    }
    if found.is_empty() {
        bring_to_the_table(common, &ready)?;
        return finish_empty(common, &found);
    }
    if !common.yes && !common.dry_run {
        ask::ask(&mut found, common.json)?;
    }
    let token = common.token()?;
    let redactor = common.redactor(&ready)?;
    let carried: Carried = block_on(async {
        let stop = Stop::listen().or_fail()?;
        let way = match common.dry_run {
            true => Way::Nowhere,
            false => Way::open(&ready.settings, common.endpoint.as_deref(), token).await?,
        };
        let carried =
            tokio::task::block_in_place(|| carry::all(&found, &mut memory, &way, redactor.as_ref(), &stop));
        way.finish().await?;
        Ok::<_, Failure>(carried)
    })?;
    if common.json {
        print_json(&report::json(&found, &carried, &ready.to, common.dry_run))?;
    } else {
        print(&report::text(&found, &carried, &ready.to, common.dry_run))?;
    }
    if carried.stopped.is_none() {
        common.mine(&ready)?;
    }
    carried.failure()
}

/// Somebody deleted the tables: what was imported to them is in none any more, and so it is new.
fn forget_what_is_gone(common: &Common, ready: &Ready) -> Result<(), Failure> {
    if common.endpoint.is_some() || common.dry_run {
        return Ok(());
    }
    let are_gone = block_on(async {
        for table in ready.settings.tables() {
            let opened = Table::connect_read_only(&table.location).await;
            if !matches!(opened, Err(OpenError::NoTable { .. })) {
                return Ok(false);
            }
        }
        Ok::<_, Failure>(true)
    })?;
    if !are_gone {
        return Ok(());
    }
    match std::fs::remove_dir_all(ready.memories().join(ready.to.folder())) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).or_fail(),
        _ => Ok(()),
    }
}

/// What an import that was killed left in the journal: its files are no news any more, so that nothing else would
/// bring it to the table before a process runs.
fn bring_to_the_table(common: &Common, ready: &Ready) -> Result<(), Failure> {
    if common.dry_run || common.endpoint.is_some() || !reader::waits_in_a_journal(&ready.settings) {
        return Ok(());
    }
    let token = common.token()?;
    block_on(async { Way::open(&ready.settings, None, token).await?.finish().await })?;
    common.mine(ready)
}

/// Nothing is there to be imported.
fn finish_empty(common: &Common, found: &Found) -> Result<(), Failure> {
    if common.json {
        let carried = Carried::default();
        return print_json(&report::json(found, &carried, &sink::Described::default(), common.dry_run));
    }
    Ok(())
}
