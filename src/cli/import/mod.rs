//! `skillspan import`: the sessions that assistants keep on this machine, to the table.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | the command |
//! | `found.rs` | which files there are, whose they are, and what of them is taken |
//! | `ask.rs` | what a person is shown and asked before anything is read whole |
//! | `way.rs` | [`Way`]: a collector, or the pipelines within this process |
//! | `carry.rs` | every file to its end, and how far that is |
//! | `report.rs` | what came of it |
//!
//! It shows what it found and asks; only then is anything stored, and only `--endpoint` sends anything to another
//! machine. What was acknowledged is remembered, so that the same command later brings what is new, and one that
//! was stopped goes on.

mod ask;
mod carry;
mod found;
mod report;
mod way;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;

use crate::config::parse_duration;
use crate::dialects::{TRANSCRIPTS, Transcripts};
use crate::event::capture;
use crate::receivers::hooks;
use crate::redact::{Key, Options, Redactor};

use super::run::start_logging;
use super::{ConfigFile, Failure, OrFail, block_on, folders, print, print_json, skillify};
use carry::Carried;
use found::Found;
use way::Way;

/// Beside the spools of hooks.
const KEY: &str = "redaction.key";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: ConfigFile,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Only of this assistant: claude, cline, codex, copilot, gemini, pi or qwen; may be given
    /// several times
    #[arg(long, value_name = "NAME", value_parser = assistant)]
    assistant: Vec<&'static Transcripts>,
    /// Only sessions in which something happened since then, such as 90d
    #[arg(long, value_name = "TIME", value_parser = span)]
    since: Option<Duration>,
    /// A file, or a folder of files, instead of those of this machine's assistants: also exports
    /// of OTLP, Langfuse, Phoenix and LangSmith
    #[arg(long, value_name = "PATH")]
    path: Vec<PathBuf>,
    /// Only of this repository, as the list names it; may be given several times
    #[arg(long, value_name = "NAME")]
    repository: Vec<String>,
    /// Whose work it is; without it, what folders and the home folder say
    #[arg(long, value_name = "NAME")]
    workspace: Option<String>,
    /// Who worked here; without it, git's user.email
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Show what would be imported; store nothing
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Send to this collector, which may be on another machine
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// A file with the collector's credential, where SKILLSPAN_TOKEN does not say it
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Look for no skills afterwards
    #[arg(long)]
    no_mining: bool,
}

fn assistant(name: &str) -> Result<&'static Transcripts, String> {
    let known = || TRANSCRIPTS.iter().map(|known| known.assistant).collect::<Vec<_>>().join(", ");
    Transcripts::of(name).ok_or_else(|| format!("no files of it are known; known are {}", known()))
}

fn span(text: &str) -> Result<Duration, &'static str> {
    parse_duration(text).ok_or("it is no length of time, such as 90d or 12h")
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let settings = arguments.config.load()?;
    if let Some(variable) = switched_off() {
        return Err(Failure::Usage(anyhow!(
            "{variable} says that nothing of this person's sessions is to be kept; take it away to import them"
        )));
    }
    let home = folders::home()
        .ok_or_else(|| Failure::Usage(anyhow!("HOME is not set: the sessions of assistants are below it")))?;
    let data =
        folders::data().ok_or_else(|| Failure::Usage(anyhow!("neither XDG_DATA_HOME nor HOME is set")))?;
    start_logging(crate::config::LogSettings { level: "warn", ..settings.logs }, true);
    let to = way::described(&settings, arguments.endpoint.as_deref())?;
    found::are_there(&arguments.path)?;
    let mut memory =
        crate::receivers::transcripts::Memory::open(&data.join("skillspan/imports"), &to.name).or_fail()?;
    let mut found = Found::look(arguments, &home, &memory);
    found.choose(&arguments.repository)?;
    if !arguments.json {
        print(&ask::shown(&found, &to, !arguments.path.is_empty()))?;
    }
    if found.is_empty() {
        return finish_empty(arguments, &found);
    }
    if !arguments.yes && !arguments.dry_run {
        ask::ask(&mut found, arguments.json)?;
    }
    let token = token(arguments)?;
    let redactor = arguments.endpoint.as_ref().map(|_| redactor(&data)).transpose()?;
    let carried: Carried = block_on(async {
        let way = match arguments.dry_run {
            true => Way::Nowhere,
            false => Way::open(&settings, arguments.endpoint.as_deref(), token).await?,
        };
        let carried =
            tokio::task::block_in_place(|| carry::all(&found, &mut memory, &way, redactor.as_ref()));
        way.finish().await?;
        Ok::<_, Failure>(carried)
    })?;
    if arguments.json {
        print_json(&report::json(&found, &carried, &to, arguments.dry_run))?;
    } else {
        print(&report::text(&found, &carried, &to, arguments.dry_run))?;
    }
    let mines = !arguments.dry_run && !arguments.no_mining && arguments.endpoint.is_none();
    if mines && !settings.skills.is_empty() && !arguments.json {
        print("\nLooking for skills in all that is stored …\n")?;
        skillify::run_now(&arguments.config)?;
        print(report::NEXT)?;
    }
    carried.failure()
}

/// What leaves the machine is redacted before it does, with the key that hooks of this machine have.
fn redactor(data: &Path) -> Result<Redactor, Failure> {
    let folder = hooks::folder(data);
    std::fs::create_dir_all(&folder).or_fail()?;
    let key = Key::from_file(&folder.join(KEY)).or_fail()?;
    Redactor::new(&Options::default(), key).or_fail()
}

/// Nothing is there to be imported.
fn finish_empty(arguments: &Arguments, found: &Found) -> Result<(), Failure> {
    if arguments.json {
        let carried = Carried::default();
        return print_json(&report::json(found, &carried, &way::Described::default(), arguments.dry_run));
    }
    Ok(())
}

/// The variable by which a person has said that nothing is to be kept.
fn switched_off() -> Option<&'static str> {
    let said = |name: &str| std::env::var(name).is_ok_and(|value| capture::forbids(&value));
    let of_resource = || {
        let attributes = std::env::var("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
        super::hook::pairs(&attributes, super::hook::percent_decoded)
            .iter()
            .any(|(name, value)| name == "skillspan.capture" && capture::forbids(value))
    };
    if said("SKILLSPAN_CAPTURE") {
        return Some("SKILLSPAN_CAPTURE");
    }
    of_resource().then_some("OTEL_RESOURCE_ATTRIBUTES")
}

/// The collector's credential, `""` if it asks for none.
fn token(arguments: &Arguments) -> Result<String, Failure> {
    let said = std::env::var("SKILLSPAN_TOKEN").unwrap_or_default();
    match &arguments.token_file {
        Some(path) if said.is_empty() => match std::fs::read_to_string(path) {
            Ok(text) => Ok(text.trim().to_owned()),
            Err(error) => {
                Err(Failure::Usage(anyhow!("the token cannot be read: {}: {error}", path.display())))
            }
        },
        _ => Ok(said),
    }
}
