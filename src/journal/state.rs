//! What the writer, the readers and the exporters of one journal share.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use uuid::Uuid;

use super::RESTART;
use super::document;
use super::recent::Recent;
use super::segment::{self, Segment};
use super::sync_times::SyncTimes;
use crate::disk::{Disk, Lock, read_salvaging};

/// The cursor's file in the journal's folder.
pub(super) const CURSOR_FILE: &str = "cursor";
/// The format of the cursor's file.
pub(super) const CURSOR_FORMAT: u32 = 1;
pub(super) const QUARANTINE: &str = "quarantine";
pub(super) const DEAD_LETTERS: &str = "dead-letters";
/// The most files that wait for reuse; any more are removed.
const SPARES: usize = 2;

/// The content of the cursor's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    pub(super) journal_id: Uuid,
    /// The next sequence to export.
    pub(super) next: u64,
}

/// A file that was a segment and may be one again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spare {
    pub(super) path: PathBuf,
    pub(super) size: u64,
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
        let folder = self.subfolder(QUARANTINE)?;
        let new = self.keep_in(&folder, name, bytes)?;
        self.disk.sync_folder(&folder)?;
        Ok(new)
    }

    /// Keeps a record that no exporter can use. False if it was done before.
    pub(super) fn dead_letter(&self, sequence: u64, payload: &[u8], reason: &str) -> io::Result<bool> {
        let folder = self.subfolder(DEAD_LETTERS)?;
        self.keep_in(&folder, &format!("{sequence:020}.reason.txt"), reason.as_bytes())?;
        let new = self.keep_in(&folder, &format!("{sequence:020}.record"), payload)?;
        self.disk.sync_folder(&folder)?;
        Ok(new)
    }

    /// Moves a whole file to the quarantine, where it is durable. Its old name may come back with a power
    /// loss, and is then set aside again.
    pub(super) fn quarantine_file(&self, name: &str) -> io::Result<()> {
        let folder = self.subfolder(QUARANTINE)?;
        let kept = self.disk.list(&folder)?;
        let free = variants(name).find(|name| !kept.contains(name)).unwrap_or_default();
        self.disk.rename(&self.path.join(name), &folder.join(free))?;
        self.disk.sync_folder(&folder)
    }

    /// A durable folder in the journal's.
    fn subfolder(&self, name: &str) -> io::Result<PathBuf> {
        let folder = self.path.join(name);
        self.disk.create_folder(&folder)?;
        self.disk.sync_folder(&self.path)?;
        Ok(folder)
    }

    /// Writes a file there unless it exists already, perhaps from a process that was killed before the name was
    /// durable. Either way the name is durable once the caller has synced the folder.
    fn keep_in(&self, folder: &Path, name: &str, bytes: &[u8]) -> io::Result<bool> {
        let kept = self.disk.list(folder)?;
        for name in variants(name) {
            if !kept.contains(&name) {
                document::place(&*self.disk, folder, &name, bytes)?;
                return Ok(true);
            }
            if self.disk.read_at(&folder.join(&name), 0, u64::MAX)? == bytes {
                return Ok(false);
            }
        }
        Ok(false)
    }

    /// Copies damaged bytes of the segment that begins with `first` to the quarantine and says so.
    pub(super) fn keep_damage(&self, segment: &Path, first: u64, range: Range<u64>) -> io::Result<()> {
        let (offset, length) = (range.start, range.end - range.start);
        let name = format!("{first:020}-{offset}-{length}.bytes");
        let kept = read_salvaging(&*self.disk, segment, offset, length)
            .and_then(|(bytes, _)| self.quarantine(&name, &bytes));
        match &kept {
            Ok(_) => {
                tracing::error!(segment = first, offset, bytes = length, quarantine = %name, "damage in the journal was set aside");
            }
            Err(error) => {
                tracing::error!(segment = first, offset, bytes = length, %error, "damage in the journal cannot be set aside");
            }
        }
        kept.map(drop)
    }
}

/// Names for a file that is kept beside others: what is kept is never replaced.
fn variants(name: &str) -> impl Iterator<Item = String> {
    let again = (2u64..).map(move |number| format!("{number}-{name}"));
    std::iter::once(name.to_owned()).chain(again)
}

