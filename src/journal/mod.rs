//! The journal: the durable log between the answer to a client and the table.
//!
//! One record is one accepted request, or a part of a large one: an encoded [`crate::event::EventBatch`], though the
//! journal never reads a payload. When [`Journal::append`] answers, the record survives a killed process and a power
//! failure.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | [`Journal`] and its errors |
//! | `segment.rs` | segment files: names, headers, the index in memory |
//! | `record.rs` | records as they stand in a segment |
//! | `scan.rs` | walking over them, and finding them again behind damage |
//! | `writer.rs` | the thread that writes: group commit, rotation, failures |
//! | `reader.rs` | reading by sequence |
//! | `recent.rs` | the newest records in memory |
//! | `recovery.rs` | opening a folder, whatever is in it |
//! | `state.rs` | what those four share; cursor, quarantine, dead letters |
//! | `plan.rs` | [`Plan`]: what an exporter is about to write |
//! | `dead_letters.rs` | records that could not be exported: list, replay |
//! | `erasure.rs` | erasing from the dead letters |
//! | `document.rs` | the small files that are replaced whole |
//! | `error.rs` | what can go wrong |
//! | `sync_times.rs` | how long syncs take |
//!
//! # The folder
//!
//! ```text
//! lock                        held by the process that has the journal open
//! 00000000000000000001.segment  records from sequence 1 on; layout in `segment.rs` and `record.rs`
//! 00000000000000004711.segment  the next ones
//! 00000000000000000001.spare  what was that segment, and becomes the file of a later one
//! cursor                      journal id and the next sequence to export
//! plan                        the batch that is on its way to the table, if any
//! quarantine/                 damaged bytes, as <segment>-<offset>-<length>.bytes, and damaged files
//! dead-letters/               <sequence>.record that no exporter could decode, and <sequence>.reason.txt
//! sessions/                   journals of other pipelines (`config` says which); left alone
//! forward/                    queues of other backends, journals too; left alone
//! redaction.key               the key of placeholders, made and read by redaction; the journal leaves it alone
//! *.tmp                       not yet durable under its name; removed at the next open
//! ```
//! A sequence is unique in a journal id, ascending, and may have gaps. Every segment's header holds the
//! journal id and the format version; a later version is refused by name.
//!
//! `docs/design/journal.md` has the byte layout, the numbered write path, and the conditions under which a
//! segment goes.

mod dead_letters;
mod document;
mod erasure;
mod error;
mod plan;
mod reader;
mod recent;
mod record;
mod recovery;
mod scan;
mod segment;
mod state;
mod sync_times;
mod writer;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::{Semaphore, oneshot, watch};

pub use dead_letters::{DeadLetter, ReplayError, dead_letters};
pub use erasure::{Remnants, erase_dead_letters};
pub use error::{AppendError, OpenError, ReadError, UpdateError};
pub use plan::{Plan, PlannedFile};
pub use record::Record;
pub use sync_times::SyncTimes;

use crate::disk::{self, Disk, FileSystem};
use segment::SEGMENT_HEADER;
use state::{Folder, Shared};
use writer::{Message, Request, Writer};

/// Payload bytes that may wait for the writer; any more wait in `append`.
const QUEUE_BYTES: u32 = 16 << 20;
/// What a waiting record takes beside its payload.
const QUEUE_OVERHEAD: usize = 256;
/// Below this a segment is mostly header.
const MIN_SEGMENT_SIZE: u64 = 1 << 10;
/// Record lengths are 32 bits wide.
const MAX_SEGMENT_SIZE: u64 = 1 << 30;

/// Where a journal is and how large it may grow.
#[derive(Debug, Clone)]
pub struct Config {
    /// Its folder; created for this user alone if missing.
    pub path: PathBuf,
    /// Bytes of all segments together; at the limit, appending answers [`AppendError::Full`].
    pub max_size: u64,
    /// Bytes of one segment, 1 KiB to 1 GiB, and at most `max_size`; no record is larger.
    pub segment_size: u64,
    /// What an answer of [`Journal::append`] promises.
    pub durability: Durability,
}

/// What a record survives once its append is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// A killed process and a power loss: synced before the answer.
    #[default]
    Fsync,
    /// A killed process alone: handed to the operating system before the answer.
    Os,
}

