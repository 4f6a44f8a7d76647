//! Journals that no pipeline has any more: what they hold reaches a table only if a person says so.

use std::path::{Path, PathBuf};

use crate::config::Settings;
use crate::journal::{Durability, Journal, OpenError};

use super::Problem;

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
    unowned.filter_map(|path| Some((path.clone(), problem(&path)?))).collect()
}

fn problem(path: &Path) -> Option<Problem> {
    let config = crate::journal::Config {
        path: path.to_owned(),
        max_size: u64::MAX,
        segment_size: SEGMENT_SIZE,
        durability: Durability::Fsync,
    };
    let folder = path.display();
    let what = match Journal::open(config) {
        Ok(journal) => match journal.status().behind {
            0 => return None,
            behind => format!("{behind} accepted requests are in {folder}, the journal of no pipeline"),
        },
        Err(OpenError::Locked { .. }) => return None,
        Err(error) => format!("no pipeline has the journal in {folder}, and it cannot be opened: {error}"),
    };
    let todo = format!(
        "give their pipeline back its name, or write them to a table: `skillspan drain --journal {folder}`"
    );
    Some(Problem { what, todo })
}
