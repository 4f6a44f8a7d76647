//! Orphans: journals whose pipeline is gone from the configuration, and queues whose exporter is gone. Their content reaches a
//! table or a backend only if a person says so.

use std::path::{Path, PathBuf};

use crate::config::Settings;
use crate::journal::{Durability, Journal, OpenError};

use super::Problem;
use super::forwards::unowned_queues;

/// Only what it holds is asked for; nothing is appended.
const SEGMENT_SIZE: u64 = 64 << 20;

/// Journals with accepted requests, below `service.journal.path`, of pipelines that the settings do not
/// have. Opens them; blocks. One that another process has open is that one's business.
pub fn unowned_journals(settings: &Settings) -> Vec<(PathBuf, Problem)> {
    let Some(root) = &settings.journals else { return Vec::new() };
    let owned = |path: &Path| settings.sessions.iter().any(|pipeline| pipeline.journal.path == *path);
    let below = std::fs::read_dir(root.join("sessions")).into_iter().flatten();
    let mut folders: Vec<PathBuf> = below.filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.sort();
    folders.insert(0, root.clone());
    let unowned = folders.into_iter().filter(|path| !owned(path) && Journal::is_in(path));
    let journals = unowned.filter_map(|path| Some((path.clone(), problem(&path)?)));
    let queues = unowned_queues(settings).into_iter();
    journals.chain(queues.filter_map(|path| Some((path.clone(), of_queue(&path)?)))).collect()
}

/// What waits for a backend that the settings do not name.
fn of_queue(path: &Path) -> Option<Problem> {
    let waiting = waiting_in(path).ok()?.filter(|waiting| *waiting > 0)?;
    let folder = path.display();
    Some(Problem {
        what: format!("{waiting} requests wait in {folder}, the queue of no exporter"),
        todo: "write the exporter again under its name, and they are sent; or remove the folder, and they are forgotten"
            .to_owned(),
    })
}

/// How many records of a journal are behind; `None`: it is another process's.
fn waiting_in(path: &Path) -> Result<Option<u64>, OpenError> {
    let config = crate::journal::Config {
        path: path.to_owned(),
        max_size: u64::MAX,
        segment_size: SEGMENT_SIZE,
        durability: Durability::Fsync,
    };
    match Journal::open(config) {
        Ok(journal) => Ok(Some(journal.status().behind)),
        Err(OpenError::Locked { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn problem(path: &Path) -> Option<Problem> {
    let folder = path.display();
    let what = match waiting_in(path) {
        Ok(None | Some(0)) => return None,
        Ok(Some(behind)) => format!("{behind} accepted requests are in {folder}, the journal of no pipeline"),
        Err(error) => format!("no pipeline has the journal in {folder}, and it cannot be opened: {error}"),
    };
    let todo = format!(
        "give their pipeline back its name, or write them to a table: `skillspan drain --journal {folder}`"
    );
    Some(Problem { what, todo })
}
