//! From the journal to the table, each accepted event exactly once.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | [`ParquetExporter`]: when to flush, the steps of a batch, retries |
//! | `batch.rs` | records gathered, planned and split into files |
//! | `withdraw.rs` | what is done for sessions that are not to be stored |
//! | `status.rs` | [`Status`] and [`ExporterHandle`] |
//!
//! # The steps of a batch
//!
//! 1. **Gather** records behind the cursor until rows, bytes, age, the end of a session, a flush or the
//!    shutdown say enough. One that does not decode goes to the journal's dead letters.
//! 2. **Plan**: the range, a random batch id and the files with the records in each, durably.
//! 3. **Withdraw** the sessions that said in one of its records that they are not to be stored: from then
//!    on the table neither shows nor takes a row of theirs.
//! 4. **Write** each file, create-only. One that is there already with this very identity is done.
//! 5. **Cursor**: it moves behind the range, durably; then the plan is removed.
//!
//! Whatever interrupts them, a retry and a restart do the same: a plan that is found is repeated from the
//! journal under its own names, and only then is anything gathered. A plan behind the cursor is done.
//! So a record's events are in the files of one plan, and each of these files exists once.

mod batch;
mod status;
mod withdraw;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::exporters::with_causes;
use crate::journal::{Journal, Plan, PlannedFile, ReadError, Record, UpdateError};
use crate::table::upkeep::UpkeepError;
use crate::table::{self, FileIdentity, Table, WriteError, Written};
use batch::Batch;
pub use status::{ExporterHandle, Failing, Status, Stopped};

/// A file of the table is made of about this much of the journal at most.
const PART_BYTES: u64 = 64 << 20;
/// What is read from the journal at once.
const READ_BYTES: usize = 4 << 20;
/// What was just written and waits in memory while a batch is written; where more waits, it is read from the journal's
/// files.
const MOST_RECENT: u64 = 16 << 20;
/// What becomes durable is waited for so long before it is read.
const GATHERING: Duration = Duration::from_millis(20);
/// How often in `age` the ends of sessions make a batch due: many sessions must not make a file each.
const ENDS: u32 = 10;
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const DRAIN_BACKOFF: Duration = Duration::from_secs(1);
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);

/// When a batch is written.
#[derive(Debug, Clone)]
pub struct Config {
    /// At this many events.
    pub rows: usize,
    /// At this many bytes of journal records, or of memory that their events take. A batch has no more,
    /// unless a single record has.
    pub bytes: u64,
    /// When its oldest record has waited this long.
    pub age: Duration,
    /// As soon as an event says that its session has ended; of many such ends, at most [`ENDS`] times in `age`.
    pub on_session_end: bool,
    /// How long a shutdown waits for the rest of the journal to reach the table.
    pub drain_timeout: Duration,
}

impl Config {
    /// So much of what was just written waits in memory at most, beside a batch.
    pub const fn recent_bytes(&self) -> u64 {
        if self.bytes < MOST_RECENT { self.bytes } else { MOST_RECENT }
    }
}

/// Follows a journal and writes what it holds to a table.
#[derive(Debug)]
pub struct ParquetExporter {
    journal: Journal,
    table: Table,
    config: Config,
    status: Arc<Mutex<Status>>,
    durable_end: watch::Receiver<u64>,
    wanted: watch::Sender<u64>,
    exported: watch::Sender<u64>,
    /// When the end of a session may make a batch due again.
    next_end: Option<Instant>,
}

/// Why a step failed; it is tried again.
#[derive(Debug, thiserror::Error)]
enum StepError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Update(#[from] UpdateError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("sessions that are not to be stored cannot be hidden")]
    Withdraw(#[from] UpkeepError),
    #[error("cannot erase dead letters: {0}")]
    DeadLetters(std::io::Error),
    #[error("a step of the exporter was cancelled: {0}")]
    Cancelled(#[from] tokio::task::JoinError),
}

/// Why a journal must not be exported.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The table knows more of the journal than the journal itself.
    #[error(
        "journal {path} ends before record {end}, and the table has records of it up to {stored}: the folder was restored from an old copy, and its next records would be given numbers that are taken; what it holds is in the table already, so move the folder away and start with an empty one"
    )]
    OldCopy {
        /// The journal's folder.
        path: PathBuf,
        /// One more than its last record.
        end: u64,
        /// The last of its records that the table has.
        stored: u64,
    },
    /// The table cannot be listed.
    #[error("cannot tell what the table has of the journal")]
    Table(#[from] table::ReadError),
}

