//! Why a table cannot be read or written.

use std::io;

use parquet::errors::ParquetError;
use thiserror::Error;

use super::FileIdentity;

/// Why nothing was read: the store failed, and what could still be read of it would be an
/// arbitrary part of the table.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The files could not be listed.
    #[error("cannot list the files in {folder}")]
    List {
        /// The folder below the table's root.
        folder: String,
        /// The store's reason.
        source: object_store::Error,
    },
    /// A file could not be fetched.
    #[error("cannot fetch {path}")]
    Fetch {
        /// The file's path below the table's root.
        path: String,
        /// The store's reason.
        source: object_store::Error,
    },
    /// What upkeep has written down cannot be understood. Without it, erased data would be shown.
    #[error("cannot understand {path}")]
    Upkeep {
        /// The file's path below the table's root.
        path: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

impl ReadError {
    /// Whether a file was gone before it was read: upkeep, of this process or another one, has put others in its
    /// place, which are listed now.
    pub fn is_overtaken(&self) -> bool {
        matches!(self, Self::Fetch { source: object_store::Error::NotFound { .. }, .. })
    }
}

/// Why a file was not written.
#[derive(Debug, Error)]
pub enum WriteError {
    /// The events could not be encoded; another attempt would fail the same way.
    #[error("cannot encode {path}")]
    Encode {
        /// The file's path below the table's root.
        path: String,
        /// The encoder's reason.
        source: ParquetError,
    },
    /// The encoder panicked, or the runtime is shutting down.
    #[error("the encoder of {path} did not finish")]
    Unfinished {
        /// The file's path below the table's root.
        path: String,
        /// How it ended.
        source: tokio::task::JoinError,
    },
    /// The store refused or failed; another attempt may succeed.
    #[error("cannot store {path}")]
    Store {
        /// The file's path below the table's root.
        path: String,
        /// The store's reason.
        source: object_store::Error,
    },
    /// What upkeep has written down could not be read, so nobody can say whether the file is still
    /// wanted; another attempt may succeed.
    #[error("cannot tell what is still wanted of {path}")]
    Upkeep {
        /// The file's path below the table's root.
        path: String,
        /// What failed.
        source: Box<ReadError>,
    },
    /// It took so long that more may be erased by now; another attempt asks again.
    #[error("writing {path} took too long")]
    Late {
        /// The file's path below the table's root.
        path: String,
    },
    /// The disk of a local table refused or failed; another attempt may succeed.
    #[error("cannot write {path}")]
    Disk {
        /// The file's path below the table's root.
        path: String,
        /// The disk's reason.
        source: io::Error,
    },
    /// Something else lies under the file's name. Nothing was overwritten, and no other attempt
    /// will succeed until a person has looked.
    #[error("{path} is taken: expected {expected}, found {found}; nothing was overwritten")]
    Foreign {
        /// The file's path below the table's root.
        path: String,
        /// What was to be written.
        expected: Box<FileIdentity>,
        /// What lies there.
        found: String,
    },
}

impl WriteError {
    /// Whether another attempt may succeed without anyone doing anything about it.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Store { .. } | Self::Disk { .. } | Self::Upkeep { .. } | Self::Late { .. } => true,
            Self::Unfinished { source, .. } => source.is_cancelled(),
            Self::Encode { .. } | Self::Foreign { .. } => false,
        }
    }
}
