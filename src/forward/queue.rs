//! What waits for one backend.
//!
//! Pushing and sending do not wait for each other. An erasure waits for both and makes both wait: it rewrites what is
//! left of the queue behind the old entries, piece by piece, and removes every file that held the rest. Meanwhile a
//! queue on the disk may exceed its `max_size` by a quarter.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{Mutex, MutexGuard, RwLock};

use super::counts::Counts;
use super::entry::Entry;
use super::store::{Memory, NoPlace, Store, StoreError};
use crate::event::Timestamp;
use crate::journal::{self, Durability, Journal, OpenError};

/// A queue on the disk is as many files at most.
const FILES: u64 = 8;
/// No file of it is larger.
const LARGEST_FILE: u64 = 128 << 20;
/// A client that was refused is told of for so long.
const LATELY: Duration = Duration::from_secs(300);
/// An erasure writes so much anew at once.
const PIECE: usize = 4 << 20;

/// A queue and its bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where bodies wait.
    pub place: QueueStorage,
    /// Bytes that may wait.
    pub max_size: u64,
    /// What becomes of a body that finds no room.
    pub on_full: OnFull,
    /// Bodies that wait for longer are dropped.
    pub retention: Option<Duration>,
}

/// Where bodies wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueueStorage {
    /// In memory: they go with the process.
    Memory,
    /// In this folder, which is the queue's alone.
    Folder {
        /// The folder; its parents are created.
        path: PathBuf,
        /// What the answer of a push promises.
        durability: Durability,
    },
}

/// What becomes of a body that finds no room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFull {
    /// The oldest bodies make room for it.
    #[default]
    DropOldest,
    /// The client is asked to send it again later.
    Refuse,
}

/// Why a client is to send a body again, or not at all.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// There is no room now, and nothing is dropped for it.
    #[error("the queue is full")]
    Full,
    /// There is never room.
    #[error("the body is larger than the queue takes")]
    TooLarge,
    /// The disk does not take it now.
    #[error(transparent)]
    Failed(StoreError),
}

/// A body that waits.
#[derive(Debug)]
pub struct Waiting {
    /// Its place in the queue.
    pub sequence: u64,
    /// `None`: a later version wrote it, or the disk damaged it.
    pub entry: Option<Entry>,
}

/// What an erasure did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Erasure {
    /// Bodies of which something was taken out.
    pub bodies: u64,
}

/// How a queue does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Bodies that wait.
    pub waiting: u64,
    /// Bytes that it takes.
    pub bytes: u64,
    /// The bound of them.
    pub max_bytes: u64,
    /// Bodies dropped since the start, by reason.
    pub dropped: BTreeMap<&'static str, u64>,
    /// The fate of the last of them, if it is known.
    pub last_drop: Option<String>,
    /// Why its disk takes nothing now.
    pub disk_error: Option<String>,
    /// Bodies lost because something else removed or damaged its files.
    pub lost: u64,
    /// Requests of clients that were refused since the start, by reason.
    pub refused: BTreeMap<&'static str, u64>,
    /// Clients are asked now, or were a while ago, to send again later.
    pub is_refusing: bool,
}

/// Room for a body in a queue that refuses what finds none; given back when it is dropped.
#[derive(Debug)]
pub struct Room {
    queue: Arc<Queue>,
    bytes: u64,
}

/// The bodies that wait for one backend, and its cursor.
pub struct Queue {
    store: Store,
    config: Config,
    counts: Counts,
    refused: Counts,
    /// When a client was asked last to send again later.
    refused_at: std::sync::Mutex<Option<Instant>>,
    /// Bytes of bodies that were promised room and are on their way.
    promised: AtomicU64,
    /// Held for reading by who pushes, for writing by an erasure.
    pushing: RwLock<()>,
    /// Held by who sends, or by an erasure.
    sending: Mutex<()>,
    /// Held by who makes room.
    dropping: Mutex<()>,
}

impl Queue {
    /// Opens the queue, with what waits in it since an earlier run. Blocks.
    ///
    /// # Errors
    /// If its folder is in use, or cannot be read or written.
    pub fn open(config: Config) -> Result<Self, OpenError> {
        let store = match &config.place {
            QueueStorage::Memory => Store::Memory(Memory::new(config.max_size)),
            QueueStorage::Folder { path, durability } => {
                let segment_size = (config.max_size / FILES).min(LARGEST_FILE);
                // An erasure needs room while it writes anew what is left.
                let max_size = config.max_size.saturating_add(2 * segment_size);
                let (path, durability) = (path.clone(), *durability);
                let journal = Journal::open(journal::Config { path, max_size, segment_size, durability })?;
                Store::Disk { journal, max_size: config.max_size }
            }
        };
        Ok(Self {
            store,
            config,
            counts: Counts::default(),
            refused: Counts::default(),
            refused_at: std::sync::Mutex::default(),
            promised: AtomicU64::default(),
            pushing: RwLock::default(),
            sending: Mutex::default(),
            dropping: Mutex::default(),
        })
    }

    /// What it was opened with.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Whether what waits goes with the process.
    pub const fn is_in_memory(&self) -> bool {
        matches!(self.config.place, QueueStorage::Memory)
    }