impl ParquetExporter {
    /// Checks that the journal is the one that the table was filled from, and no old copy of it. To be
    /// asked before anything is appended.
    pub async fn check(&self) -> Result<(), CheckError> {
        let end = *self.durable_end.borrow();
        match self.table.last_record_of(self.journal.id()).await? {
            Some(stored) if stored >= end => {
                Err(CheckError::OldCopy { path: self.journal.path().to_owned(), end, stored })
            }
            _ => Ok(()),
        }
    }

    /// An exporter from `journal` to `table`. There may be one for a journal.
    pub fn new(journal: Journal, table: Table, config: Config) -> Self {
        journal.keep_recent(usize::try_from(config.recent_bytes()).unwrap_or_default());
        Self {
            durable_end: journal.durable_end(),
            wanted: watch::Sender::new(0),
            exported: watch::Sender::new(journal.cursor()),
            next_end: None,
            status: Arc::default(),
            journal,
            table,
            config,
        }
    }

    /// A handle to flush it and to ask how it does.
    pub fn handle(&self) -> ExporterHandle {
        ExporterHandle {
            journal: self.journal.clone(),
            status: Arc::clone(&self.status),
            wanted: self.wanted.clone(),
            exported: self.exported.subscribe(),
        }
    }

    /// Exports until `shutdown`, then what is left, for [`Config::drain_timeout`] at most. Answers how many
    /// sequences stayed in the journal; the next start goes on with them.
    ///
    /// Close the journal before the shutdown, or what is appended meanwhile is waited for as well.
    pub async fn run(mut self, shutdown: CancellationToken) -> u64 {
        let journal = self.journal.clone();
        let deadline = self.config.drain_timeout;
        let out_of_time = async {
            shutdown.cancelled().await;
            tokio::time::sleep(deadline).await;
        };
        tokio::select! {
            () = self.export_until(&shutdown) => {}
            () = out_of_time => {}
        }
        let left = journal.status().behind;
        if left > 0 {
            tracing::warn!(left, path = %journal.path().display(), "the journal was not drained; the next start goes on");
        }
        left
    }

    async fn export_until(&mut self, shutdown: &CancellationToken) {
        let mut backoff = FIRST_BACKOFF;
        let mut wanted = self.wanted.subscribe();
        loop {
            match self.step(shutdown).await {
                Ok(Progress::Drained) => return,
                Ok(Progress::Exported) => {
                    backoff = FIRST_BACKOFF;
                    self.recovered();
                }
                Err(error) => {
                    self.failed(&error, backoff);
                    pause(backoff, &mut wanted, shutdown).await;
                    let longest = if shutdown.is_cancelled() { DRAIN_BACKOFF } else { LONGEST_BACKOFF };
                    backoff = (backoff * 2).min(longest);
                }
            }
        }
    }

    /// Repeats the plan that is there, or takes one batch from the journal to the table.
    async fn step(&mut self, shutdown: &CancellationToken) -> Result<Progress, StepError> {
        if let Some(plan) = self.blocking(Journal::plan).await?? {
            if plan.last < self.journal.cursor() {
                self.blocking(Journal::remove_plan).await??;
                return Ok(Progress::Exported);
            }
            let batch = self.records_of(&plan).await?;
            self.note_pending(&batch);
            self.execute(&plan, batch).await?;
            return Ok(Progress::Exported);
        }
        let batch = self.gather(shutdown).await?;
        if batch.is_empty() {
            return Ok(Progress::Drained);
        }
        let plan = batch.plan(Uuid::new_v4().simple().to_string(), PART_BYTES);
        if plan.files.is_empty() {
            self.withdraw(&batch).await?;
            self.advance(batch.next).await?;
            return Ok(Progress::Exported);
        }
        let written = plan.clone();
        self.blocking(move |journal| journal.write_plan(&written)).await??;
        self.execute(&plan, batch).await?;
        Ok(Progress::Exported)
    }

