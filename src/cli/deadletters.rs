//! `skillspan deadletters`: records that could not become rows of the table.

use std::fmt::Write;

use clap::Subcommand;

use crate::event::{decode_batch, visible_line};
use crate::journal::{DeadLetter, Journal, dead_letters};

use super::{ConfigFile, Failure, OrFail, block_on, print};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the records, and why each could not be stored
    List(ConfigFile),
    /// Try again to store them; stop skillspan first
    Replay(ConfigFile),
}

pub(super) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::List(config) => print(&list(config)?),
        Command::Replay(config) => print(&block_on(replay(config))?),
    }
}

fn list(config: &ConfigFile) -> Result<String, Failure> {
    let settings = config.load()?;
    let mut lines = String::new();
    for pipeline in &settings.sessions {
        for DeadLetter { path, bytes, reason, .. } in dead_letters(&pipeline.journal.path).or_fail()? {
            let _ = writeln!(lines, "{}  {bytes} bytes  {}", path.display(), visible_line(&reason));
        }
    }
    Ok(if lines.is_empty() { "no dead letters\n".to_owned() } else { lines })
}

async fn replay(config: &ConfigFile) -> Result<String, Failure> {
    let settings = config.load()?;
    let mut lines = String::new();
    for pipeline in &settings.sessions {
        let letters = dead_letters(&pipeline.journal.path).or_fail()?;
        if letters.is_empty() {
            continue;
        }
        let journal = Journal::open(pipeline.journal.clone()).or_fail()?;
        for letter in letters {
            let payload = std::fs::read(&letter.path).or_fail()?;
            let line = match decode_batch(&payload) {
                Ok(_) => format!("replayed as record {}", journal.replay(&letter).await.or_fail()?),
                Err(error) => format!("stays: {error}"),
            };
            let of = if settings.sessions.len() > 1 { format!("{}  ", pipeline.name) } else { String::new() };
            let _ = writeln!(lines, "{of}{}  {line}", letter.name);
        }
    }
    Ok(if lines.is_empty() { "no dead letters\n".to_owned() } else { lines })
}
