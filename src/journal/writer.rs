//! The writer: one thread that owns the segment being written.
//!
//! It takes all waiting records, writes them in one piece, syncs once, and answers all of them. While a sync runs,
//! the next group gathers by itself, so nobody waits for a timer. Files have zeros ahead of the records, or are
//! reused from exported segments, so a sync has no new blocks to record.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::record::{self, END, RECORD_HEADER};
use super::segment::{self, Header, SEGMENT_HEADER, Segment};
use super::state::{Shared, Spare};
use super::{AppendError, Durability};
use crate::disk::DiskFile;

/// A group is synced when this much is staged. Beyond it, the time of a sync grows with its size.
const GROUP_BYTES: usize = 1 << 20;
/// How many zeros are written at once ahead of the records.
const PREALLOCATION: u64 = 1 << 20;
/// How often the writer checks the files, and retries a disk that failed, while no request comes.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// A record on its way.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) payload: Vec<u8>,
    pub(super) answer: oneshot::Sender<Result<u64, AppendError>>,
    /// Its share of the queue, returned with the answer.
    pub(super) room: OwnedSemaphorePermit,
}

/// What others ask of the writer.
#[derive(Debug)]
pub(super) enum Message {
    Append(Request),
    /// Begin anew: never write an existing file again. The answer comes once that holds.
    Rotate(oneshot::Sender<()>),
    /// Check the files now. The answer comes once that is done.
    Look(oneshot::Sender<()>),
}

/// Owns the segment being written.
pub(super) struct Writer {
    shared: Arc<Shared>,
    messages: Receiver<Message>,
    /// Who asked to begin anew while a group was gathered.
    rotations: Vec<oneshot::Sender<()>>,
    /// Who asked to look at the files.
    looks: Vec<oneshot::Sender<()>>,
    /// When the files were looked at last.
    looked: Instant,
    active: Option<Active>,
    /// The sequence of the next record to stage.
    next: u64,
    buffer: Vec<u8>,
    staged: Vec<Staged>,
    /// Bytes of the group that failed last. The disk works again only once it accepts as many.
    refused: u64,
    /// [`PREALLOCATION`], or nothing while the disk is nearly full.
    preallocation: u64,
}

struct Active {
    file: Box<dyn DiskFile>,
    path: PathBuf,
    header: Header,
    /// Where the last durable record ends.
    length: u64,
    /// Bytes of the file.
    size: u64,
}

impl Active {
    /// Fails if others have removed, replaced or cut the file.
    fn in_place(&self, length: u64) -> io::Result<()> {
        if self.file.is_at(&self.path, length) {
            return Ok(());
        }
        Err(io::Error::other("another process removed, replaced or cut it; a new segment is begun"))
    }
}