/// A journal's state at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Bytes of all segments on the disk.
    pub bytes: u64,
    /// The limit of `bytes`.
    pub max_bytes: u64,
    /// Bytes of the segments that hold records, without the files that wait for reuse.
    pub held_bytes: u64,
    /// Number of segments.
    pub segments: usize,
    /// One more than the last durable sequence.
    pub durable_end: u64,
    /// The next sequence to export.
    pub cursor: u64,
    /// Sequences between the two.
    pub behind: u64,
    /// The last attempt to write succeeded.
    pub writable: bool,
    /// Why not.
    pub disk_error: Option<String>,
    /// The record that was last refused for lack of room would be refused again.
    pub full: bool,
    /// Damaged places found since opening, now in the quarantine.
    pub quarantined: u64,
    /// Records that were answered and then lost before they reached the table, since opening: another process
    /// removed, replaced or cut their file, or they could not be read.
    pub lost: u64,
    /// Those whose files others have taken away, and which the exporter may have read before: they are lost if it
    /// asks for them, and not if it is done with them. Where the folder is gone, all that is behind: they are
    /// lost unless it is put back.
    pub taken_away: u64,
    /// Bytes of the torn end that were cut at opening.
    pub torn_bytes: u64,
    /// Syncs of records since opening, the writes before them included.
    pub syncs: SyncTimes,
}

impl Status {
    /// Why nothing can be appended now, if so.
    pub fn obstacle(&self) -> Option<String> {
        if !self.writable {
            return Some(
                self.disk_error.clone().unwrap_or_else(|| "the journal cannot be written".to_owned()),
            );
        }
        self.full.then(|| format!("the journal holds its max_size of {} bytes", self.max_bytes))
    }
}

/// Stands in a disk's error that does not pass by itself.
pub const RESTART: &str = "restart skillspan";

