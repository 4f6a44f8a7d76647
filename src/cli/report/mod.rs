//! `skillspan report`: what the sessions cost and why, for a terminal, as JSON or as a page.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | the arguments; one session after the other |
//! | `text.rs` | for a terminal |
//! | `page.rs`, `style.css` | as one HTML page that fetches nothing |
//!
//! What is summed and shown is made in [`crate::views::report`].
//!
//! Invariants: sessions are read one after the other and only sums are kept; nothing that a person or a tool said
//! is shown, and no person is named unless `--people` asks for it; the page needs no script and asks for nothing.

mod page;
mod text;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use crate::config::Settings;
use crate::event::{Timestamp, visible};
use crate::table::Session;
use crate::views::report::{Published, Tally, USUAL, View, json, published};
use crate::views::whole::read_whole;

use super::listing::Choice;
use super::reader::TableChoice;
use super::{ConfigFile, Failure, OrFail, block_on, print, print_json, reader};

/// What stands for standard output.
const STANDARD_OUTPUT: &str = "-";

#[derive(Debug, Args)]
#[command(after_help = "Without --since, it reads the sessions of the last 30 days.")]
pub(super) struct Arguments {
    #[command(flatten)]
    config: ConfigFile,
    #[command(flatten)]
    table: TableChoice,
    #[command(flatten)]
    choice: Choice,
    /// Write one HTML page with charts; - is standard output
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    html: Option<PathBuf>,
    /// Name the people, with what their sessions cost
    #[arg(long)]
    people: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Say on standard error how much was read
    #[arg(long)]
    verbose: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let settings = arguments.config.load()?;
    let left_out = |message: String| reader::warn(&message);
    let skills = published(&settings, left_out);
    let now = Timestamp::now();
    let since = arguments.choice.since().unwrap_or_else(|| now.saturating_sub(USUAL));
    let tally = block_on(read(arguments, &settings, since, skills))?;
    let view = View::of(&tally, since, now, arguments.people);
    match &arguments.html {
        _ if arguments.json => print_json(&json(&view)),
        None => print(&text::text(&view)),
        Some(path) => write_page(path, &page::page(&view)),
    }
}

async fn read(
    arguments: &Arguments,
    settings: &Settings,
    since: Timestamp,
    skills: Vec<Published>,
) -> Result<Tally, Failure> {
    let chosen = arguments.table.of(settings)?;
    reader::flush(settings).await;
    let table = reader::open(chosen).await?;
    let options = reader::options(chosen);
    let wanted = arguments.choice.find(&table, &options, Some(since)).await?;
    // The counts by kind of fact are not needed here, and there may be many sessions.
    let wanted: Vec<Session<()>> = wanted.into_iter().map(|session| session.with_facts(())).collect();
    let mut tally = Tally::new(skills);
    read_whole(&table, &options, &wanted, |session| tally.add(&session)).await.or_fail()?;
    reader::say_what_was_read(&table, arguments.verbose);
    Ok(tally)
}

/// The page holds what sessions did: nobody else may read it, until its owner says so.
fn write_page(path: &Path, page: &str) -> Result<(), Failure> {
    if path.as_os_str() == STANDARD_OUTPUT {
        return std::io::stdout().lock().write_all(page.as_bytes()).or_fail();
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let name = path.file_name().context("--html needs the name of a file").map_err(Failure::Usage)?;
    let failed = || format!("cannot write {}", path.display());
    let mut temporary = name.to_owned();
    temporary.push(format!(".{}.new", std::process::id()));
    let temporary = folder.join(temporary);
    let written = write_new(&temporary, page).and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written.with_context(failed).or_fail()?;
    reader::note(&format!("the report is in {}", visible(&path.display().to_string())));
    Ok(())
}

fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