    /// Asks a client to send again later, if there is no room now, or the disk takes nothing.
    ///
    /// # Errors
    /// Only if the queue refuses rather than drops.
    pub fn admit(&self) -> Result<(), PushError> {
        match self.is_closed_to_clients() {
            true => Err(self.note_refused(PushError::Full)),
            false => Ok(()),
        }
    }

    fn is_closed_to_clients(&self) -> bool {
        self.config.on_full == OnFull::Refuse && (self.store.is_full() || self.store.is_broken())
    }

    /// Keeps room for a body of `bytes`, so that nothing of a request is taken which is refused then. `None`: the
    /// queue drops rather than refuses.
    ///
    /// # Errors
    /// Only if the queue refuses rather than drops.
    pub fn room(self: &Arc<Self>, bytes: usize) -> Result<Option<Room>, PushError> {
        if self.config.on_full != OnFull::Refuse {
            return Ok(None);
        }
        let room = Room { queue: Arc::clone(self), bytes: bytes as u64 };
        let others = self.promised.fetch_add(room.bytes, Ordering::Relaxed);
        match self.store.room(bytes, others) {
            Ok(()) => Ok(Some(room)),
            Err(NoPlace::TooLarge) => Err(self.note_refused(PushError::TooLarge)),
            Err(_) => Err(self.note_refused(PushError::Full)),
        }
    }

    /// Notes that a client is refused.
    pub fn note_refused(&self, reason: PushError) -> PushError {
        let word = match reason {
            PushError::Full => "queue_full",
            PushError::TooLarge => "too_large",
            PushError::Failed(_) => "disk",
        };
        self.refused.add(word, 1, None);
        if word != "too_large" {
            *self.refused_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
        reason
    }

    /// Whether what finds no room is refused rather than dropped.
    pub const fn is_refusing(&self) -> bool {
        matches!(self.config.on_full, OnFull::Refuse)
    }

    /// Appends a body, as [`Entry::encode`] writes it, for which there may be `room`. On the disk it is durable
    /// when this returns.
    ///
    /// # Errors
    /// Only if the queue refuses rather than drops.
    pub async fn push(&self, bytes: &Bytes, room: Option<Room>) -> Result<(), PushError> {
        let _no_erasure = self.pushing.read().await;
        let pushed = match self.store.append(bytes, room.is_some()).await {
            Err(NoPlace::Full) if self.config.on_full == OnFull::DropOldest => {
                self.push_for_oldest(bytes).await
            }
            pushed => pushed,
        };
        let Err(reason) = pushed else { return Ok(()) };
        if self.config.on_full == OnFull::Refuse {
            return Err(self.note_refused(match reason {
                NoPlace::Full => PushError::Full,
                NoPlace::TooLarge => PushError::TooLarge,
                NoPlace::Failed(error) => PushError::Failed(error),
            }));
        }
        match reason {
            NoPlace::Full | NoPlace::TooLarge => self.counts.add("too_large", 1, None),
            NoPlace::Failed(error) => self.counts.add("disk", 1, Some(&error.to_string())),
        }
        Ok(())
    }

    /// One after the other: several at once would drop more than they need.
    async fn push_for_oldest(&self, bytes: &Bytes) -> Result<(), NoPlace> {
        let _alone = self.dropping.lock().await;
        loop {
            match self.store.append(bytes, false).await {
                Err(NoPlace::Full) => {}
                appended => return appended,
            }
            match self.store.drop_oldest().await.map_err(NoPlace::Failed)? {
                0 => return Err(NoPlace::TooLarge),
                dropped => self.counts.add("queue_full", dropped, None),
            }
        }
    }

    /// Notes bodies that never came to it.
    pub fn note_dropped(&self, reason: &'static str, bodies: u64, detail: Option<&str>) {
        self.counts.add(reason, bodies, detail);
    }

    /// The right to send: no erasure changes the queue while it is held.
    pub async fn turn(&self) -> MutexGuard<'_, ()> {
        self.sending.lock().await
    }

    /// Waits until something waits.
    pub async fn filled(&self) {
        let mut end = self.store.end();
        while *end.borrow_and_update() <= self.store.cursor() {
            if end.changed().await.is_err() {
                // It is closed: nothing will come.
                return std::future::pending().await;
            }
        }
    }

