//! How commands read the table: flushed where a process runs, and honest about what is missing.

use std::io::Write;
use std::time::Duration;

use crate::config::{SessionsPipeline, Settings};
use crate::journal::{Journal, OpenError};
use crate::table::{Filter, ResolveOptions, Session, Table, resolve};

use super::{Failure, OrFail};

/// A running process has this long to write what it holds.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(30);

/// Every session of the table, after a running process has written what it holds.
pub(super) async fn sessions(settings: &Settings) -> Result<Vec<Session>, Failure> {
    flush(settings).await;
    let table = Table::open_read_only(&settings.table).or_fail()?;
    let scan = table.scan(&Filter::default()).await.or_fail()?;
    for damaged in &scan.damaged {
        warn(&format!("{} is left out: {}", damaged.path, damaged.damage));
    }
    Ok(resolve(scan.events, &ResolveOptions { default_workspace: settings.default_workspace.clone() }))
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
    if let Some(pipeline) = &settings.sessions {
        warn_of_what_is_not_visible(pipeline);
    }
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
    let client = reqwest::Client::builder().timeout(FLUSH_TIMEOUT).no_proxy().build();
    let Ok(client) = client else { return false };
    client.post(url).send().await.is_ok_and(|answer| answer.status().is_success())
}

pub(super) fn warn(message: &str) {
    // Without a standard error there is nobody to warn.
    let _ = writeln!(std::io::stderr(), "warning: {message}");
}
