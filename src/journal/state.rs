//! What the writer, the readers and the exporters of one journal share.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use uuid::Uuid;

use super::disk::Disk;
use super::document;
use super::segment::{self, Segment};

/// The cursor's file in the journal's folder.
pub(super) const CURSOR_FILE: &str = "cursor";
/// The format of the cursor's file.
pub(super) const CURSOR_FORMAT: u32 = 1;
const QUARANTINE: &str = "quarantine";
const DEAD_LETTERS: &str = "dead-letters";

/// The content of the cursor's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    pub(super) journal_id: Uuid,
    /// The next sequence to export.
    pub(super) next: u64,
}

/// The journal's folder on its disk.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) path: PathBuf,
}

impl Folder {
    /// Keeps bytes that are no record, for a person to look at. False if it was done before.
    pub(super) fn quarantine(&self, name: &str, bytes: &[u8]) -> io::Result<bool> {
        self.keep_in(QUARANTINE, name, bytes)
    }

    /// Keeps a record that no exporter can make anything of. False if it was done before.
    pub(super) fn dead_letter(&self, sequence: u64, payload: &[u8], reason: &str) -> io::Result<bool> {
        self.keep_in(DEAD_LETTERS, &format!("{sequence:020}.reason.txt"), reason.as_bytes())?;
        self.keep_in(DEAD_LETTERS, &format!("{sequence:020}.record"), payload)
    }

    /// Moves a whole file to the quarantine.
    pub(super) fn quarantine_file(&self, name: &str) -> io::Result<()> {
        let folder = self.path.join(QUARANTINE);
        self.disk.create_folder(&folder)?;
        self.disk.rename(&self.path.join(name), &folder.join(name))?;
        self.disk.sync_folder(&folder)?;
        self.disk.sync_folder(&self.path)
    }

    fn keep_in(&self, folder: &str, name: &str, bytes: &[u8]) -> io::Result<bool> {
        let folder = self.path.join(folder);
        self.disk.create_folder(&folder)?;
        if self.disk.list(&folder)?.iter().any(|kept| kept == name) {
            return Ok(false);
        }
        document::replace_bytes(&*self.disk, &folder, name, bytes)?;
        self.disk.sync_folder(&self.path)?;
        Ok(true)
    }
}

/// What changes while a journal is open.
#[derive(Debug)]
pub(super) struct State {
    /// The segments by their first sequence.
    pub(super) segments: BTreeMap<u64, Segment>,
    /// The first sequence of the segment that is being written.
    pub(super) active: Option<u64>,
    pub(super) cursor: u64,
    pub(super) health: Health,
}

/// What operators want to know.
#[derive(Debug, Clone, Default)]
pub(super) struct Health {
    pub(super) disk_error: Option<String>,
    pub(super) quarantined: u64,
    pub(super) torn_bytes: u64,
    pub(super) syncs: u64,
    pub(super) sync_time: Duration,
    pub(super) slowest_sync: Duration,
}

/// One open journal.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) folder: Folder,
    pub(super) id: Uuid,
    pub(super) max_size: u64,
    pub(super) segment_size: u64,
    pub(super) durability: super::Durability,
    /// One more than the sequence of the last durable record.
    pub(super) durable_end: watch::Sender<u64>,
    state: Mutex<State>,
    /// Held while cursor or plan are replaced, so that the disk sees one at a time.
    documents: Mutex<()>,
}

impl Shared {
    pub(super) fn new(
        folder: Folder,
        id: Uuid,
        config: &super::Config,
        durable_end: u64,
        state: State,
    ) -> Self {
        Self {
            folder,
            id,
            max_size: config.max_size,
            segment_size: config.segment_size,
            durability: config.durability,
            durable_end: watch::Sender::new(durable_end),
            state: Mutex::new(state),
            documents: Mutex::new(()),
        }
    }

    /// The state; never held across a call to the disk.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn documents(&self) -> MutexGuard<'_, ()> {
        self.documents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes `next` the cursor and lets go of what lies behind it. The caller has checked the range.
    pub(super) fn move_cursor(&self, next: u64) -> io::Result<()> {
        {
            let _one_at_a_time = self.documents();
            let cursor = Cursor { journal_id: self.id, next };
            document::replace(&*self.folder.disk, &self.folder.path, CURSOR_FILE, CURSOR_FORMAT, &cursor)?;
            self.state().cursor = next;
        }
        self.remove_exported();
        Ok(())
    }

    /// Removes the segments that lie wholly behind the durable cursor, oldest first, except the one that
    /// is being written. What cannot be removed now is tried again with the next call.
    pub(super) fn remove_exported(&self) {
        let _one_at_a_time = self.documents();
        let mut removed = false;
        loop {
            // Not in the head of the loop: the state would stay locked in its body.
            let oldest = self.state().oldest_exported();
            let Some(first) = oldest else { break };
            let path = segment::path(&self.folder.path, first);
            match self.folder.disk.remove(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(path = %path.display(), %error, "an exported journal segment cannot be removed");
                    break;
                }
                _ => removed = true,
            }
            self.state().segments.remove(&first);
        }
        if removed && let Err(error) = self.folder.disk.sync_folder(&self.folder.path) {
            // A segment that comes back with a power loss is behind the cursor, and removed at the next open.
            tracing::warn!(path = %self.folder.path.display(), %error, "the journal folder cannot be synced");
        }
    }

    /// Sets bytes of a segment aside that are no record, once.
    pub(super) fn note_damage(&self, first: u64, offset: u64, bytes: &[u8]) {
        {
            let mut state = self.state();
            let Some(segment) = state.segments.get_mut(&first) else { return };
            if !segment.damage.insert(offset) {
                return;
            }
            state.health.quarantined += 1;
        }
        keep_damage(&self.folder, first, offset, bytes);
    }
}

/// Copies damaged bytes to the quarantine and says so. False if the disk refused.
pub(super) fn keep_damage(folder: &Folder, first: u64, offset: u64, bytes: &[u8]) -> bool {
    let name = format!("{first:020}-{offset}-{}.bytes", bytes.len());
    match folder.quarantine(&name, bytes) {
        Ok(_) => {
            tracing::error!(segment = first, offset, bytes = bytes.len(), quarantine = %name, "damage in the journal was set aside");
            true
        }
        Err(error) => {
            tracing::error!(segment = first, offset, bytes = bytes.len(), %error, "damage in the journal cannot be set aside");
            false
        }
    }
}

impl State {
    /// Bytes of all segments on the disk.
    pub(super) fn bytes(&self) -> u64 {
        self.segments.values().map(|segment| segment.size).sum()
    }

    fn oldest_exported(&self) -> Option<u64> {
        let (first, segment) = self.segments.first_key_value()?;
        (segment.next <= self.cursor && self.active != Some(*first)).then_some(*first)
    }
}
