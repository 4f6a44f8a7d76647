//! What can go wrong with a journal.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{MAX_SEGMENT_SIZE, MIN_SEGMENT_SIZE};

/// Why a journal cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The configured sizes do not fit together.
    #[error(
        "journal {path}: segment size {segment_size} must lie between {MIN_SEGMENT_SIZE} and {MAX_SEGMENT_SIZE} bytes and not exceed the maximum size {max_size}"
    )]
    Sizes {
        /// The journal's folder.
        path: PathBuf,
        /// As configured.
        segment_size: u64,
        /// As configured.
        max_size: u64,
    },
    /// Another process, or another handle of this one, has the journal open.
    #[error("journal {path} is in use by another process; stop it, or give this one a journal of its own")]
    Locked {
        /// The journal's folder.
        path: PathBuf,
    },
    /// A later version wrote this file.
    #[error(
        "{path} has format {found}, this version reads formats up to {supported}; start the version that wrote it"
    )]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format this version reads.
        supported: u32,
    },
    /// The disk failed.
    #[error("journal file {path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
}

impl OpenError {
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}

/// Why a record was not accepted. None of them leaves it in the journal for readers.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// The journal is full until an exporter has made progress; try again later.
    #[error("the journal holds its maximum of {max_size} bytes")]
    Full {
        /// The limit in bytes.
        max_size: u64,
    },
    /// The disk refused; try again later.
    #[error("cannot write journal segment {path}: {source}")]
    Disk {
        /// The segment.
        path: PathBuf,
        /// What failed.
        source: Arc<io::Error>,
    },
    /// The record can never be accepted.
    #[error("a record of {size} bytes exceeds the journal's limit of {limit} bytes")]
    TooLarge {
        /// Payload bytes of the record.
        size: usize,
        /// Payload bytes that fit.
        limit: usize,
    },
    /// The journal was closed.
    #[error("the journal is closed")]
    Closed,
}

/// Why records cannot be read now. Damage is no error: it is set aside and skipped.
#[derive(Debug, thiserror::Error)]
#[error("cannot read journal {path} from sequence {from}: {source}")]
pub struct ReadError {
    /// The journal's folder.
    pub path: PathBuf,
    /// Where reading was to begin.
    pub from: u64,
    /// What failed.
    pub source: io::Error,
}

/// Why the cursor, the plan or a dead letter could not be written.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// The cursor was to move beyond what is durable.
    #[error("the cursor cannot move to {next}: the journal's durable end is {end}")]
    BeyondEnd {
        /// Where it was to move.
        next: u64,
        /// One more than the last durable sequence.
        end: u64,
    },
    /// The disk failed.
    #[error("cannot write the {what} of journal {path}: {source}")]
    Io {
        /// Which file.
        what: &'static str,
        /// The journal's folder.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
}