/// What changes while a journal is open.
#[derive(Debug)]
pub(super) struct State {
    /// The segments by their first sequence.
    pub(super) segments: BTreeMap<u64, Segment>,
    /// The first sequence of the segment that is being written.
    pub(super) active: Option<u64>,
    /// Files to make segments of.
    pub(super) spares: Vec<Spare>,
    /// The sequences whose segments are gone, until somebody asks for them or has exported them.
    pub(super) gone: Vec<Range<u64>>,
    pub(super) cursor: u64,
    /// Bytes that the last append lacked; 0 if it had room.
    pub(super) lacking: u64,
    pub(super) health: Health,
}

/// What operators want to know.
#[derive(Debug, Clone, Default)]
pub(super) struct Health {
    pub(super) disk_error: Option<String>,
    pub(super) quarantined: u64,
    /// Records that were answered and are gone before they were exported.
    pub(super) lost: u64,
    pub(super) torn_bytes: u64,
    pub(super) syncs: SyncTimes,
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
    lock: Box<dyn Lock>,
    state: Mutex<State>,
    recent: Mutex<Recent>,
    /// Held while cursor or plan are replaced, and while segments begin and go: a segment that ended without
    /// a record and the one that begins in its place have one name.
    files: Mutex<()>,
}

impl Shared {
    pub(super) fn new(
        folder: Folder,
        lock: Box<dyn Lock>,
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
            lock,
            state: Mutex::new(state),
            recent: Mutex::default(),
            files: Mutex::new(()),
        }
    }

    /// The state; never held across a call to the disk.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn files(&self) -> MutexGuard<'_, ()> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fails if the folder was replaced since it was opened: nobody would find new records in the old one.
    pub(super) fn check_folder(&self) -> io::Result<()> {
        if self.lock.in_place() {
            return Ok(());
        }
        Err(io::Error::other(format!("the journal's folder was deleted or replaced while in use; {RESTART}")))
    }

    /// Replaces a document of the journal, durably.
    pub(super) fn replace_document<T: Serialize>(
        &self,
        name: &str,
        format: u32,
        content: &T,
    ) -> io::Result<()> {
        self.check_folder()?;
        document::replace(&*self.folder.disk, &self.folder.path, name, format, content)
    }

    /// Moves the cursor to `next` and releases the segments behind it. The caller has checked the range.
    pub(super) fn move_cursor(&self, next: u64) -> io::Result<()> {
        {
            let _one_at_a_time = self.files();
            self.replace_document(CURSOR_FILE, CURSOR_FORMAT, &Cursor { journal_id: self.id, next })?;
            let mut state = self.state();
            state.cursor = next;
            // The exporter had read them.
            state.gone.retain(|gone| gone.end > next);
        }
        self.release_exported();
        Ok(())
    }

    /// Releases the segments that are wholly behind the durable cursor, oldest first, except the one being written.
    /// The next call retries those that cannot go now.
    pub(super) fn release_exported(&self) {
        let _one_at_a_time = self.files();
        let mut spares = Vec::new();
        let mut released = false;
        loop {
            // Not in the head of the loop: the state would stay locked in its body.
            let oldest = self.state().oldest_exported(spares.len());
            let Some((first, fate)) = oldest else { break };
            match self.release(first, fate) {
                Ok(spare) => spares.extend(spare),
                Err(error) => {
                    let path = segment::path(&self.folder.path, first);
                    tracing::warn!(path = %path.display(), %error, "an exported journal segment cannot be released");
                    break;
                }
            }
            released = true;
            self.state().segments.remove(&first);
        }
        if !released {
            return;
        }
        // A spare is written over only once its name is durable. Otherwise a power loss would bring the
        // segment back under its old name, with other content.
        match self.folder.disk.sync_folder(&self.folder.path) {
            Ok(()) => self.state().spares.extend(spares),
            Err(error) => {
                tracing::warn!(path = %self.folder.path.display(), %error, "the journal folder cannot be synced");
                spares.iter().for_each(|spare| drop(self.folder.disk.remove(&spare.path)));
            }
        }
    }

    fn release(&self, first: u64, fate: Fate) -> io::Result<Option<Spare>> {
        let path = segment::path(&self.folder.path, first);
        let spare = segment::spare_path(&self.folder.path, first);
        let released = match fate {
            Fate::Keep => self.folder.quarantine_file(&segment::name(first)).map(|()| None),
            Fate::Remove => self.folder.disk.remove(&path).map(|()| None),
            Fate::Recycle { size } => {
                self.folder.disk.rename(&path, &spare).map(|()| Some(Spare { path: spare, size }))
            }
        };
        match released {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            released => released,
        }
    }

    /// Finds out which segments have lost their files; the writer looks after the one that it writes.
    pub(super) fn find_lost(&self) {
        let gone: Vec<u64> = {
            let _one_at_a_time = self.files();
            let Ok(names) = self.folder.disk.list(&self.folder.path) else { return };
            let state = self.state();
            let others = state.segments.keys().filter(|first| state.active != Some(**first));
            others.filter(|first| !names.contains(&segment::name(**first))).copied().collect()
        };
        gone.into_iter().for_each(|first| self.lose(first));
    }

    /// Gives up a segment whose file is gone, so that readers go on with the next one. Whatever has its name now is
    /// not ours; it goes to the quarantine for a person to look at.
    pub(super) fn lose(&self, first: u64) {
        let _one_at_a_time = self.files();
        let not_exported = {
            let mut state = self.state();
            let Some(segment) = state.segments.remove(&first) else { return };
            let gone = segment.header.first.max(state.cursor)..segment.next;
            let not_exported = gone.end.saturating_sub(gone.start);
            if not_exported > 0 {
                state.gone.push(gone);
            }
            not_exported
        };
        let path = segment::path(&self.folder.path, first);
        tracing::error!(
            path = %path.display(), not_exported,
            "a segment of the journal was removed or replaced by another process; so many accepted requests in it were not in the table yet, and those that the exporter has not read are lost"
        );
        if self.folder.disk.size(&path).is_ok() && self.folder.quarantine_file(&segment::name(first)).is_ok()
        {
            self.state().health.quarantined += 1;
        }
    }

    /// Removes a file that waits for reuse; false if no file waits.
    pub(super) fn remove_spare(&self) -> bool {
        let Some(spare) = self.state().spares.pop() else { return false };
        if let Err(error) = self.folder.disk.remove(&spare.path) {
            tracing::warn!(path = %spare.path.display(), %error, "a spare journal segment cannot be removed");
        }
        true
    }
}