    /// Gathers records until a batch is due; an empty batch says that the journal is drained.
    async fn gather(&mut self, shutdown: &CancellationToken) -> Result<Batch, StepError> {
        let mut batch = Batch::starting_at(self.journal.cursor());
        let mut due = None;
        let mut wanted = self.wanted.subscribe();
        loop {
            let full = self.fill(&mut batch).await?;
            let flush = *wanted.borrow_and_update() > batch.first;
            if shutdown.is_cancelled() || (!batch.is_empty() && (flush || full)) {
                return Ok(batch);
            }
            let now = Instant::now();
            if self.config.on_session_end && batch.session_ended {
                match self.next_end.filter(|next| *next > now) {
                    Some(next) => due = Some(due.map_or(next, |due: Instant| due.min(next))),
                    None => {
                        self.wait_for_more_ends();
                        return Ok(batch);
                    }
                }
            } else if due.is_none() && !batch.is_empty() {
                due = now.checked_add(self.config.age);
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                // The journal is kept alive by this exporter, so its end never closes.
                _ = self.durable_end.changed() => gathering(&mut wanted, shutdown).await,
                _ = wanted.changed() => {}
                () = sleep_until(due) => {
                    self.wait_for_more_ends();
                    return Ok(batch);
                }
            }
        }
    }

    fn wait_for_more_ends(&mut self) {
        self.next_end = Instant::now().checked_add(self.config.age / ENDS);
    }

    /// Reads what has become durable into `batch`, until it is full: then it answers true.
    async fn fill(&mut self, batch: &mut Batch) -> Result<bool, StepError> {
        let end = *self.durable_end.borrow_and_update();
        let mut full = self.is_full(batch);
        while batch.next < end && !full {
            let records = self.next_records(batch.next).await?;
            if records.is_empty() {
                // What stood there is in the quarantine.
                let from = batch.next;
                tracing::error!(from, to = end - 1, "records of the journal can no longer be read");
                batch.next = end;
            }
            for record in &records {
                full = !self.has_room(batch, record);
                if full {
                    break;
                }
                self.push(batch, record).await?;
            }
        }
        self.journal.release_recent(batch.next);
        self.note_pending(batch);
        Ok(full || self.is_full(batch))
    }

    /// From memory if they have just been written, else from their segment.
    async fn next_records(&self, from: u64) -> Result<Vec<Record>, StepError> {
        match self.journal.recent(from, READ_BYTES) {
            records if records.is_empty() => self.read(from).await,
            records => Ok(records),
        }
    }

    /// What lags: the batch that is gathered or written.
    fn note_pending(&self, batch: &Batch) {
        let mut status = status::lock(&self.status);
        status.oldest_pending = batch.oldest;
        status.pending_events = batch.rows as u64;
    }

    fn is_full(&self, batch: &Batch) -> bool {
        let Config { rows, bytes, .. } = self.config;
        batch.rows >= rows || batch.bytes >= bytes || batch.memory >= bytes
    }

    fn has_room(&self, batch: &Batch, record: &Record) -> bool {
        let more = record.payload.len() as u64;
        batch.is_empty() || (!self.is_full(batch) && batch.memory + more <= self.config.bytes)
    }

    async fn push(&self, batch: &mut Batch, record: &Record) -> Result<(), StepError> {
        let Err(error) = batch.push(record) else { return Ok(()) };
        self.dead_letter(record.clone(), error.to_string()).await
    }

    /// The records of a plan's range, as they were when it was made.
    async fn records_of(&self, plan: &Plan) -> Result<Batch, StepError> {
        let mut batch = Batch::starting_at(plan.first);
        while batch.next <= plan.last {
            let records = self.read(batch.next).await?;
            if records.first().is_none_or(|record| record.sequence > plan.last) {
                break;
            }
            for record in records.iter().filter(|record| record.sequence <= plan.last) {
                self.push(&mut batch, record).await?;
            }
        }
        Ok(batch)
    }

    /// Writes the files of a durable plan, moves the cursor behind it and removes it.
    async fn execute(&self, plan: &Plan, mut batch: Batch) -> Result<(), StepError> {
        self.withdraw(&batch).await?;
        for file in &plan.files {
            self.write(plan, file, &mut batch).await?;
        }
        self.advance(plan.last + 1).await?;
        self.blocking(Journal::remove_plan).await??;
        let mut status = status::lock(&self.status);
        status.batches += 1;
        status.oldest_pending = None;
        status.pending_events = 0;
        Ok(())
    }

