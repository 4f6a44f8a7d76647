//! What runs of mining left of each workspace, read again when the files change.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use super::App;
use super::access::Reader;
use super::problem::Problem;
use crate::service::record::{self, Kept};

/// The records, and the files that they were read from.
#[derive(Default)]
pub(super) struct Records(Mutex<Option<Read>>);

type Read = (Vec<Stamp>, Arc<[Kept]>);

/// A file as it was.
type Stamp = (PathBuf, u64, Option<SystemTime>);

impl App {
    /// The records of all workspaces.
    pub(super) async fn records(self: &Arc<Self>) -> Result<Arc<[Kept]>, Problem> {
        let app = Arc::clone(self);
        let reading = tokio::task::spawn_blocking(move || app.read_records());
        reading.await.map_err(|error| Problem::failed("The records of mining", error))
    }

    /// Those of workspaces that the reader may see.
    pub(super) async fn records_for(self: &Arc<Self>, reader: &Reader) -> Result<Vec<Kept>, Problem> {
        let all = self.records().await?;
        let seen = all.iter().filter(|kept| reader.sees(&kept.tenant, &kept.workspace));
        Ok(seen.cloned().collect())
    }

    /// Blocks.
    fn read_records(&self) -> Arc<[Kept]> {
        let folders: BTreeSet<&PathBuf> =
            self.settings.skills.iter().filter_map(|skills| skills.digests.as_ref()).collect();
        let now: Vec<Stamp> = folders.iter().flat_map(|folder| stamps(folder)).collect();
        let known = self.records.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((then, records)) = known
            && then == now
        {
            return records;
        }
        let records: Arc<[Kept]> = folders.iter().flat_map(|folder| record::read(folder)).collect();
        *self.records.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, Arc::clone(&records)));
        records
    }
}

fn stamps(folder: &Path) -> Vec<Stamp> {
    let mut stamps: Vec<Stamp> = record::paths(folder)
        .filter_map(|path| {
            let file = std::fs::metadata(&path).ok()?;
            Some((path, file.len(), file.modified().ok()))
        })
        .collect();
    stamps.sort_unstable();
    stamps
}
