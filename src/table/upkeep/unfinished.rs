//! What was being written to a local disk when its process was killed.
//!
//! A file is written as `<name>#<writer>` and then renamed. The numbers of upkeep's writers say when they began, so a
//! file that nobody works on any more can be removed; no reader sees its rows, and no erasure finds them. The
//! exporter replaces its own.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use uuid::Uuid;

use crate::disk::Disk;
use crate::event::Timestamp;
use crate::table::layout::DATA_FOLDER;
use crate::table::write::{EXPORTER, UNFINISHED};
use crate::table::{Local, Table};

/// Nothing takes so long to write.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

/// The bits of a writer's number that tell it from others of the same microsecond.
const RANDOM_BITS: u32 = 12;

/// The number of a writer that begins now: several processes may be about to write one name.
pub(super) fn writer(now: Timestamp) -> u64 {
    let (random, _) = Uuid::new_v4().as_u64_pair();
    let begun = u64::try_from(now.as_micros()).unwrap_or_default();
    (begun << RANDOM_BITS) | (random >> (u64::BITS - RANDOM_BITS))
}

/// Which of the unfinished files of a folder go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// Those that no process works on any more.
    Abandoned,
    /// All of them: nobody may write there.
    All,
}

impl Table {
    /// Removes unfinished files from a folder below the root. What cannot be removed now is in nobody's way
    /// and goes another time.
    pub(super) async fn remove_unfinished_in(&self, folder: &str, which: Which) {
        let Some(Local { root, disk }) = self.local.clone() else { return };
        let folder = root.join(folder);
        let removing = tokio::task::spawn_blocking(move || {
            if let Err(error) = remove(&*disk, &folder, which, Timestamp::now()) {
                let folder = folder.display();
                tracing::debug!(%folder, %error, "unfinished files cannot be removed");
            }
        });
        // One that was cut short goes on the next time.
        let _ = removing.await;
    }
}

impl Table {
    /// The unfinished files below the data folder, even if a process works on them.
    pub(super) async fn unfinished_files(&self) -> Vec<PathBuf> {
        let Some(Local { root, disk }) = self.local.clone() else { return Vec::new() };
        let looking = tokio::task::spawn_blocking(move || {
            let mut found = Vec::new();
            if let Err(error) = unfinished_below(&*disk, &root.join(DATA_FOLDER), &mut found) {
                tracing::debug!(%error, "unfinished files cannot be looked for");
            }
            found
        });
        looking.await.unwrap_or_default()
    }

    /// Removes files that nobody is at work on any more.
    pub(super) async fn remove_unfinished_files(&self, files: Vec<PathBuf>) {
        let Some(Local { disk, .. }) = self.local.clone() else { return };
        let removing = tokio::task::spawn_blocking(move || {
            for file in files {
                if let Err(error) = disk.remove(&file)
                    && error.kind() != io::ErrorKind::NotFound
                {
                    tracing::warn!(file = %file.display(), %error, "an unfinished file cannot be removed");
                }
            }
        });
        let _ = removing.await;
    }
}

fn unfinished_below(disk: &dyn Disk, folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    let names = match disk.list(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        names => names?,
    };
    let is_unfinished =
        |name: &String| name.rsplit_once(UNFINISHED).is_some_and(|(_, writer)| writer.parse::<u64>().is_ok());
    found.extend(names.into_iter().filter(is_unfinished).map(|name| folder.join(name)));
    for name in disk.folders(folder)? {
        unfinished_below(disk, &folder.join(name), found)?;
    }
    Ok(())
}

fn remove(disk: &dyn Disk, folder: &Path, which: Which, now: Timestamp) -> io::Result<()> {
    for name in disk.list(folder)? {
        let writer = name.rsplit_once(UNFINISHED).and_then(|(_, writer)| writer.parse().ok());
        if writer.is_some_and(|writer| which == Which::All || is_abandoned(writer, now)) {
            disk.remove(&folder.join(&name))?;
        }
    }
    Ok(())
}

/// A number from the future is of a clock that was wrong, or of a version that numbered differently.
fn is_abandoned(writer: u64, now: Timestamp) -> bool {
    let begun = Timestamp::from_micros(i64::try_from(writer >> RANDOM_BITS).unwrap_or(i64::MAX));
    writer != EXPORTER && (now.since(begun) > ABANDONED || begun.since(now) > ABANDONED)
}