struct Staged {
    sequence: u64,
    offset: u64,
    answer: oneshot::Sender<Result<u64, AppendError>>,
    /// If somebody follows.
    payload: Option<Vec<u8>>,
    _room: OwnedSemaphorePermit,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, messages: Receiver<Message>, next: u64) -> Self {
        Self {
            shared,
            messages,
            rotations: Vec::new(),
            looks: Vec::new(),
            looked: Instant::now(),
            active: None,
            next,
            buffer: Vec::new(),
            staged: Vec::new(),
            refused: 0,
            preallocation: PREALLOCATION,
        }
    }

    /// Serves until the journal is closed and everything queued is answered.
    pub(super) fn run(mut self) {
        loop {
            match self.messages.recv_timeout(LOOK_INTERVAL) {
                Ok(Message::Append(request)) => self.serve(request),
                Ok(Message::Rotate(done)) => self.rotations.push(done),
                Ok(Message::Look(done)) => self.looks.push(done),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if !self.rotations.is_empty() {
                self.rotate();
            }
            if !self.looks.is_empty() || self.looked.elapsed() >= LOOK_INTERVAL {
                self.look();
            }
        }
    }

    /// Commits `first` together with what is waiting behind it.
    fn serve(&mut self, first: Request) {
        self.stage_or_refuse(first);
        while self.buffer.len() < GROUP_BYTES
            && let Ok(message) = self.messages.try_recv()
        {
            match message {
                Message::Append(request) => self.stage_or_refuse(request),
                Message::Rotate(done) => self.rotations.push(done),
                Message::Look(done) => self.looks.push(done),
            }
        }
        self.commit();
    }

    /// Seals the segment being written. What its file and all others hold goes with their records: none of them
    /// becomes the file of a later segment.
    fn rotate(&mut self) {
        self.shared.state().segments.values_mut().for_each(|segment| segment.failed = true);
        self.seal();
        while self.shared.remove_spare() {}
        for done in self.rotations.drain(..) {
            // Who asked may have gone away.
            let _ = done.send(());
        }
    }

    /// Checks whether the files still exist, and whether a failed disk works again.
    fn look(&mut self) {
        self.look_at_files();
        for done in self.looks.drain(..) {
            // Who asked may have gone away.
            let _ = done.send(());
        }
    }

    fn look_at_files(&mut self) {
        self.looked = Instant::now();
        if let Err(error) = self.shared.check_folder() {
            let folder = self.shared.folder.path.clone();
            self.failed(&folder, error);
            return;
        }
        if self.active.as_ref().is_some_and(|active| !active.file.is_at(&active.path, active.size)) {
            self.abandon();
        }
        self.shared.find_lost();
        if self.shared.state().health.disk_error.is_some() {
            self.probe();
        }
    }

    fn stage_or_refuse(&mut self, request: Request) {
        let Request { payload, answer, room } = request;
        match self.stage(&payload) {
            Ok((sequence, offset)) => {
                let payload = self.shared.recent().is_kept().then_some(payload);
                self.staged.push(Staged { sequence, offset, answer, payload, _room: room });
            }
            // The client may have gone away; there is nobody else to tell.
            Err(error) => drop(answer.send(Err(error))),
        }
    }

    /// Puts a record into the buffer; answers its sequence and its place in the segment.
    fn stage(&mut self, payload: &[u8]) -> Result<(u64, u64), AppendError> {
        let bytes = (RECORD_HEADER + payload.len()) as u64;
        if self.active.as_ref().is_some_and(|active| self.end_of(active) + bytes > self.shared.segment_size) {
            self.commit();
            self.seal();
        }
        self.keep_within_max_size(bytes)?;
        let active = match self.active.take() {
            Some(active) => active,
            None => self.begin_segment()?,
        };
        let (sequence, offset) = (self.next, self.end_of(&active));
        record::encode(&mut self.buffer, active.header.salt, sequence, payload);
        self.next += 1;
        self.active = Some(active);
        Ok((sequence, offset))
    }

    /// Where the next record would begin.
    fn end_of(&self, active: &Active) -> u64 {
        active.length + self.buffer.len() as u64
    }

    fn keep_within_max_size(&mut self, bytes: u64) -> Result<(), AppendError> {
        let fits = self.has_room(bytes) || self.make_room(bytes);
        let lacking = if fits { 0 } else { self.growth(bytes) };
        self.shared.state().lacking = lacking;
        if fits { Ok(()) } else { Err(AppendError::Full { max_size: self.shared.max_size }) }
    }

    fn make_room(&mut self, bytes: u64) -> bool {
        // The segment being written may hold nothing but exported records: then it can make room itself.
        if self.buffer.is_empty() && self.shared.state().cursor >= self.next {
            self.seal();
        }
        while !self.has_room(bytes) {
            if !self.shared.remove_spare() {
                return false;
            }
        }
        true
    }

    fn has_room(&self, bytes: u64) -> bool {
        let growth = self.growth(bytes);
        self.shared.state().bytes() + growth <= self.shared.max_size
    }

    /// How much the files grow for a record of this size.
    fn growth(&self, bytes: u64) -> u64 {
        let (end, size) = match &self.active {
            Some(active) => (self.end_of(active) + bytes, active.size),
            None => (SEGMENT_HEADER + bytes, self.shared.state().spares.last().map_or(0, |spare| spare.size)),
        };
        end.saturating_sub(size)
    }

    /// Lets go of the segment being written; it is never written again.
    fn seal(&mut self) {
        self.active = None;
        self.preallocation = PREALLOCATION;
        self.shared.state().active = None;
        self.shared.release_exported();
    }

    /// Begins a segment at the next sequence. One of that name holds no durable record and is replaced.
    fn begin_segment(&mut self) -> Result<Active, AppendError> {
        let header = Header::new(self.shared.id, self.next);
        let path = segment::path(&self.shared.folder.path, self.next);
        let shared = Arc::clone(&self.shared);
        let _one_at_a_time = shared.files();
        let (file, size) = match self.new_file(&header) {
            Ok(file) => file,
            Err(error) => return Err(self.failed(&path, error)),
        };
        let mut state = self.shared.state();
        state.segments.insert(self.next, Segment::new(header, size));
        state.active = Some(self.next);
        drop(state);
        Ok(Active { file, path, header, length: SEGMENT_HEADER, size })
    }

    fn new_file(&mut self, header: &Header) -> io::Result<(Box<dyn DiskFile>, u64)> {
        self.shared.check_folder()?;
        let folder = &self.shared.folder;
        let spare = self.shared.state().spares.pop();
        if let Some(Spare { path, size }) = spare {
            let recycled = header.recycle(&*folder.disk, &folder.path, &path);
            if recycled.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
                // Somebody removed it.
                return self.new_file(header);
            }
            if recycled.is_err() {
                // Not to be trusted again; it may have got its new name.
                let _ = folder.disk.remove(&path);
                let _ = folder.disk.remove(&segment::path(&folder.path, header.first));
            }
            return Ok((recycled?, size));
        }
        let created = self.create_file(header);
        match &created {
            Err(error) if error.kind() == io::ErrorKind::StorageFull && self.preallocation > 0 => {
                self.preallocation = 0;
                self.create_file(header)
            }
            _ => created,
        }
    }

    /// A new file, large enough for the group that was refused last.
    fn create_file(&self, header: &Header) -> io::Result<(Box<dyn DiskFile>, u64)> {
        let folder = &self.shared.folder;
        let room = self.shared.max_size.saturating_sub(self.shared.state().bytes());
        let wanted = (SEGMENT_HEADER + self.refused).max(self.preallocation);
        let size = wanted.min(self.shared.segment_size).min(room).max(SEGMENT_HEADER);
        Ok((header.create(&*folder.disk, &folder.path, size)?, size))
    }

    /// Writes and syncs what is staged, then answers it.
    fn commit(&mut self) {
        if self.buffer.is_empty() {
            return;
        }
        let result = self.write_and_sync().and_then(|()| self.publish());
        if result.is_err() {
            self.abandon();
        }
        self.buffer.clear();
        for staged in self.staged.drain(..) {
            let answer = result.clone().map(|()| staged.sequence);
            // As above: nobody else to tell.
            let _ = staged.answer.send(answer);
        }
    }

    fn write_and_sync(&mut self) -> Result<(), AppendError> {
        let Some(active) = &mut self.active else { return Err(AppendError::Closed) };
        let records = self.buffer.len();
        let end = active.length + records as u64;
        let size = size_for(end, active.size, self.preallocation, &self.shared);
        let padding = if size > active.size { size - end } else { (size - end).min(END.len() as u64) };
        self.buffer.resize(records + usize::try_from(padding).unwrap_or(0), 0);
        let started = Instant::now();
        let mut written = self.shared.check_folder().and_then(|()| active.in_place(active.size));
        written = written.and_then(|()| active.file.write_at(active.length, &self.buffer));
        if self.shared.durability == Durability::Fsync {
            written = written.and_then(|()| active.file.sync());
        }
        // Nobody can find the content of a file without a name.
        written = written.and_then(|()| active.in_place(size));
        active.size = size;
        self.buffer.truncate(records);
        let path = active.path.clone();
        if written.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::StorageFull) {
            self.preallocation = 0;
        }
        written.map_err(|error| self.failed(&path, error))?;
        self.succeeded(started.elapsed());
        Ok(())
    }

    /// Makes the committed records visible to readers. It does not acknowledge records that nobody would find.
    fn publish(&mut self) -> Result<(), AppendError> {
        let Some(active) = &mut self.active else { return Err(AppendError::Closed) };
        let mut state = self.shared.state();
        let Some(segment) = state.segments.get_mut(&active.header.first) else {
            drop(state);
            let path = active.path.clone();
            return Err(self.failed(&path, io::ErrorKind::NotFound.into()));
        };
        active.length += self.buffer.len() as u64;
        for staged in &self.staged {
            segment.note(staged.sequence, staged.offset);
        }
        segment.length = active.length;
        segment.size = active.size;
        segment.next = self.next;
        drop(state);
        let mut recent = self.shared.recent();
        for staged in &mut self.staged {
            if let Some(payload) = staged.payload.take() {
                recent.push(staged.sequence, payload);
            }
        }
        drop(recent);
        self.shared.durable_end.send_replace(self.next);
        Ok(())
    }

    /// After a failed sync nobody knows what the disk holds of the staged records. So a new segment begins with the
    /// same sequences, and its first sequence tells recovery where this one ends.
    fn abandon(&mut self) {
        if let Some(active) = self.active.take() {
            let first = active.header.first;
            // Of a folder that is elsewhere nobody knows anything, and it may come back.
            let here = self.shared.check_folder().is_ok();
            let mut state = self.shared.state();
            state.active = None;
            if let Some(segment) = state.segments.get_mut(&first) {
                segment.size = active.size;
                segment.failed = true;
                segment.keep |= here && !active.file.is_at(&active.path, segment.length);
            }
            drop(state);
            if here && !active.file.is_at(&active.path, 0) {
                self.shared.lose(first);
            }
        }
        self.refused = self.buffer.len() as u64;
        self.next = *self.shared.durable_end.borrow();
    }

    /// Finds out whether a failed disk works again before a request is lost to it.
    fn probe(&mut self) {
        if self.shared.check_folder().is_err() {
            return;
        }
        let active = match self.active.take() {
            Some(active) => Ok(active),
            None => self.begin_segment(),
        };
        if let Ok(active) = active {
            self.active = Some(active);
            self.shared.state().health.disk_error = None;
            tracing::info!(path = %self.shared.folder.path.display(), "the journal can write again");
        }
    }

    fn failed(&self, path: &std::path::Path, error: io::Error) -> AppendError {
        let mut state = self.shared.state();
        if state.health.disk_error.is_none() {
            tracing::error!(path = %path.display(), %error, "the journal cannot write");
        }
        state.health.disk_error = Some(format!("{}: {error}", path.display()));
        AppendError::Disk { path: path.to_owned(), source: Arc::new(error) }
    }

    fn succeeded(&self, took: Duration) {
        let health = &mut self.shared.state().health;
        if health.disk_error.take().is_some() {
            tracing::info!(path = %self.shared.folder.path.display(), "the journal can write again");
        }
        if self.shared.durability == Durability::Fsync {
            health.syncs.note(took);
        }
    }
}

/// The size of a segment's file that is to hold records up to `end`: what it is, unless they and what
/// follows them do not fit.
fn size_for(end: u64, size: u64, preallocation: u64, shared: &Shared) -> u64 {
    if end + END.len() as u64 <= size || end <= size && size >= shared.segment_size {
        return size;
    }
    let room = shared.max_size.saturating_sub(shared.state().bytes());
    let ahead = (size + preallocation).max(end + END.len() as u64).min(shared.segment_size);
    ahead.min(size + room).max(end).max(size)
}
