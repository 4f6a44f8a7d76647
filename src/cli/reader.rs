//! How commands read the table: they ask a running process to flush first, and say what is missing.

use std::io::Write;
use std::time::Duration;

use clap::Args;

use crate::config::{SessionsPipeline, SessionsTable, Settings};
use crate::event::visible_line;
use crate::journal::{Journal, OpenError};
use crate::table::{DamagedFile, ResolveOptions, Session, Sessions, Table};

use super::{Failure, OrFail, local_client};

/// A running process has this long to write what it holds.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(30);

/// Which table a command is about.
#[derive(Debug, Args)]
pub(super) struct TableChoice {
    /// Which table, where the configuration has several: its key below extensions, such as sessions_table/eu
    #[arg(long, value_name = "ID")]
    table: Option<String>,
}

impl TableChoice {
    /// The one that was asked for, if one was.
    pub(super) fn named<'s>(&self, settings: &'s Settings) -> Result<Option<&'s SessionsTable>, Failure> {
        let Some(id) = &self.table else { return Ok(None) };
        if let Some(table) = settings.tables().find(|table| table.id == *id) {
            return Ok(Some(table));
        }
        let known: Vec<&str> = settings.tables().map(|table| table.id.as_str()).collect();
        let known = known.join(", ");
        Err(Failure::Usage(anyhow::anyhow!("no pipeline uses a table {id:?}; there are: {known}")))
    }

    /// The one that was asked for, or the first.
    pub(super) fn of<'s>(&self, settings: &'s Settings) -> Result<&'s SessionsTable, Failure> {
        Ok(self.named(settings)?.unwrap_or(&settings.table))
    }
}

/// A table, to be read.
pub(super) async fn open(table: &SessionsTable) -> Result<Table, Failure> {
    let opened = Table::connect_read_only(&table.location).await.or_fail()?;
    Ok(opened.with_retention(table.retention))
}

/// A table, to be changed. One that is not there is a mistyped path, and not created.
pub(super) async fn open_for_upkeep(table: &SessionsTable) -> Result<Table, Failure> {
    open(table).await?;
    let opened = Table::connect(&table.location).await.or_fail()?;
    Ok(opened.with_retention(table.retention))
}

/// How sessions are put together.
pub(super) fn options(table: &SessionsTable) -> ResolveOptions {
    ResolveOptions { default_workspace: table.default_workspace.clone() }
}

/// The sessions that were found, after a word about what could not be read.
pub(super) fn readable(found: Sessions) -> Vec<Session> {
    warn_of_damage(&found.damaged);
    found.sessions
}

/// Says which files were left out.
pub(super) fn warn_of_damage(damaged: &[DamagedFile]) {
    for damaged in damaged {
        warn(&format!("{} is left out: {}", damaged.path, damaged.damage));
    }
}

/// Says how much of the table's files was read, if that is asked for.
pub(super) fn say_what_was_read(table: &Table, verbose: bool) {
    if verbose {
        let _ = writeln!(std::io::stderr(), "read {} bytes of the table", table.bytes_read());
    }
}

/// Asks a running process to flush; says what is not visible if there is none.
pub(super) async fn flush(settings: &Settings) {
    let flushed = match settings.health {
        Some(address) => ask_to_flush(&format!("http://{address}/flush")).await,
        None => false,
    };
    if flushed {
        return;
    }
    for pipeline in &settings.sessions {
        warn_of_what_is_not_visible(pipeline);
    }
}

/// Whether a journal that no process holds has what the table lacks.
pub(super) fn waits_in_a_journal(settings: &Settings) -> bool {
    let journals = settings.sessions.iter().map(|pipeline| &pipeline.journal);
    let mut journals = journals.filter(|journal| journal.path.exists());
    journals.any(|journal| Journal::open(journal.clone()).is_ok_and(|journal| journal.status().behind > 0))
}

/// Without a running process, the journal itself says what the table lacks.
fn warn_of_what_is_not_visible(pipeline: &SessionsPipeline) {
    let path = pipeline.journal.path.display();
    if !pipeline.journal.path.exists() {
        return;
    }
    match Journal::open(pipeline.journal.clone()) {
        Ok(journal) => match journal.status().behind {
            0 => {}
            behind => warn(&format!(
                "{behind} accepted requests are in the journal {path} and not in the table yet; `skillspan run` writes them"
            )),
        },
        Err(OpenError::Locked { .. }) => {
            warn("the running process did not answer; what it has not written yet is not shown");
        }
        Err(error) => warn(&format!("cannot tell what the journal still holds: {error}")),
    }
}

async fn ask_to_flush(url: &str) -> bool {
    let client = local_client().timeout(FLUSH_TIMEOUT).build();
    let Ok(client) = client else { return false };
    client.post(url).send().await.is_ok_and(|answer| answer.status().is_success())
}

/// Says something beside what is printed.
pub(super) fn note(message: &str) {
    // Without a standard error there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{}", visible_line(message));
}

pub(super) fn warn(message: &str) {
    // Without a standard error there is nobody to warn.
    let _ = writeln!(std::io::stderr(), "warning: {}", visible_line(message));
}
