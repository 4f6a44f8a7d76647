//! What the exporter remembers between two starts.
//!
//! ```text
//! <state>/cursor.json   {"format":1,"table":[…files seen…],"sending":false,"sessions":[…],…}
//! <state>/lock          held while the exporter runs
//! ```
//!
//! Replaced whole, durably, after the rows of a round are known to be written. `sending` is set before the first row
//! of a round is sent. A process that finds it set was killed in the middle, so the service may have rows that nobody
//! remembers; it asks for each row before it sends any. A lost file means reading and asking again, never a gap and
//! never a second row.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::event::Timestamp;
use crate::exporters::filesystem::{self, read, replace};
use crate::table::Cursor;

/// The format that this version writes; it reads this one and all before it.
const FORMAT: u32 = 1;

/// Its file.
const CURSOR: &str = "cursor.json";

/// The memory cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// A file or folder refused.
    #[error("the exporter's cursor: {0}")]
    File(#[from] filesystem::Error),
    /// A later version wrote it.
    #[error(
        "{} has format {found}, this version reads up to {FORMAT}: use a newer skillspan, or delete the file to \
         have everything looked at again",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// Another process runs the same exporter.
    #[error("another process exports with the state in {}", path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// The lock cannot be had.
    #[error("cannot lock {}: {source}", path.display())]
    Lock {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}

/// What is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct State {
    format: u32,
    /// The files of the table that have been seen.
    pub(super) table: Cursor,
    /// Rows may have been sent since this was written.
    pub(super) sending: bool,
    /// The sessions of which more is to be written, or something was a moment ago.
    #[serde(with = "as_list")]
    pub(super) sessions: BTreeMap<Key, Open>,
    /// The tombstones whose sessions have left the service.
    pub(super) erased: BTreeSet<String>,
    /// Rows that the service refuses, by id, with what it says.
    pub(super) refused: BTreeMap<String, Refused>,
}

/// (tenant, session id)
pub(super) type Key = (String, String);

/// A session that is not done with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Open {
    /// The first ingestion date that may hold rows of it.
    pub(super) since: String,
    /// When it is to be looked at again, in microseconds since the epoch.
    pub(super) look_again: i64,
    /// Reads may not show the rows written until this time, in microseconds since the epoch.
    pub(super) remember_until: i64,
    /// The beginnings of the ids of its rows that are written.
    pub(super) written: BTreeSet<String>,
}

/// A row that the service refuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Refused {
    pub(super) session: String,
    pub(super) reason: String,
}

impl Default for State {
    /// Of somebody who remembers nothing: rows of an earlier life may have been sent a moment ago.
    fn default() -> Self {
        Self {
            format: FORMAT,
            table: Cursor::default(),
            sending: true,
            sessions: BTreeMap::new(),
            erased: BTreeSet::new(),
            refused: BTreeMap::new(),
        }
    }
}

impl Open {
    /// As much of a row's id as tells it from the session's other rows.
    fn short(id: &str) -> &str {
        id.get(..18).unwrap_or(id)
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.written.contains(Self::short(id))
    }

    pub(super) fn add(&mut self, id: &str) {
        self.written.insert(Self::short(id).to_owned());
    }

    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.look_again <= now.as_micros()
    }
}

/// The folder of the memory, locked.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    /// The system releases it with the process.
    _lock: File,
}

impl Store {
    /// Locks the folder, creating it where there is none, and reads what is remembered.
    pub(super) fn open(folder: &Path) -> Result<(Self, State), StateError> {
        let lock = folder.join("lock");
        filesystem::create_closed_folder(folder)?;
        let failed = |source| StateError::Lock { path: lock.clone(), source };
        let file = File::options().create(true).append(true).open(&lock).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StateError::Locked { path: folder.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let store = Self { path: folder.join(CURSOR), _lock: file };
        let state = store.load()?;
        Ok((store, state))
    }

    fn load(&self) -> Result<State, StateError> {
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let Some(text) = read(&self.path)? else { return Ok(State::default()) };
        // The number is read first: a newer format need not have the fields of this one.
        match serde_json::from_str(&text) {
            Ok(Format { format: found }) if found > FORMAT => {
                Err(StateError::Newer { path: self.path.clone(), found })
            }
            Ok(Format { .. }) | Err(_) => Ok(serde_json::from_str(&text).unwrap_or_else(|error| {
                let path = self.path.display();
                tracing::warn!(%path, %error, "the cursor is damaged; everything is looked at again");
                State::default()
            })),
        }
    }

    /// Durable when it returns. Blocks on the disk.
    pub(super) fn save(&self, state: &State) -> Result<(), StateError> {
        // Strings, numbers, lists and maps by strings: nothing that serde_json could refuse.
        Ok(replace(&self.path, &serde_json::to_string(state).unwrap_or_default())?)
    }
}

/// The tombstones whose sessions have left the service, as the exporter with the state in `folder` remembers.
/// Read beside it.
pub fn erased(folder: &Path) -> Result<BTreeSet<String>, StateError> {
    let text = read(&folder.join(CURSOR))?.unwrap_or_default();
    Ok(serde_json::from_str(&text).map(|state: State| state.erased).unwrap_or_default())
}

/// JSON's maps have texts as keys, and ours are pairs.
mod as_list {
    use serde::{Deserializer, Serializer};

    use super::{BTreeMap, Deserialize, Key, Open};

    pub(super) fn serialize<S: Serializer>(
        sessions: &BTreeMap<Key, Open>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(sessions)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<Key, Open>, D::Error> {
        Ok(Vec::<(Key, Open)>::deserialize(deserializer)?.into_iter().collect())
    }
}