/// What becomes of the file of an exported segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It could not be read as a whole, or its damage not be set aside.
    Keep,
    Remove,
    Recycle {
        size: u64,
    },
}

impl State {
    /// Bytes of all segments on the disk, those included that wait to be used again.
    pub(super) fn bytes(&self) -> u64 {
        let spares: u64 = self.spares.iter().map(|spare| spare.size).sum();
        self.held_bytes() + spares
    }

    /// The same without those that wait to be used again.
    pub(super) fn held_bytes(&self) -> u64 {
        self.segments.values().map(|segment| segment.size).sum()
    }

    /// Whether a record of the last refused size would be refused again. Asking frees the room of exported records.
    pub(super) fn is_full(&self, max_size: u64, durable_end: u64) -> bool {
        self.lacking > 0 && self.cursor < durable_end && self.held_bytes() + self.lacking > max_size
    }

    /// Counts what is gone of the sequences that were asked for.
    pub(super) fn count_lost(&mut self, asked: Range<u64>) {
        let mut lost = 0;
        self.gone.retain_mut(|gone| {
            if gone.start >= asked.end || gone.end <= asked.start {
                return true;
            }
            lost += gone.end.min(asked.end) - gone.start.max(asked.start);
            false
        });
        if lost > 0 {
            self.health.lost += lost;
            tracing::error!(
                lost,
                from = asked.start,
                "accepted requests are lost with a file of the journal"
            );
        }
    }

    fn oldest_exported(&self, new_spares: usize) -> Option<(u64, Fate)> {
        let (first, segment) = self.segments.first_key_value()?;
        if segment.next > self.cursor || self.active == Some(*first) {
            return None;
        }
        let fate = if segment.keep {
            Fate::Keep
        } else if segment.failed || self.spares.len() + new_spares >= SPARES {
            Fate::Remove
        } else {
            Fate::Recycle { size: segment.size }
        };
        Some((*first, fate))
    }
}