/// An open journal. Clones are handles of the same one; the last of them closes it.
#[derive(Debug, Clone)]
pub struct Journal {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    shared: Arc<Shared>,
    id: String,
    queue: Arc<Semaphore>,
    messages: Mutex<Option<Sender<Message>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Journal {
    /// Opens the journal in `config.path`, or begins one there. Blocks while it recovers.
    pub fn open(config: Config) -> Result<Self, OpenError> {
        Self::open_on(config, Arc::new(FileSystem))
    }

    /// [`Journal::open`] on a disk of the caller's.
    pub fn open_on(config: Config, disk: Arc<dyn Disk>) -> Result<Self, OpenError> {
        let Config { path, max_size, segment_size, .. } = config.clone();
        if !(MIN_SEGMENT_SIZE..=MAX_SEGMENT_SIZE.min(max_size)).contains(&segment_size) {
            return Err(OpenError::Sizes { path, segment_size, max_size });
        }
        let io = |error| OpenError::io(&path, error);
        disk::create_folders(&*disk, &path, None).map_err(io)?;
        let Some(lock) = disk.lock(&path.join("lock")).map_err(io)? else {
            return Err(OpenError::Locked { path });
        };
        let folder = Folder { disk, path: path.clone() };
        let recovered = recovery::recover(&folder)?;
        let next = recovered.next;
        let shared = Arc::new(Shared::new(folder, lock, recovered.id, &config, next, recovered.state));
        shared.release_exported();

        let (messages, waiting) = mpsc::channel();
        let writer = Writer::new(Arc::clone(&shared), waiting, next);
        let thread = std::thread::Builder::new().name("journal".to_owned()).spawn(move || writer.run());
        let inner = Inner {
            id: recovered.id.simple().to_string(),
            shared,
            queue: Arc::new(Semaphore::new(QUEUE_BYTES as usize)),
            messages: Mutex::new(Some(messages)),
            writer: Mutex::new(Some(thread.map_err(io)?)),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The largest payload that [`Journal::append`] takes, in bytes.
    pub fn max_payload(&self) -> usize {
        let segment = usize::try_from(self.inner.shared.segment_size - SEGMENT_HEADER);
        segment.unwrap_or(usize::MAX) - record::RECORD_HEADER
    }

    /// Whether a folder holds a journal. Opening a folder without one creates a journal there.
    pub fn is_in(folder: &Path) -> bool {
        folder.join(state::CURSOR_FILE).is_file()
    }

    /// Appends a record and answers its sequence once it is durable. Concurrent callers share a sync. If a caller
    /// stops waiting, its record may still be in the journal.
    pub async fn append(&self, payload: Vec<u8>) -> Result<u64, AppendError> {
        let limit = self.max_payload();
        if payload.len() > limit {
            return Err(AppendError::TooLarge { size: payload.len(), limit });
        }
        let share = u32::try_from(payload.len() + QUEUE_OVERHEAD).unwrap_or(u32::MAX).min(QUEUE_BYTES);
        let room = Arc::clone(&self.inner.queue).acquire_many_owned(share).await;
        let room = room.map_err(|_| AppendError::Closed)?;
        let (answer, answered) = oneshot::channel();
        self.inner.send(Message::Append(Request { payload, answer, room }))?;
        answered.await.map_err(|_| AppendError::Closed)?
    }

    /// Begins anew: every existing file is removed as soon as its records are exported, and none is reused, because a
    /// reused file keeps what it does not overwrite. After this and a flush, nothing remains of what was appended
    /// before.
    pub async fn rotate(&self) -> Result<(), AppendError> {
        let (done, is_done) = oneshot::channel();
        self.inner.send(Message::Rotate(done))?;
        is_done.await.map_err(|_| AppendError::Closed)
    }

    /// Checks its files, as it does by itself once a second. Afterwards [`Journal::status`] shows what others did to
    /// them.
    pub async fn look(&self) -> Result<(), AppendError> {
        let (done, is_done) = oneshot::channel();
        self.inner.send(Message::Look(done))?;
        is_done.await.map_err(|_| AppendError::Closed)
    }

    /// The journal's random id: 32 hex digits.
    pub fn id(&self) -> &str {
        &self.inner.id
    }

    /// The journal's folder.
    pub fn path(&self) -> &Path {
        &self.inner.shared.folder.path
    }

    /// Follows one more than the sequence of the last durable record.
    pub fn durable_end(&self) -> watch::Receiver<u64> {
        self.inner.shared.durable_end.subscribe()
    }

    /// The durable records from sequence `from` on, until `max_bytes` of payload are reached. Answers at
    /// least one record if there is any, and may answer fewer than there are. Blocks.
    pub fn read(&self, from: u64, max_bytes: usize) -> Result<Vec<Record>, ReadError> {
        let shared = &self.inner.shared;
        shared.read(from, max_bytes).map_err(|source| ReadError {
            path: shared.folder.path.clone(),
            from,
            source,
        })
    }

    /// Keeps the newest records in memory from now on, up to this many bytes, for one reader that follows.
    pub fn keep_recent(&self, bytes: usize) {
        self.inner.shared.recent().keep(bytes);
    }

    /// The records from `from` on as far as they are in memory, until `max_bytes` of payload are reached; none says
    /// nothing of what there is. Does not block.
    pub fn recent(&self, from: u64, max_bytes: usize) -> Vec<Record> {
        self.inner.shared.recent().from(from, max_bytes)
    }

    /// Drops the records before `next` from memory.
    pub fn release_recent(&self, next: u64) {
        self.inner.shared.recent().release(next);
    }

    /// The next sequence to export.
    pub fn cursor(&self) -> u64 {
        self.inner.shared.state().cursor
    }

    /// Where the oldest file ends of which something is not exported: one more than its last sequence.
    pub fn oldest_file_end(&self) -> Option<u64> {
        let state = self.inner.shared.state();
        let mut ends = state.segments.values().map(|segment| segment.next);
        ends.find(|end| *end > state.cursor)
    }

    /// Moves the cursor to `next`, durably, then removes the segments wholly behind it. Never moves it
    /// back. Blocks.
    pub fn advance(&self, next: u64) -> Result<(), UpdateError> {
        let end = *self.inner.shared.durable_end.borrow();
        if next > end {
            return Err(UpdateError::BeyondEnd { next, end });
        }
        if next <= self.cursor() {
            return Ok(());
        }
        self.inner.shared.move_cursor(next).map_err(self.update_error("cursor"))
    }

    /// The plan that was written last and not removed. Blocks.
    pub fn plan(&self) -> Result<Option<Plan>, UpdateError> {
        let Folder { disk, path } = &self.inner.shared.folder;
        match document::read(&**disk, path, plan::FILE, plan::FORMAT).map_err(self.update_error("plan"))? {
            document::Document::Whole(plan) => Ok(Some(plan)),
            document::Document::Absent => Ok(None),
            document::Document::Damaged | document::Document::Newer(_) => {
                Err(self.update_error("plan")(io::ErrorKind::InvalidData.into()))
            }
        }
    }

    /// Replaces the plan, durably. Blocks.
    pub fn write_plan(&self, plan: &Plan) -> Result<(), UpdateError> {
        let _one_at_a_time = self.inner.shared.files();
        self.inner.shared.replace_document(plan::FILE, plan::FORMAT, plan).map_err(self.update_error("plan"))
    }

    /// Removes the plan, if there is one. A plan behind the cursor that comes back with a power loss is
    /// removed at the next opening. Blocks.
    pub fn remove_plan(&self) -> Result<(), UpdateError> {
        let _one_at_a_time = self.inner.shared.files();
        self.inner.shared.check_folder().map_err(self.update_error("plan"))?;
        let Folder { disk, path } = &self.inner.shared.folder;
        match disk.remove(&path.join(plan::FILE)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.update_error("plan")(error)),
            _ => Ok(()),
        }
    }

    /// Keeps a record that cannot be exported, with the reason, durably. False if it was kept before.
    /// Blocks.
    pub fn dead_letter(&self, record: &Record, reason: &str) -> Result<bool, UpdateError> {
        let folder = &self.inner.shared.folder;
        folder
            .dead_letter(record.sequence, &record.payload, reason)
            .map_err(self.update_error("dead letters"))
    }

    /// The journal's state now.
    pub fn status(&self) -> Status {
        let shared = &self.inner.shared;
        let durable_end = *shared.durable_end.borrow();
        let state = shared.state();
        let health = state.health.clone();
        let gone = state.gone.iter().map(|gone| gone.end.saturating_sub(gone.start.max(state.cursor))).sum();
        let behind = durable_end.saturating_sub(state.cursor);
        Status {
            bytes: state.bytes(),
            max_bytes: shared.max_size,
            held_bytes: state.held_bytes(),
            segments: state.segments.len(),
            durable_end,
            cursor: state.cursor,
            behind,
            writable: health.disk_error.is_none(),
            disk_error: health.disk_error,
            full: state.is_full(shared.max_size, durable_end),
            quarantined: health.quarantined,
            lost: health.lost,
            // With its folder, all of it.
            taken_away: if shared.check_folder().is_ok() { gone } else { behind },
            torn_bytes: health.torn_bytes,
            syncs: health.syncs,
        }
    }

    /// Refuses further appends and waits for those that are queued. Reading and exporting go on. Blocks.
    pub fn close(&self) {
        self.inner.close();
    }

    fn update_error(&self, what: &'static str) -> impl Fn(io::Error) -> UpdateError {
        let path = self.inner.shared.folder.path.clone();
        move |source| UpdateError::Io { what, path: path.clone(), source }
    }
}

impl Inner {
    fn send(&self, message: Message) -> Result<(), AppendError> {
        let messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = messages.as_ref().map(|messages| messages.send(message));
        sent.and_then(Result::ok).ok_or(AppendError::Closed)
    }

    fn close(&self) {
        self.queue.close();
        drop(self.messages.lock().unwrap_or_else(PoisonError::into_inner).take());
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer
            && writer.join().is_err()
        {
            tracing::error!(path = %self.shared.folder.path.display(), "the journal's writer had panicked");
        }
        self.tell_what_is_left_behind();
    }
}

impl Inner {
    /// Nobody counts later what was in a folder that is gone by now.
    fn tell_what_is_left_behind(&self) {
        let behind = self.shared.durable_end.borrow().saturating_sub(self.shared.state().cursor);
        if behind > 0 && self.shared.check_folder().is_err() {
            tracing::error!(
                path = %self.shared.folder.path.display(), lost = behind,
                "the journal's folder was deleted or replaced, and so many accepted requests in it were not in the table yet: they are lost unless it is put back before the next start"
            );
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}
