//! Where bodies wait: in a journal of the queue's own, or in memory.
//!
//! Both have the journal's vocabulary: a sequence for each body, ascending, and a cursor, the next one to send.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::watch;

use crate::journal::{self, AppendError, Journal, Record};

/// Why a queue on the disk cannot be read or written now.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be written.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] journal::ReadError),
    /// Its cursor cannot be moved.
    #[error(transparent)]
    Update(#[from] journal::UpdateError),
    /// A later version wrote the entries. They are neither sent nor dropped.
    #[error(
        "what waits has layout {version} and this version reads up to 2: use the newer skillspan until it is sent"
    )]
    Newer {
        /// Its layout.
        version: u8,
    },
    /// The work on the disk ended before it was done.
    #[error("the work on the queue was cancelled")]
    GivenUp,
}

/// Why a body finds no place.
#[derive(Debug)]
pub(super) enum NoPlace {
    Full,
    TooLarge,
    Failed(StoreError),
}

pub(super) enum Store {
    Disk { journal: Journal, max_size: u64 },
    Memory(Memory),
}

/// A queue that goes with the process.
pub(super) struct Memory {
    waiting: Mutex<Waiting>,
    max_size: u64,
    end: watch::Sender<u64>,
}

#[derive(Default)]
struct Waiting {
    bodies: VecDeque<Record>,
    bytes: u64,
    next: u64,
}

impl Store {
    /// Appends a body, durably if it is on the disk. Where `has_room`, that was asked before ([`Store::room`]).
    pub(super) async fn append(&self, bytes: &Bytes, has_room: bool) -> Result<(), NoPlace> {
        match self {
            Self::Memory(memory) => memory.append(bytes, has_room),
            Self::Disk { journal, .. } => {
                if !has_room {
                    self.room(bytes.len(), 0)?;
                }
                match journal.append(bytes.to_vec()).await {
                    Ok(_) => Ok(()),
                    Err(AppendError::Full { .. }) => Err(NoPlace::Full),
                    Err(AppendError::TooLarge { .. }) => Err(NoPlace::TooLarge),
                    Err(error) => Err(NoPlace::Failed(error.into())),
                }
            }
        }
    }

    /// Whether a body of `bytes` finds a place beside `others` bytes that are on their way.
    pub(super) fn room(&self, bytes: usize, others: u64) -> Result<(), NoPlace> {
        match self {
            Self::Memory(memory) => fits(bytes, memory.bytes() + others, memory.max_size, memory.max_size),
            // What is appended grows the files by more than it: they are written with zeros ahead.
            Self::Disk { journal, max_size } => {
                let held = journal.status().held_bytes.saturating_add(others);
                fits(bytes, held, *max_size, journal.max_payload() as u64)
            }
        }
    }

    /// Whether nothing finds a place until something is sent.
    pub(super) fn is_full(&self) -> bool {
        match self {
            Self::Disk { journal, max_size } => journal.status().held_bytes >= *max_size,
            Self::Memory(memory) => memory.lock().bytes >= memory.max_size,
        }
    }

    /// Whether its disk took nothing the last time; it is tried again by itself.
    pub(super) fn is_broken(&self) -> bool {
        match self {
            Self::Disk { journal, .. } => !journal.status().writable,
            Self::Memory(_) => false,
        }
    }

    /// The next sequence to send.
    pub(super) fn cursor(&self) -> u64 {
        match self {
            Self::Disk { journal, .. } => journal.cursor(),
            Self::Memory(memory) => memory.cursor(),
        }
    }

    /// Follows one more than the last sequence.
    pub(super) fn end(&self) -> watch::Receiver<u64> {
        match self {
            Self::Disk { journal, .. } => journal.durable_end(),
            Self::Memory(memory) => memory.end.subscribe(),
        }
    }

    /// Bodies from `from` on, until `max_bytes` are reached; at least one if there is one.
    pub(super) async fn read(&self, from: u64, max_bytes: usize) -> Result<Vec<Record>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.read(from, max_bytes)),
            Self::Disk { journal, .. } => {
                let journal = journal.clone();
                Ok(blocking(move || journal.read(from, max_bytes)).await??)
            }
        }
    }

    /// Moves the cursor to `next`, durably if it is on the disk; never back.
    pub(super) async fn advance(&self, next: u64) -> Result<(), StoreError> {
        match self {
            Self::Memory(memory) => {
                memory.advance(next);
                Ok(())
            }
            Self::Disk { journal, .. } => {
                let journal = journal.clone();
                Ok(blocking(move || journal.advance(next)).await??)
            }
        }
    }

    /// Makes room by dropping the oldest bodies; answers how many, 0 if there were none. On the disk that is a whole
    /// file.
    pub(super) async fn drop_oldest(&self) -> Result<u64, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.pop()),
            Self::Disk { journal, .. } => {
                let cursor = journal.cursor();
                let end = journal.oldest_file_end().unwrap_or(cursor).min(*journal.durable_end().borrow());
                self.advance(end).await?;
                Ok(end.saturating_sub(cursor))
            }
        }
    }
}

fn fits(bytes: usize, held: u64, max_size: u64, largest: u64) -> Result<(), NoPlace> {
    match bytes as u64 {
        bytes if bytes > largest => Err(NoPlace::TooLarge),
        bytes if held.saturating_add(bytes) > max_size => Err(NoPlace::Full),
        _ => Ok(()),
    }
}

/// Runs what waits for a disk where nobody else waits for it.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| StoreError::GivenUp)
}

impl Memory {
    pub(super) fn new(max_size: u64) -> Self {
        Self { waiting: Mutex::default(), max_size, end: watch::Sender::new(0) }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.lock().bytes
    }

    fn append(&self, bytes: &Bytes, has_room: bool) -> Result<(), NoPlace> {
        let mut waiting = self.lock();
        if !has_room {
            fits(bytes.len(), waiting.bytes, self.max_size, self.max_size)?;
        }
        let sequence = waiting.next;
        waiting.next += 1;
        waiting.bytes += bytes.len() as u64;
        waiting.bodies.push_back(Record { sequence, payload: bytes.clone() });
        self.end.send_replace(waiting.next);
        Ok(())
    }

    fn cursor(&self) -> u64 {
        let waiting = self.lock();
        waiting.bodies.front().map_or(waiting.next, |first| first.sequence)
    }

    fn read(&self, from: u64, max_bytes: usize) -> Vec<Record> {
        let waiting = self.lock();
        let mut taken = 0;
        let within = |record: &&Record| {
            let fits = taken < max_bytes;
            taken += record.payload.len();
            fits
        };
        waiting.bodies.iter().filter(|record| record.sequence >= from).take_while(within).cloned().collect()
    }

    fn advance(&self, next: u64) {
        while self.lock().bodies.front().is_some_and(|first| first.sequence < next) {
            self.pop();
        }
    }

    fn pop(&self) -> u64 {
        let mut waiting = self.lock();
        let Some(first) = waiting.bodies.pop_front() else { return 0 };
        waiting.bytes -= first.payload.len() as u64;
        1
    }

    /// Changes each body, or takes it out.
    pub(super) fn change(&self, mut change: impl FnMut(&Bytes) -> Option<Bytes>) {
        let mut waiting = self.lock();
        waiting.bodies.retain_mut(|record| match change(&record.payload) {
            Some(changed) => {
                record.payload = changed;
                true
            }
            None => false,
        });
        waiting.bytes = waiting.bodies.iter().map(|record| record.payload.len() as u64).sum();
    }
}