    /// The bodies that wait longest, until `max_bytes` are reached; at least one if there is one. What has
    /// waited for longer than is allowed is dropped before, if the clock is believed.
    ///
    /// # Errors
    /// If the disk cannot be read, or the cursor not be written, or a later version wrote what comes next.
    pub async fn peek(&self, max_bytes: usize, is_clock_believed: bool) -> Result<Vec<Waiting>, StoreError> {
        loop {
            let (cursor, end) = (self.store.cursor(), *self.store.end().borrow());
            let records = self.store.read(cursor, max_bytes).await?;
            if let Some(version) = records.first().and_then(|record| Entry::newer(&record.payload)) {
                return Err(StoreError::Newer { version });
            }
            let waiting: Vec<Waiting> = records
                .iter()
                .take_while(|record| Entry::newer(&record.payload).is_none())
                .map(|record| Waiting { sequence: record.sequence, entry: Entry::decode(&record.payload) })
                .collect();
            let is_over =
                |waiting: &&Waiting| waiting.entry.as_ref().is_some_and(|entry| self.is_over(entry));
            let over = if is_clock_believed { waiting.iter().take_while(is_over).count() } else { 0 };
            let Some(last) = over.checked_sub(1).and_then(|last| waiting.get(last)) else {
                // Nothing of what it says that it holds can be read: that is lost.
                if waiting.is_empty() && end > cursor {
                    self.store.advance(end).await?;
                }
                return Ok(waiting);
            };
            self.store.advance(last.sequence + 1).await?;
            self.counts.add("retention", over as u64, None);
            if let Store::Disk { journal, .. } = &self.store {
                // Else a file that holds them could become the file of later ones, and keep them for a while.
                journal.rotate().await?;
            }
        }
    }

    fn is_over(&self, entry: &Entry) -> bool {
        let retention = self.config.retention;
        retention.is_some_and(|kept| Timestamp::now().since(entry.ingested_at) > kept)
    }

    /// The bodies before `next` need not be sent any more.
    ///
    /// # Errors
    /// If that cannot be written: they may be sent again.
    pub async fn done(&self, next: u64) -> Result<(), StoreError> {
        self.store.advance(next).await
    }

    /// Whether [`Queue::erase`] would change something that waits. Nobody waits for it meanwhile.
    ///
    /// # Errors
    /// If the disk cannot be read.
    pub async fn holds(
        &self,
        change: &mut (dyn FnMut(Entry) -> Option<Entry> + Send),
    ) -> Result<bool, StoreError> {
        let (mut from, end) = (self.store.cursor(), *self.store.end().borrow());
        while from < end {
            let records = self.store.read(from, PIECE).await?;
            let Some(last) = records.last() else { break };
            from = last.sequence + 1;
            for record in &records {
                let Some(before) = Entry::decode(&record.payload) else { return Ok(true) };
                if change(before.clone()).as_ref() != Some(&before) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Sees that no file of now becomes one of later: what was sent goes with what still waits in its file.
    ///
    /// # Errors
    /// If it is closed.
    pub async fn rotate(&self) -> Result<(), StoreError> {
        match &self.store {
            Store::Memory(_) => Ok(()),
            Store::Disk { journal, .. } => Ok(journal.rotate().await?),
        }
    }

    /// Changes every waiting body, or removes it (`None`), and deletes every file that held one before.
    ///
    /// # Errors
    /// If the disk fails. Nothing is lost then, and some may be changed already.
    pub async fn erase(
        &self,
        change: &mut (dyn FnMut(Entry) -> Option<Entry> + Send),
    ) -> Result<Erasure, StoreError> {
        let _no_pushes = self.pushing.write().await;
        let _no_sending = self.sending.lock().await;
        let mut erasure = Erasure::default();
        let mut changed = |bytes: &Bytes| {
            // What cannot be read may hold anything.
            let before = Entry::decode(bytes)?;
            let after = change(before.clone());
            erasure.bodies += u64::from(after.as_ref() != Some(&before));
            after.map(|entry| Bytes::from(entry.encode()))
        };
        match &self.store {
            Store::Memory(memory) => memory.change(changed),
            Store::Disk { journal, .. } => {
                journal.rotate().await?;
                let end = *journal.durable_end().borrow();
                while journal.cursor() < end {
                    let records = self.store.read(journal.cursor(), PIECE).await?;
                    let before = records.iter().filter(|record| record.sequence < end);
                    let mut next = end;
                    for record in before {
                        next = record.sequence + 1;
                        if let Some(bytes) = changed(&record.payload) {
                            journal.append(bytes.into()).await?;
                        }
                    }
                    self.store.advance(next).await?;
                }
            }
        }
        Ok(erasure)
    }

    /// How it does.
    pub fn status(&self) -> Status {
        let waiting = self.store.end().borrow().saturating_sub(self.store.cursor());
        let (bytes, disk_error, lost) = match &self.store {
            Store::Memory(memory) => (memory.bytes(), None, 0),
            Store::Disk { journal, .. } => {
                let status = journal.status();
                (status.held_bytes, status.disk_error, status.lost)
            }
        };
        Status {
            waiting,
            bytes,
            max_bytes: self.config.max_size,
            dropped: self.counts.by_reason(),
            last_drop: self.counts.last(),
            disk_error,
            lost,
            refused: self.refused.by_reason(),
            is_refusing: self.is_closed_to_clients() || self.has_refused_lately(),
        }
    }

    fn has_refused_lately(&self) -> bool {
        let at = *self.refused_at.lock().unwrap_or_else(PoisonError::into_inner);
        at.is_some_and(|at| at.elapsed() < LATELY)
    }

    /// Takes nothing more; what waits can be sent. Blocks.
    pub fn close(&self) {
        if let Store::Disk { journal, .. } = &self.store {
            journal.close();
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.queue.promised.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").field("config", &self.config).finish_non_exhaustive()
    }
}
