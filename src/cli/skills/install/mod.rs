//! `skillspan skills install` and `update`: a team's library, where each assistant of this machine loads skills.
//!
//! | file | holds |
//! |---|---|
//! | `source.rs` | a repository or a folder → the skills in it |
//! | `places.rs` | which folders each assistant loads skills from |
//! | `record.rs` | what was installed, and what it was then |
//! | `put.rs` | the skills in a folder, without what a person changed |
//! | `mod.rs` | the commands |
//!
//! Invariants: only files that were installed and are as they were are changed or removed; a skill of which a person
//! changed, added to or deleted anything stays as it is, and that is said. Nothing of the source is executed: links are
//! not followed, git runs no hooks and no filters.

mod places;
mod put;
mod record;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;

use self::put::Outcome;
use self::record::{Install, Record};
use self::source::Source;
use crate::cli::connect::{ASSISTANTS, Assistant, Fresh, unknown};
use crate::cli::{Failure, OrFail, print};
use crate::event::Timestamp;

/// Sessions that begin look for new skills no more often than this.
const FRESH: Duration = Duration::from_secs(600);

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// Where the skills are: https://…, ssh://…, user@host:path, file://… or a folder
    #[arg(long, value_name = "REMOTE", required_unless_present = "remove")]
    from: Option<String>,
    /// The branch to take them from
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,
    /// Only for this assistant, such as claude-code; else for all that are found
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    assistant: Vec<String>,
    /// Into the project in this folder, rather than for all your sessions
    #[arg(long, value_name = "FOLDER", num_args = 0..=1, default_missing_value = ".")]
    project: Option<PathBuf>,
    /// Do not let assistants look for new skills when a session begins
    #[arg(long)]
    no_hook: bool,
    /// Remove the skills again; what a person changed stays
    #[arg(long)]
    remove: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct UpdateArguments {
    /// For hooks: return at once, print nothing, look at most every ten minutes
    #[arg(long)]
    quiet: bool,
}

pub(in crate::cli) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut record = Record::open()?;
    if arguments.remove {
        return remove(&mut record, arguments);
    }
    let from = arguments.from.as_deref().unwrap_or_default();
    let source = Source::parse(from, arguments.branch.as_deref()).map_err(Failure::Usage)?;
    let assistants = chosen(&arguments.assistant)?;
    let project = project_of(arguments)?;
    let folders = places::folders(&assistants, project.as_deref());
    if folders.is_empty() {
        return Err(Failure::Failed(anyhow!(
            "no assistant was found that loads skills; name one with --assistant: {}",
            places::names().join(", ")
        )));
    }
    let found = source.read()?;
    let mut text = String::new();
    let mut install = record.take(&source, project.as_deref());
    let mut done = Ok(());
    for (folder, of) in folders {
        install.assistants.extend(of.iter().map(|name| (*name).to_owned()));
        let files = install.folders.entry(folder.clone()).or_default();
        match put::put(&folder, &found.skills, files, true) {
            Ok(outcome) => text.push_str(&said(&folder, &outcome, found.skills.len())),
            Err(error) => done = Err(error).with_context(|| folder.display().to_string()).or_fail(),
        }
    }
    install.revision = found.revision;
    install.checked_at = Timestamp::now().to_string();
    record.installs.push(install);
    // Installed skills are recorded even if another one failed.
    record.save()?;
    if !arguments.no_hook && project.is_none() {
        text.push_str(&ask_for_fresh(&assistants));
    }
    print(&text)?;
    done
}

pub(in crate::cli) fn update(arguments: &UpdateArguments) -> Result<(), Failure> {
    if arguments.quiet {
        // A session must begin, whatever becomes of this.
        let _ = in_the_background();
        return Ok(());
    }
    let mut record = Record::open()?;
    if record.installs.is_empty() {
        return Err(Failure::Failed(anyhow!(
            "nothing is installed; install skills with `skillspan skills install --from REMOTE`"
        )));
    }
    let (mut text, mut failures) = (String::new(), Vec::new());
    for install in &mut record.installs {
        // What failed is asked again no sooner either.
        install.checked_at = Timestamp::now().to_string();
        match refresh(install) {
            Ok(said) => text.push_str(&said),
            Err(failure) => failures.push(format!("{}: {failure}", install.from)),
        }
    }
    record.save()?;
    print(&text)?;
    match failures.as_slice() {
        [] => Ok(()),
        failures => Err(Failure::Failed(anyhow!("{}; what is installed stays", failures.join("; ")))),
    }
}

fn refresh(install: &mut Install) -> Result<String, Failure> {
    let found = Source::parse(&install.from, install.branch.as_deref()).map_err(Failure::Usage)?.read()?;
    let mut text = String::new();
    for (folder, files) in &mut install.folders {
        let outcome = put::put(folder, &found.skills, files, false).or_fail()?;
        text.push_str(&said(folder, &outcome, found.skills.len()));
    }
    install.revision = found.revision;
    Ok(text)
}

/// The same in a process that nobody waits for, unless it was done a while ago.
fn in_the_background() -> Result<(), Failure> {
    let record = Record::look()?;
    let now = Timestamp::now();
    let is_due = |install: &Install| {
        let last = Timestamp::parse_rfc3339(&install.checked_at);
        last.is_none_or(|last| last <= now.saturating_sub(FRESH))
    };
    if !record.installs.iter().any(is_due) {
        return Ok(());
    }
    let mut command = Command::new(std::env::current_exe().or_fail()?);
    command
        .args(["skills", "update"])
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // What ends the assistant's processes does not end this one.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn().map(drop).or_fail()
}