    async fn write(&self, plan: &Plan, file: &PlannedFile, batch: &mut Batch) -> Result<(), StepError> {
        let identity = FileIdentity {
            owner: file.owner.clone(),
            ingest_date: file.ingest_date.clone(),
            journal_id: self.journal.id().to_owned(),
            batch_id: plan.batch_id.clone(),
            first: plan.first,
            last: plan.last,
            part: file.part,
        };
        let sequences = batch.sequences(file);
        let events = batch.take(file);
        if events.is_empty() {
            // Only when a plan is repeated and its records have been damaged since.
            return Ok(());
        }
        let rows = events.len() as u64;
        match self.table.write(&identity, events).await {
            Ok(Written::Created { bytes }) => {
                let mut status = status::lock(&self.status);
                status.files += 1;
                status.rows += rows;
                status.bytes += bytes;
                Ok(())
            }
            Ok(Written::AlreadyThere | Written::Nothing) => Ok(()),
            // A foreign file under our name needs a person: these records must not be set aside for it.
            Err(error) if error.is_transient() || matches!(error, WriteError::Foreign { .. }) => {
                Err(error.into())
            }
            Err(error) => self.dead_letter_all(&sequences.into_iter().collect(), &with_causes(&error)).await,
        }
    }

    async fn dead_letter_all(&self, sequences: &BTreeSet<u64>, reason: &str) -> Result<(), StepError> {
        for sequence in sequences {
            let records = self.read(*sequence).await?;
            if let Some(record) = records.into_iter().find(|record| record.sequence == *sequence) {
                self.dead_letter(record, reason.to_owned()).await?;
            }
        }
        Ok(())
    }

    async fn dead_letter(&self, record: Record, reason: String) -> Result<(), StepError> {
        let sequence = record.sequence;
        let text = reason.clone();
        if self.blocking(move |journal| journal.dead_letter(&record, &text)).await?? {
            tracing::error!(sequence, reason, "a record cannot be exported; it is among the dead letters");
            status::lock(&self.status).dead_letters += 1;
        }
        Ok(())
    }

    async fn advance(&self, next: u64) -> Result<(), StepError> {
        self.blocking(move |journal| journal.advance(next)).await??;
        self.exported.send_replace(next);
        Ok(())
    }

    async fn read(&self, from: u64) -> Result<Vec<Record>, StepError> {
        Ok(self.blocking(move |journal| journal.read(from, READ_BYTES)).await??)
    }

    /// Runs a call that waits for the disk where it holds up no other task.
    async fn blocking<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Journal) -> T + Send + 'static,
    ) -> Result<T, tokio::task::JoinError> {
        let journal = self.journal.clone();
        tokio::task::spawn_blocking(move || call(&journal)).await
    }

    fn failed(&self, error: &StepError, retry_in: Duration) {
        let description = with_causes(error);
        tracing::warn!(
            error = description,
            ?retry_in,
            "a batch cannot be exported; the journal keeps it and it is tried again"
        );
        let mut status = status::lock(&self.status);
        status.failures += 1;
        let (since, attempts) = match &status.failing {
            Some(failing) => (failing.since, failing.attempts),
            None => (std::time::Instant::now(), 0),
        };
        status.failing = Some(Failing { error: description, since, attempts: attempts.saturating_add(1) });
    }

    fn recovered(&self) {
        if status::lock(&self.status).failing.take().is_some() {
            tracing::info!("the parquet exporter works again");
        }
    }
}

/// What a step came to.
enum Progress {
    Exported,
    Drained,
}

/// Sleeps for `backoff`. The beginning of a shutdown and a new flush end it early: somebody waits.
async fn pause(backoff: Duration, wanted: &mut watch::Receiver<u64>, shutdown: &CancellationToken) {
    if shutdown.is_cancelled() {
        return tokio::time::sleep(backoff).await;
    }
    wanted.mark_unchanged();
    tokio::select! {
        () = shutdown.cancelled() => {}
        // The exporter holds the sender.
        _ = wanted.changed() => {}
        () = tokio::time::sleep(backoff) => {}
    }
}

/// Waits a moment for more, unless somebody waits for the table: to read one large piece of the journal is less work
/// than to read each commit as it comes.
async fn gathering(wanted: &mut watch::Receiver<u64>, shutdown: &CancellationToken) {
    tokio::select! {
        () = shutdown.cancelled() => {}
        // The exporter holds the sender.
        _ = wanted.changed() => {}
        () = tokio::time::sleep(GATHERING) => {}
    }
}

/// Ends at `due`, or never.
async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