fn remove(record: &mut Record, arguments: &Arguments) -> Result<(), Failure> {
    let project = project_of(arguments)?;
    let project = project.as_deref();
    let is_meant = |install: &Install| {
        arguments.from.as_ref().is_none_or(|from| install.from == *from)
            && install.project.as_deref() == project
            && arguments.branch.as_ref().is_none_or(|branch| install.branch.as_ref() == Some(branch))
    };
    if !record.installs.iter().any(is_meant) {
        let known: Vec<&str> = record.installs.iter().map(|install| install.from.as_str()).collect();
        let known = if known.is_empty() { "nothing".to_owned() } else { known.join(", ") };
        return Err(Failure::Failed(anyhow!("none of this is installed; installed: {known}")));
    }
    let only = if arguments.assistant.is_empty() { None } else { Some(chosen(&arguments.assistant)?) };
    let mut text = String::new();
    for install in record.installs.iter_mut().filter(|install| is_meant(install)) {
        let here = only.as_ref().map(|only| places::folders(only, project));
        let is_here = |folder: &PathBuf| here.as_ref().is_none_or(|here| here.contains_key(folder));
        for (folder, files) in install.folders.iter_mut().filter(|(folder, _)| is_here(folder)) {
            let outcome = put::put(folder, &BTreeMap::new(), files, false).or_fail()?;
            text.push_str(&said(folder, &outcome, 0));
        }
        install.folders.retain(|folder, _| !is_here(folder));
        let left = |name: &String| only.as_ref().is_some_and(|only| !only.iter().any(|one| one.name == name));
        install.assistants.retain(left);
    }
    let all: BTreeSet<String> = record.installs.iter().map(|install| install.from.clone()).collect();
    record.installs.retain(|install| !install.folders.is_empty());
    for from in all.iter().filter(|from| record.installs.iter().all(|install| install.from != **from)) {
        // A failure to remove one is reported, and the others are removed all the same.
        text.push_str(&source::forget(from).unwrap_or_else(|error| format!("{error:#}\n")));
    }
    // With nothing installed, there is nothing to ask for.
    let of_people = || record.installs.iter().filter(|install| install.project.is_none());
    for assistant in ASSISTANTS {
        let Some(fresh) = Fresh::of(assistant.name) else { continue };
        if of_people().any(|install| install.assistants.contains(assistant.name)) {
            continue;
        }
        // A file that was never written or is gone need not be removed.
        match fresh.remove() {
            Ok(Some(done)) => text.push_str(&format!("{done}\n")),
            Ok(None) => {}
            Err(failure) => text.push_str(&format!("{failure}\n")),
        }
    }
    record.save()?;
    crate::cli::connect::remove_empty_folders().or_fail()?;
    print(&text)
}

fn ask_for_fresh(assistants: &[&'static Assistant]) -> String {
    let mut text = String::new();
    let (with, without): (Vec<&Assistant>, Vec<&Assistant>) =
        assistants.iter().partition(|assistant| Fresh::of(assistant.name).is_some());
    for assistant in with {
        let Some(fresh) = Fresh::of(assistant.name) else { continue };
        match fresh.write() {
            Ok(done) => {
                let _ = writeln!(
                    text,
                    "{done}\n  {} looks for new skills when a session begins",
                    assistant.title
                );
            }
            Err(failure) => {
                let _ =
                    writeln!(text, "{failure}\n  {} does not look for new skills by itself", assistant.title);
            }
        }
    }
    let titles: Vec<&str> = without.iter().map(|assistant| assistant.title).collect();
    if !titles.is_empty() {
        let _ = writeln!(text, "{}: run `skillspan skills update` for new skills", titles.join(", "));
    }
    text
}

/// The project's folder.
fn project_of(arguments: &Arguments) -> Result<Option<PathBuf>, Failure> {
    let Some(folder) = &arguments.project else { return Ok(None) };
    match std::fs::canonicalize(folder) {
        Ok(folder) if folder.is_dir() => Ok(Some(folder)),
        Ok(_) => Err(Failure::Usage(anyhow!("--project {}: it is not a folder", folder.display()))),
        Err(error) => Err(Failure::Usage(anyhow!("--project {}: {error}", folder.display()))),
    }
}

/// The named assistants, or those of this machine.
fn chosen(names: &[String]) -> Result<Vec<&'static Assistant>, Failure> {
    if names.is_empty() {
        return Ok(ASSISTANTS.iter().filter(|assistant| assistant.found().is_some()).collect());
    }
    let known = |name: &String| {
        let found = ASSISTANTS.iter().find(|assistant| assistant.name == name);
        found.ok_or_else(|| unknown(name, &places::names()))
    };
    names.iter().map(known).collect()
}

/// A line a folder, and one for each skill that was left alone.
fn said(folder: &Path, outcome: &Outcome, all: usize) -> String {
    let Outcome { new, changed, gone, left } = outcome;
    let mut text = format!(
        "{}: {} new, {} changed, {} removed, {} left alone; the library has {all}\n",
        folder.display(),
        new.len(),
        changed.len(),
        gone.len(),
        left.len()
    );
    for (name, reason) in left {
        let _ = writeln!(text, "  {name}: {reason}");
    }
    text
}
